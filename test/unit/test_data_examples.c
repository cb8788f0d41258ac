/*
 * test_data_examples.c
 *	  Training rows as records, and sets of them: limits, canonical form, and
 *	  hostile bytes.
 */
#include "relation_fixture.h"

#include <math.h>
#include <stdlib.h>

#include "base/sort.h"

/* A row with everything: types, image, boxes, an unknown word, a compound. */
static void
full_row(Row *row, int seed)
{
	const int32_t words[6] = {1, 2 + seed, 3, -4, 5, 6};
	float image[FIXTURE_IMAGE];

	row_init(row, words, 6, 1, 4, "part_of");
	row->starts[5] = 4; /* "4 5" are one word's pieces */
	row->example.sentence.n_words = 5;
	for (int i = 0; i < 5; i++)
		row->starts[i] = (uint32_t) (i < 4 ? i : 4);
	row->starts[5] = 6;
	row->example.head_type = (MrenTextSpan){"PERSON", 6};
	row->example.tail_type = (MrenTextSpan){"", 0};
	row->example.has_head_box = true;
	row->example.head_box[2] = 4.5f;
	row->example.weight = 2;
	row->example.split = MREN_SPLIT_TRAIN;
	for (int i = 0; i < FIXTURE_IMAGE; i++)
		image[i] = (float) (i + seed % 3);
	row_set_image(row, image);
}

static void
append(TestEnv *test, MrenBuffer *buffer, const MrenExample *example)
{
	MrenError err = {0};

	if (mren_example_append(&test->env, buffer, example, &err) != MREN_OK)
		fail_msg("%s", err.message);
}

static void
test_record_reads_as_it_was_written(void **state)
{
	TestEnv test;
	MrenBuffer buffer = {0};
	MrenBuffer regrouped = {0};
	MrenError err = {0};
	MrenExample read;
	Row row;
	size_t size;

	(void) state;
	test_env_init(&test);
	full_row(&row, 0);
	append(&test, &buffer, &row.example);
	assert_int_equal(buffer.len % 8, 0);
	assert_int_equal(mren_example_read(buffer.data, buffer.len, &read, &size, &err), MREN_OK);
	assert_int_equal(size, buffer.len);
	assert_int_equal(mren_example_size(buffer.data, buffer.len), buffer.len);
	assert_int_equal(read.sentence.n_words, 5);
	assert_int_equal(read.sentence.n_pieces, 6);
	assert_memory_equal(read.sentence.pieces, row.pieces, 6 * sizeof(int32_t));
	assert_memory_equal(read.sentence.starts, row.starts, 6 * sizeof(uint32_t));
	assert_int_equal(read.sentence.tail.end, 5);
	assert_memory_equal(read.relation.data, "part_of", 7);
	assert_memory_equal(read.head_type.data, "PERSON", 6);
	assert_non_null(read.tail_type.data); /* empty is not absent */
	assert_int_equal(read.tail_type.len, 0);
	assert_true(read.has_image && read.has_head_box && !read.has_tail_box);
	assert_memory_equal(read.image.bytes, row.example.image.bytes, 16);
	assert_float_equal(read.head_box[2], 4.5, 0);
	assert_float_equal(read.weight, 2, 0);
	assert_int_equal(read.split, MREN_SPLIT_TRAIN);
	assert_true(read.group == row.example.group && read.together == read.group);
	assert_true(mren_example_identity(&read) == mren_example_identity(&row.example));
	/* The same with a group of the query's: another record of the same row. */
	read.together = 12345;
	read.has_together = true;
	assert_int_equal(mren_example_append(&test.env, &regrouped, &read, &err), MREN_OK);
	assert_int_equal(mren_example_read(regrouped.data, regrouped.len, &read, &size, &err), MREN_OK);
	assert_int_equal(size, regrouped.len);
	assert_true(read.together == 12345 && read.group == row.example.group);
	assert_memory_equal(read.sentence.pieces, row.pieces, 6 * sizeof(int32_t));
	assert_memory_equal(read.relation.data, "part_of", 7);
	assert_true(mren_example_identity(&read) == mren_example_identity(&row.example));
	mren_buffer_free(&test.env, &regrouped);
	mren_buffer_free(&test.env, &buffer);
	assert_int_equal(test.n_live, 0);
}

/*
 * Weight and split are no part of a row's identity; the rest is.  Without an
 * image the group is part of it, too: it depends on words that have no vectors.
 */
static void
test_identity_is_of_the_content(void **state)
{
	Row a;
	Row b;

	(void) state;
	full_row(&a, 0);
	full_row(&b, 0);
	b.example.weight = 7;
	b.example.split = MREN_SPLIT_TEST;
	assert_true(mren_example_identity(&a.example) == mren_example_identity(&b.example));
	a.example.has_image = false;
	b.example.has_image = false;
	assert_true(mren_example_identity(&a.example) == mren_example_identity(&b.example));
	b.example.group = 99;
	assert_false(mren_example_identity(&a.example) == mren_example_identity(&b.example));
	full_row(&a, 0);
	full_row(&b, 0);
	b.example.relation.len--;
	assert_false(mren_example_identity(&a.example) == mren_example_identity(&b.example));
	full_row(&b, 0);
	b.example.tail_type.data = NULL;
	assert_false(mren_example_identity(&a.example) == mren_example_identity(&b.example));
	full_row(&b, 0);
	b.example.sentence.head.end++;
	assert_false(mren_example_identity(&a.example) == mren_example_identity(&b.example));
}

static void
expect_refused(const MrenExample *example, MrenStatus status, const char *message)
{
	TestEnv test;
	MrenBuffer buffer = {0};
	MrenError err = {0};

	test_env_init(&test);
	assert_int_equal(mren_example_append(&test.env, &buffer, example, &err), status);
	assert_string_equal(err.message, message);
	assert_int_equal(buffer.len, 0);
	mren_buffer_free(&test.env, &buffer);
}

static void
test_impossible_rows_are_refused(void **state)
{
	static char name[2000];
	Row row;

	(void) state;
	full_row(&row, 0);
	row.example.weight = 0;
	expect_refused(&row.example, MREN_EDATA, "invalid weight 0 of a training row");
	row.example.weight = -1.5f;
	expect_refused(&row.example, MREN_EDATA, "invalid weight -1.5 of a training row");
	row.example.weight = NAN;
	expect_refused(&row.example, MREN_EDATA, "invalid weight nan of a training row");
	full_row(&row, 0);
	row.example.relation.len = 0;
	expect_refused(&row.example, MREN_EDATA, "relation of a training row is empty");
	memset(name, 'x', sizeof(name));
	row.example.relation = (MrenTextSpan){name, 1025};
	expect_refused(&row.example, MREN_ELIMIT,
				   "relation \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" has 1025 bytes, more "
				   "than the limit of 1024");
	full_row(&row, 0);
	row.example.head_box[0] = INFINITY;
	expect_refused(&row.example, MREN_EDATA, "head box of a training row is not finite");
}

/* Whatever a byte says, reading ends in an error or a valid example, and a
 * changed byte is always noticed. */
static void
test_damaged_records_are_noticed(void **state)
{
	TestEnv test;
	MrenBuffer buffer = {0};
	MrenError err = {0};
	MrenExample read;
	Row row;
	size_t size;

	(void) state;
	test_env_init(&test);
	full_row(&row, 0);
	append(&test, &buffer, &row.example);
	for (size_t len = 0; len < buffer.len; len++)
		assert_int_equal(mren_example_read(buffer.data, len, &read, &size, &err), MREN_EFORMAT);
	for (size_t i = 0; i < 8 * buffer.len; i++)
	{
		buffer.data[i / 8] ^= (uint8_t) (1u << i % 8);
		assert_int_equal(mren_example_read(buffer.data, buffer.len, &read, &size, &err),
						 MREN_EFORMAT);
		buffer.data[i / 8] ^= (uint8_t) (1u << i % 8);
	}
	mren_buffer_free(&test.env, &buffer);
}

/* With a matching checksum the fields themselves must be checked. */
static void
test_forged_records_are_refused(void **state)
{
	static const struct
	{
		size_t at;
		uint32_t value;
		const char *what;
	} forgeries[] = {
		{24, 0x7FC00000, "its weight is not a finite number above zero"},
		{28, 9, "its split is unknown"},
		{32, 0x7FFFFFFF, "its sentence is too long"},
		{32, 4, "its padding is not zero"},
		{164, 5, "words do not cover the pieces"},
		{36, 7, "it is too short"},
		{44, 0, "a mention is outside its sentence"},
		{52, 60, "a mention is outside its sentence"},
		{56, 0, "its relation is empty"},
		{60, 2000, "a name has an impossible length"},
		{68, 5000, "it has too many features"},
		{68, 1 << 16, "it has too many features"}, /* more features of boxes than features */
		{68, 9, "it is too short"},
		{88, 0x7F800000, "a box is not finite"},
		{120, 0x7FFFFFFF, "a piece is out of range"},
		{120, 0x80000000, "a piece is out of range"},
		{148, 9, "words are out of order"},
	};
	TestEnv test;
	Row row;

	(void) state;
	test_env_init(&test);
	full_row(&row, 0);
	for (size_t i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++)
	{
		MrenBuffer buffer = {0};
		MrenError err = {0};
		MrenExample read;
		char message[256];
		uint32_t flags;
		uint64_t hash;
		size_t size;

		append(&test, &buffer, &row.example);
		memcpy(buffer.data + forgeries[i].at, &forgeries[i].value, 4);
		memcpy(&flags, buffer.data + 4, 4);
		hash = mren_hash64(buffer.data + 16, buffer.len - 16, flags);
		memcpy(buffer.data + 8, &hash, 8);
		snprintf(message, sizeof(message), "invalid training example: %s", forgeries[i].what);
		assert_int_equal(mren_example_read(buffer.data, buffer.len, &read, &size, &err),
						 MREN_EFORMAT);
		assert_string_equal(err.message, message);
		mren_buffer_free(&test.env, &buffer);
	}
}

static void
test_splits_by_name(void **state)
{
	MrenError err = {0};
	MrenSplit split;

	(void) state;
	assert_int_equal(mren_split_parse("Train", 5, &split, &err), MREN_OK);
	assert_int_equal(split, MREN_SPLIT_TRAIN);
	assert_int_equal(mren_split_parse("DEV", 3, &split, &err), MREN_OK);
	assert_int_equal(split, MREN_SPLIT_VALIDATION);
	assert_int_equal(mren_split_parse("test ", 5, &split, &err), MREN_EDATA);
	assert_string_equal(err.message, "invalid split \"test \"");
	assert_int_equal(mren_split_parse("", 0, &split, &err), MREN_EDATA);
}

static MrenExamples *
make_set(TestEnv *test, int first, int n, int step)
{
	MrenExamples *set;
	MrenError err = {0};

	assert_int_equal(fixture_examples(&test->env, FIXTURE_IMAGE, &set, &err), MREN_OK);
	for (int i = 0; i < n; i++)
	{
		Row row;

		full_row(&row, first + i * step);
		assert_int_equal(mren_examples_append(set, &row.example, row.image, &err), MREN_OK);
	}
	return set;
}

static uint8_t *
flatten(MrenExamples *set, size_t *len)
{
	uint8_t *bytes;

	*len = mren_examples_flat_size(set);
	bytes = malloc(*len + 1);
	bytes[*len] = 0x5A;
	mren_examples_flatten(set, bytes);
	assert_int_equal(bytes[*len], 0x5A);
	return bytes;
}

/* Rows 0..19 forwards, backwards, and merged from halves: one flat form. */
static void
test_order_of_arrival_cannot_be_seen(void **state)
{
	TestEnv test;
	MrenExamples *sets[4];
	MrenExamples *parsed;
	uint8_t *bytes[3];
	size_t len[3];
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	sets[0] = make_set(&test, 0, 20, 1);
	sets[1] = make_set(&test, 19, 20, -1);
	sets[2] = make_set(&test, 1, 10, 2);
	sets[3] = make_set(&test, 18, 10, -2);
	assert_int_equal(mren_examples_merge(sets[2], sets[3], &err), MREN_OK);
	for (int i = 0; i < 3; i++)
	{
		bytes[i] = flatten(sets[i], &len[i]);
		assert_int_equal(len[i], len[0]);
		assert_memory_equal(bytes[i], bytes[0], len[0]);
	}
	assert_int_equal(mren_examples_parse(&test.env, bytes[0], len[0], &parsed, &err), MREN_OK);
	assert_int_equal(mren_examples_count(parsed), 20);
	/* The flat form reads back to itself, and can still grow. */
	free(bytes[1]);
	bytes[1] = flatten(parsed, &len[1]);
	assert_memory_equal(bytes[1], bytes[0], len[0]);
	assert_int_equal(mren_examples_merge(parsed, sets[3], &err), MREN_OK);
	assert_int_equal(mren_examples_count(parsed), 30);
	mren_examples_free(parsed);
	for (int i = 0; i < 4; i++)
		mren_examples_free(sets[i]);
	for (int i = 0; i < 3; i++)
		free(bytes[i]);
	assert_int_equal(test.n_live, 0);
}

static void
test_source_gives_rows_in_order_and_their_images(void **state)
{
	TestEnv test;
	MrenExamples *set;
	MrenSource source;
	MrenError err = {0};
	const uint8_t *record;
	uint64_t previous = 0;
	int32_t *ids;
	size_t n;
	size_t len;

	(void) state;
	test_env_init(&test);
	set = make_set(&test, 0, 20, 1);
	assert_int_equal(mren_examples_source(set, &source, &err), MREN_OK);
	assert_int_equal(source.n, 20);
	for (size_t i = 0; i < source.n; i++)
	{
		float vector[FIXTURE_IMAGE];
		MrenExample example;

		assert_int_equal(source.read(source.state, i, &record, &len, &err), MREN_OK);
		assert_int_equal(mren_example_read(record, len, &example, &len, &err), MREN_OK);
		assert_true(example.hash >= previous);
		previous = example.hash;
		assert_int_equal(source.image(source.state, &example.image, vector, &err), MREN_OK);
		/* The image of seed s is s % 3, s % 3 + 1, ...; the seed is in word 1. */
		assert_true(vector[0] == (float) ((example.sentence.pieces[1] - 2) % 3));
		assert_true(vector[5] == vector[0] + 5);
	}
	assert_int_equal(source.read(source.state, 20, &record, &len, &err), MREN_EPARAM);
	/* Pieces 1, 3, 5, 6 of every row and 2 .. 21; -4 is no word of the table. */
	assert_int_equal(mren_source_words(&test.env, &source, &ids, &n, &err), MREN_OK);
	assert_int_equal(n, 21);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(ids[i], (int32_t) i + 1);
	mren_release(&test.env, ids);
	mren_examples_free(set);
	assert_int_equal(test.n_live, 0);
}

static void
test_different_sets_do_not_mix(void **state)
{
	TestEnv test;
	MrenExamples *a;
	MrenExamples *b;
	MrenError err = {0};
	Row row;

	(void) state;
	test_env_init(&test);
	fixture_examples(&test.env, FIXTURE_IMAGE, &a, &err);
	fixture_examples(&test.env, 0, &b, &err);
	assert_int_equal(mren_examples_merge(a, b, &err), MREN_EPARAM);
	assert_string_equal(err.message, "cannot combine training sets with different options");
	full_row(&row, 0);
	assert_int_equal(mren_examples_append(b, &row.example, row.image, &err), MREN_EPARAM);
	assert_int_equal(mren_examples_append(a, &row.example, NULL, &err), MREN_EDATA);
	row.image[3] = NAN;
	assert_int_equal(mren_examples_append(a, &row.example, row.image, &err), MREN_ENUMERIC);
	assert_string_equal(err.message, "element 4 of an image vector is not finite");
	assert_int_equal(mren_examples_count(a) + mren_examples_count(b), 0);
	mren_examples_free(a);
	mren_examples_free(b);
	assert_int_equal(test.n_live, 0);
}

/* Truncated anywhere or with any bit flipped, a flat set is refused, except
 * where the flip gives another finite image vector: floats have no checksum. */
static void
test_damaged_sets_are_refused(void **state)
{
	TestEnv test;
	MrenExamples *set;
	MrenExamples *parsed;
	uint8_t *bytes;
	size_t len;
	size_t images = 3 * (16 + FIXTURE_IMAGE * sizeof(float));
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	set = make_set(&test, 0, 4, 1);
	bytes = flatten(set, &len);
	mren_examples_free(set);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(mren_examples_parse(&test.env, bytes, n, &parsed, &err), MREN_EFORMAT);
	for (size_t i = 0; i < 8 * len; i++)
	{
		MrenStatus status;

		bytes[i / 8] ^= (uint8_t) (1u << i % 8);
		status = mren_examples_parse(&test.env, bytes, len, &parsed, &err);
		if (i / 8 < len - images)
			assert_int_equal(status, MREN_EFORMAT);
		mren_examples_free(parsed);
		bytes[i / 8] ^= (uint8_t) (1u << i % 8);
	}
	assert_int_equal(test.n_live, 0);
	free(bytes);
}

/* Whole records, each right by itself, of which the first two have changed places. */
static void
test_records_out_of_order_are_refused(void **state)
{
	TestEnv test;
	MrenExamples *set;
	MrenExamples *parsed;
	uint8_t *bytes;
	uint8_t *first;
	uint8_t copy[1024];
	uint64_t n_options;
	size_t len;
	size_t sizes[2];
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	set = make_set(&test, 0, 4, 1);
	bytes = flatten(set, &len);
	mren_examples_free(set);
	memcpy(&n_options, bytes + 48, sizeof(n_options));
	first = bytes + 136 + (n_options + 7) / 8 * 8;
	sizes[0] = mren_example_size(first, sizeof(copy));
	sizes[1] = mren_example_size(first + sizes[0], sizeof(copy) - sizes[0]);
	assert_true(sizes[0] > 0 && sizes[1] > 0);
	memcpy(copy, first, sizes[0]);
	memmove(first, first + sizes[0], sizes[1]);
	memcpy(first + sizes[1], copy, sizes[0]);
	assert_int_equal(mren_examples_parse(&test.env, bytes, len, &parsed, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "invalid training set: its examples are out of order");
	assert_int_equal(test.n_live, 0);
	free(bytes);
}

static MrenStatus
whole_life(const MrenEnv *env, MrenError *err, void *arg)
{
	MrenExamples *a = NULL;
	MrenExamples *b = NULL;
	MrenExamples *parsed = NULL;
	MrenSource source;
	int32_t *ids = NULL;
	size_t n;
	MrenStatus status = fixture_examples(env, FIXTURE_IMAGE, &a, err);

	(void) arg;
	if (status == MREN_OK)
		status = fixture_examples(env, FIXTURE_IMAGE, &b, err);
	for (int i = 0; i < 40 && status == MREN_OK; i++)
	{
		Row row;

		full_row(&row, i);
		status = mren_examples_append(i % 2 ? a : b, &row.example, row.image, err);
	}
	if (status == MREN_OK)
		status = mren_examples_merge(a, b, err);
	if (status == MREN_OK)
	{
		size_t len;
		uint8_t *bytes = flatten(a, &len);

		status = mren_examples_parse(env, bytes, len, &parsed, err);
		free(bytes);
	}
	if (status == MREN_OK)
		status = mren_examples_source(parsed, &source, err);
	if (status == MREN_OK)
		status = mren_source_words(env, &source, &ids, &n, err);
	mren_release(env, ids);
	mren_examples_free(a);
	mren_examples_free(b);
	mren_examples_free(parsed);
	return status;
}

static void
test_failed_allocations_and_interrupts(void **state)
{
	(void) state;
	test_allocation_sweep(whole_life, NULL);
	test_interrupt_sweep(whole_life, NULL);
}

static void
test_sorting(void **state)
{
	uint64_t items[500];
	MrenKeyed keyed[500];
	MrenRandom random;

	(void) state;
	mren_random_seed(&random, 3, 0);
	for (size_t n = 0; n <= 500; n += n < 10 ? 1 : 49)
	{
		for (size_t i = 0; i < n; i++)
		{
			items[i] = mren_random_below(&random, 100);
			keyed[i] = (MrenKeyed){items[i], i};
		}
		mren_sort_u64(items, n);
		mren_sort_keyed(keyed, n, NULL, NULL);
		for (size_t i = 0; i < n; i++)
		{
			assert_true(i == 0 || items[i - 1] <= items[i]);
			assert_true(keyed[i].key == items[i]);
		}
	}
}

static void
test_vector_table(void **state)
{
	const int32_t ids[4] = {0, 7, 1000000, 2000000000};
	TestEnv test;
	MrenVectorTable *table;
	MrenWordVectors vectors;
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_vector_table_create(&test.env, ids, 4, 5, &table, &err), MREN_OK);
	for (size_t i = 0; i < 4; i++)
		mren_vector_table_row(table, i)[4] = (float) i;
	mren_vector_table_vectors(table, &vectors);
	assert_int_equal(vectors.dim, 5);
	for (size_t i = 0; i < 4; i++)
		assert_true(vectors.get(vectors.state, ids[i])[4] == (float) i);
	assert_null(vectors.get(vectors.state, 8));
	mren_vector_table_free(&test.env, table);
	assert_int_equal(test.n_live, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_reads_as_it_was_written),
		cmocka_unit_test(test_identity_is_of_the_content),
		cmocka_unit_test(test_impossible_rows_are_refused),
		cmocka_unit_test(test_damaged_records_are_noticed),
		cmocka_unit_test(test_forged_records_are_refused),
		cmocka_unit_test(test_splits_by_name),
		cmocka_unit_test(test_order_of_arrival_cannot_be_seen),
		cmocka_unit_test(test_source_gives_rows_in_order_and_their_images),
		cmocka_unit_test(test_different_sets_do_not_mix),
		cmocka_unit_test(test_damaged_sets_are_refused),
		cmocka_unit_test(test_records_out_of_order_are_refused),
		cmocka_unit_test(test_failed_allocations_and_interrupts),
		cmocka_unit_test(test_sorting),
		cmocka_unit_test(test_vector_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
