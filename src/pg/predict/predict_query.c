/*
 * predict_query.c
 *	  Predicting the rows of a query in batches.
 *
 * Each row is encoded and fused as it arrives; the dense layers run over a batch
 * of fused vectors, so that their weights are read once for all of them.  No more
 * than one batch is in memory.  Where the planner chooses a parallel plan, rows are
 * answered in it instead, where they are read (answer_scan.h).
 */
#include "pg/predict/predict_query.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "evaluation/holdout.h"
#include "pg/predict/answer_scan.h"
#include "pg/predict/encode_pair.h"
#include "pg/predict/predict_row.h"
#include "pg/predict/predictor.h"
#include "pg/resource/span_slips.h"
#include "pg/support/args.h"
#include "pg/support/query.h"
#include "pg/support/row_errors.h"

/* A version that answers the rows. */
typedef struct Side
{
	MrenPredictor predictor;
	float4 *features;	   /* (MREN_BATCH_ROWS, row_dim) */
	float4 *probabilities; /* (MREN_BATCH_ROWS, n_relations) */
	char **relations;	   /* names in the database's encoding */
} Side;

typedef struct Batch
{
	int n_sides; /* 2 with a rival */
	double holdout_share;
	Side sides[2];
	MrenColumns columns;
	AttrNumber attno[MREN_N_COLUMNS]; /* in the generated statement */
	AttrNumber answers;				  /* in that of a parallel plan */
	MrenPredictionVisitor visit;
	void *state;

	MemoryContext rows; /* strings of the batch's rows */
	MemoryContext work; /* of one row */
	MrenRowErrors errors;
	MrenSpanSlips slips;
	int64 n_read;		 /* all rows of the query */
	MemoryContext outer; /* of the caller */
	uint64 n_unknown;	 /* see MrenPredictedBy */
	char *unknown;
	bool keep_pairs;
	int n;			/* rows gathered */
	int n_answered; /* of them, with a fused vector */
	MrenPrediction predictions[MREN_BATCH_ROWS];
} Batch;

/* A row as mren_pair_columns reads it. */
typedef struct Row
{
	Batch *batch;
	TupleTableSlot *slot;
} Row;

/*
 * Selects the query's columns, cast to their types, in the order of MrenColumn;
 * sets attno to their numbers in the statement.
 */
static char *
generate_statement(const char *query, const MrenColumns *columns, bool rival, AttrNumber *attno)
{
	StringInfoData sql;
	int n = 0;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (MrenColumn column = 0; column < MREN_N_COLUMNS; column++)
	{
		attno[column] = 0;
		/* Some matter in training only; split, group and gold only where a rival is compared. */
		if (columns->attno[column] == 0 || column == MREN_COLUMN_WEIGHT ||
			column == MREN_COLUMN_PROBABILITIES || (column > MREN_COLUMN_WEIGHT && !rival))
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

static Datum
get_column(void *state, MrenColumn column, bool *isnull)
{
	const Row *row = state;

	return slot_column(row->batch, row->slot, column, isnull);
}

static bool
read_pair(Batch *batch, TupleTableSlot *slot, MrenPair *pair)
{
	Row row = {batch, slot};

	return mren_pair_columns(get_column, &row, batch->columns.ranges, pair);
}

static char *
text_column(Batch *batch, TupleTableSlot *slot, MrenColumn column)
{
	bool isnull;
	Datum value = slot_column(batch, slot, column, &isnull);

	return isnull ? NULL : MemoryContextStrdup(batch->rows, TextDatumGetCString(value));
}

/* The relation of row k's answer; NULL if the version abstains. */
static const char *
answer(const Side *side, int k, MrenNetAnswer *given)
{
	const MrenNetInfo *info = &side->predictor.info;

	*given = mren_net_answer(info, side->probabilities + (size_t) k * info->n_relations);
	return given->relation < 0 ? NULL : side->relations[given->relation];
}

static void
answer_rival(const Side *side, int k, MrenPrediction *prediction)
{
	MrenNetAnswer given;

	prediction->rival = answer(side, k, &given);
	prediction->rival_info = &side->predictor.info;
	prediction->rival_probabilities =
		side->probabilities + (size_t) k * side->predictor.info.n_relations;
	prediction->rival_names = side->relations;
}

/* -1 for a relation that the network does not know. */
static int
relation_number(const Side *side, const char *relation)
{
	for (size_t i = 0; relation != NULL && i < side->predictor.info.n_relations; i++)
	{
		if (strcmp(side->relations[i], relation) == 0)
			return i;
	}
	return -1;
}

static void
count_unknown(Batch *batch, const MrenPrediction *prediction)
{
	if (prediction->actual == NULL || prediction->actual_number >= 0)
		return;
	if (batch->n_unknown++ == 0)
		batch->unknown = MemoryContextStrdup(batch->outer, prediction->actual);
}

/* What follows from row k's probabilities. */
static void
complete(Batch *batch, int k, MrenPrediction *prediction)
{
	const Side *side = &batch->sides[0];
	MrenNetAnswer given;

	prediction->probabilities = side->probabilities + (size_t) k * side->predictor.info.n_relations;
	prediction->n_probabilities = side->predictor.info.n_relations;
	prediction->names = side->relations;
	prediction->info = &side->predictor.info;
	prediction->actual_number = relation_number(side, prediction->actual);
	count_unknown(batch, prediction);
	prediction->relation = answer(side, k, &given);
	prediction->confidence = given.confidence;
	prediction->strongest = given.strongest;
	if (batch->n_sides == 2)
		answer_rival(&batch->sides[1], k, prediction);
}

static void
flush(Batch *batch)
{
	int k = 0;

	for (int i = 0; i < batch->n_sides && batch->n_answered > 0; i++)
		mren_predictor_probabilities(&batch->sides[i].predictor, batch->sides[i].features,
									 batch->n_answered, batch->sides[i].probabilities);
	for (int i = 0; i < batch->n; i++)
	{
		MrenPrediction *prediction = &batch->predictions[i];

		if (prediction->answered)
			complete(batch, k++, prediction);
		batch->visit(batch->state, prediction);
	}
	batch->n = 0;
	batch->n_answered = 0;
	MemoryContextReset(batch->rows);
}

/* What decides whether the row is held out: its own split, and the key of its group. */
static void
read_holdout(Batch *batch, TupleTableSlot *slot, const MrenPair *pair, const MrenExample *example,
			 MrenPrediction *prediction)
{
	bool isnull;
	Datum value = slot_column(batch, slot, MREN_COLUMN_SPLIT, &isnull);
	MrenTextSpan text;
	MrenError err;

	if (!isnull)
	{
		text = mren_datum_utf8(value);
		MREN_PG_CALL(err, mren_split_parse(text.data, text.len, &prediction->split, &err));
	}
	value = slot_column(batch, slot, MREN_COLUMN_GROUP, &isnull);
	if (isnull)
	{
		prediction->key = mren_encode_holdout_key(pair, example);
		return;
	}
	text = mren_datum_utf8(value);
	prediction->key = mren_holdout_group_key(text.data, text.len);
}

/* Whether the row is one of those to be answered. */
static bool
is_held_out(const Batch *batch, const MrenPrediction *prediction)
{
	return batch->holdout_share == 0 ||
		   (prediction->actual != NULL && mren_split_trains(prediction->split) &&
			mren_holdout_holds(prediction->key, batch->holdout_share));
}

/*
 * What a side reads of a pair: where two are compared, one may have been trained without images,
 * recordings or boxes.
 */
static MrenPair
pair_of_side(const Batch *batch, const Side *side, const MrenPair *pair)
{
	const MrenNetInfo *info = &side->predictor.info;
	MrenPair read = *pair;

	if (batch->n_sides == 1)
		return read;
	if (info->image_dim == 0)
	{
		read.image = NULL;
		read.image_vector = NULL;
	}
	if (info->audio_dim == 0)
	{
		read.audio = NULL;
		read.audio_vector = NULL;
	}
	if (!info->boxes)
		read.has_head_box = read.has_tail_box = false;
	return read;
}

/* Encodes and fuses the row for one side; false, and it is not fused, if it is not held out. */
static bool
add_row(Batch *batch, int number, const MrenPair *whole, TupleTableSlot *slot,
		MrenPrediction *prediction)
{
	Side *side = &batch->sides[number];
	const MrenPair pair = pair_of_side(batch, side, whole);
	MrenInput input;
	MrenExample example;
	bool seen;

	mren_predictor_row(&side->predictor, &pair, &input);
	seen = mren_predictor_trained_on(&side->predictor, &pair, &input, prediction->actual, &example);
	if (number == 0)
	{
		prediction->seen = seen;
		prediction->same_pair =
			prediction->actual != NULL ? mren_pair_identity(&pair, &example) : 0;
	}
	else
	{
		prediction->rival_seen = seen;
		if (prediction->actual != NULL)
			read_holdout(batch, slot, &pair, &example, prediction);
		if (!is_held_out(batch, prediction))
			return false;
	}
	mren_predictor_features(&side->predictor, &input,
							side->features +
								(size_t) batch->n_answered * side->predictor.info.row_dim);
	return true;
}

static void
keep_pair(Batch *batch, const MrenPair *pair, MrenPrediction *prediction)
{
	MemoryContext old = MemoryContextSwitchTo(batch->rows);

	prediction->pair = mren_pair_copy(pair);
	MemoryContextSwitchTo(old);
}

/* Reads, encodes and fuses the row; false if it has no sentence or mention, or is not held out. */
static bool
encode_row(Batch *batch, TupleTableSlot *slot, MrenPrediction *prediction)
{
	MrenPair pair;

	if (!read_pair(batch, slot, &pair))
		return false;
	if (batch->columns.ranges)
		mren_slips_pair(&batch->slips, &pair, prediction->id, batch->n_read);
	/* The rival first: from what it reads of a row it is known whether the row is held out. */
	for (int i = batch->n_sides - 1; i >= 0; i--)
	{
		if (!add_row(batch, i, &pair, slot, prediction))
			return false;
	}
	if (batch->keep_pairs)
		keep_pair(batch, &pair, prediction);
	return true;
}

/* The same; false, too, for a row that cannot be used, unless that is an error. */
static bool
try_row(Batch *batch, TupleTableSlot *slot, MrenPrediction *prediction)
{
	volatile bool answered = false;

	PG_TRY();
	{
		answered = encode_row(batch, slot, prediction);
	}
	PG_CATCH();
	{
		MrenRowError error;

		MemoryContextSwitchTo(batch->work);
		error = mren_row_error_catch();
		mren_row_errors_add(&batch->errors, prediction->id, batch->n_read, &error);
	}
	PG_END_TRY();
	return answered;
}

/* Whether a row with a relation is not gold. */
static bool
is_weak(Batch *batch, TupleTableSlot *slot)
{
	bool isnull;
	Datum gold = slot_column(batch, slot, MREN_COLUMN_GOLD, &isnull);

	return !isnull && !DatumGetBool(gold);
}

static void
gather(void *state, TupleTableSlot *slot)
{
	Batch *batch = state;
	MrenPrediction *prediction = &batch->predictions[batch->n++];
	MemoryContext old = MemoryContextSwitchTo(batch->work);

	CHECK_FOR_INTERRUPTS();
	batch->n_read++;
	*prediction = (MrenPrediction){.id = text_column(batch, slot, MREN_COLUMN_ID),
								   .actual = text_column(batch, slot, MREN_COLUMN_RELATION)};
	/* Where two are compared, only gold rows say which is better. */
	if (is_weak(batch, slot))
		prediction->actual = NULL;
	prediction->answered = try_row(batch, slot, prediction);
	if (prediction->answered)
		batch->n_answered++;
	MemoryContextSwitchTo(old);
	MemoryContextReset(batch->work);
	if (batch->n == MREN_BATCH_ROWS ||
		MemoryContextMemAllocated(batch->rows, false) >= MREN_BATCH_BYTES)
		flush(batch);
}

/*
 * A parallel plan
 */

/* Spans are checked here, where the row's number is known. */
static void
check_spans(Batch *batch, TupleTableSlot *slot, const char *id)
{
	MrenPair pair;

	if (batch->columns.ranges && read_pair(batch, slot, &pair))
		mren_slips_pair(&batch->slips, &pair, id, batch->n_read);
}

/* A row that has been answered where it was read. */
static void
take_answered(void *state, TupleTableSlot *slot)
{
	Batch *batch = state;
	MemoryContext old = MemoryContextSwitchTo(batch->work);
	MrenPrediction *prediction = &batch->predictions[0];
	MrenRowError error;
	bytea *bytes = NULL;
	bool isnull;
	Datum value = slot_getattr(slot, batch->answers, &isnull);

	CHECK_FOR_INTERRUPTS();
	batch->n_read++;
	*prediction = (MrenPrediction){.id = text_column(batch, slot, MREN_COLUMN_ID),
								   .actual = text_column(batch, slot, MREN_COLUMN_RELATION)};
	if (!isnull)
		bytes = DatumGetByteaPP(value);
	if (bytes != NULL && mren_row_error_read(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &error))
		mren_row_errors_add(&batch->errors, prediction->id, batch->n_read, &error);
	else if (bytes != NULL)
	{
		check_spans(batch, slot, prediction->id);
		prediction->answered = true;
		prediction->seen = mren_answer_read(bytes, batch->sides[0].predictor.info.n_relations,
											batch->sides[0].probabilities, &prediction->same_pair);
		complete(batch, 0, prediction);
	}
	MemoryContextSwitchTo(old);
	batch->visit(batch->state, prediction);
	MemoryContextReset(batch->work);
	MemoryContextReset(batch->rows);
}

/*
 * Runs the query with rows answered in its plan, if that is parallel.  What compares versions
 * or keeps pairs needs more of a row than its answer.
 */
static bool
run_parallel(Batch *batch, const MrenPredictQuery *what)
{
	static const Oid types[] = {TEXTOID, INT4OID};
	AttrNumber attno[MREN_N_COLUMNS];
	char *statement;
	Datum values[2];

	if (batch->n_sides == 2 || batch->keep_pairs || what->stored != NULL)
		return false;
	memcpy(attno, batch->attno, sizeof(attno));
	statement = mren_answers_statement(what->query, &batch->columns, batch->attno, &batch->answers);
	if (!mren_query_parallel(statement, lengthof(types), types))
	{
		memcpy(batch->attno, attno, sizeof(attno));
		return false;
	}
	values[0] = CStringGetTextDatum(what->model);
	values[1] = Int32GetDatum(batch->sides[0].predictor.version);
	mren_answers_run(statement, lengthof(types), types, values, take_answered, batch);
	return true;
}

static void
open_side(Batch *batch, Side *side, const char *model, int32 version)
{
	const MrenNetInfo *info = &side->predictor.info;

	mren_predictor_open(&side->predictor, model, strlen(model), version);
	side->features = palloc(MREN_BATCH_ROWS * info->row_dim * sizeof(float4));
	side->probabilities = palloc(MREN_BATCH_ROWS * info->n_relations * sizeof(float4));
	side->relations = palloc(info->n_relations * sizeof(char *));
	for (size_t i = 0; i < info->n_relations; i++)
		side->relations[i] = text_to_cstring(mren_predictor_relation(&side->predictor, i));
	mren_predictor_begin_rows(&side->predictor, batch->columns.attno[MREN_COLUMN_IMAGE] != 0,
							  batch->columns.attno[MREN_COLUMN_AUDIO] != 0);
}

static const char *
negative_of(const Side *side, MemoryContext outer)
{
	int32 negative = side->predictor.info.negative;

	return negative >= 0 ? MemoryContextStrdup(outer, side->relations[negative]) : NULL;
}

/* The versions are opened as the current user; a stored query runs as its owner. */
static void
run_query(Batch *batch, const MrenPredictQuery *what, uint32 needed)
{
	MrenStoredScope scope;

	if (what->stored != NULL)
		mren_stored_enter(what->stored, &scope);
	mren_query_columns(what->query, needed, &batch->columns);
	if (what->stored != NULL)
		mren_stored_leave(&scope);
	open_side(batch, &batch->sides[0], what->model, what->version);
	if (batch->n_sides == 2)
		open_side(batch, &batch->sides[1], what->model, what->rival);
	if (run_parallel(batch, what))
		return;
	if (what->stored != NULL)
		mren_stored_enter(what->stored, &scope);
	mren_query_run(
		generate_statement(what->query, &batch->columns, batch->n_sides == 2, batch->attno), 0,
		NULL, NULL, gather, batch);
	if (what->stored != NULL)
		mren_stored_leave(&scope);
	flush(batch);
}

MrenPredictedBy
mren_predict_query(const MrenPredictQuery *what, MrenPredictionVisitor visit, void *state)
{
	uint32 needed =
		(1u << MREN_COLUMN_SENTENCE) | (1u << MREN_COLUMN_HEAD) | (1u << MREN_COLUMN_TAIL);
	MemoryContext outer = CurrentMemoryContext;
	MrenPredictedBy by;
	Batch *batch;

	if (what->need_id)
		needed |= 1u << MREN_COLUMN_ID;
	if (what->need_relation)
		needed |= what->rival != 0 ? MREN_LABEL_COLUMNS : 1u << MREN_COLUMN_RELATION;
	SPI_connect();
	batch = palloc0(sizeof(Batch));
	batch->n_sides = what->rival != 0 ? 2 : 1;
	batch->holdout_share = what->holdout_share;
	batch->outer = outer;
	batch->visit = visit;
	batch->state = state;
	batch->keep_pairs = what->keep_pairs;
	batch->errors.skip = what->skip_bad;
	batch->errors.context = batch->slips.context = CurrentMemoryContext;
	batch->rows = AllocSetContextCreate(CurrentMemoryContext, "mren batch", ALLOCSET_DEFAULT_SIZES);
	batch->work = AllocSetContextCreate(CurrentMemoryContext, "mren row", ALLOCSET_DEFAULT_SIZES);
	run_query(batch, what, needed);
	mren_row_errors_notice(&batch->errors, "got no answer");
	mren_slips_warn(&batch->slips);
	by = (MrenPredictedBy){.version = batch->sides[0].predictor.version,
						   .negative = negative_of(&batch->sides[0], outer),
						   .n_unknown = batch->n_unknown,
						   .unknown = batch->unknown};
	if (batch->n_sides == 2)
		by.rival_negative = negative_of(&batch->sides[1], outer);
	SPI_finish();
	return by;
}
