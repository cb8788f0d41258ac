/*
 * uncertain.c
 *	  mren.uncertain(model, query, n, options, version): which rows a person should label next.
 *
 * Of each sentence only the row with the smallest margin counts.  A share of the answer is drawn
 * at random, by a hash of the sentence: rows that were chosen because a model doubts them say
 * nothing of how good it is on others.  The rest are taken in turns from the relations that the
 * model predicts, of each the row with the smallest margin: a model of few labels doubts one
 * relation more than all others, and what it says least often it knows least of.  While it knows
 * hardly any rows of a relation, what it doubts says so little that half of the answer is random.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"

#include "base/hash.h"
#include "pg/predict/predict_query.h"
#include "pg/support/args.h"
#include "pg/support/json_options.h"
#include "pg/support/row_errors.h"
#include "pg/support/settings.h"

#define RANDOM_SHARE 0.2
/*
 * The same of a model with fewer than ten training rows a relation, on SemEval better than either.
 */
#define FEW_ROWS 10
#define FEW_RANDOM_SHARE 0.5

/* The row of a sentence with the smallest margin. */
typedef struct Candidate
{
	uint64 sentence; /* the hash of its text, the key */
	uint64 draw;	 /* the same with the seed: the order in which random rows are drawn */
	double margin;
	double confidence;
	char *id;
	int32 relation; /* numbers; -1: the model abstains */
	int32 strongest;
	int32 turn; /* among the rows of which the same relation is the strongest */
	bool random;
} Candidate;

typedef struct Uncertain
{
	HTAB *sentences;
	MemoryContext context;
	Size bytes;			 /* of the ids */
	double random_share; /* negative: by the model */
	bool spread;
	int64 seed;
	char **names;
	int n_names;
	int64 n_without_id;
} Uncertain;

static void
read_option(void *state, const char *key, const JsonbValue *value)
{
	Uncertain *uncertain = state;

	if (strcmp(key, "random_share") == 0)
		uncertain->random_share = mren_json_option_share(key, value, uncertain->random_share);
	else if (strcmp(key, "spread") == 0)
		uncertain->spread = mren_json_option_bool(key, value, uncertain->spread);
	else if (strcmp(key, "seed") == 0)
	{
		if (value->type != jbvNull && !mren_json_option_int64(value, &uncertain->seed))
			mren_json_option_invalid(key, value, "an integer of 64 bits");
	}
	else
		mren_json_option_unknown(key, "random_share, seed, spread");
}

static void
check_memory(const Uncertain *uncertain)
{
	Size rows = (Size) hash_get_num_entries(uncertain->sentences);

	if (rows * sizeof(Candidate) * 2 + uncertain->bytes > (Size) mren_train_memory * 1024)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%zu sentences exceed mren.train_memory (%d kB)", rows, mren_train_memory),
				 errhint("Raise mren.train_memory, or take a sample of the rows.")));
}

/* What is needed of the model, from the first row that it answers. */
static void
keep_model(Uncertain *uncertain, const MrenPrediction *prediction)
{
	const MrenNetInfo *info = prediction->info;

	if (uncertain->names != NULL)
		return;
	if (uncertain->random_share < 0)
		uncertain->random_share =
			info->n_training_rows < FEW_ROWS * info->n_relations ? FEW_RANDOM_SHARE : RANDOM_SHARE;
	uncertain->n_names = prediction->n_probabilities;
	uncertain->names = MemoryContextAlloc(uncertain->context, uncertain->n_names * sizeof(char *));
	for (int i = 0; i < uncertain->n_names; i++)
		uncertain->names[i] = MemoryContextStrdup(uncertain->context, prediction->names[i]);
}

/* Of equal margins the smaller id, so that the order of the rows does not matter. */
static bool
is_better(const Candidate *old, double margin, const char *id)
{
	if (margin != old->margin)
		return margin < old->margin;
	return strcmp(id, old->id) < 0;
}

static void
visit(void *state, const MrenPrediction *prediction)
{
	Uncertain *uncertain = state;
	MrenTextSpan sentence;
	Candidate *row;
	double margin;
	uint64 key;
	bool found;

	if (!prediction->answered)
		return;
	if (prediction->id == NULL)
	{
		uncertain->n_without_id++;
		return;
	}
	keep_model(uncertain, prediction);
	sentence = prediction->pair->sentence;
	key = mren_hash64(sentence.data, sentence.len, 0);
	margin = mren_prediction_margin(prediction);
	row = hash_search(uncertain->sentences, &key, HASH_ENTER, &found);
	if (found && !is_better(row, margin, prediction->id))
		return;
	if (found)
	{
		uncertain->bytes -= strlen(row->id) + 1;
		pfree(row->id);
	}
	row->draw = mren_hash64(&key, sizeof(key), (uint64) uncertain->seed + 1);
	row->margin = margin;
	row->confidence = prediction->confidence;
	row->id = MemoryContextStrdup(uncertain->context, prediction->id);
	row->relation = prediction->relation != NULL ? prediction->strongest : -1;
	row->strongest = prediction->strongest;
	row->random = false;
	row->turn = 0;
	uncertain->bytes += strlen(prediction->id) + 1;
	check_memory(uncertain);
}

/*
 * Choosing
 */

static int
by_draw(const void *a, const void *b)
{
	const Candidate *x = *(Candidate *const *) a;
	const Candidate *y = *(Candidate *const *) b;

	return x->draw < y->draw ? -1 : x->draw > y->draw;
}

static int
by_margin(const void *a, const void *b)
{
	const Candidate *x = *(Candidate *const *) a;
	const Candidate *y = *(Candidate *const *) b;

	if (x->margin != y->margin)
		return x->margin < y->margin ? -1 : 1;
	return by_draw(a, b);
}

static int
by_turn(const void *a, const void *b)
{
	const Candidate *x = *(Candidate *const *) a;
	const Candidate *y = *(Candidate *const *) b;

	if (x->turn != y->turn)
		return x->turn < y->turn ? -1 : 1;
	return by_margin(a, b);
}

/* Numbers the rows of each relation; rows are in the order of their margins. */
static void
give_turns(const Uncertain *uncertain, Candidate **rows, int n)
{
	int32 *turns = palloc0(uncertain->n_names * sizeof(int32));

	for (int i = 0; i < n; i++)
		rows[i]->turn = turns[rows[i]->strongest]++;
	pfree(turns);
}

/* All candidates, the n_random first of a random order marked; the others after them by rank. */
static void
rank(const Uncertain *uncertain, Candidate **rows, int n, int n_random)
{
	int rest = n - n_random;

	qsort(rows, n, sizeof(*rows), by_draw);
	for (int i = 0; i < n_random; i++)
		rows[i]->random = true;
	CHECK_FOR_INTERRUPTS();
	qsort(rows + n_random, rest, sizeof(*rows), by_margin);
	if (!uncertain->spread)
		return;
	give_turns(uncertain, rows + n_random, rest);
	CHECK_FOR_INTERRUPTS();
	qsort(rows + n_random, rest, sizeof(*rows), by_turn);
}

static void
put_row(const Uncertain *uncertain, ReturnSetInfo *rsinfo, const Candidate *row)
{
	Datum values[5] = {CStringGetTextDatum(row->id), (Datum) 0, Float8GetDatum(row->confidence),
					   Float8GetDatum(row->margin), BoolGetDatum(row->random)};
	bool nulls[5] = {false, row->relation < 0};

	if (row->relation >= 0)
		values[1] = CStringGetTextDatum(uncertain->names[row->relation]);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Random rows are spread among the others, so that the first of them are labelled, too. */
static void
put_rows(const Uncertain *uncertain, ReturnSetInfo *rsinfo, int n_wanted)
{
	int n = (int) hash_get_num_entries(uncertain->sentences);
	Candidate **rows = palloc_extended((n + 1) * sizeof(*rows), MCXT_ALLOC_HUGE);
	int n_random;
	int n_put = 0;
	int doubted = 0;
	int drawn = 0;
	HASH_SEQ_STATUS scan;

	n_wanted = Min(n_wanted, n);
	n_random = (int) ceil(uncertain->random_share * n_wanted);
	hash_seq_init(&scan, uncertain->sentences);
	for (int i = 0; i < n; i++)
		rows[i] = hash_seq_search(&scan);
	hash_seq_term(&scan);
	rank(uncertain, rows, n, n_random);
	for (; n_put < n_wanted; n_put++)
	{
		bool random = drawn < n_random && drawn <= uncertain->random_share * n_put;

		random |= doubted == n_wanted - n_random;
		put_row(uncertain, rsinfo, random ? rows[drawn++] : rows[n_random + doubted++]);
	}
}

PG_FUNCTION_INFO_V1(mren_uncertain);
/*
 * mren.uncertain(model, query, n, options, version) → TABLE (id text, relation text,
 * confidence double precision, margin double precision, random boolean)
 */
Datum
mren_uncertain(PG_FUNCTION_ARGS)
{
	MrenPredictQuery what = {
		.model = mren_arg_text(fcinfo, 0, "model"),
		.query = mren_arg_query(fcinfo, 1, "query"),
		.version = mren_arg_version(fcinfo, 4),
		.need_id = true,
		.keep_pairs = true,
		.skip_bad = mren_on_error == MREN_ON_ERROR_SKIP,
	};
	HASHCTL control = {
		.keysize = sizeof(uint64), .entrysize = sizeof(Candidate), .hcxt = CurrentMemoryContext};
	Uncertain uncertain = {.context = CurrentMemoryContext, .random_share = -1, .spread = true};
	int32 n = mren_arg_positive(fcinfo, 2, "n");

	InitMaterializedSRF(fcinfo, 0);
	mren_json_options_read(PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3), read_option, &uncertain);
	uncertain.sentences =
		hash_create("mren uncertain", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	mren_predict_query(&what, visit, &uncertain);
	if (uncertain.n_without_id > 0)
		ereport(NOTICE, (errmsg_plural("%lld row without an id was left out",
									   "%lld rows without an id were left out",
									   (unsigned long) uncertain.n_without_id,
									   (long long) uncertain.n_without_id)));
	put_rows(&uncertain, (ReturnSetInfo *) fcinfo->resultinfo, n);
	return (Datum) 0;
}
