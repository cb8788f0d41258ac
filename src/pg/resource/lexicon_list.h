/*
 * lexicon_list.h
 *	  The option "lexicons" of a training: names of loaded lexicons.
 */
#ifndef MREN_PG_RESOURCE_LEXICON_LIST_H
#define MREN_PG_RESOURCE_LEXICON_LIST_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "pg/catalog/catalog.h"

#define MREN_MAX_LEXICON_LIST 16

typedef struct MrenLexiconList
{
	int n;
	char *names[MREN_MAX_LEXICON_LIST];
	MrenLexiconRow rows[MREN_MAX_LEXICON_LIST]; /* after mren_lexicon_list_resolve */
} MrenLexiconList;

/* From the option's value: an array of different names, or null for none; 22023 otherwise. */
extern void mren_lexicon_list_set(MrenLexiconList *list, const JsonbValue *value);

/* Finds the lexicons; an error for one that is not loaded. */
extern void mren_lexicon_list_resolve(MrenLexiconList *list);

/* Appends the member to the JSON text of an object, as in: , "lexicons": ["places"] */
extern void mren_lexicon_list_append(StringInfo json, const MrenLexiconList *list);

#endif
