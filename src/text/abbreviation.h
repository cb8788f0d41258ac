/*
 * abbreviation.h
 *	  Whether a full stop ends a sentence or belongs to an abbreviation.
 */
#ifndef MREN_TEXT_ABBREVIATION_H
#define MREN_TEXT_ABBREVIATION_H

#include <stdbool.h>
#include <stddef.h>

/*
 * mren_abbreviation_goes_on
 *	  text[0 .. at-1] ends with what a sentence may end with, perhaps blanks
 *	  behind it; text[at .. len-1] is what follows.  True if the last word is an
 *	  English abbreviation or an initial and the sentence goes on behind it:
 *	  always after a title ("Mr."), after what numbers follow ("No.") if one
 *	  does, and after others ("Inc.", "U.S.", "J.") unless a word follows that
 *	  usually begins a sentence ("The").
 */
extern bool mren_abbreviation_goes_on(const char *text, size_t at, size_t len);

#endif
