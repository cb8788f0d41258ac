/*
 * boxes.h
 *	  Boxes of the two mentions in the image: clipping, and the numbers that a
 *	  network reads of a pair of boxes.
 *
 * A box is four floats x0, y0, x1, y1, shares of the image's width and height
 * from its upper left corner, 0 <= x0 < x1 <= 1, and y alike.
 */
#ifndef MREN_DATA_BOXES_H
#define MREN_DATA_BOXES_H

#include "base/env.h"
#include "data/grid.h"

/*
 * mren_box_clip
 *	  A box given by two opposite corners, in an image of this width and height
 *	  (1 and 1 if the corners are shares already).  Parts outside the image are
 *	  cut off.  MREN_EDATA, naming the box, if a number is not finite or the box
 *	  does not overlap the image.
 */
extern MrenStatus mren_box_clip(const char *name, const double corners[4], double width,
								double height, float box[4], MrenError *err);

/*
 * mren_box_geometry
 *	  MREN_BOX_GEOMETRY numbers, with ratios clipped to -5 .. 5; numbers that
 *	  need a box that is NULL are 0.  Of each box: 1, centre x and y, width,
 *	  height, log of the area, log of width over height.  Of both, for x and
 *	  then for y: offset of the centres (tail - head), over the head's side, its
 *	  negative over the tail's, its signed root, log of tail's side over head's,
 *	  overlap over the smaller side, tail - head of the lower and of the upper
 *	  sides, head's upper - tail's lower, tail's upper - head's lower.  Then
 *	  intersection over union, over the head, over the tail, and log of head's
 *	  area over tail's.  After Lu et al. 2016 and Zhang et al. 2017.
 */
#define MREN_BOX_ALONE 7
#define MREN_BOX_GEOMETRY (2 * MREN_BOX_ALONE + 24)
extern void mren_box_geometry(const float *head, const float *tail, float *out);

/* weights (cells): the share of the box's area that lies in each cell; they sum to 1. */
extern void mren_box_region(const float *box, const MrenGridShape *shape, float *weights);

#endif
