/*
 * extras.h
 *	  The jsonb argument "extras" of mren.train_agg: what a row may have beside
 *	  sentence, mentions, relation and image.
 */
#ifndef MREN_PG_TRAIN_EXTRAS_H
#define MREN_PG_TRAIN_EXTRAS_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "data/example.h"
#include "pg/support/args.h"

typedef struct MrenExtras
{
	float4 weight;
	MrenSplit split;
} MrenExtras;

/*
 * mren_extras_read
 *	  Keys: weight (number), split (string), head_type, tail_type (strings),
 *	  image_vector (numbers); head_box and tail_box are refused (0A000) until
 *	  they count.  null is as if the key were missing.  22023 for anything else.
 */
extern void mren_extras_read(const Jsonb *object, MrenPair *pair, MrenExtras *extras);

#endif
