/*
 * chars.c
 *	  Characters of a text with the places that they stand for.
 */
#include "transformer/tokenizer/chars.h"

#include "base/utf8.h"

/* Characters between two checks for interrupts. */
#define CHECK_EVERY 65536

MrenStatus
mren_chars_add(const MrenEnv *env, MrenSubwordChars *chars, uint32_t code,
			   const MrenSubwordChar *from, MrenError *err)
{
	if (chars->most > 0 && chars->n >= chars->most)
		return mren_fail(err, MREN_ELIMIT,
						 "the normalizers of the tokenizer make more than %zu characters of a text",
						 chars->most);
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
		if (number % CHECK_EVERY == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		MREN_TRY(mren_chars_add(env, chars, code, &(MrenSubwordChar){0, number, number + 1}, err));
	}
	return MREN_OK;
}

MrenStatus
mren_edits_add(const MrenEnv *env, MrenCharEdits *edits, uint32_t code, int32_t change,
			   MrenError *err)
{
	if (edits->n == edits->capacity)
		MREN_TRY(mren_grow(env, &edits->at, &edits->capacity, edits->n, edits->n + 1,
						   sizeof(MrenCharEdit), err));
	edits->at[edits->n++] = (MrenCharEdit){code, change};
	return MREN_OK;
}

MrenStatus
mren_chars_edit(const MrenEnv *env, const MrenSubwordChar *in, size_t n, const MrenCharEdits *edits,
				MrenSubwordChars *out, MrenError *err)
{
	size_t at = 0; /* the next character of the source */

	out->n = 0;
	for (size_t i = 0; i < edits->n; i++)
	{
		const MrenCharEdit *edit = &edits->at[i];
		MrenSubwordChar from = {0};

		if (i % CHECK_EVERY == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		/* After the end, where only removals at the very beginning lead: the last one. */
		if (edit->change <= 0 && n > 0)
			from = in[at < n ? at : n - 1];
		else if (at > 0)
			from = in[at <= n ? at - 1 : n - 1];
		if (edit->change <= 0)
			at += 1 + (size_t) -edit->change;
		MREN_TRY(mren_chars_add(env, out, edit->code, &from, err));
	}
	return MREN_OK;
}
