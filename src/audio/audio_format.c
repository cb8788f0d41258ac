/*
 * audio_format.c
 *	  First bytes of audio formats.
 *
 * Each format's own specification gives its magic number.
 */
#include "audio/audio_format.h"

#include <stdio.h>
#include <string.h>

#include "audio/mp3_frames.h"
#include "base/path.h"

typedef struct Signature
{
	size_t offset;
	size_t len;
	const char *bytes;
	const char *name;
} Signature;

#define SIGNATURE(offset, bytes, name)                                                             \
	{                                                                                              \
		offset, sizeof(bytes) - 1, bytes, name                                                     \
	}

/* The more particular ones first. */
static const Signature known[] = {
	SIGNATURE(28, "\001vorbis", "Ogg Vorbis"),
	SIGNATURE(28, "OpusHead", "Ogg Opus"),
	SIGNATURE(28, "\177FLAC", "Ogg FLAC"),
	SIGNATURE(28, "Speex   ", "Ogg Speex"),
	SIGNATURE(0, "OggS", "Ogg"),
	SIGNATURE(8, "AIFF", "AIFF"),
	SIGNATURE(8, "AIFC", "AIFF-C"),
	SIGNATURE(0, ".snd", "AU"),
	SIGNATURE(0, "caff", "CAF"),
	SIGNATURE(0, "riff\x2E\x91\xCF\x11", "Wave64"),
	SIGNATURE(0, "RF64", "RF64"),
	SIGNATURE(0, "BW64", "BW64"),
	SIGNATURE(0, "RIFX", "RIFX"),
	SIGNATURE(8, "AVI ", "AVI"),
	SIGNATURE(4, "ftyp", "MPEG-4"),
	SIGNATURE(0, "\x1A\x45\xDF\xA3", "WebM or Matroska"),
	SIGNATURE(0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11", "WMA"),
	SIGNATURE(0, "#!AMR", "AMR"),
	SIGNATURE(0, "MThd", "MIDI"),
	SIGNATURE(0, "wvpk", "WavPack"),
	SIGNATURE(0, "MAC ", "Monkey's Audio"),
	SIGNATURE(0, "TTA1", "True Audio"),
	SIGNATURE(0, "TTA2", "True Audio"),
	SIGNATURE(0, "MPCK", "Musepack"),
	SIGNATURE(0, "MP+", "Musepack"),
	SIGNATURE(0, "DSD ", "DSF"),
	SIGNATURE(0, "FRM8", "DSDIFF"),
	SIGNATURE(0, "Creative Voice File", "VOC"),
	SIGNATURE(0, ".RMF", "RealMedia"),
	SIGNATURE(0, "FLV\001", "FLV"),
	SIGNATURE(0, "ADIF", "AAC"),
	SIGNATURE(0, "\x0B\x77", "AC-3"),
};

/* The first bytes of a recording as some text encoding writes them. */
static const Signature encoded[] = {
	SIGNATURE(0, "UklGR", "base64"),		 SIGNATURE(0, "ZkxhQ", "base64"),
	SIGNATURE(0, "SUQz", "base64"),			 SIGNATURE(0, "//uQ", "base64"),
	SIGNATURE(0, "data:audio/", "data URL"), SIGNATURE(0, "52494646", "hex"),
	SIGNATURE(0, "664c6143", "hex"),		 SIGNATURE(0, "664C6143", "hex"),
	SIGNATURE(0, "\\x52494646", "hex"),		 SIGNATURE(0, "\\x664c6143", "hex"),
	SIGNATURE(0, "\\x664C6143", "hex"),		 SIGNATURE(0, "\\x494433", "hex"),
};

bool
mren_audio_has_at(const uint8_t *bytes, size_t len, size_t offset, const char *what, size_t n)
{
	return len >= offset && len - offset >= n && memcmp(bytes + offset, what, n) == 0;
}

#define BEGINS(bytes, len, what) mren_audio_has_at(bytes, len, 0, what, sizeof(what) - 1)

#define NAME_IN(table, bytes, len) name_in(table, sizeof(table) / sizeof(table[0]), bytes, len)

static const char *
name_in(const Signature *table, size_t n, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < n; i++)
	{
		if (mren_audio_has_at(bytes, len, table[i].offset, table[i].bytes, table[i].len))
			return table[i].name;
	}
	return NULL;
}

/* Its size is in four bytes of seven bits (ID3v2.4, section 3.1). */
size_t
mren_audio_skip_id3(const uint8_t *bytes, size_t len)
{
	size_t size = 0;

	if (len < 10 || memcmp(bytes, "ID3", 3) != 0)
		return 0;
	for (int i = 6; i < 10; i++)
	{
		if (bytes[i] > 0x7F)
			return 0;
		size = size << 7 | bytes[i];
	}
	size += 10 + (bytes[5] & 0x10 ? 10 : 0);
	return size < len ? size : len;
}

MrenStatus
mren_audio_refuse(const char *name, MrenError *err)
{
	mren_fail(err, MREN_EUNSUPPORTED, "%s recordings are not supported", name);
	mren_error_hint(err, "WAV, FLAC and MP3 recordings are supported.");
	return MREN_EUNSUPPORTED;
}

/* A file's beginning that is too short to tell more. */
static bool
is_beginning(const uint8_t *bytes, size_t len)
{
	return (len < 12 && BEGINS(bytes, len, "RIFF")) || (len < 10 && BEGINS(bytes, len, "ID3")) ||
		   (len < 4 && (memcmp(bytes, "RIFF", len) == 0 || memcmp(bytes, "fLaC", len) == 0));
}

static MrenStatus
refuse_unknown(const uint8_t *bytes, size_t len, MrenError *err)
{
	char hex[2 * 8 + 1];
	size_t n = len < 8 ? len : 8;
	const char *name = NAME_IN(encoded, bytes, len);

	if (name != NULL)
	{
		mren_fail(err, MREN_EFORMAT, "not a recording, but a recording encoded as text (%s)", name);
		mren_error_hint(err, "Decode it first, for example with decode(..., 'base64').");
		return MREN_EFORMAT;
	}
	if (mren_fail_path("a recording", bytes, len, err))
		return MREN_EFORMAT;
	if (BEGINS(bytes, len, "RIFF") && len >= 12)
		mren_fail(err, MREN_EFORMAT, "not a recording, but another RIFF file");
	else
	{
		for (size_t i = 0; i < n; i++)
			snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
		mren_fail(err, MREN_EFORMAT, "not a recording in a known format: it begins with \"\\x%s\"",
				  hex);
	}
	mren_error_hint(err, "WAV, FLAC and MP3 recordings are supported.");
	return MREN_EFORMAT;
}

MrenStatus
mren_audio_signature(const uint8_t *bytes, size_t len, MrenAudioFormat *format, MrenError *err)
{
	size_t start;
	const char *name;

	if (len == 0)
		return mren_fail(err, MREN_EFORMAT, "recording is empty: it has no bytes");
	if (is_beginning(bytes, len))
		return mren_fail(err, MREN_EFORMAT, "recording is truncated after %zu bytes", len);
	start = mren_audio_skip_id3(bytes, len);
	if (BEGINS(bytes, len, "RIFF") && mren_audio_has_at(bytes, len, 8, "WAVE", 4))
		*format = MREN_AUDIO_WAV;
	else if (mren_audio_has_at(bytes, len, start, "fLaC", 4))
		*format = MREN_AUDIO_FLAC;
	else if (start > 0)
		*format = MREN_AUDIO_MP3;
	else
	{
		name = NAME_IN(known, bytes, len);
		if (name == NULL)
			name = mren_mp3_other_layer(bytes, len);
		if (name != NULL)
			return mren_audio_refuse(name, err);
		if (!mren_mp3_begins(bytes, len))
			return refuse_unknown(bytes, len, err);
		*format = MREN_AUDIO_MP3;
	}
	return MREN_OK;
}
