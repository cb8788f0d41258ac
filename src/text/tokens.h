/*
 * tokens.h
 *	  Words of a text, with exact positions in bytes and in characters.
 *
 * Words are Unicode's (UAX #29), as ICU segments them with its root locale:
 * dictionary languages (Chinese, Japanese, Thai, Lao, Khmer, Burmese) work.
 * Blank segments (white space, control and format characters) are dropped,
 * punctuation is kept.  Tokens are in order and do not overlap.
 *
 * A tokenizer is opened once per backend and reused; it is not thread-safe.
 * It holds ICU's memory, which comes from malloc: close it.
 */
#ifndef MREN_TEXT_TOKENS_H
#define MREN_TEXT_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

/* Longer texts are refused. */
#define MREN_MAX_TEXT (16 * 1024 * 1024)

typedef struct MrenToken
{
	uint32_t start, end;		   /* bytes, half open */
	uint32_t char_start, char_end; /* code points, half open */
} MrenToken;

typedef struct MrenTokens
{
	MrenToken *items;
	size_t n, capacity;
} MrenTokens;

typedef struct MrenTokenizer MrenTokenizer;

/*
 * mren_tokenizer_open
 *	  MREN_EUNSUPPORTED, with ICU's own words, when ICU cannot be used.
 */
extern MrenStatus mren_tokenizer_open(const MrenEnv *env, MrenTokenizer **tokenizer,
									  MrenError *err);
extern void mren_tokenizer_close(MrenTokenizer *tokenizer);

/* MREN_ELIMIT beyond MREN_MAX_TEXT bytes. */
extern MrenStatus mren_text_check_length(size_t len, MrenError *err);

/*
 * mren_tokenize
 *	  Replaces tokens' contents; its buffer is allocated from env and reused.
 *
 * text is UTF-8: MREN_EDATA, with the byte's number, when it is not.  Linear
 * in len, interruptible.  MREN_ELIMIT beyond MREN_MAX_TEXT bytes.  The result
 * is ICU's, except that a run of more than 4,096 characters without any space
 * or full stop is cut at that length.
 */
extern MrenStatus mren_tokenize(MrenTokenizer *tokenizer, const MrenEnv *env, const char *text,
								size_t len, MrenTokens *tokens, MrenError *err);

/*
 * mren_tokenize_reference
 *	  The same by ICU alone, over the whole text at once; tests compare the
 *	  fast path with it.
 */
extern MrenStatus mren_tokenize_reference(MrenTokenizer *tokenizer, const MrenEnv *env,
										  const char *text, size_t len, MrenTokens *tokens,
										  MrenError *err);

extern void mren_tokens_free(const MrenEnv *env, MrenTokens *tokens);

/*
 * Such as "72.1": the library this was built against.  Its major version is in
 * its file's name, so no other one is loaded.
 */
extern const char *mren_icu_version(void);

/* Whether valid UTF-8 has nothing that a token could consist of; true for no text. */
extern bool mren_text_is_blank(const char *text, size_t len);

#endif
