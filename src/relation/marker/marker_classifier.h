/*
 * marker_classifier.h
 *	  Relations from a pretrained text encoder: it reads the sentence once, with four
 *	  levitated markers after it for each pair, and one dense layer turns the vectors of a
 *	  pair's markers into scores of the relations.
 *
 * A marker has the position of the token that it marks; its embedding says which end of which
 * mention it is, and of which entity type the mention is.  Zhong and Chen, A Frustratingly Easy
 * Approach for Entity and Relation Extraction, NAACL 2021; Ye et al., Packed Levitated Marker for
 * Entity and Relation Extraction, ACL 2022.  Solid markers (Baldini Soares et al., Matching the
 * Blanks, ACL 2019) stand in the text instead, which is then read once for each pair.
 *
 * The classifier stores only what training has changed of the encoder.  Before it answers, the
 * encoder that it was trained from is attached to it.
 */
#ifndef MREN_RELATION_MARKER_MARKER_CLASSIFIER_H
#define MREN_RELATION_MARKER_MARKER_CLASSIFIER_H

#include "nn/kernels.h"
#include "nn/parameters.h"
#include "relation/marker/marker_batch.h"
#include "transformer/pretrained.h"
#include "transformer/train/tuning.h"

/* Numbers of the tensors in the table. */
enum
{
	MREN_MARKER_EMBEDDINGS,	 /* (kinds, embedding_width), constant but with MREN_TUNING_ALL */
	MREN_MARKER_HEAD_WEIGHT, /* (mren_marker_dim, n_relations) */
	MREN_MARKER_HEAD_BIAS,	 /* (1, n_relations) */
	MREN_MARKER_TUNED, /* (tuning.n, 1): the tensors of tuning.h, one after the other; if any */
};

typedef struct MrenMarkerClassifier
{
	MrenMarkerShape shape;
	MrenParameterTable table;
	float *values;		/* (table.size) */
	bool filled;		/* all numbers are those of weights.h, and read-only */
	float *packed_head; /* made by mren_marker_complete */
	MrenPackedDense head;
	float *weights; /* of the merged encoder, and the encoder; NULL until one is attached */
	MrenTransformer *encoder;
	MrenTransformerConfig config; /* of the encoder with the markers as further pieces */
	/*
	 * The sentence that was read last, so that its further pairs cost their markers alone: the
	 * one thing that answering changes.
	 */
	MrenTransformerMemory *memory;
	int32_t *remembered; /* (n_remembered) its tokens */
	uint32_t n_remembered;
} MrenMarkerClassifier;

/* MREN_EFORMAT unless every field is in its range. */
extern MrenStatus mren_marker_shape_check(const MrenMarkerShape *shape, MrenError *err);

/* Makes a classifier of a checked shape whose tensors are still to be set. */
extern MrenStatus mren_marker_create(const MrenEnv *env, const MrenMarkerShape *shape,
									 MrenMarkerClassifier **classifier, MrenError *err);
extern void mren_marker_free(const MrenEnv *env, MrenMarkerClassifier *classifier);

/* Floats that mren_marker_create allocates for a shape. */
extern size_t mren_marker_size(const MrenMarkerShape *shape);

/* Prepares the head once all tensors are set. */
extern MrenStatus mren_marker_complete(const MrenEnv *env, MrenMarkerClassifier *classifier,
									   MrenError *err);

/* The encoder's configuration with the markers as further pieces after its vocabulary. */
extern MrenTransformerConfig mren_marker_config(const MrenMarkerShape *shape,
												const MrenTransformerConfig *config);

/*
 * mren_marker_weights
 *	  The weights of all tensors of mren_marker_config: the encoder's with the markers'
 *	  embeddings (kinds, embedding_width) after those of its words; allocated.  MREN_ENOMEM,
 *	  MREN_ECANCELED, the errors of the source.
 */
extern MrenStatus mren_marker_weights(const MrenEnv *env, const MrenMarkerShape *shape,
									  const MrenEncoderSource *source, const float *embeddings,
									  float **weights, MrenError *err);

/*
 * mren_marker_attach
 *	  Gives a complete classifier the encoder that it was trained from.  MREN_EFORMAT if its
 *	  sizes do not fit; MREN_ENOMEM, MREN_ECANCELED, the errors of the source.
 */
extern MrenStatus mren_marker_attach(const MrenEnv *env, MrenMarkerClassifier *classifier,
									 const MrenEncoderSource *source, MrenError *err);

/*
 * mren_marker_vectors
 *	  The vectors of n rows, out (n, mren_marker_dim), ldo floats apart.  A sentence is read once
 *	  for the rows of it that follow each other, also in later calls; several sentences in one
 *	  pass.  MREN_EPARAM without an
 *	  encoder; MREN_EDATA for a token that the encoder does not have; MREN_ENOMEM, MREN_ECANCELED.
 */
extern MrenStatus mren_marker_vectors(const MrenEnv *env, MrenMarkerClassifier *classifier,
									  const MrenMarkerRow *rows, size_t n, float *out, size_t ldo,
									  MrenError *err);

/* The scores of n rows from their vectors in (n, mren_marker_dim): out (n, n_relations). */
extern void mren_marker_scores(const MrenMarkerClassifier *classifier, const float *in, size_t ldi,
							   size_t n, float *out);

#endif
