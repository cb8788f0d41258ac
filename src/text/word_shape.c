/*
 * word_shape.c
 *	  Telling a word's shape from its characters.
 */
#include "text/word_shape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include "text/clitic.h"
#include "base/utf8.h"

/* What was counted in a word. */
typedef struct Profile
{
	uint32_t n_codes;
	uint32_t n_upper, n_lower, n_uncased, n_ideographs;
	uint32_t n_digits, n_punctuation, n_symbols;
	bool upper_first; /* the first letter is upper case */
	bool hyphen;
	bool at_sign;
} Profile;

typedef struct Ending
{
	const char *letters;
	MrenWordShape shape;
} Ending;

/* Longest first where one ends with another. */
static const Ending endings[] = {
	{"ing", MREN_SHAPE_LOWER_ING},		  {"ed", MREN_SHAPE_LOWER_ED},
	{"ly", MREN_SHAPE_LOWER_LY},		  {"er", MREN_SHAPE_LOWER_AGENT},
	{"or", MREN_SHAPE_LOWER_AGENT},		  {"ist", MREN_SHAPE_LOWER_AGENT},
	{"ian", MREN_SHAPE_LOWER_AGENT},	  {"tion", MREN_SHAPE_LOWER_NOUN},
	{"sion", MREN_SHAPE_LOWER_NOUN},	  {"ment", MREN_SHAPE_LOWER_NOUN},
	{"ness", MREN_SHAPE_LOWER_NOUN},	  {"ity", MREN_SHAPE_LOWER_NOUN},
	{"ism", MREN_SHAPE_LOWER_NOUN},		  {"ship", MREN_SHAPE_LOWER_NOUN},
	{"ance", MREN_SHAPE_LOWER_NOUN},	  {"ence", MREN_SHAPE_LOWER_NOUN},
	{"able", MREN_SHAPE_LOWER_ADJECTIVE}, {"ible", MREN_SHAPE_LOWER_ADJECTIVE},
	{"al", MREN_SHAPE_LOWER_ADJECTIVE},	  {"ic", MREN_SHAPE_LOWER_ADJECTIVE},
	{"ive", MREN_SHAPE_LOWER_ADJECTIVE},  {"ous", MREN_SHAPE_LOWER_ADJECTIVE},
	{"ful", MREN_SHAPE_LOWER_ADJECTIVE},  {"less", MREN_SHAPE_LOWER_ADJECTIVE},
	{"ish", MREN_SHAPE_LOWER_ADJECTIVE},
};

static const char *const names[MREN_N_SHAPES] = {
	[MREN_SHAPE_OTHER] = "other",
	[MREN_SHAPE_NUMBER] = "number",
	[MREN_SHAPE_DIGITS] = "letters and digits",
	[MREN_SHAPE_PUNCTUATION] = "punctuation",
	[MREN_SHAPE_SYMBOL] = "symbol",
	[MREN_SHAPE_URL] = "address",
	[MREN_SHAPE_HANDLE] = "handle",
	[MREN_SHAPE_HASHTAG] = "hashtag",
	[MREN_SHAPE_INITIALS] = "initials",
	[MREN_SHAPE_CLITIC] = "clitic",
	[MREN_SHAPE_ALL_CAPS] = "all capitals",
	[MREN_SHAPE_CAPITALIZED] = "capitalized",
	[MREN_SHAPE_MIXED_CASE] = "mixed case",
	[MREN_SHAPE_LOWER_ING] = "lower case in -ing",
	[MREN_SHAPE_LOWER_ED] = "lower case in -ed",
	[MREN_SHAPE_LOWER_LY] = "lower case in -ly",
	[MREN_SHAPE_LOWER_AGENT] = "lower case in -er, -or, -ist, -ian",
	[MREN_SHAPE_LOWER_NOUN] = "lower case in -tion, -ment, -ness, -ity",
	[MREN_SHAPE_LOWER_ADJECTIVE] = "lower case in -al, -ic, -ive, -ous",
	[MREN_SHAPE_LOWER_S] = "lower case in -s",
	[MREN_SHAPE_LOWER_COMPOUND] = "lower case with a hyphen",
	[MREN_SHAPE_LOWER] = "lower case",
	[MREN_SHAPE_IDEOGRAPHS] = "ideographs",
	[MREN_SHAPE_UNCASED] = "letters without case",
	[MREN_SHAPE_LETTER] = "one letter",
	[MREN_SHAPE_YEAR] = "year",
};

static bool
is_ideograph(uint32_t code)
{
	return code >= 0x2E80 && (uscript_hasScript((UChar32) code, USCRIPT_HAN) ||
							  uscript_hasScript((UChar32) code, USCRIPT_HIRAGANA) ||
							  uscript_hasScript((UChar32) code, USCRIPT_KATAKANA));
}

static void
count_letter(Profile *profile, uint32_t code, int8_t type)
{
	bool upper = type == U_UPPERCASE_LETTER || type == U_TITLECASE_LETTER;

	if (profile->n_upper + profile->n_lower + profile->n_uncased + profile->n_ideographs == 0)
		profile->upper_first = upper;
	if (upper)
		profile->n_upper++;
	else if (type == U_LOWERCASE_LETTER)
		profile->n_lower++;
	else if (is_ideograph(code))
		profile->n_ideographs++;
	else
		profile->n_uncased++;
}

static void
count_code(Profile *profile, uint32_t code)
{
	int8_t type = u_charType((UChar32) code);
	uint32_t mask = U_MASK(type);

	profile->n_codes++;
	if (mask & U_GC_L_MASK)
		count_letter(profile, code, type);
	else if (mask & U_GC_N_MASK)
		profile->n_digits++;
	else if (mask & U_GC_P_MASK)
		profile->n_punctuation++;
	else if (mask & U_GC_S_MASK)
		profile->n_symbols++;
	else if (mask & (U_GC_M_MASK | U_GC_CF_MASK))
		profile->n_codes--; /* marks take their letter's part */
	profile->hyphen |= code == '-' || code == 0x2010 || code == 0x2011;
	profile->at_sign |= code == '@';
}

/* ASCII letters at 0, 2, 4, ... and full stops between: "U.S", "U.S.". */
static bool
is_dotted(const char *word, size_t len)
{
	if (len < 2)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		char lower = (char) (word[i] | 0x20);

		if (i % 2 == 0 ? lower < 'a' || lower > 'z' : word[i] != '.')
			return false;
	}
	return true;
}

static bool
starts_with(const char *word, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len > n && mren_ascii_equals(word, prefix, n);
}

static int
lower_case_shape(const char *word, size_t len, bool hyphen)
{
	if (hyphen)
		return MREN_SHAPE_LOWER_COMPOUND;
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
	{
		size_t n = strlen(endings[i].letters);

		/* Two letters must remain, or "ring" and "red" would be endings. */
		if (len >= n + 2 && memcmp(word + len - n, endings[i].letters, n) == 0)
			return endings[i].shape;
	}
	if (len >= 3 && word[len - 1] == 's' && word[len - 2] != 's')
		return MREN_SHAPE_LOWER_S;
	return MREN_SHAPE_LOWER;
}

static int
shape_of_letters(const Profile *profile, const char *word, size_t len)
{
	if (profile->n_ideographs > 0)
		return MREN_SHAPE_IDEOGRAPHS;
	if (profile->n_uncased > 0)
		return MREN_SHAPE_UNCASED;
	if (profile->n_codes == 1)
		return MREN_SHAPE_LETTER;
	if (profile->n_upper == 0)
		return lower_case_shape(word, len, profile->hyphen);
	if (profile->n_lower == 0)
		return MREN_SHAPE_ALL_CAPS;
	if (profile->upper_first && (profile->n_upper == 1 || profile->hyphen))
		return MREN_SHAPE_CAPITALIZED;
	return MREN_SHAPE_MIXED_CASE;
}

/* Not "1.50", which has as many bytes. */
static bool
is_year(const char *word, size_t len)
{
	return len == 4 && (word[0] == '1' || word[0] == '2') && word[1] >= '0' && word[1] <= '9' &&
		   word[2] >= '0' && word[2] <= '9' && word[3] >= '0' && word[3] <= '9';
}

static int
shape_of_profile(const Profile *profile, const char *word, size_t len)
{
	uint32_t n_letters =
		profile->n_upper + profile->n_lower + profile->n_uncased + profile->n_ideographs;

	if (n_letters > 0 && profile->n_digits > 0)
		return MREN_SHAPE_DIGITS;
	if (n_letters > 0)
		return shape_of_letters(profile, word, len);
	if (profile->n_digits > 0)
		return is_year(word, len) ? MREN_SHAPE_YEAR : MREN_SHAPE_NUMBER;
	if (profile->n_codes == 0)
		return MREN_SHAPE_OTHER;
	if (profile->n_punctuation == profile->n_codes)
		return MREN_SHAPE_PUNCTUATION;
	if (profile->n_symbols + profile->n_punctuation == profile->n_codes)
		return MREN_SHAPE_SYMBOL;
	return MREN_SHAPE_OTHER;
}

int
mren_word_shape(const char *word, size_t len)
{
	Profile profile = {0};
	size_t apostrophe = mren_apostrophe_length(word, len);
	size_t at = 0;

	if (starts_with(word, len, "http://") || starts_with(word, len, "https://") ||
		starts_with(word, len, "www."))
		return MREN_SHAPE_URL;
	if (len > 1 && word[0] == '@')
		return MREN_SHAPE_HANDLE;
	if (len > 1 && word[0] == '#')
		return MREN_SHAPE_HASHTAG;
	if (is_dotted(word, len))
		return MREN_SHAPE_INITIALS;
	/* A clitic stands alone: "x" + "'s" has the ending that "'s" is. */
	if ((apostrophe > 0 && len > apostrophe && len - apostrophe <= 2) ||
		(len > 2 && len <= 5 && (word[0] | 0x20) == 'n' &&
		 mren_apostrophe_length(word + 1, len - 1) == len - 2 && (word[len - 1] | 0x20) == 't'))
		return MREN_SHAPE_CLITIC;
	while (at < len)
	{
		uint32_t code;
		size_t n = mren_utf8_decode(word + at, len - at, &code);

		if (n == 0)
			return MREN_SHAPE_OTHER;
		count_code(&profile, code);
		at += n;
	}
	if (profile.at_sign && profile.n_codes > 3)
		return MREN_SHAPE_URL;
	return shape_of_profile(&profile, word, len);
}

const char *
mren_word_shape_name(int shape)
{
	return shape >= 0 && shape < MREN_N_SHAPES ? names[shape] : "unknown";
}
