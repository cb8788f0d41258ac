/*
 * test_transformer_tokenizer.c
 *	  WordPiece: a tiny tokenizer that is written here; all kinds: the lines of the shared cases.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "support.h"
#include "transformer/tokenizer/subword.h"

static const char tiny[] =
	"{\"added_tokens\":[{\"id\":1,\"content\":\"[SEP]\",\"special\":true,\"normalized\":false}],"
	"\"normalizer\":{\"type\":\"BertNormalizer\"},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}"
	","
	"\"post_processor\":{\"type\":\"BertProcessing\",\"cls\":[\"[CLS]\",2],\"sep\":[\"[SEP]\",1]},"
	"\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"max_input_chars_per_word\":6,"
	"\"vocab\":{\"[UNK]\":0,\"[SEP]\":1,\"[CLS]\":2,\"caf\":3,\"##e\":4,\"[\":5,\"]\":6,\"sep\":7}}"
	"}";

static void
check_pieces(const MrenPieces *pieces, const uint32_t *want, size_t n)
{
	assert_int_equal(pieces->n, n);
	for (size_t i = 0; i < n; i++)
	{
		assert_int_equal(pieces->piece[i].id, want[4 * i]);
		assert_int_equal(pieces->piece[i].start, want[4 * i + 1]);
		assert_int_equal(pieces->piece[i].end, want[4 * i + 2]);
		assert_int_equal(pieces->piece[i].cover_end, want[4 * i + 3]);
	}
}

static MrenStatus
encode_tiny(const MrenEnv *env, MrenError *err, void *arg)
{
	MrenSubwordTokenizer *tokenizer = NULL;
	MrenPieces pieces = {0};
	const char *text = "Cafe\xCC\x81 [SEP] cafecafe";
	MrenStatus status = mren_subword_parse(env, tiny, sizeof(tiny) - 1, &tokenizer, err);

	(void) arg;
	if (status == MREN_OK)
		status = mren_subword_encode(env, tokenizer, text, strlen(text), 0, &pieces, err);
	if (status == MREN_OK)
		check_pieces(&pieces, (const uint32_t[]){3, 0, 3,  3,  4, 3,  4,  5,  5, 6,	 7,	 7,
												 7, 7, 10, 10, 6, 10, 11, 11, 0, 12, 20, 20},
					 6);
	if (status == MREN_OK)
		status = mren_subword_encode(env, tokenizer, text, strlen(text), MREN_SPECIAL_TOKENS,
									 &pieces, err);
	if (status == MREN_OK)
		check_pieces(&pieces,
					 (const uint32_t[]){3, 0, 3, 3, 4, 3, 4, 5, 1, 6, 11, 11, 0, 12, 20, 20}, 4);
	mren_pieces_free(env, &pieces);
	mren_subword_free(env, tokenizer);
	return status;
}

static void
test_tiny(void **state)
{
	(void) state;
	test_allocation_sweep(encode_tiny, NULL);
	test_interrupt_sweep(encode_tiny, NULL);
}

static void
test_refused(void **state)
{
	const char other[] = "{\"pre_tokenizer\":{\"type\":\"Split\"},"
						 "\"model\":{\"type\":\"WordLevel\",\"vocab\":{}}}";
	MrenSubwordTokenizer *tokenizer;
	TestEnv test;
	MrenError err;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_subword_parse(&test.env, other, strlen(other), &tokenizer, &err),
					 MREN_EUNSUPPORTED);
	assert_string_equal(err.message, "model \"WordLevel\" of tokenizer.json is not supported");
	assert_int_equal(mren_subword_parse(&test.env, "{", 1, &tokenizer, &err), MREN_EFORMAT);
	assert_int_equal(test.n_live, 0);
}

/* Counts the lines of a file whose pieces differ, by one of the two modes. */
static size_t
count_wrong(const MrenEnv *env, const MrenSubwordTokenizer *tokenizer, const char *path, int flags)
{
	size_t wrong = 0, n = 0;
	FILE *in = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	MrenPieces pieces = {0};
	MrenError err;

	assert_non_null(in);
	for (; getline(&line, &room, in) > 0; n++)
	{
		json_t *root = json_loads(line, 0, NULL);
		json_t *text = json_object_get(root, "text");
		json_t *plain = json_object_get(root, "plain_ids");
		json_t *ids = plain && !flags ? plain : json_object_get(root, "ids");
		json_t *spans = json_object_get(root, plain && !flags ? "plain_offsets" : "offsets");
		bool same;

		assert_int_equal(mren_subword_encode(env, tokenizer, json_string_value(text),
											 json_string_length(text), flags, &pieces, &err),
						 MREN_OK);
		same = pieces.n == json_array_size(ids);
		for (size_t i = 0; i < pieces.n && same; i++)
		{
			json_t *span = json_array_get(spans, i);
			json_int_t start = json_integer_value(json_array_get(span, 0));
			json_int_t end = json_integer_value(json_array_get(span, 1));

			same = pieces.piece[i].id == json_integer_value(json_array_get(ids, i)) &&
				   pieces.piece[i].start == start && pieces.piece[i].end == end;
		}
		if (!same && wrong++ < 3)
			print_message("%s line %zu, flags %d: %.200s\n", path, n + 1, flags, line);
		json_decref(root);
	}
	assert_true(n > 0);
	free(line);
	fclose(in);
	mren_pieces_free(env, &pieces);
	return wrong;
}

static void
test_lines(void **state)
{
	static const char *const names[] = {
		"minilm",		"mpnet",		  "bert-cased",		   "bert-added",
		"roberta",		"roberta-prefix", "roberta-untrimmed", "unigram-nfkc",
		"unigram-xlmr", "unigram-albert", "unigram-deberta"};
	const char *data = test_shared_data();
	size_t wrong = 0;

	(void) state;
	if (data == NULL)
	{
		print_message("MREN_TEST_DATA is not set: skipping the lines of tokenizers\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		char path[4096];
		size_t len;
		uint8_t *bytes;
		MrenSubwordTokenizer *tokenizer;
		TestEnv test;
		MrenError err;

		test_env_init(&test);
		if (i == 0)
			snprintf(path, sizeof(path), "%s/text-encoders/all-MiniLM-L6-v2/tokenizer.json", data);
		else
			snprintf(path, sizeof(path), "%s/../cases/text-encoder/tokenizers/%s/tokenizer.json",
					 data, names[i]);
		bytes = test_read_file(path, &len);
		assert_non_null(bytes);
		assert_int_equal(mren_subword_parse(&test.env, bytes, len, &tokenizer, &err), MREN_OK);
		snprintf(path, sizeof(path), "%s/../cases/text-encoder/tokenizers/%s/lines.jsonl", data,
				 names[i]);
		wrong += count_wrong(&test.env, tokenizer, path, 0);
		wrong += count_wrong(&test.env, tokenizer, path, MREN_SPECIAL_TOKENS);
		mren_subword_free(&test.env, tokenizer);
		free(bytes);
		assert_int_equal(test.n_live, 0);
	}
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tiny),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
