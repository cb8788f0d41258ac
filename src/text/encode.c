/*
 * encode.c
 *	  Text and mentions to numbered words: split, gather, look up.
 *
 * unit.c says which tokens are looked up together; a unit becomes one word, or
 * two when an apostrophe's ending is split off.
 */
#include "text/encode.h"

#include <string.h>

#include "text/clitic.h"
#include "text/word_shape.h"
#include "text/spelling.h"
#include "text/unit.h"
#include "base/utf8.h"

/* More parts of a word than these are left out. */
#define MAX_PARTS 16

/* One call's state. */
typedef struct Encoder
{
	const MrenEnv *env;
	const MrenVocabulary *vocabulary;
	const char *text;
	MrenEncoded *out;
	uint32_t n_words;
	uint32_t n_pieces;
	MrenError *err;
} Encoder;

/* ---- splitting at the mentions' borders ---- */

/*
 * The first mention border after byte `at` and before byte `end`; false if
 * there is none.
 */
static bool
border_inside(const MrenEncoded *out, uint32_t at, uint32_t end, uint32_t *byte, uint32_t *chars)
{
	const uint32_t bytes[] = {out->head.start, out->head.end, out->tail.start, out->tail.end};
	const uint32_t places[] = {out->head.char_start, out->head.char_end, out->tail.char_start,
							   out->tail.char_end};

	*byte = end;
	*chars = 0;
	for (size_t i = 0; i < 4; i++)
	{
		if (bytes[i] > at && bytes[i] < *byte)
		{
			*byte = bytes[i];
			*chars = places[i];
		}
	}
	return *byte < end;
}

static MrenStatus
split_tokens(Encoder *encoder)
{
	MrenEncoded *out = encoder->out;
	MrenTokens *split = &out->split;

	/* At most four borders: each can add one token. */
	MREN_TRY(mren_grow(encoder->env, &split->items, &split->capacity, 0, out->tokens.n + 4,
					   sizeof(*split->items), encoder->err));
	split->n = 0;
	for (size_t i = 0; i < out->tokens.n; i++)
	{
		MrenToken token = out->tokens.items[i];
		uint32_t byte;
		uint32_t chars;

		while (border_inside(out, token.start, token.end, &byte, &chars))
		{
			split->items[split->n++] = (MrenToken){token.start, byte, token.char_start, chars};
			token.start = byte;
			token.char_start = chars;
		}
		split->items[split->n++] = token;
		if (encoder->vocabulary->fetch != NULL)
			encoder->vocabulary->fetch(encoder->vocabulary->state, encoder->text + token.start,
									   token.end - token.start);
	}
	return MREN_OK;
}

/* ---- looking words up ---- */

static MrenStatus
add_piece(Encoder *encoder, int32_t piece)
{
	MrenEncoded *out = encoder->out;

	if (encoder->n_pieces == out->pieces_capacity)
		MREN_TRY(mren_grow(encoder->env, &out->pieces, &out->pieces_capacity, encoder->n_pieces,
						   (size_t) encoder->n_pieces + 1, sizeof(*out->pieces), encoder->err));
	out->pieces[encoder->n_pieces++] = piece;
	return MREN_OK;
}

/* The pieces added since the last word are the word at span. */
static MrenStatus
end_word(Encoder *encoder, MrenToken span, MrenSpelling how)
{
	MrenEncoded *out = encoder->out;
	uint32_t n = encoder->n_words;

	if (n + 2 > out->starts_capacity)
		MREN_TRY(mren_grow(encoder->env, &out->starts, &out->starts_capacity, n + 1, (size_t) n + 2,
						   sizeof(*out->starts), encoder->err));
	if (n == out->spans.capacity)
		MREN_TRY(mren_grow(encoder->env, &out->spans.items, &out->spans.capacity, n, (size_t) n + 1,
						   sizeof(*out->spans.items), encoder->err));
	out->starts[n + 1] = encoder->n_pieces;
	out->spans.items[n] = span;
	encoder->n_words = n + 1;
	out->n_exact += how == MREN_SPELLING_EXACT;
	out->n_fallback += how == MREN_SPELLING_FALLBACK;
	out->n_unknown += how == MREN_SPELLING_NONE;
	return n % 1024 == 1023 ? mren_check_interrupts(encoder->env, encoder->err) : MREN_OK;
}

/* Bytes at text[0] that separate the parts of an unknown word. */
static size_t
separator_length(const char *text, size_t len)
{
	size_t n = mren_hyphen_length(text, len);

	if (n == 0)
		n = mren_apostrophe_length(text, len);
	if (n == 0 && strchr("_.@#", text[0]) != NULL && text[0] != '\0')
		n = 1;
	return n;
}

/* The next part of a word from *at on; false when there is none. */
static bool
next_part(const char *word, size_t len, size_t *at, const char **part, size_t *part_len)
{
	size_t n;
	size_t end;

	while (*at < len && (n = separator_length(word + *at, len - *at)) > 0)
		*at += n;
	if (*at == len)
		return false;
	end = *at;
	while (end < len && separator_length(word + end, len - end) == 0)
		end++;
	*part = word + *at;
	*part_len = end - *at;
	*at = end;
	return true;
}

/* Whether a word has parts: numbers, initials and addresses have none. */
static bool
has_parts(MrenUnitKind kind, int shape, const char *word, size_t len)
{
	if (kind == MREN_UNIT_COMPOUND)
		return true;
	if (kind == MREN_UNIT_ADDRESS || len > MREN_MAX_WORD || shape == MREN_SHAPE_URL ||
		shape == MREN_SHAPE_NUMBER || shape == MREN_SHAPE_INITIALS || shape == MREN_SHAPE_CLITIC)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (separator_length(word + i, len - i) > 0)
			return true;
	}
	return false;
}

/* Adds a piece for each part that is known. */
static MrenStatus
add_known_parts(Encoder *encoder, const char *word, size_t len, size_t *n_known)
{
	const char *part;
	size_t part_len;
	size_t at = 0;

	*n_known = 0;
	for (size_t i = 0; i < MAX_PARTS && next_part(word, len, &at, &part, &part_len); i++)
	{
		int32_t id;

		MREN_TRY(
			mren_vocabulary_lookup(encoder->vocabulary, part, part_len, &id, NULL, encoder->err));
		if (id < 0)
			continue;
		MREN_TRY(add_piece(encoder, id));
		(*n_known)++;
	}
	return MREN_OK;
}

static MrenStatus
add_shapes_of_parts(Encoder *encoder, const char *word, size_t len)
{
	const char *part;
	size_t part_len;
	size_t at = 0;

	for (size_t i = 0; i < MAX_PARTS && next_part(word, len, &at, &part, &part_len); i++)
		MREN_TRY(add_piece(encoder, -1 - mren_word_shape(part, part_len)));
	return MREN_OK;
}

/* "U.S." -> "us": the letters alone, for vocabularies without full stops. */
static MrenStatus
look_up_initials(Encoder *encoder, const char *word, size_t len, int32_t *id)
{
	char letters[16];
	size_t n = 0;

	*id = -1;
	for (size_t i = 0; i < len; i++)
	{
		if (word[i] == '.')
			continue;
		if (n == sizeof(letters))
			return MREN_OK;
		letters[n++] = word[i];
	}
	return mren_vocabulary_lookup(encoder->vocabulary, letters, n, id, NULL, encoder->err);
}

/* A word that is not in the vocabulary as a whole. */
static MrenStatus
add_unknown(Encoder *encoder, MrenUnitKind kind, MrenToken span)
{
	const char *word = encoder->text + span.start;
	size_t len = span.end - span.start;
	int shape = mren_word_shape(word, len);
	size_t n_known = 0;
	int32_t id = -1;

	if (has_parts(kind, shape, word, len))
		MREN_TRY(add_known_parts(encoder, word, len, &n_known));
	else if (shape == MREN_SHAPE_INITIALS)
		MREN_TRY(look_up_initials(encoder, word, len, &id));
	if (n_known > 0)
		return end_word(encoder, span, MREN_SPELLING_FALLBACK);
	if (id >= 0)
	{
		MREN_TRY(add_piece(encoder, id));
		return end_word(encoder, span, MREN_SPELLING_FALLBACK);
	}
	if (kind == MREN_UNIT_COMPOUND && shape != MREN_SHAPE_HANDLE && shape != MREN_SHAPE_HASHTAG)
		MREN_TRY(add_shapes_of_parts(encoder, word, len));
	else
		MREN_TRY(add_piece(encoder, -1 - shape));
	return end_word(encoder, span, MREN_SPELLING_NONE);
}

/* Adds the word if the vocabulary has it; *known says so. */
static MrenStatus
add_if_known(Encoder *encoder, MrenToken span, bool *known)
{
	MrenSpelling how;
	int32_t id;

	MREN_TRY(mren_vocabulary_lookup(encoder->vocabulary, encoder->text + span.start,
									span.end - span.start, &id, &how, encoder->err));
	*known = id >= 0;
	if (!*known)
		return MREN_OK;
	MREN_TRY(add_piece(encoder, id));
	return end_word(encoder, span, how);
}

static MrenStatus
add_word(Encoder *encoder, MrenUnitKind kind, MrenToken span)
{
	bool known;

	MREN_TRY(add_if_known(encoder, span, &known));
	return known ? MREN_OK : add_unknown(encoder, kind, span);
}

/* An unknown unit, without its ending if that has an apostrophe. */
static MrenStatus
add_split(Encoder *encoder, MrenUnitKind kind, MrenToken span)
{
	const char *word = encoder->text + span.start;
	size_t len = span.end - span.start;
	size_t ending = kind == MREN_UNIT_ADDRESS ? 0 : mren_clitic_length(word, len);
	MrenToken stem = span;
	MrenToken clitic = span;

	if (ending == 0)
		return add_unknown(encoder, kind, span);
	stem.end = clitic.start = span.end - (uint32_t) ending;
	stem.char_end = clitic.char_start =
		span.char_end - (uint32_t) mren_utf8_length(word + len - ending, ending);
	MREN_TRY(add_word(encoder, kind, stem));
	return add_word(encoder, MREN_UNIT_PLAIN, clitic);
}

/* One unit at token i; *n_tokens is how many tokens it took. */
static MrenStatus
add_unit(Encoder *encoder, size_t i, size_t *n_tokens)
{
	const MrenToken *tokens = encoder->out->split.items;
	MrenUnit unit = mren_unit_gather(encoder->out, encoder->text, i);
	MrenToken span = tokens[i];
	bool known;

	for (;;)
	{
		span.end = tokens[i + unit.n_tokens - 1].end;
		span.char_end = tokens[i + unit.n_tokens - 1].char_end;
		*n_tokens = unit.n_tokens;
		MREN_TRY(add_if_known(encoder, span, &known));
		if (known)
			return MREN_OK;
		if (unit.kind != MREN_UNIT_IF_KNOWN)
			return add_split(encoder, unit.kind, span);
		/* "......" may still hold a known "...". */
		unit.n_tokens = unit.n_tokens > 3 ? 3 : unit.n_tokens - 1;
		if (unit.n_tokens == 1)
			unit.kind = MREN_UNIT_PLAIN;
	}
}

/* The words inside a mention: none crosses its borders. */
static MrenSpan
words_of(const Encoder *encoder, MrenToken place)
{
	const MrenToken *spans = encoder->out->spans.items;
	MrenSpan span = {0, 0};

	while (span.first < encoder->n_words && spans[span.first].end <= place.start)
		span.first++;
	span.end = span.first;
	while (span.end < encoder->n_words && spans[span.end].start < place.end)
		span.end++;
	return span;
}

static MrenStatus
start_words(Encoder *encoder)
{
	MrenEncoded *out = encoder->out;

	out->n_exact = out->n_fallback = out->n_unknown = 0;
	MREN_TRY(mren_grow(encoder->env, &out->starts, &out->starts_capacity, 0, 1,
					   sizeof(*out->starts), encoder->err));
	out->starts[0] = 0;
	return MREN_OK;
}

/* Whether the mentions share some of their text, but are not the same. */
static bool
mentions_overlap(const MrenToken *head, const MrenToken *tail)
{
	return head->start < tail->end && tail->start < head->end &&
		   (head->start != tail->start || head->end != tail->end);
}

/*
 * Of "Oslo University is in Oslo." the tail "Oslo" is the one that stands free,
 * and so for a head inside the tail.
 */
MrenStatus
mren_mentions_place(const MrenEnv *env, const MrenMentionPair *pair, const MrenTokens *tokens,
					MrenToken *head, MrenToken *tail, MrenError *err)
{
	MrenMention apart;

	MREN_TRY(mren_mention_find(env, "head", &pair->head, pair->text, tokens, head, err));
	MREN_TRY(mren_mention_find(env, "tail", &pair->tail, pair->text, tokens, tail, err));
	if (!mentions_overlap(head, tail))
		return MREN_OK;
	apart = pair->tail;
	apart.apart = head;
	MREN_TRY(mren_mention_find(env, "tail", &apart, pair->text, tokens, tail, err));
	if (!mentions_overlap(head, tail))
		return MREN_OK;
	apart = pair->head;
	apart.apart = tail;
	return mren_mention_find(env, "head", &apart, pair->text, tokens, head, err);
}

MrenStatus
mren_encode(MrenTokenizer *tokenizer, const MrenEnv *env, const MrenVocabulary *vocabulary,
			const MrenMentionPair *pair, MrenEncoded *out, MrenError *err)
{
	MrenTextSpan text = pair->text;
	Encoder encoder = {env, vocabulary, text.data, out, 0, 0, err};

	MREN_TRY(mren_tokenize(tokenizer, env, text.data, text.len, &out->tokens, err));
	MREN_TRY(mren_mentions_place(env, pair, &out->tokens, &out->head, &out->tail, err));
	MREN_TRY(split_tokens(&encoder));
	MREN_TRY(start_words(&encoder));
	for (size_t i = 0; i < out->split.n;)
	{
		size_t n_tokens;

		MREN_TRY(add_unit(&encoder, i, &n_tokens));
		i += n_tokens;
	}
	out->words = out->spans.items;
	out->spans.n = encoder.n_words;
	out->sentence = (MrenSentence){encoder.n_words,
								   encoder.n_pieces,
								   out->pieces,
								   out->starts,
								   words_of(&encoder, out->head),
								   words_of(&encoder, out->tail)};
	return MREN_OK;
}

void
mren_encoded_free(const MrenEnv *env, MrenEncoded *encoded)
{
	mren_tokens_free(env, &encoded->tokens);
	mren_tokens_free(env, &encoded->split);
	mren_tokens_free(env, &encoded->spans);
	mren_release(env, encoded->pieces);
	mren_release(env, encoded->starts);
	*encoded = (MrenEncoded){0};
}
