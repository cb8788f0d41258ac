/*
 * hash.c
 *	  XXH3 behind two plain functions.
 */
#include "base/hash.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t
mren_hash64(const void *data, size_t len, uint64_t seed)
{
	return XXH3_64bits_withSeed(data, len, seed);
}

MrenHash128
mren_hash128(const void *data, size_t len)
{
	XXH128_canonical_t canonical;
	MrenHash128 hash;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, len));
	memcpy(hash.bytes, canonical.digest, sizeof(hash.bytes));
	return hash;
}
