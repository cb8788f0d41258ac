/*
 * image.h
 *	  Images: all that the rest of the program uses, in one include.
 */
#ifndef MREN_IMAGE_IMAGE_H
#define MREN_IMAGE_IMAGE_H

#include "image/bitmap.h"
#include "image/decode.h"
#include "image/heatmap.h"
#include "image/png_codec.h"
#include "image/prepare.h"
#include "image/probe.h"
#include "image/resize.h"

#endif
