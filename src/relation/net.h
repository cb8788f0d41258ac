/*
 * net.h
 *	  A trained network: its properties, its answers, and its bytes.
 *
 * Immutable once complete but for the sentence that a text encoder read last, so any number of
 * callers of one thread may share one.  It holds
 * shape, relations, entity types, parameters, temperature, abstain threshold
 * and hashes of its training rows, and names its embeddings and image encoder
 * by the sha256 of their content.
 *
 * A row's answer has the same bits alone and in any batch.
 */
#ifndef MREN_RELATION_NET_H
#define MREN_RELATION_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "data/example.h"
#include "data/grid.h"
#include "data/word_vectors.h"
#include "nn/parameters.h"
#include "relation/marker/marker_queue.h"
#include "text/sentence.h"

typedef struct MrenNet MrenNet;

/*
 * What the network made of the words of earlier rows: others take the same bits from it
 * that they would compute.  For one network and one set of vectors.
 */
typedef struct MrenNetCache MrenNetCache;

/* More bytes are not worth while: most texts are made of some thousand words. */
#define MREN_NET_CACHE_BYTES ((size_t) 48 << 20)

/* most: bytes that it may take; what does not fit is computed anew for each row. */
extern MrenStatus mren_net_cache_create(const MrenEnv *env, size_t most, MrenNetCache **cache,
										MrenError *err);
/* Bytes that it takes at most with this network; none before its first row. */
extern size_t mren_net_cache_limit(const MrenNetCache *cache, const MrenNet *net);
extern void mren_net_cache_free(MrenNetCache *cache);

typedef struct MrenInput
{
	const MrenSentence *sentence;
	int32_t head_type; /* from mren_net_type; -1: none or unknown */
	int32_t tail_type;
	const uint32_t *features; /* (n_features) as in MrenExample; read only by the linear branch */
	size_t n_features;
	const float *image;	   /* (image_dim) as computed by the image encoder, or NULL */
	const uint16_t *grid;  /* of shape info.grid, or NULL; only with an image */
	const float *audio;	   /* (audio_dim) as computed by the audio encoder, or NULL */
	const float *head_box; /* see boxes.h, or NULL; only with an image */
	const float *tail_box;
	bool all_features;		/* those that only mren.features reads, too; otherwise they are unset */
	MrenNetCache *cache;	/* or NULL; only of a row that is alone in its call */
	MrenMarkerQueue *queue; /* likewise: its markers' vector is left to mren_net_features_end */
	/* of the marker classifier's text encoder; NULL: the sentence has no token */
	const MrenMarkedTokens *tokens;
	const uint32_t *token_words; /* the word of each token; UINT32_MAX for a special one */
	int32_t mask_token;			 /* what stands for a token that is left out */
} MrenInput;

typedef struct MrenNetInfo
{
	size_t embedding_dim;
	size_t image_dim; /* 0: trained without images; inputs must have none */
	size_t audio_dim; /* 0: trained without recordings; inputs must have none */
	size_t n_members; /* of an ensemble; 1: one network */
	bool text_only;	  /* the last member is a text-only member */
	/*
	 * fused vector, scores of the linear branch, fused vectors of further members, vector of
	 * the marker classifier
	 */
	size_t features_dim;
	size_t row_dim;	  /* what mren_net_features writes: the features and what follows from them */
	size_t hash_bits; /* 0: no linear branch */
	size_t n_relations;
	size_t n_types;
	size_t n_parameters;
	size_t memory; /* bytes held */
	size_t n_training_rows;
	int32_t negative;		 /* index of the relation that means "none"; -1: there is none */
	double threshold;		 /* abstain below it; negative: never */
	const float *thresholds; /* (n_relations) of the net, see mren_net_predicts; NULL: argmax */
	double temperature;		 /* 1: not calibrated */
	double lapse;			 /* rate: the share of rows that it answers as if at random */
	bool has_image;			 /* image_dim > 0 */
	MrenGridShape grid;		 /* shape of the grids that it reads; all 0: none */
	bool boxes;				 /* it reads the boxes of the mentions */
	bool box_features;		 /* also as features of the linear branch */
	uint8_t embeddings_sha256[32]; /* zeros without word vectors */
	uint8_t encoder_sha256[32];	   /* zeros without images */
	/* of the text encoder of a marker classifier; NULL: there is none */
	const uint8_t *text_encoder_sha256;
	bool solid_markers; /* of the text encoder: the text leaves MREN_N_MARKS positions for them */
	uint8_t audio_sha256[32];		/* of the audio encoder; zeros without recordings */
	const uint8_t *lexicons_sha256; /* (n_lexicons, 32) of the net, in the order of training */
	size_t n_lexicons;
} MrenNetInfo;

extern void mren_net_info(const MrenNet *net, MrenNetInfo *info);

/* Relations are numbered in bytewise order of their names. */
extern MrenTextSpan mren_net_relation(const MrenNet *net, size_t i);
extern int32_t mren_net_relation_index(const MrenNet *net, const char *name, size_t len);
/* The number of a type; -1 if no training row had it. */
extern int32_t mren_net_type(const MrenNet *net, const char *name, size_t len);

/* True if a row of this mren_example_identity took part in training. */
extern bool mren_net_trained_on(const MrenNet *net, uint64_t identity);

/* Floats of scratch that each of the next two calls needs for a batch. */
extern size_t mren_net_scratch(const MrenNet *net, size_t batch);

/*
 * mren_net_features
 *	  features (n, row_dim): of each row its features (info.features_dim), then what its words
 *	  add to the first layer of each member.  MREN_ENUMERIC if an image vector is not finite; the
 *	  errors of mren_marker_vectors.
 */
extern MrenStatus mren_net_features(const MrenNet *net, const MrenWordVectors *vectors,
									const MrenInput *inputs, size_t n, float *features,
									float *scratch, MrenError *err);

/* Makes the vectors that were left to the queue.  Errors as above. */
extern MrenStatus mren_net_features_end(const MrenNet *net, MrenMarkerQueue *queue, MrenError *err);

/*
 * mren_net_probabilities
 *	  The calibrated distribution of n rows of mren_net_features: probabilities (n, n_relations),
 *	  each row sums to 1.  MREN_ENUMERIC if a logit is not finite.
 */
extern MrenStatus mren_net_probabilities(const MrenNet *net, const float *features, size_t n,
										 float *probabilities, float *scratch, MrenError *err);

/*
 * mren_net_attach_encoder
 *	  Gives a complete network with a marker classifier the text encoder that it was trained
 *	  from; without it mren_net_features fails.  MREN_EFORMAT if the encoder does not fit.
 */
extern MrenStatus mren_net_attach_encoder(MrenNet *net, const MrenEncoderSource *source,
										  MrenError *err);

/* The index of the most likely relation, the lowest of equals. */
extern size_t mren_net_best(const float *probabilities, size_t n_relations);

/*
 * mren_net_predicts
 *	  Whether a net with thresholds predicts relation i of a row: if its confidence
 *	  (the probability, or less where the mentions are unsure) reaches the
 *	  relation's threshold.  It may predict several of one row.  The negative
 *	  relation has no threshold: it is predicted where no other one is.
 */
static inline bool
mren_net_predicts(const MrenNetInfo *info, size_t i, double confidence)
{
	return confidence >= (double) info->thresholds[i];
}

typedef struct MrenNetAnswer
{
	int32_t relation;  /* -1: the net abstains */
	int32_t strongest; /* what it would answer if it did not abstain */
	float confidence;  /* probability of the strongest */
} MrenNetAnswer;

/*
 * mren_net_answer
 *	  The one relation of a row: without thresholds the most likely one, with
 *	  them the most likely of those that it predicts, or the negative one if it
 *	  predicts none.  It abstains if that is less likely than info->threshold, or if there
 *	  is no such relation.
 */
extern MrenNetAnswer mren_net_answer(const MrenNetInfo *info, const float *probabilities);

/*
 * mren_net_predicted
 *	  All relations of a row: with thresholds those that the net predicts, without
 *	  them the most likely one; the negative one if there is no other.
 *	  predicted (n_relations); returns how many, 0 if the net abstains.
 */
extern size_t mren_net_predicted(const MrenNetInfo *info, const float *probabilities,
								 int32_t *predicted);

/*
 * Bytes: one portable format, little-endian, versioned, checksummed.
 * Deserializing checks everything: MREN_EFORMAT, or MREN_ENUMERIC with the
 * tensor's name for a parameter that is not finite.
 */
extern MrenStatus mren_net_serialize(const MrenNet *net, const MrenEnv *env, uint8_t **bytes,
									 size_t *len, MrenError *err);
extern MrenStatus mren_net_deserialize(const MrenEnv *env, const uint8_t *bytes, size_t len,
									   MrenNet **net, MrenError *err);

/* The same in parts, for a catalog that keeps a row for each tensor. */
extern MrenStatus mren_net_header(const MrenNet *net, const MrenEnv *env, uint8_t **bytes,
								  size_t *len, MrenError *err);
extern size_t mren_net_n_tensors(const MrenNet *net);
extern void mren_net_tensor(const MrenNet *net, size_t i, MrenTensorView *view);

/* A net of this header whose tensors are still to be set. */
extern MrenStatus mren_net_from_header(const MrenEnv *env, const uint8_t *header, size_t len,
									   MrenNet **net, MrenError *err);
/* data is copied; it needs only the alignment of a float. */
extern MrenStatus mren_net_set_tensor(MrenNet *net, const char *name, size_t rows, size_t cols,
									  const float *data, MrenError *err);
/* MREN_EFORMAT naming a tensor that was not set. */
extern MrenStatus mren_net_complete(MrenNet *net, MrenError *err);

extern void mren_net_free(const MrenEnv *env, MrenNet *net);

#endif
