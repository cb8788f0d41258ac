/*
 * normalizer.c
 *	  The normalizers of tokenizer.json one after the other, and the small ones among them.
 */
#include "transformer/tokenizer/normalizer.h"

#include "transformer/tokenizer/char_class.h"

void
mren_normalizers_free(const MrenEnv *env, MrenNormalizers *normalizers)
{
	for (size_t i = 0; i < normalizers->n; i++)
	{
		MrenNormalizer *normalizer = &normalizers->at[i];

		mren_release(env, normalizer->pattern.text.at);
		mren_release(env, normalizer->content.at);
		mren_release(env, normalizer->map.unit);
		mren_release(env, normalizer->map.text);
	}
	normalizers->n = 0;
}

static MrenStatus
strip_accents(const MrenEnv *env, const MrenSubwordChars *in, MrenSubwordChars *out, MrenError *err)
{
	for (size_t i = 0; i < in->n; i++)
		if (!mren_char_mark(in->at[i].code))
			MREN_TRY(mren_chars_add(env, out, in->at[i].code, &in->at[i], err));
	return MREN_OK;
}

static MrenStatus
strip(const MrenEnv *env, const MrenNormalizer *normalizer, const MrenSubwordChars *in,
	  MrenSubwordChars *out, MrenError *err)
{
	size_t start = 0, end = in->n;

	while (normalizer->strip_left && start < end && mren_char_space(in->at[start].code))
		start++;
	while (normalizer->strip_right && end > start && mren_char_space(in->at[end - 1].code))
		end--;
	for (size_t i = start; i < end; i++)
		MREN_TRY(mren_chars_add(env, out, in->at[i].code, &in->at[i], err));
	return MREN_OK;
}

/*
 * Characters that normalizers may make of one, and beyond that of a text.  Unicode's make at
 * most 18, and Prepend puts up to 256 in; but several Replace could multiply them without end.
 */
#define MOST_OF_ONE 64
#define MOST_PUT_IN 1024

/* How many characters the pattern matches at the beginning; 0: none. */
static size_t
match(const MrenCharPattern *pattern, const MrenSubwordChar *at, size_t n)
{
	size_t len = 0;

	if (pattern->run)
	{
		while (len < n && len < pattern->most &&
			   (pattern->space ? mren_char_space(at[len].code)
							   : at[len].code == pattern->text.at[0].code))
			len++;
		return len >= pattern->least ? len : 0;
	}
	while (len < n && len < pattern->text.n && at[len].code == pattern->text.at[len].code)
		len++;
	return len == pattern->text.n ? len : 0;
}

/* What is put in has the span of the last character that it replaces. */
static MrenStatus
replace(const MrenEnv *env, const MrenNormalizer *normalizer, const MrenSubwordChars *in,
		MrenSubwordChars *out, MrenError *err)
{
	for (size_t i = 0, len; i < in->n; i += len)
	{
		len = match(&normalizer->pattern, in->at + i, in->n - i);
		for (size_t k = 0; k < normalizer->content.n && len > 0; k++)
			MREN_TRY(mren_chars_add(env, out, normalizer->content.at[k].code, &in->at[i + len - 1],
									err));
		if (len > 0)
			continue;
		len = 1;
		MREN_TRY(mren_chars_add(env, out, in->at[i].code, &in->at[i], err));
	}
	return MREN_OK;
}

/* What is put in has the span of the first character. */
static MrenStatus
prepend(const MrenEnv *env, const MrenNormalizer *normalizer, const MrenSubwordChars *in,
		MrenSubwordChars *out, MrenError *err)
{
	for (size_t i = 0; i < normalizer->content.n && in->n > 0; i++)
		MREN_TRY(mren_chars_add(env, out, normalizer->content.at[i].code, &in->at[0], err));
	for (size_t i = 0; i < in->n; i++)
		MREN_TRY(mren_chars_add(env, out, in->at[i].code, &in->at[i], err));
	return MREN_OK;
}

static bool
nmt_removes(uint32_t c)
{
	return (c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F ||
		   c == 0x9F;
}

static bool
nmt_makes_space(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == 0x1680 ||
		   (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
		   c == 0xFEFF || c == 0xFFFD;
}

/* Nmt: control characters removed, several others made a space. */
static MrenStatus
nmt(const MrenEnv *env, const MrenSubwordChars *in, MrenSubwordChars *out, MrenError *err)
{
	for (size_t i = 0; i < in->n; i++)
	{
		uint32_t code = in->at[i].code;

		if (!nmt_removes(code))
			MREN_TRY(mren_chars_add(env, out, nmt_makes_space(code) ? ' ' : code, &in->at[i], err));
	}
	return MREN_OK;
}

static MrenStatus
apply(const MrenEnv *env, const MrenNormalizer *normalizer, const MrenSubwordChars *in,
	  MrenSubwordChars *out, MrenError *err)
{
	out->n = 0;
	switch (normalizer->kind)
	{
		case MREN_NORMALIZER_BERT:
			return mren_bert_normalize(env, &normalizer->bert, in, out, err);
		case MREN_NORMALIZER_NFC:
		case MREN_NORMALIZER_NFD:
		case MREN_NORMALIZER_NFKC:
		case MREN_NORMALIZER_NFKD:
			return mren_unicode_normalize(env, normalizer->kind, in, out, err);
		case MREN_NORMALIZER_LOWERCASE:
			return mren_chars_lower(env, in, out, err);
		case MREN_NORMALIZER_STRIP_ACCENTS:
			return strip_accents(env, in, out, err);
		case MREN_NORMALIZER_STRIP:
			return strip(env, normalizer, in, out, err);
		case MREN_NORMALIZER_REPLACE:
			return replace(env, normalizer, in, out, err);
		case MREN_NORMALIZER_PREPEND:
			return prepend(env, normalizer, in, out, err);
		case MREN_NORMALIZER_NMT:
			return nmt(env, in, out, err);
		case MREN_NORMALIZER_PRECOMPILED:
			return mren_chars_map_apply(env, &normalizer->map, in, out, err);
	}
	return MREN_OK;
}

MrenStatus
mren_normalize(const MrenEnv *env, const MrenNormalizers *normalizers, const MrenSubwordChar *in,
			   size_t n, MrenSubwordChars *out, MrenError *err)
{
	MrenSubwordChars other = {.most = MOST_OF_ONE * n + MOST_PUT_IN};
	MrenStatus status = MREN_OK;

	out->n = 0;
	out->most = other.most;
	for (size_t i = 0; i < n && status == MREN_OK; i++)
		status = mren_chars_add(env, out, in[i].code, &in[i], err);
	for (size_t i = 0; i < normalizers->n && status == MREN_OK; i++)
	{
		MrenSubwordChars swap = *out;

		status = mren_check_interrupts(env, err);
		if (status == MREN_OK)
			status = apply(env, &normalizers->at[i], out, &other, err);
		*out = other;
		other = swap;
	}
	out->most = 0;
	mren_release(env, other.at);
	return status;
}
