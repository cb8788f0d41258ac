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
	bool skip_bad;
	MrenVectorSink sink;

	bool known; /* the format is */
	bool enough;
	MrenVectorHeader header;
	int64_t line;		/* number of the last line read, from 1 */
	int64_t blank_line; /* the first of the blank lines just read, or 0 */
	int64_t n_records;	/* words read, also repeated and skipped ones */
	int64_t n_words;	/* given to the sink */
	int64_t n_duplicates;
	int64_t n_bad; /* skipped */
	char bad[MREN_VECTORS_SHOWN][sizeof(((MrenError *) 0)->message)];
	MrenWordSet seen;
	float *vector; /* (dim) */

	/* Binary: the last word and what looks like more of it in its vector; or "". */
	MrenExcerpt phrase;
	int64_t phrase_number; /* of that word, from 1 */

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
						bool skip_bad, const MrenVectorSink *sink, MrenVectorReader **reader,
						MrenError *err)
{
	MrenVectorReader *fresh;

	*reader = NULL;
	if (max_words == 0)
		return mren_fail(err, MREN_EPARAM, "number of words to read must be at least 1");
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*fresh), &fresh, err));
	fresh->env = *env;
	fresh->wanted = format;
	fresh->max_words = max_words;
	fresh->skip_bad = skip_bad;
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

/* A good word with its vector, which is in reader->vector. */
static MrenStatus
take_word(MrenVectorReader *reader, const char *word, size_t len, MrenError *err)
{
	bool added;

	MREN_TRY(mren_wordset_add(&reader->env, &reader->seen, word, len, &added, err));
	reader->n_records++;
	if (!added)
	{
		reader->n_duplicates++;
		return MREN_OK;
	}
	MREN_TRY(
		reader->sink.word(reader->sink.state, word, len, reader->vector, reader->header.dim, err));
	reader->n_words++;
	reader->enough = reader->n_words == reader->max_words;
	return MREN_OK;
}

/* Skips a bad word if that is wanted; otherwise its error is the file's. */
static MrenStatus
skip_or_fail(MrenVectorReader *reader, const MrenError *why, MrenError *err)
{
	if (!reader->skip_bad)
	{
		if (err == NULL)
			return why->status;
		*err = *why;
		mren_error_hint(err, "%s%sThe setting mren.skip_bad_words leaves such words out.",
						why->hint, why->hint[0] != '\0' ? " " : "");
		return why->status;
	}
	if (reader->n_bad < MREN_VECTORS_SHOWN)
		memcpy(reader->bad[reader->n_bad], why->message, sizeof(why->message));
	reader->n_bad++;
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

/*
 * Lines may end in CR LF.  Any other CR is a line end of old Macintosh files, where LF is wanted.
 */
static MrenStatus
check_line_end(const MrenVectorReader *reader, const char *text, size_t len, MrenError *err)
{
	const char *at = memchr(text, '\r', len);

	if (at == NULL || at + 1 == text + len)
		return MREN_OK;
	mren_fail(err, MREN_EFORMAT, "line %lld: carriage return inside the line",
			  (long long) reader->line);
	mren_error_hint(err, "Lines must end in a line feed; a carriage return before it is ignored.");
	return MREN_EFORMAT;
}

static MrenStatus
take_line(MrenVectorReader *reader, const char *text, size_t len, MrenError *err)
{
	MrenTextSpan word;
	MrenStatus status;
	MrenError why;

	reader->line++;
	/* Blank lines are harmless at the end only. */
	if (is_blank_line(text, len))
	{
		if (reader->blank_line == 0)
			reader->blank_line = reader->line;
		return MREN_OK;
	}
	if (reader->blank_line > 0)
	{
		mren_fail(&why, MREN_EFORMAT, "line %lld: line is empty", (long long) reader->blank_line);
		MREN_TRY(skip_or_fail(reader, &why, err));
		reader->blank_line = 0;
	}
	if (reader->n_records == reader->header.n_words)
		return mren_fail(err, MREN_EFORMAT, "line %lld: more than the %lld words of the first line",
						 (long long) reader->line, (long long) reader->header.n_words);
	status = check_line_end(reader, text, len, &why);
	if (status != MREN_OK)
		return skip_or_fail(reader, &why, err);
	if (reader->header.dim == 0)
		MREN_TRY(learn_dim(reader, text, len, err));
	status = mren_vector_line_parse(&(MrenVectorLine){text, len, reader->line}, reader->header.dim,
									reader->header.n_words >= 0, &word, reader->vector, &why);
	if (status == MREN_OK)
		status = check_word(reader, word.data, word.len, &why);
	if (status == MREN_OK)
		return take_word(reader, word.data, word.len, err);
	reader->n_records++;
	return skip_or_fail(reader, &why, err);
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

		if (len > MAX_LINE && memchr(start, '\r', MAX_LINE) != NULL)
		{
			reader->line++;
			return check_line_end(reader, start, len, err);
		}
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

/*
 * Notes whether the vector of a word begins with text up to a blank, as it does
 * where the word itself contains blanks.  Floats rarely look so, and if they do,
 * it matters only when what follows cannot be read.
 */
static void
note_phrase(MrenVectorReader *reader, const char *word, size_t len)
{
	const char *vector = word + len + 1;
	const size_t n = reader->header.dim * 4;
	size_t end = 0;

	for (size_t i = 0; i < n;)
	{
		uint32_t code;
		size_t width = mren_utf8_decode(vector + i, n - i, &code);

		if (width == 0 || code < ' ' || (code >= 0x7F && code < 0xA0))
			break;
		if (code == ' ' && i > end)
			end = i;
		i += width;
	}
	reader->phrase.text[0] = '\0';
	if (end > 0)
		reader->phrase = mren_utf8_excerpt(word, len + 1 + end);
	reader->phrase_number = reader->n_records + 1;
}

/*
 * The error of a word that cannot be read, and after which the file cannot be
 * read on: the word before it is blamed if that seems to contain a blank.
 */
static MrenStatus
fail_record(const MrenVectorReader *reader, const MrenError *why, MrenError *err)
{
	if (reader->phrase.text[0] == '\0')
	{
		if (err != NULL)
			*err = *why;
		return why->status;
	}
	mren_fail(err, MREN_EFORMAT, "word %lld (\"%s\") seems to contain a blank",
			  (long long) reader->phrase_number, reader->phrase.text);
	mren_error_detail(err, "A blank ends the word in this format. What follows cannot be read: %s.",
					  why->message);
	mren_error_hint(err, "Replace the blanks in words, for example by underscores, or save the "
						 "vectors in word2vec's text format.");
	return MREN_EFORMAT;
}

/* A whole record; its word is len bytes long. */
static MrenStatus
take_record(MrenVectorReader *reader, const char *word, size_t len, MrenError *err)
{
	MrenError why;
	MrenStatus status = read_floats(reader, word + len + 1, word, len, &why);

	if (status != MREN_OK && reader->phrase.text[0] == '\0')
		note_phrase(reader, word, len);
	if (status == MREN_OK)
		status = check_word(reader, word, len, &why);
	if (status == MREN_OK)
	{
		note_phrase(reader, word, len);
		return take_word(reader, word, len, err);
	}
	/* No word has a zero byte, so what was taken for one is not where a word begins. */
	if (reader->phrase.text[0] != '\0' || memchr(word, '\0', len) != NULL)
		return fail_record(reader, &why, err);
	reader->n_records++;
	return skip_or_fail(reader, &why, err);
}

/* Takes whole records: word, space, floats, and perhaps a line feed. */
static MrenStatus
take_records(MrenVectorReader *reader, const char *bytes, size_t n, size_t *used, MrenError *err)
{
	const size_t n_vector = reader->header.dim * 4;
	size_t at = 0;
	MrenError why;

	while (!reader->enough)
	{
		const char *space;
		size_t len;

		/* Where a line feed follows the vector, it ended where it should. */
		for (; at < n && bytes[at] == '\n'; at++)
			reader->phrase.text[0] = '\0';
		*used = at;
		if (at < n && reader->n_records == reader->header.n_words)
		{
			mren_fail(&why, MREN_EFORMAT, "file goes on after the %lld words of its header",
					  (long long) reader->header.n_words);
			return fail_record(reader, &why, err);
		}
		space = memchr(bytes + at, ' ', n - at);
		len = space != NULL ? (size_t) (space - (bytes + at)) : n - at;
		if (len > MREN_MAX_WORD)
		{
			mren_fail(&why, MREN_ELIMIT, "word %lld: word is longer than %d bytes",
					  (long long) reader->n_records + 1, MREN_MAX_WORD);
			return fail_record(reader, &why, err);
		}
		if (space == NULL || n - at - len - 1 < n_vector)
			break;
		MREN_TRY(take_record(reader, bytes + at, len, err));
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
	MrenError why;

	if (reader->enough)
		return MREN_OK;
	if (reader->header.n_words > reader->n_records)
	{
		mren_fail(&why, MREN_EFORMAT, "file is truncated: it should have %lld words, but has %lld",
				  (long long) reader->header.n_words, (long long) reader->n_records);
		if (reader->n_pending > 0)
			mren_error_detail(&why, "It ends inside a word's vector.");
		if (reader->n_words > 0)
			mren_error_hint(&why, "max_words => %lld loads the words that the file has.",
							(long long) reader->n_words);
		return fail_record(reader, &why, err);
	}
	/* Nothing but blank lines. */
	if (reader->n_words == 0)
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
								 reader->n_duplicates,	reader->n_bad,		{{0}}};
	memcpy(info->bad, reader->bad, sizeof(info->bad));
	return MREN_OK;
}
