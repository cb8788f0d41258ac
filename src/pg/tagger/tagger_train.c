/*
 * tagger_train.c
 *	  CALL mren.train_tagger(tagger, query, options, INOUT version).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "pg/resource/text_tokenizers.h"
#include "pg/support/pg_env.h"
#include "pg/support/query.h"
#include "pg/support/settings.h"
#include "pg/tagger/tag_gold.h"
#include "pg/tagger/tagger_setup.h"
#include "pg/train/row_checks.h"
#include "pg/train/train_spill.h"
#include "pg/train/train_call.h"
#include "pg/train/train_vectors.h"
#include "pg/workers/tuning_workers.h"
#include "tagger/tag_example.h"
#include "tagger/train/tagger_trainer.h"
#include "text/tokens.h"

typedef struct Train
{
	MrenTrainCall call;
	MrenTaggerSetup setup;
	MrenTrainSpill *spill;
	MrenSource source;
	bool ranges; /* mentions are given as ranges of characters */
	MrenSpanSlips slips;
	MemoryContext row; /* of one row's ranges */
	int64 n_read;
	int64 n_skipped; /* rows without words or labels */
	MrenEnv env;
	MrenVectorTable *table; /* NULL without embeddings */
	MrenTagTrainer *trainer;
	MrenTagReport report;
	bool checked; /* the words of all rows have been counted */
	uint8 lexicons[MREN_MAX_TAG_LEXICONS][MREN_SHA256_LENGTH];
	MrenEncoderSource text_encoder;
} Train;

/*
 * Reading
 */

/* The sentence and its ranges are columns 2 to 4 of the generated statement. */
static void
check_ranges(Train *train, TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(train->row);
	MrenGold gold;

	MemoryContextReset(train->row);
	slot_getallattrs(slot);
	mren_gold_mentions(slot->tts_values[1], slot->tts_values[2], slot->tts_values[3], &gold);
	mren_gold_slips(&gold, &train->slips, train->n_read);
	MemoryContextSwitchTo(old);
}

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
	train->n_read++;
	if (isnull)
	{
		train->n_skipped++;
		return;
	}
	if (train->ranges)
		check_ranges(train, slot);
	row = DatumGetByteaPP(value);
	/* A record is read in place, so it must be aligned to 8 bytes. */
	record = palloc(VARSIZE_ANY_EXHDR(row));
	memcpy(record, VARDATA_ANY(row), VARSIZE_ANY_EXHDR(row));
	MREN_PG_CALL(err, mren_tag_example_read(record, VARSIZE_ANY_EXHDR(row), &example, &size, &err));
	mren_train_spill_record(train->spill, example.hash, record, size);
	pfree(record);
}

static char *
generate_statement(const char *query, const MrenGoldColumns *columns)
{
	if (columns->tokens)
		return psprintf("SELECT mren.encode_tags($1, %s) FROM (%s\n) AS q", mren_gold_list(columns),
						mren_query_text(query));
	return psprintf("SELECT mren.encode_mentions($1, %s), q.sentence::pg_catalog.text,"
					" q.mentions::pg_catalog.int4range[], q.types::pg_catalog.text[]"
					" FROM (%s\n) AS q",
					mren_gold_list(columns), mren_query_text(query));
}

static void
begin_training(Train *train, size_t memory)
{
	const MrenTaggerSetup *setup = &train->setup;
	MrenTagTrainerInputs inputs = {
		.source = train->source, .n_lexicons = setup->lexicons.n, .memory = memory};
	MrenError err;

	train->env = mren_pg_env(train->call.job.context);
	if (setup->embeddings != NULL)
	{
		int32_t *ids;
		size_t n;

		MREN_PG_CALL(err, mren_tag_source_words(&train->env, &train->source, &ids, &n, &err));
		train->table = mren_train_vectors(&train->env, &setup->embedding_row, setup->embeddings,
										  ids, n, memory);
		mren_release(&train->env, ids);
		mren_vector_table_vectors(train->table, &inputs.vectors);
		inputs.embeddings_sha256 = setup->embedding_row.sha256;
	}
	for (int i = 0; i < setup->lexicons.n; i++)
		memcpy(train->lexicons[i], setup->lexicons.rows[i].sha256, MREN_SHA256_LENGTH);
	if (setup->core.text_encoder != NULL)
	{
		mren_text_encoder_source(&setup->text_encoder_row, &train->text_encoder);
		inputs.encoder = &train->text_encoder;
		inputs.text_encoder_sha256 = setup->text_encoder_row.sha256;
		inputs.team = mren_pool_tuning_team(train->call.job.context);
	}
	inputs.lexicons_sha256 = (const uint8_t(*)[MREN_SHA256_LENGTH]) train->lexicons;
	MREN_PG_CALL(
		err, mren_tag_trainer_create(&train->env, &setup->core, &inputs, &train->trainer, &err));
}

static void
read_rows(MrenTrainCall *call)
{
	Train *train = (Train *) call;
	MemoryContext context = call->job.context;
	size_t memory = (size_t) mren_train_memory * 1024;
	Oid types[] = {JSONBOID};
	Datum values[] = {JsonbPGetDatum(call->object)};
	MrenGoldColumns columns;
	MemoryContext old;

	mren_gold_columns(call->query.text, &columns);
	old = MemoryContextSwitchTo(context);
	mren_tagger_setup_read(call->object, &train->setup);
	call->deploy = train->setup.deploy;
	mren_models_check_save(call->name, MREN_MODEL_TAGGER, call->deploy);
	train->spill = mren_train_spill_create(&(MrenSpillShape){0}, memory);
	train->ranges = !columns.tokens;
	train->slips.context = context;
	train->row = AllocSetContextCreate(context, "mren tag row", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(old);
	mren_query_run(generate_statement(call->query.text, &columns), 1, types, values, add_row,
				   train);
	if (train->n_skipped > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld row without words or labels was skipped",
							   "%lld rows without words or labels were skipped",
							   (unsigned long) train->n_skipped, (long long) train->n_skipped)));
	mren_slips_warn(&train->slips);
	mren_train_spill_finish(train->spill, &train->source);
	call->n_rows = train->source.n;
	call->n_weak = -1;
	old = MemoryContextSwitchTo(context);
	begin_training(train, memory);
	MemoryContextSwitchTo(old);
}

/*
 * Training
 */

/* Once the trainer has read all rows. */
static void
check_vectors(Train *train)
{
	MrenTagReport *report = &train->report;

	mren_tag_trainer_report(train->trainer, report);
	if (report->n_rows < train->source.n)
		return;
	train->checked = true;
	mren_train_check_vectors(train->setup.embeddings, report->n_words,
							 report->n_words - report->n_unknown_words);
}

static void
step(void *state, MrenProgress *progress)
{
	Train *train = state;
	MrenError err;

	MREN_PG_CALL(err, mren_tag_trainer_step(train->trainer, progress, &err));
	if (!train->checked)
		check_vectors(train);
}

/* Without times and speeds, so that equal trainings have equal metrics. */
static char *
metrics_json(const MrenTaggerSetup *setup, const MrenTagReport *report)
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
	if (setup->embeddings != NULL && setup->core.text_encoder == NULL &&
		report->n_unknown_words == report->n_words)
		appendStringInfoString(&json, ", \"no_vectors\": true");
	if (report->n_windowed > 0)
		appendStringInfo(&json, ", \"windowed_rows\": %zu", report->n_windowed);
	if (report->encoder_restarts > 0)
		appendStringInfo(&json, ", \"encoder_restarts\": %d", report->encoder_restarts);
	if (report->validated)
		appendStringInfo(&json, ", \"validation_loss\": %.9g, \"validation_f1\": %.9g",
						 report->validation_loss, report->validation_f1);
	appendStringInfoChar(&json, '}');
	return json.data;
}

static void
finish(MrenTrainCall *call, MrenNetwork *network)
{
	Train *train = (Train *) call;
	MrenError err;

	MREN_PG_CALL(err, mren_tag_trainer_finish(train->trainer, &network->tagger, &err));
	mren_tag_trainer_report(train->trainer, &train->report);
	network->options = mren_tagger_setup_json(&train->setup);
	network->metrics = metrics_json(&train->setup, &train->report);
}

static void
notice(const MrenTrainCall *call, const MrenNetwork *network)
{
	const MrenTagReport *report = &((const Train *) call)->report;

	ereport(NOTICE, (errmsg_internal("version %d of tagger \"%s\": sentences: %zu, mentions: %zu, "
									 "types: %zu",
									 call->version, call->name, report->n_rows, report->n_mentions,
									 report->n_types)));
}

static const MrenTrainKind kind = {
	.procedure = "train_tagger",
	.name_argument = "tagger",
	.model = MREN_MODEL_TAGGER,
	.size = sizeof(Train),
	.read = read_rows,
	.step = step,
	.finish = finish,
	.notice = notice,
};

PG_FUNCTION_INFO_V1(mren_train_tagger);
Datum
mren_train_tagger(PG_FUNCTION_ARGS)
{
	return mren_train_call(fcinfo, &kind);
}
