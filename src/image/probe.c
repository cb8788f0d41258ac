/*
 * probe.c
 *	  Reading the headers of PNG and JPEG files.
 *
 * Both walks are bounded whatever the bytes say: by a number of chunks or
 * segments, and each step moves forward within the buffer.
 */
#include "image/probe.h"

#include <stdbool.h>
#include <string.h>

#include "image/bitmap.h"
#include "image/exif.h"
#include "image/signature.h"

/* More than any regular header has; each step of a walk costs a cache miss. */
#define MAX_PARTS 4096

static uint32_t
be16(const uint8_t *p)
{
	return (uint32_t) p[0] << 8 | p[1];
}

static uint32_t
be32(const uint8_t *p)
{
	return be16(p) << 16 | be16(p + 2);
}

const char *
mren_image_format_name(MrenImageFormat format)
{
	return format == MREN_IMAGE_PNG ? "png" : "jpeg";
}

/* From the size as stored to the size as displayed. */
static void
set_orientation(MrenImageInfo *info, int orientation)
{
	uint32_t width = info->width;

	info->orientation = orientation;
	if (mren_orientation_transposes(orientation))
	{
		info->width = info->height;
		info->height = width;
	}
}

/* ---- PNG (W3C, Portable Network Graphics, second edition) ---- */

#define PNG_MAX_LENGTH 0x7FFFFFFFu
#define PNG_IHDR_SIZE 13
#define PNG_HEADER_SIZE (MREN_PNG_SIGNATURE_SIZE + 12 + PNG_IHDR_SIZE)

/* A longer eXIf chunk is not read: a JPEG's cannot exceed 64 KiB at all. */
#define MAX_EXIF (1u << 20)

/* Annex D's CRC, four bits at a time. */
static uint32_t
png_crc(const uint8_t *bytes, size_t len)
{
	static const uint32_t table[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC,
									   0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
									   0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
									   0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
	uint32_t crc = 0xFFFFFFFFu;

	for (size_t i = 0; i < len; i++)
	{
		crc ^= bytes[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* Section 11.2.2, table 11.1: which bit depths go with which color type. */
static bool
png_depth_allowed(uint8_t color_type, uint8_t depth)
{
	switch (color_type)
	{
		case 0:
			return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
		case 3:
			return depth == 1 || depth == 2 || depth == 4 || depth == 8;
		case 2:
		case 4:
		case 6:
			return depth == 8 || depth == 16;
		default:
			return false;
	}
}

static MrenStatus
png_read_ihdr(const uint8_t *ihdr, MrenImageInfo *info, MrenError *err)
{
	static const int channels[7] = {1, 0, 3, 3, 2, 0, 4};
	uint8_t depth = ihdr[8];
	uint8_t color_type = ihdr[9];

	info->format = MREN_IMAGE_PNG;
	info->width = be32(ihdr);
	info->height = be32(ihdr + 4);
	if (info->width == 0 || info->height == 0 || info->width > PNG_MAX_LENGTH ||
		info->height > PNG_MAX_LENGTH)
		return mren_fail(err, MREN_EFORMAT, "PNG image has an invalid size of %u x %u", info->width,
						 info->height);
	if (!png_depth_allowed(color_type, depth))
		return mren_fail(err, MREN_EFORMAT,
						 "PNG image has color type %d with bit depth %d, which is invalid",
						 color_type, depth);
	if (ihdr[10] != 0 || ihdr[11] != 0 || ihdr[12] > 1)
		return mren_fail(err, MREN_EFORMAT,
						 "PNG image has an unknown compression, filter or interlace method: "
						 "%d, %d, %d",
						 ihdr[10], ihdr[11], ihdr[12]);
	info->channels = channels[color_type];
	return MREN_OK;
}

/*
 * The orientation in an eXIf chunk before the pixels (PNG extensions 1.5.0,
 * section 3.7).  Damage is not reported: decoding finds what matters of it.
 */
static int
png_orientation(const uint8_t *bytes, size_t len)
{
	size_t pos = PNG_HEADER_SIZE;

	for (int i = 0; i < MAX_PARTS && len - pos >= 12; i++)
	{
		const uint8_t *chunk = bytes + pos;
		uint32_t size = be32(chunk);

		if (size > len - pos - 12 || memcmp(chunk + 4, "IDAT", 4) == 0)
			return 1;
		if (memcmp(chunk + 4, "eXIf", 4) == 0)
		{
			if (size > MAX_EXIF || png_crc(chunk + 4, (size_t) size + 4) != be32(chunk + 8 + size))
				return 1;
			return mren_exif_orientation(chunk + 8, size);
		}
		pos += (size_t) size + 12;
	}
	return 1;
}

static MrenStatus
png_info(const uint8_t *bytes, size_t len, MrenImageInfo *info, MrenError *err)
{
	const uint8_t *chunk = bytes + MREN_PNG_SIGNATURE_SIZE;

	if (len < PNG_HEADER_SIZE)
		return mren_fail(err, MREN_EFORMAT, "PNG image is truncated after %zu bytes", len);
	/* Apple's tools write this variant into applications; other programs do not read it. */
	if (memcmp(chunk + 4, "CgBI", 4) == 0)
	{
		mren_fail(err, MREN_EUNSUPPORTED, "PNG images in Apple's CgBI variant are not supported");
		mren_error_hint(err, "Convert it to an ordinary PNG image first.");
		return MREN_EUNSUPPORTED;
	}
	if (be32(chunk) != PNG_IHDR_SIZE || memcmp(chunk + 4, "IHDR", 4) != 0)
		return mren_fail(err, MREN_EFORMAT, "PNG image does not begin with a header chunk");
	if (png_crc(chunk + 4, PNG_IHDR_SIZE + 4) != be32(chunk + 8 + PNG_IHDR_SIZE))
		return mren_fail(err, MREN_EFORMAT, "PNG image header has a wrong checksum");
	MREN_TRY(png_read_ihdr(chunk + 8, info, err));
	set_orientation(info, png_orientation(bytes, len));
	return MREN_OK;
}

/* ---- JPEG (ITU-T T.81; markers in table B.1) ---- */

#define SOF0 0xC0
#define SOF1 0xC1
#define SOF2 0xC2
#define DHT 0xC4
#define JPG 0xC8
#define SOF9 0xC9
#define SOF10 0xCA
#define DAC 0xCC
#define RST0 0xD0
#define RST7 0xD7
#define SOI 0xD8
#define EOI 0xD9
#define SOS 0xDA
#define DQT 0xDB
#define DRI 0xDD
#define APP0 0xE0
#define APP1 0xE1
#define APP15 0xEF
#define COM 0xFE
#define TEM 0x01

/* Bytes between a header's segments that are no marker: cameras leave a few. */
#define MAX_JUNK 65536

static MrenStatus
jpeg_truncated(size_t len, MrenError *err)
{
	return mren_fail(err, MREN_EFORMAT, "JPEG image is truncated after %zu bytes", len);
}

/*
 * Finds the next marker at or after *pos, over fill bytes and junk, as libjpeg
 * does; *pos is then after it, and what was passed over is taken from *junk.
 */
static MrenStatus
jpeg_next_marker(const uint8_t *bytes, size_t len, size_t *pos, size_t *junk, uint8_t *marker,
				 MrenError *err)
{
	size_t end = len - *pos > *junk ? *pos + *junk : len;
	size_t i = *pos;

	for (;;)
	{
		while (i < end && bytes[i] != 0xFF)
			i++;
		while (i < end && bytes[i] == 0xFF)
			i++;
		if (i >= end)
			break;
		/* 0xFF 0x00 is a data byte, not a marker */
		if (bytes[i] != 0)
		{
			*junk -= i - *pos;
			*marker = bytes[i];
			*pos = i + 1;
			return MREN_OK;
		}
	}
	if (end == len)
		return jpeg_truncated(len, err);
	return mren_fail(err, MREN_EFORMAT,
					 "JPEG image has more than %d bytes between the segments of its header",
					 MAX_JUNK);
}

static bool
jpeg_is_frame(uint8_t marker)
{
	return marker >= SOF0 && marker <= 0xCF && marker != DHT && marker != JPG && marker != DAC;
}

/* The frame header, section B.2.2: precision, height, width, components. */
static MrenStatus
jpeg_read_frame(uint8_t marker, const uint8_t *frame, size_t size, MrenImageInfo *info,
				MrenError *err)
{
	if (size < 6)
		return mren_fail(err, MREN_EFORMAT, "JPEG image has a frame header of %zu bytes", size);
	info->format = MREN_IMAGE_JPEG;
	info->height = be16(frame + 1);
	info->width = be16(frame + 3);
	info->channels = frame[5];
	if (marker != SOF0 && marker != SOF1 && marker != SOF2 && marker != SOF9 && marker != SOF10)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "lossless and hierarchical JPEG images are not supported (frame type %d)",
						 marker - SOF0);
	if (frame[0] != 8)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "JPEG images with %d bits a sample are not supported, only 8", frame[0]);
	if (info->width == 0)
		return mren_fail(err, MREN_EFORMAT, "JPEG image has an invalid size of %u x %u",
						 info->width, info->height);
	if (info->height == 0)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "JPEG images whose header leaves the height open are not supported");
	if (info->channels != 1 && info->channels != 3 && info->channels != 4)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "JPEG images with %d components are not supported, only 1, 3 or 4",
						 info->channels);
	if (size != 6 + 3 * (size_t) info->channels)
		return mren_fail(err, MREN_EFORMAT,
						 "JPEG image has a frame header of %zu bytes for %d components", size,
						 info->channels);
	return MREN_OK;
}

static MrenStatus
jpeg_check_marker(uint8_t marker, MrenError *err)
{
	if (marker == SOS || marker == EOI)
		return mren_fail(err, MREN_EFORMAT, "JPEG image has no frame header before its %s",
						 marker == SOS ? "data" : "end");
	if (marker == SOI)
		return mren_fail(err, MREN_EFORMAT, "JPEG image has a second start marker");
	if (jpeg_is_frame(marker) || marker == DHT || marker == DAC || marker == DQT || marker == DRI ||
		marker == COM || (marker >= APP0 && marker <= APP15))
		return MREN_OK;
	return mren_fail(err, MREN_EFORMAT, "JPEG image has an unknown marker 0x%02x in its header",
					 marker);
}

/* Walks the segments up to the frame header; the first EXIF block counts. */
static MrenStatus
jpeg_info(const uint8_t *bytes, size_t len, MrenImageInfo *info, MrenError *err)
{
	static const uint8_t exif[6] = {'E', 'x', 'i', 'f', 0, 0};
	size_t pos = 2;
	size_t junk = MAX_JUNK;
	int orientation = 0; /* not seen yet */

	for (int i = 0; i < MAX_PARTS; i++)
	{
		uint8_t marker = 0;
		const uint8_t *segment;
		size_t size;

		MREN_TRY(jpeg_next_marker(bytes, len, &pos, &junk, &marker, err));
		if (marker == TEM || (marker >= RST0 && marker <= RST7))
			continue;
		MREN_TRY(jpeg_check_marker(marker, err));
		if (len - pos < 2)
			return jpeg_truncated(len, err);
		size = be16(bytes + pos);
		if (size < 2)
			return mren_fail(err, MREN_EFORMAT, "JPEG image has a segment whose length is %zu",
							 size);
		if (size > len - pos)
			return jpeg_truncated(len, err);
		segment = bytes + pos + 2;
		pos += size;
		size -= 2;
		if (marker == APP1 && orientation == 0 && size >= sizeof(exif) &&
			memcmp(segment, exif, sizeof(exif)) == 0)
			orientation = mren_exif_orientation(segment + sizeof(exif), size - sizeof(exif));
		if (jpeg_is_frame(marker))
		{
			MREN_TRY(jpeg_read_frame(marker, segment, size, info, err));
			set_orientation(info, orientation == 0 ? 1 : orientation);
			return MREN_OK;
		}
	}
	return mren_fail(err, MREN_ELIMIT, "JPEG image has more than %d segments before its frame",
					 MAX_PARTS);
}

MrenStatus
mren_image_info(const uint8_t *bytes, size_t len, MrenImageInfo *info, MrenError *err)
{
	memset(info, 0, sizeof(*info));
	if (mren_signature_is_png(bytes, len))
		return png_info(bytes, len, info, err);
	if (mren_signature_is_jpeg(bytes, len))
		return jpeg_info(bytes, len, info, err);
	return mren_signature_refuse(bytes, len, err);
}
