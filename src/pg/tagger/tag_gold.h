/*
 * tag_gold.h
 *	  A labelled sentence as SQL gives it: tokens with tags, or a sentence with
 *	  mentions and their types.
 */
#ifndef MREN_PG_TAGGER_TAG_GOLD_H
#define MREN_PG_TAGGER_TAG_GOLD_H

#include "postgres.h"

#include "base/text_span.h"
#include "pg/resource/span_slips.h"
#include "pg/support/pg_env.h"
#include "pg/support/query.h"

/* Bytes of the sentence, half open, without white space at the ends. */
typedef struct MrenGoldMention
{
	uint32_t start;
	uint32_t end;
	int32 lower, upper; /* the range as given, in characters; 0, 0 for tags */
	int token;			/* number of its first token, from 1; 0 for ranges */
	MrenTextSpan type;	/* UTF-8 */
} MrenGoldMention;

/* Mentions are in order and do not overlap.  Memory is palloc'd or the arguments' own. */
typedef struct MrenGold
{
	MrenTextSpan sentence;
	MrenGoldMention *mentions;
	int n;
} MrenGold;

/*
 * mren_gold_tags
 *	  tokens and tags, text[]; the sentence is the tokens, joined by spaces.
 *	  22000 for an empty token, an invalid tag, a tag that continues no mention,
 *	  or arrays of different lengths; 22004 for a NULL element.
 */
extern void mren_gold_tags(Datum tokens, Datum tags, MrenGold *gold);

/*
 * mren_gold_mentions
 *	  sentence text, mentions int4range[] (characters, half open, 0-based, in
 *	  any order), types text[].  22023 for a range outside the sentence or that
 *	  overlaps another.
 */
extern void mren_gold_mentions(Datum sentence, Datum mentions, Datum types, MrenGold *gold);

/* Counts the ranges that cut words; `number` is that of the row. */
extern void mren_gold_slips(const MrenGold *gold, MrenSpanSlips *slips, int64 number);

/* Validation keeps sentences with the same value together: those of a group, else equal ones. */
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
 * mren_gold_list
 *	  The select list of a generated statement over such a query, "q": the two or
 *	  three columns of the labels, then weight, split and group, or NULL instead
 *	  of a column that the query lacks.
 */
extern char *mren_gold_list(const MrenGoldColumns *columns);

#endif
