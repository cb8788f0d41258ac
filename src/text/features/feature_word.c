/*
 * feature_word.c
 *	  A word folded, and its beginning and end in code points.
 */
#include "text/features/feature_word.h"

#include <stdbool.h>
#include <string.h>

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/hash.h"
#include "text/features/features.h"
#include "base/utf8.h"

static bool
is_ascii(const char *word, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char) word[i];
	return all < 0x80;
}

/* NFKC_Casefold; a word that cannot be folded stays as it is. */
static void
fold_wide(const char *word, size_t len, MrenFeatureText *out)
{
	UErrorCode code = U_ZERO_ERROR;
	const UNormalizer2 *fold = unorm2_getNFKCCasefoldInstance(&code);
	UChar wide[MREN_MAX_WORD];
	UChar folded[MREN_MAX_WORD];
	int32_t n = 0;
	int32_t n_out = 0;

	u_strFromUTF8(wide, MREN_MAX_WORD, &n, word, (int32_t) len, &code);
	n = U_SUCCESS(code) ? unorm2_normalize(fold, wide, n, folded, MREN_MAX_WORD, &code) : 0;
	u_strToUTF8(out->text, sizeof(out->text), &n_out, folded, n, &code);
	if (U_SUCCESS(code) && n_out > 0)
	{
		out->len = (size_t) n_out;
		return;
	}
	memcpy(out->text, word, len);
	out->len = len;
}

void
mren_feature_fold(const char *word, size_t len, MrenFeatureText *out)
{
	/* Of a word longer than any, the beginning, cut at a character. */
	if (len > MREN_MAX_WORD)
	{
		for (len = MREN_MAX_WORD; ((unsigned char) word[len] & 0xC0) == 0x80;)
			len--;
	}
	if (!is_ascii(word, len))
	{
		fold_wide(word, len, out);
		return;
	}
	for (size_t i = 0; i < len; i++)
	{
		char c = word[i];

		out->text[i] = c >= 'A' && c <= 'Z' ? (char) (c | 0x20) : c;
	}
	out->len = len;
}

uint64_t
mren_feature_word(const char *word, size_t len)
{
	MrenFeatureText folded;

	mren_feature_fold(word, len, &folded);
	return mren_hash64(folded.text, folded.len, 0);
}

size_t
mren_feature_first(const MrenFeatureText *folded, size_t n)
{
	return mren_utf8_offset(folded->text, folded->len, n);
}

size_t
mren_feature_last(const MrenFeatureText *folded, size_t n)
{
	size_t at = folded->len;

	while (at > 0 && n > 0)
	{
		at--;
		n -= ((unsigned char) folded->text[at] & 0xC0) != 0x80;
	}
	return at;
}
