/*
 * fuzz_image.c
 *	  Any bytes as a image: what it is, decoding within small limits, and
 *	  preparation of what decodes.
 *
 * Checks the borders that callers rely on: a decoded image has the size its
 * header gave, and is within the limits.
 */
#include "fuzz.h"

#include <string.h>

#include "image/exif.h"
#include "image/image.h"

#define SIDE 9

static void
use_bitmap(const MrenEnv *env, MrenBitmap *bitmap)
{
	static const float heat[6] = {1, 0, -1, 0.5f, 0, 2};
	MrenImagePrep prep = {SIDE, SIDE + 2, {123, 116, 103}, {58, 57, 57}, false, MREN_LAYOUT_NHWC};
	float out[3 * SIDE * (SIDE + 2)];
	uint8_t *bytes = NULL;
	size_t len;
	MrenError err;

	if (mren_image_prepare(env, bitmap, &prep, out, &err) == MREN_OK)
	{
		/* the first value is that of a pixel in 0..255 */
		if (!(out[0] > -3 && out[0] < 3))
			abort();
	}
	if (mren_image_heatmap(env, bitmap, heat, 2, 3, &err) == MREN_OK &&
		(size_t) bitmap->width * bitmap->height < 4096 &&
		mren_png_encode(env, bitmap, &bytes, &len, &err) == MREN_OK)
		mren_release(env, bytes);
}

static uint32_t
crc_of(const uint8_t *bytes, size_t n)
{
	uint32_t crc = 0xFFFFFFFFu;

	for (size_t i = 0; i < n; i++)
	{
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
	}
	return ~crc;
}

/*
 * Puts right checksums into a PNG file's chunks, which a fuzzer does not find
 * by itself: without this it would only ever see the first of them fail.
 */
static void
repair_checksums(uint8_t *png, size_t size)
{
	size_t pos = 8;

	while (size - pos >= 12)
	{
		size_t n = (size_t) png[pos] << 24 | (size_t) png[pos + 1] << 16 |
				   (size_t) png[pos + 2] << 8 | png[pos + 3];
		uint32_t crc;

		if (n > size - pos - 12)
			return;
		crc = crc_of(png + pos + 4, n + 4);
		for (size_t i = 0; i < 4; i++)
			png[pos + 8 + n + i] = (uint8_t) (crc >> (24 - 8 * i));
		pos += n + 12;
	}
}

static void
try_image(const uint8_t *data, size_t size)
{
	static const MrenImageLimits limits = {512, 512, 512 * 512};
	FuzzEnv fuzz;
	const MrenEnv *env = fuzz_env(&fuzz, (size_t) 16 << 20);
	MrenImageInfo info;
	MrenBitmap bitmap;
	MrenError err;
	MrenStatus known = mren_image_info(data, size, &info, &err);

	if (mren_image_decode(env, data, size, &limits, &bitmap, &err) == MREN_OK)
	{
		if (known != MREN_OK || bitmap.width != info.width || bitmap.height != info.height ||
			bitmap.width > limits.max_width || bitmap.height > limits.max_height)
			abort();
		use_bitmap(env, &bitmap);
		mren_bitmap_free(env, &bitmap);
	}
	else if (bitmap.rgb != NULL || strlen(err.message) == 0)
		abort();
	fuzz_done(&fuzz);
}

/* The same with fewer pixels than the image has. */
static void
try_scaled(const uint8_t *data, size_t size)
{
	static const MrenImageLimits limits = {512, 512, 512 * 512, .enough_width = 8,
										   .enough_height = 8};
	FuzzEnv fuzz;
	const MrenEnv *env = fuzz_env(&fuzz, (size_t) 16 << 20);
	MrenBitmap bitmap;
	MrenError err;

	if (mren_image_decode(env, data, size, &limits, &bitmap, &err) == MREN_OK)
	{
		use_bitmap(env, &bitmap);
		mren_bitmap_free(env, &bitmap);
	}
	else if (bitmap.rgb != NULL || strlen(err.message) == 0)
		abort();
	fuzz_done(&fuzz);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int orientation = mren_exif_orientation(data, size);
	uint8_t *copy;

	if (orientation < 1 || orientation > 8)
		abort();
	try_image(data, size);
	try_scaled(data, size);
	if (size < 8 || memcmp(data, "\x89PNG\r\n\x1A\n", 8) != 0)
		return 0;
	copy = malloc(size);
	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	repair_checksums(copy, size);
	try_image(copy, size);
	free(copy);
	return 0;
}
