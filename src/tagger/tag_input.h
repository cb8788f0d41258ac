/*
 * tag_input.h
 *	  A sentence as a tagger reads it: for each word a number in the
 *	  embeddings, its shape, hashes of its parts, and which lexicons have it.
 */
#ifndef MREN_TAGGER_TAG_INPUT_H
#define MREN_TAGGER_TAG_INPUT_H

#include <stddef.h>
#include <stdint.h>

#define MREN_MAX_TAG_WORDS (1u << 20) /* of one sentence */
#define MREN_MAX_TAG_FEATURES 255	  /* of one word */
#define MREN_MAX_TAG_LEXICONS 16	  /* four bits each in `lexicons` */
#define MREN_TAG_SHAPES 32			  /* values of `shapes` are below */

/*
 * The first two features of a word are its spelling in lower case and its case
 * pattern; the order of the others does not matter.
 */
typedef struct MrenTagInput
{
	size_t n_words;
	const int32_t *words;	  /* (n_words) of the vocabulary, or < 0: unknown */
	const uint8_t *shapes;	  /* (n_words) MrenWordShape */
	const uint32_t *starts;	  /* (n_words + 1) word w has features starts[w] .. starts[w+1]-1 */
	const uint32_t *features; /* hashes, at least two a word */
	const uint64_t *lexicons; /* (n_words), or NULL: lexicon l has bits 4l .. 4l+3, for a word
								 that begins, is inside, ends or is alone an entry */
} MrenTagInput;

#endif
