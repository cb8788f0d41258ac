/*
 * probe.h
 *	  What an image is, from its header alone.
 *
 * Reads bytes, never decodes and never allocates.  Accepts a superset of what
 * the decoders accept, and says the same about size and orientation.
 */
#ifndef MREN_IMAGE_PROBE_H
#define MREN_IMAGE_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef enum MrenImageFormat
{
	MREN_IMAGE_PNG,
	MREN_IMAGE_JPEG
} MrenImageFormat;

typedef struct MrenImageInfo
{
	MrenImageFormat format;
	uint32_t width, height; /* as displayed, after the orientation */
	int channels;			/* as stored: 1 gray, 2 gray and alpha, 3 color (a palette, too),
							 * 4 color and alpha, or CMYK */
	int orientation;		/* EXIF 1..8; 1 when the file gives none, or nonsense */
} MrenImageInfo;

/*
 * mren_image_info
 *	  Fills *info from the header.
 *
 * MREN_EFORMAT for bytes that are no image, a damaged header or one cut
 * short; MREN_EUNSUPPORTED, naming it, for a format or a variant that is
 * known but not read (GIF, WebP, lossless JPEG, ...).  It reads nothing
 * beyond the header, so success does not mean that the image can be decoded.
 */
extern MrenStatus mren_image_info(const uint8_t *bytes, size_t len, MrenImageInfo *info,
								  MrenError *err);

/* "png", "jpeg" */
extern const char *mren_image_format_name(MrenImageFormat format);

#endif
