/*
 * decode_work.h
 *	  How much work decoding an image is, as an estimate that is the same on every
 *	  machine.
 *
 * The unit is the nanosecond of a processor of the year 2020, so estimates can be
 * understood as times; nothing is measured.  What a step costs per byte, sample or
 * block was measured on flat and noisy images of every kind, and is rounded up.
 */
#ifndef MREN_IMAGE_DECODE_WORK_H
#define MREN_IMAGE_DECODE_WORK_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "image/probe.h"

/* PNG: per byte of the file, per byte that it inflates to, per pixel. */
#define MREN_WORK_PNG_FILE 11
#define MREN_WORK_PNG_ROW 2
#define MREN_WORK_PNG_PIXEL 2
/* The same if the image is interlaced: pixels of short rows, placed one by one. */
#define MREN_WORK_PNG_ROW_INTERLACED 3
#define MREN_WORK_PNG_PIXEL_INTERLACED 5

/* JPEG: per byte of the file, and per sample. */
#define MREN_WORK_JPEG_FILE 7
#define MREN_WORK_JPEG_SAMPLE 2
/* The same if the image comes in several scans, and per block of each scan. */
#define MREN_WORK_JPEG_FILE_SCANS 20
#define MREN_WORK_JPEG_SAMPLE_SCANS 4
#define MREN_WORK_JPEG_BLOCK 55

typedef struct MrenImageWork
{
	const MrenImageInfo *info;
	uint64_t limit; /* 0: none */
	uint64_t done;
} MrenImageWork;

/*
 * Adds n times the cost of one; MREN_ELIMIT, naming the size of the image, once
 * the sum exceeds the limit.
 */
extern MrenStatus mren_image_work_add(MrenImageWork *work, uint64_t n, uint64_t each,
									  MrenError *err);

#endif
