/*
 * tag_gold.h
 *	  A labelled sentence as SQL gives it: tokens with tags, or a sentence with
 *	  mentions and their types.
 */
#ifndef MREN_PG_TAGGER_TAG_GOLD_H
#define MREN_PG_TAGGER_TAG_GOLD_H

#include "postgres.h"

#include "data/example.h"
#include "pg/support/pg_env.h"
#include "pg/support/query.h"

/* Half open in bytes of the sentence, without blanks at its ends. */
typedef struct MrenGoldMention
{
	uint32_t start;
	uint32_t end;
	MrenTextSpan type; /* UTF-8 */
} MrenGoldMention;

/* Mentions are in order and do not overlap.  All is palloc'd or in the arguments. */
typedef struct MrenGold
{
	MrenUtf8 sentence;
	MrenGoldMention *mentions;
	int n;
} MrenGold;

/*
 * mren_gold_tags
 *	  tokens and tags, text[]; the sentence is the tokens with a space between
 *	  two.  22000 with the value and its place for a tag that is none, that
 *	  continues nothing, or lacks; 22004 for a NULL among them.
 */
extern void mren_gold_tags(Datum tokens, Datum tags, MrenGold *gold);

/*
 * mren_gold_mentions
 *	  sentence text, mentions int4range[] (characters, half open, 0-based, in
 *	  any order), types text[].  22023 for a range outside the sentence or that
 *	  overlaps another.
 */
extern void mren_gold_mentions(Datum sentence, Datum mentions, Datum types, MrenGold *gold);

/* Which sentences validation must not divide: those of a group, else equal ones. */
extern uint64 mren_gold_group(const MrenGold *gold, bool has_group, Datum group);

/* The columns of a query of labelled sentences, by name. */
typedef struct MrenGoldColumns
{
	bool tokens; /* tokens and tags; else sentence, mentions and types */
	bool weight;
	bool split;
	bool group;
} MrenGoldColumns;

/*
 * mren_gold_columns
 *	  The columns of the query, planned but not run: 42703 for a missing one,
 *	  42804 for one of a wrong type.  Inside an SPI connection.
 */
extern void mren_gold_columns(const char *query, MrenGoldColumns *columns);

/*
 * The select list of a generated statement over such a query, "q": the two or three
 * columns of the labels, then weight, split and group, NULL where there is none.
 */
extern char *mren_gold_list(const MrenGoldColumns *columns);

#endif
