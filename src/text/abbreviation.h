/*
 * abbreviation.h
 *	  Whether a full stop ends a sentence or belongs to an abbreviation.
 */
#ifndef MREN_TEXT_ABBREVIATION_H
#define MREN_TEXT_ABBREVIATION_H

#include <stdbool.h>
#include <stddef.h>

/* Whose abbreviations and ordinals are known, besides initials, which all languages have. */
typedef enum MrenAbbreviations
{
	MREN_ABBREVIATIONS_ANY, /* of both */
	MREN_ABBREVIATIONS_ENGLISH,
	MREN_ABBREVIATIONS_GERMAN,
	MREN_ABBREVIATIONS_OTHER, /* of neither */
} MrenAbbreviations;

/*
 * mren_abbreviation_goes_on
 *	  text[0 .. at-1] ends with what a sentence may end with, perhaps blanks
 *	  after it; text[at .. len-1] is what follows.  True if the last word is an
 *	  English abbreviation or an initial and the sentence goes on after it:
 *	  always after a title ("Mr."), after what numbers follow ("No.") if one
 *	  does, and after others ("Inc.", "U.S.", "J.") unless a word follows that
 *	  usually begins a sentence ("The").  In German, also after an
 *	  ordinal before a noun ("3. Mai").
 */
extern bool mren_abbreviation_goes_on(MrenAbbreviations known, const char *text, size_t at,
									  size_t len);

#endif
