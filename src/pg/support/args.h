/*
 * args.h
 *	  Arguments of SQL functions as the core wants them, with the errors that
 *	  name them.
 */
#ifndef MREN_PG_SUPPORT_ARGS_H
#define MREN_PG_SUPPORT_ARGS_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/array.h"

#include "data/example.h"
#include "pg/support/pg_env.h"
#include "text/mention.h"

/* 22004 if the argument is NULL. */
extern void mren_arg_required(FunctionCallInfo fcinfo, int arg, const char *name);
/* The argument as a C string; 22004 if it is NULL. */
extern char *mren_arg_text(FunctionCallInfo fcinfo, int arg, const char *name);

/* A text value as UTF-8; valid as long as the datum, or in the current context. */
extern MrenUtf8 mren_datum_utf8(Datum value);

/* A version's number, 0 for NULL, which means the deployed one; 22023 below 1. */
extern int32 mren_arg_version(FunctionCallInfo fcinfo, int arg);

/* 42602 for a name that is empty or longer than 255 bytes. */
extern void mren_check_name(const char *argument, const char *name);

/* n floats as a real[]. */
extern ArrayType *mren_real_array(const float4 *values, int n);

/* A real[] without NULLs as floats inside it; 22004, 2202E otherwise. */
extern const float4 *mren_array_floats(ArrayType *array, const char *name, int *n);

/*
 * One row to be classified or learnt from: a sentence, two mentions and what
 * else is known.  Pointers go into the arguments.
 */
typedef struct MrenPair
{
	MrenUtf8 sentence;
	MrenMention head;
	MrenMention tail;
	const bytea *image; /* NULL: none; detoasted */
	const float4 *image_vector;
	int n_image_vector;
	MrenTextSpan head_type; /* data NULL: none */
	MrenTextSpan tail_type;
	bool has_head_box;
	bool has_tail_box;
	double head_box[4]; /* opposite corners: see mren_pair_boxes */
	double tail_box[4];
} MrenPair;

/* The parts of a pair, each from a Datum that is not NULL. */
extern void mren_pair_sentence(MrenPair *pair, Datum sentence);
extern void mren_pair_mentions(MrenPair *pair, Datum head, Datum tail, bool ranges);
extern void mren_pair_image_vector(MrenPair *pair, Datum vector);
extern MrenTextSpan mren_pair_type(Datum type);
extern void mren_pair_head_box(MrenPair *pair, Datum box);
extern void mren_pair_tail_box(MrenPair *pair, Datum box);

/*
 * mren_pair_boxes
 *	  The boxes as the network takes them (net/boxes.h): NULL where there is none.
 *	  They are in pixels of the image as displayed; with an image_vector, whose
 *	  image's size is not known, in shares of its width and height.  22000
 *	  for a box that covers nothing of the image.
 */
typedef struct MrenPairBoxes
{
	const float4 *head; /* into values, or NULL */
	const float4 *tail;
	float4 values[8];
} MrenPairBoxes;
extern void mren_pair_boxes(const MrenPair *pair, MrenPairBoxes *boxes);

/* An error if the pair has both an image and a vector of one, or a box without either. */
extern void mren_pair_check(const MrenPair *pair);

/*
 * mren_pair_args
 *	  The pair of a predicting function: sentence, head, tail, image, head_type,
 *	  tail_type, head_box, tail_box, image_vector from argument `first` on.
 *	  False if sentence, head or tail is NULL: the answer is NULL then.
 */
extern bool mren_pair_args(FunctionCallInfo fcinfo, int first, bool ranges, MrenPair *pair);

#endif
