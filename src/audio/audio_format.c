/*
 * audio_format.c
 *	  First bytes of audio formats.
 *
 * Each format's own specification gives its magic number.
 */
#include "audio/audio_format.h"

#include <string.h>

#include "audio/mp3_frames.h"
#include "base/magic.h"
#include "base/path.h"

/* The more particular ones first. */
static const MrenMagic known[] = {
	MREN_MAGIC(28, "\001vorbis", "Ogg Vorbis"),
	MREN_MAGIC(28, "OpusHead", "Ogg Opus"),
	MREN_MAGIC(28, "\177FLAC", "Ogg FLAC"),
	MREN_MAGIC(28, "Speex   ", "Ogg Speex"),
	MREN_MAGIC(0, "OggS", "Ogg"),
	MREN_MAGIC(8, "AIFF", "AIFF"),
	MREN_MAGIC(8, "AIFC", "AIFF-C"),
	MREN_MAGIC(0, ".snd", "AU"),
	MREN_MAGIC(0, "caff", "CAF"),
	MREN_MAGIC(0, "riff\x2E\x91\xCF\x11", "Wave64"),
	MREN_MAGIC(0, "RF64", "RF64"),
	MREN_MAGIC(0, "BW64", "BW64"),
	MREN_MAGIC(0, "RIFX", "RIFX"),
	MREN_MAGIC(8, "AVI ", "AVI"),
	MREN_MAGIC(4, "ftyp", "MPEG-4"),
	MREN_MAGIC(0, "\x1A\x45\xDF\xA3", "WebM or Matroska"),
	MREN_MAGIC(0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11", "WMA"),
	MREN_MAGIC(0, "#!AMR", "AMR"),
	MREN_MAGIC(0, "MThd", "MIDI"),
	MREN_MAGIC(0, "wvpk", "WavPack"),
	MREN_MAGIC(0, "MAC ", "Monkey's Audio"),
	MREN_MAGIC(0, "TTA1", "True Audio"),
	MREN_MAGIC(0, "TTA2", "True Audio"),
	MREN_MAGIC(0, "MPCK", "Musepack"),
	MREN_MAGIC(0, "MP+", "Musepack"),
	MREN_MAGIC(0, "DSD ", "DSF"),
	MREN_MAGIC(0, "FRM8", "DSDIFF"),
	MREN_MAGIC(0, "Creative Voice File", "VOC"),
	MREN_MAGIC(0, ".RMF", "RealMedia"),
	MREN_MAGIC(0, "FLV\001", "FLV"),
	MREN_MAGIC(0, "ADIF", "AAC"),
	MREN_MAGIC(0, "\x0B\x77", "AC-3"),
};

/* The first bytes of a recording as some text encoding writes them. */
static const MrenMagic encoded[] = {
	MREN_MAGIC(0, "UklGR", "base64"),		  MREN_MAGIC(0, "ZkxhQ", "base64"),
	MREN_MAGIC(0, "SUQz", "base64"),		  MREN_MAGIC(0, "//uQ", "base64"),
	MREN_MAGIC(0, "data:audio/", "data URL"), MREN_MAGIC(0, "52494646", "hex"),
	MREN_MAGIC(0, "664c6143", "hex"),		  MREN_MAGIC(0, "664C6143", "hex"),
	MREN_MAGIC(0, "\\x52494646", "hex"),	  MREN_MAGIC(0, "\\x664c6143", "hex"),
	MREN_MAGIC(0, "\\x664C6143", "hex"),	  MREN_MAGIC(0, "\\x494433", "hex"),
};

#define BEGINS(bytes, len, what) mren_magic_at(bytes, len, 0, what, sizeof(what) - 1)

#define NAME_IN(table, bytes, len)                                                                 \
	mren_magic_name(table, sizeof(table) / sizeof(table[0]), bytes, len)

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

static MrenStatus
refuse_known(const char *name, MrenError *err)
{
	mren_fail(err, MREN_EUNSUPPORTED, "%s recordings are not supported", name);
	mren_error_hint(err, "WAV, FLAC and MP3 recordings are supported.");
	return MREN_EUNSUPPORTED;
}

/* The beginning of a file, too short to tell the format. */
static bool
is_beginning(const uint8_t *bytes, size_t len)
{
	return (len < 12 && BEGINS(bytes, len, "RIFF")) || (len < 10 && BEGINS(bytes, len, "ID3")) ||
		   (len < 4 && (memcmp(bytes, "RIFF", len) == 0 || memcmp(bytes, "fLaC", len) == 0));
}

static MrenStatus
refuse_unknown(const uint8_t *bytes, size_t len, MrenError *err)
{
	char hex[MREN_MAGIC_HEX_SIZE];
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
		mren_magic_hex(bytes, len, hex);
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
	if (BEGINS(bytes, len, "RIFF") && mren_magic_at(bytes, len, 8, "WAVE", 4))
		*format = MREN_AUDIO_WAV;
	else if (mren_magic_at(bytes, len, start, "fLaC", 4))
		*format = MREN_AUDIO_FLAC;
	else if (start > 0)
		*format = MREN_AUDIO_MP3;
	else
	{
		name = NAME_IN(known, bytes, len);
		if (name == NULL)
			name = mren_mp3_other_layer(bytes, len);
		if (name != NULL)
			return refuse_known(name, err);
		if (!mren_mp3_begins(bytes, len))
			return refuse_unknown(bytes, len, err);
		*format = MREN_AUDIO_MP3;
	}
	return MREN_OK;
}
