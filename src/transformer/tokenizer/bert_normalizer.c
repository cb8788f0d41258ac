/*
 * bert_normalizer.c
 *	  BertNormalizer: clean text, Chinese characters apart, accents off, lower case.
 */
#include "transformer/tokenizer/char_class.h"
#include "transformer/tokenizer/normalizer.h"

MrenStatus
mren_chars_lower(const MrenEnv *env, const MrenSubwordChars *in, MrenSubwordChars *out,
				 MrenError *err)
{
	out->n = 0;
	for (size_t i = 0; i < in->n; i++)
	{
		const MrenSubwordChar *at = &in->at[i];

		if (i % 65536 == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		if (at->code != 0x130) /* the one letter whose lower case is two code points */
		{
			MREN_TRY(mren_chars_add(env, out, mren_char_lower(at->code), at, err));
			continue;
		}
		MREN_TRY(mren_chars_add(env, out, 'i', at, err));
		MREN_TRY(mren_chars_add(env, out, 0x307, at, err));
	}
	return MREN_OK;
}

static MrenStatus
clean(const MrenEnv *env, const MrenBertNormalizer *normalizer, const MrenSubwordChar *in,
	  MrenSubwordChars *out, MrenError *err)
{
	uint32_t code = in->code;

	if (normalizer->clean_text)
	{
		if (mren_char_unclean(code))
			return MREN_OK;
		if (mren_char_space(code))
			code = ' ';
	}
	if (!normalizer->chinese_chars || !mren_char_chinese(code))
		return mren_chars_add(env, out, code, in, err);
	MREN_TRY(mren_chars_add(env, out, ' ', in, err));
	MREN_TRY(mren_chars_add(env, out, code, in, err));
	return mren_chars_add(env, out, ' ', in, err);
}

/* Canonical decomposition, from which accents are then taken. */
static MrenStatus
strip_accents(const MrenEnv *env, const MrenSubwordChars *in, MrenSubwordChars *out, MrenError *err)
{
	size_t kept = 0;

	MREN_TRY(mren_unicode_normalize(env, MREN_NORMALIZER_NFD, in, out, err));
	for (size_t i = 0; i < out->n; i++)
		if (!mren_char_nonspacing_mark(out->at[i].code))
			out->at[kept++] = out->at[i];
	out->n = kept;
	return MREN_OK;
}

MrenStatus
mren_bert_normalize(const MrenEnv *env, const MrenBertNormalizer *normalizer,
					const MrenSubwordChars *in, MrenSubwordChars *out, MrenError *err)
{
	MrenSubwordChars other = {0};
	MrenStatus status = MREN_OK;

	out->n = 0;
	for (size_t i = 0; i < in->n; i++)
	{
		if (i % 65536 == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		MREN_TRY(clean(env, normalizer, &in->at[i], out, err));
	}
	for (int step = 0; step < 2 && status == MREN_OK; step++)
	{
		MrenSubwordChars swap = *out;

		if (step == 0 ? !normalizer->strip_accents : !normalizer->lowercase)
			continue;
		if (step == 0)
			status = strip_accents(env, out, &other, err);
		else
			status = mren_chars_lower(env, out, &other, err);
		*out = other;
		other = swap;
	}
	mren_release(env, other.at);
	return status;
}
