/*
 * sentences.c
 *	  Sentence segmentation, window by window.
 *
 * A window is a paragraph, or as much of one as has room; of the latter the
 * last sentence, which may be incomplete, begins the next window.
 */
#include "text/sentences.h"

#include <stdio.h>
#include <string.h>

#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/uloc.h>

#include "base/utf8.h"
#include "text/abbreviation.h"
#include "text/icu.h"

#define WINDOW 16384	/* code points */
#define MAX_CITATION 32 /* UTF-16 units of a mark in brackets */

struct MrenSentencer
{
	MrenEnv env; /* which allocated this */
	UBreakIterator *breaks;
	MrenAbbreviations abbreviations;
	/* The window as UTF-16, and where each unit's code point begins. */
	UChar units[2 * WINDOW];
	uint32_t bytes[2 * WINDOW + 1];
	uint32_t chars[2 * WINDOW + 1];
};

typedef struct Scan
{
	MrenSentencer *sentencer;
	const MrenEnv *env;
	const char *text;
	size_t len;
	size_t at;		/* byte */
	uint32_t chars; /* code points before it */
	MrenTokens *sentences;
	MrenError *err;
} Scan;

/* ICU's name of the locale whose sentences these are. */
static MrenStatus
find_locale(const char *language, char *locale, size_t size, MrenError *err)
{
	UErrorCode status = U_ZERO_ERROR;
	char name[ULOC_LANG_CAPACITY];

	locale[0] = '\0';
	if (language[0] == '\0')
		return MREN_OK;
	uloc_getLanguage(language, name, sizeof(name), &status);
	if (U_FAILURE(status) || strcmp(name, language) != 0 || uloc_getISO3Language(name)[0] == '\0')
	{
		mren_fail(err, MREN_EPARAM, "language \"%.40s\" is not known", language);
		mren_error_hint(err, "A language is an ISO 639 code in lower case, such as \"de\".");
		return MREN_EPARAM;
	}
	/* ICU's lists of abbreviations after which a sentence goes on. */
	snprintf(locale, size, "%s@ss=standard", name);
	return MREN_OK;
}

MrenStatus
mren_sentences_check_language(const char *language, MrenError *err)
{
	char locale[ULOC_LANG_CAPACITY + 16];

	return find_locale(language, locale, sizeof(locale), err);
}

static MrenAbbreviations
abbreviations_of(const char *language)
{
	if (language[0] == '\0')
		return MREN_ABBREVIATIONS_ANY;
	if (strcmp(language, "en") == 0)
		return MREN_ABBREVIATIONS_ENGLISH;
	return strcmp(language, "de") == 0 ? MREN_ABBREVIATIONS_GERMAN : MREN_ABBREVIATIONS_OTHER;
}

MrenStatus
mren_sentencer_open(const MrenEnv *env, const char *language, MrenSentencer **sentencer,
					MrenError *err)
{
	char locale[ULOC_LANG_CAPACITY + 16];
	UErrorCode status = U_ZERO_ERROR;
	MrenSentencer *fresh;

	*sentencer = NULL;
	MREN_TRY(find_locale(language, locale, sizeof(locale), err));
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*fresh), &fresh, err));
	fresh->env = *env;
	fresh->abbreviations = abbreviations_of(language);
	fresh->breaks = ubrk_open(UBRK_SENTENCE, locale, NULL, 0, &status);
	if (U_FAILURE(status))
	{
		mren_sentencer_close(fresh);
		return mren_icu_fail(err, MREN_EUNSUPPORTED, "could not open ICU's sentence segmentation",
							 status);
	}
	*sentencer = fresh;
	return MREN_OK;
}

void
mren_sentencer_close(MrenSentencer *sentencer)
{
	MrenEnv env;

	if (sentencer == NULL)
		return;
	if (sentencer->breaks != NULL)
		ubrk_close(sentencer->breaks);
	env = sentencer->env;
	mren_release(&env, sentencer);
}

static bool
is_newline(uint32_t code)
{
	return (code >= 0x0A && code <= 0x0D) || code == 0x85 || code == 0x2028;
}

/* A paragraph ends with U+2029 or with a line break that only blanks part from another. */
static bool
ends_paragraph(const Scan *scan, uint32_t code, size_t after)
{
	bool carriage = code == 0x0D;

	if (code == 0x2029)
		return true;
	if (!is_newline(code))
		return false;
	while (after < scan->len)
	{
		size_t n = mren_utf8_decode(scan->text + after, scan->len - after, &code);

		if (n == 0)
			return false;
		/* "\r\n" is one line break. */
		if (is_newline(code) && !(carriage && code == 0x0A))
			return true;
		if (!is_newline(code) && !u_isUWhiteSpace((UChar32) code))
			return false;
		carriage = false;
		after += n;
	}
	return false;
}

/* Reads one window; *full if it ends only for want of room. */
static MrenStatus
read_window(Scan *scan, MrenIcuText *window, bool *full)
{
	bool ended = false;
	size_t n_codes;

	for (n_codes = 0; n_codes < WINDOW && scan->at < scan->len && !ended; n_codes++)
	{
		uint32_t code;
		size_t n_bytes = mren_utf8_decode(scan->text + scan->at, scan->len - scan->at, &code);

		if (n_bytes == 0)
			return mren_fail(scan->err, MREN_EDATA, "text is not valid UTF-8 at byte %zu",
							 scan->at + 1);
		/* ICU ends a sentence at every line break. */
		mren_icu_text_append(window, is_newline(code) ? ' ' : code, scan->at, scan->chars);
		scan->at += n_bytes;
		scan->chars++;
		ended = ends_paragraph(scan, code, scan->at);
	}
	mren_icu_text_end(window, scan->at, scan->chars);
	*full = !ended && scan->at < scan->len;
	return MREN_OK;
}

/* The units start .. end-1 without blanks at their ends are a sentence. */
static MrenStatus
add_sentence(Scan *scan, const MrenIcuText *window, size_t start, size_t end)
{
	MrenTokens *sentences = scan->sentences;

	/* No blank is outside the basic plane. */
	while (start < end && u_isUWhiteSpace(window->units[start]))
		start++;
	while (end > start && u_isUWhiteSpace(window->units[end - 1]))
		end--;
	if (start == end)
		return MREN_OK;
	if (sentences->n == sentences->capacity)
		MREN_TRY(mren_grow(scan->env, &sentences->items, &sentences->capacity, sentences->n,
						   sentences->n + 1, sizeof(*sentences->items), scan->err));
	sentences->items[sentences->n++] = (MrenToken){window->bytes[start], window->bytes[end],
												   window->chars[start], window->chars[end]};
	return MREN_OK;
}

static bool
is_terminator(UChar unit)
{
	return unit == '.' || unit == '!' || unit == '?';
}

/*
 * Where the bracket that begins at units[open] ends if it is a mark like "[12]", "[3, 4]" or "[a]".
 */
static size_t
citation_end(const MrenIcuText *window, size_t open)
{
	size_t limit = open + MAX_CITATION < window->n ? open + MAX_CITATION : window->n;
	size_t at = open + 1;

	while (at < limit &&
		   (u_isalnum(window->units[at]) || window->units[at] == ' ' || window->units[at] == ',' ||
			window->units[at] == '-' || window->units[at] == 0x2013))
		at++;
	return at > open + 1 && at < limit && window->units[at] == ']' ? at + 1 : open;
}

/*
 * Where a sentence ends that ICU ends at `end`.  To ICU a bracket that opens
 * directly after a full stop belongs to the sentence, but not what is in it: in
 * "Oslo.[12] Then" the mark does, in "Oslo.(Then" nothing of the bracket.
 */
static size_t
before_bracket(const MrenIcuText *window, size_t end)
{
	size_t open = end - 1;
	size_t after = open;

	if (end < 2 || (window->units[open] != '[' && window->units[open] != '(') ||
		!is_terminator(window->units[open - 1]))
		return end;
	while (after < window->n && window->units[after] == '[')
	{
		size_t next = citation_end(window, after);

		if (next == after)
			break;
		after = next;
	}
	return after;
}

/* "iPhone", "eBay", "iOS": a name whose first letter is no sign that a sentence goes on. */
static bool
is_small_name(const MrenIcuText *window, size_t at)
{
	const UChar *name = window->units + at;

	return at + 2 < window->n && (name[0] == 'i' || name[0] == 'e') && u_isupper(name[1]) &&
		   (u_islower(name[2]) || (name[1] == 'O' && name[2] == 'S'));
}

/*
 * Adds the sentences of units *start .. end-1 that end before such a name, where
 * ICU sees none begin; *start is then where the last one begins.
 */
static MrenStatus
cut_small_names(Scan *scan, const MrenIcuText *window, size_t *start, size_t end)
{
	for (size_t at = *start + 2; at < end; at++)
	{
		size_t stop = at - 1;

		if (!is_small_name(window, at) || !u_isUWhiteSpace(window->units[stop]))
			continue;
		while (stop > *start && u_isUWhiteSpace(window->units[stop]))
			stop--;
		if (window->units[stop] != '.' ||
			mren_abbreviation_goes_on(scan->sentencer->abbreviations, scan->text, window->bytes[at],
									  scan->len))
			continue;
		MREN_TRY(add_sentence(scan, window, *start, at));
		*start = at;
	}
	return MREN_OK;
}

/* Cuts a window; of a full one the last sentence is read again. */
static MrenStatus
cut_window(Scan *scan, const MrenIcuText *window, bool full)
{
	UBreakIterator *breaks = scan->sentencer->breaks;
	UErrorCode status = U_ZERO_ERROR;
	size_t start = 0;
	size_t cut;
	int32_t end;

	ubrk_setText(breaks, window->units, (int32_t) window->n, &status);
	if (U_FAILURE(status))
		return mren_icu_fail(scan->err, MREN_EUNSUPPORTED, "ICU could not segment a text", status);
	while ((end = ubrk_next(breaks)) != UBRK_DONE)
	{
		size_t at = window->bytes[end];

		if ((size_t) end == window->n && full && start > 0)
		{
			scan->at = window->bytes[start];
			scan->chars = window->chars[start];
			return MREN_OK;
		}
		if ((size_t) end < window->n &&
			mren_abbreviation_goes_on(scan->sentencer->abbreviations, scan->text, at, scan->len))
			continue;
		cut = (size_t) end < window->n ? before_bracket(window, (size_t) end) : (size_t) end;
		if (cut <= start)
			continue;
		MREN_TRY(cut_small_names(scan, window, &start, cut));
		MREN_TRY(add_sentence(scan, window, start, cut));
		start = cut;
	}
	return MREN_OK;
}

MrenStatus
mren_sentences(MrenSentencer *sentencer, const MrenEnv *env, const char *text, size_t len,
			   MrenTokens *sentences, MrenError *err)
{
	Scan scan = {sentencer, env, text, len, 0, 0, sentences, err};

	sentences->n = 0;
	MREN_TRY(mren_text_check_length(len, err));
	while (scan.at < len)
	{
		MrenIcuText window = {sentencer->units, sentencer->bytes, sentencer->chars, 0};
		bool full = false;

		MREN_TRY(mren_check_interrupts(env, err));
		MREN_TRY(read_window(&scan, &window, &full));
		MREN_TRY(cut_window(&scan, &window, full));
	}
	return MREN_OK;
}
