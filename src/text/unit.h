/*
 * unit.h
 *	  Which tokens of a sentence are looked up together.
 *
 * A unit is a run of tokens that touch each other, without a mention's border
 * between them; it is looked up as a whole before anything else is tried.
 */
#ifndef MREN_TEXT_UNIT_H
#define MREN_TEXT_UNIT_H

#include "text/encode.h"

typedef enum MrenUnitKind
{
	MREN_UNIT_PLAIN,	/* one token, a clitic's two, or those of an e-mail address */
	MREN_UNIT_COMPOUND, /* one word, by its parts if the whole is unknown */
	MREN_UNIT_ADDRESS,	/* one word, by its shape if the whole is unknown */
	MREN_UNIT_IF_KNOWN, /* one word only if the whole is known, else its first token */
} MrenUnitKind;

typedef struct MrenUnit
{
	MrenUnitKind kind;
	size_t n_tokens; /* at least 1 */
} MrenUnit;

/* The unit that begins at token i of out->split; reads that and the mentions' places. */
extern MrenUnit mren_unit_gather(const MrenEncoded *out, const char *text, size_t i);

/* Bytes of the hyphen at text[0]: "-", U+2010, U+2011; 0 if there is none. */
extern size_t mren_hyphen_length(const char *text, size_t len);

#endif
