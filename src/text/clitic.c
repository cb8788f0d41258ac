/*
 * clitic.c
 *	  Recognizing endings with an apostrophe.
 */
#include "text/clitic.h"

#include <string.h>

#include "base/utf8.h"

size_t
mren_apostrophe_length(const char *text, size_t len)
{
	if (len >= 1 && text[0] == '\'')
		return 1;
	/* U+2019, right single quotation mark */
	if (len >= 3 && memcmp(text, "\xE2\x80\x99", 3) == 0)
		return 3;
	return 0;
}

bool
mren_clitic_letters(const char *letters, size_t len)
{
	if (len == 1)
		return strchr("smdSMD", letters[0]) != NULL && letters[0] != '\0';
	return len == 2 && (mren_ascii_equals(letters, "ll", 2) ||
						mren_ascii_equals(letters, "re", 2) || mren_ascii_equals(letters, "ve", 2));
}

size_t
mren_clitic_length(const char *word, size_t len)
{
	/* Where an apostrophe can stand: before one or two letters. */
	for (size_t letters = 1; letters <= 2 && letters < len; letters++)
	{
		const char *end = word + len - letters;
		size_t apostrophe = 0;

		if (end[-1] == '\'')
			apostrophe = 1;
		else if (len >= letters + 3 && mren_apostrophe_length(end - 3, 3) == 3)
			apostrophe = 3;
		if (apostrophe == 0)
			continue;
		if (letters == 1 && (end[0] == 't' || end[0] == 'T'))
		{
			const char *n = end - apostrophe - 1;

			if (n > word && (*n == 'n' || *n == 'N'))
				return (size_t) (word + len - n);
		}
		else if (mren_clitic_letters(end, letters) && end - apostrophe > word)
			return letters + apostrophe;
		return 0;
	}
	return 0;
}
