/*
 * tag_input.h
 *	  A sentence as a tagger reads it: for each word a number in the
 *	  embeddings, its shape, hashes of its parts, and which lexicons have it; and the tokens of
 *	  a pretrained text encoder.
 */
#ifndef MREN_TAGGER_TAG_INPUT_H
#define MREN_TAGGER_TAG_INPUT_H

#include <stddef.h>
#include <stdint.h>

#define MREN_MAX_TAG_WORDS (1u << 20)  /* of one sentence */
#define MREN_MAX_TAG_FEATURES 255	   /* of one word */
#define MREN_MAX_TAG_LEXICONS 16	   /* four bits each in `lexicons` */
#define MREN_TAG_SHAPES 32			   /* values of `shapes` are below */
#define MREN_MAX_TAG_TOKENS (1u << 22) /* of a pretrained text encoder */

/* What a pretrained text encoder reads of a sentence: windows, one after the other. */
typedef struct MrenTagTokens
{
	size_t n_windows;
	const uint32_t *windows; /* (n_windows) tokens of each, special ones included */
	size_t n;				 /* tokens of all windows */
	const int32_t *ids;		 /* (n) of the encoder's vocabulary */
	/* (n_words) the token of each word's first piece, ascending; UINT32_MAX: it has none */
	const uint32_t *firsts;
} MrenTagTokens;

/* What a tagger made of the words of earlier sentences (tagger.h). */
typedef struct MrenTagCache MrenTagCache;

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
	MrenTagTokens tokens;	  /* firsts NULL: the sentence was not tokenized */
	const float *encoded;	  /* (n_words, encoder_dim) vectors of a text encoder, or NULL */
	MrenTagCache *cache;	  /* or NULL */
} MrenTagInput;

#endif
