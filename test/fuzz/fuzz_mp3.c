/*
 * fuzz_mp3.c
 *	  Any bytes as an MP3 file.  Files of many damaged frames are only reached by a fuzzer if
 *	  headers stay right, so a copy is tried whose frames all have the first one's header.
 */
#include "fuzz_audio.h"

#include "audio/mp3_frames.h"

static void
repair_headers(uint8_t *mp3, size_t size)
{
	size_t n = mren_mp3_frame_size(mp3, size);

	for (size_t pos = n; n > 0 && size - pos >= n; pos += n)
		memcpy(mp3 + pos, mp3, 4);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;
	size_t frame = mren_mp3_frame_size(data, size);

	fuzz_audio(data, size);
	if (frame == 0 || size < frame)
		return 0;
	/* whole frames only */
	size -= size % frame;
	copy = malloc(size);
	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	repair_headers(copy, size);
	fuzz_audio(copy, size);
	free(copy);
	return 0;
}
