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

#include "base/text_span.h"
#include "pg/support/pg_env.h"
#include "text/mention.h"

/* 22004 if the argument is NULL. */
extern void mren_arg_required(FunctionCallInfo fcinfo, int arg, const char *name);
/* A name, path or word as a C string; 22004 if it is NULL, 42622 beyond 4096 bytes. */
extern char *mren_arg_text(FunctionCallInfo fcinfo, int arg, const char *name);
/* The same, in place. */
extern MrenTextSpan mren_arg_span(FunctionCallInfo fcinfo, int arg, const char *name);
/* A query, of any length. */
extern char *mren_arg_query(FunctionCallInfo fcinfo, int arg, const char *name);
/* An integer, of how many of something; 22023 below 1. */
extern int32 mren_arg_positive(FunctionCallInfo fcinfo, int arg, const char *name);

/* The number of a version, 0 for NULL, which means the deployed one; 22023 below 1. */
extern int32 mren_arg_version(FunctionCallInfo fcinfo, int arg);

/* 42602 for a name that is empty or longer than 255 bytes. */
extern void mren_check_name(const char *argument, const char *name);
/*
 * The latter alone, of a name that is looked up: what is longer is nowhere, and not to be shown
 * whole.
 */
extern void mren_check_name_length(const char *name);

/* The current user's name as a Datum of type name. */
extern Datum mren_current_user_name(void);

/* lower .. upper - 1 as an int4range; palloc'd. */
extern Datum mren_int4range(int32 lower, int32 upper);

/* The bounds of an int4range, upper exclusive; false if it is empty or unbounded. */
extern bool mren_int4range_bounds(Datum range, int32 *lower, int32 *upper);

/* n floats as a real[]. */
extern ArrayType *mren_real_array(const float4 *values, int n);

/*
 * The elements of a one-dimensional real[], inside the array.  2202E for more
 * dimensions, 22004 for a NULL element, 22003 for one that is not finite.
 */
extern const float4 *mren_array_floats(ArrayType *array, const char *name, int *n);

/*
 * One row to be classified or learnt from: a sentence, two mentions, and the
 * image, types and boxes that it may have.  Pointers go into the arguments.
 */
typedef struct MrenPair
{
	MrenTextSpan sentence;
	MrenMention head;
	MrenMention tail;
	const bytea *image; /* NULL: none; detoasted */
	const float4 *image_vector;
	int n_image_vector;
	const bytea *audio; /* NULL: none; detoasted */
	const float4 *audio_vector;
	int n_audio_vector;
	MrenTextSpan head_type; /* data NULL: none */
	MrenTextSpan tail_type;
	bool has_head_box;
	bool has_tail_box;
	double head_box[4]; /* opposite corners, as given; see mren_pair_boxes */
	double tail_box[4];
} MrenPair;

/* The parts of a pair, each from a Datum that is not NULL. */
extern void mren_pair_sentence(MrenPair *pair, Datum sentence);
extern void mren_pair_mentions(MrenPair *pair, Datum head, Datum tail, bool ranges);
extern void mren_pair_image_vector(MrenPair *pair, Datum vector);
extern void mren_pair_audio_vector(MrenPair *pair, Datum vector);
extern void mren_pair_head_box(MrenPair *pair, Datum box);
extern void mren_pair_tail_box(MrenPair *pair, Datum box);

/* A copy of the pair and of all that it points to, in the current context. */
extern MrenPair *mren_pair_copy(const MrenPair *pair);

/*
 * An error if the pair has both an image or recording and a vector of it, or a box without either.
 */
extern void mren_pair_check(const MrenPair *pair);

/*
 * mren_pair_args
 *	  The pair of a predicting function: sentence, head, tail, image, head_type,
 *	  tail_type, head_box, tail_box, image_vector, version, audio, audio_vector from argument
 *	  `first` on; version is not read, and the last two need not be there.
 *	  False if sentence, head or tail is NULL: the answer is NULL then.
 */
extern bool mren_pair_args(FunctionCallInfo fcinfo, int first, bool ranges, MrenPair *pair);

#endif
