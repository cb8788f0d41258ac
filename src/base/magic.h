/*
 * magic.h
 *	  Telling file formats by their first bytes ("magic numbers").
 */
#ifndef MREN_BASE_MAGIC_H
#define MREN_BASE_MAGIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The `len` bytes that files of the named format have from `offset` on. */
typedef struct MrenMagic
{
	size_t offset;
	size_t len;
	const char *bytes;
	const char *name;
} MrenMagic;

/* One of a literal, which may hold zeros. */
#define MREN_MAGIC(offset, bytes, name)                                                            \
	{                                                                                              \
		offset, sizeof(bytes) - 1, bytes, name                                                     \
	}

/* Whether the bytes from `offset` on begin with the n bytes of `what`. */
extern bool mren_magic_at(const uint8_t *bytes, size_t len, size_t offset, const char *what,
						  size_t n);

/* The name of the first of n formats that the bytes begin as; NULL: none. */
extern const char *mren_magic_name(const MrenMagic *formats, size_t n, const uint8_t *bytes,
								   size_t len);

#define MREN_MAGIC_HEX_SIZE 17

/* The first bytes, eight at most, in hexadecimal digits for a message. */
extern void mren_magic_hex(const uint8_t *bytes, size_t len, char hex[MREN_MAGIC_HEX_SIZE]);

#endif
