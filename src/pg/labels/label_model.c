/*
 * label_model.c
 *	  mren.label_model: labels with probabilities from votes.
 */
#include "labels/label_model.h"

#include "postgres.h"

#include "executor/tuptable.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "pg/labels/votes_query.h"
#include "pg/support/args.h"
#include "pg/support/compat.h"
#include "pg/support/json_options.h"
#include "pg/support/pg_env.h"

PG_FUNCTION_INFO_V1(mren_label_model);

#define N_LABEL 5
/* Probabilities are shown with so many digits. */
#define DIGITS 6
#define DIGIT_SCALE 1000000

static const char *const methods[] = {"majority", "weighted", "dawid_skene"};

/* What is known of a pattern once one of its rows was written. */
typedef struct Label
{
	Jsonb *probabilities; /* NULL: not kept */
	uint32 relation;
	double confidence;
} Label;

typedef struct Writer
{
	ReturnSetInfo *rsinfo;
	const MrenLabelModel *model;
	Label *kept;		   /* (n_patterns) */
	Datum *names;		   /* (K) relations as text */
	double *probabilities; /* (K) */
	MemoryContext labels;
	Size kept_bytes;
} Writer;

static void
read_option(void *state, const char *key, const JsonbValue *value)
{
	MrenLabelMethod *method = state;

	if (strcmp(key, "method") != 0)
		mren_json_option_unknown(key, "method");
	*method = (MrenLabelMethod) mren_json_option_choice(key, value, methods, lengthof(methods));
}

/* Relations are in bytewise order, and jsonb sorts its keys itself. */
static Jsonb *
probabilities_json(const Writer *writer)
{
	JsonbParseState *state = NULL;
	JsonbValue *object;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (size_t r = 0; r < writer->model->n_relations; r++)
	{
		int64 digits = (int64) (writer->probabilities[r] * DIGIT_SCALE + 0.5);
		const text *name = (const text *) DatumGetPointer(writer->names[r]);
		JsonbValue key = {.type = jbvString};
		JsonbValue value = {.type = jbvNumeric};

		if (digits == 0)
			continue;
		key.val.string.val = (char *) VARDATA_ANY(name);
		key.val.string.len = (int) VARSIZE_ANY_EXHDR(name);
		value.val.numeric = int64_div_fast_to_numeric(digits, DIGITS);
		pushJsonbValue(&state, WJB_KEY, &key);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	object = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(object);
}

/* The label of a pattern; kept, within work_mem, if other rows have the pattern as well. */
static Label
label_of(Writer *writer, uint32 pattern)
{
	Label label = writer->kept[pattern];

	if (label.probabilities != NULL)
		return label;
	label.relation = mren_label_probabilities(writer->model, pattern, writer->probabilities);
	label.confidence = writer->probabilities[label.relation];
	label.probabilities = probabilities_json(writer);
	if (writer->model->votes->patterns[pattern].rows > 1 &&
		writer->kept_bytes < (Size) work_mem * 1024)
	{
		Size size = VARSIZE(label.probabilities);

		writer->kept[pattern] = label;
		writer->kept[pattern].probabilities = MemoryContextAlloc(writer->labels, size);
		memcpy(writer->kept[pattern].probabilities, label.probabilities, size);
		writer->kept_bytes += size;
	}
	return label;
}

static void
put_label(Writer *writer, TupleTableSlot *slot)
{
	bool isnull;
	uint32 pattern = (uint32) DatumGetInt32(slot_getattr(slot, MREN_VOTED_PATTERN, &isnull));
	Label label = label_of(writer, pattern);
	Datum values[N_LABEL] = {slot_getattr(slot, MREN_VOTED_ID, &isnull),
							 writer->names[label.relation], Float8GetDatum(label.confidence),
							 PointerGetDatum(label.probabilities),
							 Int32GetDatum((int32) writer->model->votes->patterns[pattern].n)};
	bool nulls[N_LABEL] = {false};

	tuplestore_putvalues(writer->rsinfo->setResult, writer->rsinfo->setDesc, values, nulls);
}

static void
put_labels(FunctionCallInfo fcinfo, const MrenLabelModel *model, Tuplestorestate *rows,
		   TupleDesc desc)
{
	const MrenVotes *votes = model->votes;
	Writer writer = {.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo, .model = model};
	MemoryContext row =
		AllocSetContextCreate(CurrentMemoryContext, "mren labelled row", ALLOCSET_SMALL_SIZES);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	MemoryContext old;

	writer.labels = CurrentMemoryContext;
	writer.kept =
		MemoryContextAllocExtended(CurrentMemoryContext, Max(votes->n_patterns, 1) * sizeof(Label),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	writer.names = palloc(Max(model->n_relations, 1) * sizeof(Datum));
	writer.probabilities = palloc(Max(model->n_relations, 1) * sizeof(double));
	for (uint32 r = 0; r < model->n_relations; r++)
		writer.names[r] = PointerGetDatum(mren_server_text(mren_names_get(&votes->relations, r)));
	old = MemoryContextSwitchTo(row);
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		put_label(&writer, slot);
		MemoryContextReset(row);
	}
	MemoryContextSwitchTo(old);
	ExecDropSingleTupleTableSlot(slot);
}

/* With fewer gold rows that have votes, weights hardly differ from chance. */
#define FEW_VOTED_GOLD 50

static void
warn_of_few_gold(const MrenVotes *votes)
{
	uint64 n = votes->n_gold_rows;

	if (n < FEW_VOTED_GOLD)
		ereport(WARNING, (errmsg_plural("only " UINT64_FORMAT " gold row has votes",
										"only " UINT64_FORMAT " gold rows have votes", n, n),
						  errdetail("The method \"weighted\" learns from them what each source is "
									"worth, and few of them say little of it."),
						  errhint("Label %d rows that have votes, better 200, or use the method "
								  "\"majority\".",
								  FEW_VOTED_GOLD)));
}

/* mren.label_model(votes, gold, options) → TABLE (id, relation, confidence, probabilities, votes) */
Datum
mren_label_model(PG_FUNCTION_ARGS)
{
	char *query = mren_arg_query(fcinfo, 0, "votes");
	char *gold = PG_ARGISNULL(1) ? NULL : mren_arg_query(fcinfo, 1, "gold");
	MrenLabelMethod method = MREN_LABELS_MAJORITY;
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenVotes votes = {.env = &env};
	MrenVoteSummary summary;
	MrenLabelModel model;
	Tuplestorestate *rows;
	TupleDesc desc;
	MrenError err;

	mren_json_options_read(PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2), read_option, &method);
	if (method == MREN_LABELS_WEIGHTED && gold == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"weighted\" needs gold rows"),
				 errhint("Give a query of the rows that a person labelled (id, relation), or "
						 "use the method \"majority\".")));
	InitMaterializedSRF(fcinfo, 0);
	rows = mren_voted_rows(&desc);
	mren_votes_read(query, gold, &votes, rows, desc);
	MREN_PG_CALL(err, mren_vote_summarize(&votes, &summary, &err));
	/* People label what they are given; rules that do so, or that are copies, are a mistake. */
	if (method == MREN_LABELS_MAJORITY)
		mren_votes_warn(&votes, &summary);
	MREN_PG_CALL(err, mren_label_model_fit(&votes, &summary, method, &model, &err));
	if (method == MREN_LABELS_WEIGHTED)
		warn_of_few_gold(&votes);
	put_labels(fcinfo, &model, rows, desc);
	tuplestore_end(rows);
	return (Datum) 0;
}
