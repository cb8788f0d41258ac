/*
 * fuzz_tokenizer.h
 *	  What the targets of the tokenizers share: a tokenizer.json and a text.
 *
 * An input with a zero byte is a tokenizer.json up to it and a text behind it; one without is
 * a text for the target's own tokenizer.  The pieces must be there, lie in the text, and be
 * the same a second time.
 */
#ifndef MREN_TEST_FUZZ_TOKENIZER_H
#define MREN_TEST_FUZZ_TOKENIZER_H

#include "fuzz.h"

#include <string.h>

#include "base/utf8.h"
#include "transformer/tokenizer/subword.h"

static inline void
fuzz_check_pieces(const MrenSubwordTokenizer *tokenizer, const MrenPieces *pieces, size_t n_chars)
{
	for (size_t i = 0; i < pieces->n; i++)
	{
		const MrenPiece *piece = &pieces->piece[i];
		size_t len;

		if (mren_subword_piece_text(tokenizer, piece->id, &len) == NULL ||
			piece->start > piece->end || piece->end > piece->cover_end ||
			piece->cover_end > n_chars)
			abort();
	}
}

static inline void
fuzz_encode(const MrenEnv *env, const MrenSubwordTokenizer *tokenizer, const char *text, size_t n)
{
	MrenPieces first = {0}, second = {0};
	MrenError err = {0};

	for (int flags = 0; flags <= MREN_SPECIAL_TOKENS; flags++)
	{
		MrenStatus status = mren_subword_encode(env, tokenizer, text, n, flags, &first, &err);

		if (status != MREN_OK && err.message[0] == '\0')
			abort();
		if (status != MREN_OK)
			continue;
		fuzz_check_pieces(tokenizer, &first, mren_utf8_length(text, n));
		if (mren_subword_encode(env, tokenizer, text, n, flags, &second, &err) != MREN_OK ||
			first.n != second.n ||
			(first.n > 0 && memcmp(first.piece, second.piece, first.n * sizeof(MrenPiece)) != 0))
			abort();
	}
	mren_pieces_free(env, &first);
	mren_pieces_free(env, &second);
}

/* own: the target's tokenizer.json, with ' for ". */
static inline void
fuzz_tokenizer(const uint8_t *data, size_t size, const char *own)
{
	FuzzEnv fuzz;
	const MrenEnv *env = fuzz_env(&fuzz, (size_t) 64 << 20);
	const uint8_t *zero = size == 0 ? NULL : memchr(data, 0, size);
	char quoted[2048];
	const char *json = zero == NULL ? quoted : (const char *) data;
	const char *text = zero == NULL ? (const char *) data : (const char *) zero + 1;
	size_t json_len = zero == NULL ? strlen(own) : (size_t) (zero - data);
	MrenSubwordTokenizer *tokenizer;
	MrenError err = {0};

	for (size_t i = 0; i <= strlen(own) && i < sizeof(quoted); i++)
		quoted[i] = own[i] == '\'' ? '"' : own[i];
	if (mren_subword_parse(env, json, json_len, &tokenizer, &err) == MREN_OK)
		fuzz_encode(env, tokenizer, text, size - (size_t) (text - (const char *) data));
	else if (zero == NULL || err.message[0] == '\0')
		abort();
	mren_subword_free(env, tokenizer);
	fuzz_done(&fuzz);
}

#endif
