/*
 * predict_row.c
 *	  Answers to the rows of a query, some at a time, and mren.predict_row, which answers one.
 */
#include "pg/predict/predict_row.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/hash.h"
#include "pg/predict/encode_pair.h"
#include "pg/support/row_errors.h"

bool
mren_pair_columns(MrenGetColumn get, void *state, bool ranges, MrenPair *pair)
{
	bool no_sentence, no_head, no_tail, isnull;
	Datum sentence = get(state, MREN_COLUMN_SENTENCE, &no_sentence);
	Datum head = get(state, MREN_COLUMN_HEAD, &no_head);
	Datum tail = get(state, MREN_COLUMN_TAIL, &no_tail);
	Datum value;

	memset(pair, 0, sizeof(*pair));
	if (no_sentence || no_head || no_tail)
		return false;
	mren_pair_sentence(pair, sentence);
	mren_pair_mentions(pair, head, tail, ranges);
	value = get(state, MREN_COLUMN_IMAGE, &isnull);
	if (!isnull)
		pair->image = DatumGetByteaPP(value);
	value = get(state, MREN_COLUMN_IMAGE_VECTOR, &isnull);
	if (!isnull)
		mren_pair_image_vector(pair, value);
	value = get(state, MREN_COLUMN_AUDIO, &isnull);
	if (!isnull)
		pair->audio = DatumGetByteaPP(value);
	value = get(state, MREN_COLUMN_AUDIO_VECTOR, &isnull);
	if (!isnull)
		mren_pair_audio_vector(pair, value);
	value = get(state, MREN_COLUMN_HEAD_TYPE, &isnull);
	if (!isnull)
		pair->head_type = mren_datum_utf8(value);
	value = get(state, MREN_COLUMN_TAIL_TYPE, &isnull);
	if (!isnull)
		pair->tail_type = mren_datum_utf8(value);
	value = get(state, MREN_COLUMN_HEAD_BOX, &isnull);
	if (!isnull)
		mren_pair_head_box(pair, value);
	value = get(state, MREN_COLUMN_TAIL_BOX, &isnull);
	if (!isnull)
		mren_pair_tail_box(pair, value);
	mren_pair_check(pair);
	return true;
}

bool
mren_predictor_trained_on(const MrenPredictor *predictor, const MrenPair *pair,
						  const MrenInput *input, const char *actual, MrenExample *example)
{
	MrenSentence sentence = *input->sentence;
	int32 *ids;
	MrenTextSpan relation;

	if (actual == NULL)
		return false;
	ids = palloc(sentence.n_pieces * sizeof(int32));
	for (uint32 i = 0; i < sentence.n_pieces; i++)
		ids[i] = sentence.pieces[i] < 0 ? sentence.pieces[i]
										: mren_words_id(predictor->words, sentence.pieces[i]);
	sentence.pieces = ids;
	relation = mren_pg_utf8(actual, strlen(actual));
	mren_encode_example(example, &sentence, pair, (MrenTextSpan){relation.data, relation.len},
						&(MrenPairVectors){input->image, predictor->info.image_dim, input->audio,
										   predictor->info.audio_dim});
	return mren_net_trained_on(predictor->net, mren_example_identity(example));
}

uint64
mren_pair_identity(const MrenPair *pair, const MrenExample *example)
{
	/* Words without vectors are alike to the example. */
	return mren_hash64(pair->sentence.data, pair->sentence.len, mren_example_pair(example));
}

/*
 * The statement
 */

/* The columns after model and version, in the order of the arguments. */
static const MrenColumn arguments[] = {
	MREN_COLUMN_SENTENCE,	  MREN_COLUMN_HEAD,		MREN_COLUMN_TAIL,		  MREN_COLUMN_IMAGE,
	MREN_COLUMN_IMAGE_VECTOR, MREN_COLUMN_AUDIO,	MREN_COLUMN_AUDIO_VECTOR, MREN_COLUMN_HEAD_TYPE,
	MREN_COLUMN_TAIL_TYPE,	  MREN_COLUMN_HEAD_BOX, MREN_COLUMN_TAIL_BOX,	  MREN_COLUMN_RELATION,
};

int
mren_answer_argument(MrenColumn column)
{
	int i = 0;

	while (arguments[i] != column)
		i++;
	return MREN_ANSWER_VERSION + 1 + i;
}

/* Appends a column of the query, cast to its type, or NULL. */
static void
append_column(StringInfo sql, const MrenColumns *columns, MrenColumn column)
{
	bool present = columns->attno[column] > 0;

	appendStringInfo(sql, ", %s%s::%s", present ? "q." : "",
					 present ? mren_column_name(column) : "NULL",
					 mren_column_type(column, columns->ranges));
}

char *
mren_answers_statement(const char *query, const MrenColumns *columns, AttrNumber *attno,
					   AttrNumber *answers)
{
	static const MrenColumn beside[] = {MREN_COLUMN_ID, MREN_COLUMN_RELATION, MREN_COLUMN_SENTENCE,
										MREN_COLUMN_HEAD, MREN_COLUMN_TAIL};
	int n = columns->ranges ? lengthof(beside) : 2;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT mren.predict_row($1, $2");
	for (int i = 0; i < (int) lengthof(arguments); i++)
		append_column(&sql, columns, arguments[i]);
	appendStringInfoChar(&sql, ')');
	memset(attno, 0, MREN_N_COLUMNS * sizeof(AttrNumber));
	*answers = 1;
	for (int i = 0; i < n; i++)
	{
		append_column(&sql, columns, beside[i]);
		attno[beside[i]] = columns->attno[beside[i]] > 0 ? i + 2 : 0;
	}
	appendStringInfo(&sql, " FROM (%s\n) AS q", mren_query_text(query));
	return sql.data;
}

/*
 * mren.predict_row
 */

/* What stands before the probabilities.  Its first number is never MREN_BAD_ROW. */
typedef struct AnswerHead
{
	uint32 seen; /* 0 or 1 */
	uint32 unused;
	uint64 same_pair;
} AnswerHead;

StaticAssertDecl(offsetof(AnswerHead, seen) == 0, "an answer must not begin as a bad row does");

bool
mren_answer_read(const bytea *answer, int n, float4 *probabilities, uint64 *same_pair)
{
	const char *bytes = VARDATA_ANY(answer);
	AnswerHead head;

	if (VARSIZE_ANY_EXHDR(answer) != sizeof(head) + n * sizeof(float4))
		elog(ERROR, "the answer to a row has %zu bytes", (size_t) VARSIZE_ANY_EXHDR(answer));
	memcpy(&head, bytes, sizeof(head));
	memcpy(probabilities, bytes + sizeof(head), n * sizeof(float4));
	*same_pair = head.same_pair;
	return head.seen != 0;
}

void
mren_answers_create(MrenAnswers *answers, int capacity, bool ranges)
{
	const MrenNetInfo *info = &answers->predictor.info;

	answers->context = CurrentMemoryContext;
	answers->ranges = ranges;
	answers->values = palloc(capacity * sizeof(bytea *));
	answers->fused = palloc(capacity * sizeof(bytea *));
	answers->features = palloc(capacity * info->row_dim * sizeof(float4));
	answers->probabilities = palloc(capacity * info->n_relations * sizeof(float4));
}

/* Fuses the row, and begins its answer; NULL without sentence or mention. */
static bytea *
fuse(MrenAnswers *answers, MrenGetColumn get, void *state)
{
	MrenPredictor *predictor = &answers->predictor;
	Size size = VARHDRSZ + sizeof(AnswerHead) + predictor->info.n_relations * sizeof(float4);
	bool isnull;
	Datum relation = get(state, MREN_COLUMN_RELATION, &isnull);
	AnswerHead head = {0};
	MrenExample example;
	MrenInput input;
	MrenPair pair;
	bytea *answer;

	if (!mren_pair_columns(get, state, answers->ranges, &pair))
		return NULL;
	mren_predictor_row(predictor, &pair, &input);
	head.seen = mren_predictor_trained_on(predictor, &pair, &input,
										  isnull ? NULL : TextDatumGetCString(relation), &example);
	head.same_pair = isnull ? 0 : mren_pair_identity(&pair, &example);
	mren_predictor_features(predictor, &input,
							answers->features + answers->n_fused * predictor->info.row_dim);
	answer = MemoryContextAlloc(answers->context, size);
	SET_VARSIZE(answer, size);
	memcpy(VARDATA(answer), &head, sizeof(head));
	answers->fused[answers->n_fused++] = answer;
	return answer;
}

void
mren_answers_add(MrenAnswers *answers, MrenGetColumn get, void *state)
{
	bytea **value = &answers->values[answers->n++];

	PG_TRY();
	{
		*value = fuse(answers, get, state);
	}
	PG_CATCH();
	{
		MrenRowError error;

		MemoryContextSwitchTo(answers->context);
		error = mren_row_error_catch();
		*value = mren_row_error_bytes(&error);
	}
	PG_END_TRY();
}

void
mren_answers_finish(MrenAnswers *answers)
{
	size_t n = answers->predictor.info.n_relations;

	if (answers->n_fused > 0)
		mren_predictor_probabilities(&answers->predictor, answers->features, answers->n_fused,
									 answers->probabilities);
	for (int i = 0; i < answers->n_fused; i++)
		memcpy(VARDATA(answers->fused[i]) + sizeof(AnswerHead), answers->probabilities + i * n,
			   n * sizeof(float4));
	answers->n_fused = 0;
}

static Datum
get_argument(void *state, MrenColumn column, bool *isnull)
{
	FunctionCallInfo fcinfo = state;
	int i = mren_answer_argument(column);

	*isnull = PG_ARGISNULL(i);
	return PG_GETARG_DATUM(i);
}

static Datum
predict_row(FunctionCallInfo fcinfo, bool ranges)
{
	MrenAnswers answers = {0};

	mren_predictor_open_args(&answers.predictor, fcinfo, MREN_ANSWER_MODEL, MREN_ANSWER_VERSION);
	mren_answers_create(&answers, 1, ranges);
	mren_answers_add(&answers, get_argument, fcinfo);
	mren_answers_finish(&answers);
	if (answers.values[0] == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(answers.values[0]);
}

PG_FUNCTION_INFO_V1(mren_predict_row);
/*
 * mren.predict_row(model, version, sentence, head, tail, image, image_vector, audio,
 * audio_vector, head_type, tail_type, head_box, tail_box, relation) → bytea
 */
Datum
mren_predict_row(PG_FUNCTION_ARGS)
{
	return predict_row(fcinfo, false);
}

PG_FUNCTION_INFO_V1(mren_predict_row_range);
Datum
mren_predict_row_range(PG_FUNCTION_ARGS)
{
	return predict_row(fcinfo, true);
}
