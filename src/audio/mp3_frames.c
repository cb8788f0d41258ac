/*
 * mp3_frames.c
 *	  Walking through the frames of an MP3 file.
 */
#include "audio/mp3_frames.h"

#include <string.h>

#include "audio/audio_format.h"
#include "base/magic.h"

#define HEADER_BYTES 4
/* Frames between two checks for interrupts. */
#define CHECK_EVERY 4096
/* Samples by which every decoder of layer III is late. */
#define DECODER_DELAY 529

/* kbit/s of layer III, MPEG 1; MPEG 2 and 2.5. */
static const uint16_t bitrates[2][16] = {
	{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0},
	{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0},
};
static const uint32_t rates[3] = {44100, 48000, 32000};

typedef struct Header
{
	int layer;		/* 1..3 */
	bool mpeg1;		/* else MPEG 2 or 2.5 */
	uint32_t rate;	/* Hz */
	uint32_t kbits; /* a second, of layer III; 0: free format */
	uint32_t channels;
	size_t size; /* of the frame, bytes; 0: free format */
} Header;

static bool
read_header(const uint8_t *p, size_t len, Header *header)
{
	int version, rate;

	if (len < HEADER_BYTES || p[0] != 0xFF || (p[1] & 0xE0) != 0xE0)
		return false;
	version = p[1] >> 3 & 3;
	header->layer = 4 - (p[1] >> 1 & 3);
	rate = p[2] >> 2 & 3;
	/* Reserved values: version 1, layer 4, bit rate 15, rate 3, emphasis 2. */
	if (version == 1 || header->layer == 4 || p[2] >> 4 == 15 || rate == 3 || (p[3] & 3) == 2)
		return false;
	header->mpeg1 = version == 3;
	header->rate = rates[rate] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
	header->kbits = bitrates[header->mpeg1 ? 0 : 1][p[2] >> 4];
	header->channels = p[3] >> 6 == 3 ? 1 : 2;
	header->size = 0;
	if (header->kbits > 0)
		header->size =
			(header->mpeg1 ? 144000 : 72000) * header->kbits / header->rate + (p[2] >> 1 & 1);
	return true;
}

bool
mren_mp3_begins(const uint8_t *bytes, size_t len)
{
	Header header;

	return read_header(bytes, len, &header) && header.layer == 3;
}

size_t
mren_mp3_frame_size(const uint8_t *bytes, size_t len)
{
	Header header;

	return read_header(bytes, len, &header) && header.layer == 3 ? header.size : 0;
}

const char *
mren_mp3_other_layer(const uint8_t *bytes, size_t len)
{
	Header header;

	/* ADTS: twelve bits of synchronization, and a layer of 0. */
	if (len >= HEADER_BYTES && bytes[0] == 0xFF && (bytes[1] & 0xF6) == 0xF0)
		return "AAC";
	/* Also the byte-order mark of a text. */
	if (len >= 2 && bytes[0] == 0xFF && bytes[1] == 0xFE)
		return NULL;
	if (!read_header(bytes, len, &header) || header.layer == 3)
		return NULL;
	return header.layer == 1 ? "MPEG audio layer I" : "MPEG audio layer II";
}

/* ---- the frame in front that describes the file ---- */

typedef struct Description
{
	bool found;
	uint32_t n_frames; /* that follow; 0: unknown */
	uint32_t delay, padding;
} Description;

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
}

/* Where a Xing or Info tag is in the frame: after what layer III calls side information. */
static size_t
tag_offset(const Header *header)
{
	if (header->mpeg1)
		return HEADER_BYTES + (header->channels == 1 ? 17 : 32);
	return HEADER_BYTES + (header->channels == 1 ? 9 : 17);
}

/* p: after the tag's own fields. */
static void
read_lame(const uint8_t *p, const uint8_t *end, Description *out)
{
	if (end - p < 24 ||
		(memcmp(p, "LAME", 4) != 0 && memcmp(p, "Lavc", 4) != 0 && memcmp(p, "Lavf", 4) != 0))
		return;
	out->delay = (uint32_t) p[21] << 4 | p[22] >> 4;
	out->padding = (p[22] & 15u) << 8 | p[23];
}

static void
read_description(const uint8_t *frame, const Header *header, Description *out)
{
	const uint8_t *p = frame + tag_offset(header);
	const uint8_t *end = frame + header->size;
	uint32_t flags;

	memset(out, 0, sizeof(*out));
	if (p + 8 > end || (memcmp(p, "Xing", 4) != 0 && memcmp(p, "Info", 4) != 0))
		return;
	out->found = true;
	flags = be32(p + 4);
	p += 8;
	/* In this order: frames, bytes, table of contents, quality. */
	if (flags & 1 && end - p >= 4)
		out->n_frames = be32(p);
	p += (flags & 1 ? 4 : 0) + (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) + (flags & 8 ? 4 : 0);
	if (p < end)
		read_lame(p, end, out);
}

/* ---- all frames ---- */

/* Whether only tags follow. */
static bool
is_tail(const uint8_t *p, size_t n)
{
	size_t i = 0;

	if (mren_magic_at(p, n, 0, "TAG", 3) || mren_magic_at(p, n, 0, "APETAGEX", 8) ||
		mren_magic_at(p, n, 0, "LYRICSBEGIN", 11) || mren_magic_at(p, n, 0, "ID3", 3))
		return true;
	while (i < n && p[i] == 0)
		i++;
	return i == n;
}

/* A frame at pos like the first one. */
static MrenStatus
check_frame(const uint8_t *bytes, size_t len, size_t pos, const Header *first, Header *header,
			MrenError *err)
{
	if (!read_header(bytes + pos, len - pos, header) || header->layer != 3)
		return mren_fail(err, MREN_EFORMAT,
						 "MP3 recording is damaged or truncated: no frame at byte %zu of %zu", pos,
						 len);
	if (header->size == 0)
	{
		mren_fail(err, MREN_EUNSUPPORTED, "MP3 recordings of free format are not supported");
		mren_error_hint(err, "Encode it with a constant or variable bit rate.");
		return MREN_EUNSUPPORTED;
	}
	if (header->rate != first->rate || header->channels != first->channels)
		return mren_fail(err, MREN_EFORMAT,
						 "MP3 recording changes from %u Hz and %u channels to %u Hz and %u at byte "
						 "%zu",
						 first->rate, first->channels, header->rate, header->channels, pos);
	if (header->size > len - pos)
		return mren_fail(err, MREN_EFORMAT,
						 "MP3 recording is truncated: %zu of %zu bytes of its last frame",
						 len - pos, header->size);
	return MREN_OK;
}

/* *pos moves past the last frame; *n is their number. */
static MrenStatus
walk(const MrenEnv *env, const uint8_t *bytes, size_t len, const Header *first, size_t *pos,
	 uint64_t *n, MrenError *err)
{
	Header header;

	for (*n = 0; *pos < len; (*n)++)
	{
		if (*n % CHECK_EVERY == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		if (*n > 0 && is_tail(bytes + *pos, len - *pos))
			break;
		MREN_TRY(check_frame(bytes, len, *pos, first, &header, err));
		*pos += header.size;
	}
	return MREN_OK;
}

static MrenStatus
check_count(uint64_t n, const Description *description, MrenError *err)
{
	/* Some programs count the describing frame as well. */
	if (description->n_frames > 0 && n != description->n_frames && n + 1 != description->n_frames)
		return mren_fail(err, MREN_EFORMAT,
						 "MP3 recording is damaged or truncated: %llu of %u frames",
						 (unsigned long long) n, description->n_frames);
	if (n == 0)
		return mren_fail(err, MREN_EFORMAT, "MP3 recording has no samples");
	return MREN_OK;
}

static void
set_length(MrenMp3 *mp3, const Description *description, uint64_t n)
{
	uint64_t outside = (uint64_t) description->delay + description->padding;

	mp3->n_coded = n * mp3->n_samples;
	mp3->info.n_frames = mp3->n_coded;
	if (outside == 0 || outside >= mp3->n_coded)
		return;
	mp3->info.n_frames -= outside;
	mp3->skip = description->delay + DECODER_DELAY;
	/* What a decoder has not yet given back at the end is lost. */
	if (mp3->skip + mp3->info.n_frames > mp3->n_coded)
		mp3->info.n_frames = mp3->n_coded > mp3->skip ? mp3->n_coded - mp3->skip : 0;
	if (mp3->info.n_frames > 0)
		return;
	mp3->skip = 0;
	mp3->info.n_frames = mp3->n_coded;
}

MrenStatus
mren_mp3_parse(const MrenEnv *env, const uint8_t *bytes, size_t len, MrenMp3 *mp3, MrenError *err)
{
	size_t pos = mren_audio_skip_id3(bytes, len);
	Header first;
	Description description;
	uint64_t n;

	memset(mp3, 0, sizeof(*mp3));
	while (pos > 0 && pos < len && bytes[pos] == 0)
		pos++;
	if (!read_header(bytes + pos, len - pos, &first) || first.layer != 3)
		return mren_fail(err, MREN_EFORMAT, "MP3 recording has no frame at byte %zu of %zu", pos,
						 len);
	MREN_TRY(check_frame(bytes, len, pos, &first, &first, err));
	read_description(bytes + pos, &first, &description);
	pos += description.found ? first.size : 0;
	mp3->start = pos;
	MREN_TRY(walk(env, bytes, len, &first, &pos, &n, err));
	MREN_TRY(check_count(n, &description, err));
	mp3->end = pos;
	mp3->info =
		(MrenAudioInfo){.format = MREN_AUDIO_MP3, .rate = first.rate, .channels = first.channels};
	mp3->n_samples = first.mpeg1 ? 1152 : 576;
	set_length(mp3, &description, n);
	return MREN_OK;
}
