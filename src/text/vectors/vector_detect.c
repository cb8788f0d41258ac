/*
 * vector_detect.c
 *	  Magic numbers, the header line, and text against binary.
 */
#include "text/vectors/vector_detect.h"

#include <string.h>

#include "base/path.h"
#include "base/utf8.h"

typedef struct Magic
{
	const char *bytes;
	size_t n;
	const char *what;
	const char *hint;
} Magic;

static const char unpack[] = "Unpack it first.";
static const char kinds[] = "Word vectors come in word2vec's binary or text format, GloVe's text "
							"or fastText's .vec.";

/* Other formats in which vectors are published. */
static const Magic magics[] = {
	{"\x1F\x8B", 2, "a gzip archive", unpack},
	{"PK\x03\x04", 4, "a zip archive", unpack},
	{"BZh", 3, "a bzip2 archive", unpack},
	{"\xFD\x37zXZ", 5, "an xz archive", unpack},
	{"\x28\xB5\x2F\xFD", 4, "a zstd archive", unpack},
	/* 793712314, little-endian: fastText's FASTTEXT_FILEFORMAT_MAGIC_INT32 */
	{"\xBA\x16\x4F\x2F", 4, "fastText's own binary model", "Use the .vec file beside it."},
	{"\x80\x02", 2, "a Python pickle", "Save the vectors with save_word2vec_format()."},
	{"\x80\x03", 2, "a Python pickle", "Save the vectors with save_word2vec_format()."},
	{"\x80\x04", 2, "a Python pickle", "Save the vectors with save_word2vec_format()."},
	{"\x80\x05", 2, "a Python pickle", "Save the vectors with save_word2vec_format()."},
	{"\x89HDF\r\n", 6, "an HDF5 file", kinds},
};

static MrenStatus
refuse_magic(const char *bytes, size_t n, MrenError *err)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++)
	{
		const Magic *magic = &magics[i];

		if (n < magic->n || memcmp(bytes, magic->bytes, magic->n) != 0)
			continue;
		mren_fail(err, MREN_EUNSUPPORTED, "file is %s, which is not supported", magic->what);
		mren_error_hint(err, "%s", magic->hint);
		return MREN_EUNSUPPORTED;
	}
	return MREN_OK;
}

/* Digits at *at; -1 if there are none or too many. */
static int64_t
read_count(const char **at, const char *stop)
{
	int64_t value = 0;
	const char *start = *at;

	while (*at < stop && **at >= '0' && **at <= '9')
	{
		if (*at - start == 12)
			return -1;
		value = value * 10 + (**at - '0');
		(*at)++;
	}
	return *at > start ? value : -1;
}

/* "n d" and nothing else on the first line. */
static bool
read_header(const char *bytes, size_t n, MrenVectorHeader *header)
{
	const char *end = memchr(bytes, '\n', n);
	const char *at = bytes;
	int64_t n_words;
	int64_t dim;

	if (end == NULL)
		return false;
	n_words = read_count(&at, end);
	if (n_words < 0 || at == end || (*at != ' ' && *at != '\t'))
		return false;
	at++;
	dim = read_count(&at, end);
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
		at++;
	if (dim < 0 || at < end)
		return false;
	header->n_words = n_words;
	header->dim = (size_t) dim;
	header->size = (size_t) (end + 1 - bytes);
	return true;
}

/*
 * Whether what follows the first word is decimal text.  Of a float's bytes as
 * a rule at least one is no printable ASCII, and of several floats' surely.
 */
static bool
is_decimal(const char *bytes, size_t n)
{
	const char *space = memchr(bytes, ' ', n);
	const char *tab = memchr(bytes, '\t', n);
	const char *at = space == NULL || (tab != NULL && tab < space) ? tab : space;

	if (at == NULL)
		return true;
	for (; at < bytes + n && *at != '\n'; at++)
	{
		if ((*at < ' ' && *at != '\t' && *at != '\r') || (unsigned char) *at >= 0x7F)
			return false;
	}
	return true;
}

static MrenStatus
check_header(const MrenVectorHeader *header, MrenError *err)
{
	if (header->n_words == 0 || header->dim == 0)
		return mren_fail(err, MREN_EFORMAT,
						 "line 1: header with %lld words of %zu numbers each describes no vectors",
						 (long long) header->n_words, header->dim);
	if (header->dim > MREN_VECTORS_MAX_DIM)
		return mren_fail(err, MREN_ELIMIT,
						 "word vectors have %zu numbers, but at most %d can be used", header->dim,
						 MREN_VECTORS_MAX_DIM);
	return MREN_OK;
}

static MrenStatus
fail_mismatch(MrenVectorFormat wanted, MrenVectorFormat found, MrenError *err)
{
	mren_fail(err, MREN_EFORMAT, "file is not in format \"%s\"", mren_vector_format_name(wanted));
	mren_error_hint(err, "It looks like format \"%s\".", mren_vector_format_name(found));
	return MREN_EFORMAT;
}

/*
 * A file with a header.  The requested format is used unless that is
 * impossible: decimal text as binary would be read as garbage, and no line of
 * text has a zero byte.
 */
static MrenStatus
settle_with_header(const char *bytes, size_t n, MrenVectorFormat wanted, MrenVectorHeader *header,
				   MrenError *err)
{
	const char *body = bytes + header->size;
	size_t n_body = n - header->size;
	bool decimal = is_decimal(body, n_body);
	MrenVectorFormat found = decimal ? MREN_VECTORS_WORD2VEC_TEXT : MREN_VECTORS_WORD2VEC_BINARY;

	header->format = wanted == MREN_VECTORS_AUTO ? found : wanted;
	if (wanted == MREN_VECTORS_GLOVE)
		return fail_mismatch(wanted, found, err);
	if (wanted == MREN_VECTORS_WORD2VEC_BINARY && decimal && header->dim >= 5 && n_body > 0)
		return fail_mismatch(wanted, found, err);
	if (wanted != MREN_VECTORS_AUTO && wanted != MREN_VECTORS_WORD2VEC_BINARY && !decimal &&
		memchr(body, '\0', n_body) != NULL)
		return fail_mismatch(wanted, found, err);
	return check_header(header, err);
}

static MrenStatus
settle_without_header(const char *bytes, size_t n, MrenVectorFormat wanted,
					  MrenVectorHeader *header, MrenError *err)
{
	const char *end = memchr(bytes, '\n', n);
	size_t len = end != NULL ? (size_t) (end - bytes) : n;

	*header = (MrenVectorHeader){MREN_VECTORS_GLOVE, 0, 0, -1};
	if (memchr(bytes, '\0', n) != NULL || len == 0 ||
		(memchr(bytes, ' ', len) == NULL && memchr(bytes, '\t', len) == NULL))
	{
		mren_fail(err, MREN_EFORMAT, "file does not hold word vectors");
		mren_error_detail(err, "It begins with \"%s\".", mren_utf8_excerpt(bytes, len).text);
		mren_error_hint(err, "%s", kinds);
		return MREN_EFORMAT;
	}
	if (wanted != MREN_VECTORS_AUTO && wanted != MREN_VECTORS_GLOVE)
	{
		mren_fail(err, MREN_EFORMAT, "file is not in format \"%s\"",
				  mren_vector_format_name(wanted));
		mren_error_detail(err, "Its first line is not the number of words and of dimensions.");
		return MREN_EFORMAT;
	}
	return MREN_OK;
}

MrenStatus
mren_vector_detect(const char *bytes, size_t n, MrenVectorFormat wanted, MrenVectorHeader *header,
				   MrenError *err)
{
	/* A byte-order mark, which some editors put in front of UTF-8. */
	size_t mark = n >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

	if (n == 0)
		return mren_fail(err, MREN_EFORMAT, "file is empty");
	if (mren_fail_pointer("the file", (const uint8_t *) bytes, n, err))
		return MREN_EFORMAT;
	MREN_TRY(refuse_magic(bytes, n, err));
	if (read_header(bytes + mark, n - mark, header))
		MREN_TRY(settle_with_header(bytes + mark, n - mark, wanted, header, err));
	else
		MREN_TRY(settle_without_header(bytes + mark, n - mark, wanted, header, err));
	header->size += mark;
	return MREN_OK;
}
