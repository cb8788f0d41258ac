/*
 * name.c
 *	  Names in one form: that of casefold.h, white space collapsed.
 *
 * Plain ASCII, nearly every name, needs no ICU, and the fast path gives what
 * ICU would.  ICU's own memory stays inside its calls; all buffers are the
 * environment's.
 */
#include "text/name.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/ustring.h>

#include "base/utf8.h"
#include "text/casefold.h"
#include "text/icu.h"
#include "text/script.h"

/* ICU normalizes without checks for interrupts. */
#define MAX_BYTES ((size_t) 1024 * 1024)
/*
 * ICU brings the combining marks of a character into their order one by one, which
 * takes the square of their number: minutes for a hundred thousand.  Texts have a
 * few; Unicode's stream-safe format allows 30 (UAX 15, section 13).
 */
#define MAX_MARKS 128
#define ZERO_WIDTH_SPACE 0x200B

/*
 * Whether white space beside the character says nothing, because the character
 * is a word by itself with or without it: "Jean - Luc" and "AT & T" are
 * "Jean-Luc" and "AT&T" for a lexicon, so they are one name too.
 */
static bool
stands_alone(uint32_t code)
{
	return code == '-' || code == '&' || mren_script_is_spaceless(code);
}

static MrenStatus
normalize_ascii(const MrenEnv *env, const char *text, size_t len, char **out, size_t *out_len,
				MrenError *err)
{
	bool space = false;
	size_t n = 0;
	char *name;

	MREN_TRY(mren_allocate(env, len, 1, &name, err));
	for (size_t i = 0; i < len; i++)
	{
		char c = text[i];

		if (c == ' ' || (c >= '\t' && c <= '\r'))
		{
			space = n > 0;
			continue;
		}
		if (space && !stands_alone((unsigned char) c) && !stands_alone((unsigned char) name[n - 1]))
			name[n++] = ' ';
		space = false;
		name[n++] = c >= 'A' && c <= 'Z' ? (char) (c | 0x20) : c;
	}
	*out = name;
	*out_len = n;
	return MREN_OK;
}

/*
 * In place: white space as single spaces, and none where it says nothing.  It
 * stays before a combining mark, which would else belong to another character.
 */
static int32_t
collapse_space(UChar *units, int32_t n)
{
	bool space = false;
	UChar32 before = 0; /* the last character that was kept */
	int32_t to = 0;

	for (int32_t at = 0; at < n;)
	{
		int32_t from = at;
		UChar32 code;

		U16_NEXT(units, at, n, code);
		if (u_isUWhiteSpace(code))
		{
			space = to > 0;
			continue;
		}
		if (space && (u_getCombiningClass(code) != 0 ||
					  !(stands_alone((uint32_t) before) || stands_alone((uint32_t) code))))
			units[to++] = ' ';
		space = false;
		before = code;
		for (; from < at; from++)
			units[to++] = units[from];
	}
	return to;
}

/* In place: the zero-width space parts words, so it is white space here. */
static void
widen_spaces(UChar *units, int32_t n)
{
	for (int32_t i = 0; i < n; i++)
	{
		if (units[i] == ZERO_WIDTH_SPACE)
			units[i] = ' ';
	}
}

static MrenStatus
to_units(const MrenEnv *env, const char *text, size_t len, UChar **units, int32_t *n,
		 MrenError *err)
{
	UErrorCode status = U_ZERO_ERROR;

	MREN_TRY(mren_allocate(env, len, sizeof(UChar), units, err));
	u_strFromUTF8(*units, (int32_t) len, n, text, (int32_t) len, &status);
	if (U_SUCCESS(status))
		return MREN_OK;
	mren_release(env, *units);
	return mren_fail(err, MREN_EFORMAT, "name is not valid UTF-8");
}

static MrenStatus
fail_icu(MrenError *err, UErrorCode status)
{
	return mren_icu_fail(err, MREN_EDATA, "ICU could not normalize a name", status);
}

static MrenStatus
fold(const MrenEnv *env, const UChar *units, int32_t n, UChar **folded, int32_t *n_folded,
	 MrenError *err)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t room = mren_casefold(units, n, NULL, 0, &status);

	if (U_FAILURE(status) && status != U_BUFFER_OVERFLOW_ERROR)
		return fail_icu(err, status);
	status = U_ZERO_ERROR;
	MREN_TRY(mren_allocate(env, (size_t) room, sizeof(UChar), folded, err));
	*n_folded = mren_casefold(units, n, *folded, room, &status);
	if (U_SUCCESS(status))
		return MREN_OK;
	mren_release(env, *folded);
	return fail_icu(err, status);
}

static MrenStatus
to_utf8(const MrenEnv *env, const UChar *units, int32_t n, char **out, size_t *out_len,
		MrenError *err)
{
	UErrorCode status = U_ZERO_ERROR;
	/* A unit of the first plane takes at most three bytes, a pair four. */
	size_t room = (size_t) n * 3;
	int32_t len = 0;

	MREN_TRY(mren_allocate(env, room, 1, out, err));
	u_strToUTF8(*out, (int32_t) room, &len, units, n, &status);
	if (U_FAILURE(status))
	{
		mren_release(env, *out);
		return fail_icu(err, status);
	}
	*out_len = (size_t) len;
	return MREN_OK;
}

static MrenStatus
check_marks(const UChar *units, int32_t n, MrenError *err)
{
	int n_marks = 0;

	for (int32_t at = 0; at < n;)
	{
		UChar32 code;

		U16_NEXT(units, at, n, code);
		n_marks = u_getCombiningClass(code) != 0 ? n_marks + 1 : 0;
		if (n_marks > MAX_MARKS)
			return mren_fail(err, MREN_ELIMIT,
							 "name has more than %d combining marks behind a character", MAX_MARKS);
	}
	return MREN_OK;
}

static MrenStatus
normalize_wide(const MrenEnv *env, const char *text, size_t len, char **out, size_t *out_len,
			   MrenError *err)
{
	UChar *units;
	UChar *folded;
	int32_t n;
	int32_t n_folded;
	MrenStatus status;

	MREN_TRY(to_units(env, text, len, &units, &n, err));
	widen_spaces(units, n);
	status = check_marks(units, n, err);
	if (status == MREN_OK)
		status = fold(env, units, n, &folded, &n_folded, err);
	mren_release(env, units);
	if (status != MREN_OK)
		return status;
	if (n_folded > INT32_MAX / 3)
		status = mren_fail(err, MREN_ELIMIT, "name of %zu bytes is too long", len);
	else
		status = to_utf8(env, folded, collapse_space(folded, n_folded), out, out_len, err);
	mren_release(env, folded);
	return status;
}

MrenStatus
mren_name_normalize(const MrenEnv *env, const char *text, size_t len, char **out, size_t *out_len,
					MrenError *err)
{
	MREN_TRY(mren_check_interrupts(env, err));
	if (len > MAX_BYTES)
		return mren_fail(err, MREN_ELIMIT, "name of %zu bytes is too long", len);
	if (mren_ascii_only(text, len))
		return normalize_ascii(env, text, len, out, out_len, err);
	return normalize_wide(env, text, len, out, out_len, err);
}
