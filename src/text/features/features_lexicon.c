/*
 * features_lexicon.c
 *	  Phrases of lexicons, from their words to the tokens they stand on.
 */
#include "text/features/features_lexicon.h"

#include <string.h>

#include "base/hash.h"

uint64_t
mren_feature_type(const char *name, size_t len)
{
	return mren_hash64(name, len, 6);
}

/* The hashes of at most `limit` types of a phrase; how many. */
static size_t
put_types(const MrenLexicon *lexicon, const MrenLexiconMatch *match, size_t limit, uint64_t *out)
{
	size_t n = match->n_entries < limit ? match->n_entries : limit;

	for (size_t i = 0; i < n; i++)
	{
		size_t len;
		const char *name = mren_lexicon_type(lexicon, match->entries[i].type, &len);

		out[i] = mren_feature_type(name, len);
	}
	return n;
}

static size_t
mention_types(const MrenLexicon *lexicon, const MrenFolded *folded, const MrenToken *place,
			  uint64_t *out)
{
	MrenLexiconMatch match;
	size_t first;
	size_t end;

	mren_folded_within(folded, place->start, place->end, &first, &end);
	if (first == end || !mren_lexicon_last_words(lexicon, folded, first, end, &match))
		return 0;
	return put_types(lexicon, &match, MREN_MAX_MENTION_TYPES, out);
}

/*
 * Adds the types of one lexicon's phrases, each at the token that ends it: as
 * many numbers as a token may have lie apart, so that lexicons add in turn.
 */
static void
add_matches(const MrenLexicon *lexicon, const MrenFeatureRow *row, MrenLexiconTypes *types,
			uint32_t *counts, size_t stride)
{
	size_t token = 0;

	for (size_t i = 0; i < types->matches.n; i++)
	{
		const MrenLexiconMatch *match = &types->matches.items[i];
		uint32_t end = types->folded.words[match->end - 1].end;

		while (token < row->n_tokens && row->tokens[token].end < end)
			token++;
		if (token < row->n_tokens && row->tokens[token].end == end)
			counts[token] += (uint32_t) put_types(lexicon, match, MREN_MAX_TOKEN_TYPES,
												  types->types + token * stride + counts[token]);
	}
}

/* Moves the tokens' types together; starts held their counts. */
static void
close_gaps(MrenLexiconTypes *types, size_t n_tokens, size_t stride)
{
	uint32_t at = 0;

	for (size_t i = 0; i < n_tokens; i++)
	{
		uint32_t n = types->starts[i];

		memmove(types->types + at, types->types + i * stride, n * sizeof(uint64_t));
		types->starts[i] = at;
		at += n;
	}
	types->starts[n_tokens] = at;
}

MrenStatus
mren_lexicon_types(const MrenEnv *env, MrenTokenizer *tokenizer, const MrenLexicon *const *lexicons,
				   size_t n, MrenFeatureRow *row, MrenLexiconTypes *types, MrenError *err)
{
	size_t stride = n * MREN_MAX_TOKEN_TYPES;
	size_t n_head = 0;
	size_t n_tail = 0;

	MREN_TRY(mren_fold(tokenizer, env, row->text.data, row->text.len, &types->folded, err));
	MREN_TRY(mren_grow(env, &types->starts, &types->starts_capacity, 0, row->n_tokens + 1,
					   sizeof(uint32_t), err));
	MREN_TRY(mren_grow(env, &types->types, &types->types_capacity, 0, row->n_tokens * stride + 1,
					   sizeof(uint64_t), err));
	memset(types->starts, 0, (row->n_tokens + 1) * sizeof(uint32_t));
	for (size_t i = 0; i < n; i++)
	{
		MREN_TRY(mren_lexicon_match(lexicons[i], env, &types->folded, &types->matches, err));
		add_matches(lexicons[i], row, types, types->starts, stride);
		n_head += mention_types(lexicons[i], &types->folded, &row->head, types->head + n_head);
		n_tail += mention_types(lexicons[i], &types->folded, &row->tail, types->tail + n_tail);
	}
	close_gaps(types, row->n_tokens, stride);
	row->lexicon =
		(MrenFeatureLexicon){types->starts, types->types, types->head, n_head, types->tail, n_tail};
	return MREN_OK;
}

void
mren_lexicon_types_free(const MrenEnv *env, MrenLexiconTypes *types)
{
	mren_folded_free(env, &types->folded);
	mren_lexicon_matches_free(env, &types->matches);
	mren_release(env, types->starts);
	mren_release(env, types->types);
	memset(types, 0, sizeof(*types));
}
