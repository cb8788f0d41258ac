/*
 * train_agg.c
 *	  mren.train_agg: the aggregate that trains a network on its rows.
 *
 * The state, mren.training_set, is a concrete type in expanded form: rows are
 * appended in place, and flattened only when a parallel worker or another node
 * passes on its part.  Each row is encoded once, where it is read.  Joining two
 * states commutes, and the final function sorts the rows, so any plan trains
 * the same network.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/expandeddatum.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "data/examples.h"
#include "pg/predict/predictor.h"
#include "pg/support/args.h"
#include "pg/support/pg_env.h"
#include "pg/support/settings.h"
#include "pg/train/encode_row.h"
#include "pg/train/row_checks.h"
#include "pg/train/train_network.h"
#include "pg/train/train_agg_extras.h"
#include "pg/train/train_setup.h"

#define TRAINING_SET_MAGIC 0x6d74736b

/*
 * A flat state in which rows were left out ends with their number and a byte
 * SKIPPED_MARK.  The examples before it are of an even length, so an odd one shows
 * that these bytes are there.
 */
#define SKIPPED_BYTES 9
#define SKIPPED_MARK 's'

typedef struct TrainingSet
{
	ExpandedObjectHeader hdr;
	int magic;
	MrenEnv env; /* of the object's own context */
	MrenExamples *examples;
	int64 n_bad; /* rows left out: see SKIPPED_BYTES */
} TrainingSet;

/*
 * The expanded object
 */

static Size
set_flat_size(ExpandedObjectHeader *header)
{
	TrainingSet *set = (TrainingSet *) header;
	size_t size = mren_examples_flat_size(set->examples);

	if (size > MaxAllocSize - VARHDRSZ - SKIPPED_BYTES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("training set of %zu rows exceeds the maximum size of a value",
							   mren_examples_count(set->examples)),
						errhint("Use CALL mren.train, which takes any number of rows.")));
	return size + VARHDRSZ + (set->n_bad > 0 ? SKIPPED_BYTES : 0);
}

static void
set_flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	TrainingSet *set = (TrainingSet *) header;

	SET_VARSIZE(result, size);
	mren_examples_flatten(set->examples, (uint8_t *) VARDATA(result));
	if (set->n_bad > 0)
	{
		char *end = (char *) result + size;

		memcpy(end - SKIPPED_BYTES, &set->n_bad, sizeof(set->n_bad));
		end[-1] = SKIPPED_MARK;
	}
}

static const ExpandedObjectMethods set_methods = {set_flat_size, set_flatten_into};

static TrainingSet *
set_create(MemoryContext parent)
{
	MemoryContext context =
		AllocSetContextCreate(parent, "mren training set", ALLOCSET_DEFAULT_SIZES);
	TrainingSet *set = MemoryContextAllocZero(context, sizeof(TrainingSet));

	EOH_init_header(&set->hdr, &set_methods, context);
	set->magic = TRAINING_SET_MAGIC;
	set->env = mren_pg_env(context);
	return set;
}

static TrainingSet *
set_parse(const char *bytes, size_t len, MemoryContext parent)
{
	TrainingSet *set = set_create(parent);
	MrenError err;

	if (len % 2 == 1 && len > SKIPPED_BYTES && bytes[len - 1] == SKIPPED_MARK)
	{
		len -= SKIPPED_BYTES;
		memcpy(&set->n_bad, bytes + len, sizeof(set->n_bad));
	}
	if (set->n_bad < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("training set has an invalid number of skipped rows")));
	MREN_PG_CALL(
		err, mren_examples_parse(&set->env, (const uint8_t *) bytes, len, &set->examples, &err));
	return set;
}

/* The object of a Datum: itself if it is read-write, otherwise a copy. */
static TrainingSet *
set_of_datum(Datum value, MemoryContext parent)
{
	struct varlena *flat;

	if (VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(value)))
	{
		TrainingSet *set = (TrainingSet *) DatumGetEOHP(value);

		Assert(set->magic == TRAINING_SET_MAGIC);
		return set;
	}
	flat = PG_DETOAST_DATUM(value);
	return set_parse(VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat), parent);
}

PG_FUNCTION_INFO_V1(mren_training_set_in);
/* Takes the notation of bytea; everything is checked. */
Datum
mren_training_set_in(PG_FUNCTION_ARGS)
{
	bytea *bytes = DatumGetByteaPP(DirectFunctionCall1(byteain, PG_GETARG_DATUM(0)));

	PG_RETURN_DATUM(EOHPGetRWDatum(
		&set_parse(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), CurrentMemoryContext)->hdr));
}

PG_FUNCTION_INFO_V1(mren_training_set_out);
Datum
mren_training_set_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(
		DirectFunctionCall1(byteaout, PointerGetDatum(PG_DETOAST_DATUM(PG_GETARG_DATUM(0)))));
}

PG_FUNCTION_INFO_V1(mren_training_set_recv);
Datum
mren_training_set_recv(PG_FUNCTION_ARGS)
{
	StringInfo message = (StringInfo) PG_GETARG_POINTER(0);
	int len = message->len - message->cursor;

	PG_RETURN_DATUM(
		EOHPGetRWDatum(&set_parse(pq_getmsgbytes(message, len), len, CurrentMemoryContext)->hdr));
}

PG_FUNCTION_INFO_V1(mren_training_set_send);
Datum
mren_training_set_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0)));
}

/*
 * The transition
 */

static void
set_head(const MrenEncodeSite *site, TrainingSet *set)
{
	MrenExamplesHead head = {.dim = site->setup.embedding_row.dimension};
	MrenError err;

	head.options = site->json;
	head.n_options = strlen(site->json);
	memcpy(head.embeddings, site->setup.embedding_row.sha256, MREN_SHA256_LENGTH);
	if (site->setup.image_encoder != NULL)
	{
		head.has_encoder = true;
		memcpy(head.encoder, site->setup.encoder_row.identity, MREN_SHA256_LENGTH);
		head.image_dim = site->setup.encoder_row.dimension;
		head.grid = site->setup.grid;
	}
	head.audio_dim = site->setup.audio_dimension;
	memcpy(head.audio_encoder, site->setup.audio_identity, MREN_SHA256_LENGTH);
	MREN_PG_CALL(err, mren_examples_create(&set->env, &head, &set->examples, &err));
}

/* All rows of one training have the same options. */
static void
check_options(const MrenEncodeSite *site, const TrainingSet *set)
{
	MrenExamplesHead head;

	mren_examples_head(set->examples, &head);
	if (head.n_options != strlen(site->json) ||
		memcmp(head.options, site->json, head.n_options) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("options of a training must be the same for all rows"),
						errhint("Give a constant, or group by the options.")));
}

static void
check_memory(const TrainingSet *set)
{
	size_t bytes = mren_examples_bytes(set->examples);

	if (bytes > (size_t) mren_aggregate_memory * 1024)
		ereport(
			ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("training set of %zu rows exceeds mren.aggregate_memory (%d kB)",
					mren_examples_count(set->examples), mren_aggregate_memory),
			 errhint("Raise mren.aggregate_memory, or use CALL mren.train, which takes any number "
					 "of rows.")));
}

/* The numbers of the optional arguments; -1: the form of the function has none. */
typedef struct Form
{
	int image;
	int extras;
	int options;
	bool ranges;
} Form;

/* Arguments: state, sentence, head, tail, relation, then as form says. */
enum
{
	STATE,
	SENTENCE,
	HEAD,
	TAIL,
	RELATION
};

/* Warns at the first one, since it is not known which row is the last of this state. */
static void
check_ranges(MrenEncodeSite *site, const MrenPair *pair)
{
	int64 n = site->slips.n;

	site->slips.context = site->base.site;
	mren_slips_pair(&site->slips, pair, NULL, site->n_rows);
	if (n == 0)
		mren_slips_warn(&site->slips);
}

/* Encodes the row of the arguments, in the current context. */
static MrenRowImage
encode_row(FunctionCallInfo fcinfo, const Form *form, MrenEncodeSite *site, MrenExample *example)
{
	MrenTrainAggExtras extras = {.weight = 1};
	MrenPair pair = {0};
	MrenRowImage image;

	mren_pair_sentence(&pair, PG_GETARG_DATUM(SENTENCE));
	mren_pair_mentions(&pair, PG_GETARG_DATUM(HEAD), PG_GETARG_DATUM(TAIL), form->ranges);
	if (form->image >= 0 && !PG_ARGISNULL(form->image))
		pair.image = PG_GETARG_BYTEA_PP(form->image);
	if (form->extras >= 0 && !PG_ARGISNULL(form->extras))
		mren_train_agg_extras_read(PG_GETARG_JSONB_P(form->extras), &pair, &extras);
	mren_pair_check(&pair);
	if (form->ranges)
		check_ranges(site, &pair);
	if (!PG_ARGISNULL(RELATION))
		extras.label.relation = mren_datum_utf8(PG_GETARG_DATUM(RELATION));
	image = mren_encode_row(site, &pair, &extras.label, example);
	example->weight = extras.weight;
	example->split = extras.split;
	mren_encode_holdout(site, &pair, example);
	return image;
}

/* Encodes the row and appends it. */
static void
add_row(FunctionCallInfo fcinfo, const Form *form, MrenEncodeSite *site, TrainingSet *set)
{
	MrenExample example;
	MrenRowImage image = encode_row(fcinfo, form, site, &example);
	MrenError err;

	if (image.grid != NULL)
		MREN_PG_CALL(err, mren_examples_add_grid(set->examples, &example.image, image.grid, &err));
	MREN_PG_CALL(err, mren_examples_append_row(set->examples, &example,
											   &(MrenRowVectors){image.vector, image.audio}, &err));
}

/* The same; a row that cannot be used is an error that names it, or is counted. */
static void
try_row(FunctionCallInfo fcinfo, const Form *form, MrenEncodeSite *site, TrainingSet *set)
{
	PG_TRY();
	{
		add_row(fcinfo, form, site, set);
	}
	PG_CATCH();
	{
		MrenRowError error;

		MemoryContextSwitchTo(site->base.row);
		error = mren_row_error_catch();
		site->errors.context = site->base.site;
		site->errors.skip = site->setup.skip_bad;
		mren_row_errors_add(&site->errors, NULL, site->n_rows, &error);
		if (site->errors.n <= MREN_ROW_ERRORS_LISTED)
			ereport(NOTICE, (errmsg("row %lld was skipped", (long long) site->n_rows),
							 errdetail_internal("%s", error.message)));
		set->n_bad++;
	}
	PG_END_TRY();
}

static bool
has_probabilities(FunctionCallInfo fcinfo, const Form *form)
{
	JsonbValue found;

	if (form->extras < 0 || PG_ARGISNULL(form->extras))
		return false;
	return getKeyJsonValueFromContainer(&PG_GETARG_JSONB_P(form->extras)->root, "probabilities",
										strlen("probabilities"), &found) != NULL;
}

static Datum
accumulate(FunctionCallInfo fcinfo, const Form *form)
{
	MemoryContext aggregate;
	MemoryContext old;
	MrenEncodeSite *site;
	TrainingSet *set;

	if (!AggCheckCallContext(fcinfo, &aggregate))
		elog(ERROR, "mren.train_accum called outside of an aggregate");
	site = mren_encode_site(fcinfo, form->options);
	if (PG_ARGISNULL(STATE))
	{
		set = set_create(aggregate);
		set_head(site, set);
	}
	else
	{
		set = set_of_datum(PG_GETARG_DATUM(STATE), aggregate);
		check_options(site, set);
	}
	site->n_rows++;
	/* A row without sentence, mention or label is skipped. */
	if (PG_ARGISNULL(SENTENCE) || PG_ARGISNULL(HEAD) || PG_ARGISNULL(TAIL) ||
		(PG_ARGISNULL(RELATION) && !has_probabilities(fcinfo, form)))
		PG_RETURN_DATUM(EOHPGetRWDatum(&set->hdr));

	MemoryContextReset(site->base.row);
	old = MemoryContextSwitchTo(site->base.row);
	try_row(fcinfo, form, site, set);
	MemoryContextSwitchTo(old);
	check_memory(set);
	PG_RETURN_DATUM(EOHPGetRWDatum(&set->hdr));
}

PG_FUNCTION_INFO_V1(mren_train_accum);
Datum
mren_train_accum(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, &(Form){-1, -1, -1, false});
}

PG_FUNCTION_INFO_V1(mren_train_accum_range);
Datum
mren_train_accum_range(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, &(Form){-1, -1, -1, true});
}

PG_FUNCTION_INFO_V1(mren_train_accum_options);
Datum
mren_train_accum_options(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, &(Form){5, -1, 6, false});
}

PG_FUNCTION_INFO_V1(mren_train_accum_options_range);
Datum
mren_train_accum_options_range(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, &(Form){5, -1, 6, true});
}

PG_FUNCTION_INFO_V1(mren_train_accum_extras);
Datum
mren_train_accum_extras(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, &(Form){5, 6, 7, false});
}

PG_FUNCTION_INFO_V1(mren_train_accum_extras_range);
Datum
mren_train_accum_extras_range(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, &(Form){5, 6, 7, true});
}

PG_FUNCTION_INFO_V1(mren_train_combine);
/*
 * Joins two states.  Not STRICT: a worker or a shard without rows gives NULL,
 * and the other state must then be copied into the aggregate's own context.
 */
Datum
mren_train_combine(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate;
	TrainingSet *into;
	TrainingSet *from;
	MrenError err;

	if (!AggCheckCallContext(fcinfo, &aggregate))
		elog(ERROR, "mren.train_combine called outside of an aggregate");
	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (PG_ARGISNULL(0))
	{
		struct varlena *flat = PG_DETOAST_DATUM(PG_GETARG_DATUM(1));

		into = set_parse(VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat), aggregate);
		PG_RETURN_DATUM(EOHPGetRWDatum(&into->hdr));
	}
	into = set_of_datum(PG_GETARG_DATUM(0), aggregate);
	from = set_of_datum(PG_GETARG_DATUM(1), CurrentMemoryContext);
	MREN_PG_CALL(err, mren_examples_merge(into->examples, from->examples, &err));
	into->n_bad += from->n_bad;
	check_memory(into);
	PG_RETURN_DATUM(EOHPGetRWDatum(&into->hdr));
}

/* Reads the options in effect, with resolved names, from the head of the state. */
static void
read_setup(const MrenExamplesHead *head, MrenTrainSetup *setup)
{
	char *json = pnstrdup(head->options, head->n_options);
	Jsonb *object = DatumGetJsonbP(mren_network_jsonb(json));

	mren_train_setup_read(object, setup);
	/* The head names an encoder that was taken because it is the only one, too. */
	setup->encoder_named = false;
	if (memcmp(setup->embedding_row.sha256, head->embeddings, MREN_SHA256_LENGTH) != 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("embeddings \"%s\" are not the ones that the rows were encoded with",
							   setup->embeddings)));
	if (head->has_encoder &&
		(setup->image_encoder == NULL ||
		 memcmp(setup->encoder_row.identity, head->encoder, MREN_SHA256_LENGTH) != 0))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("image encoder is not the one that the rows were encoded with")));
}

PG_FUNCTION_INFO_V1(mren_train_final);
Datum
mren_train_final(PG_FUNCTION_ARGS)
{
	MrenTrainSetup setup;
	MrenExamplesHead head;
	MrenTrainReport report;
	MrenProgress progress;
	MrenNetworkTraining training;
	MrenNetwork network;
	MrenSource source;
	MrenError err;
	TrainingSet *set;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("there are no rows to train on")));
	set = set_of_datum(PG_GETARG_DATUM(0), CurrentMemoryContext);
	mren_examples_head(set->examples, &head);
	read_setup(&head, &setup);
	MREN_PG_CALL(err, mren_examples_source(set->examples, &source, &err));
	mren_train_check_rows(&setup, &source);
	mren_train_network_begin(&training, &setup, &source, (size_t) mren_train_memory * 1024);
	training.n_bad = set->n_bad;
	if (set->n_bad > 0)
		ereport(NOTICE, (errmsg_plural("%lld row that cannot be used was skipped",
									   "%lld rows that cannot be used were skipped",
									   (unsigned long) set->n_bad, (long long) set->n_bad)));
	do
	{
		CHECK_FOR_INTERRUPTS();
		mren_train_network_step(&training, &progress);
	} while (progress.event != MREN_TRAIN_DONE);
	mren_train_network_end(&training, &network, &report);
	mren_train_network_warn(&report);
	PG_RETURN_DATUM(mren_network_datum(&network));
}
