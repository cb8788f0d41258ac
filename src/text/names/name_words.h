/*
 * name_words.h
 *	  A name as words without what spellings of it differ in.
 */
#ifndef MREN_TEXT_NAMES_NAME_WORDS_H
#define MREN_TEXT_NAMES_NAME_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text_span.h"
#include "text/names/short_forms.h"

#define MREN_NAME_MAX_WORDS 12
#define MREN_NAME_MAX_KEY 1024
#define MREN_NAME_MAX_INITIALS 10

/* A mention's name without what rule 1 ignores, as words. */
typedef struct MrenNameWords
{
	char text[MREN_NAME_MAX_KEY];
	size_t len;
	MrenTextSpan words[MREN_NAME_MAX_WORDS];
	size_t n_words; /* 0 for a name that is too long */
	MrenTextSpan type;
	bool person;
	bool place;
	bool definite; /* an article stands before it */
	bool proper;   /* begins with a capital, if its script has any, and has no digits */
	char initials[4 * MREN_NAME_MAX_INITIALS]; /* of its capitalized words, if there are several */
	size_t n_initials;						   /* bytes */
	char acronym[4 * MREN_NAME_MAX_INITIALS];  /* its letters, if it is one word of capitals */
	size_t n_acronym;
} MrenNameWords;

/*
 * mren_name_words
 *	  Reads the name of a mention of a document.  The words and the type lie in name and mention.  A
 *	  name of more than MREN_NAME_MAX_WORDS words or MREN_NAME_MAX_KEY bytes has none.
 */
extern void mren_name_words(const char *document, const MrenNamed *mention, MrenNameWords *name);

/* The number of words without "Jr." and the like at the end. */
extern size_t mren_name_proper_words(const MrenNameWords *name);

extern bool mren_word_is(MrenTextSpan word, const char *text);

/* Whether a word is one of a list that NULL ends, in any case. */
extern bool mren_word_is_one_of(MrenTextSpan word, const char *const *list);

/* Words that initials pass over: "of", "the". */
extern bool mren_word_is_particle(MrenTextSpan word);

/* Whether the letters of each are of one script, and the scripts are different. */
extern bool mren_scripts_differ(MrenTextSpan a, MrenTextSpan b);

#endif
