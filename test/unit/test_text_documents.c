/*
 * test_text_documents.c
 *	  Annotated documents as rows of their parts: DocRED's JSON and brat's standoff files.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/dataset/dataset.h"
#include "base/utf8.h"

static MrenError err;

typedef struct Content
{
	const char *text;
	const char *annotations; /* NULL: DocRED */
	size_t len;
	char *out; /* NULL: rows are only counted */
	size_t n_rows;
	size_t n_parts[MREN_PART_FACT + 1];
} Content;

/* "D text", "S text", "M entity type text", "F head relation tail", each on a line. */
static void
write_row(const MrenDatasetRow *row, char *out)
{
	size_t start =
		mren_utf8_offset(row->sentence.data, row->sentence.len, (size_t) row->head_lower);
	size_t end = mren_utf8_offset(row->sentence.data, row->sentence.len, (size_t) row->head_upper);
	const char *text = row->sentence.data + start;
	int len = (int) (end - start);

	out += strlen(out);
	switch (row->part)
	{
		case MREN_PART_DOCUMENT:
			sprintf(out, "D %.*s %.*s\n", (int) row->id.len, row->id.data ? row->id.data : "", len,
					text);
			break;
		case MREN_PART_SENTENCE:
			sprintf(out, "S %.*s\n", len, text);
			break;
		case MREN_PART_MENTION:
			sprintf(out, "M %d %.*s %.*s\n", row->entity, (int) row->head_type.len,
					row->head_type.data ? row->head_type.data : "", len, text);
			break;
		case MREN_PART_FACT:
			sprintf(out, "F %d %.*s %d\n", row->head, (int) row->relation.len, row->relation.data,
					row->tail);
			break;
		case MREN_PART_PAIR:
			sprintf(out, "pair\n");
			break;
	}
}

static MrenStatus
read_content(const MrenEnv *env, MrenError *error, void *arg)
{
	Content *content = arg;
	MrenDataset *dataset;
	MrenStatus status;
	bool more = true;

	content->n_rows = 0;
	memset(content->n_parts, 0, sizeof(content->n_parts));
	if (content->annotations != NULL)
		MREN_TRY(mren_dataset_open_brat(
			env, (MrenTextSpan){content->text, strlen(content->text)},
			(MrenTextSpan){content->annotations, strlen(content->annotations)}, &dataset, error));
	else
		MREN_TRY(mren_dataset_open(env, MREN_DATASET_DOCRED, content->text, content->len, false,
								   &dataset, error));
	do
	{
		MrenDatasetRow row;

		status = mren_dataset_next(dataset, &row, &more, error);
		if (status != MREN_OK || !more)
			break;
		content->n_rows++;
		content->n_parts[row.part]++;
		if (content->out != NULL)
			write_row(&row, content->out);
	} while (true);
	mren_dataset_close(dataset);
	return status;
}

static const char *
parts_of(const char *text, const char *annotations)
{
	static char out[4096];
	Content content = {.text = text, .annotations = annotations, .len = strlen(text), .out = out};
	TestEnv test;

	test_env_init(&test);
	memset(&err, 0, sizeof(err));
	out[0] = '\0';
	if (read_content(&test.env, &err, &content) != MREN_OK)
		strcpy(out, err.message);
	assert_int_equal(test.n_live, 0);
	return out;
}

static const char docred_sample[] =
	"[{\"title\": \"Ada\", \"sents\": [[\"\xC3\x89"
	"da\", \"Byron\", \"lived\", \".\"], [\"Byron\", \"left\", "
	"\"Rome\"]], \"vertexSet\": [[{\"pos\": [0, 2], \"type\": \"PER\", \"sent_id\": 0, \"name\": "
	"\"x\"}, {\"pos\": [0, 1], \"type\": \"PER\", \"sent_id\": 1}], [], [{\"pos\": [2, 3], "
	"\"type\": \"LOC\", \"sent_id\": 1}]], \"labels\": [{\"r\": \"P19\", \"h\": 0, \"t\": 2, "
	"\"evidence\": [0]}]}, {\"sents\": [], \"vertexSet\": []}]";

static void
docred_gives_the_parts_of_documents(void **state)
{
	(void) state;
	assert_string_equal(parts_of(docred_sample, NULL),
						"D Ada \xC3\x89"
						"da Byron lived . Byron left Rome\n"
						"S \xC3\x89"
						"da Byron lived .\nS Byron left Rome\n"
						"M 0 PER \xC3\x89"
						"da Byron\nM 0 PER Byron\nM 2 LOC Rome\nF 0 P19 2\n"
						"D 2 \n");
	assert_string_equal(
		parts_of("{\"title\": \"T\", \"sents\": [[\"a\"]], \"vertexSet\": []}", NULL),
		"D T a\nS a\n");
	assert_string_equal(parts_of("", NULL), "");
	assert_string_equal(parts_of("[]", NULL), "");
}

#define DOCRED(vertices, labels)                                                                   \
	"[{\"sents\": [[\"a\", \"b\"], [\"c\"]], \"vertexSet\": " vertices ", \"labels\": " labels "}" \
	"]"

static void
malformed_docred_is_named_by_element(void **state)
{
	static const char *const cases[][2] = {
		{"3", "content is not a list of documents, nor a single one"},
		{"[3]", "element 1: document is not an object"},
		{"[{}]", "element 1: \"sents\" is missing"},
		{"[{\"sents\": 1}]", "element 1: \"sents\" is not a list"},
		{"[{\"sents\": [1]}]", "element 1: \"sents\" is not a list"},
		{"[{\"sents\": [[1]]}]", "element 1: \"sents\" has an element 1 that is not a string"},
		{"[{\"sents\": []}]", "element 1: \"vertexSet\" is missing"},
		{"[{\"title\": 3, \"sents\": []}]", "element 1: \"title\" is a number, not a string"},
		{DOCRED("[3]", "[]"), "element 1: entity 0 is not a list of mentions"},
		{DOCRED("[[3]]", "[]"), "element 1: a mention of entity 0 is not an object"},
		{DOCRED("[[{}]]", "[]"), "element 1: \"sent_id\" of entity 0 is not a whole number"},
		{DOCRED("[[{\"sent_id\": 2}]]", "[]"),
		 "element 1: \"sent_id\" of entity 0 is sentence 2 of 2"},
		{DOCRED("[[{\"sent_id\": 1}]]", "[]"),
		 "element 1: \"pos\" of entity 0 is not two whole numbers"},
		{DOCRED("[[{\"sent_id\": 1, \"pos\": [0, 2]}]]", "[]"),
		 "element 1: entity 0 at tokens [0,2) is not in a sentence of 1"},
		{DOCRED("[[{\"sent_id\": 0, \"pos\": [-1, 2]}]]", "[]"),
		 "element 1: entity 0 at tokens [-1,2) is not in a sentence of 2"},
		{DOCRED("[]", "3"), "element 1: \"labels\" is not a list"},
		{DOCRED("[]", "[3]"), "element 1: a label is not an object"},
		{DOCRED("[]", "[{}]"), "element 1: \"h\" of a label is not a whole number"},
		{DOCRED("[[]]", "[{\"h\": 1}]"), "element 1: \"h\" of a label is entity 1 of 1"},
		{DOCRED("[[]]", "[{\"h\": 0, \"t\": -1}]"),
		 "element 1: \"t\" of a label is entity -1 of 1"},
		{DOCRED("[[]]", "[{\"h\": 0, \"t\": 0}]"), "element 1: a label lacks its relation \"r\""},
		{DOCRED("[[]]", "[{\"h\": 0, \"t\": 0, \"r\": \" \"}]"),
		 "element 1: \"r\" of a label is blank"},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(parts_of(cases[i][0], NULL), cases[i][1]);
}

static const char brat_text[] = "\xC3\x89"
								"da Byron lived in\nNew York.\nByron left Rome.";
static const char brat_sample[] = "T2\tPerson 0 9\t\xC3\x89"
								  "da Byron\n"
								  "R1\tLived_in Arg1:T2 Arg2:T9\n"
								  "T9\tPlace 19 27\tNew York\r\n"
								  "\n"
								  "T1\tPerson 29 34\tByron\n"
								  "T4\tEvent 35 39\tleft\n"
								  "T5\tPlace 19 22;23 27\tNew York\n"
								  "E1\tLeaving:T4 Who:T1\n"
								  "R2\tIn Arg1:E1 Arg2:T1\n"
								  "*\tEquiv T1 T2\n*\tEquiv T9 T5\n"
								  "A1\tNegated E1\n#1\tAnnotatorNotes T1\tnote\n"
								  "N1\tReference T1 Wiki:1\tAda";

static void
brat_gives_the_parts_of_a_document(void **state)
{
	(void) state;
	assert_string_equal(parts_of(brat_text, brat_sample),
						"D  \xC3\x89"
						"da Byron lived in\nNew York.\nByron left Rome.\n"
						"S \xC3\x89"
						"da Byron lived in\nNew York.\nS Byron left Rome.\n"
						"M 0 Person \xC3\x89"
						"da Byron\nM 1 Place New York\nM 0 Person Byron\n"
						"M 3 Event left\nM 1 Place New York\n"
						"F 0 Lived_in 1\nF 3 In 0\n");
	assert_string_equal(parts_of("a", ""), "D  a\nS a\n");
	assert_string_equal(parts_of("", ""), "D  \n");
}

static void
malformed_brat_is_named_by_line(void **state)
{
	static const char *const cases[][2] = {
		{"T1", "line 1: expected an identifier and a tab, found \"T1\""},
		{"\nX1\ta", "line 2: expected an identifier that begins with T, R, E, A, M, N, # or *, "
					"found \"X1\ta\""},
		{"T\tP 0 1\ta", "line 1: expected a mention's number, found \"T\tP 0 1\ta\""},
		{"T1\tP 0\ta", "line 1: expected a type and two numbers, found \"T1\tP 0\ta\""},
		{"T1\tP a 1\ta", "line 1: expected a type and two numbers, found \"T1\tP a 1\ta\""},
		{"T1\tP 0 1 2\ta", "line 1: expected a type and two numbers, found \"T1\tP 0 1 2\ta\""},
		{"T1\tP 0 1;2 x\ta", "line 1: expected a type and two numbers, found \"T1\tP 0 1;2 x\ta\""},
		{"T1\tP 0 4\tabc", "line 1: mention at characters [0,4) is not in a sentence of 3"},
		{"T1\tP 1 1\tb", "line 1: mention at characters [1,1) is not in a sentence of 3"},
		{"T1\tP 0 1\tb", "line 1: the mention is \"b\", but the text has \"a\" there"},
		{"T1\tP 0 1\ta\nT1\tP 1 2\tb", "two mentions are T1"},
		{"E1\tP:X1", "line 1: expected an event with its trigger, found \"E1\tP:X1\""},
		{"*\tEquiv T1", "line 1: there is no mention T1"},
		{"*\tEquiv x", "line 1: expected a mention such as T1, found \"*\tEquiv x\""},
		{"*\tEquiv E7", "line 1: there is no event E7"},
		{"T1\tP 0 1\ta\nR1\tx Arg1:T1 Arg2:T2", "line 2: there is no mention T2"},
		{"R1\tx Arg1:T1", "line 1: there is no mention T1"},
		{"R1\tx", "line 1: expected a relation with two arguments, found \"R1\tx\""},
		{"R1\tx T1 T2", "line 1: expected a relation with two arguments, found \"R1\tx T1 T2\""},
		{"\xFF", "annotations are not valid UTF-8"},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
	{
		/* Control characters are shown as question marks. */
		char want[256];

		snprintf(want, sizeof(want), "%s", cases[i][1]);
		for (char *c = want; *c != '\0'; c++)
			*c = *c == '\t' ? '?' : *c;
		assert_string_equal(parts_of("abc", cases[i][0]), want);
	}
}

static void
failures_release_everything(void **state)
{
	Content contents[] = {
		{.text = docred_sample, .len = strlen(docred_sample)},
		{.text = brat_text, .annotations = brat_sample},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(contents) / sizeof(*contents); i++)
	{
		test_allocation_sweep(read_content, &contents[i]);
		test_interrupt_sweep(read_content, &contents[i]);
	}
}

/* 500 documents; mentions, entities and facts as Python's json counts them. */
static void
published_documents_are_read(void **state)
{
	char path[1024];
	size_t n;
	uint8_t *bytes;
	TestEnv test;
	Content content = {0};

	(void) state;
	if (test_shared_data() == NULL)
	{
		print_message("MREN_TEST_DATA is not set\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/text/redocred/dev_revised.json", test_shared_data());
	bytes = test_read_file(path, &n);
	if (bytes == NULL)
		fail_msg("cannot read %s", path);
	content.text = (const char *) bytes;
	content.len = n;
	test_env_init(&test);
	if (read_content(&test.env, &err, &content) != MREN_OK)
		fail_msg("%s", err.message);
	assert_int_equal(content.n_parts[MREN_PART_DOCUMENT], 500);
	assert_int_equal(content.n_parts[MREN_PART_MENTION], 13189);
	assert_int_equal(content.n_parts[MREN_PART_FACT], 17284);
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(docred_gives_the_parts_of_documents),
		cmocka_unit_test(malformed_docred_is_named_by_element),
		cmocka_unit_test(brat_gives_the_parts_of_a_document),
		cmocka_unit_test(malformed_brat_is_named_by_line),
		cmocka_unit_test(failures_release_everything),
		cmocka_unit_test(published_documents_are_read),
	};

	return cmocka_run_group_tests_name("annotated documents", tests, NULL, NULL);
}
