/*
 * row_features.c
 *	  Extracting lexical features into buffers that are reused from row to row.
 */
#include "pg/predict/row_features.h"

#include "utils/memutils.h"

#include "pg/resource/tokenizer.h"
#include "pg/support/pg_env.h"
#include "text/features/features_lexicon.h"

static MrenFeatures features;
static MrenLexiconTypes types;

/* Buffers that a long text made larger than this are freed before the next row. */
#define KEEP_TYPES 65536

static bool
overlaps(const MrenToken *token, MrenToken place)
{
	return token->start < place.end && token->end > place.start;
}

/* The tokens outside a place, palloc'd. */
static MrenToken *
tokens_without(const MrenEncoded *row, MrenToken place, size_t *n)
{
	MrenToken *kept = palloc_extended(Max(row->split.n, 1) * sizeof(MrenToken), MCXT_ALLOC_HUGE);

	*n = 0;
	for (size_t i = 0; i < row->split.n; i++)
	{
		if (!overlaps(&row->split.items[i], place))
			kept[(*n)++] = row->split.items[i];
	}
	return kept;
}

/* A mention that is left out has no types either. */
static void
add_lexicons(const MrenEnv *env, const MrenRowLexicons *lexicons, MrenToken without,
			 MrenFeatureRow *in)
{
	MrenError err;

	if (lexicons->n == 0)
		return;
	if (types.types_capacity > KEEP_TYPES)
		mren_lexicon_types_free(env, &types);
	MREN_PG_CALL(err, mren_lexicon_types(env, mren_pg_tokenizer(), lexicons->items, lexicons->n, in,
										 &types, &err));
	if (without.end > without.start && overlaps(&in->head, without))
		in->lexicon.n_head = 0;
	if (without.end > without.start && overlaps(&in->tail, without))
		in->lexicon.n_tail = 0;
}

const MrenFeatures *
mren_pair_features(const MrenPair *pair, const MrenEncoded *row, const MrenRowLexicons *lexicons,
				   MrenToken without, const MrenPairBoxes *boxes)
{
	MrenEnv env = mren_pg_env(mren_pg_text_context());
	MrenFeatureRow in = {.text = {pair->sentence.data, pair->sentence.len},
						 .tokens = row->split.items,
						 .n_tokens = row->split.n,
						 .head = row->head,
						 .tail = row->tail,
						 .head_type = {pair->head_type.data, pair->head_type.len},
						 .tail_type = {pair->tail_type.data, pair->tail_type.len}};
	MrenToken *kept = NULL;
	MrenError err;

	if (without.end > without.start)
		in.tokens = kept = tokens_without(row, without, &in.n_tokens);
	if (boxes != NULL)
	{
		in.head_box = boxes->head;
		in.tail_box = boxes->tail;
	}
	add_lexicons(&env, lexicons, without, &in);
	MREN_PG_CALL(err, mren_features_extract(&env, &in, &features, &err));
	if (kept != NULL)
		pfree(kept);
	return &features;
}
