/*
 * predict_query.c
 *	  Predicting the rows of a query in batches, and mren.predict_rows.
 *
 * Each row is encoded and fused as it arrives; the dense layers run over a
 * batch of fused vectors, whose weights are then read once for all of them.
 * Nothing but one batch is held.
 */
#include "pg/predict_query.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/args.h"
#include "pg/encode.h"
#include "pg/predictor.h"
#include "pg/query.h"

#define BATCH 64

typedef struct Batch
{
	MrenPredictor predictor;
	MrenColumns columns;
	AttrNumber attno[MREN_N_COLUMNS]; /* in the generated statement */
	MrenPredictionVisitor visit;
	void *state;

	MemoryContext rows; /* strings of the batch's rows */
	MemoryContext work; /* of one row */
	int n;				/* rows gathered */
	int n_answered;		/* of them, with a fused vector */
	MrenPrediction predictions[BATCH];
	float4 *features;	   /* (BATCH, features_dim) */
	float4 *probabilities; /* (BATCH, n_relations) */
	char **relations;	   /* names in the database's encoding */
} Batch;

/*
 * The rows' columns cast to what the core wants, in the order of MrenColumn;
 * attno tells where each has gone.
 */
static char *
generate_statement(const char *query, const MrenColumns *columns, AttrNumber *attno)
{
	StringInfoData sql;
	int n = 0;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (MrenColumn column = 0; column < MREN_COLUMN_WEIGHT; column++)
	{
		attno[column] = 0;
		if (columns->attno[column] == 0)
			continue;
		attno[column] = ++n;
		appendStringInfo(&sql, "%sq.%s::%s", n > 1 ? ", " : "", mren_column_name(column),
						 mren_column_type(column, columns->ranges));
	}
	appendStringInfo(&sql, " FROM (%s\n) AS q", mren_query_text(query));
	return sql.data;
}

static Datum
slot_column(Batch *batch, TupleTableSlot *slot, MrenColumn column, bool *isnull)
{
	*isnull = true;
	if (batch->attno[column] == 0)
		return (Datum) 0;
	return slot_getattr(slot, batch->attno[column], isnull);
}

/* False if sentence or a mention is NULL. */
static bool
read_pair(Batch *batch, TupleTableSlot *slot, MrenPair *pair)
{
	bool no_sentence, no_head, no_tail, isnull;
	Datum sentence = slot_column(batch, slot, MREN_COLUMN_SENTENCE, &no_sentence);
	Datum head = slot_column(batch, slot, MREN_COLUMN_HEAD, &no_head);
	Datum tail = slot_column(batch, slot, MREN_COLUMN_TAIL, &no_tail);
	Datum value;

	memset(pair, 0, sizeof(*pair));
	if (no_sentence || no_head || no_tail)
		return false;
	mren_pair_sentence(pair, sentence);
	mren_pair_mentions(pair, head, tail, batch->columns.ranges);
	value = slot_column(batch, slot, MREN_COLUMN_IMAGE, &isnull);
	if (!isnull)
		pair->image = DatumGetByteaPP(value);
	value = slot_column(batch, slot, MREN_COLUMN_IMAGE_VECTOR, &isnull);
	if (!isnull)
		mren_pair_image_vector(pair, value);
	value = slot_column(batch, slot, MREN_COLUMN_HEAD_TYPE, &isnull);
	if (!isnull)
		pair->head_type = mren_pair_type(value);
	value = slot_column(batch, slot, MREN_COLUMN_TAIL_TYPE, &isnull);
	if (!isnull)
		pair->tail_type = mren_pair_type(value);
	slot_column(batch, slot, MREN_COLUMN_HEAD_BOX, &isnull);
	if (!isnull)
		mren_pair_no_box("head_box");
	slot_column(batch, slot, MREN_COLUMN_TAIL_BOX, &isnull);
	if (!isnull)
		mren_pair_no_box("tail_box");
	mren_pair_check(pair);
	return true;
}

static char *
text_column(Batch *batch, TupleTableSlot *slot, MrenColumn column)
{
	bool isnull;
	Datum value = slot_column(batch, slot, column, &isnull);

	return isnull ? NULL : MemoryContextStrdup(batch->rows, TextDatumGetCString(value));
}

/* Was this row, with its label, one of those the version learnt from? */
static bool
seen_in_training(Batch *batch, const MrenPair *pair, const MrenInput *input, const char *actual)
{
	MrenSentence sentence = *input->sentence;
	int32 *ids;
	MrenExample example;
	MrenUtf8 relation;

	if (actual == NULL)
		return false;
	ids = palloc(sentence.n_pieces * sizeof(int32));
	for (uint32 i = 0; i < sentence.n_pieces; i++)
		ids[i] = sentence.pieces[i] < 0 ? sentence.pieces[i]
										: mren_words_id(batch->predictor.words, sentence.pieces[i]);
	sentence.pieces = ids;
	relation = mren_pg_utf8(actual, strlen(actual));
	mren_encode_example(&example, &sentence, pair, (MrenText){relation.data, relation.len},
						input->image, batch->predictor.info.image_dim);
	return mren_net_trained_on(batch->predictor.net, mren_example_identity(&example));
}

static void
flush(Batch *batch)
{
	const MrenNetInfo *info = &batch->predictor.info;
	int k = 0;

	if (batch->n_answered > 0)
		mren_predictor_probabilities(&batch->predictor, batch->features, batch->n_answered,
									 batch->probabilities);
	for (int i = 0; i < batch->n; i++)
	{
		MrenPrediction *prediction = &batch->predictions[i];

		if (prediction->answered)
		{
			const float4 *p = batch->probabilities + (size_t) k++ * info->n_relations;
			int best = mren_net_best(p, info->n_relations);

			prediction->confidence = p[best];
			prediction->relation = p[best] < info->threshold ? NULL : batch->relations[best];
		}
		batch->visit(batch->state, prediction);
	}
	batch->n = 0;
	batch->n_answered = 0;
	MemoryContextReset(batch->rows);
}

static void
gather(void *state, TupleTableSlot *slot)
{
	Batch *batch = state;
	MrenPrediction *prediction = &batch->predictions[batch->n++];
	MemoryContext old = MemoryContextSwitchTo(batch->work);
	MrenPair pair;
	MrenInput input;

	CHECK_FOR_INTERRUPTS();
	*prediction = (MrenPrediction){.id = text_column(batch, slot, MREN_COLUMN_ID),
								   .actual = text_column(batch, slot, MREN_COLUMN_RELATION)};
	prediction->answered = read_pair(batch, slot, &pair);
	if (prediction->answered)
	{
		mren_predictor_row(&batch->predictor, &pair, &input);
		mren_predictor_features(&batch->predictor, &input,
								batch->features + (size_t) batch->n_answered++ *
													  batch->predictor.info.features_dim);
		prediction->seen = seen_in_training(batch, &pair, &input, prediction->actual);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(batch->work);
	if (batch->n == BATCH)
		flush(batch);
}

static void
open_batch(Batch *batch, const MrenPredictQuery *what)
{
	const MrenNetInfo *info = &batch->predictor.info;

	mren_predictor_open(&batch->predictor, what->model, strlen(what->model), what->version);
	batch->rows = AllocSetContextCreate(CurrentMemoryContext, "mren batch", ALLOCSET_DEFAULT_SIZES);
	batch->work = AllocSetContextCreate(CurrentMemoryContext, "mren row", ALLOCSET_DEFAULT_SIZES);
	batch->features = palloc(BATCH * info->features_dim * sizeof(float4));
	batch->probabilities = palloc(BATCH * info->n_relations * sizeof(float4));
	batch->relations = palloc(info->n_relations * sizeof(char *));
	for (size_t i = 0; i < info->n_relations; i++)
		batch->relations[i] = text_to_cstring(mren_predictor_relation(&batch->predictor, i));
	/* The row's own context goes with each row: what lives longer is made here. */
	if (info->image_dim > 0)
		batch->predictor.image = palloc(info->image_dim * sizeof(float4));
	if (info->image_dim > 0 && (batch->columns.attno[MREN_COLUMN_IMAGE] != 0))
		mren_predictor_encoder(&batch->predictor);
}

MrenPredictedBy
mren_predict_query(const MrenPredictQuery *what, MrenPredictionVisitor visit, void *state)
{
	uint32 needed =
		(1u << MREN_COLUMN_SENTENCE) | (1u << MREN_COLUMN_HEAD) | (1u << MREN_COLUMN_TAIL);
	MemoryContext outer = CurrentMemoryContext;
	MrenPredictedBy by;
	Batch *batch;
	char *sql;

	if (what->need_id)
		needed |= 1u << MREN_COLUMN_ID;
	if (what->need_relation)
		needed |= 1u << MREN_COLUMN_RELATION;
	SPI_connect();
	batch = palloc0(sizeof(Batch));
	batch->visit = visit;
	batch->state = state;
	mren_query_columns(what->query, needed, &batch->columns);
	open_batch(batch, what);
	sql = generate_statement(what->query, &batch->columns, batch->attno);
	mren_query_run(sql, 0, NULL, NULL, gather, batch);
	flush(batch);
	by = (MrenPredictedBy){.version = batch->predictor.version};
	if (batch->predictor.info.negative >= 0)
		by.negative = MemoryContextStrdup(outer, batch->relations[batch->predictor.info.negative]);
	SPI_finish();
	return by;
}

/*
 * mren.predict_rows
 */

static void
put_row(void *state, const MrenPrediction *prediction)
{
	ReturnSetInfo *rsinfo = state;
	Datum values[3] = {0};
	bool nulls[3] = {prediction->id == NULL, prediction->relation == NULL, !prediction->answered};

	if (prediction->id != NULL)
		values[0] = CStringGetTextDatum(prediction->id);
	if (prediction->relation != NULL)
		values[1] = CStringGetTextDatum(prediction->relation);
	values[2] = Float8GetDatum(prediction->confidence);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	for (int i = 0; i < 2; i++)
	{
		if (!nulls[i])
			pfree(DatumGetPointer(values[i]));
	}
}

PG_FUNCTION_INFO_V1(mren_predict_rows);
/* mren.predict_rows(model, query, version) → TABLE (id text, relation text, confidence double precision) */
Datum
mren_predict_rows(PG_FUNCTION_ARGS)
{
	MrenPredictQuery what = {
		.model = mren_arg_text(fcinfo, 0, "model"),
		.query = mren_arg_text(fcinfo, 1, "query"),
		.version = mren_arg_version(fcinfo, 2),
		.need_id = true,
	};

	InitMaterializedSRF(fcinfo, 0);
	mren_predict_query(&what, put_row, fcinfo->resultinfo);
	return (Datum) 0;
}
