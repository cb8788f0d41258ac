/*
 * exif.h
 *	  The orientation in a block of EXIF metadata.
 */
#ifndef MREN_IMAGE_EXIF_H
#define MREN_IMAGE_EXIF_H

#include <stddef.h>
#include <stdint.h>

/*
 * mren_exif_orientation
 *	  1..8 from a TIFF structure (what follows "Exif\0\0" in a JPEG's APP1, or
 *	  the content of a PNG's eXIf), either byte order; 1 when it holds none or
 *	  is damaged: metadata never makes an image unreadable.
 *
 * EXIF 2.3, section 4.6.2 (layout), 4.6.4 (tag 0x0112, one SHORT, in IFD 0).
 */
extern int mren_exif_orientation(const uint8_t *tiff, size_t len);

#endif
