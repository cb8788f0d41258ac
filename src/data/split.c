/*
 * split.c
 *	  The names of splits.
 */
#include "data/split.h"

#include <string.h>

static bool
equals_word(const char *text, size_t len, const char *word)
{
	if (strlen(word) != len)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		char c = text[i] >= 'A' && text[i] <= 'Z' ? (char) (text[i] - 'A' + 'a') : text[i];

		if (c != word[i])
			return false;
	}
	return true;
}

MrenStatus
mren_split_parse(const char *text, size_t len, MrenSplit *split, MrenError *err)
{
	static const struct
	{
		const char *word;
		MrenSplit split;
	} words[] = {
		{"train", MREN_SPLIT_TRAIN},	  {"validation", MREN_SPLIT_VALIDATION},
		{"valid", MREN_SPLIT_VALIDATION}, {"val", MREN_SPLIT_VALIDATION},
		{"dev", MREN_SPLIT_VALIDATION},	  {"test", MREN_SPLIT_TEST},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		if (equals_word(text, len, words[i].word))
		{
			*split = words[i].split;
			return MREN_OK;
		}
	}
	mren_fail(err, MREN_EDATA, "invalid split \"%.*s\"", (int) (len < 100 ? len : 100), text);
	mren_error_hint(err, "A split is \"train\", \"validation\" or \"test\".");
	return MREN_EDATA;
}
