/*
 * bert_normalizer.c
 *	  BertNormalizer: clean text, Chinese characters apart, accents off, lower case.
 *
 * The library's character tables are of Unicode 8 and 9.  ICU's newer ones are held to them
 * by each character's age, so that a newer ICU does not change the pieces of a stored model.
 */
#include "transformer/tokenizer/subword_parts.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/utf8.h"

static bool
known_by(uint32_t code, int version)
{
	UVersionInfo age;

	u_charAge((UChar32) code, age);
	return age[0] != 0 && age[0] <= version;
}

bool
mren_subword_space(uint32_t code)
{
	if (code < 0x80)
		return code == ' ' || (code >= '\t' && code <= '\r');
	return u_isUWhiteSpace((UChar32) code);
}

bool
mren_subword_word(uint32_t code)
{
	UChar32 c = (UChar32) code;

	return u_isUAlphabetic(c) || (U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) ||
		   u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL);
}

bool
mren_bert_punctuation(uint32_t code)
{
	if (code < 0x80)
		return (code >= 33 && code <= 47) || (code >= 58 && code <= 64) ||
			   (code >= 91 && code <= 96) || (code >= 123 && code <= 126);
	if (code == 0x166D || code == 0x111C9)
		return true;
	return (U_GET_GC_MASK((UChar32) code) & U_GC_P_MASK) && known_by(code, 8);
}

static bool
is_accent(uint32_t code)
{
	if (code < 0x300)
		return false;
	if (code == 0x1885 || code == 0x1886 || code == 0xA9BD || code == 0x111C9)
		return false; /* marks since Unicode 9 only */
	return code == 0x1734 ||
		   (u_charType((UChar32) code) == U_NON_SPACING_MARK && known_by(code, 8));
}

static bool
is_removed(uint32_t code)
{
	if (code < 0x80)
		return (code < 32 && code != '\t' && code != '\n' && code != '\r') || code == 127;
	switch (u_charType((UChar32) code))
	{
		case U_CONTROL_CHAR:
		case U_PRIVATE_USE_CHAR:
			return true;
		case U_FORMAT_CHAR:
			return known_by(code, 8);
		default:
			return code == 0xFFFD;
	}
}

/* Whether a character after a piece belongs to it in the eyes of a reader. */
bool
mren_bert_invisible(uint32_t code)
{
	return is_removed(code) || (code >= 0x300 && (U_GET_GC_MASK((UChar32) code) & U_GC_M_MASK));
}

static bool
is_chinese(uint32_t c)
{
	return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
		   (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
		   (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
		   (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

MrenStatus
mren_chars_add(const MrenEnv *env, MrenSubwordChars *chars, uint32_t code,
			   const MrenSubwordChar *from, MrenError *err)
{
	if (chars->n == chars->capacity)
		MREN_TRY(mren_grow(env, &chars->at, &chars->capacity, chars->n, chars->n + 1,
						   sizeof(MrenSubwordChar), err));
	chars->at[chars->n++] = (MrenSubwordChar){code, from->start, from->end};
	return MREN_OK;
}

MrenStatus
mren_chars_read(const MrenEnv *env, const char *text, size_t len, MrenSubwordChars *chars,
				MrenError *err)
{
	uint32_t code, number = 0;

	chars->n = 0;
	for (size_t at = 0, size; at < len; at += size, number++)
	{
		size = mren_utf8_decode(text + at, len - at, &code);
		if (size == 0)
			return mren_fail(err, MREN_EDATA, "text is not valid UTF-8 at byte %zu", at);
		if (number % 65536 == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		MREN_TRY(mren_chars_add(env, chars, code, &(MrenSubwordChar){0, number, number + 1}, err));
	}
	return MREN_OK;
}

static int
combining_class(const UNormalizer2 *nfd, uint32_t code)
{
	if (code < 0x300 || !known_by(code, 9))
		return 0;
	return unorm2_getCombiningClass(nfd, (UChar32) code);
}

/*
 * Puts the marks from `first` on in canonical order, by counting for each class so that a long
 * run takes linear time.  Spans keep their places, as in the library.
 */
static MrenStatus
order_marks(const MrenEnv *env, const UNormalizer2 *nfd, MrenSubwordChar *mark, size_t n,
			MrenError *err)
{
	size_t start[257] = {0};
	uint32_t *code;

	if (n < 2)
		return MREN_OK;
	MREN_TRY(mren_allocate(env, n, sizeof(*code), &code, err));
	for (size_t i = 0; i < n; i++)
		start[combining_class(nfd, mark[i].code) + 1]++;
	for (int i = 0; i < 256; i++)
		start[i + 1] += start[i];
	for (size_t i = 0; i < n; i++)
		code[start[combining_class(nfd, mark[i].code)]++] = mark[i].code;
	for (size_t i = 0; i < n; i++)
		mark[i].code = code[i];
	mren_release(env, code);
	return MREN_OK;
}

static MrenStatus
decompose(const MrenEnv *env, const UNormalizer2 *nfd, const MrenSubwordChar *in,
		  MrenSubwordChars *out, MrenError *err)
{
	UChar units[64];
	UErrorCode status = U_ZERO_ERROR;
	int32_t len = -1;

	if (in->code >= 0xC0 && known_by(in->code, 9))
		len = unorm2_getDecomposition(nfd, (UChar32) in->code, units, 64, &status);
	if (len < 0 || U_FAILURE(status))
		return mren_chars_add(env, out, in->code, in, err);
	for (int32_t at = 0; at < len;)
	{
		UChar32 code;

		U16_NEXT(units, at, len, code);
		MREN_TRY(mren_chars_add(env, out, (uint32_t) code, in, err));
	}
	return MREN_OK;
}

/* Canonical decomposition in `out`, from which accents are then taken. */
static MrenStatus
strip_accents(const MrenEnv *env, const MrenSubwordChar *in, size_t n, MrenSubwordChars *out,
			  MrenError *err)
{
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *nfd = unorm2_getNFDInstance(&status);
	size_t kept = 0;

	if (U_FAILURE(status))
		return mren_fail(err, MREN_EUNSUPPORTED, "ICU has no canonical decomposition: %s",
						 u_errorName(status));
	out->n = 0;
	for (size_t i = 0; i < n; i++)
	{
		if (i % 65536 == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		MREN_TRY(decompose(env, nfd, &in[i], out, err));
	}
	for (size_t i = 0, end; i<out->n; i = end> i ? end : i + 1)
	{
		for (end = i; end < out->n && combining_class(nfd, out->at[end].code) != 0; end++)
			;
		MREN_TRY(order_marks(env, nfd, out->at + i, end - i, err));
	}
	for (size_t i = 0; i < out->n; i++)
		if (!is_accent(out->at[i].code))
			out->at[kept++] = out->at[i];
	out->n = kept;
	return MREN_OK;
}

/* Lower-case letters that Unicode 15 does not know: first, last, and what to add. */
static uint32_t
newer_lower(uint32_t c)
{
	switch (c)
	{
		case 0x1C89:
			return 0x1C8A;
		case 0xA7CB:
			return 0x0264;
		case 0xA7DC:
			return 0x019B;
		case 0xA7CC:
		case 0xA7CE:
		case 0xA7D2:
		case 0xA7D4:
		case 0xA7DA:
			return c + 1;
	}
	if (c >= 0x10D50 && c <= 0x10D65)
		return c + 0x20;
	if (c >= 0x16EA0 && c <= 0x16EB8)
		return c + 0x1B;
	return c;
}

static MrenStatus
lower(const MrenEnv *env, const MrenSubwordChar *in, MrenSubwordChars *out, MrenError *err)
{
	uint32_t code = in->code;

	if (code < 0x80)
		return mren_chars_add(env, out, code >= 'A' && code <= 'Z' ? code | 0x20 : code, in, err);
	if (code == 0x130) /* the one letter whose lower case is two code points */
	{
		MREN_TRY(mren_chars_add(env, out, 'i', in, err));
		return mren_chars_add(env, out, 0x307, in, err);
	}
	if (newer_lower(code) != code)
		return mren_chars_add(env, out, newer_lower(code), in, err);
	return mren_chars_add(env, out, (uint32_t) u_tolower((UChar32) code), in, err);
}

static MrenStatus
clean(const MrenEnv *env, const MrenBertNormalizer *normalizer, const MrenSubwordChar *in,
	  MrenSubwordChars *out, MrenError *err)
{
	uint32_t code = in->code;

	if (normalizer->clean_text)
	{
		if (is_removed(code))
			return MREN_OK;
		if (mren_subword_space(code))
			code = ' ';
	}
	if (!normalizer->chinese_chars || !is_chinese(code))
		return mren_chars_add(env, out, code, in, err);
	MREN_TRY(mren_chars_add(env, out, ' ', in, err));
	MREN_TRY(mren_chars_add(env, out, code, in, err));
	return mren_chars_add(env, out, ' ', in, err);
}

MrenStatus
mren_bert_normalize(const MrenEnv *env, const MrenBertNormalizer *normalizer,
					const MrenSubwordChar *in, size_t n, MrenSubwordChars *out, MrenError *err)
{
	MrenSubwordChars other = {0};
	MrenStatus status = MREN_OK;

	out->n = 0;
	for (size_t i = 0; i < n; i++)
	{
		if (i % 65536 == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		if (normalizer->present)
			MREN_TRY(clean(env, normalizer, &in[i], out, err));
		else
			MREN_TRY(mren_chars_add(env, out, in[i].code, &in[i], err));
	}
	for (int step = 0; step < 2 && status == MREN_OK && normalizer->present; step++)
	{
		MrenSubwordChars swap = *out;

		if (step == 0 ? !normalizer->strip_accents : !normalizer->lowercase)
			continue;
		other.n = 0;
		if (step == 0)
			status = strip_accents(env, out->at, out->n, &other, err);
		else
			for (size_t i = 0; i < out->n && status == MREN_OK; i++)
				status = lower(env, &out->at[i], &other, err);
		*out = other;
		other = swap;
	}
	mren_release(env, other.at);
	return status;
}
