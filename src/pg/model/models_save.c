/*
 * models_save.c
 *	  Saving a version: its row, and the tensors of its network in parts.
 *
 * All of it happens in one transaction, under the lock on the model's row.
 */
#include "pg/model/models.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "audio/logmel.h"
#include "base/buffer.h"
#include "pg/support/args.h"
#include "pg/support/json_options.h"
#include "pg/support/pg_env.h"

/* Bytes of one row of mren.weight: a few times what TOAST handles at once, and
 * far below the limit of a field. */
#define PART_BYTES (1024 * 1024)

PG_FUNCTION_INFO_V1(mren_save_model);

static int32
next_version(int64 model)
{
	Oid types[] = {INT8OID};
	Datum values[] = {Int64GetDatum(model)};
	bool isnull;

	mren_models_run("UPDATE mren.model SET last_version = last_version OPERATOR(pg_catalog.+) 1"
					" WHERE id OPERATOR(pg_catalog.=) $1 RETURNING last_version",
					1, types, values);
	return DatumGetInt32(mren_models_result(1, &isnull));
}

static Datum
bytes_datum(const void *bytes, size_t len)
{
	bytea *value;

	if (len > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("network header of %zu bytes exceeds the maximum size of a value", len),
				 errhint("The header holds a hash of each training row: train on fewer rows.")));
	value = palloc(VARHDRSZ + len);
	SET_VARSIZE(value, VARHDRSZ + len);
	memcpy(VARDATA(value), bytes, len);
	return PointerGetDatum(value);
}

static Datum
head_datum(const MrenNetwork *network)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenError err;
	uint8_t *bytes;
	size_t len;
	Datum head;

	if (network->tagger != NULL)
		MREN_PG_CALL(err, mren_tagger_header(network->tagger, &env, &bytes, &len, &err));
	else
		MREN_PG_CALL(err, mren_net_header(network->net, &env, &bytes, &len, &err));
	head = bytes_datum(bytes, len);
	mren_release(&env, bytes);
	return head;
}

/* What a version needs, by hash, and what it was trained on. */
typedef struct Needs
{
	uint8 embeddings[MREN_SHA256_LENGTH];
	uint8 encoder[MREN_SHA256_LENGTH];
	bool has_embeddings;
	bool has_encoder;
	uint8 audio[MREN_SHA256_LENGTH];
	bool has_audio;
	Datum text_encoder; /* bytea, or 0 */
	Datum lexicons;		/* bytea[], or 0 */
	size_t n_training_rows;
} Needs;

static Datum
hashes_datum(const uint8 (*hashes)[MREN_SHA256_LENGTH], size_t n)
{
	Datum values[MREN_MAX_TAG_LEXICONS];

	if (n == 0)
		return (Datum) 0;
	for (size_t i = 0; i < n; i++)
		values[i] = bytes_datum(hashes[i], MREN_SHA256_LENGTH);
	return PointerGetDatum(construct_array(values, (int) n, BYTEAOID, -1, false, TYPALIGN_INT));
}

static void
needs_of(const MrenNetwork *network, Needs *needs)
{
	MrenNetInfo info;
	MrenTaggerInfo tagger;

	memset(needs, 0, sizeof(*needs));
	if (network->tagger != NULL)
	{
		mren_tagger_info(network->tagger, &tagger);
		needs->has_embeddings = tagger.embedding_dim > 0;
		memcpy(needs->embeddings, tagger.embeddings_sha256, MREN_SHA256_LENGTH);
		needs->lexicons = hashes_datum((const uint8(*)[MREN_SHA256_LENGTH]) tagger.lexicons_sha256,
									   tagger.n_lexicons);
		if (tagger.encoder_dim > 0)
			needs->text_encoder = bytes_datum(tagger.text_encoder_sha256, MREN_SHA256_LENGTH);
		needs->n_training_rows = tagger.n_training_rows;
		return;
	}
	mren_net_info(network->net, &info);
	needs->has_embeddings = info.embedding_dim > 0;
	if (info.n_lexicons > 0)
		needs->lexicons = hashes_datum((const uint8(*)[MREN_SHA256_LENGTH]) info.lexicons_sha256,
									   info.n_lexicons);
	needs->has_encoder = info.has_image;
	/* Log-mel statistics need no encoder to be loaded. */
	needs->has_audio = info.audio_dim > 0 &&
					   memcmp(info.audio_sha256, mren_logmel_identity, MREN_SHA256_LENGTH) != 0;
	memcpy(needs->audio, info.audio_sha256, MREN_SHA256_LENGTH);
	if (info.text_encoder_sha256 != NULL)
		needs->text_encoder = bytes_datum(info.text_encoder_sha256, MREN_SHA256_LENGTH);
	memcpy(needs->embeddings, info.embeddings_sha256, MREN_SHA256_LENGTH);
	memcpy(needs->encoder, info.encoder_sha256, MREN_SHA256_LENGTH);
	needs->n_training_rows = info.n_training_rows;
}

/* Inserts the row of a version; returns its id. */
static int64
insert_version(int64 model, int32 version, const MrenNetwork *network, const MrenSaveExtra *extra)
{
	Oid types[] = {INT8OID,		 INT4OID,  NAMEOID,		  BYTEAOID, BYTEAOID,  BYTEAOID, BYTEAOID,
				   TEXTARRAYOID, JSONBOID, JSONBOID,	  INT8OID,	FLOAT8OID, TEXTOID,	 TEXTOID,
				   NAMEOID,		 JSONBOID, BYTEAARRAYOID, BYTEAOID, BYTEAOID};
	Datum values[lengthof(types)];
	char nulls[lengthof(types)];
	uint8 sha256[MREN_SHA256_LENGTH];
	Needs needs;
	bool isnull;

	memset(nulls, ' ', sizeof(nulls));
	needs_of(network, &needs);
	mren_network_sha256(network, sha256);
	values[0] = Int64GetDatum(model);
	values[1] = Int32GetDatum(version);
	values[2] = mren_current_user_name();
	values[3] = head_datum(network);
	values[4] = bytes_datum(sha256, sizeof(sha256));
	values[5] = bytes_datum(needs.embeddings, sizeof(needs.embeddings));
	nulls[5] = needs.has_embeddings ? ' ' : 'n';
	values[6] = bytes_datum(needs.encoder, sizeof(needs.encoder));
	nulls[6] = needs.has_encoder ? ' ' : 'n';
	values[7] = mren_network_relations(network);
	values[8] = mren_network_jsonb(network->options);
	values[9] = network->metrics != NULL ? mren_network_jsonb(network->metrics) : (Datum) 0;
	nulls[9] = network->metrics != NULL ? ' ' : 'n';
	values[10] = Int64GetDatum((int64) needs.n_training_rows);
	values[11] = Float8GetDatum(extra->seconds);
	nulls[11] = extra->seconds >= 0 ? ' ' : 'n';
	nulls[12] = nulls[13] = nulls[14] = nulls[15] = 'n';
	if (extra->query != NULL)
	{
		const MrenStoredQuery *query = extra->query;

		nulls[12] = nulls[14] = nulls[15] = ' ';
		values[12] = CStringGetTextDatum(query->text);
		if (query->search_path != NULL)
		{
			nulls[13] = ' ';
			values[13] = CStringGetTextDatum(query->search_path);
		}
		values[14] = NameGetDatum(&query->owner);
		values[15] = extra->given;
	}
	values[16] = needs.lexicons;
	nulls[16] = needs.lexicons != (Datum) 0 ? ' ' : 'n';
	values[17] = needs.text_encoder;
	nulls[17] = needs.text_encoder != (Datum) 0 ? ' ' : 'n';
	values[18] = bytes_datum(needs.audio, sizeof(needs.audio));
	nulls[18] = needs.has_audio ? ' ' : 'n';
	mren_catalog_write(
		"INSERT INTO mren.model_version (model, version, created_at, created_by, head, sha256,"
		" embeddings, encoder, relations, options, metrics, training_rows, seconds, query,"
		" search_path, query_owner, given, lexicons, text_encoder, audio_encoder)"
		" VALUES ($1, $2, pg_catalog.clock_timestamp(), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
		" $13, $14, $15, $16, $17, $18, $19)"
		" RETURNING id",
		lengthof(types), types, values, nulls);
	return DatumGetInt64(mren_models_result(1, &isnull));
}

static void
insert_part(int64 version, int tensor, int part, const MrenTensorView *view, Datum data)
{
	Oid types[] = {INT8OID, INT4OID, INT4OID, TEXTOID, INT4ARRAYOID, BYTEAOID};
	Datum shape[] = {Int32GetDatum((int32) view->rows), Int32GetDatum((int32) view->cols)};
	Datum values[] = {Int64GetDatum(version),
					  Int32GetDatum(tensor),
					  Int32GetDatum(part),
					  CStringGetTextDatum(view->name),
					  PointerGetDatum(construct_array(shape, 2, INT4OID, 4, true, TYPALIGN_INT)),
					  data};

	mren_models_run("INSERT INTO mren.weight (version, tensor, part, name, shape, data)"
					" VALUES ($1, $2, $3, $4, $5, $6)",
					lengthof(types), types, values);
}

/* Inserts a tensor in parts; one without elements still has a part, which names it. */
static void
insert_tensor(int64 version, int tensor, const MrenTensorView *view)
{
	size_t n = view->rows * view->cols;
	size_t step = PART_BYTES / sizeof(float);
	size_t done = 0;
	int part = 0;

	do
	{
		size_t count = Min(step, n - done);
		bytea *data = palloc(VARHDRSZ + count * sizeof(float));
		MrenBuffer out = {.data = (uint8_t *) VARDATA(data), .capacity = count * sizeof(float)};

		CHECK_FOR_INTERRUPTS();
		SET_VARSIZE(data, VARHDRSZ + count * sizeof(float));
		mren_buffer_put_floats(&out, view->data + done, count);
		insert_part(version, tensor, part++, view, PointerGetDatum(data));
		pfree(data);
		done += count;
	} while (done < n);
}

static void
insert_weights(int64 version, const MrenNetwork *network)
{
	const MrenTagger *tagger = network->tagger;
	size_t n = tagger != NULL ? mren_tagger_n_tensors(tagger) : mren_net_n_tensors(network->net);

	for (size_t i = 0; i < n; i++)
	{
		MrenTensorView view;

		if (tagger != NULL)
			mren_tagger_tensor(tagger, i, &view);
		else
			mren_net_tensor(network->net, i, &view);
		insert_tensor(version, (int) i, &view);
	}
}

/* Whether the JSON object has a member `key` that is true. */
static bool
is_true(const char *json, const char *key)
{
	Jsonb *jsonb = DatumGetJsonbP(mren_network_jsonb(json));
	const JsonbValue *value = mren_json_options_find(jsonb, key);

	return value != NULL && value->type == jbvBool && value->val.boolean;
}

/* Whether its metrics have a member `key` that is true: see mren_train_network_end. */
static bool
has_flaw(const MrenNetwork *network, const char *key)
{
	return network->metrics != NULL && is_true(network->metrics, key);
}

/* Whether a version that is to be deployed, by request or as the first one, is good enough. */
static bool
is_deployed(const MrenNetwork *network, bool asked, bool first)
{
	if (has_flaw(network, "diverged"))
		return false;
	return asked || (first && !has_flaw(network, "no_vectors"));
}

static void
report_not_deployed(const char *model, int32 version, const MrenNetwork *network)
{
	if (has_flaw(network, "diverged"))
		ereport(WARNING,
				(errmsg("version %d of model \"%s\" is not deployed, since its training diverged",
						version, model),
				 errdetail("Its loss is far above that of a model that knows nothing."),
				 errhint("Lower option \"learning_rate\".")));
	else if (has_flaw(network, "no_vectors"))
		ereport(
			WARNING,
			(errmsg("version %d of model \"%s\" is not deployed, since none of the words of its "
					"rows has a vector",
					version, model),
			 errhint("Train with other embeddings, or without any by the option "
					 "\"embeddings\": null. To deploy it all the same: SELECT "
					 "mren.promote(%s, %d);",
					 quote_literal_cstr(model), version)));
	else
		ereport(NOTICE, (errmsg("version %d of model \"%s\" is not deployed", version, model),
						 errhint("To deploy it: SELECT mren.promote(%s, %d); or train with the "
								 "option \"deploy\": true.",
								 quote_literal_cstr(model), version)));
}

int32
mren_models_save(const char *model, const MrenNetwork *network, const MrenSaveExtra *extra)
{
	MrenModelRow row;
	int32 version;
	int64 id;

	mren_models_begin("mren.save_model()");
	mren_models_lock_or_create(model,
							   network->tagger != NULL ? MREN_MODEL_TAGGER : MREN_MODEL_RELATION,
							   extra->deploy, &row);
	version = next_version(row.id);
	id = insert_version(row.id, version, network, extra);
	mren_models_check_needs(model, id, extra->trained || (extra->deploy && row.deployed != 0));
	insert_weights(id, network);
	if (is_deployed(network, extra->deploy, row.deployed == 0))
		mren_models_deploy(row.id, id);
	else if (!extra->judged)
		report_not_deployed(model, version, network);
	mren_models_end();
	return version;
}

Datum
mren_save_model(PG_FUNCTION_ARGS)
{
	char *model = mren_arg_text(fcinfo, 0, "model");
	MrenSaveExtra extra = {.seconds = -1};
	MrenNetwork network;

	mren_arg_required(fcinfo, 1, "network");
	mren_network_read(PG_GETARG_DATUM(1), CurrentMemoryContext, &network);
	extra.deploy = is_true(network.options, "deploy");
	PG_RETURN_INT32(mren_models_save(model, &network, &extra));
}
