/*
 * models_move.c
 *	  Loading a saved version as a network, and moving it between servers.
 */
#include "pg/model/models.h"

#include "catalog/pg_type.h"
#include "tcop/utility.h"
#include "utils/builtins.h"

#include "base/weights.h"
#include "pg/support/args.h"
#include "pg/support/pg_env.h"

PG_FUNCTION_INFO_V1(mren_export_model);
PG_FUNCTION_INFO_V1(mren_import_model);

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
				 errmsg("weights \"%s\" of version id %lld have %zu elements, which does not "
						"match their shape",
						name, (long long) loader->version, n)));
	if (tagger != NULL)
		MREN_PG_CALL(err, mren_tagger_set_tensor(tagger, name, shape[0], shape[1], data, &err));
	else
		MREN_PG_CALL(
			err, mren_net_set_tensor(loader->network.net, name, shape[0], shape[1], data, &err));
}

/* The version's header, from the catalog or from env's weights, which keep it beside the numbers. */
static MrenStatus
read_head(int64 version, const MrenEnv *env, MrenWeightsBlock *head, MrenError *err)
{
	bytea *stored;

	if (mren_weights_ready(env))
		return mren_weights_next(env, head, err);
	stored = mren_catalog_version_head(version);
	*head = (MrenWeightsBlock){VARDATA_ANY(stored), VARSIZE_ANY_EXHDR(stored)};
	return env->weights == NULL ? MREN_OK
								: mren_weights_add(env->weights, head->data, head->len, err);
}

/* Of either kind, by the first bytes of its header. */
static MrenStatus
load_network(int64 version, const MrenEnv *env, MrenNetwork *network, MrenError *err)
{
	Loader loader = {.version = version};
	MrenWeightsBlock head;

	MREN_TRY(read_head(version, env, &head, err));
	if (mren_tagger_is(head.data, head.len))
		MREN_TRY(mren_tagger_from_header(env, head.data, head.len, &loader.network.tagger, err));
	else
		MREN_TRY(mren_net_from_header(env, head.data, head.len, &loader.network.net, err));
	if (!mren_weights_ready(env))
		mren_catalog_weights(version, load_tensor, &loader);
	if (loader.network.tagger != NULL)
		MREN_TRY(mren_tagger_complete(loader.network.tagger, err));
	else
		MREN_TRY(mren_net_complete(loader.network.net, err));
	*network = loader.network;
	return MREN_OK;
}

MrenStatus
mren_models_load(int64 version, const MrenEnv *env, MrenNet **net, MrenError *err)
{
	MrenNetwork network;

	MREN_TRY(load_network(version, env, &network, err));
	*net = network.net;
	return MREN_OK;
}

MrenStatus
mren_models_load_tagger(int64 version, const MrenEnv *env, MrenTagger **tagger, MrenError *err)
{
	MrenNetwork network;

	MREN_TRY(load_network(version, env, &network, err));
	*tagger = network.tagger;
	return MREN_OK;
}

/* The numbers of a model's ten latest versions. */
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
								 : errdetail("The model has no versions.")));
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
	MrenEnv env;
	MrenError err;
	MrenModelRow row;
	MrenVersionRow version;
	MrenNetwork network;
	bool found;
	Datum datum;

	mren_catalog_require(model, MREN_PRIVILEGE_PREDICT, &row);
	SPI_connect();
	env = mren_pg_env(CurrentMemoryContext);
	if (PG_ARGISNULL(1))
		found = mren_catalog_version_by_id(row.deployed, &version);
	else
		found = mren_catalog_version(row.id, PG_GETARG_INT32(1), &version);
	if (!found && PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("model \"%s\" has no deployed version", model)));
	if (!found)
		mren_models_no_version(model, row.id, PG_GETARG_INT32(1));
	MREN_PG_CALL(err, load_network(version.id, &env, &network, &err));
	read_json(version.id, &network);
	MemoryContextSwitchTo(caller);
	datum = mren_network_datum(&network);
	SPI_finish();
	PG_RETURN_DATUM(datum);
}

/* As the first version of a model it is deployed; otherwise an imported version never is. */
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
