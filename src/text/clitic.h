/*
 * clitic.h
 *	  English endings with an apostrophe, as the Penn Treebank and GloVe split
 *	  them: 's 'm 'd 'll 're 've n't, with a straight or a curly apostrophe.
 */
#ifndef MREN_TEXT_CLITIC_H
#define MREN_TEXT_CLITIC_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Bytes of the clitic that ends the word, 0 if none does or if nothing would
 * be left before it.
 */
extern size_t mren_clitic_length(const char *word, size_t len);

/* Whether letters are what follows the apostrophe of a clitic: "s", "ll". */
extern bool mren_clitic_letters(const char *letters, size_t len);

/* Bytes of the apostrophe at text[0], 0 if there is none; len may be 0. */
extern size_t mren_apostrophe_length(const char *text, size_t len);

#endif
