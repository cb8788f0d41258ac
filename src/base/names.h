/*
 * names.h
 *	  A growing set of distinct names: relations, entity types.
 *
 * A name has a number by arrival, which never changes, and a rank in bytewise
 * order, by which networks number their relations, so that the numbers do
 * not depend on the order of the rows.
 */
#ifndef MREN_BASE_NAMES_H
#define MREN_BASE_NAMES_H

#include "base/buffer.h"
#include "base/text_span.h"

#define MREN_MAX_LABEL 1024 /* bytes of a relation or type name */

typedef struct MrenName
{
	size_t at; /* in bytes */
	uint32_t len;
} MrenName;

/* Zero-initialized before its first use. */
typedef struct MrenNames
{
	MrenBuffer bytes;
	MrenName *items; /* by arrival */
	size_t items_capacity;
	uint32_t *sorted; /* arrival numbers in bytewise order */
	size_t sorted_capacity;
	size_t n;
} MrenNames;

extern void mren_names_free(const MrenEnv *env, MrenNames *names);

/* Its arrival number, given now if it is new. */
extern MrenStatus mren_names_intern(const MrenEnv *env, MrenNames *names, MrenTextSpan name,
									uint32_t *number, MrenError *err);

/* Its rank; where it is absent, false and the rank it would have. */
extern bool mren_names_find(const MrenNames *names, MrenTextSpan name, size_t *rank);

/* By rank; valid until the next intern. */
extern MrenTextSpan mren_names_get(const MrenNames *names, size_t rank);
/* By arrival number. */
extern MrenTextSpan mren_names_arrived(const MrenNames *names, uint32_t number);

#endif
