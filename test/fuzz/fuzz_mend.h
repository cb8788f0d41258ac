/*
 * fuzz_mend.h
 *	  Making the checksums of an input match, so that what lies after them is reached.
 */
#ifndef MREN_TEST_FUZZ_MEND_H
#define MREN_TEST_FUZZ_MEND_H

#include "base/hash.h"

static void
store_u64(uint8_t *at, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t) (value >> (8 * i));
}

static uint64_t
load_u64(const uint8_t *at)
{
	uint64_t value = 0;

	for (int i = 7; i >= 0; i--)
		value = value << 8 | at[i];
	return value;
}

/* Of a network or a tagger: those of the header, of at least `least` bytes, and of the rest. */
static void
mend_network(uint8_t *data, size_t size, size_t least)
{
	uint64_t header;

	if (size < least)
		return;
	header = load_u64(data + 8);
	if (header < least || header > size)
		return;
	store_u64(data + 16, mren_hash64(data + 24, header - 24, header));
	if (size - header >= 8)
		store_u64(data + size - 8, mren_hash64(data + header, size - header - 8, header));
}

#endif
