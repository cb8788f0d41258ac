/*
 * test_transformer_subword.c
 *	  Byte-level BPE, Unigram, pre-tokenizers and added tokens, in tiny tokenizers.
 *
 * The pieces are those of the tokenizers library 0.23.3.  In the JSON here, ' stands for ".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "support.h"
#include "transformer/tokenizer/subword.h"
#include "weights_file.h"

static char *
with_quotes(const char *json)
{
	char *copy = strdup(json);

	for (char *at = copy; *at != '\0'; at++)
		if (*at == '\'')
			*at = '"';
	return copy;
}

static MrenStatus
parse(const MrenEnv *env, const char *json, MrenSubwordTokenizer **tokenizer, MrenError *err)
{
	char *text = with_quotes(json);
	MrenStatus status = mren_subword_parse(env, text, strlen(text), tokenizer, err);

	free(text);
	return status;
}

/* Pieces as "id:start-end id:start-end". */
static void
show(const MrenPieces *pieces, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < pieces->n && len + 48 < size; i++)
		len += (size_t) snprintf(out + len, size - len, "%s%u:%u-%u", i == 0 ? "" : " ",
								 pieces->piece[i].id, pieces->piece[i].start, pieces->piece[i].end);
}

/* Parses and records, for a file unless that is NULL. */
static MrenStatus
record(const MrenEnv *env, const char *json, File *file, MrenError *err)
{
	MrenSubwordTokenizer *tokenizer = NULL;
	MrenWeights weights;
	MrenEnv with;
	MrenStatus status;

	mren_weights_record(&weights, env);
	with = mren_weights_env(&weights);
	status = parse(&with, json, &tokenizer, err);
	if (status == MREN_OK && file != NULL)
		*file = write_file(&weights);
	mren_subword_free(&with, tokenizer);
	mren_weights_close(&weights);
	return status;
}

typedef struct Case
{
	const char *text;
	const char *pieces;
} Case;

static void
expect_pieces(const MrenEnv *env, const MrenSubwordTokenizer *tokenizer, int flags,
			  const Case *cases, size_t n)
{
	MrenPieces pieces = {0};
	MrenError err = {0};
	char got[4096];

	for (size_t i = 0; i < n; i++)
	{
		assert_int_equal(mren_subword_encode(env, tokenizer, cases[i].text, strlen(cases[i].text),
											 flags, &pieces, &err),
						 MREN_OK);
		show(&pieces, got, sizeof(got));
		if (strcmp(got, cases[i].pieces) != 0)
			fail_msg("\"%s\": %s instead of %s", cases[i].text, got, cases[i].pieces);
	}
	mren_pieces_free(env, &pieces);
}

/* Of a tokenizer that is parsed, and of the file that parsing it has recorded. */
static void
expect_all(const char *json, int flags, const Case *cases, size_t n)
{
	MrenSubwordTokenizer *tokenizer = NULL;
	TestEnv test;
	MrenWeights weights;
	MrenEnv with;
	MrenError err = {0};
	File file;

	test_env_init(&test);
	if (parse(&test.env, json, &tokenizer, &err) != MREN_OK)
		fail_msg("%s: %s", err.message, json);
	expect_pieces(&test.env, tokenizer, flags, cases, n);
	mren_subword_free(&test.env, tokenizer);
	assert_int_equal(record(&test.env, json, &file, &err), MREN_OK);
	assert_int_equal(mren_weights_attach(&weights, &test.env, file.bytes, file.len, key, &err),
					 MREN_OK);
	with = mren_weights_env(&weights);
	if (mren_subword_parse(&with, NULL, 0, &tokenizer, &err) != MREN_OK)
		fail_msg("%s: the file of %s", err.message, json);
	assert_int_equal(weights.next, weights.n);
	expect_pieces(&test.env, tokenizer, flags, cases, n);
	mren_subword_free(&with, tokenizer);
	mren_weights_close(&weights);
	assert_int_equal(test.n_live, 0);
	close_file(&file);
}

#define EXPECT_ALL(json, flags, cases)                                                             \
	expect_all(json, flags, cases, sizeof(cases) / sizeof((cases)[0]))

#define BYTE_LEVEL(prefix, regex)                                                                  \
	"'pre_tokenizer':{'type':'ByteLevel','add_prefix_space':" prefix ",'use_regex':" regex "},"
#define ROBERTA(trim, prefix)                                                                      \
	"'post_processor':{'type':'RobertaProcessing','cls':['<s>',0],'sep':['</s>',1],"               \
	"'trim_offsets':" trim ",'add_prefix_space':" prefix "},"
#define BPE_REST                                                                                   \
	"'added_tokens':[{'id':0,'content':'<s>','special':true,'normalized':false},"                  \
	"{'id':18,'content':'<mask>','special':false,'normalized':false,'lstrip':true}],"              \
	"'model':{'type':'BPE','vocab':{'<s>':0,'</s>':1,'a':2,'b':3,'c':4,'\xC4\xA0':5,"              \
	"'\xC3\x83':6,'\xC2\xA9':7,'ab':8,'bc':9,'\xC4\xA0"                                            \
	"ab':10,'aa':11,'\xC4\x8A':12,'!':13,'1':14,'\\u0027':15,'s':16,'\\u0027s':17},"               \
	"'merges':['b c',['a','b'],'\xC4\xA0 ab','a a','\\u0027 s']}}"

static const char bpe[] = "{" BYTE_LEVEL("false", "true") ROBERTA("true", "false") BPE_REST;
static const char bpe_prefix[] = "{" BYTE_LEVEL("true", "true") ROBERTA("true", "true") BPE_REST;
static const char bpe_whole[] = "{" BYTE_LEVEL("false", "false") ROBERTA("false", "false") BPE_REST;

static void
test_byte_level(void **state)
{
	static const Case plain[] = {
		{"abc ab", "2:0-1 9:1-3 10:4-6"}, /* the lowest rank first, not the leftmost pair */
		{" ab  ab", "10:1-3 5:4-4 10:5-7"},
		{"aaaaa", "11:0-2 11:2-4 2:4-5"},
		{"\xC3\xA9"
		 "a\xC3\xA9",
		 "6:0-1 7:0-1 2:1-2 6:2-3 7:2-3"}, /* the bytes of a character have its span */
		{"a's's", "2:0-1 17:1-3 17:3-5"},
		{"a\n b", "2:0-1 12:1-2 5:3-3 3:3-4"},
		{"ab <mask>b", "8:0-2 18:3-9 3:9-10"},
		{"a1! 1a", "2:0-1 14:1-2 13:2-3 5:4-4 14:4-5 2:5-6"},
		{"x", ""}, /* no piece for it, and no unknown one */
		{"a x\xC3\xA9"
		 "b",
		 "2:0-1 5:2-2 6:2-4 7:3-4 3:3-4"}, /* then spans move up */
		{" ", "5:1-1"},
		{"a  \n", "2:0-1 5:2-2 5:3-3 12:3-4"},
		{"<s>a", "16:1-2 2:3-4"},
		{"", ""},
	};
	static const Case prefix[] = {
		{"abc ab", "5:0-0 2:0-1 9:1-3 10:4-6"},
		{" ab  ab", "10:0-3 5:4-4 10:5-7"},
		{"a's's", "5:0-0 2:0-1 17:1-3 17:3-5"},
		{"ab <mask>b", "10:0-2 18:3-9 5:10-10 3:9-10"}, /* each part gets a space */
		{" ", "5:0-0"},
	};
	static const Case whole[] = {{"ab ab's", "8:0-2 10:2-5 17:5-7"}};
	static const Case special[] = {{"a<s> <mask>", "2:0-1 0:1-4 18:5-11"}};

	(void) state;
	EXPECT_ALL(bpe, 0, plain);
	EXPECT_ALL(bpe_prefix, 0, prefix);
	EXPECT_ALL(bpe_whole, 0, whole);
	EXPECT_ALL(bpe, MREN_SPECIAL_TOKENS, special);
}

#define FALLBACK(fuse)                                                                             \
	"{'model':{'type':'BPE','unk_token':'<unk>','byte_fallback':true,'ignore_merges':true,"        \
	"'fuse_unk':" fuse ",'vocab':{'<unk>':0,'a':1,'<0xC3>':2,'<0xA9>':3,'ab':4,'abc':5,'b':6},"    \
	"'merges':['a b']}}"

/* BPE over characters: unknown ones, their bytes, words that are pieces whatever merges say. */
static void
test_bpe_fallback(void **state)
{
	static const Case fused[] = {
		{"a\xC3\xA9"
		 "ab",
		 "1:0-1 2:1-2 3:1-2 4:2-4"},
		{"xya", "0:0-2 1:2-3"},
		{"abc", "5:0-3"},
		{"abca", "4:0-2 0:2-3 1:3-4"},
	};
	static const Case apart[] = {{"xya", "0:0-1 0:1-2 1:2-3"}};

	(void) state;
	EXPECT_ALL(FALLBACK("true"), 0, fused);
	EXPECT_ALL(FALLBACK("false"), 0, apart);
}

#define UNIGRAM(scheme, split, fallback)                                                           \
	"{'pre_tokenizer':{'type':'Metaspace','replacement':'\xE2\x96\x81','prepend_scheme':'" scheme  \
	"','split':" split "},'model':{'type':'Unigram','unk_id':0,'byte_fallback':" fallback          \
	",'vocab':[['<unk>',0],['a',-1],['b',-1],['ab',-2],['\xE2\x96\x81',-1],['\xE2\x96\x81"         \
	"a',-1.5],['xy',-50],['<0xC3>',-3],['<0xA9>',-3],['c',-9],['c',-2],['abb',-3]]}}"

static void
test_unigram(void **state)
{
	static const Case always[] = {
		{"ab", "5:0-1 2:1-2"},
		{"aab  c", "5:0-1 3:1-3 4:3-4 4:4-5 10:5-6"}, /* of c, the last number counts */
		{"xy zz", "4:0-1 6:0-2 4:2-3 0:3-5"},		  /* xy is found as a fused unknown */
		{"\xC3\xA9\xC3\xA9"
		 "b",
		 "4:0-1 0:0-2 2:2-3"},
		{"abb", "5:0-1 2:1-2 2:2-3"},
		{"z y", "4:0-1 0:0-1 4:1-2 0:2-3"},
		{" <unk>a", "4:0-1 0:1-6 1:6-7"},
	};
	static const Case never[] = {
		{"ab", "3:0-2"}, /* of equal sums, the earlier start */
		{"abb", "11:0-3"},
		{"\xC3\xA9\xC3\xA9"
		 "b",
		 "7:0-2 8:0-2 7:0-2 8:0-2 2:2-3"},
		{"\xC3\xA9zb", "0:0-2 2:2-3"}, /* z has no byte, so the run is unknown */
		{"xy zz", "6:0-2 4:2-3 0:3-5"},
	};

	(void) state;
	EXPECT_ALL(UNIGRAM("always", "true", "false"), 0, always);
	EXPECT_ALL(UNIGRAM("first", "false", "false"), 0, always);
	EXPECT_ALL(UNIGRAM("never", "true", "true"), 0, never);
}

/* Every word is the unknown piece, so that the spans show where a text is split. */
#define SPLITS(pre)                                                                                \
	"{'pre_tokenizer':" pre ",'model':{'type':'WordPiece','unk_token':'?','vocab':{'?':0}}}"
#define PUNCTUATION(behavior) SPLITS("{'type':'Punctuation','behavior':'" behavior "'}")

static void
test_pre_tokenizers(void **state)
{
	static const Case removed[] = {{".a..b.", "0:1-2 0:4-5"}};
	static const Case isolated[] = {{".a..b", "0:0-1 0:1-2 0:2-3 0:3-4 0:4-5"}};
	static const Case contiguous[] = {{".a..b", "0:0-1 0:1-2 0:2-4 0:4-5"}};
	static const Case previous[] = {{".a..b", "0:0-1 0:1-3 0:3-4 0:4-5"}};
	static const Case next[] = {{".a..b.", "0:0-2 0:2-3 0:3-5 0:5-6"}};
	static const Case digits[] = {{"a12b", "0:0-1 0:1-2 0:2-3 0:3-4"}};
	static const Case numbers[] = {{"a12b", "0:0-1 0:1-3 0:3-4"}};
	static const Case whitespace[] = {{"a_b, c", "0:0-3 0:3-4 0:5-6"}};
	static const Case sequence[] = {{"a, b", "0:0-1 0:1-2 0:3-4"}};

	(void) state;
	EXPECT_ALL(PUNCTUATION("Removed"), 0, removed);
	EXPECT_ALL(PUNCTUATION("Isolated"), 0, isolated);
	EXPECT_ALL(PUNCTUATION("Contiguous"), 0, contiguous);
	EXPECT_ALL(PUNCTUATION("MergedWithPrevious"), 0, previous);
	EXPECT_ALL(PUNCTUATION("MergedWithNext"), 0, next);
	EXPECT_ALL(SPLITS("{'type':'Digits','individual_digits':true}"), 0, digits);
	EXPECT_ALL(SPLITS("{'type':'Digits','individual_digits':false}"), 0, numbers);
	EXPECT_ALL(SPLITS("{'type':'Whitespace'}"), 0, whitespace);
	EXPECT_ALL(SPLITS("{'type':'Sequence','pretokenizers':[{'type':'WhitespaceSplit'},"
					  "{'type':'Punctuation'}]}"),
			   0, sequence);
}

#define ADDED                                                                                      \
	"{'normalizer':{'type':'Lowercase'},'pre_tokenizer':{'type':'BertPreTokenizer'},"              \
	"'added_tokens':["                                                                             \
	"{'id':9,'content':'New York','special':false,'normalized':true},"                             \
	"{'id':9,'content':'New','special':false,'normalized':true},"                                  \
	"{'id':9,'content':'Raw','special':false,'normalized':false},"                                 \
	"{'id':9,'content':'w','special':false,'normalized':true,'single_word':true},"                 \
	"{'id':9,'content':'|','special':false,'normalized':false,'lstrip':true,'rstrip':true}],"      \
	"'model':{'type':'WordPiece','unk_token':'?','vocab':{'?':0,'a':1,'##x':2}}}"

/* The library numbers the tokens that the vocabulary lacks in their order. */
static void
test_added_tokens(void **state)
{
	static const Case cases[] = {
		{"a new york a", "1:0-1 3:2-10 1:11-12"}, /* the longest, in lower case */
		{"a new yor", "1:0-1 4:2-5 0:6-9"},
		{"raw Raw", "0:0-3 5:4-7"},
		{"a w wx", "1:0-1 6:2-3 0:4-6"},
		{"wx w", "0:0-2 6:3-4"}, /* not the piece of an added token */
		{"a  |  a", "1:0-1 7:1-6 1:6-7"},
		{"||", "7:0-1 7:1-2"},
	};

	(void) state;
	EXPECT_ALL(ADDED, 0, cases);
}

/* A hostile word: a million symbols, of which each merge makes others possible. */
static void
test_long_word(void **state)
{
	size_t n = 1000000;
	char *text = malloc(n);
	MrenSubwordTokenizer *tokenizer;
	MrenPieces pieces = {0};
	TestEnv test;
	MrenError err;

	(void) state;
	memset(text, 'a', n);
	test_env_init(&test);
	assert_int_equal(parse(&test.env, bpe, &tokenizer, &err), MREN_OK);
	assert_int_equal(mren_subword_encode(&test.env, tokenizer, text, n, 0, &pieces, &err), MREN_OK);
	assert_int_equal(pieces.n, n / 2);
	assert_int_equal(pieces.piece[n / 2 - 1].id, 11);
	assert_int_equal(pieces.piece[n / 2 - 1].end, n);
	mren_pieces_free(&test.env, &pieces);
	mren_subword_free(&test.env, tokenizer);
	assert_int_equal(test.n_live, 0);
	free(text);
}

static MrenStatus
encode_all(const MrenEnv *env, MrenError *err, void *arg)
{
	static const char *const texts[] = {"ab <mask>ab\xC3\xA9", "a new w", ""};
	MrenSubwordTokenizer *tokenizer = NULL;
	MrenPieces pieces = {0};
	MrenStatus status = parse(env, arg, &tokenizer, err);

	for (int i = 0; i < 3 && status == MREN_OK; i++)
		status = mren_subword_encode(env, tokenizer, texts[i], strlen(texts[i]), 0, &pieces, err);
	mren_pieces_free(env, &pieces);
	mren_subword_free(env, tokenizer);
	return status;
}

static void
test_failures(void **state)
{
	static char first[] = UNIGRAM("first", "true", "true");
	static char added[] = ADDED;

	(void) state;
	test_allocation_sweep(encode_all, (void *) (uintptr_t) bpe_prefix);
	test_interrupt_sweep(encode_all, (void *) (uintptr_t) bpe_prefix);
	test_allocation_sweep(encode_all, first);
	test_interrupt_sweep(encode_all, first);
	test_allocation_sweep(encode_all, added);
}

/* ---- files ---- */

/* A tokenizer of a file, and a text that reaches all of it; *arg is the file. */
static MrenStatus
open_and_encode(const MrenEnv *env, MrenError *err, void *arg)
{
	static const char text[] = "a abc ab\xC3\xA9 aa <mask> 's x\xE2\x96\x81hello <new> caf";
	const File *file = arg;
	MrenSubwordTokenizer *tokenizer = NULL;
	MrenPieces pieces = {0};
	MrenWeights weights;
	MrenEnv with;
	MrenStatus status;

	MREN_TRY(mren_weights_attach(&weights, env, file->bytes, file->len, key, err));
	with = mren_weights_env(&weights);
	status = mren_subword_parse(&with, NULL, 0, &tokenizer, err);
	for (int flags = 0; flags <= MREN_SPECIAL_TOKENS && status == MREN_OK; flags++)
		status = mren_subword_encode(env, tokenizer, text, strlen(text), flags, &pieces, err);
	for (size_t i = 0; i < pieces.n && status == MREN_OK; i++)
	{
		size_t len;
		const char *piece = mren_subword_piece_text(tokenizer, pieces.piece[i].id, &len);

		assert_true(piece == NULL || mren_utf8_valid(piece, len, NULL));
	}
	mren_pieces_free(env, &pieces);
	mren_subword_free(&with, tokenizer);
	mren_weights_close(&weights);
	return status;
}

/* record for the sweep of failures; arg is the JSON. */
static MrenStatus
record_only(const MrenEnv *env, MrenError *err, void *arg)
{
	return record(env, arg, NULL, err);
}

/* No bit of a file, flipped, leads to more than an error or other pieces. */
static void
damage(File *file)
{
	size_t n_refused = 0;

	assert_int_equal(mprotect(file->bytes, file->len, PROT_READ | PROT_WRITE), 0);
	for (size_t i = 0; i < 8 * file->len; i++)
	{
		TestEnv test;
		MrenError err = {0};
		MrenStatus status;

		test_env_init(&test);
		file->bytes[i / 8] ^= (uint8_t) (1 << i % 8);
		status = open_and_encode(&test.env, &err, file);
		n_refused += status == MREN_EFORMAT;
		assert_true(status == MREN_OK || err.message[0] != '\0');
		file->bytes[i / 8] ^= (uint8_t) (1 << i % 8);
		assert_int_equal(test.n_live, 0);
	}
	assert_true(n_refused > file->len);
}

static void
test_files(void **state)
{
	static char unigram[] = UNIGRAM("first", "true", "true");
	static char wordpiece[] =
		"{'added_tokens':[{'id':9,'content':'<new>','single_word':true}],'model':{'type':"
		"'WordPiece','unk_token':'?','vocab':{'?':0,'a':1,'##b':2,'##c':3,'caf':4}}}";
	char *const files[] = {(char *) (uintptr_t) bpe, unigram, wordpiece};

	(void) state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
	{
		TestEnv test;
		MrenError err = {0};
		File file;

		test_env_init(&test);
		assert_int_equal(record(&test.env, files[i], &file, &err), MREN_OK);
		assert_int_equal(open_and_encode(&test.env, &err, &file), MREN_OK);
		test_allocation_sweep(record_only, files[i]);
		test_allocation_sweep(open_and_encode, &file);
		test_interrupt_sweep(open_and_encode, &file);
		damage(&file);
		close_file(&file);
	}
}

#define MODEL_BPE(options) "{'model':{'type':'BPE','vocab':{'a':0,'b':1}" options "}}"
#define MODEL_UNIGRAM(options) "{'model':{'type':'Unigram'" options "}}"
#define WITH(part) "{" part ",'model':{'type':'WordPiece','unk_token':'?','vocab':{'?':0}}}"

static void
test_refused(void **state)
{
	static const struct
	{
		const char *json;
		MrenStatus status;
		const char *message;
	} cases[] = {
		{"{'pre_tokenizer':{'type':'Split'},'model':{'type':'WordLevel'}}", MREN_EUNSUPPORTED,
		 "model \"WordLevel\" of tokenizer.json is not supported"},
		{WITH("'pre_tokenizer':{'type':'Split'}"), MREN_EUNSUPPORTED,
		 "pre-tokenizer \"Split\" of tokenizer.json is not supported"},
		{WITH("'normalizer':{'type':'ByteLevel'}"), MREN_EUNSUPPORTED,
		 "normalizer \"ByteLevel\" of tokenizer.json is not supported"},
		{WITH("'post_processor':{'type':'Other'}"), MREN_EUNSUPPORTED,
		 "post-processor \"Other\" of tokenizer.json is not supported"},
		{WITH("'normalizer':{'type':'Sequence','normalizers':{}}"), MREN_EFORMAT,
		 "\"normalizers\" in tokenizer.json must be an array"},
		{WITH("'normalizer':{'type':'Replace','pattern':{'Regex':'(a|b)+'},'content':''}"),
		 MREN_EUNSUPPORTED,
		 "regular expression \"(a|b)+\" of Replace in tokenizer.json is not supported"},
		{WITH("'normalizer':{'type':'Replace','pattern':{'Regex':''},'content':''}"),
		 MREN_EUNSUPPORTED, "empty pattern of Replace in tokenizer.json is not supported"},
		{WITH("'normalizer':{'type':'Replace','pattern':{},'content':''}"), MREN_EFORMAT,
		 "pattern of Replace in tokenizer.json must be a text of at most 256 bytes"},
		{WITH("'pre_tokenizer':{'type':'Metaspace','replacement':'ab'}"), MREN_EFORMAT,
		 "\"replacement\" in tokenizer.json must be one character"},
		{WITH("'pre_tokenizer':{'type':'Metaspace','replacement':'_','prepend_scheme':'last'}"),
		 MREN_EFORMAT, "\"prepend_scheme\" in tokenizer.json must be always, first or never"},
		{WITH("'pre_tokenizer':{'type':'Metaspace','replacement':'_','prepend_scheme':'first',"
			  "'add_prefix_space':false}"),
		 MREN_EFORMAT, "\"add_prefix_space\" contradicts \"prepend_scheme\" in tokenizer.json"},
		{WITH("'pre_tokenizer':{'type':'Punctuation','behavior':'other'}"), MREN_EFORMAT,
		 "\"behavior\" in tokenizer.json must be Removed, Isolated, Contiguous, "
		 "MergedWithPrevious or MergedWithNext"},
		{WITH("'pre_tokenizer':{'type':'Sequence','pretokenizers':[{'type':'ByteLevel'},"
			  "{'type':'ByteLevel'}]}"),
		 MREN_EUNSUPPORTED,
		 "pre-tokenizer \"ByteLevel\" of tokenizer.json is not supported more than once"},
		{WITH("'post_processor':{'type':'Sequence','processors':[{'type':'ByteLevel'},"
			  "{'type':'ByteLevel'}]}"),
		 MREN_EUNSUPPORTED,
		 "two post-processors of tokenizer.json that trim offsets are not supported"},
		{MODEL_BPE(""), MREN_EFORMAT, "\"merges\" in tokenizer.json must be an array"},
		{MODEL_BPE(",'merges':['a']"), MREN_EFORMAT,
		 "merge 1 of tokenizer.json must be two pieces"},
		{MODEL_BPE(",'merges':['a b c']"), MREN_EFORMAT,
		 "merge 1 of tokenizer.json must be two pieces"},
		{MODEL_BPE(",'merges':[['a',1]]"), MREN_EFORMAT,
		 "merge 1 of tokenizer.json must be two pieces"},
		{MODEL_BPE(",'merges':['q q']"), MREN_EFORMAT,
		 "merge of tokenizer.json has \"q\", which the vocabulary lacks"},
		{MODEL_BPE(",'merges':['a b']"), MREN_EFORMAT,
		 "merge of tokenizer.json has \"ab\", which the vocabulary lacks"},
		{MODEL_BPE(",'merges':[],'dropout':0.1"), MREN_EUNSUPPORTED,
		 "model \"BPE\" of tokenizer.json with \"dropout\" is not supported"},
		{MODEL_BPE(",'merges':[],'end_of_word_suffix':'</w>'"), MREN_EUNSUPPORTED,
		 "model \"BPE\" of tokenizer.json with \"end_of_word_suffix\" is not supported"},
		{MODEL_UNIGRAM(",'vocab':{}"), MREN_EFORMAT,
		 "vocabulary of tokenizer.json must be an array"},
		{MODEL_UNIGRAM(",'vocab':[]"), MREN_EFORMAT, "vocabulary of tokenizer.json is empty"},
		{MODEL_UNIGRAM(",'vocab':[['a',0],['b']]"), MREN_EFORMAT,
		 "piece 1 of tokenizer.json must be a text and its score"},
		{MODEL_UNIGRAM(",'unk_id':2,'vocab':[['a',0],['b',0]]"), MREN_EFORMAT,
		 "\"unk_id\" 2 in tokenizer.json must be less than the number of pieces 2"},
		{"{", MREN_EFORMAT, "tokenizer.json is not valid JSON"},
		{"{'model':1}", MREN_EFORMAT, "tokenizer.json must have a \"model\""},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		MrenSubwordTokenizer *tokenizer;
		TestEnv test;
		MrenError err = {0};

		test_env_init(&test);
		assert_int_equal(parse(&test.env, cases[i].json, &tokenizer, &err), cases[i].status);
		assert_string_equal(err.message, cases[i].message);
		assert_null(tokenizer);
		assert_int_equal(test.n_live, 0);
	}
}

/* A character without a piece where the tokenizer has no unknown one either. */
static void
test_no_unknown(void **state)
{
	static const struct
	{
		const char *json;
		const char *message;
	} cases[] = {
		{MODEL_UNIGRAM(",'vocab':[['a',0]]"),
		 "the tokenizer has no piece for character U+00E9, nor an unknown one"},
		{MODEL_BPE(",'merges':[],'unk_token':'?'"),
		 "the tokenizer has no piece for character U+00E9, nor an unknown one"},
	};

	(void) state;
	for (size_t i = 0; i < 2; i++)
	{
		MrenSubwordTokenizer *tokenizer;
		MrenPieces pieces = {0};
		TestEnv test;
		MrenError err;

		test_env_init(&test);
		assert_int_equal(parse(&test.env, cases[i].json, &tokenizer, &err), MREN_OK);
		assert_int_equal(
			mren_subword_encode(&test.env, tokenizer, "a\xC3\xA9", 3, 0, &pieces, &err),
			MREN_EDATA);
		assert_string_equal(err.message, cases[i].message);
		mren_pieces_free(&test.env, &pieces);
		mren_subword_free(&test.env, tokenizer);
		assert_int_equal(test.n_live, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_byte_level),	 cmocka_unit_test(test_bpe_fallback),
		cmocka_unit_test(test_unigram),		 cmocka_unit_test(test_pre_tokenizers),
		cmocka_unit_test(test_added_tokens), cmocka_unit_test(test_long_word),
		cmocka_unit_test(test_failures),	 cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_unknown),	 cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests_name("subword tokenizers", tests, NULL, NULL);
}
