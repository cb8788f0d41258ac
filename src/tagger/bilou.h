/*
 * bilou.h
 *	  Tags that mark where mentions begin and end.
 *
 * Tag 0 is O; type t has B, I, L, U as 1 + 4t .. 4 + 4t.  A mention of one word
 * is U, a longer one B I* L (Ratinov and Roth 2009).  Tags as texts are read by
 * text/mention_tags.h.
 */
#ifndef MREN_TAGGER_BILOU_H
#define MREN_TAGGER_BILOU_H

#include <stdbool.h>

#include "nn/crf.h"
#include "data/example.h"

#define MREN_MAX_TAG_TYPES 256

typedef enum MrenBilou
{
	MREN_BILOU_O,
	MREN_BILOU_B,
	MREN_BILOU_I,
	MREN_BILOU_L,
	MREN_BILOU_U,
} MrenBilou;

/* A mention, half open in words. */
typedef struct MrenTagSpan
{
	uint32_t first;
	uint32_t end;
	uint32_t type;
} MrenTagSpan;

static inline size_t
mren_bilou_n_tags(size_t n_types)
{
	return 1 + 4 * n_types;
}

/* The letter of a tag, and its type (0 for O). */
extern MrenBilou mren_bilou_letter(uint32_t tag);
extern uint32_t mren_bilou_type(uint32_t tag);

/* The rules of BILOU for n_types types (1 .. MREN_MAX_TAG_TYPES). */
extern MrenStatus mren_bilou_rules(const MrenEnv *env, size_t n_types, MrenCrfRules *rules,
								   MrenError *err);

/* Tags (n) of mentions that are in order and do not overlap. */
extern void mren_bilou_write(const MrenTagSpan *spans, size_t n_spans, uint32_t *tags, size_t n);

/* Writes the mentions of a path that the rules allow to spans (n); returns their number. */
extern size_t mren_bilou_read(const uint32_t *tags, size_t n, MrenTagSpan *spans);

#endif
