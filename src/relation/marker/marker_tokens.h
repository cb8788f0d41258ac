/*
 * marker_tokens.h
 *	  From the pieces of a sentence and the places of two mentions to the tokens that an
 *	  encoder reads, in a window around the mentions where the sentence is too long.
 */
#ifndef MREN_RELATION_MARKER_MARKER_TOKENS_H
#define MREN_RELATION_MARKER_MARKER_TOKENS_H

#include "base/env.h"
#include "data/marked_tokens.h"
#include "transformer/tokenizer/subword.h"

/* At most as many tokens of a sentence are read by an encoder that knows any distance. */
#define MREN_MARKER_MAX_TOKENS 512

/* In code points, half open. */
typedef struct MrenCharSpan
{
	uint32_t start;
	uint32_t end;
} MrenCharSpan;

/* A sentence cut into pieces, and where in it the mentions stand. */
typedef struct MrenMarkerText
{
	const MrenSubwordTokenizer *tokenizer;
	const MrenPieces *pieces;
	MrenCharSpan head;
	MrenCharSpan tail;
	size_t max_tokens; /* mren_transformer_max_tokens */
} MrenMarkerText;

/* Zero at first; its memory is used again by the next call. */
typedef struct MrenMarkerTokenBuffer
{
	int32_t *ids;
	uint32_t *chars; /* the code point at which each token begins; UINT32_MAX: a special one */
	size_t capacity;
} MrenMarkerTokenBuffer;

/*
 * mren_marker_tokens
 *	  The tokens of a sentence with the special ones around it, as many as the encoder reads.
 *	  Where the mentions are too far apart for one window, half of the tokens
 *	  are around each.  A mention without a piece of its own is marked at the piece after it.
 *	  tokens points into buffer, and has no token if the sentence has none.  MREN_ENOMEM;
 *	  MREN_EDATA if the special tokens leave no position for text.
 */
extern MrenStatus mren_marker_tokens(const MrenEnv *env, const MrenMarkerText *text,
									 MrenMarkerTokenBuffer *buffer, MrenMarkedTokens *tokens,
									 MrenError *err);

extern void mren_marker_tokens_free(const MrenEnv *env, MrenMarkerTokenBuffer *buffer);

#endif
