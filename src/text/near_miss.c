/*
 * near_miss.c
 *	  Which characters part two texts that look alike.
 */
#include "text/near_miss.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <unicode/uchar.h>

#include "base/utf8.h"

/* Characters of a difference that are named; of a longer one only the first is. */
#define MAX_NAMED 3
#define MAX_NAME 96 /* bytes of a character's name; Unicode's longest has 88 */

/* What is left of a text between what it has in common with the other. */
typedef struct Rest
{
	const char *text;
	size_t start, end;
	size_t len; /* of the whole text */
} Rest;

static bool
same_but_for_case(uint32_t a, uint32_t b)
{
	return u_foldCase((UChar32) a, U_FOLD_CASE_DEFAULT) ==
		   u_foldCase((UChar32) b, U_FOLD_CASE_DEFAULT);
}

static uint32_t
first_code(const Rest *rest, size_t *n)
{
	uint32_t code = 0;

	*n = mren_utf8_decode(rest->text + rest->start, rest->end - rest->start, &code);
	return code;
}

static uint32_t
last_code(const Rest *rest, size_t *n)
{
	size_t start = rest->end - 1;
	uint32_t code = 0;

	while (start > rest->start && mren_utf8_continues(rest->text[start]))
		start--;
	*n = mren_utf8_decode(rest->text + start, rest->end - start, &code);
	return code;
}

static void
cut_common(Rest *a, Rest *b)
{
	size_t n_a;
	size_t n_b;

	while (a->start < a->end && b->start < b->end &&
		   same_but_for_case(first_code(a, &n_a), first_code(b, &n_b)))
	{
		a->start += n_a;
		b->start += n_b;
	}
	while (a->start < a->end && b->start < b->end &&
		   same_but_for_case(last_code(a, &n_a), last_code(b, &n_b)))
	{
		a->end -= n_a;
		b->end -= n_b;
	}
}

/* Control characters have no names of their own. */
static const char *
control_name(uint32_t code)
{
	switch (code)
	{
		case 0x09:
			return "TAB";
		case 0x0A:
			return "LINE FEED";
		case 0x0D:
			return "CARRIAGE RETURN";
		default:
			return "CONTROL CHARACTER";
	}
}

/* "U+00A0 NO-BREAK SPACE" */
static int
name_code(uint32_t code, char *out, size_t room)
{
	UErrorCode status = U_ZERO_ERROR;
	char name[MAX_NAME] = "";

	u_charName((UChar32) code, U_UNICODE_CHAR_NAME, name, sizeof(name), &status);
	if (U_FAILURE(status))
		name[0] = '\0';
	if (u_charType((UChar32) code) == U_CONTROL_CHAR)
		snprintf(name, sizeof(name), "%s", control_name(code));
	return snprintf(out, room, "U+%04X%s%s", (unsigned) code, name[0] != '\0' ? " " : "", name);
}

/* The characters of the rest, or the first of many; a single space is "a space". */
static void
name_codes(Rest rest, char *out, size_t room)
{
	size_t n_codes = mren_utf8_length(rest.text + rest.start, rest.end - rest.start);
	size_t used = 0;
	size_t n;

	if (rest.end - rest.start == 1 && rest.text[rest.start] == ' ')
	{
		snprintf(out, room, "a space");
		return;
	}
	if (n_codes > MAX_NAMED)
		n_codes = 1;
	for (size_t i = 0; i < n_codes && used + 1 < room; i++)
	{
		if (i > 0)
			used += (size_t) snprintf(out + used, room - used, " and ");
		used += (size_t) name_code(first_code(&rest, &n), out + used, room - used);
		rest.start += n;
	}
}

/* One has characters that the other lacks. */
static void
explain_more(const char *has, const char *lacks, Rest rest, MrenError *err)
{
	char more[MAX_NAMED * (MAX_NAME + 16)];
	bool first = rest.start == 0;
	size_t from = first ? rest.end : 0;
	size_t to = first ? rest.len : rest.start;

	name_codes(rest, more, sizeof(more));
	mren_error_detail(err, "The %s has %s %s \"%s\", and the %s does not.", has, more,
					  first ? "before" : "after",
					  mren_utf8_excerpt(rest.text + from, to - from).text, lacks);
}

void
mren_near_miss_explain(MrenTextSpan sentence, MrenTextSpan mention, MrenError *err)
{
	char there[MAX_NAMED * (MAX_NAME + 16)];
	char here[MAX_NAMED * (MAX_NAME + 16)];
	Rest a = {sentence.data, 0, sentence.len, sentence.len};
	Rest b = {mention.data, 0, mention.len, mention.len};

	cut_common(&a, &b);
	if (b.start == b.end)
		explain_more("sentence", "mention", a, err);
	else if (a.start == a.end)
		explain_more("mention", "sentence", b, err);
	else
	{
		name_codes(a, there, sizeof(there));
		name_codes(b, here, sizeof(here));
		mren_error_detail(err, "The sentence has %s where the mention has %s.", there, here);
	}
}
