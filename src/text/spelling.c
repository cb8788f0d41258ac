/*
 * spelling.c
 *	  A word's spellings, tried one after the other.
 *
 * Plain ASCII, nearly every word, needs no ICU.  All buffers are on the stack:
 * a word has at most MREN_MAX_WORD bytes, and a spelling that outgrows its
 * buffer is not tried, because no vocabulary has such a word.
 */
#include "text/spelling.h"

#include <stdbool.h>
#include <string.h>

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/utf8.h"
#include "text/icu.h"

/* A vocabulary, and the number found so far. */
typedef struct Lookup
{
	const MrenVocabulary *vocabulary;
	int32_t id;
	MrenError *err;
} Lookup;

typedef struct Spelled
{
	char text[MREN_MAX_WORD];
	size_t len;
} Spelled;

static MrenStatus
find(Lookup *lookup, const char *word, size_t len)
{
	return lookup->vocabulary->find(lookup->vocabulary->state, word, len, &lookup->id, lookup->err);
}

/* What an ASCII word contains, in one pass. */
typedef struct Contents
{
	bool wide;	/* bytes beyond ASCII */
	bool upper; /* ASCII capitals */
	bool digit;
} Contents;

static Contents
contents_of(const char *word, size_t len)
{
	Contents contents = {false, false, false};

	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) word[i];

		contents.wide |= c >= 0x80;
		contents.upper |= c >= 'A' && c <= 'Z';
		contents.digit |= c >= '0' && c <= '9';
	}
	return contents;
}

/* Each ASCII digit replaced: "1984" -> "0000" or "####". */
static MrenStatus
find_without_digits(Lookup *lookup, const char *word, size_t len, char digit)
{
	Spelled folded;

	for (size_t i = 0; i < len; i++)
		folded.text[i] = word[i] >= '0' && word[i] <= '9' ? digit : word[i];
	return find(lookup, folded.text, len);
}

static MrenStatus
find_in_turn(Lookup *lookup, const Spelled *plain, const Spelled *lower, bool digits)
{
	static const char masks[] = {'0', '#'};
	bool cased = plain->len != lower->len || memcmp(plain->text, lower->text, lower->len) != 0;

	if (cased)
		MREN_TRY(find(lookup, lower->text, lower->len));
	for (size_t i = 0; digits && lookup->id < 0 && i < sizeof(masks); i++)
	{
		MREN_TRY(find_without_digits(lookup, plain->text, plain->len, masks[i]));
		if (cased && lookup->id < 0)
			MREN_TRY(find_without_digits(lookup, lower->text, lower->len, masks[i]));
	}
	return MREN_OK;
}

static MrenStatus
look_up_ascii(Lookup *lookup, const char *word, size_t len, Contents contents)
{
	Spelled plain;
	Spelled lower;

	if (!contents.upper && !contents.digit)
		return MREN_OK;
	memcpy(plain.text, word, len);
	plain.len = len;
	mren_ascii_lower(word, len, lower.text);
	lower.len = len;
	return find_in_turn(lookup, &plain, &lower, contents.digit);
}

static bool
to_spelled(const UChar *units, int32_t n_units, Spelled *out)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t len = 0;

	u_strToUTF8(out->text, MREN_MAX_WORD, &len, units, n_units, &status);
	out->len = (size_t) len;
	return U_SUCCESS(status);
}

/* Composed form and lower case, both by ICU; false: no such word can be known. */
static bool
spell(const char *word, size_t len, Spelled *plain, Spelled *lower)
{
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *nfc = unorm2_getNFCInstance(&status);
	UChar raw[MREN_MAX_WORD];
	UChar composed[MREN_MAX_WORD];
	UChar lowered[MREN_MAX_WORD];
	int32_t n = 0;

	u_strFromUTF8(raw, MREN_MAX_WORD, &n, word, (int32_t) len, &status);
	n = unorm2_normalize(nfc, raw, n, composed, MREN_MAX_WORD, &status);
	if (U_FAILURE(status))
		return false;
	mren_icu_plain_punctuation(composed, n);
	if (!to_spelled(composed, n, plain))
		return false;
	n = u_strToLower(lowered, MREN_MAX_WORD, composed, n, "", &status);
	return U_SUCCESS(status) && to_spelled(lowered, n, lower);
}

static MrenStatus
look_up_wide(Lookup *lookup, const char *word, size_t len, bool digits)
{
	Spelled plain;
	Spelled lower;

	if (!spell(word, len, &plain, &lower))
		return MREN_OK;
	if (plain.len != len || memcmp(plain.text, word, len) != 0)
		MREN_TRY(find(lookup, plain.text, plain.len));
	if (lookup->id >= 0)
		return MREN_OK;
	return find_in_turn(lookup, &plain, &lower, digits);
}

MrenStatus
mren_vocabulary_lookup(const MrenVocabulary *vocabulary, const char *word, size_t len, int32_t *id,
					   MrenSpelling *how, MrenError *err)
{
	Lookup lookup = {vocabulary, -1, err};
	MrenSpelling kind = MREN_SPELLING_NONE;

	*id = -1;
	if (len > 0 && len <= MREN_MAX_WORD)
	{
		MREN_TRY(find(&lookup, word, len));
		kind = MREN_SPELLING_EXACT;
		if (lookup.id < 0)
		{
			Contents contents = contents_of(word, len);

			kind = MREN_SPELLING_FALLBACK;
			if (contents.wide)
				MREN_TRY(look_up_wide(&lookup, word, len, contents.digit));
			else
				MREN_TRY(look_up_ascii(&lookup, word, len, contents));
		}
	}
	*id = lookup.id;
	if (how != NULL)
		*how = lookup.id >= 0 ? kind : MREN_SPELLING_NONE;
	return MREN_OK;
}
