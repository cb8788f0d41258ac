/*
 * exif.c
 *	  Finding one number in an untrusted TIFF structure.
 */
#include "image/exif.h"

#include <stdbool.h>

#define TAG_ORIENTATION 0x0112
#define TYPE_SHORT 3
#define ENTRY_SIZE 12

typedef struct Tiff
{
	const uint8_t *bytes;
	size_t len;
	bool big_endian;
} Tiff;

/* The n (2 or 4) bytes at pos as a number; the caller has checked the bounds. */
static uint32_t
number_at(const Tiff *tiff, size_t pos, size_t n)
{
	uint32_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | tiff->bytes[pos + (tiff->big_endian ? i : n - 1 - i)];
	return value;
}

static bool
open_tiff(Tiff *tiff, const uint8_t *bytes, size_t len)
{
	if (len < 8)
		return false;
	tiff->bytes = bytes;
	tiff->len = len;
	tiff->big_endian = bytes[0] == 'M';
	if (bytes[0] != bytes[1] || (bytes[0] != 'M' && bytes[0] != 'I'))
		return false;
	return number_at(tiff, 2, 2) == 42;
}

int
mren_exif_orientation(const uint8_t *bytes, size_t len)
{
	Tiff tiff;
	size_t pos;
	uint32_t n_entries;

	if (!open_tiff(&tiff, bytes, len))
		return 1;
	pos = number_at(&tiff, 4, 4);
	if (pos > len - 2)
		return 1;
	n_entries = number_at(&tiff, pos, 2);
	pos += 2;
	for (uint32_t i = 0; i < n_entries && len - pos >= ENTRY_SIZE; i++, pos += ENTRY_SIZE)
	{
		uint32_t value;

		if (number_at(&tiff, pos, 2) != TAG_ORIENTATION)
			continue;
		if (number_at(&tiff, pos + 2, 2) != TYPE_SHORT || number_at(&tiff, pos + 4, 4) != 1)
			return 1;
		value = number_at(&tiff, pos + 8, 2);
		return value >= 1 && value <= 8 ? (int) value : 1;
	}
	return 1;
}
