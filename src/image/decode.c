/*
 * decode.c
 *	  Limits first, then the decoder of the image's format.
 */
#include "image/decode.h"

#include <string.h>

#include "base/size.h"
#include "image/jpeg_codec.h"
#include "image/png_codec.h"

static MrenStatus
check_limits(const MrenImageInfo *info, const MrenImageLimits *limits, MrenError *err)
{
	size_t bytes;

	if (info->width > limits->max_width || info->height > limits->max_height)
		return mren_fail(err, MREN_ELIMIT,
						 "image is %u x %u pixels, but at most %u x %u are allowed", info->width,
						 info->height, limits->max_width, limits->max_height);
	if (!mren_size_mul(info->width, info->height, &bytes) ||
		!mren_size_mul(bytes, MREN_RGB, &bytes) || bytes > limits->max_bytes)
		return mren_fail(err, MREN_ELIMIT,
						 "image of %u x %u pixels is more than %zu bytes when decoded", info->width,
						 info->height, limits->max_bytes);
	return MREN_OK;
}

MrenStatus
mren_image_decode(const MrenEnv *env, const uint8_t *bytes, size_t len,
				  const MrenImageLimits *limits, MrenBitmap *out, MrenError *err)
{
	MrenImageInfo info;

	memset(out, 0, sizeof(*out));
	MREN_TRY(mren_image_info(bytes, len, &info, err));
	MREN_TRY(check_limits(&info, limits, err));
	if (info.format == MREN_IMAGE_PNG)
		return mren_png_decode(env, bytes, len, &info, limits->max_work, out, err);
	return mren_jpeg_decode(env, bytes, len, &info, limits, out, err);
}
