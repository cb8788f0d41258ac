/*
 * vector_file.c
 *	  Word-vector files: from chunks to lines and records to the sink.
 *
 * Bytes wait in `pending` until they make up a whole line (text) or record
 * (binary); before the format is known, until there are enough to tell.  A line's
 * length is bounded, so pending is, too.
 */
#include "text/vectors/vector_file.h"

#include <math.h>
#include <string.h>

#include "text/spelling.h"
#include "base/utf8.h"
#include "text/vectors/vector_detect.h"
#include "text/vectors/vector_line.h"
#include "text/vectors/wordset.h"

/* Bytes taken over at a time; between them the reader checks for interrupts. */
#define SLICE 65536

/* No number needs 64 characters. */
#define MAX_LINE (MREN_MAX_WORD + 64 * MREN_VECTORS_MAX_DIM)

struct MrenVectorReader
{
	MrenEnv env;
	MrenVectorFormat wanted;
	int64_t max_words;
	MrenVectorSink sink;

	bool known; /* the format is */
	bool enough;
	MrenVectorHeader header;
	int64_t line;		/* number of the last line read, from 1 */
	int64_t blank_line; /* the first of the blank lines just read, or 0 */
	int64_t n_records;	/* words read, duplicates and all */
	int64_t n_words;	/* given to the sink */
	MrenWordSet seen;
	float *vector; /* (dim) */

	char *pending;
	size_t n_pending, pending_capacity;
};

static const char *const names[] = {"auto", "word2vec_binary", "word2vec_text", "glove",
									"fasttext"};

const char *
mren_vector_format_name(MrenVectorFormat format)
{
	return (size_t) format < sizeof(names) / sizeof(*names) ? names[format] : "unknown";
}

MrenStatus
mren_vector_format_parse(const char *name, MrenVectorFormat *format, MrenError *err)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
	{
		if (strcmp(name, names[i]) == 0)
		{
			*format = (MrenVectorFormat) i;
			return MREN_OK;
		}
	}
	mren_fail(err, MREN_EPARAM, "word vector format \"%s\" does not exist",
			  mren_utf8_excerpt(name, strlen(name)).text);
	mren_error_hint(err, "Formats are \"auto\", \"word2vec_binary\", \"word2vec_text\", \"glove\" "
						 "and \"fasttext\".");
	return MREN_EPARAM;
}

MrenStatus
mren_vector_reader_open(const MrenEnv *env, MrenVectorFormat format, int64_t max_words,
						const MrenVectorSink *sink, MrenVectorReader **reader, MrenError *err)
{
	MrenVectorReader *fresh;

	*reader = NULL;
	if (max_words == 0)
		return mren_fail(err, MREN_EPARAM, "number of words to read must be at least 1");
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*fresh), &fresh, err));
	fresh->env = *env;
	fresh->wanted = format;
	fresh->max_words = max_words;
	fresh->sink = *sink;
	*reader = fresh;
	return MREN_OK;
}

void
mren_vector_reader_close(MrenVectorReader *reader)
{
	MrenEnv env;

	if (reader == NULL)
		return;
	env = reader->env;
	mren_wordset_free(&env, &reader->seen);
	mren_release(&env, reader->vector);
	mren_release(&env, reader->pending);
	mren_release(&env, reader);
}

bool
mren_vector_reader_enough(const MrenVectorReader *reader)
{
	return reader->enough;
}

static bool
is_binary(const MrenVectorReader *reader)
{
	return reader->header.format == MREN_VECTORS_WORD2VEC_BINARY;
}

/* "line 3" or "word 3": the place in the file that a message names. */
static const char *
place_kind(const MrenVectorReader *reader)
{
	return is_binary(reader) ? "word" : "line";
}

static long long
place_number(const MrenVectorReader *reader)
{
	return is_binary(reader) ? reader->n_records + 1 : reader->line;
}

static MrenStatus
check_word(const MrenVectorReader *reader, const char *word, size_t len, MrenError *err)
{
	const char *kind = place_kind(reader);
	long long number = place_number(reader);

	if (len == 0)
		return mren_fail(err, MREN_EFORMAT, "%s %lld: word is missing", kind, number);
	if (len > MREN_MAX_WORD)
		return mren_fail(err, MREN_ELIMIT, "%s %lld: word of %zu bytes is longer than %d", kind,
						 number, len, MREN_MAX_WORD);
	if (memchr(word, '\0', len) != NULL)
		return mren_fail(err, MREN_EFORMAT, "%s %lld: word contains a zero byte", kind, number);
	if (!mren_utf8_valid(word, len, NULL))
	{
		mren_fail(err, MREN_EFORMAT, "%s %lld: word \"%s\" is not valid UTF-8", kind, number,
				  mren_utf8_excerpt(word, len).text);
		mren_error_hint(err, "Convert the file to UTF-8. Where the original word2vec cut a long "
							 "word inside a character, leave that word out.");
		return MREN_EFORMAT;
	}
	return MREN_OK;
}

/* A word with its vector, which is in reader->vector. */
static MrenStatus
take_word(MrenVectorReader *reader, const char *word, size_t len, MrenError *err)
{
	bool added;

	MREN_TRY(check_word(reader, word, len, err));
	MREN_TRY(mren_wordset_add(&reader->env, &reader->seen, word, len, &added, err));
	reader->n_records++;
	if (!added)
		return MREN_OK;
	MREN_TRY(
		reader->sink.word(reader->sink.state, word, len, reader->vector, reader->header.dim, err));
	reader->n_words++;
	reader->enough = reader->n_words == reader->max_words;
	return MREN_OK;
}

static MrenStatus
allocate_vector(MrenVectorReader *reader, MrenError *err)
{
	return mren_allocate(&reader->env, reader->header.dim, sizeof(float), &reader->vector, err);
}

/* GloVe's first line: how many numbers it has is how many all must have. */
static MrenStatus
learn_dim(MrenVectorReader *reader, const char *text, size_t len, MrenError *err)
{
	size_t dim = mren_vector_line_dim(text, len);

	if (dim == 0)
	{
		mren_fail(err, MREN_EFORMAT, "line %lld: no number after the word",
				  (long long) reader->line);
		mren_error_detail(err, "The line is \"%s\".", mren_utf8_excerpt(text, len).text);
		return MREN_EFORMAT;
	}
	if (dim > MREN_VECTORS_MAX_DIM)
		return mren_fail(err, MREN_ELIMIT,
						 "word vectors have %zu numbers, but at most %d can be used", dim,
						 MREN_VECTORS_MAX_DIM);
	reader->header.dim = dim;
	return allocate_vector(reader, err);
}

static bool
is_blank_line(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
			return false;
	}
	return true;
}

static MrenStatus
take_line(MrenVectorReader *reader, const char *text, size_t len, MrenError *err)
{
	MrenVectorLine line;

	reader->line++;
	/* Blank lines are harmless at the end only. */
	if (is_blank_line(text, len))
	{
		if (reader->blank_line == 0)
			reader->blank_line = reader->line;
		return MREN_OK;
	}
	if (reader->blank_line > 0)
		return mren_fail(err, MREN_EFORMAT, "line %lld: line is empty",
						 (long long) reader->blank_line);
	if (reader->n_records == reader->header.n_words)
		return mren_fail(err, MREN_EFORMAT, "line %lld: more than the %lld words of the first line",
						 (long long) reader->line, (long long) reader->header.n_words);
	if (reader->header.dim == 0)
		MREN_TRY(learn_dim(reader, text, len, err));
	MREN_TRY(mren_vector_line_parse(text, len, reader->line, reader->header.dim, &line,
									reader->vector, err));
	return take_word(reader, line.word, line.len, err);
}

/* Takes whole lines; *used is what they took. */
static MrenStatus
take_lines(MrenVectorReader *reader, const char *bytes, size_t n, size_t *used, MrenError *err)
{
	*used = 0;
	while (!reader->enough)
	{
		const char *start = bytes + *used;
		const char *end = memchr(start, '\n', n - *used);
		size_t len = end != NULL ? (size_t) (end - start) : n - *used;

		if (len > MAX_LINE)
			return mren_fail(err, MREN_ELIMIT, "line %lld is longer than %d bytes",
							 (long long) reader->line + 1, MAX_LINE);
		if (end == NULL)
			break;
		MREN_TRY(take_line(reader, start, len, err));
		*used += len + 1;
	}
	return MREN_OK;
}

/* dim little-endian floats, all finite. */
static MrenStatus
read_floats(MrenVectorReader *reader, const char *bytes, const char *word, size_t len,
			MrenError *err)
{
	const unsigned char *at = (const unsigned char *) bytes;

	for (size_t i = 0; i < reader->header.dim; i++, at += 4)
	{
		uint32_t bits = (uint32_t) at[0] | (uint32_t) at[1] << 8 | (uint32_t) at[2] << 16 |
						(uint32_t) at[3] << 24;

		memcpy(&reader->vector[i], &bits, sizeof(bits));
		if (!isfinite(reader->vector[i]))
			return mren_fail(err, MREN_EFORMAT, "word %lld (\"%s\"): number %zu is not finite",
							 (long long) reader->n_records + 1, mren_utf8_excerpt(word, len).text,
							 i + 1);
	}
	return MREN_OK;
}

/* Takes whole records: word, space, floats, and perhaps a line feed. */
static MrenStatus
take_records(MrenVectorReader *reader, const char *bytes, size_t n, size_t *used, MrenError *err)
{
	const size_t n_vector = reader->header.dim * 4;
	size_t at = 0;

	while (!reader->enough)
	{
		const char *space;
		size_t len;

		while (at < n && bytes[at] == '\n')
			at++;
		*used = at;
		if (at < n && reader->n_records == reader->header.n_words)
			return mren_fail(err, MREN_EFORMAT, "file goes on after the %lld words of its header",
							 (long long) reader->header.n_words);
		space = memchr(bytes + at, ' ', n - at);
		len = space != NULL ? (size_t) (space - (bytes + at)) : n - at;
		if (len > MREN_MAX_WORD)
			return mren_fail(err, MREN_ELIMIT, "word %lld: word is longer than %d bytes",
							 (long long) reader->n_records + 1, MREN_MAX_WORD);
		if (space == NULL || n - at - len - 1 < n_vector)
			break;
		MREN_TRY(read_floats(reader, space + 1, bytes + at, len, err));
		MREN_TRY(take_word(reader, bytes + at, len, err));
		at += len + 1 + n_vector;
	}
	*used = at;
	return MREN_OK;
}

static MrenStatus
start_reading(MrenVectorReader *reader, size_t *used, MrenError *err)
{
	MREN_TRY(mren_vector_detect(reader->pending, reader->n_pending, reader->wanted, &reader->header,
								err));
	reader->known = true;
	*used = reader->header.size;
	if (reader->header.dim == 0)
		return MREN_OK;
	reader->line = 1;
	return allocate_vector(reader, err);
}

/* Takes what it can from pending and moves the rest to its front. */
static MrenStatus
digest(MrenVectorReader *reader, bool whole, MrenError *err)
{
	size_t header = 0;
	size_t used = 0;

	if (!reader->known)
	{
		if (!whole && reader->n_pending < MREN_VECTORS_PROBE)
			return MREN_OK;
		MREN_TRY(start_reading(reader, &header, err));
	}
	if (is_binary(reader))
		MREN_TRY(
			take_records(reader, reader->pending + header, reader->n_pending - header, &used, err));
	else
		MREN_TRY(
			take_lines(reader, reader->pending + header, reader->n_pending - header, &used, err));
	used += header;
	reader->n_pending -= used;
	memmove(reader->pending, reader->pending + used, reader->n_pending);
	return MREN_OK;
}

MrenStatus
mren_vector_reader_feed(MrenVectorReader *reader, const void *bytes, size_t n, MrenError *err)
{
	const char *at = bytes;

	while (n > 0 && !reader->enough)
	{
		size_t slice = n < SLICE ? n : SLICE;

		MREN_TRY(mren_check_interrupts(&reader->env, err));
		MREN_TRY(mren_grow(&reader->env, &reader->pending, &reader->pending_capacity,
						   reader->n_pending, reader->n_pending + slice, 1, err));
		memcpy(reader->pending + reader->n_pending, at, slice);
		reader->n_pending += slice;
		at += slice;
		n -= slice;
		MREN_TRY(digest(reader, false, err));
	}
	return MREN_OK;
}

static MrenStatus
check_end(const MrenVectorReader *reader, MrenError *err)
{
	if (reader->enough)
		return MREN_OK;
	if (reader->header.n_words > reader->n_records)
	{
		mren_fail(err, MREN_EFORMAT, "file is truncated: it should have %lld words, but has %lld",
				  (long long) reader->header.n_words, (long long) reader->n_records);
		if (reader->n_pending > 0)
			mren_error_detail(err, "It ends inside a word's vector.");
		return MREN_EFORMAT;
	}
	/* Nothing but blank lines. */
	if (reader->n_records == 0)
		return mren_fail(err, MREN_EFORMAT, "file holds no word");
	return MREN_OK;
}

MrenStatus
mren_vector_reader_finish(MrenVectorReader *reader, MrenVectorFileInfo *info, MrenError *err)
{
	if (!reader->enough)
	{
		MREN_TRY(mren_check_interrupts(&reader->env, err));
		/* An empty file has no pending buffer yet. */
		MREN_TRY(mren_grow(&reader->env, &reader->pending, &reader->pending_capacity,
						   reader->n_pending, reader->n_pending + 1, 1, err));
		MREN_TRY(digest(reader, true, err));
		/* The last line may lack its end. */
		if (!is_binary(reader) && !reader->enough && reader->n_pending > 0)
		{
			MREN_TRY(take_line(reader, reader->pending, reader->n_pending, err));
			reader->n_pending = 0;
		}
		MREN_TRY(check_end(reader, err));
	}
	*info = (MrenVectorFileInfo){reader->header.format, reader->header.dim, reader->n_words,
								 reader->n_records - reader->n_words};
	return MREN_OK;
}
