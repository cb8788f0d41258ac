/*
 * signature.c
 *	  First bytes of image formats.
 *
 * Each format's own specification gives its magic number; a text is known by
 * its markup or by being an encoding of an image's first bytes.
 */
#include "image/signature.h"

#include <string.h>

#include "base/magic.h"
#include "base/path.h"

static const uint8_t png_signature[MREN_PNG_SIGNATURE_SIZE] = {0x89, 'P',  'N',	 'G',
															   '\r', '\n', 0x1A, '\n'};

/* Bytes in which a format is recognized at the latest. */
#define PROBE_BYTES 1024

/* The more particular ones first. */
static const MrenMagic known[] = {
	MREN_MAGIC(0, "GIF87a", "GIF"),
	MREN_MAGIC(0, "GIF89a", "GIF"),
	MREN_MAGIC(8, "WEBP", "WebP"),
	MREN_MAGIC(0, "II*\0", "TIFF"),
	MREN_MAGIC(0, "MM\0*", "TIFF"),
	MREN_MAGIC(0, "II+\0", "TIFF"),
	MREN_MAGIC(0, "MM\0+", "TIFF"),
	MREN_MAGIC(4, "ftypavif", "AVIF"),
	MREN_MAGIC(4, "ftypavis", "AVIF"),
	MREN_MAGIC(4, "ftyphei", "HEIC"),
	MREN_MAGIC(4, "ftyphev", "HEIC"),
	MREN_MAGIC(4, "ftypmif1", "HEIC"),
	MREN_MAGIC(4, "ftypmsf1", "HEIC"),
	MREN_MAGIC(0, "\0\0\0\x0CjP  ", "JPEG 2000"),
	MREN_MAGIC(0, "\xFF\x4F\xFF\x51", "JPEG 2000"),
	MREN_MAGIC(0, "\0\0\0\x0CJXL ", "JPEG XL"),
	MREN_MAGIC(0, "\xFF\x0A", "JPEG XL"),
	MREN_MAGIC(0, "\x8AMNG\r\n\x1A\n", "MNG"),
	MREN_MAGIC(0, "\x8BJNG\r\n\x1A\n", "JNG"),
	MREN_MAGIC(0, "\0\0\1\0", "ICO"),
	MREN_MAGIC(0, "8BPS", "Photoshop"),
	MREN_MAGIC(0, "%PDF-", "PDF"),
	MREN_MAGIC(0, "%!PS", "PostScript"),
	MREN_MAGIC(0, "\xC5\xD0\xD3\xC6", "PostScript"),
	MREN_MAGIC(0, "qoif", "QOI"),
	MREN_MAGIC(0, "\x76\x2F\x31\x01", "OpenEXR"),
	MREN_MAGIC(0, "\x01\xDA", "SGI"),
	MREN_MAGIC(0, "\xD7\xCD\xC6\x9A", "WMF"),
	MREN_MAGIC(0, "gimp xcf ", "XCF"),
	MREN_MAGIC(0, "/* XPM */", "XPM"),
};

bool
mren_signature_is_png(const uint8_t *bytes, size_t len)
{
	return len >= sizeof(png_signature) && memcmp(bytes, png_signature, sizeof(png_signature)) == 0;
}

/* SOI and the lead byte of the next marker. */
bool
mren_signature_is_jpeg(const uint8_t *bytes, size_t len)
{
	return len >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
}

#define BEGINS(bytes, len, what) mren_magic_at(bytes, len, 0, what, sizeof(what) - 1)

/* "BM", and a header that is one of Windows' or OS/2's: two letters alone are not enough. */
static bool
is_bmp(const uint8_t *bytes, size_t len)
{
	return BEGINS(bytes, len, "BM") && len >= 18 && bytes[14] >= 12 && bytes[14] <= 124 &&
		   bytes[15] == 0 && bytes[16] == 0 && bytes[17] == 0;
}

static bool
is_pnm(const uint8_t *bytes, size_t len)
{
	return len >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
		   (bytes[2] == ' ' || bytes[2] == '\n' || bytes[2] == '\r' || bytes[2] == '\t');
}

static const char *
known_name(const uint8_t *bytes, size_t len)
{
	const char *name = mren_magic_name(known, sizeof(known) / sizeof(known[0]), bytes, len);

	if (name != NULL)
		return name;
	if (is_bmp(bytes, len))
		return "BMP";
	return is_pnm(bytes, len) ? "PNM" : NULL;
}

/* ASCII only: the C library's would follow the locale. */
static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t) (c - 'A' + 'a') : c;
}

/* Whether a text holds the word, whatever its case. */
static bool
text_has(const uint8_t *bytes, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i++)
	{
		size_t k = 0;

		while (k < n && lower(bytes[i + k]) == (uint8_t) word[k])
			k++;
		if (k == n)
			return true;
	}
	return false;
}

/* A file of markup, after a byte-order mark and white space. */
static bool
is_markup(const uint8_t *bytes, size_t len)
{
	size_t i = BEGINS(bytes, len, "\xEF\xBB\xBF") ? 3 : 0;

	while (i < len && (bytes[i] == ' ' || (bytes[i] >= '\t' && bytes[i] <= '\r')))
		i++;
	return i < len && bytes[i] == '<';
}

static MrenStatus
refuse_markup(const uint8_t *bytes, size_t len, MrenError *err)
{
	if (text_has(bytes, len, "<svg"))
	{
		mren_fail(err, MREN_EUNSUPPORTED, "SVG images are not supported");
		mren_error_hint(err, "PNG and JPEG images are supported.");
		return MREN_EUNSUPPORTED;
	}
	if (text_has(bytes, len, "<html") || text_has(bytes, len, "<!doctype html"))
	{
		mren_fail(err, MREN_EFORMAT, "not an image, but an HTML page");
		mren_error_hint(err, "A web server may have sent an error page in the image's place.");
		return MREN_EFORMAT;
	}
	mren_fail(err, MREN_EFORMAT, "not an image, but an XML document");
	mren_error_hint(err, "PNG and JPEG images are supported.");
	return MREN_EFORMAT;
}

/* The first three bytes of a PNG or JPEG as some text encoding writes them. */
static const char *
text_encoding(const uint8_t *bytes, size_t len)
{
	if (BEGINS(bytes, len, "iVBORw0KGgo") || BEGINS(bytes, len, "/9j/"))
		return "base64";
	if (BEGINS(bytes, len, "data:image/"))
		return "data URL";
	if (BEGINS(bytes, len, "\\x") || BEGINS(bytes, len, "0x"))
	{
		bytes += 2;
		len -= 2;
	}
	if (BEGINS(bytes, len, "89504e47") || BEGINS(bytes, len, "89504E47") ||
		BEGINS(bytes, len, "ffd8ff") || BEGINS(bytes, len, "FFD8FF"))
		return "hex";
	return NULL;
}

static MrenStatus
refuse_unknown(const uint8_t *bytes, size_t len, MrenError *err)
{
	char hex[MREN_MAGIC_HEX_SIZE];

	if (mren_fail_path("an image", bytes, len, err))
		return MREN_EFORMAT;
	mren_magic_hex(bytes, len, hex);
	mren_fail(err, MREN_EFORMAT, "not an image in a known format: it begins with \"\\x%s\"", hex);
	mren_error_hint(err, "PNG and JPEG images are supported.");
	return MREN_EFORMAT;
}

MrenStatus
mren_signature_refuse(const uint8_t *bytes, size_t len, MrenError *err)
{
	const char *name;
	size_t n = len < MREN_PNG_SIGNATURE_SIZE ? len : MREN_PNG_SIGNATURE_SIZE;

	if (len > PROBE_BYTES)
		len = PROBE_BYTES;
	if (len == 0)
		return mren_fail(err, MREN_EFORMAT, "image is empty: it has no bytes");
	if (len < MREN_PNG_SIGNATURE_SIZE && memcmp(bytes, png_signature, n) == 0)
		return mren_fail(err, MREN_EFORMAT, "PNG image is truncated after %zu bytes", len);
	if (len < 3 && memcmp(bytes, "\xFF\xD8", len) == 0)
		return mren_fail(err, MREN_EFORMAT, "JPEG image is truncated after %zu bytes", len);
	name = known_name(bytes, len);
	if (name != NULL)
	{
		mren_fail(err, MREN_EUNSUPPORTED, "%s images are not supported", name);
		mren_error_hint(err, "PNG and JPEG images are supported.");
		return MREN_EUNSUPPORTED;
	}
	if (BEGINS(bytes, len, "\x89PNG") || mren_magic_at(bytes, len, 12, "IHDR", 4))
	{
		mren_fail(err, MREN_EFORMAT, "PNG image has a damaged signature");
		mren_error_hint(err, "It may have been transferred or converted as text.");
		return MREN_EFORMAT;
	}
	if (is_markup(bytes, len))
		return refuse_markup(bytes, len, err);
	name = text_encoding(bytes, len);
	if (name != NULL)
	{
		mren_fail(err, MREN_EFORMAT, "not an image, but an image encoded as text (%s)", name);
		mren_error_hint(err, "Decode it first, for example with decode(..., 'base64').");
		return MREN_EFORMAT;
	}
	return refuse_unknown(bytes, len, err);
}
