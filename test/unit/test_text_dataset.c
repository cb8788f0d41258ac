/*
 * test_text_dataset.c
 *	  Literals of JSON and Python, and the published sets made of them.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/dataset/dataset.h"
#include "text/dataset/literal.h"
#include "base/utf8.h"

static MrenError err;

/* ---- literals ---- */

/* A literal written back in one canonical way. */
static size_t
write_node(const MrenLiteral *literal, size_t at, char *out)
{
	const MrenLiteralNode *node = &literal->nodes[at];
	size_t n = 0;
	size_t child = at + 1;
	uint32_t n_children = node->kind == MREN_LITERAL_MAP ? 2 * node->n : node->n;

	switch (node->kind)
	{
		case MREN_LITERAL_NULL:
			return (size_t) sprintf(out, "null");
		case MREN_LITERAL_FALSE:
			return (size_t) sprintf(out, "false");
		case MREN_LITERAL_TRUE:
			return (size_t) sprintf(out, "true");
		case MREN_LITERAL_NUMBER:
			return (size_t) sprintf(out, "%.*s", (int) node->len, node->text);
		case MREN_LITERAL_STRING:
			return (size_t) sprintf(out, "<%.*s>", (int) node->len, node->text);
		case MREN_LITERAL_LIST:
		case MREN_LITERAL_MAP:
			break;
	}
	out[n++] = node->kind == MREN_LITERAL_MAP ? '{' : '[';
	for (uint32_t i = 0; i < n_children; i++)
	{
		if (i > 0)
			out[n++] = node->kind == MREN_LITERAL_MAP && i % 2 ? ':' : ',';
		n += write_node(literal, child, out + n);
		child = literal->nodes[child].next;
	}
	assert_int_equal(child, node->next);
	out[n++] = node->kind == MREN_LITERAL_MAP ? '}' : ']';
	out[n] = '\0';
	return n;
}

static const char *
parsed(MrenSyntax syntax, const char *text)
{
	static char out[1024];
	TestEnv test;
	MrenLiteral literal = {0};

	test_env_init(&test);
	memset(&err, 0, sizeof(err));
	if (mren_literal_parse(&test.env, syntax, text, strlen(text), &literal, &err) == MREN_OK)
	{
		assert_int_equal(literal.nodes[0].next, literal.n_nodes);
		write_node(&literal, 0, out);
	}
	else
		strcpy(out, err.message);
	mren_literal_free(&test.env, &literal);
	assert_int_equal(test.n_live, 0);
	return out;
}

static void
json_is_parsed(void **state)
{
	(void) state;
	assert_string_equal(parsed(MREN_SYNTAX_JSON, " {\"a\" : [1, -2.5e+3, null,true,false] ,"
												 "\"b\":{}, \"c\":[ ], \"\":\"x\"} "),
						"{<a>:[1,-2.5e+3,null,true,false],<b>:{},<c>:[],<>:<x>}");
	assert_string_equal(parsed(MREN_SYNTAX_JSON, "\"\\u00e9\\ud83d\\ude00\\n\\/\\\\\\\"\""),
						"<\xC3\xA9\xF0\x9F\x98\x80\n/\\\">");
	assert_string_equal(parsed(MREN_SYNTAX_JSON, "0"), "0");
}

static void
python_literals_are_parsed(void **state)
{
	(void) state;
	assert_string_equal(parsed(MREN_SYNTAX_PYTHON, "{'a': (1, 2,), \"b'\": ['\"', 'it\\'s'], "
												   "'n': None, 't': True, u'f': False,}"),
						"{<a>:[1,2],<b'>:[<\">,<it's>],<n>:null,<t>:true,<f>:false}");
	assert_string_equal(parsed(MREN_SYNTAX_PYTHON, "'\\xe9\\u4e2d\\U0001f600\\t\\101'"),
						"<\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80\tA>");
	assert_string_equal(parsed(MREN_SYNTAX_PYTHON, "[]"), "[]");
	assert_string_equal(parsed(MREN_SYNTAX_PYTHON, "()"), "[]");
}

static void
malformed_literals_are_named_by_character(void **state)
{
	static const struct
	{
		MrenSyntax syntax;
		const char *text;
		const char *message;
	} cases[] = {
		{MREN_SYNTAX_JSON, "", "invalid JSON at character 1: expected a value"},
		{MREN_SYNTAX_JSON, "\"\xC3\xA9\" x",
		 "invalid JSON at character 5: expected the end of the text"},
		{MREN_SYNTAX_JSON, "{\"a\" 1}", "invalid JSON at character 6: expected \":\" after a key"},
		{MREN_SYNTAX_JSON, "{1:2}", "invalid JSON at character 2: expected a key in quotes"},
		{MREN_SYNTAX_JSON, "[1 2]",
		 "invalid JSON at character 4: expected \",\" or a closing bracket"},
		{MREN_SYNTAX_JSON, "[1,]", "invalid JSON at character 4: expected a value"},
		{MREN_SYNTAX_JSON, "[1",
		 "invalid JSON at character 3: expected \",\" or a closing bracket"},
		{MREN_SYNTAX_JSON, "[1}",
		 "invalid JSON at character 3: expected \",\" or a closing bracket"},
		{MREN_SYNTAX_JSON, "'a'", "invalid JSON at character 1: expected a value"},
		{MREN_SYNTAX_JSON, "\"a", "invalid JSON at character 3: string does not end"},
		{MREN_SYNTAX_JSON, "\"a\\", "invalid JSON at character 4: string does not end"},
		{MREN_SYNTAX_JSON, "\"\\x41\"", "invalid JSON at character 2: unknown escape"},
		{MREN_SYNTAX_JSON, "\"\\ud800\"", "invalid JSON at character 2: unknown escape"},
		{MREN_SYNTAX_JSON, "\"\\ud800\\u0041\"", "invalid JSON at character 2: unknown escape"},
		{MREN_SYNTAX_JSON, "\"\\udc00\"", "invalid JSON at character 2: unknown escape"},
		{MREN_SYNTAX_JSON, "\"\\u0000\"", "invalid JSON at character 2: zero character"},
		{MREN_SYNTAX_JSON, "\"a\tb\"",
		 "invalid JSON at character 3: control character in a string"},
		{MREN_SYNTAX_JSON, "\"\xFF\"", "invalid JSON at character 2: invalid UTF-8"},
		{MREN_SYNTAX_JSON, "01", "invalid JSON at character 1: expected a number"},
		{MREN_SYNTAX_JSON, "1.", "invalid JSON at character 1: expected a number"},
		{MREN_SYNTAX_JSON, "1e", "invalid JSON at character 1: expected a number"},
		{MREN_SYNTAX_JSON, "-", "invalid JSON at character 1: expected a number"},
		{MREN_SYNTAX_JSON, "True", "invalid JSON at character 1: expected a value"},
		{MREN_SYNTAX_PYTHON, "true", "invalid Python literal at character 1: expected a value"},
		{MREN_SYNTAX_PYTHON, "(1]",
		 "invalid Python literal at character 3: expected \",\" or a closing bracket"},
		{MREN_SYNTAX_PYTHON, "[,]", "invalid Python literal at character 2: expected a value"},
		{MREN_SYNTAX_PYTHON, "'\\N{DASH}'",
		 "invalid Python literal at character 2: unknown escape"},
		{MREN_SYNTAX_PYTHON, "'\\U00110000'",
		 "invalid Python literal at character 2: unknown escape"},
		{MREN_SYNTAX_PYTHON, "os.system('x')",
		 "invalid Python literal at character 1: expected a value"},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(parsed(cases[i].syntax, cases[i].text), cases[i].message);
	parsed(MREN_SYNTAX_JSON, "[1 2]");
	assert_string_equal(err.detail, "It goes on with \"2]\".");
}

static void
nesting_is_bounded(void **state)
{
	char text[2 * MREN_LITERAL_DEPTH + 3];
	const int depth = MREN_LITERAL_DEPTH;

	(void) state;
	memset(text, '[', sizeof(text));
	memset(text + depth, ']', (size_t) depth);
	text[2 * depth] = '\0';
	parsed(MREN_SYNTAX_JSON, text);
	assert_int_equal(err.status, MREN_OK);
	memset(text, '[', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_string_equal(parsed(MREN_SYNTAX_JSON, text), "JSON is nested deeper than 32 levels");
	assert_int_equal(err.status, MREN_ELIMIT);
}

/* ---- datasets ---- */

typedef struct Content
{
	MrenDatasetKind kind;
	const char *text;
	size_t len;
	bool negatives;
	void (*row)(const MrenDatasetRow *row, void *arg);
	void *arg;
	size_t n_rows;
} Content;

static MrenStatus
read_content(const MrenEnv *env, MrenError *error, void *arg)
{
	Content *content = arg;
	MrenDataset *dataset;
	MrenStatus status;
	bool more = true;

	content->n_rows = 0;
	MREN_TRY(mren_dataset_open(env, content->kind, content->text, content->len, content->negatives,
							   &dataset, error));
	do
	{
		MrenDatasetRow row;

		status = mren_dataset_next(dataset, &row, &more, error);
		if (status != MREN_OK || !more)
			break;
		content->n_rows++;
		if (content->row != NULL)
			content->row(&row, content->arg);
	} while (true);
	mren_dataset_close(dataset);
	return status;
}

/* The characters lower .. upper - 1 of a sentence. */
static MrenTextSpan
cut(MrenTextSpan sentence, int32_t lower, int32_t upper)
{
	size_t start = mren_utf8_offset(sentence.data, sentence.len, (size_t) lower);
	size_t end = mren_utf8_offset(sentence.data, sentence.len, (size_t) upper);

	return (MrenTextSpan){sentence.data + start, end - start};
}

static size_t
write_text(char *out, const char *name, MrenTextSpan text)
{
	if (text.data == NULL)
		return 0;
	return (size_t) sprintf(out, " %s=%.*s", name, (int) text.len, text.data);
}

/* Rows as lines: the mentions as the ranges cut them out, then what is given. */
static void
write_row(const MrenDatasetRow *row, void *arg)
{
	char *out = (char *) arg + strlen(arg);
	MrenTextSpan head = cut(row->sentence, row->head_lower, row->head_upper);
	MrenTextSpan tail = cut(row->sentence, row->tail_lower, row->tail_upper);

	out += sprintf(out, "%.*s|%.*s|%.*s", (int) row->sentence.len, row->sentence.data,
				   (int) head.len, head.data, (int) tail.len, tail.data);
	out += write_text(out, "id", row->id);
	out += write_text(out, "rel", row->relation);
	out += write_text(out, "comment", row->comment);
	out += write_text(out, "hn", row->head_name);
	out += write_text(out, "tn", row->tail_name);
	out += write_text(out, "ht", row->head_type);
	out += write_text(out, "tt", row->tail_type);
	out += write_text(out, "img", row->image_name);
	strcpy(out, "\n");
}

static const char *
rows_of(MrenDatasetKind kind, const char *text, bool negatives)
{
	static char out[4096];
	Content content = {kind, text, strlen(text), negatives, write_row, out, 0};
	TestEnv test;

	test_env_init(&test);
	memset(&err, 0, sizeof(err));
	out[0] = '\0';
	if (read_content(&test.env, &err, &content) != MREN_OK)
		strcpy(out, err.message);
	assert_int_equal(test.n_live, 0);
	return out;
}

static const char semeval_sample[] =
	"1\t\"The <e1>caf\xC3\xA9</e1> of \"the\" <e2>hotel</e2>.\"\r\n"
	"Component-Whole(e1,e2)\r\nComment: a < b\r\n\r\n"
	"2\t\"<e2>B</e2> then <e1>A b</e1>\"\r\nOther\r\nComment:\r\n\r\n";

static void
semeval_training_files_are_read(void **state)
{
	(void) state;
	assert_string_equal(rows_of(MREN_DATASET_SEMEVAL, semeval_sample, false),
						"The caf\xC3\xA9 of \"the\" hotel.|caf\xC3\xA9|hotel id=1 "
						"rel=Component-Whole(e1,e2) comment=a < b\n"
						"B then A b|A b|B id=2 rel=Other\n");
}

static void
semeval_test_files_have_no_relations(void **state)
{
	(void) state;
	assert_string_equal(rows_of(MREN_DATASET_SEMEVAL,
								"8001\t\"<e1>A</e1> <e2>B</e2>\"\n8002\t\"<e1>C</e1><e2>D</e2>\"",
								false),
						"A B|A|B id=8001\nCD|C|D id=8002\n");
	assert_string_equal(rows_of(MREN_DATASET_SEMEVAL, "", false), "");
	assert_string_equal(rows_of(MREN_DATASET_SEMEVAL, "\n\r\n", false), "");
}

/* Line feeds, carriage returns, and both, also mixed. */
static void
semeval_lines_end_in_any_way(void **state)
{
	static const char *const ends[][2] = {
		{"\n", "\n"}, {"\r\n", "\r\n"}, {"\r", "\r"}, {"\r\n", "\n"}, {"\r", "\n"}};

	(void) state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
	{
		const char *a = ends[i][0];
		const char *b = ends[i][1];
		char text[256];

		snprintf(text, sizeof(text),
				 "1\t<e1>A</e1> <e2>B</e2>%sr%sComment: c%s%s2\t<e1>C</e1> <e2>D</e2>%sr%s%s%sx", a,
				 b, a, a, b, b, a, a);
		assert_string_equal(rows_of(MREN_DATASET_SEMEVAL, text, false),
							"line 9: expected a number, a tab and a sentence, found \"x\"");
		*strrchr(text, 'x') = '\0';
		assert_string_equal(rows_of(MREN_DATASET_SEMEVAL, text, false),
							"A B|A|B id=1 rel=r comment=c\nC D|C|D id=2 rel=r\n");
	}
}

static void
malformed_semeval_is_named_by_line(void **state)
{
	static const char *const cases[][2] = {
		{"1\t\"<e1>A</e1> <e2>B</e2>\"\nOther\n\n2\t\"<e1>A</e1> B\"\n",
		 "line 4: sentence lacks the mark \"<e2>\""},
		{"1\t<e1>A</e1> <e1>B</e1>", "line 1: mark \"<e1>\" occurs twice"},
		{"1\t</e1>A<e1> <e2>B</e2>", "line 1: nothing stands between \"<e1>\" and \"</e1>\""},
		{"1\t<e1></e1> <e2>B</e2>", "line 1: nothing stands between \"<e1>\" and \"</e1>\""},
		{"Other\n", "line 1: expected a number, a tab and a sentence, found \"Other\""},
		{"1\t<e1>A</e1> <e2>B</e2>\nOther\nOther\n",
		 "line 3: expected a comment, a blank line or a sentence, found \"Other\""},
		{"1\t<e1>\xFF</e1> <e2>B</e2>", "line 1: sentence is not valid UTF-8 at byte 5"},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(rows_of(MREN_DATASET_SEMEVAL, cases[i][0], false), cases[i][1]);
}

static void
opennre_lines_have_text_or_tokens(void **state)
{
	(void) state;
	assert_string_equal(
		rows_of(MREN_DATASET_OPENNRE,
				"{\"text\": \"\xC3\x9C Ann saw Bob\", \"relation\": \"saw\", \"h\": {\"name\": "
				"\"Ann\", \"id\": \"Q1\", \"pos\": [2, 5]}, \"t\": {\"name\": \"Bob\", \"type\": "
				"\"per\", \"pos\": [10, 13]}}",
				false),
		"\xC3\x9C Ann saw Bob|Ann|Bob rel=saw hn=Ann tn=Bob tt=per\n");
	assert_string_equal(rows_of(MREN_DATASET_OPENNRE,
								"{\"id\": 7, \"token\": [\"\xC3\x9C\", \"Ann\", \"Lee\", \"ran\"], "
								"\"h\": {\"pos\": [1, 3]}, \"t\": {\"pos\": [3, 4]}}",
								false),
						"\xC3\x9C Ann Lee ran|Ann Lee|ran id=7\n");
	assert_string_equal(rows_of(MREN_DATASET_OPENNRE, " \n", false), "");
}

static void
mnre_lines_are_python(void **state)
{
	(void) state;
	assert_string_equal(
		rows_of(MREN_DATASET_MNRE,
				"{'token': ['Bill', 'Cosby', \"'s\", 'star'], 'h': {'name': 'Bill Cosby', 'pos': "
				"[0, 2]}, 't': {'name': 'star', 'pos': [3, 4]}, 'img_id': 'twitter_1.jpg', "
				"'relation': 'None'}",
				false),
		"Bill Cosby 's star|Bill Cosby|star rel=None hn=Bill Cosby tn=star img=twitter_1.jpg\n");
}

static void
malformed_objects_name_their_key(void **state)
{
	static const char *const cases[][2] = {
		{"[]", "content is not an object"},
		{"{}", "\"token\" is missing"},
		{"{\"text\": 1}", "\"text\" is not a string"},
		{"{\"token\": \"a\"}", "\"token\" is not a list"},
		{"{\"token\": [\"a\", 1]}", "\"token\" has an element 2 that is not a string"},
		{"{\"text\": \"a\"}", "\"h\" is missing"},
		{"{\"text\": \"a\", \"h\": 1}", "\"h\" is not an object"},
		{"{\"text\": \"a\", \"h\": {}}", "\"pos\" of \"h\" is not two whole numbers"},
		{"{\"text\": \"a\", \"h\": {\"pos\": [0, 1.5]}}",
		 "\"pos\" of \"h\" is not two whole numbers"},
		{"{\"text\": \"a\", \"h\": {\"pos\": [0, 2]}}",
		 "\"h\" at characters [0,2) is not in a sentence of 1"},
		{"{\"text\": \"a\", \"h\": {\"pos\": [-1, 1]}}",
		 "\"h\" at characters [-1,1) is not in a sentence of 1"},
		{"{\"token\": [\"a\"], \"h\": {\"pos\": [0, 1]}, \"t\": {\"pos\": [1, 1]}}",
		 "\"t\" at tokens [1,1) is not in a sentence of 1"},
		{"{\"a", "invalid JSON at character 4: string does not end"},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(rows_of(MREN_DATASET_OPENNRE, cases[i][0], false), cases[i][1]);
}

static const char fewrel_sample[] =
	"{\"P1\": [{\"tokens\": [\"the\", \"red\", \"car\", \"of\", \"Ann\"], \"h\": [\"red car\", "
	"\"Q1\", [[1, 2]]], \"t\": [\"ann\", \"Q2\", [[4], [0]]]}], \"P2\": [], \"P3\": [{\"tokens\": "
	"[\"a\", \"b\"], \"h\": [\"a\", \"Q1\", [[0]]], \"t\": [\"b\", \"Q2\", [[1]]]}]}";

static void
fewrel_files_are_grouped_by_relation(void **state)
{
	(void) state;
	assert_string_equal(rows_of(MREN_DATASET_FEWREL, fewrel_sample, false),
						"the red car of Ann|red car|Ann id=P1:1 rel=P1 hn=red car tn=ann\n"
						"a b|a|b id=P3:1 rel=P3 hn=a tn=b\n");
	assert_string_equal(
		rows_of(MREN_DATASET_FEWREL,
				"{\"P1\": [{\"tokens\": [\"a\", \"b\"], \"h\": [\"a\", \"Q\", [[0]]], \"t\": "
				"[\"b\", \"Q\", [[2]]]}]}",
				false),
		"relation \"P1\", sentence 1: \"t\" at tokens [2,3) is not in a sentence of 2");
	assert_string_equal(
		rows_of(MREN_DATASET_FEWREL,
				"{\"P1\": [{\"tokens\": [\"a\", \"b\", \"c\"], \"h\": [\"a\", \"Q\", [[0, 2]]]}]}",
				false),
		"relation \"P1\", sentence 1: \"h\" is not at tokens that follow each other");
	assert_string_equal(rows_of(MREN_DATASET_FEWREL, "", false), "");
	assert_string_equal(rows_of(MREN_DATASET_FEWREL, "{}", false), "");
	assert_string_equal(rows_of(MREN_DATASET_FEWREL, "{\"P1\": 3}", false),
						"relation \"P1\": sentences are not a list");
	assert_string_equal(rows_of(MREN_DATASET_FEWREL, "{\"P1\": [3]}", false),
						"relation \"P1\", sentence 1: sentence is not an object");
	assert_string_equal(rows_of(MREN_DATASET_FEWREL,
								"{\"P1\": [{\"tokens\": [\"a\"], \"h\": [\"a\", 2, []]}]}", false),
						"relation \"P1\", sentence 1: \"h\" has no place");
}

static const char conll_sample[] =
	"[{\"tokens\": [\"\xC3\x9C\", \"Ann\", \"Lee\", \"runs\", \"IBM\", \"Rome\"], \"tags\": "
	"[\"O\", "
	"\"B-Peop\", \"L-Peop\", \"O\", \"U-Org\", \"U-Loc\"], \"relations\": [{\"head\": 0, \"tail\": "
	"1, \"type\": \"Work_For\"}], \"orig_id\": 7}, {\"tokens\": [\"x\"], \"tags\": [\"O\"], "
	"\"relations\": []}]";

static void
conll04_gives_every_ordered_pair(void **state)
{
	static const char sentence[] = "\xC3\x9C Ann Lee runs IBM Rome";
	static const struct
	{
		const char *mentions, *relation, *types;
	} want[] = {
		{"Ann Lee|IBM", "Work_For", "ht=Peop tt=Org"}, {"Ann Lee|Rome", "None", "ht=Peop tt=Loc"},
		{"IBM|Ann Lee", "None", "ht=Org tt=Peop"},	   {"IBM|Rome", "None", "ht=Org tt=Loc"},
		{"Rome|Ann Lee", "None", "ht=Loc tt=Peop"},	   {"Rome|IBM", "None", "ht=Loc tt=Org"}};
	char out[1024];
	size_t n = 0;

	(void) state;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
		n += (size_t) sprintf(out + n, "%s|%s id=7 rel=%s %s\n", sentence, want[i].mentions,
							  want[i].relation, want[i].types);
	assert_string_equal(rows_of(MREN_DATASET_CONLL04, conll_sample, true), out);
	*(strchr(out, '\n') + 1) = '\0';
	assert_string_equal(rows_of(MREN_DATASET_CONLL04, conll_sample, false), out);
}

static void
conll04_takes_one_sentence_bio_and_entities(void **state)
{
	(void) state;
	/* BIO: an entity ends where another begins. */
	assert_string_equal(rows_of(MREN_DATASET_CONLL04,
								"{\"tokens\": [\"a\", \"b\", \"c\"], \"tags\": [\"B-X\", \"I-X\", "
								"\"B-X\"]}",
								true),
						"a b c|a b|c id=1 rel=None ht=X tt=X\n"
						"a b c|c|a b id=1 rel=None ht=X tt=X\n");
	assert_string_equal(
		rows_of(MREN_DATASET_CONLL04,
				"{\"tokens\": [\"a\", \"b\"], \"entities\": [{\"type\": \"X\", \"start\": 0, "
				"\"end\": 1}, {\"type\": \"Y\", \"start\": 0, \"end\": 2}], \"relations\": "
				"[{\"type\": \"r\", \"head\": 1, \"tail\": 0}]}",
				false),
		"a b|a b|a id=1 rel=r ht=Y tt=X\n");
}

static void
malformed_conll04_is_named_by_element(void **state)
{
	static const char *const cases[][2] = {
		{"3", "content is not a list of sentences, nor a single one"},
		{"[3]", "element 1: sentence is not an object"},
		{"[{\"tokens\": []}]", "element 1: neither \"tags\" nor \"entities\" is a list"},
		{"[{\"tokens\": [\"a\"], \"tags\": []}]",
		 "element 1: \"tags\" is not a list of 1, one for each token"},
		{"[{\"tokens\": [\"a\"], \"tags\": [\"L-X\"]}]",
		 "element 1: tag \"L-X\" of token 1 continues no mention"},
		{"[{\"tokens\": [\"a\", \"b\"], \"tags\": [\"B-X\", \"I-Y\"]}]",
		 "element 1: tag \"I-Y\" of token 2 continues no mention"},
		{"[{\"tokens\": [\"a\"], \"tags\": [\"Q\"]}]", "element 1: invalid tag \"Q\" of token 1"},
		{"[{\"tokens\": [\"a\"], \"tags\": [[]]}]",
		 "element 1: \"tags\" has an element 1 that is not a string"},
		{"[{\"tokens\": [\"a\"], \"tags\": [\"U-X\"], \"relations\": [{\"type\": \"r\", \"head\": "
		 "0, \"tail\": 0}]}]",
		 "element 1: head and tail of relation 0 are the same entity"},
		{"[{\"tokens\": [\"a\"], \"tags\": [\"U-X\"], \"relations\": [{\"type\": \"r\", \"head\": "
		 "0, \"tail\": 1}]}]",
		 "element 1: a relation's \"tail\" is entity 1 of 1"},
		{"[{\"tokens\": [\"a\"], \"tags\": [\"U-X\"], \"relations\": [{\"type\": \"r\"}]}]",
		 "element 1: a relation's \"head\" is not a whole number"},
		{"[{\"tokens\": [\"a\"], \"tags\": [\"U-X\"], \"relations\": [{}]}]",
		 "element 1: a relation lacks its \"type\""},
		{"[{\"tokens\": [\"a\"], \"tags\": [\"O\"]}, {\"tokens\": [\"a\"], \"entities\": [{}]}]",
		 "element 2: entity 0 lacks a whole \"start\" and \"end\""},
		{"[{\"tokens\": [\"a\"], \"entities\": [{\"start\": 0, \"end\": 2}]}]",
		 "element 1: entity 0 at tokens [0,2) is not in a sentence of 1"},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(rows_of(MREN_DATASET_CONLL04, cases[i][0], true), cases[i][1]);
}

/* Entity 2 is entity 0 again: no pair of it with itself, and none twice. */
static void
conll04_takes_an_entity_listed_twice_once(void **state)
{
	static const char entities[] =
		"{\"tokens\": [\"a\", \"b\"], \"entities\": [[0, 1, \"X\"], [1, 2, \"Y\"], [0, 1, \"Z\"]], "
		"\"relations\": [%s]}";
	static const char none[] = "a b|b|a id=1 rel=None ht=Y tt=X\n";
	char text[512];
	char want[256];

	(void) state;
	snprintf(text, sizeof(text), entities, "[0, 1, 1, 2, \"r\"]");
	snprintf(want, sizeof(want), "a b|a|b id=1 rel=r ht=X tt=Y\n%s", none);
	assert_string_equal(rows_of(MREN_DATASET_CONLL04, text, true), want);
	snprintf(text, sizeof(text), entities, "");
	snprintf(want, sizeof(want), "a b|a|b id=1 rel=None ht=X tt=Y\n%s", none);
	assert_string_equal(rows_of(MREN_DATASET_CONLL04, text, true), want);
	/* By number, with the type that is given there. */
	assert_string_equal(
		rows_of(MREN_DATASET_CONLL04,
				"{\"tokens\": [\"a\", \"b\"], \"entities\": [{\"start\": 0, \"end\": "
				"1, \"type\": \"X\"}, {\"start\": 1, \"end\": 2}, {\"start\": 0, "
				"\"end\": 1, \"type\": \"Z\"}], \"relations\": [{\"type\": \"r\", "
				"\"head\": 2, \"tail\": 1}]}",
				true),
		"a b|a|b id=1 rel=r ht=Z\na b|b|a id=1 rel=None tt=X\n");
}

static void
conll04_takes_all_schemes_of_tags(void **state)
{
	static const char *const tags[] = {
		"\"B-X\", \"E-X\", \"O\", \"S-Y\"", "\"B-X\", \"L-X\", \"O\", \"U-Y\"",
		"\"B-X\", \"I-X\", \"O\", \"B-Y\"", "\"I-X\", \"I-X\", \"O\", \"I-Y\""};

	(void) state;
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++)
	{
		char text[256];

		snprintf(text, sizeof(text), "{\"tokens\": [\"a\", \"b\", \"c\", \"d\"], \"tags\": [%s]}",
				 tags[i]);
		assert_string_equal(rows_of(MREN_DATASET_CONLL04, text, true),
							"a b c d|a b|d id=1 rel=None ht=X tt=Y\n"
							"a b c d|d|a b id=1 rel=None ht=Y tt=X\n");
	}
}

/* Lists instead of objects: ADE's file. */
static const char ade_sample[] =
	"[{\"tokens\": [\"rash\", \"from\", \"gold\", \"salt\"], \"entities\": [[0, 1, \"Effect\"], "
	"[2, 4, \"Drug\"]], \"relations\": [[0, 1, 2, 4, \"Adverse-Effect\"]]}]";

static void
conll04_takes_lists(void **state)
{
	static const char *const cases[][2] = {
		{"{\"tokens\": [\"a\"], \"entities\": [[0]]}",
		 "element 1: entity 0 lacks a whole \"start\" and \"end\""},
		{"{\"tokens\": [\"a\"], \"entities\": [[[], 1, \"X\"]]}",
		 "element 1: entity 0 lacks a whole \"start\" and \"end\""},
		{"{\"tokens\": [\"a\"], \"entities\": [[0, 1, [\"X\"]]]}",
		 "element 1: \"type\" of entity 0 is a list, not a string"},
		{"{\"tokens\": [\"a\"], \"entities\": [[0, 1, \"X\"]], \"relations\": [[0, 1, 0, 1]]}",
		 "element 1: a relation lacks its \"type\""},
		{"{\"tokens\": [\"a\"], \"entities\": [[0, 1, \"X\"]], "
		 "\"relations\": [[0, 1, \"x\", 1, \"r\"]]}",
		 "element 1: a relation's tail is not two whole numbers"},
		{"{\"tokens\": [\"a\"], \"entities\": [[0, 1, \"X\"]], "
		 "\"relations\": [[0, 1, 1, 2, \"r\"]]}",
		 "element 1: a relation's tail at tokens [1,2) is not an entity"},
	};

	(void) state;
	assert_string_equal(
		rows_of(MREN_DATASET_CONLL04, ade_sample, true),
		"rash from gold salt|rash|gold salt id=1 rel=Adverse-Effect ht=Effect tt=Drug\n"
		"rash from gold salt|gold salt|rash id=1 rel=None ht=Drug tt=Effect\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(rows_of(MREN_DATASET_CONLL04, cases[i][0], false), cases[i][1]);
}

/* ---- TACRED ---- */

static const char tacred_sample[] =
	"[{\"id\": \"e1\", \"relation\": \"per:title\", \"token\": [\"Tom\", \"Thabane\", \"-LRB-\", "
	"\"premier\", \"-RRB-\"], \"subj_start\": 0, \"subj_end\": 1, \"obj_start\": 3, \"obj_end\": "
	"3, "
	"\"subj_type\": \"PERSON\", \"obj_type\": \"TITLE\", \"stanford_head\": [2, 0, 2, 2, 2]}]";

static void
tacred_ends_are_inclusive(void **state)
{
	(void) state;
	assert_string_equal(
		rows_of(MREN_DATASET_TACRED, tacred_sample, false),
		"Tom Thabane ( premier )|Tom Thabane|premier id=e1 rel=per:title ht=PERSON tt=TITLE\n");
	/* One row alone; what only looks like a bracket's name stays. */
	assert_string_equal(rows_of(MREN_DATASET_TACRED,
								"{\"token\": [\"-LRX-\", \"b\"], \"subj_start\": 1, \"subj_end\": "
								"1, \"obj_start\": 0, \"obj_end\": 0}",
								false),
						"-LRX- b|b|-LRX-\n");
	assert_string_equal(rows_of(MREN_DATASET_TACRED, "[]", false), "");
}

static void
malformed_tacred_is_named_by_element(void **state)
{
	static const char *const cases[][2] = {
		{"3", "content is not a list of sentences, nor a single one"},
		{"[3]", "element 1: row is not an object"},
		{"[{}]", "element 1: \"token\" is missing"},
		{"[{\"token\": [1]}]", "element 1: \"token\" has an element 1 that is not a string"},
		{"[{\"token\": [\"a\"], \"subj_start\": 0}]",
		 "element 1: \"subj_end\" is not a whole number"},
		{"[{\"token\": [\"a\"], \"subj_start\": 0, \"subj_end\": 999999999}]",
		 "element 1: subj at tokens [0,1000000000) is not in a sentence of 1"},
		{"[{\"token\": [\"a\"], \"subj_start\": 0, \"subj_end\": 0, \"obj_start\": 1, "
		 "\"obj_end\": 0}]",
		 "element 1: obj at tokens [1,1) is not in a sentence of 1"},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(rows_of(MREN_DATASET_TACRED, cases[i][0], false), cases[i][1]);
}

/* ---- what all readers check ---- */

static const struct
{
	MrenDatasetKind kind;
	const char *text;
} samples[] = {
	{MREN_DATASET_SEMEVAL, "1\t<e1>a</e1> <e2>b</e2>\nr\n"},
	{MREN_DATASET_OPENNRE,
	 "{\"text\": \"a b\", \"h\": {\"pos\": [0, 1]}, \"t\": {\"pos\": [2, 3]}, "
	 "\"relation\": \"r\"}"},
	{MREN_DATASET_MNRE, "{'token': ['a', 'b'], 'h': {'pos': [0, 1]}, 't': {'pos': [1, 2]}, "
						"'relation': 'r'}"},
	{MREN_DATASET_FEWREL,
	 "{\"r\": [{\"tokens\": [\"a\", \"b\"], \"h\": [\"a\", \"\", [[0]]], \"t\": "
	 "[\"b\", \"\", [[1]]]}]}"},
	{MREN_DATASET_CONLL04, "{\"tokens\": [\"a\", \"b\"], \"entities\": [[0, 1], [1, 2]], "
						   "\"relations\": [[0, 1, 1, 2, \"r\"]]}"},
	{MREN_DATASET_TACRED, "[{\"token\": [\"a\", \"b\"], \"subj_start\": 0, \"subj_end\": 0, "
						  "\"obj_start\": 1, \"obj_end\": 1, \"relation\": \"r\"}]"},
	{MREN_DATASET_MARKED, "{\"text\": \"[[ a ]] << b >>\", \"label\": \"r\"}"},
};

static void
a_byte_order_mark_is_passed_over(void **state)
{
	(void) state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
	{
		char marked[512];
		const char *rows;

		snprintf(marked, sizeof(marked), "\xEF\xBB\xBF%s", samples[i].text);
		rows = rows_of(samples[i].kind, marked, false);
		if (strncmp(rows, "a b|a|b", 7) != 0 || strstr(rows, "rel=r") == NULL)
			fail_msg("kind %d: %s", (int) samples[i].kind, rows);
		assert_string_equal(rows_of(samples[i].kind, "\xEF\xBB\xBF", false), "");
	}
}

/* Text in which `from` is replaced once, by each reader. */
static const char *
rows_with(size_t sample, const char *from, const char *to)
{
	char text[512];
	const char *at = strstr(samples[sample].text, from);

	assert_non_null(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int) (at - samples[sample].text),
			 samples[sample].text, to, at + strlen(from));
	return rows_of(samples[sample].kind, text, false);
}

static void
blank_mentions_and_empty_tokens_are_errors(void **state)
{
	(void) state;
	assert_string_equal(rows_with(0, "<e2>b", "<e2> "),
						"line 1: tail at characters [2,3) contains only white space");
	assert_string_equal(rows_with(1, "a b", "a \\u00a0"),
						"\"t\" at characters [2,3) contains only white space");
	assert_string_equal(rows_with(2, "'b'", "'\\u200b'"),
						"\"t\" at characters [2,3) contains only white space");
	assert_string_equal(rows_with(2, "'a'", "''"), "\"token\" has an element 1 that is empty");
	assert_string_equal(rows_with(3, "[\"a\"", "[\" \""),
						"relation \"r\", sentence 1: \"h\" at characters [0,1) contains only white "
						"space");
	assert_string_equal(rows_with(4, "[\"a\"", "[\"\""),
						"element 1: \"tokens\" has an element 1 that is empty");
	assert_string_equal(rows_with(4, "\"b\"", "\"\\t\""),
						"element 1: entity 1 at characters [2,3) contains only white space");
	assert_string_equal(rows_with(5, "\"b\"", "\"\""),
						"element 1: \"token\" has an element 2 that is empty");
	assert_string_equal(rows_with(5, "\"b\"", "\"\\u00a0\""),
						"element 1: obj at characters [2,3) contains only white space");
	assert_string_equal(rows_with(6, "[[ a", "[[ \\t"),
						"head at characters [0,1) contains only white space");
	/* Blank tokens beside the mentions, as FewRel has them, stay. */
	assert_string_equal(rows_with(2, "'a', 'b'", "'a', 'b', ' '"), "a b  |a|b rel=r\n");
}

static void
strings_of_a_wrong_type_are_errors(void **state)
{
	(void) state;
	assert_string_equal(rows_with(1, "\"r\"", "null"), "\"relation\" is null, not a string");
	assert_string_equal(err.hint, "Leave the key out if it has no value.");
	assert_string_equal(rows_with(1, "\"r\"", "4"), "\"relation\" is a number, not a string");
	assert_string_equal(rows_with(1, "\"r\"", "\" \""), "\"relation\" is blank");
	assert_string_equal(rows_with(1, "{\"pos\": [0", "{\"name\": null, \"pos\": [0"),
						"\"name\" of \"h\" is null, not a string");
	assert_string_equal(rows_with(1, "{\"pos\": [2", "{\"type\": [1], \"pos\": [2"),
						"\"type\" of \"t\" is a list, not a string");
	assert_string_equal(rows_with(1, "{\"text", "{\"id\": true, \"text"),
						"\"id\" is a boolean, not a string");
	assert_string_equal(rows_with(2, "'r'", "None"), "\"relation\" is null, not a string");
	assert_string_equal(rows_with(3, "[\"a\", \"\"", "[7, \"\""),
						"relation \"r\", sentence 1: \"name\" of \"h\" is a number, not a string");
	assert_string_equal(rows_with(4, "\"r\"", "{}"),
						"element 1: \"type\" of relation 0 is an object, not a string");
	assert_string_equal(rows_with(4, "[0, 1]", "[0, 1, null]"),
						"element 1: \"type\" of entity 0 is null, not a string");
	assert_string_equal(rows_with(5, "\"subj_start\"", "\"obj_type\": 1, \"subj_start\""),
						"element 1: \"obj_type\" is a number, not a string");
	assert_string_equal(rows_with(6, "\"r\"", "false"), "\"label\" is a boolean, not a string");
}

/* ---- marked lines ---- */

static const char marked_sample[] = "{\"text\": \"\u00c9, << Ang II >>-induced [2-([2,6-x]]; [[ "
									"valsartan ]], P<<0.01, 94 >> B ]]\", "
									"\"label\": \"INHIBITOR\", \"metadata\": []}";

static void
marked_lines_lose_their_marks(void **state)
{
	(void) state;
	assert_string_equal(
		rows_of(MREN_DATASET_MARKED, marked_sample, false),
		"\xC3\x89, Ang II-induced [2-([2,6-x]]; valsartan, P<<0.01, 94 >> B ]]|valsartan|Ang II "
		"rel=INHIBITOR\n");
	assert_string_equal(rows_of(MREN_DATASET_MARKED, " ", false), "");
}

static void
malformed_marks_are_named(void **state)
{
	static const char *const cases[][2] = {
		{"[]", "content is not an object"},
		{"{}", "\"text\" is missing"},
		{"{\"text\": 3}", "\"text\" is not a string"},
		{"{\"text\": \"[[ a ]] b\"}", "\"text\" lacks the mark \"<< \""},
		{"{\"text\": \"[[ a ]] << b >> [[ c ]]\"}", "mark \"[[ \" occurs twice"},
		{"{\"text\": \" ]][[ << b >>\"}", "\"text\" lacks the mark \" ]]\""},
		{"{\"text\": \"[[  ]] << b >>\"}", "nothing stands between \"[[ \" and \" ]]\""},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(rows_of(MREN_DATASET_MARKED, cases[i][0], false), cases[i][1]);
}

static void
failures_release_everything(void **state)
{
	Content contents[] = {
		{MREN_DATASET_SEMEVAL, semeval_sample, strlen(semeval_sample), false, NULL, NULL, 0},
		{MREN_DATASET_FEWREL, fewrel_sample, strlen(fewrel_sample), false, NULL, NULL, 0},
		{MREN_DATASET_CONLL04, conll_sample, strlen(conll_sample), true, NULL, NULL, 0},
		{MREN_DATASET_CONLL04, ade_sample, strlen(ade_sample), true, NULL, NULL, 0},
		{MREN_DATASET_TACRED, tacred_sample, strlen(tacred_sample), false, NULL, NULL, 0},
		{MREN_DATASET_MARKED, marked_sample, strlen(marked_sample), false, NULL, NULL, 0},
	};
	const size_t n = 1000000;
	char *text = malloc(n);
	MrenLiteral literal = {0};
	TestEnv test;

	(void) state;
	for (size_t i = 0; i < sizeof(contents) / sizeof(*contents); i++)
	{
		test_allocation_sweep(read_content, &contents[i]);
		test_interrupt_sweep(read_content, &contents[i]);
	}
	/* One string of a megabyte can be interrupted, too. */
	memset(text, 'a', n);
	text[0] = text[n - 1] = '"';
	test_env_init(&test);
	test.interrupt_at = 2;
	assert_int_equal(mren_literal_parse(&test.env, MREN_SYNTAX_JSON, text, n, &literal, &err),
					 MREN_ECANCELED);
	mren_literal_free(&test.env, &literal);
	free(text);
}

/* ---- the published files ---- */

typedef struct Counts
{
	size_t n_other;	  /* rows of the negative relation */
	size_t n_renamed; /* mentions that differ from their names */
} Counts;

static bool
is_text(MrenTextSpan text, const char *want)
{
	return text.len == strlen(want) && memcmp(text.data, want, text.len) == 0;
}

static void
count_row(const MrenDatasetRow *row, void *arg)
{
	Counts *counts = arg;
	MrenTextSpan head = cut(row->sentence, row->head_lower, row->head_upper);
	MrenTextSpan tail = cut(row->sentence, row->tail_lower, row->tail_upper);

	counts->n_other += is_text(row->relation, "None") || is_text(row->relation, "Other");
	if (row->head_name.data != NULL)
		counts->n_renamed +=
			head.len != row->head_name.len || memcmp(head.data, row->head_name.data, head.len) != 0;
	if (row->tail_name.data != NULL)
		counts->n_renamed +=
			tail.len != row->tail_name.len || memcmp(tail.data, row->tail_name.data, tail.len) != 0;
}

static uint8_t *
read_shared(const char *name, size_t *n)
{
	char path[1024];
	uint8_t *bytes;

	if (test_shared_data() == NULL)
	{
		print_message("MREN_TEST_DATA is not set\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/text/%s", test_shared_data(), name);
	bytes = test_read_file(path, n);
	if (bytes == NULL)
		fail_msg("cannot read %s", path);
	return bytes;
}

static size_t
count_rows(MrenDatasetKind kind, const char *text, size_t len, Counts *counts)
{
	Content content = {kind, text, len, true, count_row, counts, 0};
	TestEnv test;

	test_env_init(&test);
	if (read_content(&test.env, &err, &content) != MREN_OK)
		fail_msg("%s", err.message);
	return content.n_rows;
}

static void
published_files_give_their_rows(void **state)
{
	/*
	 * SemEval: 8,000 sentences, 1,410 of them Other (Hendrickx et al. 2010).  CoNLL04 and
	 * ADE: their relations and remaining pairs, counted with Python's json.
	 */
	static const struct
	{
		MrenDatasetKind kind;
		const char *name;
		size_t n_rows, n_other;
	} cases[] = {
		{MREN_DATASET_SEMEVAL, "semeval2010_task8/TRAIN_FILE.TXT", 8000, 1410},
		{MREN_DATASET_CONLL04, "conll04/conll04_train.json", 1283 + 10715, 10715},
		{MREN_DATASET_CONLL04, "conll04/conll04_dev.json", 343 + 2917, 2917},
		{MREN_DATASET_CONLL04, "ade/train.ADE0.json", 5029 + 10293, 10293},
		{MREN_DATASET_FEWREL, "fewrel/val_wiki.json", 11200, 0},
		{MREN_DATASET_FEWREL, "fewrel/val_nyt.json", 2500, 0},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
	{
		Counts counts = {0, 0};
		size_t n;
		uint8_t *bytes = read_shared(cases[i].name, &n);

		assert_int_equal(count_rows(cases[i].kind, (char *) bytes, n, &counts), cases[i].n_rows);
		assert_int_equal(counts.n_other, cases[i].n_other);
		free(bytes);
	}
}

static size_t
count_lines(MrenDatasetKind kind, const char *name, Counts *counts)
{
	size_t n;
	size_t n_rows = 0;
	uint8_t *bytes = read_shared(name, &n);

	for (size_t at = 0; at < n;)
	{
		uint8_t *end = memchr(bytes + at, '\n', n - at);
		size_t len = end != NULL ? (size_t) (end - bytes) - at : n - at;

		n_rows += count_rows(kind, (char *) bytes + at, len, counts);
		at += len + 1;
	}
	free(bytes);
	return n_rows;
}

/* As many rows as the files have lines. */
static void
published_marked_lines_are_read(void **state)
{
	Counts counts = {0, 0};

	(void) state;
	assert_int_equal(count_lines(MREN_DATASET_MARKED, "scierc/train.txt", &counts), 3219);
	assert_int_equal(count_lines(MREN_DATASET_MARKED, "chemprot/train.txt", &counts), 4169);
	assert_int_equal(count_lines(MREN_DATASET_MARKED, "chemprot/dev.txt", &counts), 2427);
}

/* In MNRE every name is its tokens joined by spaces, so the ranges must hit it. */
static void
published_mnre_names_are_what_the_ranges_cut_out(void **state)
{
	Counts counts = {0, 0};

	(void) state;
	assert_int_equal(count_lines(MREN_DATASET_MNRE, "mnre/mnre_train.txt", &counts), 12247);
	assert_int_equal(counts.n_renamed, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_parsed),
		cmocka_unit_test(python_literals_are_parsed),
		cmocka_unit_test(malformed_literals_are_named_by_character),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(semeval_training_files_are_read),
		cmocka_unit_test(semeval_test_files_have_no_relations),
		cmocka_unit_test(semeval_lines_end_in_any_way),
		cmocka_unit_test(malformed_semeval_is_named_by_line),
		cmocka_unit_test(opennre_lines_have_text_or_tokens),
		cmocka_unit_test(mnre_lines_are_python),
		cmocka_unit_test(malformed_objects_name_their_key),
		cmocka_unit_test(fewrel_files_are_grouped_by_relation),
		cmocka_unit_test(conll04_gives_every_ordered_pair),
		cmocka_unit_test(conll04_takes_one_sentence_bio_and_entities),
		cmocka_unit_test(malformed_conll04_is_named_by_element),
		cmocka_unit_test(conll04_takes_an_entity_listed_twice_once),
		cmocka_unit_test(conll04_takes_all_schemes_of_tags),
		cmocka_unit_test(conll04_takes_lists),
		cmocka_unit_test(tacred_ends_are_inclusive),
		cmocka_unit_test(malformed_tacred_is_named_by_element),
		cmocka_unit_test(marked_lines_lose_their_marks),
		cmocka_unit_test(malformed_marks_are_named),
		cmocka_unit_test(a_byte_order_mark_is_passed_over),
		cmocka_unit_test(blank_mentions_and_empty_tokens_are_errors),
		cmocka_unit_test(strings_of_a_wrong_type_are_errors),
		cmocka_unit_test(failures_release_everything),
		cmocka_unit_test(published_files_give_their_rows),
		cmocka_unit_test(published_marked_lines_are_read),
		cmocka_unit_test(published_mnre_names_are_what_the_ranges_cut_out),
	};

	return cmocka_run_group_tests_name("text datasets", tests, NULL, NULL);
}
