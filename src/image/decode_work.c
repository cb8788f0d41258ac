/*
 * decode_work.c
 *	  The estimated work of decoding an image against its limit.
 */
#include "image/decode_work.h"

MrenStatus
mren_image_work_add(MrenImageWork *work, uint64_t n, uint64_t each, MrenError *err)
{
	MrenStatus status;

	/* Dimensions are at most 2^31 and samples few, so that no product overflows. */
	work->done += n * each;
	if (work->limit == 0 || work->done <= work->limit)
		return MREN_OK;
	status =
		mren_fail(err, MREN_ELIMIT,
				  "decoding the image of %u x %u pixels is more work than the limit of %.0f ms",
				  work->info->width, work->info->height, (double) work->limit / 1e6);
	mren_error_detail(err, "The work is estimated from the size of the image and its file, the "
						   "number of its scans, and whether it is interlaced.");
	return status;
}
