/*
 * magic.c
 *	  Telling file formats by their first bytes.
 */
#include "base/magic.h"

#include <stdio.h>
#include <string.h>

bool
mren_magic_at(const uint8_t *bytes, size_t len, size_t offset, const char *what, size_t n)
{
	return len >= offset && len - offset >= n && memcmp(bytes + offset, what, n) == 0;
}

const char *
mren_magic_name(const MrenMagic *formats, size_t n, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < n; i++)
	{
		if (mren_magic_at(bytes, len, formats[i].offset, formats[i].bytes, formats[i].len))
			return formats[i].name;
	}
	return NULL;
}

void
mren_magic_hex(const uint8_t *bytes, size_t len, char hex[MREN_MAGIC_HEX_SIZE])
{
	size_t n = (MREN_MAGIC_HEX_SIZE - 1) / 2;

	hex[0] = '\0';
	for (size_t i = 0; i < n && i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}
