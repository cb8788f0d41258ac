/*
 * bench.h
 *	  What the programs of the benchmarks share: an environment, and the end on an error.
 *
 * They run to their end and never stop halfway, so an error is printed and ends them.  Times are
 * processor time, so that other work on the machine does not count.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/env.h"

static inline void *
bench_allocate(void *state, size_t size)
{
	(void) state;
	return aligned_alloc(MREN_ALIGNMENT,
						 (size + MREN_ALIGNMENT - 1) / MREN_ALIGNMENT * MREN_ALIGNMENT);
}

static inline void
bench_release(void *state, void *ptr)
{
	(void) state;
	free(ptr);
}

static inline bool
bench_interrupted(void *state)
{
	(void) state;
	return false;
}

static const MrenEnv env = {
	.allocate = bench_allocate, .release = bench_release, .interrupted = bench_interrupted};
static MrenError err;

static inline void
must(MrenStatus status)
{
	if (status == MREN_OK)
		return;
	fprintf(stderr, "%s\n", err.message);
	if (err.detail[0] != '\0')
		fprintf(stderr, "%s\n", err.detail);
	if (err.hint[0] != '\0')
		fprintf(stderr, "%s\n", err.hint);
	exit(1);
}

/* Seconds of processor time. */
static inline double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static inline int
bench_compare(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Of n numbers, which it sorts. */
static inline double
median(double *numbers, size_t n)
{
	qsort(numbers, n, sizeof(double), bench_compare);
	return numbers[n / 2];
}

/* The whole file, with a zero byte behind it. */
static inline char *
read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	char *bytes = NULL;
	long size;

	if (file != NULL && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0)
	{
		rewind(file);
		*len = (size_t) size;
		bytes = malloc(*len + 1);
		if (bytes != NULL && fread(bytes, 1, *len, file) != *len)
		{
			free(bytes);
			bytes = NULL;
		}
	}
	if (bytes == NULL)
	{
		perror(path);
		exit(1);
	}
	bytes[*len] = '\0';
	fclose(file);
	return bytes;
}

#endif
