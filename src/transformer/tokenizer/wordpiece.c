/*
 * wordpiece.c
 *	  From a text to pieces: added tokens cut out, words split, each cut greedily.
 *
 * Added tokens that are not normalised are sought in the text, the others in each normalised
 * part; what lies between is split into words.  A word is cut into the longest pieces of the
 * vocabulary from the left, or is unknown as a whole.
 */
#include "transformer/tokenizer/subword_parts.h"

#include <string.h>

#include "base/utf8.h"

/* The scratch memory of one call. */
typedef struct Encoding
{
	const MrenEnv *env;
	const MrenSubwordTokenizer *tokenizer;
	int flags;
	MrenSubwordChars text;
	MrenSubwordChars normal;
	char *bytes;	  /* a prefix's room, then the word in UTF-8 */
	uint32_t *offset; /* of the word's characters in bytes */
	MrenPieces *pieces;
	MrenError *err;
} Encoding;

static MrenStatus
add_piece(Encoding *e, uint32_t id, uint32_t start, uint32_t end)
{
	MrenPieces *pieces = e->pieces;

	MREN_TRY(mren_grow(e->env, &pieces->piece, &pieces->capacity, pieces->n, pieces->n + 1,
					   sizeof(MrenPiece), e->err));
	pieces->piece[pieces->n++] = (MrenPiece){id, start, end, end};
	return MREN_OK;
}

/* The longest piece that begins at character `from`; *to is where it ends. */
static uint32_t
longest_piece(Encoding *e, size_t from, size_t n, size_t *to)
{
	const MrenSubwordTokenizer *tokenizer = e->tokenizer;
	size_t before = from > 0 ? tokenizer->prefix_len : 0;
	char *begin = e->bytes + e->offset[from] - before;

	/* What the prefix overwrites has been cut already, or is its room. */
	memcpy(begin, tokenizer->prefix, before);
	for (size_t end = n; end > from; end--)
	{
		size_t len = before + e->offset[end] - e->offset[from];
		uint32_t id = mren_subword_lookup(tokenizer, begin, len);

		if (id != MREN_NO_PIECE)
		{
			*to = end;
			return id;
		}
	}
	return MREN_NO_PIECE;
}

static MrenStatus
encode_word(Encoding *e, const MrenSubwordChar *word, size_t n)
{
	size_t first = e->pieces->n;
	size_t at = e->tokenizer->prefix_len;

	MREN_TRY(mren_check_interrupts(e->env, e->err));
	if (n > e->tokenizer->max_chars)
		return add_piece(e, e->tokenizer->unknown, word[0].start, word[n - 1].end);
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
			return add_piece(e, e->tokenizer->unknown, word[0].start, word[n - 1].end);
		}
		MREN_TRY(add_piece(e, id, word[from].start, word[to - 1].end));
	}
	return MREN_OK;
}

static MrenStatus
encode_words(Encoding *e, const MrenSubwordChar *at, size_t n)
{
	for (size_t i = 0, end; i < n; i = end)
	{
		end = i + 1;
		if (mren_subword_space(at[i].code))
			continue;
		if (!mren_bert_punctuation(at[i].code))
			while (end < n && !mren_subword_space(at[end].code) &&
				   !mren_bert_punctuation(at[end].code))
				end++;
		MREN_TRY(encode_word(e, at + i, end - i));
	}
	return MREN_OK;
}

static const MrenAddedToken *
match_added(const MrenSubwordTokenizer *tokenizer, bool normalized, const MrenSubwordChar *at,
			size_t n)
{
	const MrenAddedToken *best = NULL;

	for (size_t i = 0; i < tokenizer->n_added; i++)
	{
		const MrenAddedToken *token = &tokenizer->added[i];
		size_t len = token->content.n, same = 0;

		if (token->normalized != normalized || len == 0 || len > n ||
			token->content.at[0].code != at[0].code || (best != NULL && best->content.n >= len))
			continue;
		while (same < len && token->content.at[same].code == at[same].code)
			same++;
		if (same == len)
			best = token;
	}
	return best;
}

static MrenStatus
encode_part(Encoding *e, bool normalized, const MrenSubwordChar *at, size_t n)
{
	if (n == 0)
		return MREN_OK;
	if (normalized)
		return encode_words(e, at, n);
	MREN_TRY(mren_bert_normalize(e->env, &e->tokenizer->normalizer, at, n, &e->normal, e->err));
	return MREN_OK;
}

/* Whether a token found may stand at [start, end): not a disabled one, not inside a word. */
static bool
usable(const Encoding *e, const MrenAddedToken *token, const MrenSubwordChar *at, size_t n,
	   size_t start, size_t end)
{
	if (token->special && !(e->flags & MREN_SPECIAL_TOKENS))
		return false;
	return !token->single_word || ((start == 0 || !mren_subword_word(at[start - 1].code)) &&
								   (end == n || !mren_subword_word(at[end].code)));
}

static MrenStatus
add_token(Encoding *e, const MrenAddedToken *token, const MrenSubwordChar *at, size_t start,
		  size_t end)
{
	uint32_t from = at[start].start, to = at[end - 1].end;

	if (e->tokenizer->trim_offsets)
	{
		for (; start < end && mren_subword_space(at[start].code); start++)
			from++;
		for (; end > start && mren_subword_space(at[end - 1].code); end--)
			to--;
	}
	return add_piece(e, token->id, from, to > from ? to : from);
}

/* Cuts out the added tokens of one kind and encodes what lies between. */
static MrenStatus
encode_between(Encoding *e, bool normalized, const MrenSubwordChar *at, size_t n)
{
	size_t done = 0;

	for (size_t i = 0, step; i <= n; i += step)
	{
		const MrenAddedToken *token =
			i < n ? match_added(e->tokenizer, normalized, at + i, n - i) : NULL;
		size_t start = i, end;

		step = token == NULL ? 1 : token->content.n;
		end = i + step;
		if (i % 1024 == 0)
			MREN_TRY(mren_check_interrupts(e->env, e->err));
		if (i < n && (token == NULL || !usable(e, token, at, n, i, end)))
			continue;
		while (token != NULL && token->lstrip && start > done &&
			   mren_subword_space(at[start - 1].code))
			start--;
		while (token != NULL && token->rstrip && end < n && mren_subword_space(at[end].code))
			end++;
		if (start > done)
		{
			MREN_TRY(encode_part(e, normalized, at + done, start - done));
			if (!normalized)
				MREN_TRY(encode_between(e, true, e->normal.at, e->normal.n));
		}
		if (token == NULL)
			break;
		MREN_TRY(add_token(e, token, at, start, end));
		done = end;
	}
	return MREN_OK;
}

/* A reader's piece ends with the marks and removed characters that follow it. */
static void
cover(const MrenSubwordChars *text, MrenPieces *pieces)
{
	for (size_t i = 0; i < pieces->n; i++)
	{
		MrenPiece *piece = &pieces->piece[i];
		size_t limit = i + 1 < pieces->n ? pieces->piece[i + 1].start : text->n;

		while (piece->cover_end < limit && mren_bert_invisible(text->at[piece->cover_end].code))
			piece->cover_end++;
	}
}

MrenStatus
mren_subword_encode(const MrenEnv *env, const MrenSubwordTokenizer *tokenizer, const char *text,
					size_t n_bytes, int flags, MrenPieces *pieces, MrenError *err)
{
	Encoding e = {.env = env, .tokenizer = tokenizer, .flags = flags, .pieces = pieces, .err = err};
	size_t room = tokenizer->prefix_len + 4 * tokenizer->max_chars + 4;
	MrenStatus status;

	pieces->n = 0;
	if (n_bytes > (size_t) 256 << 20)
		return mren_fail(err, MREN_ELIMIT, "text must have at most 256 MB");
	status = mren_allocate(env, room, 1, &e.bytes, err);
	if (status == MREN_OK)
		status = mren_allocate(env, tokenizer->max_chars + 1, sizeof(uint32_t), &e.offset, err);
	if (status == MREN_OK)
		status = mren_chars_read(env, text, n_bytes, &e.text, err);
	if (status == MREN_OK)
		status = encode_between(&e, false, e.text.at, e.text.n);
	if (status == MREN_OK)
		cover(&e.text, pieces);
	mren_release(env, e.bytes);
	mren_release(env, e.offset);
	mren_release(env, e.text.at);
	mren_release(env, e.normal.at);
	return status;
}
