/*
 * conv_text.h
 *	  What the convolutions read of a sentence: which words, their distances to
 *	  the two mentions, and the three segments that are pooled.
 *
 * A sentence of any length gives at most MREN_CONV_WORDS words: those near a
 * mention.  A word becomes a row: its vector (the mean of its pieces: known ones scaled,
 * unknown ones the learned vector of their shape), then the learned vectors of
 * its distances to head and tail.  Rows of one sentence lie together between rows of
 * zeros, so that a window is a run of floats.
 *
 * Windows 3, 4 and 5 and frozen vectors with position vectors: Zeng et al. 2014, Nguyen and
 * Grishman 2015; pooling by pieces: Zeng et al. 2015.
 */
#ifndef MREN_RELATION_CONV_TEXT_H
#define MREN_RELATION_CONV_TEXT_H

#include "relation/layout.h"
#include "relation/fine_tuned.h"
#include "text/sentence.h"

#define MREN_CONV_WIDTHS 3 /* 3, 4 and 5 words */
#define MREN_CONV_WIDEST 5
/* up to the first mention, from it to the second, from the second on */
#define MREN_CONV_SEGMENTS 3
#define MREN_CONV_PAD 2 /* rows of zeros on each side of a sentence */

#define MREN_CONV_REACH 30 /* larger distances count as this one */
#define MREN_CONV_PLACES (2 * MREN_CONV_REACH + 1)
#define MREN_CONV_OUTSIDE 40 /* words kept on each side of a mention */
#define MREN_CONV_INSIDE 12	 /* words kept at each end of a mention */
#define MREN_CONV_WORDS (4 * (MREN_CONV_OUTSIDE + MREN_CONV_INSIDE))

typedef struct MrenConvWord
{
	uint32_t word;	  /* of the sentence */
	uint8_t place[2]; /* distance to head and to tail, plus MREN_CONV_REACH */
} MrenConvWord;

typedef struct MrenConvText
{
	uint32_t n;
	MrenConvWord words[MREN_CONV_WORDS];
	MrenSpan segments[MREN_CONV_SEGMENTS]; /* in words; may be empty and may overlap */
} MrenConvText;

static inline size_t
mren_conv_width(size_t i)
{
	return 3 + i;
}

/* Number of words of a window to the left of the word in whose row its output is stored. */
static inline size_t
mren_conv_left(size_t i)
{
	return (mren_conv_width(i) - 1) / 2;
}

/* The place of a word, as in MrenConvWord, at a tap of a window of consecutive distances. */
static inline uint8_t
mren_conv_place_beside(size_t i, size_t place, size_t tap)
{
	size_t left = mren_conv_left(i);
	size_t beside = place + tap < left ? 0 : place + tap - left;

	return (uint8_t) (beside < MREN_CONV_PLACES ? beside : MREN_CONV_PLACES - 1);
}

extern void mren_conv_read(const MrenSentence *sentence, MrenConvText *text);

/* What a word's row is made from; vectors of the embeddings, the rest is learned. */
typedef struct MrenConvTables
{
	const MrenWordVectors *vectors;
	float scale;			/* of known words' vectors */
	const float *shapes;	/* (MREN_MAX_SHAPES, embedding_dim) */
	const float *places[2]; /* (MREN_CONV_PLACES, position_dim) of head and tail */
	MrenFineTuned fine_tuned;
} MrenConvTables;

/*
 * The part (embedding_dim) of the row of a word of n pieces that does not depend on the mentions.
 */
extern void mren_conv_word(const MrenNetShape *shape, const MrenConvTables *tables,
						   const int32_t *pieces, size_t n, float *row);

/* Computes the row (mren_net_shape_row_dim) of a word of n pieces; place is as in MrenConvWord. */
extern void mren_conv_row(const MrenNetShape *shape, const MrenConvTables *tables,
						  const int32_t *pieces, size_t n, const uint8_t *place, float *row);

/*
 * mren_conv_max
 *	  best (m) = the largest value of each of m columns over n > 0 rows, which
 *	  are ld apart; at (m) = its row, the first of equals, counted from `from`.
 */
extern void mren_conv_max(const float *rows, size_t ld, size_t n, size_t m, int32_t from,
						  float *best, int32_t *at);

#endif
