/*
 * nearest_name.h
 *	  Names that are probably misspelt: options, columns of a query, entities.
 */
#ifndef MREN_PG_SUPPORT_NEAREST_NAME_H
#define MREN_PG_SUPPORT_NEAREST_NAME_H

#include "postgres.h"

#include "access/tupdesc.h"

/* How many characters of a to change, insert or delete for b, at most `most`; beyond it, most + 1. */
extern int mren_name_distance(const char *a, const char *b, int most);

/* The name in the list "a, b, c" that is most like it, if at most two edits apart; else NULL. */
extern char *mren_nearest_name(const char *name, const char *list);

/* A column that a query may have. */
typedef struct MrenKnownColumn
{
	const char *name;
	Oid type; /* InvalidOid: any */
} MrenKnownColumn;

/*
 * mren_notice_ignored_columns
 *	  A NOTICE for each column of desc that is none of the n known ones but was
 *	  probably meant to be: its name is nearly one that desc lacks, or a usual
 *	  word for it, or it is the only column of a type as images have.
 */
extern void mren_notice_ignored_columns(TupleDesc desc, const MrenKnownColumn *known, int n);

#endif
