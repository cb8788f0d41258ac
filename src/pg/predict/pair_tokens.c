/*
 * pair_tokens.c
 *	  A pair as a pretrained text encoder reads it.
 *
 * The pieces of the last sentence are kept, since the pairs of a sentence follow each other.
 */
#include "pg/predict/pair_tokens.h"

#include "utils/memutils.h"

#include "base/buffer.h"
#include "pg/support/pg_env.h"
#include "relation/marker/marker_tokens.h"
#include "transformer/config.h"

/* Buffers that a long text made larger than this are freed before the next row. */
#define KEEP_BYTES (1024 * 1024)

/* The last sentence, the number of the tokenizer that cut it (0: none), and its pieces. */
static MemoryContext context;
static MrenBuffer known;
static uint64 reader;
static MrenPieces pieces;

/* Those of the row at hand. */
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
	memset(&known, 0, sizeof(known));
	memset(&pieces, 0, sizeof(pieces));
	memset(&buffer, 0, sizeof(buffer));
}

/* Cuts the sentence into pieces, unless they are at hand. */
static void
cut(const MrenOpenTokenizer *tokenizer, MrenTextSpan sentence)
{
	MrenEnv env;
	MrenError err;

	if (reader == tokenizer->number && known.len == sentence.len &&
		memcmp(known.data, sentence.data, sentence.len) == 0)
		return;
	reader = 0;
	reset();
	env = mren_pg_env(context);
	known.len = 0;
	MREN_PG_CALL(err, mren_buffer_append(&env, &known, sentence.data, sentence.len, &err));
	MREN_PG_CALL(err, mren_subword_encode(&env, tokenizer->tokenizer, sentence.data, sentence.len,
										  0, &pieces, &err));
	reader = tokenizer->number;
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
mren_pair_tokens(const MrenOpenTokenizer *tokenizer, const MrenPair *pair, const MrenEncoded *row,
				 bool solid_markers)
{
	MrenMarkerText marked = {.tokenizer = tokenizer->tokenizer,
							 .pieces = &pieces,
							 .head = {row->head.char_start, row->head.char_end},
							 .tail = {row->tail.char_start, row->tail.char_end},
							 .max_tokens = mren_transformer_max_tokens(&tokenizer->config)};
	MrenEnv env;
	MrenError err;

	if (solid_markers)
		marked.max_tokens -= Min(marked.max_tokens, MREN_N_MARKS);
	cut(tokenizer, pair->sentence);
	env = mren_pg_env(context);
	MREN_PG_CALL(err, mren_marker_tokens(&env, &marked, &buffer, &tokens.tokens, &err));
	chars_to_words(row, tokens.tokens.n);
	tokens.words = buffer.chars;
	return &tokens;
}
