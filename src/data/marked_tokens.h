/*
 * marked_tokens.h
 *	  A sentence as a pretrained text encoder reads it, with the tokens at which its two
 *	  mentions begin and end.
 */
#ifndef MREN_DATA_MARKED_TOKENS_H
#define MREN_DATA_MARKED_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#define MREN_MAX_ENCODER_TOKENS (1u << 20) /* of a sentence */

/* The marks of a pair, which are also the roles of its levitated markers. */
typedef enum MrenMarkerRole
{
	MREN_MARK_HEAD_FIRST,
	MREN_MARK_HEAD_LAST,
	MREN_MARK_TAIL_FIRST,
	MREN_MARK_TAIL_LAST,
	MREN_N_MARKS,
} MrenMarkerRole;

typedef struct MrenMarkedTokens
{
	const int32_t *ids; /* (n) of the encoder's vocabulary, special ones included */
	uint32_t n;			/* 0: the sentence was not tokenized, or has no token */
	bool windowed;		/* the sentence has more tokens than the encoder reads */
	/* a token's number for each mark, below n; all 0 without tokens */
	uint32_t marks[MREN_N_MARKS];
} MrenMarkedTokens;

#endif
