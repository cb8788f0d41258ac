/*
 * unicode_normalizer.c
 *	  Normalization forms C, D, KC and KD of Unicode 9, with the spans of Hugging Face's library.
 *
 * A character that Unicode 9 does not know is left as it is and combines with nothing.  A
 * decomposition is one character in place of the old one and others put in; canonical order
 * moves these edits with their characters; a composition adds the edits of its parts up.
 */
#include <string.h>

#include <unicode/unorm2.h>

#include "transformer/tokenizer/char_class.h"
#include "transformer/tokenizer/normalizer.h"

#define UNICODE 9

typedef struct Form
{
	const UNormalizer2 *decompose; /* also gives combining classes */
	const UNormalizer2 *compose;   /* NULL: a decomposed form */
	uint32_t inert;				   /* a text of characters below it does not change */
} Form;

static MrenStatus
open_form(MrenNormalizerKind kind, Form *form, MrenError *err)
{
	UErrorCode status = U_ZERO_ERROR;
	bool canonical = kind == MREN_NORMALIZER_NFC || kind == MREN_NORMALIZER_NFD;

	form->decompose = canonical ? unorm2_getNFDInstance(&status) : unorm2_getNFKDInstance(&status);
	form->compose = NULL;
	form->inert = canonical ? 0xC0 : 0xA0;
	if (kind == MREN_NORMALIZER_NFC || kind == MREN_NORMALIZER_NFKC)
		form->compose = unorm2_getNFCInstance(&status);
	if (kind == MREN_NORMALIZER_NFC)
		form->inert = 0x300;
	if (U_FAILURE(status))
		return mren_fail(err, MREN_EUNSUPPORTED, "ICU has no data for normalization: %s",
						 u_errorName(status));
	return MREN_OK;
}

static int
combining_class(const Form *form, uint32_t code)
{
	if (code < 0x300 || !mren_char_known_by(code, UNICODE))
		return 0;
	return unorm2_getCombiningClass(form->decompose, (UChar32) code);
}

static MrenStatus
decompose(const MrenEnv *env, const Form *form, uint32_t code, MrenCharEdits *edits, MrenError *err)
{
	UChar units[64];
	UErrorCode status = U_ZERO_ERROR;
	int32_t len = -1;

	if (code >= 0xA0 && mren_char_known_by(code, UNICODE))
		len = unorm2_getDecomposition(form->decompose, (UChar32) code, units, 64, &status);
	if (len < 0 || U_FAILURE(status))
		return mren_edits_add(env, edits, code, 0, err);
	for (int32_t at = 0; at < len;)
	{
		int32_t change = at > 0;
		UChar32 part;

		U16_NEXT(units, at, len, part);
		MREN_TRY(mren_edits_add(env, edits, (uint32_t) part, change, err));
	}
	return MREN_OK;
}

/* Puts n marks in canonical order, by counting, so that a long run takes linear time. */
static MrenStatus
order_marks(const MrenEnv *env, const Form *form, MrenCharEdit *mark, size_t n, MrenError *err)
{
	size_t start[257] = {0};
	MrenCharEdit *ordered;

	if (n < 2)
		return MREN_OK;
	MREN_TRY(mren_allocate(env, n, sizeof(*ordered), &ordered, err));
	for (size_t i = 0; i < n; i++)
		start[combining_class(form, mark[i].code) + 1]++;
	for (int i = 0; i < 256; i++)
		start[i + 1] += start[i];
	for (size_t i = 0; i < n; i++)
		ordered[start[combining_class(form, mark[i].code)]++] = mark[i];
	memcpy(mark, ordered, n * sizeof(*mark));
	mren_release(env, ordered);
	return MREN_OK;
}

static MrenStatus
order_all(const MrenEnv *env, const Form *form, MrenCharEdits *edits, MrenError *err)
{
	for (size_t i = 0, end; i < edits->n; i = end)
	{
		for (end = i; end < edits->n && combining_class(form, edits->at[end].code) != 0; end++)
			;
		MREN_TRY(order_marks(env, form, edits->at + i, end - i, err));
		end += end == i;
	}
	return MREN_OK;
}

/* The composition of two characters; negative: none. */
static UChar32
compose_pair(const Form *form, uint32_t a, uint32_t b)
{
	if (b < 0x300 || !mren_char_known_by(a, UNICODE) || !mren_char_known_by(b, UNICODE))
		return -1;
	return unorm2_composePair(form->compose, (UChar32) a, (UChar32) b);
}

/* Canonical composition, in place. */
static void
compose(const Form *form, MrenCharEdits *edits)
{
	MrenCharEdit *starter = NULL;
	int blocked = -1; /* the class of the last mark that stayed behind the starter; -1: none */
	size_t n = 0;

	for (size_t i = 0; i < edits->n; i++)
	{
		MrenCharEdit edit = edits->at[i];
		int class = combining_class(form, edit.code);
		UChar32 composed = -1;

		if (starter != NULL && (blocked < 0 || blocked < class))
			composed = compose_pair(form, starter->code, edit.code);
		if (composed >= 0)
		{
			starter->code = (uint32_t) composed;
			starter->change += edit.change - 1;
			continue;
		}
		edits->at[n] = edit;
		if (class == 0)
			starter = &edits->at[n];
		blocked = class == 0 || starter == NULL ? -1 : class;
		n++;
	}
	edits->n = n;
}

static MrenStatus
normalize(const MrenEnv *env, const Form *form, const MrenSubwordChars *in, MrenCharEdits *edits,
		  MrenSubwordChars *out, MrenError *err)
{
	for (size_t i = 0; i < in->n; i++)
	{
		if (i % 65536 == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		MREN_TRY(decompose(env, form, in->at[i].code, edits, err));
	}
	MREN_TRY(order_all(env, form, edits, err));
	if (form->compose != NULL)
		compose(form, edits);
	return mren_chars_edit(env, in->at, in->n, edits, out, err);
}

MrenStatus
mren_unicode_normalize(const MrenEnv *env, MrenNormalizerKind form, const MrenSubwordChars *in,
					   MrenSubwordChars *out, MrenError *err)
{
	MrenCharEdits edits = {0};
	MrenStatus status;
	Form opened;
	size_t inert = 0;

	MREN_TRY(open_form(form, &opened, err));
	while (inert < in->n && in->at[inert].code < opened.inert)
		inert++;
	if (inert == in->n)
	{
		out->n = 0;
		for (size_t i = 0; i < in->n; i++)
			MREN_TRY(mren_chars_add(env, out, in->at[i].code, &in->at[i], err));
		return MREN_OK;
	}
	status = normalize(env, &opened, in, &edits, out, err);
	mren_release(env, edits.at);
	return status;
}
