/*
 * fuzz_wav.c
 *	  Any bytes as a WAV file: chunks, encodings, lengths.
 */
#include "fuzz_audio.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_audio(data, size);
	return 0;
}
