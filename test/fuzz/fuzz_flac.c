/*
 * fuzz_flac.c
 *	  Any bytes as a FLAC file, and a copy with right checksums: a fuzzer does not find those by
 *	  itself, and without them it would only ever see them fail.
 */
#include "fuzz_audio.h"

/* CRC of the given width and polynomial, without reflection (RFC 9639, section 9.1.8 and 9.3). */
static uint32_t
crc_of(const uint8_t *bytes, size_t n, int width, uint32_t polynomial)
{
	uint32_t crc = 0;

	for (size_t i = 0; i < n; i++)
	{
		crc ^= (uint32_t) bytes[i] << (width - 8);
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> (width - 1) & 1 ? crc << 1 ^ polynomial : crc << 1;
		crc &= (1u << width) - 1;
	}
	return crc;
}

/* Bytes of a frame's header before its CRC; 0: no frame begins here. */
static size_t
header_size(const uint8_t *p, size_t n)
{
	size_t size = 5;
	int block, rate;

	if (n < 16 || p[0] != 0xFF || (p[1] & 0xFC) != 0xF8)
		return 0;
	/* The frame's number, in the manner of UTF-8. */
	for (uint8_t lead = p[4]; lead >= 0xC0 && (lead & 0x40) && size < 11;
		 lead = (uint8_t) (lead << 1))
		size++;
	block = p[2] >> 4;
	rate = p[2] & 15;
	size += block == 6 ? 1 : block == 7 ? 2 : 0;
	size += rate == 12 ? 1 : rate == 13 || rate == 14 ? 2 : 0;
	return size + 3 < n ? size : 0;
}

/* A frame ends where the next begins, so its CRC is in the two bytes before. */
static void
repair_frames(uint8_t *flac, size_t size, size_t pos)
{
	size_t start = 0;

	for (; pos <= size; pos++)
	{
		size_t n = pos < size ? header_size(flac + pos, size - pos) : 0;
		uint32_t crc;

		if (n == 0 && pos < size)
			continue;
		if (start > 0 && pos - start > 2)
		{
			crc = crc_of(flac + start, pos - start - 2, 16, 0x8005);
			flac[pos - 2] = (uint8_t) (crc >> 8);
			flac[pos - 1] = (uint8_t) crc;
		}
		if (pos == size)
			return;
		flac[pos + n] = (uint8_t) crc_of(flac + pos, n, 8, 0x07);
		start = pos;
		pos += n;
	}
}

/* The MD5 of the samples and their number are set to 0, which stands for unknown. */
static void
repair_checksums(uint8_t *flac, size_t size)
{
	size_t pos = 4;

	memset(flac + 8 + 18, 0, 16);
	flac[8 + 13] &= 0xF0;
	memset(flac + 8 + 14, 0, 4);
	for (bool last = false; !last && size - pos >= 4;)
	{
		size_t n = (size_t) flac[pos + 1] << 16 | (size_t) flac[pos + 2] << 8 | flac[pos + 3];

		last = flac[pos] & 0x80;
		if (n > size - pos - 4)
			return;
		pos += 4 + n;
	}
	repair_frames(flac, size, pos);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	fuzz_audio(data, size);
	if (size < 42 || memcmp(data, "fLaC", 4) != 0)
		return 0;
	copy = malloc(size);
	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	repair_checksums(copy, size);
	fuzz_audio(copy, size);
	free(copy);
	return 0;
}
