/*
 * short_forms.h
 *	  Which mentions of one document are short forms of a name in it.
 *
 * "Lovelace" beside "Ada Lovelace", "FBI" beside "Federal Bureau of Investigation",
 * "Citroen" for "Citroën".  A mention joins the mentions before it that share its
 * type by one of these rules, the first that fits; where a rule fits two names, it is
 * left alone:
 *
 * 1. The same name but for accents, full stops, commas, quotation marks, apostrophes, hyphens, a
 *	  leading "the", a trailing "'s" and, if it is neither a person nor a place, the plural.
 * 2. Of persons: the first or the last word, the first or the last words, both
 *	  the first and the last word, or initials of a longer name.
 *	  Of places: a name without "Kingdom of" and the like.
 *	  Of others: a name without "Corporation" and the like at its end, or its
 *	  last word after an article: "the Spurs".
 * 3. An abbreviation in capitals and a name whose capitalized words begin with its
 *	  letters, in either order.
 * 4. A name in parentheses after another, if its letters occur there in their
 *	  order and both begin alike: "European Union (EU)" (Schwartz and Hearst 2003);
 *	  if it is in another script; or if neither is a person or a place.
 * 5. A name that another is given in so many words: "also known as", "(now".
 *
 * Then what is left joins a longer name after it by rule 2; a person only by the surname.
 *
 * Nouns such as "the company" are no names and stay what they are.
 */
#ifndef MREN_TEXT_NAMES_SHORT_FORMS_H
#define MREN_TEXT_NAMES_SHORT_FORMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/text_span.h"

/* Increase it when the rules change: graphs then read their documents anew. */
#define MREN_SHORT_FORMS_VERSION 2

typedef struct MrenNamed
{
	MrenTextSpan name; /* in the form of name.h */
	MrenTextSpan type;
	uint32_t start, end; /* bytes of the document */
	uint32_t full;		 /* the result: number of the mention with the fullest form */
} MrenNamed;

/* Whether a type is one of persons: "PER", "Person", "Peop" and the like, in any case. */
extern bool mren_type_is_person(MrenTextSpan type);

/*
 * mren_short_forms
 *	  Sets `full` of the mentions, which must be in the order of the text (valid UTF-8).  The
 *	  fullest form has the most words, of those the longest, and is the first of equals; what rule 1
 *	  ignores does not count.  Takes time that grows with the number of mentions and the length of
 *	  their names; interruptible.
 */
extern MrenStatus mren_short_forms(const MrenEnv *env, const char *text, size_t len,
								   MrenNamed *mentions, size_t n, MrenError *err);

#endif
