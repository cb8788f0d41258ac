/*
 * icu.h
 *	  What the callers of ICU share: text as UTF-16, plain punctuation, errors.
 */
#ifndef MREN_TEXT_ICU_H
#define MREN_TEXT_ICU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <unicode/utypes.h>

#include "base/status.h"

/*
 * A stretch of a text as ICU takes it.  The caller owns the arrays, which have
 * room for two units for each code point, and one more entry of bytes and chars.
 */
typedef struct MrenIcuText
{
	UChar *units;	 /* (n) UTF-16 */
	uint32_t *bytes; /* (n + 1): the byte of the text where each unit's code point begins, */
	uint32_t *chars; /* (n + 1): and the number of code points before it; last, the end */
	size_t n;
} MrenIcuText;

/* Appends the code point at that byte, with so many code points before it. */
extern void mren_icu_text_append(MrenIcuText *text, uint32_t code, size_t byte, uint32_t chars);
extern void mren_icu_text_end(MrenIcuText *text, size_t byte, uint32_t chars);

/* White space, control and format characters: what no token consists of. */
extern bool mren_icu_is_blank(uint32_t code);

/*
 * mren_icu_plain_punctuation
 *	  In place: U+2018, U+2019 and U+02BC become the ASCII apostrophe, U+2010 and
 *	  U+2011 the ASCII hyphen.
 */
extern void mren_icu_plain_punctuation(UChar *units, int32_t n);

/*
 * mren_icu_fail
 *	  "what: ICU's name of the error"; MREN_ENOMEM where ICU had no memory, else status.
 */
extern MrenStatus mren_icu_fail(MrenError *err, MrenStatus status, const char *what,
								UErrorCode code);

#endif
