/*
 * weights_file.h
 *	  A file of weights in memory, for tests of what is opened with one.
 */
#ifndef WEIGHTS_FILE_H
#define WEIGHTS_FILE_H

#include <string.h>
#include <sys/mman.h>

#include "base/weights.h"

static const uint8_t key[MREN_WEIGHTS_KEY] = "what the numbers depend on";

/* A file's bytes, on pages that cannot be written to until it is to be damaged. */
typedef struct File
{
	uint8_t *bytes;
	size_t len;
} File;

static inline File
write_file(const MrenWeights *weights)
{
	File file = {.len = mren_weights_file_size(weights)};
	MrenBuffer header;
	MrenError err;
	size_t at;

	assert_int_equal(mren_weights_header(weights, key, &header, &err), MREN_OK);
	file.bytes = mmap(NULL, file.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(file.bytes != MAP_FAILED);
	memcpy(file.bytes, header.data, header.len);
	at = header.len;
	for (size_t i = 0; i < weights->n; i++)
	{
		at = mren_weights_align(at);
		if (weights->blocks[i].len > 0) /* else there may be no data */
			memcpy(file.bytes + at, weights->blocks[i].data, weights->blocks[i].len);
		at += weights->blocks[i].len;
	}
	assert_int_equal(at, file.len);
	mren_buffer_free(&weights->env, &header);
	assert_int_equal(mprotect(file.bytes, file.len, PROT_READ), 0);
	return file;
}

static inline void
close_file(File *file)
{
	munmap(file->bytes, file->len);
}

#endif
