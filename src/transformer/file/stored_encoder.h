/*
 * stored_encoder.h
 *	  The canonical bytes in which an encoder is stored, and by which it is identified.
 *
 * They depend on the configuration, the tokenizer's file and the numbers of the weights in
 * the type that they came in, and not on how the exporter named or ordered things.  The
 * form, in little-endian numbers:
 *
 *		"MRENTXT1"
 *		u32 length, config.json as config_json.h writes it
 *		u8  0: tokenizer.json, 1: vocab.txt, and then lower case, Chinese characters, and
 *			strip accents + 1 (u8 each)
 *		u64 length, the tokenizer's file
 *		u32 number of tensors, and a u8 for the type of each (MrenNumberType)
 *		the numbers of each tensor, in the order of mren_transformer_tensor
 *
 * before each tensor with as many zeros as make its place a multiple of 64.
 */
#ifndef MREN_TRANSFORMER_FILE_STORED_ENCODER_H
#define MREN_TRANSFORMER_FILE_STORED_ENCODER_H

#include "base/buffer.h"
#include "transformer/file/encoder_source.h"

/* Takes n bytes more. */
typedef struct MrenByteSink
{
	void *state;
	MrenStatus (*put)(void *state, const void *bytes, size_t n, MrenError *err);
} MrenByteSink;

/* Gives exactly n bytes more, or fails. */
typedef struct MrenByteSource
{
	void *state;
	MrenStatus (*get)(void *state, void *bytes, size_t n, MrenError *err);
} MrenByteSource;

extern MrenStatus mren_transformer_store(const MrenEnv *env, const MrenTransformerSource *source,
										 const MrenByteSink *sink, MrenError *err);

/* What mren_transformer_store wrote. */
typedef struct MrenStoredEncoder
{
	MrenTransformerConfig config;
	MrenTokenizerSource tokenizer;
	MrenVocabOptions vocab;
	uint8_t *tokenizer_bytes;
	size_t n_tokenizer;
	float *weights; /* all tensors, one after the other; NULL if they were not requested */
	size_t n_weights;
	MrenBuffer beginning; /* where weights are recorded: what precedes the tokenizer's bytes */
} MrenStoredEncoder;

/*
 * mren_transformer_restore
 *	  Reads what was stored; the weights only if with_weights.  Checks all of it again:
 *	  MREN_EFORMAT for bytes that are not a stored encoder, MREN_ENUMERIC for weights that
 *	  are not finite.  On failure nothing is kept.
 *
 *	  Where env's weights are recorded, a block has the configuration and the kind of tokenizer, and
 *	  where they are ready, these are taken from it: then nothing is read of the source, and
 *	  there are no bytes of a tokenizer and no weights.
 */
extern MrenStatus mren_transformer_restore(const MrenEnv *env, const MrenByteSource *source,
										   bool with_weights, MrenStoredEncoder *encoder,
										   MrenError *err);

/* The bytes of the tokenizer's file, which a parsed tokenizer does not need. */
extern void mren_transformer_stored_tokenizer_close(const MrenEnv *env, MrenStoredEncoder *encoder);

extern void mren_transformer_stored_close(const MrenEnv *env, MrenStoredEncoder *encoder);

#endif
