/*
 * text_encoders.h
 *	  Loaded text encoders: configuration, tokenizer and network, cached in the backend.
 */
#ifndef MREN_PG_RESOURCE_TEXT_ENCODERS_H
#define MREN_PG_RESOURCE_TEXT_ENCODERS_H

#include "postgres.h"

#include "pg/catalog/catalog.h"
#include "transformer/encoder.h"
#include "transformer/tokenizer/subword.h"

/* Read-only: several callers may use it at once. */
typedef struct MrenOpenTextEncoder
{
	const MrenTransformerConfig *config;
	const MrenSubwordTokenizer *tokenizer; /* its ids are below the vocabulary's size */
	const MrenTransformer *transformer;
} MrenOpenTextEncoder;

/*
 * mren_text_encoder_open
 *	  The encoder, read if necessary; valid until the current memory context is reset.
 *	  XX001 if what is stored is not an encoder of the row's size and width.
 */
extern const MrenOpenTextEncoder *mren_text_encoder_open(const MrenTextEncoderRow *row);

#endif
