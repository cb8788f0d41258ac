/*
 * encoder_tokenizer.h
 *	  The tokenizer of an encoder, parsed and checked against the encoder's sizes.
 */
#ifndef MREN_TRANSFORMER_FILE_ENCODER_TOKENIZER_H
#define MREN_TRANSFORMER_FILE_ENCODER_TOKENIZER_H

#include "transformer/file/encoder_source.h"

/* A tokenizer's file as a source or a stored encoder has it. */
typedef struct MrenTokenizerFile
{
	MrenTokenizerSource source;
	const MrenVocabOptions *vocab; /* of vocab.txt */
	const uint8_t *bytes;
	size_t len;
} MrenTokenizerFile;

/*
 * mren_transformer_tokenizer
 *	  Parses the file; the errors are those of subword.h, and MREN_EDATA if an id has no row
 *	  in the word embeddings, or if the special pieces leave no position for text.
 */
extern MrenStatus mren_transformer_tokenizer(const MrenEnv *env, const MrenTokenizerFile *file,
											 const MrenTransformerConfig *config,
											 MrenSubwordTokenizer **tokenizer, MrenError *err);

#endif
