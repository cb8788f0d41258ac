/*
 * mention.c
 *	  Finding mentions, and saying exactly why one is not found.
 */
#include "text/mention.h"

#include <string.h>

#include <unicode/uchar.h>

#include "base/utf8.h"
#include "text/border.h"
#include "text/clitic.h"
#include "text/icu.h"
#include "text/name.h"
#include "text/near_miss.h"

/* How much of a text is searched for a near miss that a message can name. */
#define NEAR_MISS_TEXT 65536
#define NEAR_MISS_MENTION 1000
/* Stretches of tokens that are compared with it in the form of names. */
#define NEAR_MISS_TRIES 50000

/* What a search needs at every step. */
typedef struct Search
{
	const MrenEnv *env;
	const char *role;
	const char *text;
	size_t len;
	const MrenTokens *tokens;
	const char *want; /* the mention, trimmed */
	size_t want_len;
	const MrenToken *apart; /* the place of the other mention, or NULL */
	MrenError *err;
} Search;

static bool
is_white(uint32_t code)
{
	return u_isUWhiteSpace((UChar32) code);
}

/* Whether a mention may begin, or end, at byte `at` of the text. */
static bool
is_border(const Search *search, size_t at)
{
	return mren_is_border((MrenTextSpan){search->text, (uint32_t) search->len}, search->tokens, at);
}

/* Characters before byte `at`, counted from the nearest token. */
static uint32_t
char_at(const Search *search, size_t at)
{
	size_t number = mren_token_before(search->tokens, at);
	MrenToken token = {0};

	if (number < search->tokens->n)
		token = search->tokens->items[number];
	return token.char_start +
		   (uint32_t) mren_utf8_length(search->text + token.start, at - token.start);
}

/*
 * The first occurrence from byte `from` on; NULL when there is none.  memmem is
 * linear and fast, so one call needs no interruption.
 */
static const char *
next_occurrence(const Search *search, size_t from)
{
	return memmem(search->text + from, search->len - from, search->want, search->want_len);
}

/*
 * Where the next try may begin after an occurrence at byte `at` failed: the
 * next byte inside a token with soft borders, else the next token.
 */
static size_t
next_start(const Search *search, size_t at)
{
	size_t number = mren_token_before(search->tokens, at);
	MrenToken token;

	if (number == search->tokens->n)
		return at + 1;
	token = search->tokens->items[number];
	if (at + 1 >= token.end)
		return at + 1;
	/* An ASCII token has but one soft border, near its end. */
	if (token.end - token.start == token.char_end - token.char_start && token.end - at > 8)
		return token.end - 8;
	return at + 1;
}

static bool
is_free(const Search *search, size_t at)
{
	return search->apart == NULL || at >= search->apart->end ||
		   at + search->want_len <= search->apart->start;
}

/* The first occurrence that is free, or else the first one. */
static MrenStatus
find_text(const Search *search, MrenToken *place, bool *found)
{
	size_t from = 0;
	unsigned tries = 0;

	*found = false;
	while (from < search->len)
	{
		const char *match = next_occurrence(search, from);
		size_t at;

		if (match == NULL)
			break;
		at = (size_t) (match - search->text);
		if ((!*found || is_free(search, at)) && is_border(search, at) &&
			is_border(search, at + search->want_len))
		{
			place->start = (uint32_t) at;
			place->end = (uint32_t) (at + search->want_len);
			place->char_start = char_at(search, at);
			place->char_end =
				place->char_start + (uint32_t) mren_utf8_length(search->want, search->want_len);
			*found = true;
			if (is_free(search, at))
				break;
		}
		if (++tries % 64 == 0 || search->want_len > NEAR_MISS_MENTION)
			MREN_TRY(mren_check_interrupts(search->env, search->err));
		from = next_start(search, at);
	}
	return MREN_OK;
}

/* '[3,5)', '(,7]' or 'empty', as an untyped literal of a range looks. */
static bool
looks_like_range(const char *text, size_t len)
{
	if (len < 3 || (text[0] != '[' && text[0] != '(') ||
		(text[len - 1] != ']' && text[len - 1] != ')'))
		return false;
	if (memchr(text, ',', len) == NULL)
		return false;
	for (size_t i = 1; i + 1 < len; i++)
	{
		if (text[i] == '\0' || strchr("0123456789,- +", text[i]) == NULL)
			return false;
	}
	return true;
}

/* Bytes of text that equal the mention but for case, 0 when they do not. */
static size_t
match_folded(const Search *search, size_t at)
{
	size_t start = at;
	size_t used = 0;

	while (used < search->want_len)
	{
		uint32_t here = 0;
		uint32_t there = 0;

		if (at == search->len)
			return 0;
		at += mren_utf8_decode(search->text + at, search->len - at, &here);
		used += mren_utf8_decode(search->want + used, search->want_len - used, &there);
		if (here != there && u_foldCase((UChar32) here, U_FOLD_CASE_DEFAULT) !=
								 u_foldCase((UChar32) there, U_FOLD_CASE_DEFAULT))
			return 0;
	}
	return at - start;
}

static bool
explain_case(const Search *search)
{
	if (search->len > NEAR_MISS_TEXT || search->want_len > NEAR_MISS_MENTION)
		return false;
	for (size_t i = 0; i < search->tokens->n; i++)
	{
		size_t at = search->tokens->items[i].start;
		size_t n = match_folded(search, at);

		if (n > 0 && is_border(search, at + n))
		{
			mren_error_detail(search->err, "The sentence has \"%s\".",
							  mren_utf8_excerpt(search->text + at, n).text);
			mren_error_hint(search->err, "Upper and lower case must agree.");
			return true;
		}
	}
	return false;
}

typedef enum Likeness
{
	LIKE_ALL,	/* of the same form */
	LIKE_START, /* its form is how the other begins */
	LIKE_NONE,
} Likeness;

/* How bytes start .. end-1 of the text are like a form of mren_name_normalize. */
static MrenStatus
compare_form(const Search *search, size_t start, size_t end, MrenTextSpan form, Likeness *likeness)
{
	char *there;
	size_t len;

	MREN_TRY(mren_name_normalize(search->env, search->text + start, end - start, &there, &len,
								 search->err));
	if (len > form.len || memcmp(there, form.data, len) != 0)
		*likeness = LIKE_NONE;
	else
		*likeness = len == form.len ? LIKE_ALL : LIKE_START;
	mren_release(search->env, there);
	return MREN_OK;
}

/* Whether tokens from number `first` on, the last without an apostrophe's ending, have the form. */
static MrenStatus
match_form(const Search *search, size_t first, MrenTextSpan form, unsigned *tries, size_t *end)
{
	const MrenTokens *tokens = search->tokens;
	size_t start = tokens->items[first].start;
	Likeness likeness = LIKE_START;

	for (size_t i = first; i < tokens->n && likeness == LIKE_START && *tries > 0; i++)
	{
		MrenToken token = tokens->items[i];
		size_t clitic = mren_clitic_length(search->text + token.start, token.end - token.start);

		*end = token.end;
		MREN_TRY(compare_form(search, start, *end, form, &likeness));
		if (likeness == LIKE_NONE && clitic > 0)
		{
			*end -= clitic;
			MREN_TRY(compare_form(search, start, *end, form, &likeness));
		}
		--*tries;
	}
	if (likeness != LIKE_ALL)
		*end = start;
	return MREN_OK;
}

/*
 * The first tokens that would be the mention if names were compared: there ..
 * end-1, nothing if there are none or the text is too long.
 */
static MrenStatus
find_form(const Search *search, MrenTextSpan *there)
{
	unsigned tries = NEAR_MISS_TRIES;
	MrenStatus status = MREN_OK;
	char *form;
	size_t len;

	*there = (MrenTextSpan){search->text, 0};
	if (search->len > NEAR_MISS_TEXT || search->want_len > NEAR_MISS_MENTION)
		return MREN_OK;
	MREN_TRY(
		mren_name_normalize(search->env, search->want, search->want_len, &form, &len, search->err));
	for (size_t i = 0; i < search->tokens->n && status == MREN_OK && there->len == 0 && len > 0;
		 i++)
	{
		size_t start = search->tokens->items[i].start;
		size_t end = start;

		status = match_form(search, i, (MrenTextSpan){form, len}, &tries, &end);
		*there = (MrenTextSpan){search->text + start, end - start};
	}
	mren_release(search->env, form);
	return status;
}

static void
explain_form(const Search *search, MrenTextSpan there)
{
	uint32_t lower = char_at(search, (size_t) (there.data - search->text));
	uint32_t upper = lower + (uint32_t) mren_utf8_length(there.data, there.len);

	mren_near_miss_explain(there, (MrenTextSpan){search->want, search->want_len}, search->err);
	mren_error_hint(search->err,
					"Copy the mention from the sentence, or give its place as a range: "
					"int4range(%u, %u).",
					lower, upper);
}

static MrenStatus
fail_not_found(const Search *search)
{
	MrenExcerpt want = mren_utf8_excerpt(search->want, search->want_len);
	const char *inside = next_occurrence(search, 0);
	MrenTextSpan like = {search->text, 0};

	if (inside == NULL)
		MREN_TRY(find_form(search, &like));

	mren_fail(search->err, MREN_EDATA, "%s mention \"%s\" does not occur in the sentence",
			  search->role, want.text);
	if (inside != NULL)
	{
		uint32_t lower = char_at(search, (size_t) (inside - search->text));
		uint32_t upper = lower + (uint32_t) mren_utf8_length(search->want, search->want_len);

		mren_error_detail(search->err, "It occurs only as a part of longer words.");
		mren_error_hint(search->err, "Give its place as a range: int4range(%u, %u).", lower, upper);
	}
	else if (looks_like_range(search->want, search->want_len))
		mren_error_hint(search->err, "Cast it: '%s'::int4range.", want.text);
	else if (explain_case(search))
		return MREN_EDATA;
	else if (like.len > 0)
		explain_form(search, like);
	else if (search->len > 0)
		mren_error_detail(search->err, "The sentence is \"%s\".",
						  mren_utf8_excerpt(search->text, search->len).text);
	return MREN_EDATA;
}

static bool
is_blank(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len)
	{
		uint32_t code;

		at += mren_utf8_decode(text + at, len - at, &code);
		if (!mren_icu_is_blank(code))
			return false;
	}
	return true;
}

/* The mention without the white space around it. */
static void
trim(Search *search, const char *text, size_t len)
{
	size_t start = 0;
	size_t end = len;
	uint32_t code;

	while (start < end)
	{
		size_t n = mren_utf8_decode(text + start, end - start, &code);

		if (!is_white(code))
			break;
		start += n;
	}
	while (end > start && is_white(mren_code_before(text, end)))
	{
		do
			end--;
		while (mren_utf8_continues(text[end]));
	}
	search->want = text + start;
	search->want_len = end - start;
}

static MrenStatus
place_text(Search *search, const MrenMention *mention, MrenToken *place)
{
	size_t bad;
	bool found;

	if (!mren_utf8_valid(mention->text, mention->len, &bad))
		return mren_fail(search->err, MREN_EDATA, "%s mention is not valid UTF-8 at byte %zu",
						 search->role, bad + 1);
	trim(search, mention->text, mention->len);
	if (is_blank(search->want, search->want_len))
		return mren_fail(search->err, MREN_EDATA, "%s mention is empty", search->role);
	MREN_TRY(find_text(search, place, &found));
	return found ? MREN_OK : fail_not_found(search);
}

static uint32_t
byte_in_token(const char *text, MrenToken token, uint32_t n_chars)
{
	size_t n_bytes = token.end - token.start;

	if (n_bytes == token.char_end - token.char_start)
		return token.start + n_chars;
	return token.start + (uint32_t) mren_utf8_offset(text + token.start, n_bytes, n_chars);
}

/* Number of tokens that end at or before the character `at`. */
static size_t
tokens_ending_by(const MrenTokens *tokens, uint32_t at)
{
	size_t low = 0;
	size_t high = tokens->n;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;

		if (tokens->items[middle].char_end <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static MrenStatus
place_range(const Search *search, const MrenMention *mention, MrenToken *place)
{
	const MrenTokens *tokens = search->tokens;
	uint32_t lower = (uint32_t) mention->lower;
	uint32_t upper = (uint32_t) mention->upper;
	size_t n_chars = mren_utf8_length(search->text, search->len);
	size_t first;
	size_t last;

	if (mention->lower >= mention->upper)
		return mren_fail(search->err, MREN_EPARAM, "%s range [%d,%d) is empty", search->role,
						 mention->lower, mention->upper);
	if (mention->lower < 0 || upper > n_chars)
	{
		mren_fail(search->err, MREN_EPARAM,
				  "%s range [%d,%d) is outside the sentence of %zu characters", search->role,
				  mention->lower, mention->upper, n_chars);
		if (mention->lower >= 0 && upper <= search->len)
			mren_error_hint(search->err,
							"Ranges count characters, not bytes or UTF-16 code units.");
		return MREN_EPARAM;
	}
	first = tokens_ending_by(tokens, lower);
	if (first == tokens->n || tokens->items[first].char_start >= upper)
		return mren_fail(search->err, MREN_EPARAM, "%s range [%d,%d) covers only white space",
						 search->role, mention->lower, mention->upper);
	*place = tokens->items[first];
	if (place->char_start < lower)
	{
		place->start = byte_in_token(search->text, *place, lower - place->char_start);
		place->char_start = lower;
	}
	last = tokens_ending_by(tokens, upper);
	if (last < tokens->n && tokens->items[last].char_start < upper)
	{
		MrenToken token = tokens->items[last];

		place->end = byte_in_token(search->text, token, upper - token.char_start);
		place->char_end = upper;
	}
	else
	{
		place->end = tokens->items[last - 1].end;
		place->char_end = tokens->items[last - 1].char_end;
	}
	return MREN_OK;
}

MrenStatus
mren_mention_find(const MrenEnv *env, const char *role, const MrenMention *mention,
				  MrenTextSpan text, const MrenTokens *tokens, MrenToken *place, MrenError *err)
{
	Search search = {env, role, text.data, text.len, tokens, NULL, 0, mention->apart, err};

	if (mention->is_range)
		return place_range(&search, mention, place);
	return place_text(&search, mention, place);
}
