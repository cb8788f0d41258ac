/*
 * tag_words.c
 *	  The words of a text as a tagger reads them.
 *
 * The hashes are part of stored taggers: a template's number and what it
 * hashes never change, new ones are appended.
 */
#include "text/tag_words.h"

#include <string.h>

#include <unicode/uchar.h>

#include "base/hash.h"
#include "text/clitic.h"
#include "text/word_shape.h"
#include "text/spelling.h"
#include "base/utf8.h"

/* Seeds of the hashes. */
enum
{
	TEMPLATE_WORD,
	TEMPLATE_PATTERN,
	TEMPLATE_PREFIX,
	TEMPLATE_SUFFIX,
	TEMPLATE_TRIGRAM,
	TEMPLATE_FIRST,	   /* the first word's pattern */
	TEMPLATE_ALL_CAPS, /* a word's pattern where no word has a lower-case letter */
	/* In a text that has blanks before punctuation: */
	TEMPLATE_TOUCHES, /* the first character of the word that follows without a blank */
	TEMPLATE_TOUCHED, /* its own, of a word that so follows one */
};

#define MAX_CODES 64 /* characters of a word that features use */
#define MAX_AFFIX 4	 /* characters of a prefix or suffix */
#define MAX_TRIGRAMS 40

/* One call's state. */
typedef struct Maker
{
	const MrenEnv *env;
	const MrenVocabulary *vocabulary;
	const char *text;
	size_t len;
	const uint32_t *borders;
	size_t n_borders;
	size_t border; /* the first one not before the token at hand */
	MrenTagWords *out;
	MrenError *err;
} Maker;

/* ---- words ---- */

static MrenStatus
look_up(const Maker *maker, MrenToken span, int32_t *id)
{
	*id = -1;
	if (maker->vocabulary == NULL)
		return MREN_OK;
	return mren_vocabulary_lookup(maker->vocabulary, maker->text + span.start,
								  span.end - span.start, id, NULL, maker->err);
}

/* Grows all that has an element a word. */
static MrenStatus
reserve_word(Maker *maker)
{
	MrenTagWords *out = maker->out;
	const MrenEnv *env = maker->env;
	size_t n = out->n_words;

	MREN_TRY(mren_grow(env, &out->spans, &out->spans_capacity, n, n + 1, sizeof(*out->spans),
					   maker->err));
	MREN_TRY(mren_grow(env, &out->words, &out->words_capacity, n, n + 1, sizeof(*out->words),
					   maker->err));
	MREN_TRY(mren_grow(env, &out->shapes, &out->shapes_capacity, n, n + 1, sizeof(*out->shapes),
					   maker->err));
	return mren_grow(env, &out->starts, &out->starts_capacity, n + 1, n + 2, sizeof(*out->starts),
					 maker->err);
}

/* A word whose number in the vocabulary is id. */
static MrenStatus
add_known(Maker *maker, MrenToken span, int32_t id)
{
	MrenTagWords *out = maker->out;
	int shape = mren_word_shape(maker->text + span.start, span.end - span.start);

	MREN_TRY(reserve_word(maker));
	out->spans[out->n_words] = span;
	out->shapes[out->n_words] = (uint8_t) shape;
	out->words[out->n_words] = id >= 0 ? id : -1 - shape;
	out->n_words++;
	return out->n_words % 1024 == 0 ? mren_check_interrupts(maker->env, maker->err) : MREN_OK;
}

static MrenStatus
add_word(Maker *maker, MrenToken span)
{
	int32_t id;

	MREN_TRY(look_up(maker, span, &id));
	return add_known(maker, span, id);
}

/* The word, and its ending with an apostrophe, if it has one, as another. */
static MrenStatus
add_split(Maker *maker, MrenToken span)
{
	const char *word = maker->text + span.start;
	size_t len = span.end - span.start;
	size_t ending = mren_clitic_length(word, len);
	MrenToken stem = span;
	MrenToken clitic = span;

	if (ending == 0)
		return add_word(maker, span);
	stem.end = clitic.start = span.end - (uint32_t) ending;
	stem.char_end = clitic.char_start =
		span.char_end - (uint32_t) mren_utf8_length(word + len - ending, ending);
	MREN_TRY(add_word(maker, stem));
	return add_word(maker, clitic);
}

/* Whether there is a border at this byte. */
static bool
is_border(const Maker *maker, uint32_t at)
{
	for (size_t i = maker->border; i < maker->n_borders && maker->borders[i] <= at; i++)
	{
		if (maker->borders[i] == at)
			return true;
	}
	return false;
}

/* Whether these tokens touch, with no border between them. */
static bool
touch(const Maker *maker, MrenToken a, MrenToken b)
{
	return a.end == b.start && !is_border(maker, a.end);
}

static bool
is_stop(const Maker *maker, MrenToken token)
{
	return token.end == token.start + 1 && maker->text[token.start] == '.';
}

/* "U.S", "J": a full stop belongs to it even if the vocabulary lacks both together. */
static bool
is_initials(const Maker *maker, MrenToken token)
{
	const char *word = maker->text + token.start;
	size_t len = token.end - token.start;
	uint32_t code;
	size_t first = mren_utf8_decode(word, len, &code);

	if (first == len)
		return u_isupper((UChar32) code);
	return mren_word_shape(word, len) == MREN_SHAPE_INITIALS;
}

/* Whether the token begins with a letter or digit. */
static bool
is_wordlike(const Maker *maker, MrenToken token)
{
	uint32_t code;

	mren_utf8_decode(maker->text + token.start, token.end - token.start, &code);
	return u_isalnum((UChar32) code);
}

/*
 * The word that begins at tokens[i], of n; *used says how many tokens it took.
 */
static MrenStatus
add_tokens(Maker *maker, const MrenToken *tokens, size_t i, size_t n, size_t *used)
{
	MrenToken span = tokens[i];
	int32_t id;

	*used = 1;
	if (i + 1 == n || !touch(maker, span, tokens[i + 1]))
		return add_split(maker, span);
	span.end = tokens[i + 1].end;
	span.char_end = tokens[i + 1].char_end;
	if (is_stop(maker, tokens[i + 1]) && is_wordlike(maker, tokens[i]))
	{
		MREN_TRY(look_up(maker, span, &id));
		if (id >= 0 || is_initials(maker, tokens[i]))
		{
			*used = 2;
			return add_known(maker, span, id);
		}
	}
	else if (mren_apostrophe_length(maker->text + tokens[i].start,
									tokens[i].end - tokens[i].start) ==
				 tokens[i].end - tokens[i].start &&
			 mren_clitic_letters(maker->text + tokens[i + 1].start,
								 tokens[i + 1].end - tokens[i + 1].start))
	{
		*used = 2;
		return add_word(maker, span);
	}
	return add_split(maker, tokens[i]);
}

/* Cuts tokens at the borders inside them; the result is in out->tokens. */
static MrenStatus
cut_tokens(Maker *maker)
{
	MrenTokens *tokens = &maker->out->tokens;
	size_t n = tokens->n;
	size_t room = n + maker->n_borders;
	size_t border = maker->n_borders;
	size_t to = room;

	if (maker->n_borders == 0)
		return MREN_OK;
	MREN_TRY(mren_grow(maker->env, &tokens->items, &tokens->capacity, n, room,
					   sizeof(*tokens->items), maker->err));
	/* From the end on, so that nothing is overwritten before it is read. */
	for (size_t i = n; i > 0; i--)
	{
		MrenToken token = tokens->items[i - 1];

		while (border > 0 && maker->borders[border - 1] >= token.end)
			border--;
		while (border > 0 && maker->borders[border - 1] > token.start)
		{
			MrenToken rest = token;
			uint32_t at = maker->borders[--border];

			if (at >= token.end)
				continue;
			rest.start = at;
			rest.char_start = token.char_start + (uint32_t) mren_utf8_length(
													 maker->text + token.start, at - token.start);
			token.end = at;
			token.char_end = rest.char_start;
			tokens->items[--to] = rest;
		}
		tokens->items[--to] = token;
	}
	memmove(tokens->items, tokens->items + to, (room - to) * sizeof(*tokens->items));
	tokens->n = room - to;
	return MREN_OK;
}

static MrenStatus
make_words(Maker *maker)
{
	const MrenTokens *tokens = &maker->out->tokens;
	size_t used;

	for (size_t i = 0; i < tokens->n; i += used)
	{
		while (maker->border < maker->n_borders &&
			   maker->borders[maker->border] <= tokens->items[i].start)
			maker->border++;
		MREN_TRY(add_tokens(maker, tokens->items, i, tokens->n, &used));
	}
	return MREN_OK;
}

/* ---- features ---- */

/* Properties of a whole text. */
typedef struct TextStyle
{
	bool all_caps;
	bool set_off; /* punctuation has blanks before it, as in a text made of tokens */
} TextStyle;

static void
add_feature(MrenTagWords *out, const uint32_t *codes, size_t n, uint64_t template)
{
	out->features[out->n_features++] = (uint32_t) mren_hash64(codes, n * sizeof(*codes), template);
}

/* The first MAX_CODES characters, as written and in lower case. */
static size_t
read_codes(const char *word, size_t len, uint32_t *codes, uint32_t *lower)
{
	size_t n = 0;

	for (size_t at = 0; at < len && n < MAX_CODES; n++)
	{
		at += mren_utf8_decode(word + at, len - at, &codes[n]);
		lower[n] = (uint32_t) u_tolower((UChar32) codes[n]);
	}
	return n;
}

/*
 * The word's characters by class, runs cut to two: "Xxx" for Paris, "XX" for
 * USA, "X.X." for U.S., "dd" for 1994.
 */
static size_t
make_pattern(const uint32_t *codes, size_t n, uint32_t *pattern)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
	{
		UChar32 code = (UChar32) codes[i];
		uint32_t class = u_isupper(code)   ? 'X'
						 : u_islower(code) ? 'x'
						 : u_isdigit(code) ? 'd'
						 : u_isalpha(code) ? 'a'
						 : codes[i] < 0x80 ? codes[i]
										   : '~';

		if (len < 2 || pattern[len - 1] != class || pattern[len - 2] != class)
			pattern[len++] = class;
	}
	return len;
}

static void
add_affixes(MrenTagWords *out, const uint32_t *codes, size_t n)
{
	for (size_t i = 1; i <= MAX_AFFIX && i <= n; i++)
		add_feature(out, codes, i, TEMPLATE_PREFIX);
	for (size_t i = 1; i <= MAX_AFFIX && i <= n; i++)
		add_feature(out, codes + n - i, i, TEMPLATE_SUFFIX);
}

/* Of "^word$" in lower case; ^ and $ are no characters of any text. */
static void
add_trigrams(MrenTagWords *out, const uint32_t *lower, size_t n)
{
	uint32_t marked[MAX_CODES + 2];

	marked[0] = UINT32_MAX;
	memcpy(marked + 1, lower, n * sizeof(*lower));
	marked[n + 1] = UINT32_MAX - 1;
	for (size_t i = 0; i + 3 <= n + 2 && i < MAX_TRIGRAMS; i++)
		add_feature(out, marked + i, 3, TEMPLATE_TRIGRAM);
}

/* Whether word w is directly after the one before it. */
static bool
is_joined(const MrenTagWords *out, size_t w)
{
	return w > 0 && w < out->n_words && out->spans[w].start == out->spans[w - 1].end;
}

/*
 * Where a text is made of tokens with blanks between, what touches is one token:
 * "in Baker." has no full stop of its own.  Elsewhere a full stop touches whatever
 * ends the sentence, which says nothing.
 */
static void
add_joints(Maker *maker, size_t w)
{
	MrenTagWords *out = maker->out;
	uint32_t code;

	if (is_joined(out, w + 1))
	{
		mren_utf8_decode(maker->text + out->spans[w + 1].start,
						 out->spans[w + 1].end - out->spans[w + 1].start, &code);
		add_feature(out, &code, 1, TEMPLATE_TOUCHES);
	}
	if (is_joined(out, w))
	{
		mren_utf8_decode(maker->text + out->spans[w].start, out->spans[w].end - out->spans[w].start,
						 &code);
		add_feature(out, &code, 1, TEMPLATE_TOUCHED);
	}
}

static MrenStatus
add_features(Maker *maker, size_t w, TextStyle style)
{
	MrenTagWords *out = maker->out;
	const MrenToken *span = &out->spans[w];
	uint32_t codes[MAX_CODES];
	uint32_t lower[MAX_CODES];
	uint32_t pattern[MAX_CODES];
	size_t n = read_codes(maker->text + span->start, span->end - span->start, codes, lower);
	size_t n_pattern = make_pattern(codes, n, pattern);

	MREN_TRY(mren_grow(maker->env, &out->features, &out->features_capacity, out->n_features,
					   out->n_features + MREN_TAG_WORD_FEATURES, sizeof(*out->features),
					   maker->err));
	add_feature(out, lower, n, TEMPLATE_WORD);
	add_feature(out, pattern, n_pattern, TEMPLATE_PATTERN);
	add_affixes(out, codes, n);
	add_trigrams(out, lower, n);
	if (w == 0)
		add_feature(out, pattern, n_pattern, TEMPLATE_FIRST);
	if (style.all_caps)
		add_feature(out, pattern, n_pattern, TEMPLATE_ALL_CAPS);
	if (style.set_off)
		add_joints(maker, w);
	out->starts[w + 1] = (uint32_t) out->n_features;
	return w % 1024 == 1023 ? mren_check_interrupts(maker->env, maker->err) : MREN_OK;
}

/* Whether the text has capitals and no lower-case letter: case then says little. */
static bool
is_all_caps(const char *text, size_t len)
{
	bool upper = false;
	uint32_t code;

	for (size_t at = 0; at < len;)
	{
		at += mren_utf8_decode(text + at, len - at, &code);
		if (u_islower((UChar32) code))
			return false;
		upper = upper || u_isupper((UChar32) code);
	}
	return upper;
}

/* Whether a comma, full stop or closing bracket has a blank before it. */
static bool
is_set_off(const Maker *maker)
{
	const MrenTagWords *out = maker->out;

	for (size_t w = 1; w < out->n_words; w++)
	{
		MrenToken span = out->spans[w];

		if (span.end == span.start + 1 && !is_joined(out, w) &&
			strchr(",.)", maker->text[span.start]) != NULL)
			return true;
	}
	return false;
}

static MrenStatus
make_features(Maker *maker)
{
	MrenTagWords *out = maker->out;
	TextStyle style = {is_all_caps(maker->text, maker->len), is_set_off(maker)};

	for (size_t w = 0; w < out->n_words; w++)
		MREN_TRY(add_features(maker, w, style));
	return MREN_OK;
}

MrenStatus
mren_tag_words(MrenTokenizer *tokenizer, const MrenEnv *env, const MrenVocabulary *vocabulary,
			   const MrenTagText *text, MrenTagWords *out, MrenError *err)
{
	Maker maker = {.env = env,
				   .vocabulary = vocabulary,
				   .text = text->text.data,
				   .len = text->text.len,
				   .borders = text->borders,
				   .n_borders = text->n_borders,
				   .out = out,
				   .err = err};

	out->n_words = out->n_features = 0;
	MREN_TRY(mren_grow(env, &out->starts, &out->starts_capacity, 0, 1, sizeof(*out->starts), err));
	out->starts[0] = 0;
	MREN_TRY(mren_tokenize(tokenizer, env, maker.text, maker.len, &out->tokens, err));
	MREN_TRY(cut_tokens(&maker));
	MREN_TRY(make_words(&maker));
	return make_features(&maker);
}

void
mren_tag_words_free(const MrenEnv *env, MrenTagWords *words)
{
	mren_tokens_free(env, &words->tokens);
	mren_release(env, words->spans);
	mren_release(env, words->words);
	mren_release(env, words->shapes);
	mren_release(env, words->starts);
	mren_release(env, words->features);
	*words = (MrenTagWords){0};
}
