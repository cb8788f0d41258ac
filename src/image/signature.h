/*
 * signature.h
 *	  Telling image formats by their first bytes, unsupported ones included, so that
 *	  an error can name them.
 */
#ifndef MREN_IMAGE_SIGNATURE_H
#define MREN_IMAGE_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define MREN_PNG_SIGNATURE_SIZE 8

/* True when the bytes begin as a file of that format does, in full. */
extern bool mren_signature_is_png(const uint8_t *bytes, size_t len);
extern bool mren_signature_is_jpeg(const uint8_t *bytes, size_t len);

/*
 * mren_signature_refuse
 *	  The error for bytes that are neither: MREN_EUNSUPPORTED for a known
 *	  format, MREN_EFORMAT for anything else, with a hint.  Never MREN_OK.
 */
extern MrenStatus mren_signature_refuse(const uint8_t *bytes, size_t len, MrenError *err);

#endif
