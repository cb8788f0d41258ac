/*
 * encoder_source.h
 *	  The files of a pretrained encoder, checked as a whole.
 */
#ifndef MREN_TRANSFORMER_FILE_ENCODER_SOURCE_H
#define MREN_TRANSFORMER_FILE_ENCODER_SOURCE_H

#include "transformer/config.h"
#include "transformer/file/encoder_files.h"
#include "transformer/file/safetensors.h"
#include "transformer/tokenizer/subword.h"

/* How a text becomes the numbers of pieces. */
typedef enum MrenTokenizerSource
{
	MREN_TOKENIZER_JSON = 0,  /* tokenizer.json */
	MREN_TOKENIZER_VOCAB = 1, /* vocab.txt of WordPiece, and the options below */
} MrenTokenizerSource;

/* Points into the files, which must outlive it. */
typedef struct MrenTransformerSource
{
	MrenTransformerConfig config;
	MrenTokenizerSource tokenizer;
	const MrenTransformerFile *tokenizer_file;
	MrenVocabOptions vocab;
	MrenSafetensors set;
	const MrenSafetensor **tensors; /* by their numbers in mren_transformer_tensor */
	size_t n_tensors;
	char warning[256]; /* "" or what tokenizer_config.json contradicts tokenizer.json in */
} MrenTransformerSource;

/*
 * mren_transformer_source_open
 *	  Finds all parts of an encoder among files and checks them; the errors are those of
 *	  config_json.h, safetensors.h and tensor_names.h.  MREN_EDATA if a file is missing.
 *	  Weights are read from model.safetensors, or else from the files that
 *	  model.safetensors.index.json names.  tokenizer.json counts where vocab.txt is there,
 *	  too.  What the tokenizer's file holds is not looked at.  On failure nothing is kept.
 */
extern MrenStatus mren_transformer_source_open(const MrenEnv *env,
											   const MrenTransformerFiles *files,
											   MrenTransformerSource *source, MrenError *err);

extern void mren_transformer_source_close(const MrenEnv *env, MrenTransformerSource *source);

#endif
