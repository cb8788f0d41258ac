/*
 * normal.c
 *	  Folding case and white space.
 */
#include "text/normal.h"

#include <unicode/uchar.h>

#include "base/size.h"
#include "base/utf8.h"

MrenStatus
mren_text_normalize(const MrenEnv *env, const char *text, size_t len, char **out, size_t *out_len,
					MrenError *err)
{
	size_t n = 0;
	bool space = false;
	size_t capacity;

	/* A code point of two bytes may fold to one of three. */
	if (!mren_size_mul(len, 2, &capacity) || !mren_size_add(capacity, 4, &capacity))
		return mren_fail_nomem(err);
	MREN_TRY(mren_allocate(env, capacity, 1, out, err));
	for (size_t at = 0; at < len;)
	{
		uint32_t code;
		size_t step = mren_utf8_decode(text + at, len - at, &code);

		if (step > 0 && u_isUWhiteSpace((UChar32) code))
			space = true;
		else
		{
			if (space && n > 0)
				(*out)[n++] = ' ';
			space = false;
			if (step > 0)
				n += mren_utf8_encode((uint32_t) u_foldCase((UChar32) code, U_FOLD_CASE_DEFAULT),
									  *out + n);
			else
				(*out)[n++] = text[at];
		}
		at += step > 0 ? step : 1;
	}
	(*out)[n] = '\0';
	*out_len = n;
	return MREN_OK;
}
