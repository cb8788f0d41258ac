/*
 * tagger_train.c
 *	  CALL mren.train_tagger(tagger, query, options, INOUT version).
 *
 * In phases as mren.train: the query runs once and its rows go, encoded, to a
 * temporary file in the trainer's order; then, without a snapshot, the epochs.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "tagger/tag_example.h"
#include "tagger/train/tagger_trainer.h"
#include "pg/support/args.h"
#include "pg/train/epochs.h"
#include "pg/model/models.h"
#include "pg/support/query.h"
#include "pg/support/settings.h"
#include "pg/train/spill.h"
#include "pg/tagger/tag_gold.h"
#include "pg/tagger/tagger_train_options.h"
#include "pg/train/training.h"
#include "text/tokens.h"

typedef struct Train
{
	MrenJob job;
	char *name;
	MrenStoredQuery query;
	Jsonb *object; /* the options as given */
	MrenTaggerOptions options;
	MrenSpill *spill;
	MrenSource source;
	int64 n_skipped;
	MrenEnv env;
	MrenVectorTable *table; /* NULL without embeddings */
	MrenTagTrainer *trainer;
	uint8 lexicons[MREN_MAX_TAG_LEXICONS][MREN_SHA256_LENGTH];
	int32 version;
} Train;

/*
 * Reading
 */

static void
add_row(void *state, TupleTableSlot *slot)
{
	Train *train = state;
	bool isnull;
	Datum value = slot_getattr(slot, 1, &isnull);
	MrenTagExample example;
	bytea *row;
	uint8 *record;
	size_t size;
	MrenError err;

	CHECK_FOR_INTERRUPTS();
	if (isnull)
	{
		train->n_skipped++;
		return;
	}
	row = DatumGetByteaPP(value);
	/* A record is read in place, and it wants an 8-byte address. */
	record = palloc(VARSIZE_ANY_EXHDR(row));
	memcpy(record, VARDATA_ANY(row), VARSIZE_ANY_EXHDR(row));
	MREN_PG_CALL(err, mren_tag_example_read(record, VARSIZE_ANY_EXHDR(row), &example, &size, &err));
	mren_spill_record(train->spill, example.hash, record, size);
	pfree(record);
}

static char *
generate_statement(const char *query, const MrenGoldColumns *columns)
{
	return psprintf("SELECT mren.encode_%s($1, %s) FROM (%s\n) AS q",
					columns->tokens ? "tags" : "mentions", mren_gold_list(columns),
					mren_query_text(query));
}

static void
begin_training(Train *train, size_t memory)
{
	const MrenTaggerOptions *options = &train->options;
	MrenTagTrainerInputs inputs = {.source = train->source, .n_lexicons = options->lexicons.n};
	MrenError err;

	train->env = mren_pg_env(train->job.context);
	if (options->embeddings != NULL)
	{
		int32_t *ids;
		size_t n;

		MREN_PG_CALL(err, mren_tag_source_words(&train->env, &train->source, &ids, &n, &err));
		train->table = mren_training_vectors(&train->env, &options->embedding_row,
											 options->embeddings, ids, n, memory);
		mren_release(&train->env, ids);
		mren_vector_table_vectors(train->table, &inputs.vectors);
		inputs.embeddings_sha256 = options->embedding_row.sha256;
	}
	for (int i = 0; i < options->lexicons.n; i++)
		memcpy(train->lexicons[i], options->lexicons.rows[i].sha256, MREN_SHA256_LENGTH);
	inputs.lexicons_sha256 = (const uint8_t(*)[MREN_SHA256_LENGTH]) train->lexicons;
	MREN_PG_CALL(
		err, mren_tag_trainer_create(&train->env, &options->core, &inputs, &train->trainer, &err));
}

static void
read_rows(MrenJob *job)
{
	Train *train = (Train *) job;
	size_t memory = (size_t) mren_train_memory * 1024;
	Oid types[] = {JSONBOID};
	Datum values[] = {JsonbPGetDatum(train->object)};
	MrenGoldColumns columns;
	MemoryContext old;

	mren_gold_columns(train->query.text, &columns);
	old = MemoryContextSwitchTo(job->context);
	mren_tagger_options(train->object, &train->options);
	mren_models_check_save_kind(train->name, MREN_MODEL_TAGGER, train->options.deploy);
	train->spill = mren_spill_create(0, (MrenGridShape){0}, memory);
	MemoryContextSwitchTo(old);
	mren_query_run(generate_statement(train->query.text, &columns), 1, types, values, add_row,
				   train);
	if (train->n_skipped > 0)
		ereport(NOTICE, (errmsg("%lld rows without words or labels were skipped",
								(long long) train->n_skipped)));
	mren_spill_finish(train->spill, &train->source);
	old = MemoryContextSwitchTo(job->context);
	begin_training(train, memory);
	MemoryContextSwitchTo(old);
}

/*
 * Training
 */

static void
step(void *state, MrenProgress *progress)
{
	Train *train = state;
	MrenError err;

	MREN_PG_CALL(err, mren_tag_trainer_step(train->trainer, progress, &err));
}

/* Figures that equal trainings share: no times, no speeds. */
static char *
metrics_json(const MrenTagReport *report)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfo(&json,
					 "{\"rows\": %zu, \"validation_rows\": %zu, \"types\": %zu, "
					 "\"mentions\": %zu, \"words\": %zu, \"unknown_words\": %zu, "
					 "\"parameters\": %zu, \"epochs\": %d, \"best_epoch\": %d, "
					 "\"refit_epochs\": %d, \"training_loss\": %.9g, \"icu\": \"%s\"",
					 report->n_rows, report->n_validation, report->n_types, report->n_mentions,
					 report->n_words, report->n_unknown_words, report->n_parameters,
					 report->epochs_run, report->best_epoch, report->refit_epochs,
					 report->train_loss, mren_icu_version());
	if (report->validated)
		appendStringInfo(&json, ", \"validation_loss\": %.9g, \"validation_f1\": %.9g",
						 report->validation_loss, report->validation_f1);
	appendStringInfoChar(&json, '}');
	return json.data;
}

static void
save(MrenJob *job)
{
	Train *train = (Train *) job;
	MrenSaveExtra extra = {.deploy = train->options.deploy,
						   .seconds = mren_job_seconds(job),
						   .query = &train->query,
						   .given = JsonbPGetDatum(train->object)};
	MrenNetwork network = {0};
	MrenTagReport report;
	MrenError err;

	MREN_PG_CALL(err, mren_tag_trainer_finish(train->trainer, &network.tagger, &err));
	mren_tag_trainer_report(train->trainer, &report);
	network.options = mren_tagger_options_json(&train->options);
	network.metrics = metrics_json(&report);
	train->version = mren_models_save(train->name, &network, &extra);
	ereport(NOTICE,
			(errmsg_internal("version %d of tagger \"%s\": %zu sentences, %zu mentions of %zu "
							 "types",
							 train->version, train->name, report.n_rows, report.n_mentions,
							 report.n_types)));
	if (job->run.id != 0)
		mren_run_succeed(&job->run, train->version);
}

static void
train_tagger(MrenJob *job)
{
	Train *train = (Train *) job;
	MrenRunStart start = {.model = train->name,
						  .call = "train_tagger",
						  .query = train->query.text,
						  .options = JsonbPGetDatum(train->object)};
	MrenEpochs epochs = {.job = job, .state = train, .step = step};

	mren_models_check_save_kind(train->name, MREN_MODEL_TAGGER, false);
	mren_job_record(job, &start);
	mren_job_piece(job, read_rows);
	mren_job_commit(job);
	epochs.rows = train->source.n;
	mren_epochs_run(&epochs);
	mren_job_piece(job, save);
	mren_job_commit(job);
}

/* Arguments must outlive the first commit: copies, detoasted. */
static Train *
read_args(FunctionCallInfo fcinfo)
{
	Train *train = (Train *) mren_job_create(fcinfo, "mren train tagger", sizeof(Train));
	MemoryContext old = MemoryContextSwitchTo(train->job.context);

	train->name = mren_arg_text(fcinfo, 0, "tagger");
	mren_stored_here(&train->query, mren_arg_text(fcinfo, 1, "query"));
	train->object = PG_ARGISNULL(2)
						? DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")))
						: DatumGetJsonbPCopy(PG_GETARG_DATUM(2));
	MemoryContextSwitchTo(old);
	return train;
}

PG_FUNCTION_INFO_V1(mren_train_tagger);
Datum
mren_train_tagger(PG_FUNCTION_ARGS)
{
	Train *train;
	TupleDesc desc;
	Datum values[1];
	bool nulls[1] = {false};

	PreventCommandIfReadOnly("CALL mren.train_tagger()");
	mren_catalog_require_current();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	train = read_args(fcinfo);
	mren_job_call(&train->job, train_tagger);
	values[0] = Int32GetDatum(train->version);
	mren_job_destroy(&train->job);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
