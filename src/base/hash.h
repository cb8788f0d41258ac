/*
 * hash.h
 *	  Content hashes (XXH3, from libxxhash, whose header hash.c alone includes).
 *
 * Stored in catalog tables and models, so both are in canonical form: the same
 * bytes give the same number on every machine.
 */
#ifndef MREN_BASE_HASH_H
#define MREN_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct MrenHash128
{
	uint8_t bytes[16]; /* big-endian, as xxhsum prints it */
} MrenHash128;

extern uint64_t mren_hash64(const void *data, size_t len, uint64_t seed);
extern MrenHash128 mren_hash128(const void *data, size_t len);

#endif
