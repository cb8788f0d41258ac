/*
 * features_boxes.h
 *	  Where the two mentions are in the image, in bins that are features like words.
 *
 * A linear model cannot use a number in a non-linear way, but it can weigh each bin of it
 * and, with bins crossed with the mentions' words, learn that a hat is worn where it is near
 * the top of a person.
 */
#ifndef MREN_TEXT_FEATURES_FEATURES_BOXES_H
#define MREN_TEXT_FEATURES_FEATURES_BOXES_H

#include <stdint.h>

/*
 * mren_feature_box_bins
 *	  bins[i] is the number of the bin of measure i; head and tail are boxes as data/boxes.h has
 *	  them, x0, y0, x1, y1 in shares of the image, of positive sides.  All is
 *	  compared as quotients of lengths and areas in single precision, without logarithms,
 *	  so that the bins are the same on every machine.
 */
#define MREN_BOX_BINS 15
extern void mren_feature_box_bins(const float *head, const float *tail,
								  uint32_t bins[MREN_BOX_BINS]);

#endif
