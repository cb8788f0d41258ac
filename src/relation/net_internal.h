/*
 * net_internal.h
 *	  The inside of MrenNet, for the files that make and run one.
 */
#ifndef MREN_RELATION_NET_INTERNAL_H
#define MREN_RELATION_NET_INTERNAL_H

#include "nn/kernels.h"
#include "relation/branch_linear.h"
#include "base/buffer.h"
#include "relation/conv_text.h"
#include "base/names.h"
#include "relation/net.h"
#include "relation/layout.h"
#include "relation/marker/marker_classifier.h"
#include "relation/text_pool.h"

/* The packed layers of a branch that reads a vector. */
typedef struct MrenNetVector
{
	MrenPackedDense units;
	MrenPackedDense text;	/* of the product */
	MrenPackedDense factor; /* of the vector, of the product */
	const float *inverse;	/* 1 / std */
} MrenNetVector;

struct MrenNet
{
	MrenEnv env; /* it was created with */
	MrenNetShape shape;
	MrenNetLayout layout;
	float *values; /* (layout.table.size), padding zero */
	bool filled;   /* values are those of weights.h, checked when they were made; read-only */
	/*
	 * Further members of an ensemble: networks of the same shape without the
	 * linear branch, whose logits are added to this one's.  They hold trained
	 * tensors only; measured tensors, names and hashes belong to the first
	 * member.
	 */
	size_t n_members;		  /* with this one; 1 .. MREN_MAX_MEMBERS + 1 */
	size_t text_only;		  /* 1: the last member is a text-only member */
	struct MrenNet **members; /* (n_members - 1), each with one member */
	bool set[MREN_MAX_PARAMETERS];

	/* A marker classifier, whose scores are added to the logits of the members. */
	MrenMarkerShape marker_shape; /* width 0: there is none */
	MrenMarkerClassifier *marker;
	bool marker_set[MREN_MAX_PARAMETERS];
	MrenBuffer text_encoder; /* sha256 of the text encoder that it reads with */

	MrenNames relations;
	MrenNames types;
	int32_t negative;
	double threshold;
	double temperature;
	double lapse; /* see evaluation/calibration.h */
	float scale;  /* of word vectors, to unit root mean square */
	uint8_t embeddings_sha256[32];
	uint8_t encoder_sha256[32];
	uint64_t *training; /* (n_training) identities, ascending */
	size_t n_training;

	MrenBuffer lexicons;	  /* sha256 of each lexicon that the lexical features use */
	MrenBuffer linear_slots;  /* (shape.linear_rows) u32, ascending: the slots that have weights */
	size_t box_features;	  /* 1: some features are of boxes */
	MrenBuffer thresholds;	  /* f32 of each relation, as of decision.h; empty: argmax */
	MrenBuffer fine_tuned;	  /* (shape.n_fine_tuned) u32, little-endian, ascending */
	MrenBuffer audio_encoder; /* sha256; empty without audio */

	/* Made by mren_net_complete. */
	MrenLinearIndex linear;
	bool complete;
	float *threshold_values; /* (shape.n_relations) of `thresholds`; NULL: argmax */
	int32_t *fine_tuned_ids; /* (shape.n_fine_tuned) */
	float *packed;			 /* all dense layers and the inverse deviations */
	size_t n_packed;		 /* floats */
	MrenNetVector vectors[MREN_N_VECTORS];
	MrenPackedDense query;
	MrenPackedDense attended;
	MrenPackedDense factor_text;
	MrenPackedDense factor_attended;
	MrenPackedDense region;
	/*
	 * From a word's vector to what it adds to each of the windows that it lies in: (width,
	 * filters) of each width.  The distances to head and tail add conv_places (MREN_CONV_PLACES,
	 * width + 1, filters): to each tap, then the sum of a window of consecutive distances, by
	 * that of the word in whose row its output is stored.
	 */
	MrenPackedDense conv[MREN_CONV_WIDTHS];
	const uint16_t *conv_places[MREN_CONV_WIDTHS][2];
	/*
	 * What a word in part p of the text adds to the first layer's outputs: its vector times
	 * text_parts + p * text_part_size, packed.  text_start is what a text without words gives.
	 */
	const float *text_parts;
	size_t text_part_size;
	const float *text_start;
	const float *text_bias;						 /* zeros */
	MrenPackedDense layers[MREN_MAX_HIDDEN + 1]; /* the first without the parts' columns */
	const float *text_inverse;					 /* 1 / text.std */
	const float *grid_inverse;					 /* 1 / grid.std */
	const float *box_inverse;					 /* 1 / box.std */
};

/* An empty network, whose shape, fields and names are to be set. */
extern MrenStatus mren_net_new(const MrenEnv *env, MrenNet **net, MrenError *err);

/*
 * mren_net_allocate
 *	  Layout and memory of a net whose shape is set and checked; no tensor is
 *	  set yet.  MREN_EFORMAT if that takes more than `limit` floats.
 */
extern MrenStatus mren_net_allocate(MrenNet *net, size_t limit, MrenError *err);

/* Makes the packed layers of a network whose tensors are set and checked. */
extern MrenStatus mren_net_pack(MrenNet *net, MrenError *err);

/* What mren.features returns of a row: the fused vectors, scores and the markers' vector. */
static inline size_t
mren_net_features_dim(const MrenNet *net)
{
	size_t dim = mren_net_shape_scored_dim(&net->shape);

	for (size_t i = 0; i < net->n_members - 1; i++)
		dim += mren_net_shape_features_dim(&net->members[i]->shape);
	return dim + (net->marker != NULL ? mren_marker_dim(&net->marker_shape) : 0);
}

/* Floats that prediction keeps of a row: the features, then the text sums of each member. */
static inline size_t
mren_net_row_dim(const MrenNet *net)
{
	return mren_net_features_dim(net) + net->n_members * net->layers[0].out;
}

/* Columns of the fused vector, its first, that the text sums stand for. */
static inline size_t
mren_net_part_columns(const MrenNetShape *shape)
{
	return mren_net_shape_n_parts(shape) * shape->embedding_dim;
}

/* Where a tensor's numbers are, and whether they have been set. */
typedef struct MrenTensorSlot
{
	const MrenParameter *tensor;
	float *values;
	bool *set;
} MrenTensorSlot;

/* The place of tensor i of mren_net_n_tensors. */
extern MrenTensorSlot mren_net_slot(const MrenNet *net, size_t i);

/* Rows of halves that a member made of words, whatever the mentions are. */
typedef struct MrenWordRows
{
	uint16_t *rows;		   /* (slots, size of a row) */
	uint8_t *done;		   /* (slots) whether they are computed */
	const uint32_t *slots; /* of the rows of the sentence; NULL: none are kept */
} MrenWordRows;

/* Those of a member for the sentence at hand. */
typedef struct MrenWordParts
{
	MrenWordRows conv; /* by word */
	MrenWordRows text; /* by part of the text and word, as mren_net_text_words lists them */
} MrenWordParts;

/* Halves of a word's row in the convolutions: (width, filters) of each width; 0 without them. */
static inline size_t
mren_net_conv_row_size(const MrenNet *net)
{
	size_t n = 0;

	for (size_t i = 0; i < MREN_CONV_WIDTHS; i++)
		n += mren_conv_width(i) * net->shape.filters;
	return n;
}

/*
 * mren_net_convolve
 *	  The convolved columns of one row's text: out (conv_dim).  scratch has
 *	  mren_net_convolve_scratch floats.  kept: of this member and sentence, used and filled.
 */
extern size_t mren_net_convolve_scratch(const MrenNet *net);
extern void mren_net_convolve(const MrenNet *net, const MrenWordVectors *vectors,
							  const MrenSentence *sentence, const MrenWordRows *kept, float *out,
							  float *scratch);

/* The words of a part of a text whose vectors are averaged: one, or all where there are many. */
typedef struct MrenTextWords
{
	size_t part;
	MrenSpan words;
	float weight;
} MrenTextWords;

#define MREN_PART_WORDS 8 /* a part of more words is averaged as a whole */
#define MREN_MAX_TEXT_WORDS (MREN_MAX_PARTS * MREN_PART_WORDS)

/* items (MREN_MAX_TEXT_WORDS); returns how many there are. */
extern size_t mren_net_text_words(const MrenNetShape *shape, const MrenSentence *sentence,
								  MrenTextWords *items);

/*
 * mren_net_text_sums
 *	  What the parts of a row's text add to the first layer's outputs, with its bias: out
 *	  (layers[0].out).  scratch has mren_net_text_scratch floats.  kept: as above.
 */
extern size_t mren_net_text_scratch(const MrenNet *net);
extern void mren_net_text_sums(const MrenNet *net, const MrenWordVectors *vectors,
							   const MrenSentence *sentence, const MrenWordRows *kept, float *out,
							   float *scratch);

/*
 * mren_net_cache_open
 *	  What each member (net->n_members) made of the words of this sentence, of which those of
 *	  earlier sentences may be done; too many are not kept.  Valid until the next call.
 */
extern MrenStatus mren_net_cache_open(MrenNetCache *cache, const MrenNet *net,
									  const MrenWordVectors *vectors, const MrenSentence *sentence,
									  const MrenWordParts **words, MrenError *err);

/*
 * mren_net_grid_features
 *	  Writes the columns of grid attention and boxes of one row, which follow
 *	  those of its text and its image's vector; features is the whole row.
 *	  scratch has mren_net_grid_scratch floats.
 */
extern size_t mren_net_grid_scratch(const MrenNet *net);
extern void mren_net_grid_features(const MrenNet *net, const MrenInput *input, float *features,
								   float *scratch);

/* Rows processed at once. */
#define MREN_INFER_ROWS 64

#endif
