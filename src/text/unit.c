/*
 * unit.c
 *	  Compounds, addresses, abbreviations, handles: which tokens are one unit.
 */
#include "text/unit.h"

#include <string.h>

#include <unicode/uchar.h>

#include "text/clitic.h"
#include "base/utf8.h"

/* More tokens than this are no compound: the rest is another word. */
#define MAX_JOINED 15

/* The sentence: its tokens, split at the mentions' borders, and their text. */
typedef struct Source
{
	const MrenEncoded *out;
	const char *text;
} Source;

static bool
is_mention_border(const MrenEncoded *out, uint32_t at)
{
	return at == out->head.start || at == out->head.end || at == out->tail.start ||
		   at == out->tail.end;
}

/* Whether token i touches the one before it, in the same mention or outside. */
static inline bool
touches(const MrenEncoded *out, size_t i)
{
	const MrenToken *tokens = out->split.items;

	return i < out->split.n && tokens[i].start == tokens[i - 1].end &&
		   !is_mention_border(out, tokens[i].start);
}

static bool
token_is(const Source *source, size_t i, const char *want)
{
	MrenToken token = source->out->split.items[i];
	size_t n = strlen(want);

	return token.end - token.start == n && mren_ascii_equals(source->text + token.start, want, n);
}

/* Whether token i begins with a letter or a digit. */
static bool
is_word(const Source *source, size_t i)
{
	MrenToken token = source->out->split.items[i];
	unsigned char c = (unsigned char) source->text[token.start];
	uint32_t code = 0;

	if (c < 0x80)
		return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
	mren_utf8_decode(source->text + token.start, token.end - token.start, &code);
	return u_isalnum((UChar32) code);
}

size_t
mren_hyphen_length(const char *text, size_t len)
{
	if (len >= 1 && text[0] == '-')
		return 1;
	if (len >= 3 && memcmp(text, "\xE2\x80", 2) == 0 && (text[2] == '\x90' || text[2] == '\x91'))
		return 3;
	return 0;
}

static bool
is_hyphen(const Source *source, size_t i)
{
	MrenToken token = source->out->split.items[i];
	size_t len = token.end - token.start;

	return mren_hyphen_length(source->text + token.start, len) == len;
}

/* "http" + ":" + "/" + "/", or a token that begins with "www.". */
static bool
begins_address(const Source *source, size_t i)
{
	const MrenEncoded *out = source->out;
	MrenToken token = out->split.items[i];

	if (token.end - token.start > 4 && mren_ascii_equals(source->text + token.start, "www.", 4))
		return true;
	if (!token_is(source, i, "http") && !token_is(source, i, "https"))
		return false;
	return touches(out, i + 1) && touches(out, i + 2) && touches(out, i + 3) &&
		   token_is(source, i + 1, ":") && token_is(source, i + 2, "/") &&
		   token_is(source, i + 3, "/");
}

/* All that touches, but for punctuation at the end, which is the sentence's. */
static MrenUnit
gather_address(const Source *source, size_t i)
{
	const MrenEncoded *out = source->out;
	size_t end = i + 1;

	while (touches(out, end))
		end++;
	while (end > i + 1)
	{
		MrenToken token = out->split.items[end - 1];

		if (token.end - token.start != 1 || strchr(".,;:!?)\"'", source->text[token.start]) == NULL)
			break;
		end--;
	}
	return (MrenUnit){MREN_UNIT_ADDRESS, end - i};
}

/* A run of the same ASCII punctuation character, longest first. */
static MrenUnit
gather_run(const Source *source, size_t i)
{
	const MrenEncoded *out = source->out;
	char c = source->text[out->split.items[i].start];
	size_t n = 1;

	if (strchr(".-!?`'", c) == NULL || c == '\0')
		return (MrenUnit){MREN_UNIT_PLAIN, 1};
	while (n < MAX_JOINED && touches(out, i + n) &&
		   out->split.items[i + n].end - out->split.items[i + n].start == 1 &&
		   source->text[out->split.items[i + n].start] == c)
		n++;
	return (MrenUnit){n > 1 ? MREN_UNIT_IF_KNOWN : MREN_UNIT_PLAIN, n};
}

/*
 * A token that a full stop may belong to: "U.S", an initial, or a short
 * capitalized word such as "Mr", "Corp".
 */
static bool
may_be_abbreviation(const Source *source, size_t i)
{
	MrenToken token = source->out->split.items[i];
	const char *word = source->text + token.start;
	size_t len = token.end - token.start;

	return memchr(word, '.', len) != NULL || len == 1 ||
		   (len <= 4 && word[0] >= 'A' && word[0] <= 'Z');
}

/*
 * The end of the word whose last token is before `end`: an "@" between letters
 * joins them.  ICU 72 has it as a letter, but ICU 76 as a token of its own.
 */
static size_t
join_at_signs(const Source *source, size_t end)
{
	while (touches(source->out, end) && token_is(source, end, "@") &&
		   touches(source->out, end + 1) && is_word(source, end + 1))
		end += 2;
	return end;
}

static MrenUnit
gather_word(const Source *source, size_t i)
{
	const MrenEncoded *out = source->out;
	size_t first;
	size_t n;

	if (begins_address(source, i))
		return gather_address(source, i);
	first = n = join_at_signs(source, i + 1) - i;
	while (n + 2 <= MAX_JOINED && touches(out, i + n) && is_hyphen(source, i + n) &&
		   touches(out, i + n + 1) && is_word(source, i + n + 1))
		n = join_at_signs(source, i + n + 2) - i;
	if (n > first)
		return (MrenUnit){MREN_UNIT_COMPOUND, n};
	if (n > 1)
		return (MrenUnit){MREN_UNIT_PLAIN, n};
	if (touches(out, i + 1) && token_is(source, i + 1, ".") && may_be_abbreviation(source, i))
		return (MrenUnit){MREN_UNIT_IF_KNOWN, 2};
	return (MrenUnit){MREN_UNIT_PLAIN, 1};
}

/*
 * Whether an apostrophe at token i and the next token are a clitic that stands
 * alone, as text that was split before has it: "Cosby 's".
 */
static bool
is_lone_clitic(const Source *source, size_t i)
{
	const MrenToken *tokens = source->out->split.items;
	size_t n = tokens[i].end - tokens[i].start;

	return mren_apostrophe_length(source->text + tokens[i].start, n) == n &&
		   !touches(source->out, i + 2) &&
		   mren_clitic_letters(source->text + tokens[i + 1].start,
							   tokens[i + 1].end - tokens[i + 1].start);
}

MrenUnit
mren_unit_gather(const MrenEncoded *out, const char *text, size_t i)
{
	const Source whole = {out, text};
	const Source *source = &whole;

	if (!touches(out, i + 1))
		return (MrenUnit){MREN_UNIT_PLAIN, 1};
	if (is_word(source, i))
		return gather_word(source, i);
	if ((token_is(source, i, "@") || token_is(source, i, "#")) && is_word(source, i + 1) &&
		!(i > 0 && touches(out, i)))
		return (MrenUnit){MREN_UNIT_COMPOUND, 2};
	if (is_lone_clitic(source, i))
		return (MrenUnit){MREN_UNIT_PLAIN, 2};
	return gather_run(source, i);
}
