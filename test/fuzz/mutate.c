/*
 * mutate.c
 *	  A main for a fuzz target built without libFuzzer: runs it on COUNT mutants of the files
 *	  named and says which took the longest, in processor time.
 *
 *	mutate COUNT FILE...
 *
 * The same command makes the same mutants.  With WRITE=NUMBER in the environment, nothing runs,
 * and the mutant of that number is written to the file "mutant".
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fuzz.h"

/* Bytes that a mutant may be longer than its file. */
#define MAX_GROWTH 4096

typedef struct
{
	uint8_t *data;
	size_t len;
} Input;

/* splitmix64 */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9E3779B97F4A7C15u);

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static size_t
below(uint64_t *state, size_t n)
{
	return n == 0 ? 0 : (size_t) (next_random(state) % n);
}

static Input
read_input(const char *path)
{
	FILE *file = fopen(path, "rb");
	Input input = {0};
	long len;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (len = ftell(file)) < 0)
	{
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	rewind(file);
	input.data = malloc((size_t) len + 1);
	input.len = fread(input.data, 1, (size_t) len, file);
	fclose(file);
	return input;
}

/* One change at a place that is often near the start, where headers are. */
static void
change(Input *mutant, const Input *other, uint64_t *random)
{
	static const uint8_t edges[] = {0, 1, 0x7F, 0x80, 0xFE, 0xFF};
	size_t reach = below(random, 2) == 0 && mutant->len > 64 ? 64 : mutant->len;
	size_t at = below(random, reach);
	size_t n = 1 + below(random, mutant->len - at > 16 ? 16 : mutant->len - at);

	if (mutant->len == 0)
		return;
	switch (below(random, 7))
	{
		case 0:
			mutant->data[at] ^= (uint8_t) (1u << below(random, 8));
			break;
		case 1:
			mutant->data[at] = (uint8_t) next_random(random);
			break;
		case 2:
			memset(mutant->data + at, edges[below(random, sizeof(edges))], n);
			break;
		case 3: /* the end is missing */
			mutant->len = at;
			break;
		case 4: /* some bytes are missing */
			memmove(mutant->data + at, mutant->data + at + n, mutant->len - at - n);
			mutant->len -= n;
			break;
		case 5: /* some bytes stand there twice */
			memmove(mutant->data + at + n, mutant->data + at, mutant->len - at);
			mutant->len += n;
			break;
		default: /* a piece of another file */
			n = n < other->len ? n : other->len;
			memcpy(mutant->data + at, other->data + below(random, other->len - n + 1), n);
			break;
	}
}

static Input
mutant_of(const Input *files, size_t n_files, uint64_t number)
{
	uint64_t random = number * 0x2545F4914F6CDD1Du;
	const Input *file = &files[below(&random, n_files)];
	size_t n_changes = 1 + below(&random, 6);
	Input mutant = {malloc(file->len + MAX_GROWTH), file->len};

	memcpy(mutant.data, file->data, file->len);
	for (size_t i = 0; i < n_changes; i++)
		change(&mutant, &files[below(&random, n_files)], &random);
	/* An exact size, so that a read past the end is seen. */
	mutant.data = realloc(mutant.data, mutant.len > 0 ? mutant.len : 1);
	return mutant;
}

static void
write_mutant(const Input *mutant)
{
	FILE *file = fopen("mutant", "wb");

	if (file == NULL || fwrite(mutant->data, 1, mutant->len, file) != mutant->len ||
		fclose(file) != 0)
	{
		fprintf(stderr, "mutant: %s\n", strerror(errno));
		exit(1);
	}
}

static double
run_timed(const Input *mutant)
{
	struct timespec from, to;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	LLVMFuzzerTestOneInput(mutant->data, mutant->len);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	return (double) (to.tv_sec - from.tv_sec) * 1e3 + (double) (to.tv_nsec - from.tv_nsec) / 1e6;
}

int
main(int argc, char **argv)
{
	uint64_t count = argc > 2 ? strtoull(argv[1], NULL, 10) : 0;
	const char *write = getenv("WRITE");
	size_t n_files = argc > 2 ? (size_t) argc - 2 : 0;
	Input *files = calloc(n_files + 1, sizeof(Input));
	double slowest = 0, total = 0;
	uint64_t which = 0;

	if (count == 0)
	{
		fprintf(stderr, "usage: %s COUNT FILE...\n", argv[0]);
		return 2;
	}
	for (size_t i = 0; i < n_files; i++)
		files[i] = read_input(argv[i + 2]);
	for (uint64_t i = 1; i <= count; i++)
	{
		Input mutant = mutant_of(files, n_files, i);
		double milliseconds;

		if (write != NULL && strtoull(write, NULL, 10) == i)
			write_mutant(&mutant);
		milliseconds = write != NULL ? 0 : run_timed(&mutant);
		total += milliseconds;
		if (milliseconds > slowest)
		{
			slowest = milliseconds;
			which = i;
		}
		free(mutant.data);
	}
	printf("%s: %llu mutants of %zu files, %.1f ms of processor time in all, slowest %.1f ms "
		   "(number %llu)\n",
		   argv[0], (unsigned long long) count, n_files, total, slowest,
		   (unsigned long long) which);
	for (size_t i = 0; i < n_files; i++)
		free(files[i].data);
	free(files);
	return 0;
}
