/*
 * char_class.c
 *	  Classes of characters, each of a fixed Unicode version.
 */
#include "transformer/tokenizer/char_class.h"

#include <stddef.h>

#include <unicode/uchar.h>

typedef struct Range
{
	uint32_t first;
	uint32_t last;
} Range;

/* Characters that Unicode 16 has and Unicode 15 has not. */
static const Range newer_letters[] = {
	{0x1C89, 0x1C8A},	{0xA7CB, 0xA7CD},	{0xA7DA, 0xA7DC},	{0x105C0, 0x105F3},
	{0x10D4A, 0x10D65}, {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4}, {0x11380, 0x11389},
	{0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7},
	{0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0}, {0x13460, 0x143FA},
	{0x16100, 0x1611D}, {0x16D40, 0x16D6C}, {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED},
	{0x1E5F0, 0x1E5F0}, {0x2EBF0, 0x2EE5D},
};

static const Range newer_numbers[] = {
	{0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9}, {0x16130, 0x16139},
	{0x16D70, 0x16D79}, {0x1CCF0, 0x1CCF9}, {0x1E5F1, 0x1E5FA},
};

static const Range newer_word[] = {
	{0x0897, 0x0897},	{0x1C89, 0x1C8A},	{0xA7CB, 0xA7CD},	{0xA7DA, 0xA7DC},
	{0x105C0, 0x105F3}, {0x10D40, 0x10D65}, {0x10D69, 0x10D6D}, {0x10D6F, 0x10D85},
	{0x10EC2, 0x10EC4}, {0x10EFC, 0x10EFC}, {0x11380, 0x11389}, {0x1138B, 0x1138B},
	{0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113C0}, {0x113C2, 0x113C2},
	{0x113C5, 0x113C5}, {0x113C7, 0x113CA}, {0x113CC, 0x113D3}, {0x113E1, 0x113E2},
	{0x116D0, 0x116E3}, {0x11BC0, 0x11BE0}, {0x11BF0, 0x11BF9}, {0x11F5A, 0x11F5A},
	{0x13460, 0x143FA}, {0x16100, 0x16139}, {0x16D40, 0x16D6C}, {0x16D70, 0x16D79},
	{0x18CFF, 0x18CFF}, {0x1CCF0, 0x1CCF9}, {0x1E5D0, 0x1E5FA}, {0x2EBF0, 0x2EE5D},
};

#define IN(table, code) in_ranges(table, sizeof(table) / sizeof((table)[0]), code)

static bool
in_ranges(const Range *range, size_t n, uint32_t code)
{
	size_t low = 0;

	while (n > 0)
	{
		size_t half = n / 2;

		if (code < range[low + half].first)
			n = half;
		else if (code <= range[low + half].last)
			return true;
		else
		{
			low += half + 1;
			n -= half + 1;
		}
	}
	return false;
}

bool
mren_char_known_by(uint32_t code, int version)
{
	UVersionInfo age;

	u_charAge((UChar32) code, age);
	return age[0] != 0 && age[0] <= version;
}

bool
mren_char_space(uint32_t code)
{
	if (code < 0x80)
		return code == ' ' || (code >= '\t' && code <= '\r');
	return u_isUWhiteSpace((UChar32) code);
}

static bool
ascii_letter(uint32_t code)
{
	return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
}

static bool
ascii_digit(uint32_t code)
{
	return code >= '0' && code <= '9';
}

bool
mren_char_word(uint32_t code)
{
	UChar32 c = (UChar32) code;

	if (code < 0x80)
		return ascii_letter(code) || ascii_digit(code) || code == '_';
	if (!u_isUAlphabetic(c) && !(U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) &&
		!u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL))
		return IN(newer_word, code);
	return mren_char_known_by(code, 16);
}

bool
mren_char_letter(uint32_t code)
{
	if (code < 0x80)
		return ascii_letter(code);
	if (!(U_GET_GC_MASK((UChar32) code) & U_GC_L_MASK))
		return IN(newer_letters, code);
	return mren_char_known_by(code, 16);
}

bool
mren_char_number(uint32_t code)
{
	if (code < 0x80)
		return ascii_digit(code);
	if (!(U_GET_GC_MASK((UChar32) code) & U_GC_N_MASK))
		return IN(newer_numbers, code);
	return mren_char_known_by(code, 16);
}

bool
mren_char_punctuation(uint32_t code)
{
	if (code < 0x80)
		return code > ' ' && code < 127 && !ascii_letter(code) && !ascii_digit(code);
	if (code == 0x166D || code == 0x111C9)
		return true;
	return (U_GET_GC_MASK((UChar32) code) & U_GC_P_MASK) && mren_char_known_by(code, 8);
}

bool
mren_char_nonspacing_mark(uint32_t code)
{
	if (code < 0x300)
		return false;
	if (code == 0x1885 || code == 0x1886 || code == 0xA9BD || code == 0x111C9)
		return false; /* marks since Unicode 9 only */
	return code == 0x1734 ||
		   (u_charType((UChar32) code) == U_NON_SPACING_MARK && mren_char_known_by(code, 8));
}

bool
mren_char_mark(uint32_t code)
{
	if (code < 0x300 || code == 0x111C9)
		return false;
	return code == 0x1CF2 || code == 0x1CF3 ||
		   ((U_GET_GC_MASK((UChar32) code) & U_GC_M_MASK) && mren_char_known_by(code, 9));
}

bool
mren_char_unclean(uint32_t code)
{
	if (code < 0x80)
		return (code < 32 && code != '\t' && code != '\n' && code != '\r') || code == 127;
	switch (u_charType((UChar32) code))
	{
		case U_CONTROL_CHAR:
		case U_PRIVATE_USE_CHAR:
			return true;
		case U_FORMAT_CHAR:
			return mren_char_known_by(code, 8);
		default:
			return code == 0xFFFD;
	}
}

bool
mren_char_chinese(uint32_t c)
{
	return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
		   (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
		   (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
		   (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

bool
mren_char_joins_piece(uint32_t code)
{
	if (mren_char_unclean(code))
		return true;
	if (code < 0x300)
		return false;
	switch (u_getIntPropertyValue((UChar32) code, UCHAR_HANGUL_SYLLABLE_TYPE))
	{
		case U_HST_VOWEL_JAMO:
		case U_HST_TRAILING_JAMO:
			return true;
		default:
			return U_GET_GC_MASK((UChar32) code) & U_GC_M_MASK;
	}
}

/* Lower-case letters that Unicode 15 does not know; others as they are. */
static uint32_t
newer_lower(uint32_t c)
{
	switch (c)
	{
		case 0x1C89:
			return 0x1C8A;
		case 0xA7CB:
			return 0x0264;
		case 0xA7DC:
			return 0x019B;
		case 0xA7CC:
		case 0xA7CE:
		case 0xA7D2:
		case 0xA7D4:
		case 0xA7DA:
			return c + 1;
	}
	if (c >= 0x10D50 && c <= 0x10D65)
		return c + 0x20;
	if (c >= 0x16EA0 && c <= 0x16EB8)
		return c + 0x1B;
	return c;
}

uint32_t
mren_char_lower(uint32_t code)
{
	if (code < 0x80)
		return code >= 'A' && code <= 'Z' ? code | 0x20 : code;
	if (code == 0x130)
		return code;
	if (newer_lower(code) != code)
		return newer_lower(code);
	return (uint32_t) u_tolower((UChar32) code);
}
