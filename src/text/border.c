/*
 * border.c
 *	  Borders of tokens, those inside tokens that count as well, and spans that
 *	  do not keep to them.
 */
#include "text/border.h"

#include <string.h>

#include <unicode/uchar.h>

#include "base/utf8.h"
#include "text/clitic.h"
#include "text/script.h"

size_t
mren_token_before(const MrenTokens *tokens, size_t at)
{
	size_t low = 0;
	size_t high = tokens->n;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;

		if (tokens->items[middle].start <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? low - 1 : tokens->n;
}

uint32_t
mren_code_before(const char *text, size_t at)
{
	size_t start = at - 1;
	uint32_t code = 0;

	while (start > 0 && mren_utf8_continues(text[start]))
		start--;
	mren_utf8_decode(text + start, at - start, &code);
	return code;
}

/* Whether byte `at`, inside the token, may begin or end a mention all the same. */
static bool
is_soft_border(const char *text, MrenToken token, size_t at)
{
	uint32_t code = 0;

	if (mren_clitic_length(text + token.start, token.end - token.start) == token.end - at)
		return true;
	mren_utf8_decode(text + at, token.end - at, &code);
	return mren_script_is_spaceless(code) && mren_script_is_spaceless(mren_code_before(text, at)) &&
		   u_getIntPropertyValue((UChar32) code, UCHAR_WORD_BREAK) != U_WB_EXTEND;
}

bool
mren_is_border(MrenTextSpan text, const MrenTokens *tokens, size_t at)
{
	size_t number = mren_token_before(tokens, at);
	MrenToken token;

	if (number == tokens->n)
		return true;
	token = tokens->items[number];
	return at == token.start || at >= token.end || is_soft_border(text.data, token, at);
}

/*
 * Spans
 */

#define NOWHERE SIZE_MAX

/* The byte at which character `at` begins, or the text's end; NOWHERE beyond it. */
static size_t
byte_of_char(MrenTextSpan text, int64_t at)
{
	size_t byte = 0;

	if (at < 0)
		return NOWHERE;
	for (int64_t i = 0; i < at; i++)
	{
		if (byte == text.len)
			return NOWHERE;
		byte++;
		while (byte < text.len && mren_utf8_continues(text.data[byte]))
			byte++;
	}
	return byte;
}

/* The same for a UTF-16 code unit; NOWHERE within a surrogate pair, too. */
static size_t
byte_of_unit(MrenTextSpan text, int64_t at)
{
	size_t byte = 0;
	int64_t units = 0;

	while (units < at && byte < text.len)
	{
		/* Four bytes of UTF-8 are two code units. */
		units += ((unsigned char) text.data[byte] & 0xF8) == 0xF0 ? 2 : 1;
		byte++;
		while (byte < text.len && mren_utf8_continues(text.data[byte]))
			byte++;
	}
	return units == at ? byte : NOWHERE;
}

static size_t
byte_of_byte(MrenTextSpan text, int64_t at)
{
	size_t byte = (size_t) at;

	if (byte > text.len || (byte < text.len && mren_utf8_continues(text.data[byte])))
		return NOWHERE;
	return byte;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_name(const MrenTextWithSpan *with, size_t start, size_t end)
{
	return with->name.len == end - start &&
		   memcmp(with->text.data + start, with->name.data, with->name.len) == 0;
}

/* Whether bytes start .. end - 1 can be what is meant. */
static bool
fits(const MrenTextWithSpan *with, size_t start, size_t end)
{
	const char *text = with->text.data;

	if (start == NOWHERE || end == NOWHERE || start >= end || is_blank(text[start]) ||
		is_blank(text[end - 1]))
		return false;
	if (with->name.data != NULL)
		return is_name(with, start, end);
	return mren_is_border(with->text, with->tokens, start) &&
		   mren_is_border(with->text, with->tokens, end);
}

static bool
has_name(const MrenTextWithSpan *with)
{
	return with->name.data != NULL && with->name.len > 0 &&
		   memmem(with->text.data, with->text.len, with->name.data, with->name.len) != NULL;
}

bool
mren_span_slip(const MrenTextWithSpan *with, MrenSpanSlip *slip)
{
	MrenTextSpan text = with->text;
	int64_t lower = with->lower;
	int64_t upper = with->upper;
	size_t start = byte_of_char(text, lower);
	size_t end = byte_of_char(text, upper);
	bool at_start;
	bool at_end;

	if (lower >= upper || start == NOWHERE || end == NOWHERE)
		return false;
	at_start = !mren_is_border(text, with->tokens, start);
	at_end = !mren_is_border(text, with->tokens, end);
	*slip = (MrenSpanSlip){.span = {text.data + start, (uint32_t) (end - start)}};
	if (at_start || at_end)
	{
		MrenToken word =
			with->tokens->items[mren_token_before(with->tokens, at_start ? start : end)];

		slip->word = (MrenTextSpan){text.data + word.start, word.end - word.start};
	}
	else if (is_name(with, start, end) || !has_name(with))
		return false;
	slip->fits[MREN_SPAN_INCLUSIVE] = fits(with, start, byte_of_char(text, upper + 1));
	slip->fits[MREN_SPAN_ONE_BASED] =
		fits(with, byte_of_char(text, lower - 1), byte_of_char(text, upper - 1));
	slip->fits[MREN_SPAN_ONE_BASED_INCLUSIVE] = fits(with, byte_of_char(text, lower - 1), end);
	slip->fits[MREN_SPAN_UTF16] = fits(with, byte_of_unit(text, lower), byte_of_unit(text, upper));
	slip->fits[MREN_SPAN_BYTES] = fits(with, byte_of_byte(text, lower), byte_of_byte(text, upper));
	return true;
}
