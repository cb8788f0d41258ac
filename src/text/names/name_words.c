/*
 * name_words.c
 *	  A name as words without what spellings of it differ in.
 */
#include "text/names/name_words.h"

#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#include "base/utf8.h"

bool
mren_word_is_one_of(MrenTextSpan text, const char *const *list)
{
	for (; *list != NULL; list++)
	{
		if (text.len == strlen(*list) && mren_ascii_equals(text.data, *list, text.len))
			return true;
	}
	return false;
}

bool
mren_type_is_person(MrenTextSpan type)
{
	static const char *const names[] = {"per",	  "pers", "person", "persons",
										"people", "peop", "human",	NULL};

	return mren_word_is_one_of(type, names);
}

static bool
type_is_place(MrenTextSpan type)
{
	static const char *const names[] = {"loc",	 "location", "locations", "gpe",
										"place", "places",	 NULL};

	return mren_word_is_one_of(type, names);
}

/* Full stops, accents and the modifiers that stand for them in transcriptions. */
static bool
is_ignored(UChar unit)
{
	return unit == '.' || (unit >= 0x0300 && unit <= 0x036F) || (unit >= 0x02B9 && unit <= 0x02BF);
}

static bool
is_divider(UChar unit)
{
	return unit == ' ' || unit == '-' || unit == ',' || unit == '"' ||
		   (unit >= 0x2013 && unit <= 0x201F);
}

/* An apostrophe divides before an "s" that ends the name, and is ignored elsewhere: "Qur'an". */
static UChar
plain_apostrophe(const UChar *units, int32_t n, int32_t at)
{
	return at + 2 == n && units[at + 1] == 's' ? ' ' : 0;
}

/* Decomposed, without accents and punctuation; leaves the name empty if it is too long. */
static void
simplify(MrenTextSpan text, MrenNameWords *name)
{
	UChar units[MREN_NAME_MAX_KEY];
	UChar plain[MREN_NAME_MAX_KEY];
	UErrorCode status = U_ZERO_ERROR;
	int32_t n = 0;
	int32_t n_plain;
	int32_t to = 0;
	int32_t len = 0;

	name->len = 0;
	if (text.len >= MREN_NAME_MAX_KEY)
		return;
	u_strFromUTF8(units, MREN_NAME_MAX_KEY, &n, text.data, (int32_t) text.len, &status);
	n_plain = unorm2_normalize(unorm2_getNFDInstance(&status), units, n, plain, MREN_NAME_MAX_KEY,
							   &status);
	if (U_FAILURE(status))
		return;
	for (int32_t i = 0; i < n_plain; i++)
	{
		UChar unit = is_divider(plain[i]) ? ' ' : plain[i];

		if (unit == '\'')
			unit = plain_apostrophe(plain, n_plain, i);
		if (unit != 0 && !is_ignored(unit))
			plain[to++] = unit;
	}
	u_strToUTF8(name->text, MREN_NAME_MAX_KEY, &len, plain, to, &status);
	if (U_SUCCESS(status))
		name->len = (size_t) len;
}

bool
mren_word_is(MrenTextSpan word, const char *text)
{
	return word.len == strlen(text) && memcmp(word.data, text, word.len) == 0;
}

/* "Muslims" is "Muslim"; of persons, "Peters" is not "Peter". */
static void
make_singular(MrenTextSpan *word)
{
	if (word->len >= 5 && word->data[word->len - 1] == 's' && word->data[word->len - 2] != 's')
		word->len--;
}

static void
take_words(MrenNameWords *name)
{
	size_t from = 0;

	name->n_words = 0;
	for (size_t i = 0; i <= name->len; i++)
	{
		if (i < name->len && name->text[i] != ' ')
			continue;
		if (i > from && name->n_words == MREN_NAME_MAX_WORDS)
		{
			name->n_words = 0;
			return;
		}
		if (i > from)
			name->words[name->n_words++] = (MrenTextSpan){name->text + from, i - from};
		from = i + 1;
	}
	if (name->n_words > 1 && mren_word_is(name->words[name->n_words - 1], "s"))
		name->n_words--;
	if (name->n_words > 1 && mren_word_is(name->words[0], "the"))
		memmove(name->words, name->words + 1, --name->n_words * sizeof(*name->words));
	if (name->n_words > 0 && !name->person && !name->place && name->proper)
		make_singular(&name->words[name->n_words - 1]);
}

bool
mren_word_is_particle(MrenTextSpan word)
{
	static const char *const particles[] = {"of", "the", "and", "for", "in", "on",	"to", "at",
											"de", "la",	 "du",	"des", "a",	 "von", NULL};

	return mren_word_is_one_of(word, particles);
}

static void
add_letter(char *letters, size_t *n, bool *fits, uint32_t code)
{
	if (*n > 4 * (MREN_NAME_MAX_INITIALS - 1))
		*fits = false;
	else
		*n += mren_utf8_encode(code, letters + *n);
}

/* The capitals that begin the words of a text, if it has several. */
static void
take_initials(MrenTextSpan text, MrenNameWords *name)
{
	size_t n_words = 0;
	bool fits = true;

	name->n_initials = 0;
	for (size_t at = 0; at < text.len;)
	{
		size_t end = at;
		uint32_t code = 0;

		while (end < text.len && strchr(" \t\r\n-", text.data[end]) == NULL)
			end++;
		if (end > at && !mren_word_is_particle((MrenTextSpan){text.data + at, end - at}) &&
			mren_utf8_decode(text.data + at, end - at, &code) > 0 && u_isupper((UChar32) code))
			add_letter(name->initials, &name->n_initials, &fits, code);
		n_words += end > at;
		at = end + 1;
	}
	if (!fits || n_words < 2)
		name->n_initials = 0;
}

/* Two capitals or more, with nothing but full stops between them. */
static void
take_acronym(MrenTextSpan text, MrenNameWords *name)
{
	bool fits = true;
	size_t n = 0;

	name->n_acronym = 0;
	for (size_t at = 0; at < text.len && fits;)
	{
		uint32_t code = 0;
		size_t len = mren_utf8_decode(text.data + at, text.len - at, &code);

		fits = len > 0 && (u_isupper((UChar32) code) || code == '.');
		if (fits && code != '.')
		{
			add_letter(name->acronym, &name->n_acronym, &fits, code);
			n++;
		}
		at += len;
	}
	if (!fits || n < 2)
		name->n_acronym = 0;
}

static bool
is_proper(MrenTextSpan text)
{
	uint32_t code = 0;

	for (size_t i = 0; i < text.len; i++)
	{
		if (text.data[i] >= '0' && text.data[i] <= '9')
			return false;
	}
	return mren_utf8_decode(text.data, text.len, &code) > 0 && !u_islower((UChar32) code);
}

void
mren_name_words(const char *document, const MrenNamed *mention, MrenNameWords *name)
{
	MrenTextSpan text = {document + mention->start, mention->end - mention->start};

	if (text.len > 4 && mren_ascii_equals(text.data, "the ", 4))
		text = (MrenTextSpan){text.data + 4, text.len - 4};
	name->definite = text.data >= document + 4 && mren_ascii_equals(text.data - 4, "the ", 4);
	name->type = mention->type;
	name->person = mren_type_is_person(mention->type);
	name->place = type_is_place(mention->type);
	name->proper = is_proper(text);
	simplify(mention->name, name);
	take_words(name);
	take_initials(text, name);
	take_acronym(text, name);
	/* "U.S." is not the word "us": two capitals are kept apart by their case. */
	if (name->n_acronym == 2 && name->n_words == 1)
		name->words[0] = (MrenTextSpan){name->acronym, name->n_acronym};
}

size_t
mren_name_proper_words(const MrenNameWords *name)
{
	static const char *const endings[] = {"jr", "sr", "ii", "iii", "iv", NULL};
	size_t n = name->n_words;

	return n > 1 && mren_word_is_one_of(name->words[n - 1], endings) ? n - 1 : n;
}

/*
 * The script of all letters of a name; USCRIPT_INVALID_CODE if they are of several or there are
 * none.
 */
static UScriptCode
script_of(MrenTextSpan name)
{
	UErrorCode status = U_ZERO_ERROR;
	UScriptCode script = USCRIPT_INVALID_CODE;

	for (size_t at = 0; at < name.len;)
	{
		uint32_t code = 0;
		size_t len = mren_utf8_decode(name.data + at, name.len - at, &code);
		UScriptCode of;

		if (len == 0)
			return USCRIPT_INVALID_CODE;
		at += len;
		if (!u_isalpha((UChar32) code))
			continue;
		of = uscript_getScript((UChar32) code, &status);
		if (U_FAILURE(status) || (script != USCRIPT_INVALID_CODE && of != script))
			return USCRIPT_INVALID_CODE;
		script = of;
	}
	return script;
}

bool
mren_scripts_differ(MrenTextSpan a, MrenTextSpan b)
{
	UScriptCode of_a = script_of(a);
	UScriptCode of_b = script_of(b);

	return of_a != of_b && of_a != USCRIPT_INVALID_CODE && of_b != USCRIPT_INVALID_CODE;
}
