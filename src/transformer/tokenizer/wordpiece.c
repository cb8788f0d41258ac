/*
 * wordpiece.c
 *	  WordPiece: a word is cut into the longest pieces from the left, or is unknown as a whole.
 */
#include <string.h>

#include "base/utf8.h"
#include "transformer/tokenizer/subword_parts.h"

/* The longest piece that begins at character `from`; *to is where it ends. */
static uint32_t
longest_piece(MrenEncoding *e, size_t from, size_t n, size_t *to)
{
	const MrenSubwordTokenizer *tokenizer = e->tokenizer;
	size_t before = from > 0 ? tokenizer->prefix_len : 0;
	char *begin = e->bytes + e->offset[from] - before;

	/* What the prefix overwrites has been cut already, or is its room. */
	memcpy(begin, tokenizer->prefix, before);
	for (size_t end = n; end > from; end--)
	{
		size_t len = before + e->offset[end] - e->offset[from];
		uint32_t id = mren_subword_model_lookup(tokenizer, begin, len);

		if (id != MREN_NO_PIECE)
		{
			*to = end;
			return id;
		}
	}
	return MREN_NO_PIECE;
}

MrenStatus
mren_wordpiece_encode(MrenEncoding *e, const MrenSubwordChar *word, size_t n)
{
	const MrenSubwordTokenizer *tokenizer = e->tokenizer;
	size_t first = e->pieces->n;
	size_t at = tokenizer->prefix_len;

	MREN_TRY(mren_check_interrupts(e->env, e->err));
	if (n > tokenizer->max_chars)
		return mren_encoding_add(e, tokenizer->unknown, word[0].start, word[n - 1].end);
	MREN_TRY(mren_encoding_room(e, &e->bytes, &e->bytes_capacity, at + 4 * n, 1));
	MREN_TRY(mren_encoding_room(e, &e->offset, &e->offset_capacity, n + 1, sizeof(uint32_t)));
	for (size_t i = 0; i < n; i++)
	{
		e->offset[i] = (uint32_t) at;
		at += mren_utf8_encode(word[i].code, e->bytes + at);
	}
	e->offset[n] = (uint32_t) at;
	for (size_t from = 0, to; from < n; from = to)
	{
		uint32_t id = longest_piece(e, from, n, &to);

		if (id == MREN_NO_PIECE)
		{
			e->pieces->n = first;
			return mren_encoding_add(e, tokenizer->unknown, word[0].start, word[n - 1].end);
		}
		MREN_TRY(mren_encoding_add(e, id, word[from].start, word[to - 1].end));
	}
	return MREN_OK;
}
