/*
 * tag_tokens.h
 *	  From the pieces of a sentence to the tokens that a pretrained text encoder reads, with the
 *	  first piece of each word.
 *
 * A sentence with more pieces than the encoder has positions is read in windows that overlap,
 * laid as those of transformer/sentence_vector.h: each piece counts in the window whose middle
 * is nearest.
 */
#ifndef MREN_TAGGER_TAG_TOKENS_H
#define MREN_TAGGER_TAG_TOKENS_H

#include "base/env.h"
#include "tagger/tag_input.h"
#include "transformer/tokenizer/subword.h"

/* A window of an encoder that knows any distance has as many tokens. */
#define MREN_TAG_WINDOW_TOKENS 512

/* The place of a word, in code points, half open. */
typedef struct MrenTagWordSpan
{
	uint32_t start;
	uint32_t end;
} MrenTagWordSpan;

typedef struct MrenTagPieces
{
	const MrenSubwordTokenizer *tokenizer;
	const MrenPieces *pieces;	  /* of the whole sentence */
	const MrenTagWordSpan *words; /* (n_words), ascending, not overlapping */
	size_t n_words;
	size_t max_tokens; /* mren_transformer_max_tokens */
} MrenTagPieces;

/* Zero at first; its memory is used again by the next call. */
typedef struct MrenTagTokenBuffer
{
	int32_t *ids;
	uint32_t *windows;
	uint32_t *firsts;
	size_t ids_capacity, windows_capacity, firsts_capacity;
} MrenTagTokenBuffer;

/*
 * mren_tag_tokens
 *	  The tokens of a sentence; they point into buffer.  A word without a piece has none.
 *	  MREN_EDATA if the special tokens leave no position for text; MREN_ELIMIT if there are too
 *	  many tokens; MREN_ENOMEM.
 */
extern MrenStatus mren_tag_tokens(const MrenEnv *env, const MrenTagPieces *text,
								  MrenTagTokenBuffer *buffer, MrenTagTokens *tokens,
								  MrenError *err);

extern void mren_tag_tokens_free(const MrenEnv *env, MrenTagTokenBuffer *buffer);

#endif
