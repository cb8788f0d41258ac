/*
 * test_text_vectors.c
 *	  Word-vector files: every format, every way to be malformed, every chunk
 *	  size; and the decimal parser.
 */
#include "support.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/random.h"
#include "text/vectors/number.h"
#include "text/spelling.h"
#include "text/vectors/vector_file.h"

/* What a sink has been given: the words as text, and the numbers. */
typedef struct Gathered
{
	char words[4096];
	size_t used;
	float numbers[256];
	size_t n_numbers;
	int64_t n_words;
	uint64_t hash; /* of all words and vectors */
	int64_t fail_at;
} Gathered;

static MrenStatus
gather(void *state, const char *word, size_t len, const float *vector, size_t dim, MrenError *err)
{
	Gathered *all = state;

	if (++all->n_words == all->fail_at)
		return mren_fail(err, MREN_EDATA, "sink is full");
	all->hash = mren_hash64(word, len, all->hash);
	all->hash = mren_hash64(vector, dim * sizeof(*vector), all->hash);
	if (all->used + len + 1 < sizeof(all->words))
	{
		memcpy(all->words + all->used, word, len);
		all->used += len;
		all->words[all->used++] = '|';
		all->words[all->used] = '\0';
	}
	for (size_t i = 0; i < dim && all->n_numbers < 256; i++)
		all->numbers[all->n_numbers++] = vector[i];
	return MREN_OK;
}

typedef struct Reading
{
	MrenVectorFormat format;
	int64_t max_words;
	size_t chunk;
	const char *bytes;
	size_t n;
	bool skip_bad;
} Reading;

static MrenStatus
read_with(const MrenEnv *env, const Reading *reading, Gathered *all, MrenVectorFileInfo *info,
		  MrenError *err)
{
	MrenVectorSink sink = {all, gather};
	MrenVectorReader *reader;
	MrenStatus status;

	status = mren_vector_reader_open(env, reading->format, reading->max_words, reading->skip_bad,
									 &sink, &reader, err);
	for (size_t at = 0; status == MREN_OK && at < reading->n; at += reading->chunk)
	{
		size_t n = reading->n - at < reading->chunk ? reading->n - at : reading->chunk;

		status = mren_vector_reader_feed(reader, reading->bytes + at, n, err);
	}
	if (status == MREN_OK)
		status = mren_vector_reader_finish(reader, info, err);
	mren_vector_reader_close(reader);
	return status;
}

static Gathered got;
static MrenVectorFileInfo info;
static MrenError err;
static bool skip_bad; /* for all that is read */

static MrenStatus
read_bytes(const char *bytes, size_t n, MrenVectorFormat format, int64_t max_words)
{
	Reading reading = {format, max_words, n > 0 ? n : 1, bytes, n, skip_bad};
	TestEnv test;
	MrenStatus status;

	test_env_init(&test);
	memset(&got, 0, sizeof(got));
	memset(&err, 0, sizeof(err));
	status = read_with(&test.env, &reading, &got, &info, &err);
	assert_int_equal(test.n_live, 0);
	return status;
}

static MrenStatus
read_string(const char *text)
{
	return read_bytes(text, strlen(text), MREN_VECTORS_AUTO, -1);
}

static void
assert_read(const char *text, MrenVectorFormat format, size_t dim, const char *words)
{
	if (read_string(text) != MREN_OK)
		fail_msg("%s", err.message);
	assert_int_equal(info.format, format);
	assert_int_equal(info.dim, dim);
	assert_string_equal(got.words, words);
}

static void
assert_refused(const char *text, MrenStatus status, const char *message)
{
	assert_int_equal(read_string(text), status);
	assert_string_equal(err.message, message);
}

static void
text_formats_are_told_apart_by_content(void **state)
{
	(void) state;
	assert_read("2 3\nthe 1 2 3\ncat -1.5 0 2e1\n", MREN_VECTORS_WORD2VEC_TEXT, 3, "the|cat|");
	assert_int_equal(got.n_numbers, 6);
	assert_true(got.numbers[3] == -1.5f && got.numbers[4] == 0 && got.numbers[5] == 20);
	assert_read("the 1 2 3\ncat 4 5 6\n", MREN_VECTORS_GLOVE, 3, "the|cat|");
	/* fastText ends each line with a space; some files have CR LF, or no end. */
	assert_read("2 3\r\nthe 1 2 3 \r\ncat 4 5 6 ", MREN_VECTORS_WORD2VEC_TEXT, 3, "the|cat|");
	assert_read("the\t1\t2\ncat\t4\t5\n\n", MREN_VECTORS_GLOVE, 2, "the|cat|");
	assert_read("\xEF\xBB\xBF"
				"1 2\n\xE4\xB8\xAD 1 2\n",
				MREN_VECTORS_WORD2VEC_TEXT, 2, "\xE4\xB8\xAD|");
	assert_read("1 1\n</s> 0\n", MREN_VECTORS_WORD2VEC_TEXT, 1, "</s>|");
	assert_int_equal(read_bytes("1 1\na 2\n", 8, MREN_VECTORS_FASTTEXT, -1), MREN_OK);
	assert_int_equal(info.format, MREN_VECTORS_FASTTEXT);
}

static void
words_may_contain_spaces_as_in_glove_840b(void **state)
{
	(void) state;
	assert_read("the 1 2\n. . . 3 4\nat name@domain.com 5 6\n", MREN_VECTORS_GLOVE, 2,
				"the|. . .|at name@domain.com|");
	assert_true(got.numbers[2] == 3 && got.numbers[5] == 6);
	/* A word that is a number, or is called nan, is no trouble. */
	assert_read("1 2\n7 1 2\n", MREN_VECTORS_WORD2VEC_TEXT, 2, "7|");
	assert_read("the 1 2\nnan 3 4\n2005 5 6\n", MREN_VECTORS_GLOVE, 2, "the|nan|2005|");
}

/* Where the file states the dimension, the last numbers are the vector. */
static void
words_may_end_in_a_number_if_the_dimension_is_stated(void **state)
{
	(void) state;
	assert_read("3 2\nroute 66 1 2\n1 1/2 3 4\n5 6 7 8\n", MREN_VECTORS_WORD2VEC_TEXT, 2,
				"route 66|1 1/2|5 6|");
	assert_true(got.numbers[0] == 1 && got.numbers[2] == 3 && got.numbers[5] == 8);
	assert_refused("the 1 2\nroute 66 3 4\n", MREN_EFORMAT,
				   "line 2 (\"route\"): expected 2 numbers, found 3");
}

static void
bad_words_can_be_skipped(void **state)
{
	(void) state;
	skip_bad = true;
	assert_read("8 2\nthe 1 2\nc\xFFt 1 2\nx 1\n 5 6\ny 1 nan\n\nz 1 2 w 3\nok 3 4\nthe 5 6\n",
				MREN_VECTORS_WORD2VEC_TEXT, 2, "the|ok|");
	assert_int_equal(info.n_bad, 6);
	assert_int_equal(info.n_duplicates, 1);
	assert_string_equal(info.bad[0], "line 3: word \"c?t\" is not valid UTF-8");
	assert_string_equal(info.bad[1], "line 4 (\"x\"): expected 2 numbers, found 1");
	assert_string_equal(info.bad[2], "line 5: word is missing");
	/* A file that is cut, and one without a good word, are refused all the same. */
	assert_refused("3 1\na 1\nb x\n", MREN_EFORMAT,
				   "file is truncated: it should have 3 words, but has 2");
	assert_refused("1 1\na x\n", MREN_EFORMAT, "file holds no word");
	skip_bad = false;
	assert_refused("1 1\na x\n", MREN_EFORMAT, "line 2 (\"a\"): \"x\" is not a number");
	assert_string_equal(err.hint, "The setting mren.skip_bad_words leaves such words out.");
}

static void
duplicates_keep_the_first_and_are_counted(void **state)
{
	(void) state;
	assert_read("3 1\na 1\nb 2\na 3\n", MREN_VECTORS_WORD2VEC_TEXT, 1, "a|b|");
	assert_int_equal(info.n_words, 2);
	assert_int_equal(info.n_duplicates, 1);
	assert_true(got.numbers[0] == 1);
}

static void
malformed_lines_are_named(void **state)
{
	(void) state;
	assert_refused("the 1 2 3\ncat 4 5 6\ndog 7 8\n", MREN_EFORMAT,
				   "line 3 (\"dog\"): expected 3 numbers, found 2");
	assert_refused("the 1 2 3\ncat 4 5 6 7\n", MREN_EFORMAT,
				   "line 2 (\"cat\"): expected 3 numbers, found 4");
	assert_non_null(strstr(err.hint, "a first line"));
	assert_refused("2 3\nthe 1 2 3\ncat 4 x5 6\n", MREN_EFORMAT,
				   "line 3 (\"cat\"): \"x5\" is not a number");
	assert_refused("2 3\nthe 1 2 3\ncat 4 nan 6\n", MREN_EFORMAT,
				   "line 3 (\"cat\"): \"nan\" is not a finite number");
	assert_refused("2 3\nthe 1 2 3\ncat 4 5 -Inf\n", MREN_EFORMAT,
				   "line 3 (\"cat\"): \"-Inf\" is not a finite number");
	assert_refused("2 3\nthe 1 2 3\ncat 4 5 1e39\n", MREN_EFORMAT,
				   "line 3 (\"cat\"): \"1e39\" is not a finite number");
	assert_refused("2 3\nthe 1 2 3\ncat 4 5 0x1p3\n", MREN_EFORMAT,
				   "line 3 (\"cat\"): \"0x1p3\" is not a number");
	assert_refused("2 3\nthe 1 2 3\n 4 5 6\n", MREN_EFORMAT, "line 3: word is missing");
	assert_refused("the 1 2\n\ncat 4 5\n", MREN_EFORMAT, "line 2: line is empty");
	assert_refused("the 1 2\nc\xFFt 4 5\n", MREN_EFORMAT,
				   "line 2: word \"c?t\" is not valid UTF-8");
	assert_string_not_equal(err.hint, "");
	assert_refused("the 1 2\ncat\n", MREN_EFORMAT, "line 2 (\"cat\"): expected 2 numbers, found 0");
	assert_refused("the cat sat\non the mat\n", MREN_EFORMAT, "line 1: no number after the word");
}

static void
counts_must_agree_with_the_header(void **state)
{
	(void) state;
	assert_refused("3 1\na 1\nb 2\n", MREN_EFORMAT,
				   "file is truncated: it should have 3 words, but has 2");
	assert_string_equal(err.hint, "max_words => 2 loads the words that the file has.");
	assert_refused("1 1\na 1\nb 2\n", MREN_EFORMAT,
				   "line 3: more than the 1 words of the first line");
	assert_refused("3 1\n", MREN_EFORMAT, "file is truncated: it should have 3 words, but has 0");
	assert_refused("0 5\n", MREN_EFORMAT,
				   "line 1: header with 0 words of 5 numbers each describes no vectors");
	assert_refused("5 0\n", MREN_EFORMAT,
				   "line 1: header with 5 words of 0 numbers each describes no vectors");
	assert_refused("1 4097\na 1\n", MREN_ELIMIT,
				   "word vectors have 4097 numbers, but at most 4096 can be used");
}

static void
other_files_are_recognized_and_refused(void **state)
{
	static const struct
	{
		const char *bytes;
		size_t n;
		MrenStatus status;
		const char *message;
	} cases[] = {
		{"", 0, MREN_EFORMAT, "file is empty"},
		{"\x1F\x8B\x08\0", 4, MREN_EUNSUPPORTED, "file is a gzip archive, which is not supported"},
		{"PK\x03\x04zz", 6, MREN_EUNSUPPORTED, "file is a zip archive, which is not supported"},
		{"\xBA\x16\x4F\x2F\x0C\0\0\0", 8, MREN_EUNSUPPORTED,
		 "file is fastText's own binary model, which is not supported"},
		{"\x80\x03}q", 4, MREN_EUNSUPPORTED, "file is a Python pickle, which is not supported"},
		{" \n\n", 3, MREN_EFORMAT, "file holds no word"},
		{"hello", 5, MREN_EFORMAT, "file does not hold word vectors"},
		{"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", 57, MREN_EFORMAT,
		 "the file is a git-lfs pointer instead of the file itself"},
		{"\n\0\0\0", 4, MREN_EFORMAT, "file does not hold word vectors"},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
	{
		assert_int_equal(read_bytes(cases[i].bytes, cases[i].n, MREN_VECTORS_AUTO, -1),
						 cases[i].status);
		assert_string_equal(err.message, cases[i].message);
		if (strstr(err.message, "file holds") == NULL && cases[i].n > 0)
			assert_string_not_equal(err.hint, "");
	}
}

/* Two words of two numbers, with or without line feeds after the vectors. */
static size_t
make_binary(char *out, bool line_feeds)
{
	static const float values[] = {1.5f, -2, 0.25f, 1e-3f};
	static const char *const words[] = {"the", "\xE4\xB8\xAD"};
	size_t n = (size_t) sprintf(out, "2 2\n");

	for (int w = 0; w < 2; w++)
	{
		n += (size_t) sprintf(out + n, "%s ", words[w]);
		for (int i = 0; i < 2; i++)
		{
			uint32_t bits;

			memcpy(&bits, &values[2 * w + i], 4);
			for (int b = 0; b < 4; b++)
				out[n++] = (char) (bits >> 8 * b);
		}
		if (line_feeds)
			out[n++] = '\n';
	}
	return n;
}

static void
binary_files_are_read_with_and_without_line_feeds(void **state)
{
	char bytes[64];

	(void) state;
	for (int line_feeds = 0; line_feeds < 2; line_feeds++)
	{
		size_t n = make_binary(bytes, line_feeds);

		assert_int_equal(read_bytes(bytes, n, MREN_VECTORS_AUTO, -1), MREN_OK);
		assert_int_equal(info.format, MREN_VECTORS_WORD2VEC_BINARY);
		assert_string_equal(got.words, "the|\xE4\xB8\xAD|");
		assert_true(got.numbers[0] == 1.5f && got.numbers[1] == -2 && got.numbers[2] == 0.25f &&
					got.numbers[3] == 1e-3f);
	}
}

static void
broken_binary_files_are_named_by_word(void **state)
{
	char bytes[64];
	size_t n = make_binary(bytes, false);

	(void) state;
	assert_int_equal(read_bytes(bytes, n - 1, MREN_VECTORS_AUTO, -1), MREN_EFORMAT);
	assert_string_equal(err.message, "file is truncated: it should have 2 words, but has 1");
	assert_string_equal(err.detail, "It ends inside a word's vector.");
	bytes[n] = 'x';
	assert_int_equal(read_bytes(bytes, n + 1, MREN_VECTORS_AUTO, -1), MREN_EFORMAT);
	assert_string_equal(err.message, "file goes on after the 2 words of its header");
	bytes[17] = '\xFF'; /* inside the second word's character */
	assert_int_equal(read_bytes(bytes, n, MREN_VECTORS_AUTO, -1), MREN_EFORMAT);
	assert_string_equal(err.message, "word 2: word \"???\" is not valid UTF-8");
	n = make_binary(bytes, false);
	memcpy(bytes + n - 4, "\0\0\x80\x7F", 4); /* infinity */
	assert_int_equal(read_bytes(bytes, n, MREN_VECTORS_AUTO, -1), MREN_EFORMAT);
	assert_string_equal(err.message, "word 2 (\"\xE4\xB8\xAD\"): number 2 is not finite");
	n = make_binary(bytes, false);
	bytes[5] = '\0';
	assert_int_equal(read_bytes(bytes, n, MREN_VECTORS_AUTO, -1), MREN_EFORMAT);
	assert_string_equal(err.message, "word 1: word contains a zero byte");
}

/* Words of two numbers each, 1 and 2. */
static size_t
make_words(char *out, const char *const *words, int n_words, bool line_feeds)
{
	size_t n = (size_t) sprintf(out, "%d 2\n", n_words);

	for (int w = 0; w < n_words; w++)
	{
		n += (size_t) sprintf(out + n, "%s ", words[w]);
		memcpy(out + n, "\0\0\x80\x3F\0\0\0\x40", 8);
		n += 8;
		if (line_feeds)
			out[n++] = '\n';
	}
	return n;
}

/* The word with the blank is blamed, not the one after it, wherever it stands. */
static void
a_blank_in_a_binary_word_is_named(void **state)
{
	static const char *const words[][3] = {
		{"new york", "a", "b"}, {"a", "new york", "b"}, {"a", "b", "new york"}};
	char bytes[128];

	(void) state;
	for (int i = 0; i < 6; i++)
	{
		size_t n = make_words(bytes, words[i / 2], 3, i % 2 == 1);
		char message[128];

		snprintf(message, sizeof(message), "word %d (\"new york\") seems to contain a blank",
				 i / 2 + 1);
		assert_int_equal(read_bytes(bytes, n, MREN_VECTORS_AUTO, -1), MREN_EFORMAT);
		assert_string_equal(err.message, message);
		assert_string_not_equal(err.detail, "");
		assert_string_not_equal(err.hint, "");
		/* The rest of the file cannot be found, so this is never skipped. */
		skip_bad = true;
		assert_int_equal(read_bytes(bytes, n, MREN_VECTORS_AUTO, -1), MREN_EFORMAT);
		skip_bad = false;
		assert_string_equal(err.message, message);
	}
}

static void
bad_binary_words_can_be_skipped(void **state)
{
	static const char *const words[] = {"a", "\xE9t", "b"};
	char bytes[128];
	size_t n = make_words(bytes, words, 3, false);

	(void) state;
	skip_bad = true;
	assert_int_equal(read_bytes(bytes, n, MREN_VECTORS_AUTO, -1), MREN_OK);
	assert_string_equal(got.words, "a|b|");
	assert_int_equal(info.n_bad, 1);
	assert_string_equal(info.bad[0], "word 2: word \"?t\" is not valid UTF-8");
	memcpy(bytes + n - 4, "\0\0\x80\x7F", 4);
	assert_int_equal(read_bytes(bytes, n, MREN_VECTORS_AUTO, -1), MREN_OK);
	assert_int_equal(info.n_bad, 2);
	skip_bad = false;
	assert_int_equal(read_bytes(bytes, n, MREN_VECTORS_AUTO, -1), MREN_EFORMAT);
}

static void
a_format_asked_for_must_be_the_files(void **state)
{
	char bytes[64];
	size_t n = make_binary(bytes, false);

	(void) state;
	assert_int_equal(read_bytes(bytes, n, MREN_VECTORS_WORD2VEC_BINARY, -1), MREN_OK);
	assert_int_equal(read_bytes(bytes, n, MREN_VECTORS_WORD2VEC_TEXT, -1), MREN_EFORMAT);
	assert_string_equal(err.message, "file is not in format \"word2vec_text\"");
	assert_string_equal(err.hint, "It looks like format \"word2vec_binary\".");
	assert_int_equal(read_bytes("1 5\na 1 2 3 4 5\n", 16, MREN_VECTORS_WORD2VEC_BINARY, -1),
					 MREN_EFORMAT);
	assert_string_equal(err.hint, "It looks like format \"word2vec_text\".");
	assert_int_equal(read_bytes("1 1\na 1\n", 8, MREN_VECTORS_GLOVE, -1), MREN_EFORMAT);
	assert_int_equal(read_bytes("a 1\n", 4, MREN_VECTORS_FASTTEXT, -1), MREN_EFORMAT);
	assert_string_equal(err.message, "file is not in format \"fasttext\"");
	assert_string_equal(err.detail, "Its first line is not the number of words and of dimensions.");
}

static void
formats_have_names(void **state)
{
	MrenVectorFormat format;

	(void) state;
	for (int i = MREN_VECTORS_AUTO; i <= MREN_VECTORS_FASTTEXT; i++)
	{
		assert_int_equal(
			mren_vector_format_parse(mren_vector_format_name((MrenVectorFormat) i), &format, NULL),
			MREN_OK);
		assert_int_equal(format, i);
	}
	assert_int_equal(mren_vector_format_parse("bin", &format, &err), MREN_EPARAM);
	assert_string_equal(err.message, "word vector format \"bin\" does not exist");
}

static void
reading_stops_after_enough_words(void **state)
{
	(void) state;
	/* What follows is not looked at, were it malformed. */
	assert_int_equal(read_bytes("3 1\na 1\na 9\nb 2\nc x\n", 20, MREN_VECTORS_AUTO, 2), MREN_OK);
	assert_string_equal(got.words, "a|b|");
	assert_int_equal(info.n_words, 2);
	assert_int_equal(info.n_duplicates, 1);
	assert_int_equal(read_bytes("3 1\na 1\n", 8, MREN_VECTORS_AUTO, 0), MREN_EPARAM);
}

static void
words_have_a_limit(void **state)
{
	char text[MREN_MAX_WORD + 32];
	size_t n;

	(void) state;
	memset(text, 'w', sizeof(text));
	memcpy(text + MREN_MAX_WORD, " 1\n", 4);
	assert_int_equal(read_string(text), MREN_OK);
	memset(text, 'w', sizeof(text));
	memcpy(text + MREN_MAX_WORD + 1, " 1\n", 4);
	assert_refused(text, MREN_ELIMIT, "line 1: word of 1001 bytes is longer than 1000");
	n = (size_t) sprintf(text, "1 1\n");
	memset(text + n, 'w', MREN_MAX_WORD + 1);
	assert_int_equal(read_bytes(text, n + MREN_MAX_WORD + 1, MREN_VECTORS_WORD2VEC_BINARY, -1),
					 MREN_ELIMIT);
	assert_string_equal(err.message, "word 1: word is longer than 1000 bytes");
}

static void
a_line_without_end_is_refused(void **state)
{
	const size_t n = 1000000;
	char *text = malloc(n);

	(void) state;
	memset(text, '1', n);
	memcpy(text, "a 1\nb ", 6);
	assert_int_equal(read_bytes(text, n, MREN_VECTORS_AUTO, -1), MREN_ELIMIT);
	assert_string_equal(err.message, "line 2 is longer than 263144 bytes");
	free(text);
}

/* The same file must give the same words whatever the chunks. */
static void
chunks_of_any_size_give_the_same(void **state)
{
	const size_t capacity = 400000;
	char *text = malloc(capacity);
	size_t n = (size_t) sprintf(text, "3000 10\n");
	static const size_t chunks[] = {1, 2, 3, 7, 64, 1000, 65535, 65536, 65537, 400000};
	MrenRandom random;
	uint64_t want = 0;

	(void) state;
	mren_random_seed(&random, 1, 0);
	for (int w = 0; w < 3000; w++)
	{
		n += (size_t) sprintf(text + n, "word%d", w);
		for (int i = 0; i < 10; i++)
			n += (size_t) sprintf(text + n, " %.6g", mren_random_normal(&random));
		text[n++] = '\n';
	}
	assert_true(n < capacity);
	for (size_t i = 0; i < sizeof(chunks) / sizeof(*chunks); i++)
	{
		Reading reading = {MREN_VECTORS_AUTO, -1, chunks[i], text, n};
		TestEnv test;

		test_env_init(&test);
		memset(&got, 0, sizeof(got));
		assert_int_equal(read_with(&test.env, &reading, &got, &info, &err), MREN_OK);
		assert_int_equal(info.n_words, 3000);
		if (want == 0)
			want = got.hash;
		assert_true(got.hash == want);
		assert_int_equal(test.n_live, 0);
	}
	free(text);
}

static MrenStatus
read_for_sweep(const MrenEnv *env, MrenError *error, void *arg)
{
	Gathered all = {0};
	MrenVectorFileInfo file;

	return read_with(env, arg, &all, &file, error);
}

static void
failures_release_everything(void **state)
{
	const size_t n_words = 2000;
	char *text = malloc(n_words * 64);
	size_t n = 0;
	Reading reading = {MREN_VECTORS_AUTO, -1, 1000, text, 0};
	Gathered all = {.fail_at = 2};
	MrenVectorFileInfo file;
	TestEnv test;

	(void) state;
	for (size_t w = 0; w < n_words; w++)
		n += (size_t) sprintf(text + n, "word%zu 0.123456 -1.5 3e-2 0.987654321 17\n", w);
	reading.n = n;
	test_allocation_sweep(read_for_sweep, &reading);
	test_interrupt_sweep(read_for_sweep, &reading);
	/* The sink's own error comes through. */
	test_env_init(&test);
	assert_int_equal(read_with(&test.env, &reading, &all, &file, &err), MREN_EDATA);
	assert_string_equal(err.message, "sink is full");
	assert_int_equal(test.n_live, 0);
	free(text);
}

/* ---- numbers ---- */

static void
compare_with_strtof(const char *text)
{
	const char *end;
	char *want_end;
	float value = -1;
	float want = strtof(text, &want_end);
	MrenNumber result = mren_number_parse(text, strlen(text), &value, &end);

	if (!isfinite(want))
	{
		if (result != MREN_NUMBER_NOT_FINITE)
			fail_msg("%s should not be finite", text);
	}
	else if (result != MREN_NUMBER_OK || end != want_end || memcmp(&value, &want, 4) != 0)
		fail_msg("%s gave %.9g, not %.9g", text, value, want);
}

static void
numbers_are_correctly_rounded(void **state)
{
	/* Halfway cases: 2^24 + 1 and its neighbours, and one that double rounding
	 * would get wrong (just above half an ulp of 1, by less than a double's). */
	static const char *const hard[] = {"16777217",
									   "16777217.0000000001",
									   "16777219",
									   "1.000000059604644775390625",
									   "1.00000005960464477539062500000000001",
									   "1.00000005960464477539062499999999999",
									   "1.1754943508222875e-38",
									   "1.1754942807573643e-38",
									   "1e-45",
									   "7e-46",
									   "3.4028235677973366e38",
									   "3.4028234e38",
									   "3.4028236e38",
									   "0.1",
									   "-0",
									   "0.0000000000000000000000000000000000000000000000001",
									   "123456789012345678901234567890",
									   "1e22",
									   "1e23",
									   "9007199254740993",
									   ".5",
									   "5.",
									   "+1.25",
									   "1e+5",
									   "1E-5",
									   "00000000000000000000000000001.5",
									   "1e99999999999",
									   "1e-99999999999",
									   "0e99999"};
	MrenRandom random;
	char text[64];

	(void) state;
	for (size_t i = 0; i < sizeof(hard) / sizeof(*hard); i++)
		compare_with_strtof(hard[i]);
	mren_random_seed(&random, 3, 0);
	for (int i = 0; i < 300000; i++)
	{
		uint32_t bits = (uint32_t) mren_random_next(&random);
		float value;

		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value))
			continue;
		snprintf(text, sizeof(text), "%.*g", 1 + i % 17, (double) value);
		compare_with_strtof(text);
		snprintf(text, sizeof(text), "%.*f", i % 12, (double) mren_random_normal(&random));
		compare_with_strtof(text);
		/* Exact midpoints between two floats, and next to them. */
		snprintf(text, sizeof(text), "%.17g",
				 ((double) value + (double) nextafterf(value, INFINITY)) / 2);
		compare_with_strtof(text);
	}
}

static void
what_is_no_number_is_malformed(void **state)
{
	static const char *const bad[] = {"", "-", ".", "e5", "abc", "--1", "+-1", "infx"};
	const char *end;
	float value;

	(void) state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad) - 1; i++)
		assert_int_equal(mren_number_parse(bad[i], strlen(bad[i]), &value, &end),
						 MREN_NUMBER_MALFORMED);
	/* A number ends where it stops being one; an exponent must be complete. */
	assert_int_equal(mren_number_parse("1.5e+x", 6, &value, &end), MREN_NUMBER_OK);
	assert_true(value == 1.5f && *end == 'e');
	assert_int_equal(mren_number_parse("12", 1, &value, &end), MREN_NUMBER_OK);
	assert_true(value == 1);
}

/* A locale with decimal commas, made by localedef; false where it cannot be. */
static bool
set_comma_locale(void)
{
	char folder[] = "/tmp/mren-locale-XXXXXX";
	char command[256];
	bool set;

	if (mkdtemp(folder) == NULL)
		return false;
	snprintf(command, sizeof(command),
			 "cd %s && printf 'LC_NUMERIC\\ndecimal_point \",\"\\nthousands_sep \".\"\\n"
			 "grouping 3;3\\nEND LC_NUMERIC\\n' >source && "
			 "localedef -c -i source -f ANSI_X3.4-1968 ./comma >/dev/null 2>&1",
			 folder);
	/* localedef's status tells of its warnings about the categories that are not there. */
	set = system(command) != -1 && setenv("LOCPATH", folder, 1) == 0 &&
		  setlocale(LC_NUMERIC, "comma") != NULL;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	return set;
}

static void
numbers_do_not_depend_on_the_locale(void **state)
{
	/* 20 digits go the slow way, through the C library. */
	static const char text[] = "1.0000000596046447754";
	const char *end;
	float value = 0;

	(void) state;
	if (!set_comma_locale())
	{
		print_message("localedef made no locale with decimal commas\n");
		skip();
	}
	assert_string_equal(localeconv()->decimal_point, ",");
	assert_int_equal(mren_number_parse(text, strlen(text), &value, &end), MREN_NUMBER_OK);
	setlocale(LC_NUMERIC, "C");
	assert_true(value == 1.00000011920928955f);
	assert_true(*end == '\0');
}

/* ---- real files ---- */

static MrenStatus
read_shared(const char *name)
{
	char path[1024];
	size_t n;
	char *bytes;
	MrenStatus status;

	snprintf(path, sizeof(path), "%s/embeddings/%s", test_shared_data(), name);
	bytes = (char *) test_read_file(path, &n);
	if (bytes == NULL)
		fail_msg("cannot read %s", path);
	status = read_bytes(bytes, n, MREN_VECTORS_AUTO, -1);
	free(bytes);
	return status;
}

static void
published_files_are_read_or_refused(void **state)
{
	/* Counts are the files' own headers; test_glove.txt has 76 lines. */
	static const struct
	{
		const char *name;
		MrenStatus status;
		MrenVectorFormat format;
		size_t dim;
		int64_t n_words;
	} cases[] = {
		{"gensim_fmt/crime-and-punishment.vec", MREN_OK, MREN_VECTORS_WORD2VEC_TEXT, 5, 291},
		{"gensim_fmt/lee_fasttext.vec", MREN_OK, MREN_VECTORS_WORD2VEC_TEXT, 10, 1762},
		/* Its 149th word is the byte 0x97: windows-1252, not UTF-8. */
		{"gensim_fmt/pang_lee_polarity_fasttext.vec", MREN_EFORMAT, 0, 0, 0},
		{"gensim_fmt/high_precision.kv.txt", MREN_OK, MREN_VECTORS_WORD2VEC_TEXT, 2, 2},
		{"gensim_fmt/high_precision.kv.bin", MREN_OK, MREN_VECTORS_WORD2VEC_BINARY, 2, 2},
		{"gensim_fmt/euclidean_vectors.bin", MREN_OK, MREN_VECTORS_WORD2VEC_BINARY, 10, 2747},
		{"gensim_fmt/word2vec_pre_kv_c", MREN_OK, MREN_VECTORS_WORD2VEC_TEXT, 10, 1750},
		{"gensim_fmt/test_glove.txt", MREN_OK, MREN_VECTORS_GLOVE, 50, 76},
		{"gensim_fmt/crime-and-punishment.bin", MREN_EUNSUPPORTED, 0, 0, 0},
		{"gensim_fmt/lee_fasttext.bin", MREN_EFORMAT, 0, 0, 0},
		{"gensim_fmt/non_ascii_fasttext.bin", MREN_EFORMAT, 0, 0, 0},
	};

	(void) state;
	if (test_shared_data() == NULL)
	{
		print_message("MREN_TEST_DATA is not set\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
	{
		MrenStatus status = read_shared(cases[i].name);

		if (status != cases[i].status)
			fail_msg("%s: %s", cases[i].name, err.message);
		if (status != MREN_OK)
			continue;
		if (info.format != cases[i].format || info.dim != cases[i].dim ||
			info.n_words != cases[i].n_words)
			fail_msg("%s: %s, %zu, %lld", cases[i].name, mren_vector_format_name(info.format),
					 info.dim, (long long) info.n_words);
	}
}

/* The same vectors as text and as binary are bit for bit the same. */
static void
text_and_binary_of_the_same_vectors_agree(void **state)
{
	uint64_t hash;

	(void) state;
	if (test_shared_data() == NULL)
	{
		print_message("MREN_TEST_DATA is not set\n");
		skip();
	}
	assert_int_equal(read_shared("glove_100d_top20000.txt"), MREN_OK);
	assert_int_equal(info.n_words, 20000);
	assert_int_equal(info.dim, 100);
	hash = got.hash;
	assert_int_equal(read_shared("glove_100d_top20000.word2vec.bin"), MREN_OK);
	assert_int_equal(info.n_words, 20000);
	assert_true(got.hash == hash);
}

static void
carriage_returns_inside_lines_are_errors(void **state)
{
	static char big[3 << 20];

	(void) state;
	assert_read("dog 1 2\r\ncat 3 4\r\n", MREN_VECTORS_GLOVE, 2, "dog|cat|");
	assert_int_equal(read_string("dog 1 2\rcat 3 4\rcow 5 6\r"), MREN_EFORMAT);
	assert_string_equal(err.message, "line 1: carriage return inside the line");
	assert_int_equal(read_string("dog 1 2\ncat 3 4\rcow 5 6\n"), MREN_EFORMAT);
	assert_string_equal(err.message, "line 2: carriage return inside the line");
	/* Also where it is longer than any line may be. */
	for (size_t i = 0; i + 8 < sizeof(big); i += 8)
		memcpy(big + i, "dog 1 2\r", 8);
	assert_int_equal(read_string(big), MREN_EFORMAT);
	assert_string_equal(err.message, "line 1: carriage return inside the line");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carriage_returns_inside_lines_are_errors),
		cmocka_unit_test(text_formats_are_told_apart_by_content),
		cmocka_unit_test(words_may_contain_spaces_as_in_glove_840b),
		cmocka_unit_test(words_may_end_in_a_number_if_the_dimension_is_stated),
		cmocka_unit_test(bad_words_can_be_skipped),
		cmocka_unit_test(a_blank_in_a_binary_word_is_named),
		cmocka_unit_test(bad_binary_words_can_be_skipped),
		cmocka_unit_test(duplicates_keep_the_first_and_are_counted),
		cmocka_unit_test(malformed_lines_are_named),
		cmocka_unit_test(counts_must_agree_with_the_header),
		cmocka_unit_test(other_files_are_recognized_and_refused),
		cmocka_unit_test(binary_files_are_read_with_and_without_line_feeds),
		cmocka_unit_test(broken_binary_files_are_named_by_word),
		cmocka_unit_test(a_format_asked_for_must_be_the_files),
		cmocka_unit_test(formats_have_names),
		cmocka_unit_test(reading_stops_after_enough_words),
		cmocka_unit_test(words_have_a_limit),
		cmocka_unit_test(a_line_without_end_is_refused),
		cmocka_unit_test(chunks_of_any_size_give_the_same),
		cmocka_unit_test(failures_release_everything),
		cmocka_unit_test(numbers_are_correctly_rounded),
		cmocka_unit_test(what_is_no_number_is_malformed),
		cmocka_unit_test(numbers_do_not_depend_on_the_locale),
		cmocka_unit_test(published_files_are_read_or_refused),
		cmocka_unit_test(text_and_binary_of_the_same_vectors_agree),
	};

	return cmocka_run_group_tests_name("text vectors", tests, NULL, NULL);
}
