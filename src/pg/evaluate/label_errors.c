/*
 * label_errors.c
 *	  mren.label_errors(model, query, n, options): labels that are least likely for networks
 *	  that were not trained on their rows.
 *
 * The rows are divided into folds by group, a network is trained on the others of each fold, and
 * gives the probability of each row's label (its self-confidence: Northcutt, Jiang and Chuang,
 * Confident Learning, JAIR 2021).  Labels that are wrong at random are those of little
 * self-confidence, after many likelier relations.  Labels of people who confuse the relations that
 * a network confuses are likely ones, after the network's own mistakes in that order; they are
 * found by how surely the row has another relation, with which its label is the likeliest to be
 * confused.  The rows themselves tell which kind there is.  Whether a label is wrong is for a
 * person to say, so there is no threshold.
 */
#include "postgres.h"

#include <math.h>

#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/sort.h"
#include "pg/evaluate/compare_folds.h"
#include "pg/evaluate/model_options.h"
#include "pg/support/args.h"
#include "pg/support/json_options.h"
#include "pg/support/settings.h"
#include "pg/train/train_rows.h"

#define DEFAULT_FOLDS 10

/*
 * From which share of random labels on rows are ranked by self-confidence.  Beside a network that
 * errs, 0.003 to 0.006 seem random on SemEval and ChemProt where none are, and 0.017 to 0.035 where
 * 0.05 are.
 */
#define MANY_RANDOM 0.01

typedef enum RankBy
{
	RANK_CHOSEN, /* by the rows */
	RANK_SELF_CONFIDENCE,
	RANK_CONFUSION,
} RankBy;

static const char *const rank_names[] = {"auto", "self_confidence", "confusion"};

typedef struct Suspect
{
	uint64 number; /* of the row in the query */
	double confidence;
	bool known;	  /* the label is a relation of the fold's network */
	int place;	  /* of the label among the relations, from the likeliest, 1, on */
	double other; /* the probability of the likeliest other relation */
	double suggested_confidence;
	double rank;	 /* the least comes first */
	char *relation;	 /* in the database's encoding */
	char *suggested; /* likewise; the same text where the label is the most likely relation */
} Suspect;

typedef struct LabelErrors
{
	MemoryContext context;
	char *query;
	int n_folds;
	RankBy rank_by;
	int fold; /* being worked on */
	Jsonb *object;
	MrenTrainSetup setup;
	MrenTrainRows rows;
	MrenFolds folds;
	char **ids; /* (n_ids) by the row's number; NULL: it has none */
	size_t n_ids;
	size_t ids_capacity;
	size_t n_relations;
	Suspect *suspects; /* (folds.n_judged) */
} LabelErrors;

static void
add_context(void *arg)
{
	const LabelErrors *errors = arg;

	if (errors->fold > 0)
		errcontext("fold %d", errors->fold);
}

static void
keep_id(void *state, const char *id)
{
	LabelErrors *errors = state;
	MemoryContext old = MemoryContextSwitchTo(errors->context);

	if (errors->n_ids == errors->ids_capacity)
	{
		errors->ids_capacity = Max(errors->ids_capacity * 2, 1024);
		errors->ids = errors->ids == NULL
						  ? palloc(errors->ids_capacity * sizeof(char *))
						  : repalloc_huge(errors->ids, errors->ids_capacity * sizeof(char *));
	}
	errors->ids[errors->n_ids++] = id != NULL ? pstrdup(id) : NULL;
	MemoryContextSwitchTo(old);
}

static char *
in_server(MemoryContext context, MrenTextSpan name)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	char *text = pg_any_to_server(pnstrdup(name.data, name.len), name.len, PG_UTF8);

	MemoryContextSwitchTo(old);
	return text;
}

/* Whose label the network of the fold does not know has the self-confidence 0. */
static void
judge_row(void *state, MrenTrainAnswers *answers, size_t index, size_t judged)
{
	LabelErrors *errors = state;
	Suspect *suspect = &errors->suspects[judged];
	const float4 *p = answers->probabilities;
	size_t n = answers->info.n_relations;
	MrenExample example;
	size_t best = 0;

	mren_train_answer_probabilities(answers, index, &example, &suspect->number);
	suspect->confidence = suspect->other = 0;
	suspect->known = false;
	for (size_t i = 0; i < n; i++)
	{
		if (mren_text_span_equal(mren_net_relation(answers->net, (int) i), example.relation))
		{
			suspect->confidence = (double) p[i];
			suspect->known = true;
		}
		else
			suspect->other = Max(suspect->other, (double) p[i]);
		if (p[i] > p[best])
			best = i;
	}
	suspect->place = 1;
	for (size_t i = 0; i < n; i++)
		suspect->place += (double) p[i] > suspect->confidence;
	suspect->suggested_confidence = (double) p[best];
	errors->n_relations = Max(errors->n_relations, n);
	suspect->relation = in_server(errors->context, example.relation);
	suspect->suggested = in_server(errors->context, mren_net_relation(answers->net, (int) best));
}

static Jsonb *
without(Jsonb *object, const char *key)
{
	return DatumGetJsonbP(
		DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(object), CStringGetTextDatum(key)));
}

static int
folds_of(const Jsonb *object)
{
	const JsonbValue *value = mren_json_options_find(object, "folds");
	int64_t folds = DEFAULT_FOLDS;

	if (value == NULL || value->type == jbvNull)
		return DEFAULT_FOLDS;
	if (!mren_json_option_int64(value, &folds) || folds < 2 || folds > MREN_MAX_FOLDS)
		mren_json_option_invalid("folds", value,
								 psprintf("an integer from 2 to %d", MREN_MAX_FOLDS));
	return (int) folds;
}

static RankBy
rank_by_of(const Jsonb *object)
{
	const JsonbValue *value = mren_json_options_find(object, "rank_by");

	if (value == NULL)
		return RANK_CHOSEN;
	return (RankBy) mren_json_option_choice("rank_by", value, rank_names, lengthof(rank_names));
}

static void
read_args(FunctionCallInfo fcinfo, LabelErrors *errors)
{
	Jsonb *none = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	Jsonb *base = PG_ARGISNULL(0) ? none : mren_model_options(mren_arg_text(fcinfo, 0, "model"));
	Jsonb *given = PG_ARGISNULL(3) ? none : PG_GETARG_JSONB_P(3);

	errors->query = mren_arg_query(fcinfo, 1, "query");
	mren_json_options_check(given);
	errors->n_folds = folds_of(given);
	errors->rank_by = rank_by_of(given);
	given = without(without(given, "folds"), "rank_by");
	/* All rows are judged. */
	base = without(base, "holdout_share");
	errors->object = DatumGetJsonbP(
		DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(base), JsonbPGetDatum(given)));
	mren_train_setup_read_beside(errors->object, "folds, rank_by, ", &errors->setup);
}

static void
read_rows(LabelErrors *errors)
{
	MrenTrainRows *rows = &errors->rows;

	*rows = (MrenTrainRows){.context = errors->context,
							.query = errors->query,
							.object = errors->object,
							.memory = (size_t) mren_train_memory * 1024,
							.keyed = true,
							.numbered = true,
							.visit_id = keep_id,
							.state = errors};
	SPI_connect();
	mren_train_rows_plan(rows);
	if (rows->columns.attno[MREN_COLUMN_ID] == 0)
		mren_query_lacks(mren_query_describe(errors->query), "id");
	mren_train_rows_read(rows, &errors->setup);
	SPI_finish();
}

/*
 * Ranking
 */

/*
 * The share e of labels that are wrong at random, of which the probabilities of all labels,
 * (1 - e) p + e / k, are greatest: expectation maximization.  A label that a network does not
 * know, since no other fold has it, says nothing of the others.
 */
static double
random_share(const LabelErrors *errors)
{
	double uniform = 1 / (double) errors->n_relations;
	double share = 0.05;

	for (int round = 0; round < 50; round++)
	{
		double sum = 0;
		size_t n = 0;

		CHECK_FOR_INTERRUPTS();
		for (size_t i = 0; i < errors->folds.n_judged; i++)
		{
			const Suspect *suspect = &errors->suspects[i];

			if (!suspect->known)
				continue;
			n++;
			sum += share * uniform / ((1 - share) * suspect->confidence + share * uniform);
		}
		share = n > 0 ? sum / (double) n : 0;
	}
	return share;
}

/*
 * How surely the row has another relation, as odds, times how easily that is confused with the
 * label: the square root of the label's part of what is left.  The part itself is that of a network
 * whose confusions are people's, no part that of one which knows nothing of them; the root was the
 * best on SemEval and ChemProt together.
 */
static double
confusion(const Suspect *suspect)
{
	double rest = Max(1 - suspect->other, 1e-6);

	return suspect->other / rest * sqrt(suspect->confidence / rest);
}

/*
 * A network's mistakes are mostly about its second choice, and random labels are anywhere, so of
 * two labels of the same probability that in the later place is the likelier to be wrong.  Labels
 * that no network knows come first: where they are not rare relations, they are misspelt.
 */
static void
rank_suspects(LabelErrors *errors)
{
	RankBy by = errors->rank_by;

	if (by == RANK_CHOSEN)
		by = random_share(errors) < MANY_RANDOM ? RANK_CONFUSION : RANK_SELF_CONFIDENCE;
	for (size_t i = 0; i < errors->folds.n_judged; i++)
	{
		Suspect *suspect = &errors->suspects[i];

		if (!suspect->known)
			suspect->rank = -INFINITY;
		else if (by == RANK_CONFUSION)
			suspect->rank = -confusion(suspect);
		else
			suspect->rank = suspect->confidence / suspect->place;
	}
}

static int
compare_suspects(const void *a, const void *b)
{
	const Suspect *x = a;
	const Suspect *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void
put_row(const LabelErrors *errors, ReturnSetInfo *rsinfo, const Suspect *suspect)
{
	const char *id = errors->ids[suspect->number];
	Datum values[5] = {(Datum) 0, CStringGetTextDatum(suspect->relation),
					   CStringGetTextDatum(suspect->suggested), Float8GetDatum(suspect->confidence),
					   Float8GetDatum(suspect->suggested_confidence)};
	bool nulls[5] = {id == NULL};

	if (id != NULL)
		values[0] = CStringGetTextDatum(id);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(mren_label_errors);
/*
 * mren.label_errors(model, query, n, options) → TABLE (id text, relation text, suggested text,
 * confidence double precision, suggested_confidence double precision)
 */
Datum
mren_label_errors(PG_FUNCTION_ARGS)
{
	LabelErrors errors = {.context = CurrentMemoryContext};
	ErrorContextCallback callback = {
		.previous = error_context_stack, .callback = add_context, .arg = &errors};
	MrenFoldVisitor visitor = {judge_row, &errors};
	int32 n = mren_arg_positive(fcinfo, 2, "n");

	InitMaterializedSRF(fcinfo, 0);
	read_args(fcinfo, &errors);
	read_rows(&errors);
	error_context_stack = &callback;
	mren_folds_make_by_group(&errors.folds, &errors.rows.source, errors.n_folds,
							 errors.rows.memory);
	errors.suspects =
		palloc_extended((errors.folds.n_judged + 1) * sizeof(Suspect), MCXT_ALLOC_HUGE);
	mren_folds_answer(&errors.folds, &errors.setup, errors.rows.memory, &visitor, &errors.fold);
	error_context_stack = callback.previous;
	rank_suspects(&errors);
	qsort(errors.suspects, errors.folds.n_judged, sizeof(Suspect), compare_suspects);
	for (size_t i = 0; i < errors.folds.n_judged && i < (size_t) n; i++)
		put_row(&errors, (ReturnSetInfo *) fcinfo->resultinfo, &errors.suspects[i]);
	return (Datum) 0;
}
