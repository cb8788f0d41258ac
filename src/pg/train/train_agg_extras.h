/*
 * train_agg_extras.h
 *	  The jsonb argument "extras" of mren.train_agg: what a row may have besides
 *	  sentence, mentions, relation and image.
 */
#ifndef MREN_PG_TRAIN_TRAIN_AGG_EXTRAS_H
#define MREN_PG_TRAIN_TRAIN_AGG_EXTRAS_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "data/example.h"
#include "pg/support/args.h"
#include "pg/train/train_label.h"

typedef struct MrenTrainAggExtras
{
	float4 weight;
	MrenSplit split;
	MrenTrainLabel label; /* but for the relation */
} MrenTrainAggExtras;

/*
 * mren_train_agg_extras_read
 *	  Keys: weight (number), split (string), head_type and tail_type (strings),
 *	  head_box and tail_box (boxes, as a string or as four numbers), image_vector
 *	  (numbers), audio (a bytea as a string), audio_vector (numbers), probabilities (an object)
 *	  and gold (boolean).  A key that is null counts as missing.  22023 for anything else.
 */
extern void mren_train_agg_extras_read(const Jsonb *object, MrenPair *pair,
									   MrenTrainAggExtras *extras);

#endif
