/*
 * pair_tokens.c
 *	  A pair as a pretrained text encoder reads it.
 */
#include "pg/predict/pair_tokens.h"

#include "utils/memutils.h"

#include "pg/support/pg_env.h"
#include "relation/marker/marker_tokens.h"
#include "transformer/config.h"

/* Buffers that a long text made larger than this are freed before the next row. */
#define KEEP_BYTES (1024 * 1024)

/* Those of the row at hand. */
static MemoryContext context;
static MrenPieces pieces;
static MrenMarkerTokenBuffer buffer;
static MrenPairTokens tokens;

static void
reset(void)
{
	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "mren tokens", ALLOCSET_DEFAULT_SIZES);
	if (MemoryContextMemAllocated(context, true) <= KEEP_BYTES)
		return;
	MemoryContextReset(context);
	memset(&pieces, 0, sizeof(pieces));
	memset(&buffer, 0, sizeof(buffer));
}

/* The code points at which tokens begin become the words in which they do. */
static void
chars_to_words(const MrenEncoded *row, uint32 n)
{
	uint32 word = 0;

	for (uint32 i = 0; i < n; i++)
	{
		if (buffer.chars[i] == UINT32_MAX)
			continue;
		while (word + 1 < row->sentence.n_words && row->words[word].char_end <= buffer.chars[i])
			word++;
		buffer.chars[i] = word;
	}
}

const MrenPairTokens *
mren_pair_tokens(const MrenOpenTokenizer *tokenizer, const MrenPair *pair, const MrenEncoded *row)
{
	MrenMarkerText text = {.tokenizer = tokenizer->tokenizer,
						   .pieces = &pieces,
						   .head = {row->head.char_start, row->head.char_end},
						   .tail = {row->tail.char_start, row->tail.char_end},
						   .max_tokens = mren_transformer_max_tokens(&tokenizer->config)};
	MrenEnv env;
	MrenError err;

	reset();
	env = mren_pg_env(context);
	MREN_PG_CALL(err, mren_subword_encode(&env, tokenizer->tokenizer, pair->sentence.data,
										  pair->sentence.len, 0, &pieces, &err));
	MREN_PG_CALL(err, mren_marker_tokens(&env, &text, &buffer, &tokens.tokens, &err));
	chars_to_words(row, tokens.tokens.n);
	tokens.words = buffer.chars;
	return &tokens;
}
