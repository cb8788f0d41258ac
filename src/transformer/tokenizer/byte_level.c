/*
 * byte_level.c
 *	  ByteLevel: words by GPT-2's pattern, each byte of them as a letter of its own.
 *
 * The pattern, its alternatives tried in this order: an English contraction; letters; numbers;
 * other characters but white space, each of these after at most one space; white space but
 * for its last character where something else follows; white space.
 */
#include "base/utf8.h"
#include "transformer/tokenizer/char_class.h"
#include "transformer/tokenizer/subword_parts.h"

/* The letter that stands for a byte: itself if it can be printed, else one from 0x100 on. */
static uint32_t
letter_of_byte(uint8_t byte)
{
	if ((byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD))
		return byte;
	if (byte <= ' ')
		return 0x100u + byte;
	return byte == 0xAD ? 0x143 : 0x100u + 33 + (byte - 0x7F);
}

/* Length of the contraction at the beginning; 0: none. */
static size_t
contraction(const MrenSubwordChar *at, size_t n)
{
	static const char *const endings[] = {"s", "t", "re", "ve", "m", "ll", "d"};

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]) && at[0].code == '\''; i++)
	{
		size_t len = 0;

		while (endings[i][len] != '\0' && len + 1 < n &&
			   at[len + 1].code == (uint32_t) endings[i][len])
			len++;
		if (endings[i][len] == '\0')
			return len + 1;
	}
	return 0;
}

typedef enum Class
{
	SPACE,
	LETTER,
	NUMBER,
	OTHER,
} Class;

static Class
class_of(uint32_t code)
{
	if (mren_char_letter(code))
		return LETTER;
	if (mren_char_number(code))
		return NUMBER;
	return mren_char_space(code) ? SPACE : OTHER;
}

/* Characters of the first word; n > 0. */
static size_t
word_length(const MrenSubwordChar *at, size_t n)
{
	size_t len = contraction(at, n);
	size_t first = at[0].code == ' ' && n > 1;
	Class class;

	if (len > 0)
		return len;
	class = class_of(at[first].code);
	if (class == SPACE)
		first = 0;
	len = first + 1;
	class = class_of(at[first].code);
	while (len < n && class_of(at[len].code) == class)
		len++;
	if (class == SPACE && len < n && len > 1)
		len--;
	return len;
}

static MrenStatus
write_bytes(MrenEncoding *e, const MrenSubwordChar *at, size_t n, MrenSubwordChars *out)
{
	char bytes[4];

	for (size_t i = 0; i < n; i++)
	{
		size_t len = mren_utf8_encode(at[i].code, bytes);

		for (size_t k = 0; k < len; k++)
			MREN_TRY(
				mren_chars_add(e->env, out, letter_of_byte((uint8_t) bytes[k]), &at[i], e->err));
	}
	return mren_encoding_work(e, n);
}

/* The n characters from `at` on, after a space that has the span of the first one. */
static MrenStatus
write_prefixed(MrenEncoding *e, const MrenSubwordChar *at, size_t n)
{
	e->prefixed.n = 0;
	MREN_TRY(mren_chars_add(e->env, &e->prefixed, ' ', &at[0], e->err));
	for (size_t i = 0; i < n; i++)
		MREN_TRY(mren_chars_add(e->env, &e->prefixed, at[i].code, &at[i], e->err));
	return MREN_OK;
}

MrenStatus
mren_byte_level(MrenEncoding *e, size_t step, const MrenSubwordChar *at, size_t n)
{
	const MrenPreTokenizer *pre = &e->tokenizer->pre_tokenizer[step];
	MrenSubwordChars *out = &e->written[step];

	if (pre->prepend == MREN_PREPEND_ALWAYS && at[0].code != ' ')
	{
		MREN_TRY(write_prefixed(e, at, n));
		at = e->prefixed.at;
		n = e->prefixed.n;
	}
	for (size_t i = 0, len; i < n; i += len)
	{
		out->n = 0;
		len = pre->split ? word_length(at + i, n - i) : n;
		MREN_TRY(write_bytes(e, at + i, len, out));
		MREN_TRY(mren_pre_tokenize(e, step + 1, out->at, out->n));
	}
	return MREN_OK;
}
