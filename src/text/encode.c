/*
 * encode.c
 *	  Text and mentions to numbered words: split, gather, look up.
 *
 * A "unit" is a run of adjacent tokens that is looked up as a whole before
 * anything else is tried; it becomes one word, or two when an apostrophe's
 * ending is split off.
 */
#include "text/encode.h"

#include <string.h>
#include <strings.h>

#include <unicode/uchar.h>

#include "text/clitic.h"
#include "text/shape.h"
#include "text/spelling.h"
#include "text/utf8.h"

/* More tokens than this are no compound: the rest is another word. */
#define MAX_JOINED 15
#define MAX_PARTS 16

typedef enum UnitKind
{
	UNIT_PLAIN,	   /* one token */
	UNIT_COMPOUND, /* one word, by its parts if the whole is unknown */
	UNIT_ADDRESS,  /* one word, by its shape if the whole is unknown */
	UNIT_IF_KNOWN, /* one word only if the whole is known, else its first token */
} UnitKind;

typedef struct Unit
{
	UnitKind kind;
	size_t n_tokens;
} Unit;

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

static bool
is_mention_border(const MrenEncoded *out, uint32_t at)
{
	return at == out->head.start || at == out->head.end || at == out->tail.start ||
		   at == out->tail.end;
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
	}
	return MREN_OK;
}

/* ---- gathering tokens into units ---- */

/* Whether token i touches the one before it, in the same mention or outside. */
static inline bool
touches(const MrenEncoded *out, size_t i)
{
	const MrenToken *tokens = out->split.items;

	return i < out->split.n && tokens[i].start == tokens[i - 1].end &&
		   !is_mention_border(out, tokens[i].start);
}

static bool
token_is(const Encoder *encoder, size_t i, const char *want)
{
	MrenToken token = encoder->out->split.items[i];
	size_t n = strlen(want);

	return token.end - token.start == n && strncasecmp(encoder->text + token.start, want, n) == 0;
}

/* Whether token i begins with a letter or a digit. */
static bool
is_word(const Encoder *encoder, size_t i)
{
	MrenToken token = encoder->out->split.items[i];
	unsigned char c = (unsigned char) encoder->text[token.start];
	uint32_t code = 0;

	if (c < 0x80)
		return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
	mren_utf8_decode(encoder->text + token.start, token.end - token.start, &code);
	return u_isalnum((UChar32) code);
}

/* Bytes of the hyphen at text[0]: "-", U+2010, U+2011; 0 if there is none. */
static size_t
hyphen_length(const char *text, size_t len)
{
	if (len >= 1 && text[0] == '-')
		return 1;
	if (len >= 3 && memcmp(text, "\xE2\x80", 2) == 0 && (text[2] == '\x90' || text[2] == '\x91'))
		return 3;
	return 0;
}

static bool
is_hyphen(const Encoder *encoder, size_t i)
{
	MrenToken token = encoder->out->split.items[i];
	size_t len = token.end - token.start;

	return hyphen_length(encoder->text + token.start, len) == len;
}

/* "http" + ":" + "/" + "/", or a token that begins with "www.". */
static bool
begins_address(const Encoder *encoder, size_t i)
{
	const MrenEncoded *out = encoder->out;
	MrenToken token = out->split.items[i];

	if (token.end - token.start > 4 && strncasecmp(encoder->text + token.start, "www.", 4) == 0)
		return true;
	if (!token_is(encoder, i, "http") && !token_is(encoder, i, "https"))
		return false;
	return touches(out, i + 1) && touches(out, i + 2) && touches(out, i + 3) &&
		   token_is(encoder, i + 1, ":") && token_is(encoder, i + 2, "/") &&
		   token_is(encoder, i + 3, "/");
}

/* All that touches, but for punctuation at the end, which is the sentence's. */
static Unit
gather_address(const Encoder *encoder, size_t i)
{
	const MrenEncoded *out = encoder->out;
	size_t end = i + 1;

	while (touches(out, end))
		end++;
	while (end > i + 1)
	{
		MrenToken token = out->split.items[end - 1];

		if (token.end - token.start != 1 ||
			strchr(".,;:!?)\"'", encoder->text[token.start]) == NULL)
			break;
		end--;
	}
	return (Unit){UNIT_ADDRESS, end - i};
}

/* A run of the same ASCII punctuation character, longest first. */
static Unit
gather_run(const Encoder *encoder, size_t i)
{
	const MrenEncoded *out = encoder->out;
	char c = encoder->text[out->split.items[i].start];
	size_t n = 1;

	if (strchr(".-!?`'", c) == NULL || c == '\0')
		return (Unit){UNIT_PLAIN, 1};
	while (n < MAX_JOINED && touches(out, i + n) &&
		   out->split.items[i + n].end - out->split.items[i + n].start == 1 &&
		   encoder->text[out->split.items[i + n].start] == c)
		n++;
	return (Unit){n > 1 ? UNIT_IF_KNOWN : UNIT_PLAIN, n};
}

/*
 * A token that a full stop may belong to: "U.S", an initial, or a short
 * capitalised word such as "Mr", "Corp".
 */
static bool
may_be_abbreviation(const Encoder *encoder, size_t i)
{
	MrenToken token = encoder->out->split.items[i];
	const char *word = encoder->text + token.start;
	size_t len = token.end - token.start;

	return memchr(word, '.', len) != NULL || len == 1 ||
		   (len <= 4 && word[0] >= 'A' && word[0] <= 'Z');
}

static Unit
gather_word(const Encoder *encoder, size_t i)
{
	const MrenEncoded *out = encoder->out;
	size_t n = 1;

	if (begins_address(encoder, i))
		return gather_address(encoder, i);
	while (n + 2 <= MAX_JOINED && touches(out, i + n) && is_hyphen(encoder, i + n) &&
		   touches(out, i + n + 1) && is_word(encoder, i + n + 1))
		n += 2;
	if (n > 1)
		return (Unit){UNIT_COMPOUND, n};
	if (touches(out, i + 1) && token_is(encoder, i + 1, ".") && may_be_abbreviation(encoder, i))
		return (Unit){UNIT_IF_KNOWN, 2};
	return (Unit){UNIT_PLAIN, 1};
}

/* What begins at token i. */
static Unit
gather(const Encoder *encoder, size_t i)
{
	const MrenEncoded *out = encoder->out;

	if (!touches(out, i + 1))
		return (Unit){UNIT_PLAIN, 1};
	if (is_word(encoder, i))
		return gather_word(encoder, i);
	if ((token_is(encoder, i, "@") || token_is(encoder, i, "#")) && is_word(encoder, i + 1) &&
		!(i > 0 && touches(out, i)))
		return (Unit){UNIT_COMPOUND, 2};
	return gather_run(encoder, i);
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
	return n % 1024 == 1023 ? mren_check(encoder->env, encoder->err) : MREN_OK;
}

/* Bytes at text[0] that separate the parts of an unknown word. */
static size_t
separator_length(const char *text, size_t len)
{
	size_t n = hyphen_length(text, len);

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
has_parts(UnitKind kind, int shape, const char *word, size_t len)
{
	if (kind == UNIT_COMPOUND)
		return true;
	if (kind == UNIT_ADDRESS || len > MREN_MAX_WORD || shape == MREN_SHAPE_URL ||
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
add_unknown(Encoder *encoder, UnitKind kind, MrenToken span)
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
	if (kind == UNIT_COMPOUND && shape != MREN_SHAPE_HANDLE && shape != MREN_SHAPE_HASHTAG)
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
add_word(Encoder *encoder, UnitKind kind, MrenToken span)
{
	bool known;

	MREN_TRY(add_if_known(encoder, span, &known));
	return known ? MREN_OK : add_unknown(encoder, kind, span);
}

/* An unknown unit, without its ending if that has an apostrophe. */
static MrenStatus
add_split(Encoder *encoder, UnitKind kind, MrenToken span)
{
	const char *word = encoder->text + span.start;
	size_t len = span.end - span.start;
	size_t ending = kind == UNIT_ADDRESS ? 0 : mren_clitic_length(word, len);
	MrenToken stem = span;
	MrenToken clitic = span;

	if (ending == 0)
		return add_unknown(encoder, kind, span);
	stem.end = clitic.start = span.end - (uint32_t) ending;
	stem.char_end = clitic.char_start =
		span.char_end - (uint32_t) mren_utf8_length(word + len - ending, ending);
	MREN_TRY(add_word(encoder, kind, stem));
	return add_word(encoder, UNIT_PLAIN, clitic);
}

/* One unit at token i; *n_tokens is how many tokens it took. */
static MrenStatus
add_unit(Encoder *encoder, size_t i, size_t *n_tokens)
{
	const MrenToken *tokens = encoder->out->split.items;
	Unit unit = gather(encoder, i);
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
		if (unit.kind != UNIT_IF_KNOWN)
			return add_split(encoder, unit.kind, span);
		/* "......" may still hold a known "...". */
		unit.n_tokens = unit.n_tokens > 3 ? 3 : unit.n_tokens - 1;
		if (unit.n_tokens == 1)
			unit.kind = UNIT_PLAIN;
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

MrenStatus
mren_encode(MrenTokenizer *tokenizer, const MrenEnv *env, const MrenVocabulary *vocabulary,
			const char *text, size_t len, const MrenMention *head, const MrenMention *tail,
			MrenEncoded *out, MrenError *err)
{
	Encoder encoder = {env, vocabulary, text, out, 0, 0, err};

	MREN_TRY(mren_tokenize(tokenizer, env, text, len, &out->tokens, err));
	MREN_TRY(mren_mention_find(env, "head", head, text, len, &out->tokens, &out->head, err));
	MREN_TRY(mren_mention_find(env, "tail", tail, text, len, &out->tokens, &out->tail, err));
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
