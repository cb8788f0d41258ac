/*
 * encode.c
 *	  From a text to pieces: the frame in which the parts of a tokenizer run.
 */
#include "base/utf8.h"
#include "transformer/tokenizer/char_class.h"
#include "transformer/tokenizer/subword_parts.h"

/* The letter that stands for a space in byte-level pieces. */
#define BYTE_LEVEL_SPACE 0x120

static bool
is_trimmed(uint32_t code)
{
	return code == BYTE_LEVEL_SPACE || mren_char_space(code);
}

/* Takes leading and trailing spaces of a piece's text out of its span. */
static void
trim(const MrenEncoding *e, size_t leading, size_t trailing, uint32_t *start, uint32_t *end)
{
	const MrenSubwordTokenizer *tokenizer = e->tokenizer;
	bool first = e->pieces->n + tokenizer->trim_index == 0 || *start == 0;

	if (first && tokenizer->trim_keeps_space && leading == 1)
		leading = 0;
	*start = leading < *end - *start ? *start + (uint32_t) leading : *end;
	if (trailing > 0 && *end >= trailing)
		*end = *end - trailing > *start ? *end - (uint32_t) trailing : *start;
}

static MrenStatus
add_piece(MrenEncoding *e, uint32_t id, uint32_t start, uint32_t end)
{
	MrenPieces *pieces = e->pieces;

	MREN_TRY(mren_grow(e->env, &pieces->piece, &pieces->capacity, pieces->n, pieces->n + 1,
					   sizeof(MrenPiece), e->err));
	pieces->piece[pieces->n++] = (MrenPiece){id, start, end, end};
	return MREN_OK;
}

MrenStatus
mren_encoding_add(MrenEncoding *e, uint32_t id, uint32_t start, uint32_t end)
{
	size_t len, leading = 0, trailing = 0;
	const char *text;
	bool beginning = true;
	uint32_t code;

	text = e->tokenizer->trim_offsets ? mren_subword_piece_text(e->tokenizer, id, &len) : NULL;
	for (size_t at = 0; text != NULL && at < len;)
	{
		at += mren_utf8_decode(text + at, len - at, &code);
		beginning = beginning && is_trimmed(code);
		leading += beginning;
		trailing = is_trimmed(code) ? trailing + 1 : 0;
	}
	if (text != NULL)
		trim(e, leading, trailing, &start, &end);
	return add_piece(e, id, start, end);
}

MrenStatus
mren_encoding_add_text(MrenEncoding *e, uint32_t id, const MrenSubwordChar *text, size_t n)
{
	uint32_t start = text[0].start, end = text[n - 1].end;
	size_t leading = 0, trailing = 0;

	if (e->tokenizer->trim_offsets)
	{
		while (leading < n && is_trimmed(text[leading].code))
			leading++;
		while (trailing < n && is_trimmed(text[n - 1 - trailing].code))
			trailing++;
		trim(e, leading, trailing, &start, &end);
	}
	return add_piece(e, id, start, end);
}

/* A reader's piece ends with the marks and removed characters that follow it. */
static void
cover(const MrenSubwordChars *text, MrenPieces *pieces)
{
	for (size_t i = 0; i < pieces->n; i++)
	{
		MrenPiece *piece = &pieces->piece[i];
		size_t limit = i + 1 < pieces->n ? pieces->piece[i + 1].start : text->n;

		while (piece->cover_end < limit && mren_char_joins_piece(text->at[piece->cover_end].code))
			piece->cover_end++;
	}
}

MrenStatus
mren_subword_encode(const MrenEnv *env, const MrenSubwordTokenizer *tokenizer, const char *text,
					size_t n_bytes, int flags, MrenPieces *pieces, MrenError *err)
{
	MrenEncoding e = {
		.env = env, .tokenizer = tokenizer, .flags = flags, .pieces = pieces, .err = err};
	MrenStatus status;

	pieces->n = 0;
	if (n_bytes > (size_t) 256 << 20)
		return mren_fail(err, MREN_ELIMIT, "text must have at most 256 MB");
	status = mren_chars_read(env, text, n_bytes, &e.text, err);
	if (status == MREN_OK)
		status = mren_added_tokens_encode(&e);
	if (status == MREN_OK)
		cover(&e.text, pieces);
	mren_release(env, e.text.at);
	mren_release(env, e.normal.at);
	for (size_t i = 0; i < MREN_MAX_PRE_TOKENIZERS; i++)
		mren_release(env, e.written[i].at);
	mren_release(env, e.prefixed.at);
	mren_release(env, e.bytes);
	mren_release(env, e.offset);
	mren_release(env, e.symbols);
	mren_release(env, e.heap);
	mren_release(env, e.nodes);
	return status;
}
