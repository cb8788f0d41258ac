/*
 * added_tokens.c
 *	  Added tokens, cut out of a text before its words are encoded.
 *
 * Those that are not normalized are sought in the text, the others in each normalized part;
 * of those that match at a place, the longest counts.
 */
#include "base/utf8.h"
#include "transformer/tokenizer/char_class.h"
#include "transformer/tokenizer/subword_parts.h"

static MrenStatus
build_trie(const MrenEnv *env, const MrenSubwordTokenizer *tokenizer, bool normalized,
		   MrenBuffer *bytes, MrenTrieKey *keys, MrenTrie *trie, MrenError *err)
{
	size_t n = 0, at = 0;

	bytes->len = 0;
	/* Backwards, since of two that are equal the first counts. */
	for (size_t i = tokenizer->n_added; i-- > 0;)
	{
		const MrenAddedToken *token = &tokenizer->added[i];
		size_t start = bytes->len;

		if (token->normalized != normalized || token->content.n == 0)
			continue;
		MREN_TRY(mren_buffer_reserve(env, bytes, 4 * token->content.n, err));
		for (size_t k = 0; k < token->content.n; k++)
			bytes->len +=
				mren_utf8_encode(token->content.at[k].code, (char *) bytes->data + bytes->len);
		keys[n++] = (MrenTrieKey){NULL, (uint32_t) (bytes->len - start), (uint32_t) i};
	}
	for (size_t i = 0; i < n; i++)
	{
		keys[i].bytes = bytes->data + at;
		at += keys[i].len;
	}
	return mren_trie_build(env, keys, n, trie, err);
}

MrenStatus
mren_added_tokens_index(const MrenEnv *env, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	MrenBuffer bytes = {0};
	MrenTrieKey *keys;
	MrenStatus status;

	MREN_TRY(mren_allocate(env, tokenizer->n_added, sizeof(*keys), &keys, err));
	status = build_trie(env, tokenizer, false, &bytes, keys, &tokenizer->added_raw, err);
	if (status == MREN_OK)
		status = build_trie(env, tokenizer, true, &bytes, keys, &tokenizer->added_normalized, err);
	mren_release(env, keys);
	mren_buffer_free(env, &bytes);
	return status;
}

/* The longest token at the beginning of n characters; NULL: none. */
static const MrenAddedToken *
match(const MrenSubwordTokenizer *tokenizer, bool normalized, const MrenSubwordChar *at, size_t n)
{
	const MrenTrie *trie = normalized ? &tokenizer->added_normalized : &tokenizer->added_raw;
	const MrenAddedToken *best = NULL;
	uint32_t node = 0;

	for (size_t i = 0; i < n && trie->n_nodes > 0; i++)
	{
		node = mren_trie_step_char(trie, node, at[i].code);
		if (node == 0)
			break;
		if (trie->value[node] != MREN_TRIE_NONE)
			best = &tokenizer->added[trie->value[node]];
	}
	return best;
}

/* Whether a token found may stand at [start, end): not a disabled one, not inside a word. */
static bool
usable(const MrenEncoding *e, const MrenAddedToken *token, const MrenSubwordChar *at, size_t n,
	   size_t start, size_t end)
{
	if (token->special && !(e->flags & MREN_SPECIAL_TOKENS))
		return false;
	return !token->single_word || ((start == 0 || !mren_char_word(at[start - 1].code)) &&
								   (end == n || !mren_char_word(at[end].code)));
}

static MrenStatus encode_between(MrenEncoding *e, bool normalized, const MrenSubwordChar *at,
								 size_t n);

/* What lies between added tokens. */
static MrenStatus
encode_part(MrenEncoding *e, bool normalized, const MrenSubwordChar *at, size_t n)
{
	if (normalized)
		return mren_pre_tokenize(e, 0, at, n);
	MREN_TRY(mren_normalize(e->env, &e->tokenizer->normalizers, at, n, &e->normal, e->err));
	return encode_between(e, true, e->normal.at, e->normal.n);
}

/* Cuts out the added tokens of one kind and encodes what lies between. */
static MrenStatus
encode_between(MrenEncoding *e, bool normalized, const MrenSubwordChar *at, size_t n)
{
	size_t done = 0;

	for (size_t i = 0, step; i <= n; i += step)
	{
		const MrenAddedToken *token = i < n ? match(e->tokenizer, normalized, at + i, n - i) : NULL;
		size_t start = i, end;

		step = token == NULL ? 1 : token->content.n;
		end = i + step;
		MREN_TRY(mren_encoding_work(e, step));
		if (i < n && (token == NULL || !usable(e, token, at, n, i, end)))
			continue;
		/* rstrip of the token before may have taken some of this one already. */
		if (token != NULL && token->lstrip && start < done && done < end)
			start = done;
		while (token != NULL && token->lstrip && start > done &&
			   mren_char_space(at[start - 1].code))
			start--;
		while (token != NULL && token->rstrip && end < n && mren_char_space(at[end].code))
			end++;
		if (start > done)
			MREN_TRY(encode_part(e, normalized, at + done, start - done));
		if (token == NULL)
			break;
		MREN_TRY(mren_encoding_add_text(e, token->id, at + start, end - start));
		done = end;
	}
	return MREN_OK;
}

MrenStatus
mren_added_tokens_encode(MrenEncoding *e)
{
	return encode_between(e, false, e->text.at, e->text.n);
}
