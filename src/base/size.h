/*
 * size.h
 *	  Size arithmetic that reports overflow.
 *
 * Every product or sum of sizes that come from outside (a file's header, a
 * tensor's shape, a row's length) goes through these; false means overflow
 * and leaves *out unspecified.
 */
#ifndef MREN_BASE_SIZE_H
#define MREN_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>

static inline bool
mren_size_mul(size_t a, size_t b, size_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}

static inline bool
mren_size_add(size_t a, size_t b, size_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}

#endif
