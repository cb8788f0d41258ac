/*
 * abbreviation.c
 *	  English abbreviations, in three kinds, the words that begin sentences, and
 *	  ordinals with a full stop, as German writes them, before a capital.
 */
#include "text/abbreviation.h"

#include <string.h>

#include "base/utf8.h"

/* Longer words are no abbreviations and begin no sentence by their name. */
#define MAX_WORD 12

/* In lower case; unsorted, because they are few. */
static const char *const titles[] = {
	"mr",  "mrs",  "ms",   "messrs", "mme",	 "dr",	 "prof", "gen", "col",	"lt",  "sgt",
	"cpl", "pvt",  "capt", "cmdr",	 "adm",	 "maj",	 "brig", "rep", "reps", "sen", "sens",
	"gov", "govs", "rev",  "hon",	 "pres", "supt", "st",	 "mt",	"ft",	"vs",  "cf",
	"e.g", "i.e",  "viz",  "approx", "al",	 "fig",	 "figs", "drs", "profs"};
static const char *const numbered[] = {"no", "nos", "vol", "vols", "eq", "sec",
									   "ch", "art", "p",   "pp",   "ed", "par"};
static const char *const others[] = {
	"inc", "corp", "co",   "ltd", "jr",	  "sr",	  "bros",  "dept", "univ", "assn", "ave", "blvd",
	"rd",  "jan",  "feb",  "mar", "apr",  "jun",  "jul",   "aug",  "sep",  "sept", "oct", "nov",
	"dec", "ph.d", "m.d",  "ala", "ariz", "ark",  "calif", "colo", "conn", "del",  "fla", "ga",
	"ill", "ind",  "kan",  "ky",  "la",	  "md",	  "mass",  "mich", "minn", "miss", "mo",  "mont",
	"neb", "nev",  "okla", "ore", "pa",	  "tenn", "tex",   "va",   "vt",   "wash", "wis", "wyo"};
static const char *const starters[] = {
	"the",	 "a",	  "an",	   "in",   "on",	"at",	   "it",	"he",	 "she",		 "they",
	"we",	 "i",	  "this",  "that", "these", "those",   "but",	"and",	 "if",		 "when",
	"while", "after", "as",	   "for",  "from",	"by",	   "there", "his",	 "her",		 "its",
	"their", "our",	  "my",	   "you",  "your",	"however", "also",	"some",	 "many",	 "no",
	"not",	 "one",	  "all",   "what", "who",	"how",	   "why",	"where", "with",	 "to",
	"under", "since", "until", "both", "each",	"yet",	   "or",	"so",	 "although", "before"};

/* What follows an ordinal number in German: months, and the most usual nouns. */
static const char *const ordinal_nouns[] = {
	"Januar",		 "Februar",		"M\xC3\xA4rz",	"April",	   "Mai",		   "Juni",
	"Juli",			 "August",		"September",	"Oktober",	   "November",	   "Dezember",
	"J\xC3\xA4nner", "Jahrhundert", "Jahrhunderts", "Jahrtausend", "Jahrtausends", "Weltkrieg",
	"Weltkriegs",	 "Weltkrieges", "Lebensjahr",	"Geburtstag"};

static bool
is_in(const char *const *words, size_t n, const char *word, size_t len)
{
	for (size_t i = 0; i < n; i++)
	{
		if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0)
			return true;
	}
	return false;
}

/* Before a German ordinal. */
static const char *const german_articles[] = {"der",   "die",	"das",	 "dem",	 "den",	  "des",
											  "am",	   "im",	"vom",	 "zum",	 "zur",	  "beim",
											  "ab",	   "seit",	"bis",	 "ein",	 "eine",  "einen",
											  "einem", "einer", "jeder", "jede", "jedes", "jeden"};
/* Words that begin a German sentence rather than follow an ordinal. */
static const char *const german_starters[] = {
	"Der", "Die", "Das",  "Den",  "Dem",  "Ein",  "Eine",	"Er", "Sie",
	"Es",  "Wir", "Ich",  "Dann", "Und",  "Im",	  "In",		"Am", "Auf",
	"Mit", "Bei", "Doch", "Aber", "Dort", "Hier", "Danach", "Als"};

#define IS_IN(words, word, len) is_in(words, sizeof(words) / sizeof(*(words)), word, len)

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Letters, each but the last followed by a full stop: "U.S", "J". */
static bool
is_initials(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (i % 2 == 0 ? !is_letter(word[i]) : word[i] != '.')
			return false;
	}
	return len % 2 == 1;
}

/* Whether a usual first word of a sentence stands at text[0]. */
static bool
begins_sentence(const char *text, size_t len)
{
	char word[MAX_WORD];
	size_t n = 0;

	while (n < len && is_letter(text[n]))
		n++;
	if (n == 0 || n > MAX_WORD || text[0] >= 'a')
		return false;
	mren_ascii_lower(text, n, word);
	return IS_IN(starters, word, n);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Whether the word before text[end], after blanks, is an article or a preposition of German. */
static bool
follows_article(const char *text, size_t end)
{
	char word[MAX_WORD];
	size_t start;

	while (end > 0 && is_blank(text[end - 1]))
		end--;
	start = end;
	while (start > 0 && end - start < MAX_WORD && is_letter(text[start - 1]))
		start--;
	if (start == end || (start > 0 && (is_letter(text[start - 1]) || text[start - 1] & 0x80)))
		return false;
	mren_ascii_lower(text + start, end - start, word);
	return IS_IN(german_articles, word, end - start);
}

/*
 * "3. Mai": one or two digits, which nothing precedes, before the full stop at text[stop].
 * In a text that is known to be German any noun may follow if an article
 * precedes: "am 5. Spieltag".
 */
static bool
is_ordinal(const char *text, size_t stop, size_t at, size_t len, bool german)
{
	size_t start = stop;
	size_t end = at;

	while (start > 0 && stop - start < 3 && is_digit(text[start - 1]))
		start--;
	if (start == stop || stop - start > 2 ||
		(start > 0 && !is_blank(text[start - 1]) && text[start - 1] != '('))
		return false;
	while (end < len && end - at <= MAX_WORD && (is_letter(text[end]) || (text[end] & 0x80) != 0))
		end++;
	if (IS_IN(ordinal_nouns, text + at, end - at))
		return true;
	return german && follows_article(text, start) && at < len && text[at] >= 'A' &&
		   text[at] <= 'Z' && !IS_IN(german_starters, text + at, end - at);
}

/* "and I.  Next": the pronoun, and two blanks, which no initial has after it. */
static bool
is_pronoun(const char *text, size_t start, size_t stop, size_t at)
{
	return stop - start == 1 && text[start] == 'I' && start >= 2 && is_blank(text[start - 1]) &&
		   text[start - 2] >= 'a' && text[start - 2] <= 'z' && at - stop > 2 &&
		   text[stop + 1] == ' ' && text[stop + 2] == ' ';
}

bool
mren_abbreviation_goes_on(MrenAbbreviations known, const char *text, size_t at, size_t len)
{
	bool english = known == MREN_ABBREVIATIONS_ANY || known == MREN_ABBREVIATIONS_ENGLISH;
	size_t end = at;
	size_t start;
	char word[MAX_WORD];

	while (end > 0 && is_blank(text[end - 1]))
		end--;
	if (end == 0 || text[--end] != '.')
		return false;
	if (known == MREN_ABBREVIATIONS_ANY || known == MREN_ABBREVIATIONS_GERMAN)
	{
		if (is_ordinal(text, end, at, len, known == MREN_ABBREVIATIONS_GERMAN))
			return true;
	}
	start = end;
	while (start > 0 && end - start <= MAX_WORD &&
		   (is_letter(text[start - 1]) || text[start - 1] == '.'))
		start--;
	/* A longer word, or one with another character before its letters, as in "C3P.O". */
	if (start == end || end - start > MAX_WORD ||
		(start > 0 && ((unsigned char) text[start - 1] >= 0x80 ||
					   (text[start - 1] >= '0' && text[start - 1] <= '9'))))
		return false;
	if (is_pronoun(text, start, end, at))
		return false;
	mren_ascii_lower(text + start, end - start, word);
	if (english && IS_IN(titles, word, end - start))
		return true;
	if (english && IS_IN(numbered, word, end - start))
		return at < len && text[at] >= '0' && text[at] <= '9';
	if ((english && IS_IN(others, word, end - start)) || is_initials(word, end - start))
		return at < len && !begins_sentence(text + at, len - at);
	return false;
}
