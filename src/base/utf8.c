/*
 * utf8.c
 *	  Decoding, checking and counting UTF-8.
 */
#include "base/utf8.h"

#include <string.h>

size_t
mren_utf8_decode_long(const char *text, size_t len, uint32_t *code)
{
	const unsigned char *s = (const unsigned char *) text;
	uint32_t c = s[0];

	if (c < 0x80)
	{
		*code = c;
		return 1;
	}
	if (c < 0xE0)
	{
		if (c < 0xC2 || len < 2 || !mren_utf8_continues(text[1]))
			return 0;
		*code = (c & 0x1F) << 6 | (s[1] & 0x3F);
		return 2;
	}
	if (c < 0xF0)
	{
		if (len < 3 || !mren_utf8_continues(text[1]) || !mren_utf8_continues(text[2]))
			return 0;
		c = (c & 0x0F) << 12 | (uint32_t) (s[1] & 0x3F) << 6 | (s[2] & 0x3F);
		if (c < 0x800 || (c >= 0xD800 && c <= 0xDFFF))
			return 0;
		*code = c;
		return 3;
	}
	if (c > 0xF4 || len < 4 || !mren_utf8_continues(text[1]) || !mren_utf8_continues(text[2]) ||
		!mren_utf8_continues(text[3]))
		return 0;
	c = (c & 0x07) << 18 | (uint32_t) (s[1] & 0x3F) << 12 | (uint32_t) (s[2] & 0x3F) << 6 |
		(s[3] & 0x3F);
	if (c < 0x10000 || c > 0x10FFFF)
		return 0;
	*code = c;
	return 4;
}

size_t
mren_utf8_encode(uint32_t code, char *text)
{
	if (code < 0x80)
	{
		text[0] = (char) code;
		return 1;
	}
	if (code < 0x800)
	{
		text[0] = (char) (0xC0 | code >> 6);
		text[1] = (char) (0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000)
	{
		text[0] = (char) (0xE0 | code >> 12);
		text[1] = (char) (0x80 | (code >> 6 & 0x3F));
		text[2] = (char) (0x80 | (code & 0x3F));
		return 3;
	}
	text[0] = (char) (0xF0 | code >> 18);
	text[1] = (char) (0x80 | (code >> 12 & 0x3F));
	text[2] = (char) (0x80 | (code >> 6 & 0x3F));
	text[3] = (char) (0x80 | (code & 0x3F));
	return 4;
}

bool
mren_utf8_valid(const char *text, size_t len, size_t *bad)
{
	size_t at = 0;

	while (at < len)
	{
		uint32_t code;
		size_t n = mren_utf8_decode(text + at, len - at, &code);

		if (n == 0)
		{
			if (bad != NULL)
				*bad = at;
			return false;
		}
		at += n;
	}
	return true;
}

size_t
mren_utf8_length(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += !mren_utf8_continues(text[i]);
	return n;
}

size_t
mren_utf8_offset(const char *text, size_t len, size_t n)
{
	for (size_t i = 0; i < len; i++)
	{
		if (!mren_utf8_continues(text[i]) && n-- == 0)
			return i;
	}
	return len;
}

bool
mren_ascii_equals(const char *text, const char *lower, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		char c = text[i] >= 'A' && text[i] <= 'Z' ? (char) (text[i] | 0x20) : text[i];

		if (c != lower[i])
			return false;
	}
	return true;
}

MrenExcerpt
mren_utf8_excerpt(const char *text, size_t len)
{
	const size_t room = MREN_EXCERPT_SIZE - 4;
	MrenExcerpt excerpt;
	size_t at = 0;
	size_t used = 0;

	while (at < len)
	{
		uint32_t code;
		size_t n = mren_utf8_decode(text + at, len - at, &code);
		bool plain = n > 0 && code >= 0x20 && code != 0x7F;
		size_t width = plain ? n : 1;

		if (used + width > room)
		{
			memcpy(excerpt.text + used, "...", 3);
			used += 3;
			break;
		}
		if (plain)
			memcpy(excerpt.text + used, text + at, n);
		else
			excerpt.text[used] = '?';
		used += width;
		at += n > 0 ? n : 1;
	}
	excerpt.text[used] = '\0';
	return excerpt;
}
