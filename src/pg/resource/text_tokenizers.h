/*
 * text_tokenizers.h
 *	  The tokenizers of loaded text encoders, cached in the backend, and the encoders' weights.
 *
 * Rows are tokenized in many backends, parallel workers among them, of which only one reads the
 * weights.
 */
#ifndef MREN_PG_RESOURCE_TEXT_TOKENIZERS_H
#define MREN_PG_RESOURCE_TEXT_TOKENIZERS_H

#include "postgres.h"

#include "pg/catalog/catalog.h"
#include "relation/marker/marker_classifier.h"
#include "transformer/file/stored_encoder.h"
#include "transformer/tokenizer/subword.h"

/* Read-only: several callers may use it at once. */
typedef struct MrenOpenTokenizer
{
	MrenTransformerConfig config; /* of the encoder */
	const MrenSubwordTokenizer *tokenizer;
	int32 mask;	   /* the piece that stands for what is left out */
	uint64 number; /* of all tokenizers that the backend has opened, from 1 */
} MrenOpenTokenizer;

/*
 * mren_text_encoder_open_tokenizer
 *	  The tokenizer of an encoder, read if necessary; valid until the current memory context is
 *	  reset.  XX001 if what is stored is not an encoder.
 */
extern const MrenOpenTokenizer *mren_text_encoder_open_tokenizer(const MrenTextEncoderRow *row);

/* The same of the encoder that a model names by its hash; 55000 if it is not in the catalog. */
extern const MrenOpenTokenizer *mren_text_encoder_open_tokenizer_by_hash(const uint8 *sha256,
																		 const char *model);

/*
 * mren_text_encoder_restore
 *	  The configuration, the tokenizer and, if requested, the weights of an encoder: those of env's
 *	  weights if they are ready, which takes no weights; otherwise of the catalog, with errors
 *	  raised (XX001 if what is stored is not an encoder).  For what opens a shared file.
 */
extern MrenStatus mren_text_encoder_restore(const MrenEnv *env, const MrenTextEncoderRow *row,
											bool weights, MrenStoredEncoder *stored,
											MrenSubwordTokenizer **tokenizer, MrenError *err);

/* The row of the encoder that a model names by its hash; 55000 if it is not in the catalog. */
extern void mren_text_encoder_need(const uint8 *sha256, const char *model, MrenTextEncoderRow *row);

/*
 * mren_text_encoder_source
 *	  The encoder's configuration, and how to read its weights while a snapshot is active.  row
 *	  outlives the source, which allocates in the current context.
 */
extern void mren_text_encoder_source(const MrenTextEncoderRow *row, MrenEncoderSource *source);

#endif
