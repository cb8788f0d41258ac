/*
 * casefold.c
 *	  The one form in which names and phrases are compared.
 */
#include "text/casefold.h"

#include <stdbool.h>

#include <unicode/unorm2.h>
#include <unicode/utf16.h>

#include "text/icu.h"

#define DOTLESS_I 0x0131
#define DOT_ABOVE 0x0307

/*
 * Composes the letter at units[to - 1] with the marks from units[from] on, which
 * are in canonical order, as Unicode's canonical composition does.  Marks that
 * do not compose are kept after the letter.  Returns where the marks end;
 * *to is then the end of what was written, which never overtakes it.
 */
static int32_t
compose_marks(const UNormalizer2 *form, UChar *units, int32_t from, int32_t n, int32_t *to)
{
	int32_t letter = *to - 1;
	uint8_t kept = 0; /* the combining class of the last mark that was kept */

	while (from < n)
	{
		int32_t next = from;
		UChar32 mark;
		UChar32 composed;
		uint8_t class;

		U16_NEXT(units, next, n, mark);
		class = unorm2_getCombiningClass(form, mark);
		if (class == 0)
			break;
		composed = class > kept ? unorm2_composePair(form, units[letter], mark) : -1;
		if (composed >= 0 && composed < 0x10000)
			units[letter] = (UChar) composed;
		else
		{
			kept = class;
			for (; from < next; from++)
				units[(*to)++] = units[from];
		}
		from = next;
	}
	return from;
}

/*
 * In place: "i" for the dotless i and for an i with a dot above, which
 * NFKC_Casefold makes of the dotted capital.
 */
static int32_t
plain_i(const UNormalizer2 *form, UChar *units, int32_t n)
{
	int32_t to = 0;

	for (int32_t from = 0; from < n;)
	{
		UChar unit = units[from++];
		bool changed = unit == DOTLESS_I;

		units[to++] = changed ? 'i' : unit;
		if (units[to - 1] != 'i')
			continue;
		for (; from < n && units[from] == DOT_ABOVE; from++)
			changed = true;
		if (changed)
			from = compose_marks(form, units, from, n, &to);
	}
	return to;
}

int32_t
mren_casefold(const UChar *units, int32_t n, UChar *folded, int32_t room, UErrorCode *status)
{
	const UNormalizer2 *form = unorm2_getNFKCCasefoldInstance(status);
	int32_t n_folded = unorm2_normalize(form, units, n, folded, room, status);

	if (U_FAILURE(*status))
		return n_folded;
	mren_icu_plain_punctuation(folded, n_folded);
	return plain_i(form, folded, n_folded);
}
