/*
 * wav.c
 *	  The chunks of a WAV file.
 *
 * The size in the RIFF header is not used: programs that write to a pipe do not know it.
 */
#include "audio/wav.h"

#include <string.h>

#include "base/magic.h"

#define HEADER_BYTES 12
#define CHUNK_BYTES 8
#define FORMAT_BYTES 16
#define EXTENSIBLE_BYTES 40
#define SIZE_UNKNOWN 0xFFFFFFFFu

enum
{
	TAG_PCM = 1,
	TAG_FLOAT = 3,
	TAG_ALAW = 6,
	TAG_MULAW = 7,
	TAG_EXTENSIBLE = 0xFFFE
};

/* Encodings that are refused by name; the numbers are those of Microsoft's mmreg.h. */
static const struct
{
	uint32_t tag;
	const char *name;
} codecs[] = {
	{0x0002, "Microsoft ADPCM"},
	{0x0011, "IMA ADPCM"},
	{0x0031, "GSM 6.10"},
	{0x0050, "MPEG"},
	{0x0055, "MP3"},
	{0x00FF, "AAC"},
	{0x0161, "WMA"},
	{0x0162, "WMA"},
	{0xF1AC, "FLAC"},
};

/* The format chunk, as it is stored. */
typedef struct Format
{
	uint32_t tag;
	uint32_t channels;
	uint32_t rate;
	uint32_t block_bytes;
	uint32_t bits;
} Format;

static uint32_t
le16(const uint8_t *p)
{
	return p[0] | (uint32_t) p[1] << 8;
}

static uint32_t
le32(const uint8_t *p)
{
	return le16(p) | le16(p + 2) << 16;
}

/* The encoding of an extensible format is in the first two bytes of a GUID. */
static MrenStatus
read_extension(const uint8_t *chunk, size_t size, Format *format, MrenError *err)
{
	static const char guid_rest[14] = "\0\0\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71";
	uint32_t valid_bits;

	if (size < EXTENSIBLE_BYTES)
		return mren_fail(err, MREN_EFORMAT,
						 "WAV recording has an extensible format of %zu bytes instead of %d", size,
						 EXTENSIBLE_BYTES);
	if (memcmp(chunk + 26, guid_rest, sizeof(guid_rest)) != 0)
	{
		mren_fail(err, MREN_EUNSUPPORTED,
				  "WAV recordings with an encoding of their own are not supported");
		mren_error_hint(err, "PCM, float, A-law and mu-law are supported.");
		return MREN_EUNSUPPORTED;
	}
	format->tag = le16(chunk + 24);
	valid_bits = le16(chunk + 18);
	if (valid_bits > format->bits)
		return mren_fail(err, MREN_EFORMAT, "WAV recording says that %u of %u bits are valid",
						 valid_bits, format->bits);
	return MREN_OK;
}

static MrenStatus
read_format(const uint8_t *chunk, size_t size, Format *format, MrenError *err)
{
	if (size < FORMAT_BYTES)
		return mren_fail(err, MREN_EFORMAT, "WAV recording has a format of %zu bytes instead of %d",
						 size, FORMAT_BYTES);
	*format = (Format){.tag = le16(chunk),
					   .channels = le16(chunk + 2),
					   .rate = le32(chunk + 4),
					   .block_bytes = le16(chunk + 12),
					   .bits = le16(chunk + 14)};
	if (format->tag == TAG_EXTENSIBLE)
		return read_extension(chunk, size, format, err);
	return MREN_OK;
}

static MrenStatus
refuse_codec(uint32_t tag, MrenError *err)
{
	const char *name = NULL;

	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
	{
		if (codecs[i].tag == tag)
			name = codecs[i].name;
	}
	if (name != NULL)
		mren_fail(err, MREN_EUNSUPPORTED, "WAV recordings encoded as %s are not supported", name);
	else
		mren_fail(err, MREN_EUNSUPPORTED, "WAV recordings with encoding 0x%04X are not supported",
				  tag);
	mren_error_hint(err, "PCM, float, A-law and mu-law are supported.");
	return MREN_EUNSUPPORTED;
}

/* Samples that do not fill their bytes are in the upper bits, so only bytes count. */
static bool
bits_are_possible(MrenWavEncoding encoding, uint32_t bits)
{
	if (encoding == MREN_WAV_PCM)
		return bits >= 8 && bits <= 32;
	if (encoding == MREN_WAV_FLOAT)
		return bits == 32 || bits == 64;
	return bits == 8;
}

static MrenStatus
check_format(const Format *format, MrenWav *wav, MrenError *err)
{
	switch (format->tag)
	{
		case TAG_PCM:
			wav->encoding = MREN_WAV_PCM;
			break;
		case TAG_FLOAT:
			wav->encoding = MREN_WAV_FLOAT;
			break;
		case TAG_ALAW:
			wav->encoding = MREN_WAV_ALAW;
			break;
		case TAG_MULAW:
			wav->encoding = MREN_WAV_MULAW;
			break;
		default:
			return refuse_codec(format->tag, err);
	}
	if (!bits_are_possible(wav->encoding, format->bits))
		return mren_fail(err, MREN_EFORMAT, "WAV recording has samples of %u bits", format->bits);
	if (format->channels == 0)
		return mren_fail(err, MREN_EFORMAT, "WAV recording has no channels");
	if (format->rate == 0 || format->rate > MREN_AUDIO_HIGHEST_RATE)
		return mren_fail(err, MREN_EFORMAT, "WAV recording has a sample rate of %u Hz",
						 format->rate);
	wav->sample_bytes = (format->bits + 7) / 8;
	if (format->block_bytes != format->channels * wav->sample_bytes)
		return mren_fail(err, MREN_EFORMAT,
						 "WAV recording has frames of %u bytes, but %u channels of %u bits",
						 format->block_bytes, format->channels, format->bits);
	wav->info = (MrenAudioInfo){
		.format = MREN_AUDIO_WAV, .rate = format->rate, .channels = format->channels};
	return MREN_OK;
}

/* chunk: the data, of which `left` bytes are there. */
static MrenStatus
take_data(MrenWav *wav, const uint8_t *chunk, uint32_t size, size_t left, MrenError *err)
{
	size_t frame_bytes = wav->sample_bytes * wav->info.channels;
	size_t n = size == SIZE_UNKNOWN ? left : size;

	if (n > left)
	{
		mren_fail(err, MREN_EFORMAT, "WAV recording is truncated: %zu of %zu bytes of samples",
				  left, n);
		return MREN_EFORMAT;
	}
	if (n == 0)
		return mren_fail(err, MREN_EFORMAT, "WAV recording has no samples");
	if (n % frame_bytes != 0)
		return mren_fail(err, MREN_EFORMAT,
						 "WAV recording ends inside a sample: %zu bytes in frames of %zu", n,
						 frame_bytes);
	wav->data = chunk;
	wav->info.n_frames = n / frame_bytes;
	return MREN_OK;
}

MrenStatus
mren_wav_parse(const uint8_t *bytes, size_t len, MrenWav *wav, MrenError *err)
{
	size_t pos = HEADER_BYTES;
	bool has_format = false;

	memset(wav, 0, sizeof(*wav));
	while (len - pos >= CHUNK_BYTES)
	{
		const uint8_t *chunk = bytes + pos + CHUNK_BYTES;
		uint32_t size = le32(bytes + pos + 4);
		size_t left = len - pos - CHUNK_BYTES;
		Format format;

		if (mren_magic_at(bytes, len, pos, "data", 4))
		{
			if (!has_format)
				return mren_fail(err, MREN_EFORMAT,
								 "WAV recording has no format before its samples");
			return take_data(wav, chunk, size, left, err);
		}
		if (size > left)
			return mren_fail(err, MREN_EFORMAT,
							 "WAV recording is truncated: a chunk of %u bytes at byte %zu of %zu",
							 size, pos, len);
		if (mren_magic_at(bytes, len, pos, "fmt ", 4))
		{
			MREN_TRY(read_format(chunk, size, &format, err));
			MREN_TRY(check_format(&format, wav, err));
			has_format = true;
		}
		/* Chunks begin at even bytes. */
		pos += CHUNK_BYTES + (size_t) size;
		pos += size % 2 != 0 && pos < len ? 1 : 0;
	}
	return mren_fail(err, MREN_EFORMAT, "WAV recording has no samples");
}
