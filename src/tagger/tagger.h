/*
 * tagger.h
 *	  A trained tagger: its properties, the mentions it finds, and its bytes.
 *
 * Immutable once complete, so any number of callers may share one.  It holds
 * its shape, types, parameters and hashes of its training sentences, and names
 * its embeddings, lexicons and text encoder by the sha256 of their content.
 *
 * The result for a sentence has the same bits whatever was tagged before.
 */
#ifndef MREN_TAGGER_TAGGER_H
#define MREN_TAGGER_TAGGER_H

#include "base/text_span.h"
#include "data/word_vectors.h"
#include "nn/parameters.h"
#include "tagger/tag_input.h"
#include "transformer/pretrained.h"

typedef struct MrenTagger MrenTagger;

typedef struct MrenTaggerInfo
{
	size_t embedding_dim; /* 0: trained without word embeddings */
	size_t encoder_dim;	  /* 0: trained without a pretrained text encoder */
	size_t n_types;
	size_t n_lexicons;
	size_t n_parameters;
	size_t n_training_rows;
	uint8_t embeddings_sha256[32]; /* zeros without */
	uint8_t lexicons_sha256[MREN_MAX_TAG_LEXICONS][32];
	uint8_t text_encoder_sha256[32]; /* zeros without */
} MrenTaggerInfo;

extern void mren_tagger_info(const MrenTagger *tagger, MrenTaggerInfo *info);

/* Types are numbered in bytewise order of their names. */
extern MrenTextSpan mren_tagger_type(const MrenTagger *tagger, size_t i);

/* True if a sentence of this group (mren_example_group) took part in training. */
extern bool mren_tagger_trained_on(const MrenTagger *tagger, uint64_t group);

/*
 * mren_tagger_attach_encoder
 *	  Gives a complete tagger the text encoder that it was trained from, once, before it tags.
 *	  Errors as mren_tag_encoder_attach.
 */
extern MrenStatus mren_tagger_attach_encoder(MrenTagger *tagger, const MrenEncoderSource *source,
											 MrenError *err);

/* Half open in words; confidence is the posterior probability of exactly this mention and type. */
typedef struct MrenTagged
{
	uint32_t first;
	uint32_t end;
	uint32_t type;
	float confidence;
} MrenTagged;

/*
 * What the tagger made of the words of earlier sentences: others take the same bits from it that
 * they would compute.  For one tagger and one set of vectors.
 */
#define MREN_TAG_CACHE_BYTES ((size_t) 16 << 20) /* more are not worth while */

/* most: bytes that it may take; what does not fit is computed anew for each sentence. */
extern MrenStatus mren_tag_cache_create(const MrenEnv *env, size_t most, MrenTagCache **cache,
										MrenError *err);
extern void mren_tag_cache_free(MrenTagCache *cache);
/* Bytes that it takes at most; none before its first sentence, 0 with a text encoder. */
extern size_t mren_tag_cache_limit(const MrenTagCache *cache, const MrenTagger *tagger);

/* Longer sentences are tagged in pieces of this many words. */
#define MREN_TAG_PIECE 1024

/*
 * mren_tagger_tag
 *	  The mentions of the best path (Viterbi), in order; *mentions is allocated.
 *	  vectors may be NULL if embedding_dim is 0.  MREN_ENUMERIC if a score is
 *	  not finite; MREN_EPARAM if the tagger has a text encoder that is not
 *	  attached, or the sentence was not tokenized.
 */
extern MrenStatus mren_tagger_tag(const MrenTagger *tagger, const MrenEnv *env,
								  const MrenWordVectors *vectors, const MrenTagInput *input,
								  MrenTagged **mentions, size_t *n, MrenError *err);

/*
 * Bytes: as a network's (net.h), whole or as a header and tensors.
 */
extern MrenStatus mren_tagger_serialize(const MrenTagger *tagger, const MrenEnv *env,
										uint8_t **bytes, size_t *len, MrenError *err);
extern MrenStatus mren_tagger_deserialize(const MrenEnv *env, const uint8_t *bytes, size_t len,
										  MrenTagger **tagger, MrenError *err);
/* Whether bytes begin as those of a tagger do. */
extern bool mren_tagger_is(const uint8_t *bytes, size_t len);

extern MrenStatus mren_tagger_header(const MrenTagger *tagger, const MrenEnv *env, uint8_t **bytes,
									 size_t *len, MrenError *err);
extern size_t mren_tagger_n_tensors(const MrenTagger *tagger);
extern void mren_tagger_tensor(const MrenTagger *tagger, size_t i, MrenTensorView *view);
extern MrenStatus mren_tagger_from_header(const MrenEnv *env, const uint8_t *header, size_t len,
										  MrenTagger **tagger, MrenError *err);
extern MrenStatus mren_tagger_set_tensor(MrenTagger *tagger, const char *name, size_t rows,
										 size_t cols, const float *data, MrenError *err);
extern MrenStatus mren_tagger_complete(MrenTagger *tagger, MrenError *err);

extern void mren_tagger_free(const MrenEnv *env, MrenTagger *tagger);

#endif
