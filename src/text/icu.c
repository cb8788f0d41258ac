/*
 * icu.c
 *	  Text and errors between UTF-8 and ICU.
 */
#include "text/icu.h"

#include <unicode/uchar.h>

static void
append_unit(MrenIcuText *text, UChar unit, size_t byte, uint32_t chars)
{
	text->units[text->n] = unit;
	text->bytes[text->n] = (uint32_t) byte;
	text->chars[text->n] = chars;
	text->n++;
}

void
mren_icu_text_append(MrenIcuText *text, uint32_t code, size_t byte, uint32_t chars)
{
	if (code < 0x10000)
	{
		append_unit(text, (UChar) code, byte, chars);
		return;
	}
	append_unit(text, U16_LEAD(code), byte, chars);
	append_unit(text, U16_TRAIL(code), byte, chars);
}

void
mren_icu_text_end(MrenIcuText *text, size_t byte, uint32_t chars)
{
	text->bytes[text->n] = (uint32_t) byte;
	text->chars[text->n] = chars;
}

bool
mren_icu_is_blank(uint32_t code)
{
	int8_t type;

	if (u_isUWhiteSpace((UChar32) code))
		return true;
	type = u_charType((UChar32) code);
	return type == U_CONTROL_CHAR || type == U_FORMAT_CHAR;
}

void
mren_icu_plain_punctuation(UChar *units, int32_t n)
{
	for (int32_t i = 0; i < n; i++)
	{
		if (units[i] == 0x2019 || units[i] == 0x2018 || units[i] == 0x02BC)
			units[i] = '\'';
		else if (units[i] == 0x2010 || units[i] == 0x2011)
			units[i] = '-';
	}
}

MrenStatus
mren_icu_fail(MrenError *err, MrenStatus status, const char *what, UErrorCode code)
{
	if (code == U_MEMORY_ALLOCATION_ERROR)
		return mren_fail_nomem(err);
	return mren_fail(err, status, "%s: %s", what, u_errorName(code));
}
