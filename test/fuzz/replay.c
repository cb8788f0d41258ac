/*
 * replay.c
 *	  A main for a fuzz target built without libFuzzer: runs it once on each
 *	  file named, and on no bytes at all, so that the test run notices when an
 *	  input that once crashed crashes again.
 */
#include <stdio.h>

#include "fuzz.h"

static bool
replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t used = 0;
	size_t capacity = 0;

	if (file == NULL)
	{
		perror(path);
		return false;
	}
	do
	{
		uint8_t *grown = realloc(data, capacity + 65536);

		if (grown == NULL)
		{
			fprintf(stderr, "%s: out of memory\n", path);
			free(data);
			fclose(file);
			return false;
		}
		data = grown;
		capacity += 65536;
		used += fread(data + used, 1, capacity - used, file);
	} while (used == capacity);
	fclose(file);

	/* An exact copy, so that a read past the end is seen. */
	data = realloc(data, used > 0 ? used : 1);
	LLVMFuzzerTestOneInput(data, used);
	free(data);
	return true;
}

int
main(int argc, char **argv)
{
	static const uint8_t nothing[1];

	LLVMFuzzerTestOneInput(nothing, 0);
	for (int i = 1; i < argc; i++)
	{
		if (!replay(argv[i]))
			return 1;
	}
	printf("%s: %d inputs\n", argv[0], argc);
	return 0;
}
