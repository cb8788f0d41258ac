/*
 * word_shape.h
 *	  The shape of an unknown word: one of a small closed set, each of which has a
 *	  learned vector.
 *
 * The numbers are part of stored models: never renumber, append only.
 */
#ifndef MREN_TEXT_WORD_SHAPE_H
#define MREN_TEXT_WORD_SHAPE_H

#include <stddef.h>

typedef enum MrenWordShape
{
	MREN_SHAPE_OTHER,
	MREN_SHAPE_NUMBER,		/* 1,234.5 */
	MREN_SHAPE_DIGITS,		/* letters and digits: F-16, 5th */
	MREN_SHAPE_PUNCTUATION, /* only punctuation */
	MREN_SHAPE_SYMBOL,		/* only symbols, emoji among them */
	MREN_SHAPE_URL,			/* http://..., www..., a@b.c */
	MREN_SHAPE_HANDLE,		/* @name */
	MREN_SHAPE_HASHTAG,		/* #word */
	MREN_SHAPE_INITIALS,	/* U.S., J.R.R */
	MREN_SHAPE_CLITIC,		/* 's, n't */
	MREN_SHAPE_ALL_CAPS,
	MREN_SHAPE_CAPITALIZED,
	MREN_SHAPE_MIXED_CASE,
	MREN_SHAPE_LOWER_ING, /* lower case, by ending */
	MREN_SHAPE_LOWER_ED,
	MREN_SHAPE_LOWER_LY,
	MREN_SHAPE_LOWER_AGENT,		/* -er -or -ist -ian */
	MREN_SHAPE_LOWER_NOUN,		/* -tion -sion -ment -ness -ity -ism -ship -ance -ence */
	MREN_SHAPE_LOWER_ADJECTIVE, /* -able -ible -al -ic -ive -ous -ful -less -ish */
	MREN_SHAPE_LOWER_S,			/* -s, not -ss */
	MREN_SHAPE_LOWER_COMPOUND,	/* lower case with a hyphen */
	MREN_SHAPE_LOWER,			/* any other lower case */
	MREN_SHAPE_IDEOGRAPHS,		/* Han, Hiragana, Katakana */
	MREN_SHAPE_UNCASED,			/* letters of another script without case */
	MREN_SHAPE_LETTER,			/* one cased letter: a, I, an initial */
	MREN_SHAPE_YEAR,			/* four digits that begin with 1 or 2 */
	MREN_N_SHAPES
} MrenWordShape;

/* The shape of a word (UTF-8); an empty one is MREN_SHAPE_OTHER. */
extern int mren_word_shape(const char *word, size_t len);

/* "capitalized" and so on; "unknown" for what is no shape. */
extern const char *mren_word_shape_name(int shape);

#endif
