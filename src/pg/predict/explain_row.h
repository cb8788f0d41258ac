/*
 * explain_row.h
 *	  Why a row got its answer: what its parts and the cells of its image
 *	  contribute.
 */
#ifndef MREN_PG_PREDICT_EXPLAIN_ROW_H
#define MREN_PG_PREDICT_EXPLAIN_ROW_H

#include "postgres.h"

#include "pg/predict/predictor.h"

/* A part of a row, and how far the answer's probability falls without it. */
typedef struct MrenExplained
{
	const char *modality; /* word, head, tail, head_type, tail_type or image */
	MrenToken place;	  /* of a word or a mention: bytes of the sentence; otherwise empty */
	MrenTextSpan feature; /* its text in UTF-8 */
	double contribution;  /* -1 .. 1 */
} MrenExplained;

/*
 * mren_explain_row
 *	  The parts of a row in the order of mren.explain, palloc'd; the features point
 *	  into the pair.  Returns their number.
 */
extern int mren_explain_row(MrenPredictor *predictor, const MrenPair *pair, MrenExplained **parts);

/*
 * mren_explain_picture
 *	  The row's image as a PNG under a heat map.  The pair must have an image.
 *	  max_side > 0 reduces what is returned, but not what is explained, to at most
 *	  so many pixels in width and height; *plain is then the same without the map.
 *	  plain may be NULL.
 */
extern bytea *mren_explain_picture(MrenPredictor *predictor, const MrenPair *pair, uint32 max_side,
								   bytea **plain);

#endif
