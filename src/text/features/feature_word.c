/*
 * feature_word.c
 *	  A word folded, and its beginning and end in code points.
 */
#include "text/features/feature_word.h"

#include <string.h>

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "text/features/features.h"

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
		for (len = MREN_MAX_WORD; mren_utf8_continues(word[len]);)
			len--;
	}
	if (!mren_ascii_only(word, len))
	{
		fold_wide(word, len, out);
		return;
	}
	mren_ascii_lower(word, len, out->text);
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
		n -= !mren_utf8_continues(folded->text[at]);
	}
	return at;
}
