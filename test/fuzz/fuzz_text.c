/*
 * fuzz_text.c
 *	  Any bytes as a sentence with two mentions.
 *
 * Five bytes say how the mentions are given; then come head, tail (where they
 * are text) and the sentence.  Checks that the fast tokenizer and ICU agree, and
 * every invariant of the encoded sentence.
 */
#include "fuzz.h"

#include <string.h>

#include "text/encode.h"
#include "text/word_shape.h"

#define N_HEADER 5

/* Half of all spellings are words, so that every fallback is walked. */
static MrenStatus
find_word(void *state, const char *word, size_t len, int32_t *id, MrenError *err)
{
	uint32_t sum = 5381;

	(void) state;
	(void) err;
	if (len == 0)
		abort();
	for (size_t i = 0; i < len; i++)
		sum = sum * 33 + (unsigned char) word[i];
	*id = sum & 1 ? (int32_t) (sum >> 8 & 0xFFFF) : -1;
	return MREN_OK;
}

static void
check_tokens(const MrenTokens *tokens, size_t len)
{
	for (size_t i = 0; i < tokens->n; i++)
	{
		MrenToken token = tokens->items[i];

		if (token.start >= token.end || token.char_start >= token.char_end || token.end > len)
			abort();
		if (i > 0 && (token.start < token.end - (token.end - token.start) ||
					  token.start < tokens->items[i - 1].end ||
					  token.char_start < tokens->items[i - 1].char_end))
			abort();
	}
}

static void
compare_tokens(MrenTokenizer *tokenizer, const MrenEnv *env, const char *text, size_t len)
{
	MrenTokens fast = {0};
	MrenTokens plain = {0};
	MrenError err;
	MrenStatus status = mren_tokenize(tokenizer, env, text, len, &fast, &err);

	if (mren_tokenize_reference(tokenizer, env, text, len, &plain, &err) != status)
		abort();
	/* Longer runs may be cut at the window. */
	if (status == MREN_OK && len < 4096 &&
		(fast.n != plain.n ||
		 (fast.n > 0 && memcmp(fast.items, plain.items, fast.n * sizeof(*fast.items)) != 0)))
		abort();
	if (status == MREN_OK)
		check_tokens(&fast, len);
	mren_tokens_free(env, &fast);
	mren_tokens_free(env, &plain);
}

static void
check_span(MrenSpan span, MrenToken place, const MrenEncoded *encoded)
{
	if (span.first >= span.end || span.end > encoded->sentence.n_words)
		abort();
	if (encoded->words[span.first].start < place.start ||
		encoded->words[span.end - 1].end > place.end)
		abort();
}

static void
check_encoded(const MrenEncoded *encoded)
{
	const MrenSentence *sentence = &encoded->sentence;

	if (sentence->starts[0] != 0 || sentence->starts[sentence->n_words] != sentence->n_pieces)
		abort();
	for (uint32_t w = 0; w < sentence->n_words; w++)
	{
		if (sentence->starts[w + 1] <= sentence->starts[w])
			abort();
		if (w > 0 && encoded->words[w].start < encoded->words[w - 1].end)
			abort();
	}
	for (uint32_t p = 0; p < sentence->n_pieces; p++)
	{
		if (sentence->pieces[p] < -MREN_N_SHAPES || sentence->pieces[p] > 0xFFFF)
			abort();
	}
	if (encoded->n_exact + encoded->n_fallback + encoded->n_unknown != sentence->n_words)
		abort();
	check_span(sentence->head, encoded->head, encoded);
	check_span(sentence->tail, encoded->tail, encoded);
}

static MrenMention
take_mention(const uint8_t **data, size_t *size, bool is_range, uint8_t a, uint8_t b)
{
	MrenMention mention = {.is_range = is_range, .lower = a, .upper = b};

	if (is_range)
		return mention;
	mention.len = a < *size ? a : *size;
	mention.text = (const char *) *data;
	*data += mention.len;
	*size -= mention.len;
	return mention;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const MrenVocabulary vocabulary = {NULL, find_word};
	const uint8_t *header = data;
	FuzzEnv fuzz;
	const MrenEnv *env = fuzz_env(&fuzz, (size_t) 64 << 20);
	MrenTokenizer *tokenizer;
	MrenEncoded encoded = {0};
	MrenMentionPair pair;
	MrenError err = {0};

	if (size < N_HEADER || mren_tokenizer_open(env, &tokenizer, &err) != MREN_OK)
		return 0;
	data += N_HEADER;
	size -= N_HEADER;
	pair.head = take_mention(&data, &size, header[0] & 1, header[1], header[2]);
	pair.tail = take_mention(&data, &size, header[0] & 2, header[3], header[4]);
	pair.text = (MrenTextSpan){(const char *) data, size};
	compare_tokens(tokenizer, env, (const char *) data, size);
	if (mren_encode(tokenizer, env, &vocabulary, &pair, &encoded, &err) == MREN_OK)
		check_encoded(&encoded);
	else if (strlen(err.message) == 0)
		abort();
	mren_encoded_free(env, &encoded);
	mren_tokenizer_close(tokenizer);
	fuzz_done(&fuzz);
	return 0;
}
