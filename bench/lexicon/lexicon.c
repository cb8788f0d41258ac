/*
 * lexicon.c
 *	  How fast a lexicon's phrases are found.
 *
 *	lexicon PHRASES SECONDS FILE
 *
 * FILE is UTF-8 text.  The phrases are runs of one to four words of it, picked
 * by a hash, so that many are found.  Prints the seconds of building, the bytes
 * held, and MB/s of the whole (cutting, folding, matching) and of each part.
 */
#include "../bench.h"

#include "base/hash.h"
#include "text/lexicon/lexicon.h"
#include "base/utf8.h"

/* Bytes that the environment below has given out. */
static size_t held;

static void *
allocate(void *state, size_t size)
{
	char *block = aligned_alloc(MREN_ALIGNMENT,
								(size + 2 * MREN_ALIGNMENT - 1) / MREN_ALIGNMENT * MREN_ALIGNMENT);

	(void) state;
	if (block == NULL)
		return NULL;
	*(size_t *) block = size;
	held += size;
	return block + MREN_ALIGNMENT;
}

static void
release(void *state, void *ptr)
{
	char *block = (char *) ptr - MREN_ALIGNMENT;

	(void) state;
	if (ptr == NULL)
		return;
	held -= *(size_t *) block;
	free(block);
}

/* As much of the file as may be tokenized at once. */
static char *
read_text(const char *path, size_t *len)
{
	char *text = read_file(path, len);

	*len = *len > MREN_MAX_TEXT ? MREN_MAX_TEXT : *len;
	/* Not through the middle of a character. */
	while (*len > 0 && !mren_utf8_valid(text, *len, NULL))
		(*len)--;
	return text;
}

/* Runs of words at pseudo-random places until there are enough different ones. */
static MrenLexicon *
build(const MrenEnv *env, MrenTokenizer *tokenizer, const char *text, const MrenFolded *words,
	  size_t n)
{
	MrenLexicon *lexicon;

	must(mren_lexicon_create(env, &lexicon, &err));
	for (uint64_t i = 0; mren_lexicon_n_phrases(lexicon) < n && i < 20 * n; i++)
	{
		uint64_t hash = mren_hash64(&i, sizeof(i), 0);
		size_t first = (size_t) (hash >> 8) % (words->n - 4);
		size_t last = first + (hash & 3);
		uint32_t start = words->words[first].start;
		size_t len = words->words[last].end - start;

		if (len <= 100)
			must(mren_lexicon_add(lexicon, tokenizer, (MrenTextSpan){text + start, len},
								  (MrenTextSpan){"TYPE", 4}, 1, &err));
	}
	must(mren_lexicon_finish(lexicon, &err));
	return lexicon;
}

int
main(int argc, char **argv)
{
	const MrenEnv counting = {.allocate = allocate, .release = release, .interrupted = bench_interrupted};
	MrenTokenizer *tokenizer;
	MrenTokens tokens = {0};
	MrenFolded folded = {0};
	MrenLexiconMatches matches = {0};
	MrenLexicon *lexicon;
	double start, built, seconds, tokenizing = 0, folding = 0, matching = 0;
	size_t len, before;
	char *text;
	int rounds = 0;

	if (argc != 4)
		return 2;
	seconds = atof(argv[2]);
	text = read_text(argv[3], &len);
	must(mren_tokenizer_open(&counting, &tokenizer, &err));
	must(mren_fold(tokenizer, &counting, text, len, &folded, &err));
	before = held;
	start = now();
	lexicon = build(&counting, tokenizer, text, &folded, (size_t) atol(argv[1]));
	built = now() - start;
	printf("phrases %zu\nbuild_seconds %.3f\nbytes %zu\n", mren_lexicon_n_phrases(lexicon), built,
		   held - before);
	while (tokenizing + folding + matching < seconds)
	{
		start = now();
		must(mren_tokenize(tokenizer, &counting, text, len, &tokens, &err));
		tokenizing += now() - start;
		start = now();
		must(mren_fold(tokenizer, &counting, text, len, &folded, &err));
		folding += now() - start;
		start = now();
		must(mren_lexicon_match(lexicon, &counting, &folded, &matches, &err));
		matching += now() - start;
		rounds++;
	}
	printf("words %zu\nfound %zu\n", folded.n, matches.n);
	printf("whole %.1f\n", 1e-6 * (double) len * rounds / (folding + matching));
	printf("tokenize %.1f\nfold %.1f\nmatch %.1f\n", 1e-6 * (double) len * rounds / tokenizing,
		   1e-6 * (double) len * rounds / folding, 1e-6 * (double) len * rounds / matching);
	return 0;
}
