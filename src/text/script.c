/*
 * script.c
 *	  Scripts without spaces, by ICU's script property.
 */
#include "text/script.h"

#include <stddef.h>

#include <unicode/uchar.h>
#include <unicode/uscript.h>

bool
mren_script_is_spaceless(uint32_t code)
{
	static const UScriptCode scripts[] = {USCRIPT_HAN,	  USCRIPT_HIRAGANA, USCRIPT_KATAKANA,
										  USCRIPT_THAI,	  USCRIPT_LAO,		USCRIPT_KHMER,
										  USCRIPT_MYANMAR};

	if (code < 0x0E00)
		return false;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++)
	{
		if (uscript_hasScript((UChar32) code, scripts[i]))
			return true;
	}
	return false;
}

bool
mren_script_extends(uint32_t code)
{
	int32_t property = u_getIntPropertyValue((UChar32) code, UCHAR_WORD_BREAK);

	return property == U_WB_EXTEND || property == U_WB_FORMAT || property == U_WB_ZWJ;
}
