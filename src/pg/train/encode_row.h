/*
 * encode_row.h
 *	  From a pair and its label to the core's example: what training gathers,
 *	  and by which evaluation knows rows seen in training.
 */
#ifndef MREN_PG_TRAIN_ENCODE_ROW_H
#define MREN_PG_TRAIN_ENCODE_ROW_H

#include "postgres.h"

#include "fmgr.h"

#include "data/example.h"
#include "pg/support/args.h"
#include "pg/resource/image_encoders.h"
#include "pg/train/train_setup.h"
#include "pg/predict/row_features.h"
#include "pg/resource/words.h"

/*
 * mren_encode_example
 *	  Puts together an example of weight 1, without split and features; its sentence must be
 *	  numbered by the embeddings' table.  image is the image's feature vector
 *	  or NULL; an image is known by the hash of that vector, so it does not
 *	  matter whether a row gave the image or the vector.
 */
extern void mren_encode_example(MrenExample *example, const MrenSentence *sentence,
								const MrenPair *pair, MrenTextSpan relation, const float4 *image,
								int n_image);

/*
 * mren_encode_holdout_key
 *	  By which a row is held out of training, or not: mren_holdout_key of its
 *	  sentence and the image's hash.
 */
extern uint64 mren_encode_holdout_key(const MrenPair *pair, const MrenExample *example);

/* What one call site of a function that encodes rows keeps from row to row. */
typedef struct MrenEncodeSite
{
	Jsonb *object; /* the options as given; NULL: none */
	MrenTrainSetup options;
	char *json; /* the options in effect, as the state of a training keeps them */
	MrenWords *words;
	MrenVocabulary vocabulary;
	MrenEncoder *encoder; /* opened by the first image */
	MrenRowLexicons lexicons;
	MemoryContext row;	/* for one row; the function resets it */
	MemoryContext site; /* holds everything, this struct included */
} MrenEncodeSite;

/*
 * The site of this call, made at its first row, and anew when the options
 * change: what a call site remembers outlives a group and a subquery's run.
 * options_arg is the number of the options argument (jsonb), -1 for none.
 */
extern MrenEncodeSite *mren_encode_site(FunctionCallInfo fcinfo, int options_arg);

/* What an encoded row's image gave; NULL: nothing. */
typedef struct MrenRowImage
{
	const float4 *vector; /* (encoder_row.dimension) */
	const uint16 *grid;	  /* (options.grid) halves, if the fusion looks at grids */
} MrenRowImage;

/*
 * mren_encode_row
 *	  Encodes a labelled pair; returns its image's vector and grid.  All are
 *	  valid until the next row.
 */
extern MrenRowImage mren_encode_row(MrenEncodeSite *site, const MrenPair *pair,
									MrenTextSpan relation, MrenExample *example);

/* Sets the split of a row that the options hold out; unless it is a test row. */
extern void mren_encode_holdout(const MrenEncodeSite *site, const MrenPair *pair,
								MrenExample *example);

#endif
