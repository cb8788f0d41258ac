/*
 * pre_tokenizer.c
 *	  The pre-tokenizers of tokenizer.json, which split a text into words.
 *
 * Each step hands every part on to the next one before it looks for another, so that the
 * pieces come in the order of the text.
 */
#include "transformer/tokenizer/char_class.h"
#include "transformer/tokenizer/subword_parts.h"

static MrenStatus
encode_word(MrenEncoding *e, const MrenSubwordChar *at, size_t n)
{
	switch (e->tokenizer->model)
	{
		case MREN_MODEL_WORDPIECE:
			return mren_wordpiece_encode(e, at, n);
		case MREN_MODEL_BPE:
			return mren_bpe_encode(e, at, n);
		case MREN_MODEL_UNIGRAM:
			return mren_unigram_encode(e, at, n);
	}
	return MREN_OK;
}

/* The next step for a part of the text. */
static MrenStatus
pass_on(MrenEncoding *e, size_t step, const MrenSubwordChar *at, size_t start, size_t end)
{
	return end > start ? mren_pre_tokenize(e, step + 1, at + start, end - start) : MREN_OK;
}

/* Where the part that begins at `start` ends. */
static size_t
part_end(MrenSplitBehavior behavior, bool (*matches)(uint32_t), const MrenSubwordChar *at, size_t n,
		 size_t start)
{
	bool first = matches(at[start].code);
	size_t end = start + 1;

	switch (behavior)
	{
		case MREN_SPLIT_REMOVED:
		case MREN_SPLIT_ISOLATED:
			while (!first && end < n && !matches(at[end].code))
				end++;
			return end;
		case MREN_SPLIT_CONTIGUOUS:
			while (end < n && matches(at[end].code) == first)
				end++;
			return end;
		case MREN_SPLIT_MERGED_WITH_PREVIOUS:
			while (!first && end < n && !matches(at[end].code))
				end++;
			return !first && end < n ? end + 1 : end;
		case MREN_SPLIT_MERGED_WITH_NEXT:
			while (end < n && !matches(at[end].code))
				end++;
			return end;
	}
	return n;
}

/* Splits at the characters of a class. */
static MrenStatus
split_class(MrenEncoding *e, size_t step, MrenSplitBehavior behavior, bool (*matches)(uint32_t),
			const MrenSubwordChar *at, size_t n)
{
	for (size_t i = 0, end; i < n; i = end)
	{
		end = part_end(behavior, matches, at, n, i);
		MREN_TRY(mren_encoding_work(e, end - i));
		if (behavior != MREN_SPLIT_REMOVED || !matches(at[i].code))
			MREN_TRY(pass_on(e, step, at, i, end));
	}
	return MREN_OK;
}

/* White space is removed, punctuation is apart. */
static MrenStatus
split_bert(MrenEncoding *e, size_t step, const MrenSubwordChar *at, size_t n)
{
	for (size_t i = 0, end; i < n; i = end)
	{
		end = i + 1;
		if (mren_char_space(at[i].code))
			continue;
		if (!mren_char_punctuation(at[i].code))
			while (end < n && !mren_char_space(at[end].code) &&
				   !mren_char_punctuation(at[end].code))
				end++;
		MREN_TRY(pass_on(e, step, at, i, end));
	}
	return MREN_OK;
}

/* White space is removed; runs of word characters and of others are apart. */
static MrenStatus
split_whitespace(MrenEncoding *e, size_t step, const MrenSubwordChar *at, size_t n)
{
	for (size_t i = 0, end; i < n; i = end)
	{
		bool word = mren_char_word(at[i].code);

		end = i + 1;
		if (!word && mren_char_space(at[i].code))
			continue;
		while (end < n && mren_char_word(at[end].code) == word &&
			   (word || !mren_char_space(at[end].code)))
			end++;
		MREN_TRY(pass_on(e, step, at, i, end));
	}
	return MREN_OK;
}

/* Spaces become the replacement, before which the text is then split. */
static MrenStatus
metaspace(MrenEncoding *e, size_t step, const MrenSubwordChar *at, size_t n)
{
	const MrenPreTokenizer *pre = &e->tokenizer->pre_tokenizer[step];
	MrenSubwordChars *out = &e->written[step];
	bool prepend = pre->prepend == MREN_PREPEND_ALWAYS ||
				   (pre->prepend == MREN_PREPEND_FIRST && at[0].start == 0);

	out->n = 0;
	if (prepend && at[0].code != ' ' && at[0].code != pre->replacement)
		MREN_TRY(mren_chars_add(e->env, out, pre->replacement, &at[0], e->err));
	for (size_t i = 0; i < n; i++)
	{
		uint32_t code = at[i].code == ' ' ? pre->replacement : at[i].code;

		MREN_TRY(mren_encoding_work(e, 1));
		MREN_TRY(mren_chars_add(e->env, out, code, &at[i], e->err));
	}
	if (!pre->split)
		return pass_on(e, step, out->at, 0, out->n);
	for (size_t i = 0, end; i < out->n; i = end)
	{
		end = i + 1;
		while (end < out->n && out->at[end].code != pre->replacement)
			end++;
		MREN_TRY(pass_on(e, step, out->at, i, end));
	}
	return MREN_OK;
}

MrenStatus
mren_pre_tokenize(MrenEncoding *e, size_t step, const MrenSubwordChar *at, size_t n)
{
	const MrenPreTokenizer *pre = &e->tokenizer->pre_tokenizer[step];

	if (step == e->tokenizer->n_pre_tokenizers)
		return encode_word(e, at, n);
	switch (pre->kind)
	{
		case MREN_PRE_BERT:
			return split_bert(e, step, at, n);
		case MREN_PRE_WHITESPACE:
			return split_whitespace(e, step, at, n);
		case MREN_PRE_WHITESPACE_SPLIT:
			return split_class(e, step, MREN_SPLIT_REMOVED, mren_char_space, at, n);
		case MREN_PRE_PUNCTUATION:
			return split_class(e, step, pre->behavior, mren_char_punctuation, at, n);
		case MREN_PRE_DIGITS:
			return split_class(e, step, pre->behavior, mren_char_number, at, n);
		case MREN_PRE_METASPACE:
			return metaspace(e, step, at, n);
		case MREN_PRE_BYTE_LEVEL:
			return mren_byte_level(e, step, at, n);
	}
	return MREN_OK;
}
