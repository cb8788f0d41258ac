/*
 * sentences.c
 *	  Sentence segmentation, window by window.
 *
 * A window is a paragraph, or as much of one as has room; of the latter the
 * last sentence, which may be incomplete, begins the next window.
 */
#include "text/sentences.h"

#include <string.h>

#include <unicode/ubrk.h>
#include <unicode/uchar.h>

#include "base/utf8.h"
#include "text/abbreviation.h"
#include "text/icu.h"

#define WINDOW 16384 /* code points */

struct MrenSentencer
{
	MrenEnv env; /* which allocated this */
	UBreakIterator *breaks;
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

MrenStatus
mren_sentencer_open(const MrenEnv *env, MrenSentencer **sentencer, MrenError *err)
{
	UErrorCode status = U_ZERO_ERROR;
	MrenSentencer *fresh;

	*sentencer = NULL;
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*fresh), &fresh, err));
	fresh->env = *env;
	fresh->breaks = ubrk_open(UBRK_SENTENCE, "", NULL, 0, &status);
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

/* Cuts a window; of a full one the last sentence is read again. */
static MrenStatus
cut_window(Scan *scan, const MrenIcuText *window, bool full)
{
	UBreakIterator *breaks = scan->sentencer->breaks;
	UErrorCode status = U_ZERO_ERROR;
	size_t start = 0;
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
		if ((size_t) end < window->n && mren_abbreviation_goes_on(scan->text, at, scan->len))
			continue;
		MREN_TRY(add_sentence(scan, window, start, (size_t) end));
		start = (size_t) end;
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
