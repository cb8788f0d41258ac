/*
 * models.c
 *	  A model's life: versions saved, deployed, taken back, dropped, moved.
 *
 * Rights are checked before the model's row is locked, so that nobody can hold
 * a lock on what they may not change, and again after it, because the row may
 * have changed while the lock was waited for.  What is read under the lock is
 * read through SPI with a snapshot of its own; the caller's may be older.
 */
#include "pg/models.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/snapmgr.h"

#include "net/buffer.h"
#include "pg/args.h"
#include "pg/env.h"

/* Bytes of one row of mren.weight: a few times what TOAST handles at once, and
 * far below the limit of a field. */
#define PART_BYTES (1024 * 1024)

PG_FUNCTION_INFO_V1(mren_save_model);
PG_FUNCTION_INFO_V1(mren_export_model);
PG_FUNCTION_INFO_V1(mren_import_model);

/*
 * Statements
 */

void
mren_models_begin(const char *function)
{
	PreventCommandIfReadOnly(function);
	mren_catalog_require_current();
	SPI_connect();
}

void
mren_models_end(void)
{
	SPI_finish();
}

uint64
mren_models_run(const char *sql, int n, const Oid *types, const Datum *values)
{
	return mren_catalog_write(sql, n, types, values, NULL);
}

Datum
mren_models_result(int attno, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, attno, isnull);
}

/*
 * Locking a model
 */

/* The model's row as it is now, locked; false when there is none. */
static bool
lock_row(const char *model, MrenModelRow *row)
{
	Oid types[] = {TEXTOID};
	Datum values[] = {CStringGetTextDatum(model)};
	bool isnull;

	if (mren_models_run("SELECT id, owner, deployed, last_version FROM mren.model"
						" WHERE name OPERATOR(pg_catalog.=) $1 FOR UPDATE",
						1, types, values) == 0)
		return false;
	row->id = DatumGetInt64(mren_models_result(1, &isnull));
	row->owner = *DatumGetName(mren_models_result(2, &isnull));
	row->deployed = DatumGetInt64(mren_models_result(3, &isnull));
	if (isnull)
		row->deployed = 0;
	row->last_version = DatumGetInt32(mren_models_result(4, &isnull));
	return true;
}

/* An error unless the user holds the privilege by what is committed now. */
static void
require_now(const char *model, MrenPrivilege privilege)
{
	MrenModelRow row;

	PushActiveSnapshot(GetTransactionSnapshot());
	mren_catalog_require(model, privilege, &row);
	PopActiveSnapshot();
}

void
mren_models_lock(const char *model, MrenPrivilege privilege, MrenModelRow *row)
{
	require_now(model, privilege);
	/* No row: it was dropped since, and perhaps made anew. */
	while (!lock_row(model, row))
		require_now(model, privilege);
	require_now(model, privilege);
}

/*
 * Saving
 */

void
mren_models_check_save_kind(const char *model, MrenModelKind kind, bool deploy)
{
	MrenModelRow row;

	mren_check_name("model", model);
	PushActiveSnapshot(GetTransactionSnapshot());
	if (mren_catalog_model(model, &row))
	{
		mren_catalog_require(model, MREN_PRIVILEGE_TRAIN, &row);
		mren_catalog_require_kind(model, &row, kind);
		/* Deploying over another version is promoting. */
		if (deploy && row.deployed != 0)
			mren_catalog_require(model, MREN_PRIVILEGE_ADMIN, &row);
	}
	PopActiveSnapshot();
}

void
mren_models_check_save(const char *model, bool deploy)
{
	mren_models_check_save_kind(model, MREN_MODEL_RELATION, deploy);
}

/*
 * Locks the model's row, making it first if there is none.  Whoever creates the
 * same model at the same time waits here for the other's end, then finds its
 * row, and must hold the privilege on it.  A model dropped between the two
 * statements is made anew.
 */
static void
lock_or_create(const char *model, MrenModelKind kind, bool deploy, MrenModelRow *row)
{
	Oid types[] = {TEXTOID, NAMEOID, TEXTOID};
	Datum values[] = {
		CStringGetTextDatum(model),
		DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(GetUserId(), false))),
		CStringGetTextDatum(kind == MREN_MODEL_TAGGER ? "tagger" : "relation")};

	mren_models_check_save_kind(model, kind, deploy);
	while (!lock_row(model, row))
	{
		CHECK_FOR_INTERRUPTS();
		mren_models_run(
			"INSERT INTO mren.model (name, owner, last_version, created_at, kind)"
			" VALUES ($1, $2, 0, pg_catalog.clock_timestamp(), $3) ON CONFLICT (name) DO NOTHING",
			3, types, values);
	}
	mren_models_check_save_kind(model, kind, deploy);
}

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
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("the head of a network of %zu bytes does not fit a value", len),
						errhint("It holds a hash of each training row: train on fewer rows.")));
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
		MREN_PG_TRY(mren_tagger_header(network->tagger, &env, &bytes, &len, &err));
	else
		MREN_PG_TRY(mren_net_header(network->net, &env, &bytes, &len, &err));
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
	Datum lexicons; /* bytea[], or 0 */
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
		needs->n_training_rows = tagger.n_training_rows;
		return;
	}
	mren_net_info(network->net, &info);
	needs->has_embeddings = info.embedding_dim > 0;
	if (info.n_lexicons > 0)
		needs->lexicons = hashes_datum((const uint8(*)[MREN_SHA256_LENGTH]) info.lexicons_sha256,
									   info.n_lexicons);
	needs->has_encoder = info.has_image;
	memcpy(needs->embeddings, info.embeddings_sha256, MREN_SHA256_LENGTH);
	memcpy(needs->encoder, info.encoder_sha256, MREN_SHA256_LENGTH);
	needs->n_training_rows = info.n_training_rows;
}

/* The row of a version; gives its id. */
static int64
insert_version(int64 model, int32 version, const MrenNetwork *network, const MrenSaveExtra *extra)
{
	Oid types[] = {INT8OID,	 INT4OID,	   NAMEOID,	 BYTEAOID, BYTEAOID,	 BYTEAOID,
				   BYTEAOID, TEXTARRAYOID, JSONBOID, JSONBOID, INT8OID,		 FLOAT8OID,
				   TEXTOID,	 TEXTOID,	   NAMEOID,	 JSONBOID, BYTEAARRAYOID};
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
	values[2] = DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(GetUserId(), false)));
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
	mren_catalog_write(
		"INSERT INTO mren.model_version (model, version, created_at, created_by, head, sha256,"
		" embeddings, encoder, relations, options, metrics, training_rows, seconds, query,"
		" search_path, query_owner, given, lexicons)"
		" VALUES ($1, $2, pg_catalog.clock_timestamp(), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
		" $13, $14, $15, $16, $17)"
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

/* A tensor in parts; one without elements still has a part, which names it. */
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

void
mren_models_deploy(int64 model, int64 version)
{
	Oid types[] = {INT8OID, INT8OID, NAMEOID};
	Datum values[] = {
		Int64GetDatum(model), Int64GetDatum(version),
		DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(GetUserId(), false)))};

	mren_models_run("UPDATE mren.model SET deployed = $2 WHERE id OPERATOR(pg_catalog.=) $1", 2,
					types, values);
	mren_models_run("INSERT INTO mren.deployment (model, version_id, deployed_at, deployed_by)"
					" VALUES ($1, $2, pg_catalog.clock_timestamp(), $3)",
					3, types, values);
}

static void
check_need(const char *model, const char *what, const char *function, const char *sql, Datum hash)
{
	Oid types[] = {BYTEAOID};

	if (mren_models_run(sql, 1, types, &hash) > 0)
		return;
	ereport(WARNING, (errmsg("this version of model \"%s\" needs %s not loaded", model, what),
					  errdetail("Their content has the hash %s.",
								TextDatumGetCString(DirectFunctionCall2(
									binary_encode, hash, CStringGetTextDatum("hex")))),
					  errhint("Call %s before predicting.", function)));
}

static void
check_lexicons(const char *model, Datum lexicons)
{
	Datum *hashes;
	int n;

	deconstruct_array(DatumGetArrayTypeP(lexicons), BYTEAOID, -1, false, TYPALIGN_INT, &hashes,
					  NULL, &n);
	for (int i = 0; i < n; i++)
		check_need(model, "a lexicon that is", "mren.load_lexicon",
				   "SELECT FROM mren.lexicon WHERE sha256 OPERATOR(pg_catalog.=) $1 FOR SHARE",
				   hashes[i]);
}

/*
 * The lock keeps what is needed from being dropped until this transaction's
 * end: whoever drops it locks its row, then asks mren_models_using.
 */
void
mren_models_check_needs(const char *model, int64 version)
{
	Oid types[] = {INT8OID};
	Datum values[] = {Int64GetDatum(version)};
	Datum embeddings;
	Datum encoder;
	Datum lexicons;
	bool no_embeddings;
	bool no_lexicons;
	bool isnull;

	mren_models_run("SELECT embeddings, encoder, lexicons FROM mren.model_version"
					" WHERE id OPERATOR(pg_catalog.=) $1",
					1, types, values);
	embeddings = mren_models_result(1, &no_embeddings);
	lexicons = mren_models_result(3, &no_lexicons);
	encoder = mren_models_result(2, &isnull);
	if (!no_embeddings)
		check_need(model, "word embeddings that are", "mren.load_embeddings",
				   "SELECT FROM mren.embedding WHERE sha256 OPERATOR(pg_catalog.=) $1 FOR SHARE",
				   embeddings);
	if (!isnull)
		check_need(model, "an image encoder that is", "mren.load_image_encoder",
				   "SELECT FROM mren.encoder WHERE identity OPERATOR(pg_catalog.=) $1 FOR SHARE",
				   encoder);
	if (!no_lexicons)
		check_lexicons(model, lexicons);
}

int32
mren_models_save(const char *model, const MrenNetwork *network, const MrenSaveExtra *extra)
{
	MrenModelRow row;
	int32 version;
	int64 id;

	mren_models_begin("mren.save_model()");
	lock_or_create(model, network->tagger != NULL ? MREN_MODEL_TAGGER : MREN_MODEL_RELATION,
				   extra->deploy, &row);
	version = next_version(row.id);
	id = insert_version(row.id, version, network, extra);
	mren_models_check_needs(model, id);
	insert_weights(id, network);
	if (row.deployed == 0 || extra->deploy)
		mren_models_deploy(row.id, id);
	mren_models_end();
	return version;
}

/* Does the object have "deploy": true? */
static bool
wants_deploy(const char *options)
{
	Jsonb *jsonb = DatumGetJsonbP(mren_network_jsonb(options));
	JsonbValue key = {.type = jbvString};
	JsonbValue *value;

	key.val.string.val = "deploy";
	key.val.string.len = strlen("deploy");
	value = findJsonbValueFromContainer(&jsonb->root, JB_FOBJECT, &key);
	return value != NULL && value->type == jbvBool && value->val.boolean;
}

Datum
mren_save_model(PG_FUNCTION_ARGS)
{
	char *model = mren_arg_text(fcinfo, 0, "model");
	MrenSaveExtra extra = {.seconds = -1};
	MrenNetwork network;

	mren_arg_required(fcinfo, 1, "network");
	mren_network_read(PG_GETARG_DATUM(1), CurrentMemoryContext, &network);
	extra.deploy = wants_deploy(network.options);
	PG_RETURN_INT32(mren_models_save(model, &network, &extra));
}

/*
 * Moving between servers
 */

typedef struct Loader
{
	int64 version;
	MrenNetwork network;
} Loader;

static void
load_tensor(void *state, int tensor, const char *name, const int32 *shape, int n_shape,
			const float4 *data, size_t n)
{
	Loader *loader = state;
	MrenTagger *tagger = loader->network.tagger;
	MrenError err;

	if (n_shape != 2 || shape[0] < 0 || shape[1] < 0 || (uint64) shape[0] * (uint64) shape[1] != n)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("weights \"%s\" of version id %lld have %zu numbers, not what their shape "
						"says",
						name, (long long) loader->version, n)));
	if (tagger != NULL)
		MREN_PG_TRY(mren_tagger_set_tensor(tagger, name, shape[0], shape[1], data, &err));
	else
		MREN_PG_TRY(mren_net_set_tensor(loader->network.net, name, shape[0], shape[1], data, &err));
}

/* Either kind, by how its head begins. */
static void
load_network(const MrenVersionRow *version, MemoryContext context, MrenNetwork *network)
{
	MrenEnv env = mren_pg_env(context);
	MrenError err;
	Loader loader = {.version = version->id};
	const uint8_t *head = (uint8_t *) VARDATA_ANY(version->head);
	size_t len = VARSIZE_ANY_EXHDR(version->head);

	if (mren_tagger_is(head, len))
		MREN_PG_TRY(mren_tagger_from_header(&env, head, len, &loader.network.tagger, &err));
	else
		MREN_PG_TRY(mren_net_from_header(&env, head, len, &loader.network.net, &err));
	mren_catalog_weights(version->id, load_tensor, &loader);
	if (loader.network.tagger != NULL)
		MREN_PG_TRY(mren_tagger_complete(loader.network.tagger, &err));
	else
		MREN_PG_TRY(mren_net_complete(loader.network.net, &err));
	*network = loader.network;
}

MrenNet *
mren_models_load(const MrenVersionRow *version, MemoryContext context)
{
	MrenNetwork network;

	load_network(version, context, &network);
	return network.net;
}

MrenTagger *
mren_models_load_tagger(const MrenVersionRow *version, MemoryContext context)
{
	MrenNetwork network;

	load_network(version, context, &network);
	return network.tagger;
}

/* Up to ten numbers of a model's versions, the latest ones. */
static char *
list_versions(int64 model)
{
	Oid types[] = {INT8OID};
	Datum values[] = {Int64GetDatum(model)};
	bool isnull;
	Datum list;

	mren_catalog_read(
		"SELECT pg_catalog.string_agg(v.version::pg_catalog.text, ', ' ORDER BY v.version)"
		" FROM (SELECT version FROM mren.model_version WHERE model OPERATOR(pg_catalog.=) $1"
		" ORDER BY version DESC LIMIT 10) v",
		1, types, values, NULL);
	list = mren_models_result(1, &isnull);
	return isnull ? NULL : TextDatumGetCString(list);
}

void
mren_models_no_version(const char *model, int64 id, int32 version)
{
	char *list = list_versions(id);

	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
					errmsg("model \"%s\" has no version %d", model, version),
					list != NULL ? errdetail("Its latest versions are: %s.", list)
								 : errdetail("It has no version at all.")));
	pg_unreachable();
}

/* options and metrics of a version, inside an SPI connection. */
static void
read_json(int64 version, MrenNetwork *network)
{
	Oid types[] = {INT8OID};
	Datum values[] = {Int64GetDatum(version)};
	bool isnull;
	Datum metrics;

	if (mren_catalog_read("SELECT options, metrics FROM mren.model_version"
						  " WHERE id OPERATOR(pg_catalog.=) $1",
						  1, types, values, NULL) != 1)
		elog(ERROR, "version id %lld vanished", (long long) version);
	network->options = mren_network_json_text(mren_models_result(1, &isnull));
	metrics = mren_models_result(2, &isnull);
	network->metrics = isnull ? NULL : mren_network_json_text(metrics);
}

Datum
mren_export_model(PG_FUNCTION_ARGS)
{
	char *model = mren_arg_text(fcinfo, 0, "model");
	MemoryContext caller = CurrentMemoryContext;
	MrenModelRow row;
	MrenVersionRow version;
	MrenNetwork network;
	bool found;
	Datum datum;

	mren_catalog_require(model, MREN_PRIVILEGE_PREDICT, &row);
	SPI_connect();
	if (PG_ARGISNULL(1))
		found = mren_catalog_version_by_id(row.deployed, &version);
	else
		found = mren_catalog_version(row.id, PG_GETARG_INT32(1), &version);
	if (!found && PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("model \"%s\" has no deployed version", model)));
	if (!found)
		mren_models_no_version(model, row.id, PG_GETARG_INT32(1));
	load_network(&version, CurrentMemoryContext, &network);
	read_json(version.id, &network);
	MemoryContextSwitchTo(caller);
	datum = mren_network_datum(&network);
	SPI_finish();
	PG_RETURN_DATUM(datum);
}

/* A first version deploys itself; no file deploys itself over another. */
Datum
mren_import_model(PG_FUNCTION_ARGS)
{
	char *model = mren_arg_text(fcinfo, 0, "model");
	MrenSaveExtra extra = {.seconds = -1};
	MrenNetwork network;

	mren_arg_required(fcinfo, 1, "contents");
	PreventCommandIfReadOnly("mren.import_model()");
	mren_network_read_any(PG_GETARG_DATUM(1), CurrentMemoryContext, &network);
	PG_RETURN_INT32(mren_models_save(model, &network, &extra));
}

/*
 * Who needs what
 */

char *
mren_models_using(const uint8 *sha256, const char *used)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid types[] = {BYTEAOID};
	Datum values[] = {bytes_datum(sha256, MREN_SHA256_LENGTH)};
	char *list = NULL;
	bool isnull;

	SPI_connect();
	mren_models_run(
		psprintf(
			"SELECT pg_catalog.concat(pg_catalog.string_agg(pg_catalog.concat('\"', name, '\"'),"
			" ', ' ORDER BY i) FILTER (WHERE i OPERATOR(pg_catalog.<=) 5),"
			" CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.>) 5 THEN pg_catalog.concat("
			"' and ', pg_catalog.count(*) OPERATOR(pg_catalog.-) 5, ' more') END),"
			" pg_catalog.count(*)"
			" FROM (SELECT m.name, pg_catalog.row_number() OVER (ORDER BY m.name) AS i"
			" FROM mren.model m WHERE EXISTS (SELECT FROM mren.model_version v"
			" WHERE v.model OPERATOR(pg_catalog.=) m.id"
			" AND %s)) used",
			used),
		1, types, values);
	if (DatumGetInt64(mren_models_result(2, &isnull)) > 0)
		list = MemoryContextStrdup(caller, TextDatumGetCString(mren_models_result(1, &isnull)));
	SPI_finish();
	return list;
}
