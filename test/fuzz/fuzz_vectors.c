/*
 * fuzz_vectors.c
 *	  Any bytes as a file of word vectors.
 *
 * The first byte says which format is requested and how large the chunks are.
 * Checks that whole and chunked reading agree, and that the sink gets what it is
 * promised.
 */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "text/spelling.h"
#include "base/utf8.h"
#include "text/vectors/vector_file.h"

typedef struct Seen
{
	size_t dim;
	int64_t n_words;
	uint64_t sum;
} Seen;

static MrenStatus
take(void *state, const char *word, size_t len, const float *vector, size_t dim, MrenError *err)
{
	Seen *seen = state;

	(void) err;
	if (len == 0 || len > MREN_MAX_WORD || memchr(word, '\0', len) != NULL ||
		!mren_utf8_valid(word, len, NULL))
		abort();
	if (dim == 0 || dim > MREN_VECTORS_MAX_DIM || (seen->dim != 0 && seen->dim != dim))
		abort();
	seen->dim = dim;
	seen->n_words++;
	for (size_t i = 0; i < len; i++)
		seen->sum = seen->sum * 31 + (unsigned char) word[i];
	for (size_t i = 0; i < dim; i++)
	{
		uint32_t bits;

		if (!isfinite(vector[i]))
			abort();
		memcpy(&bits, &vector[i], sizeof(bits));
		seen->sum = seen->sum * 31 + bits;
	}
	return MREN_OK;
}

static MrenStatus
read_all(const MrenEnv *env, MrenVectorFormat format, const uint8_t *data, size_t size,
		 size_t chunk, Seen *seen, MrenVectorFileInfo *info, MrenError *err)
{
	MrenVectorSink sink = {seen, take};
	MrenVectorReader *reader;
	MrenStatus status = mren_vector_reader_open(env, format, -1, false, &sink, &reader, err);

	for (size_t at = 0; status == MREN_OK && at < size; at += chunk)
		status =
			mren_vector_reader_feed(reader, data + at, size - at < chunk ? size - at : chunk, err);
	if (status == MREN_OK)
		status = mren_vector_reader_finish(reader, info, err);
	mren_vector_reader_close(reader);
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzEnv fuzz;
	const MrenEnv *env = fuzz_env(&fuzz, (size_t) 64 << 20);
	Seen whole = {0};
	Seen parts = {0};
	MrenVectorFileInfo info;
	MrenVectorFileInfo again;
	MrenError err = {0};
	MrenVectorFormat format;
	MrenStatus status;
	size_t chunk;

	if (size == 0)
		return 0;
	format = (MrenVectorFormat) (data[0] % 5);
	chunk = 1 + data[0] / 5;
	data++;
	size--;
	status = read_all(env, format, data, size, size > 0 ? size : 1, &whole, &info, &err);
	if (status != MREN_OK && strlen(err.message) == 0)
		abort();
	if (read_all(env, format, data, size, chunk, &parts, &again, &err) != status ||
		whole.sum != parts.sum || whole.n_words != parts.n_words)
		abort();
	if (status == MREN_OK &&
		(info.n_words != whole.n_words || info.n_words == 0 || info.dim != whole.dim ||
		 info.format == MREN_VECTORS_AUTO || info.format != again.format))
		abort();
	fuzz_done(&fuzz);
	return 0;
}
