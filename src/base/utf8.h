/*
 * utf8.h
 *	  UTF-8 one code point at a time, ASCII case, and excerpts for messages.
 *
 * Valid means RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF.  Nothing here allocates.
 */
#ifndef MREN_BASE_UTF8_H
#define MREN_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for an excerpt: at most 64 bytes of text, "..." and the final NUL. */
#define MREN_EXCERPT_SIZE 68

typedef struct MrenExcerpt
{
	char text[MREN_EXCERPT_SIZE];
} MrenExcerpt;

/*
 * Reads the code point at text[0]; len > 0 bytes are there.  Returns its
 * length in bytes, 0 when the bytes are no valid code point.
 */
extern size_t mren_utf8_decode_long(const char *text, size_t len, uint32_t *code);

static inline size_t
mren_utf8_decode(const char *text, size_t len, uint32_t *code)
{
	if ((unsigned char) text[0] < 0x80)
	{
		*code = (unsigned char) text[0];
		return 1;
	}
	return mren_utf8_decode_long(text, len, code);
}

/* Writes code (a scalar value) and returns its length, 1 to 4 bytes. */
extern size_t mren_utf8_encode(uint32_t code, char *text);

/* Whether all bytes are valid; *bad (may be NULL) is the first that is not. */
extern bool mren_utf8_valid(const char *text, size_t len, size_t *bad);

/* Code points in valid text: bytes that do not continue one. */
extern size_t mren_utf8_length(const char *text, size_t len);

/* Byte offset of the code point number n, len when there are no more than n. */
extern size_t mren_utf8_offset(const char *text, size_t len, size_t n);

/* Whether the byte continues a code point, that is, does not begin one. */
static inline bool
mren_utf8_continues(char byte)
{
	return ((unsigned char) byte & 0xC0) == 0x80;
}

static inline bool
mren_ascii_only(const char *text, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char) text[i];
	return all < 0x80;
}

/* Whether all bytes are printable ASCII. */
static inline bool
mren_ascii_printable(const uint8_t *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && bytes[n] >= ' ' && bytes[n] <= '~')
		n++;
	return n == len;
}

/* len bytes into out (which may be text), ASCII letters in lower case, others as they are. */
static inline void
mren_ascii_lower(const char *text, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char) (text[i] | 0x20) : text[i];
}

/* Whether n bytes equal the lower-case ASCII ones but for case, in any locale. */
extern bool mren_ascii_equals(const char *text, const char *lower, size_t n);

/*
 * A value as a message shows it: whole when short, else its beginning, cut at
 * a character, and "...".  Bytes that are not UTF-8, and control characters,
 * become "?".
 */
extern MrenExcerpt mren_utf8_excerpt(const char *text, size_t len);

#endif
