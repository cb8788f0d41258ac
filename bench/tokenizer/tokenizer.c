/*
 * tokenizer.c
 *	  Sentences a second that a tokenizer.json cuts, for bench/tokenizer/run.
 *
 * tokenizer TOKENIZER TEXT SECONDS: the lines of TEXT again and again, on one core.  Prints
 * sentences a second of processor time, and the number of pieces of all lines.
 */
#include "../bench.h"

#include <string.h>

#include "transformer/tokenizer/subword.h"

int
main(int argc, char **argv)
{
	MrenSubwordTokenizer *tokenizer;
	MrenPieces pieces = {0};
	size_t len, n_pieces = 0, n = 0;
	char *json, *text;
	double start;

	if (argc < 4)
	{
		fprintf(stderr, "usage: tokenizer TOKENIZER TEXT SECONDS\n");
		return 2;
	}
	json = read_file(argv[1], &len);
	must(mren_subword_parse(&env, json, len, &tokenizer, &err));
	text = read_file(argv[2], &len);
	start = now();
	do
	{
		n_pieces = 0;
		for (const char *at = text, *end; (end = strchr(at, '\n')) != NULL; at = end + 1, n++)
		{
			must(mren_subword_encode(&env, tokenizer, at, (size_t) (end - at), 0, &pieces, &err));
			n_pieces += pieces.n;
		}
	} while (now() - start < atof(argv[3]));
	printf("%.0f %zu\n", (double) n / (now() - start), n_pieces);
	mren_pieces_free(&env, &pieces);
	mren_subword_free(&env, tokenizer);
	free(json);
	free(text);
	return 0;
}
