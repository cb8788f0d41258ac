/*
 * extras.h
 *	  The jsonb argument "extras" of mren.train_agg: what a row may have beside
 *	  sentence, mentions, relation and picture.
 */
#ifndef MREN_PG_EXTRAS_H
#define MREN_PG_EXTRAS_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "net/example.h"
#include "pg/args.h"

typedef struct MrenExtras
{
	float4 weight;
	MrenSplit split;
} MrenExtras;

/*
 * mren_extras_read
 *	  Keys: weight (number), split (string), head_type, tail_type (strings),
 *	  head_box, tail_box (four numbers x0, y0, x1, y1, or a string as the type
 *	  box has it), image_vector (numbers).  null is as if the key were missing.
 *	  22023 for anything else.
 */
extern void mren_extras_read(const Jsonb *object, MrenPair *pair, MrenExtras *extras);

#endif
