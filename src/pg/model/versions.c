/*
 * versions.c
 *	  Promoting and rolling back versions, and dropping versions and models.
 *
 * The deployments that are not undone form a stack, whose top is the deployed
 * version.  mren.promote pushes a deployment, mren.rollback marks it as undone.
 * One that is undone outlives its version: mren_models_undone reads it.
 */
#include "pg/model/models.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "pg/support/args.h"
#include "pg/support/shared_files.h"

PG_FUNCTION_INFO_V1(mren_promote);
PG_FUNCTION_INFO_V1(mren_rollback);
PG_FUNCTION_INFO_V1(mren_drop_version);
PG_FUNCTION_INFO_V1(mren_drop_model);

/*
 * Deployment
 */

/* The id of a version under the lock; 0 when there is none. */
static int64
find_version(int64 model, int32 version)
{
	Oid types[] = {INT8OID, INT4OID};
	Datum values[] = {Int64GetDatum(model), Int32GetDatum(version)};
	bool isnull;

	if (mren_models_run("SELECT id FROM mren.model_version WHERE model OPERATOR(pg_catalog.=) $1"
						" AND version OPERATOR(pg_catalog.=) $2",
						2, types, values) == 0)
		return 0;
	return DatumGetInt64(mren_models_result(1, &isnull));
}

/*
 * What promote and drop_version begin with: locks the model of arguments (model,
 * version) and gives the id of the version, or raises the error that the model
 * has none of this number.
 */
static int64
lock_version(FunctionCallInfo fcinfo, const char *function, const char *model, MrenModelRow *row)
{
	int64 id;

	mren_arg_required(fcinfo, 1, "version");
	mren_models_begin(function);
	mren_models_lock(model, MREN_PRIVILEGE_ADMIN, row);
	id = find_version(row->id, PG_GETARG_INT32(1));
	if (id == 0)
		mren_models_no_version(model, row->id, PG_GETARG_INT32(1));
	return id;
}

Datum
mren_promote(PG_FUNCTION_ARGS)
{
	char *model = mren_arg_text(fcinfo, 0, "model");
	MrenModelRow row;
	int64 id = lock_version(fcinfo, "mren.promote()", model, &row);

	mren_models_check_needs(model, id, id != row.deployed);
	/* Promoting the deployed version again must not change what rollback goes back to. */
	if (id != row.deployed)
		mren_models_deploy(row.id, id);
	mren_models_end();
	PG_RETURN_VOID();
}

/*
 * All deployments of the deployed version on top of the stack are undone: if a
 * version between two of them was dropped, there are two in a row.
 */
Datum
mren_rollback(PG_FUNCTION_ARGS)
{
	char *model = mren_arg_text(fcinfo, 0, "model");
	MrenModelRow row;
	Oid types[] = {INT8OID, INT8OID};
	Datum values[2];
	bool isnull;
	int64 earlier;
	int32 version;

	mren_models_begin("mren.rollback()");
	mren_models_lock(model, MREN_PRIVILEGE_ADMIN, &row);
	values[0] = Int64GetDatum(row.id);
	values[1] = Int64GetDatum(row.deployed);
	if (mren_models_run(
			"SELECT d.id, v.id, v.version FROM mren.deployment d JOIN mren.model_version v"
			" ON v.id OPERATOR(pg_catalog.=) d.version_id"
			" WHERE d.model OPERATOR(pg_catalog.=) $1 AND NOT d.undone"
			" AND d.version_id OPERATOR(pg_catalog.<>) $2 ORDER BY d.id DESC LIMIT 1",
			2, types, values) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has no earlier deployment to roll back to", model),
				 errhint("SELECT mren.promote(%s, version) deploys a version of your choice.",
						 quote_literal_cstr(model))));
	earlier = DatumGetInt64(mren_models_result(1, &isnull));
	values[1] = mren_models_result(2, &isnull);
	version = DatumGetInt32(mren_models_result(3, &isnull));
	mren_models_check_needs(model, DatumGetInt64(values[1]), true);
	mren_models_run("UPDATE mren.model SET deployed = $2 WHERE id OPERATOR(pg_catalog.=) $1", 2,
					types, values);
	values[1] = Int64GetDatum(earlier);
	mren_models_run("UPDATE mren.deployment SET undone = true WHERE model OPERATOR(pg_catalog.=) $1"
					" AND id OPERATOR(pg_catalog.>) $2 AND NOT undone",
					2, types, values);
	mren_models_end();
	PG_RETURN_INT32(version);
}

/* The latest deployment of a network decides: mren.promote may have deployed it again. */
bool
mren_models_undone(int64 version)
{
	Oid types[] = {INT8OID};
	Datum values[] = {Int64GetDatum(version)};
	bool isnull;

	return mren_catalog_read("SELECT d.undone FROM mren.model_version v JOIN mren.deployment d"
							 " ON d.model OPERATOR(pg_catalog.=) v.model"
							 " AND d.sha256 OPERATOR(pg_catalog.=) v.sha256"
							 " WHERE v.id OPERATOR(pg_catalog.=) $1 ORDER BY d.id DESC LIMIT 1",
							 1, types, values, NULL) == 1 &&
		   DatumGetBool(mren_models_result(1, &isnull));
}

/*
 * Dropping
 */

/* Deletes rows of mren.model_version by a statement that returns their sha256. */
static void
delete_versions(const char *sql, const Oid *types, const Datum *values)
{
	uint64 n = mren_models_run(sql, 1, types, values);

	for (uint64 i = 0; i < n; i++)
	{
		bool isnull;
		bytea *sha256 = DatumGetByteaPP(
			SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));

		if (VARSIZE_ANY_EXHDR(sha256) == MREN_SHA256_LENGTH)
			mren_shared_drop(MREN_SHARED_MODEL, (const uint8 *) VARDATA_ANY(sha256));
	}
}

static void
drop_version(int64 version)
{
	static const char *const statements[] = {
		"DELETE FROM mren.weight WHERE version OPERATOR(pg_catalog.=) $1",
		"DELETE FROM mren.deployment WHERE version_id OPERATOR(pg_catalog.=) $1 AND NOT undone",
	};
	Oid types[] = {INT8OID};
	Datum values[] = {Int64GetDatum(version)};

	for (size_t i = 0; i < lengthof(statements); i++)
		mren_models_run(statements[i], 1, types, values);
	delete_versions("DELETE FROM mren.model_version WHERE id OPERATOR(pg_catalog.=) $1"
					" RETURNING sha256",
					types, values);
}

/*
 * The deployed version, the one that rollback goes back to and the newest one
 * are kept; of the others, the latest until `keep` versions are left.
 */
int
mren_models_prune(int64 model, int keep, int64 newest)
{
	Oid types[] = {INT8OID, INT8OID, INT4OID};
	Datum values[] = {Int64GetDatum(model), Int64GetDatum(newest), Int32GetDatum(keep)};
	uint64 n = mren_models_run(
		"WITH deployed (id) AS (SELECT deployed FROM mren.model"
		" WHERE id OPERATOR(pg_catalog.=) $1),"
		" kept (id) AS ("
		"SELECT id FROM deployed WHERE id IS NOT NULL UNION SELECT $2 UNION"
		" SELECT p.version_id FROM (SELECT d.version_id FROM mren.deployment d"
		" WHERE d.model OPERATOR(pg_catalog.=) $1 AND NOT d.undone AND NOT EXISTS (SELECT FROM"
		" deployed WHERE deployed.id OPERATOR(pg_catalog.=) d.version_id)"
		" ORDER BY d.id DESC LIMIT 1) p)"
		" SELECT v.id FROM mren.model_version v WHERE v.model OPERATOR(pg_catalog.=) $1"
		" AND NOT EXISTS (SELECT FROM kept WHERE kept.id OPERATOR(pg_catalog.=) v.id)"
		" ORDER BY v.version DESC OFFSET GREATEST($3 OPERATOR(pg_catalog.-)"
		" (SELECT pg_catalog.count(*) FROM kept), 0)",
		lengthof(types), types, values);
	int64 *ids = palloc(Max(n, 1) * sizeof(int64));

	for (uint64 i = 0; i < n; i++)
	{
		bool isnull;

		ids[i] =
			DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
	}
	for (uint64 i = 0; i < n; i++)
		drop_version(ids[i]);
	pfree(ids);
	return (int) n;
}

Datum
mren_drop_version(PG_FUNCTION_ARGS)
{
	char *model = mren_arg_text(fcinfo, 0, "model");
	MrenModelRow row;
	int64 id = lock_version(fcinfo, "mren.drop_version()", model, &row);

	if (id == row.deployed)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
						errmsg("cannot drop version %d of model \"%s\", which is deployed",
							   PG_GETARG_INT32(1), model),
						errhint("Promote another version first, or drop the model with "
								"mren.drop_model.")));
	drop_version(id);
	mren_models_notice_graphs(
		psprintf("version %d of model", PG_GETARG_INT32(1)), model,
		psprintf("(x.model OPERATOR(pg_catalog.=) $1"
				 " AND x.options OPERATOR(pg_catalog.->>) 'version' OPERATOR(pg_catalog.=) '%d')"
				 " OR (x.tagger OPERATOR(pg_catalog.=) $1"
				 " AND x.options OPERATOR(pg_catalog.->>) 'tagger_version'"
				 " OPERATOR(pg_catalog.=) '%d')",
				 PG_GETARG_INT32(1), PG_GETARG_INT32(1)));
	mren_models_end();
	PG_RETURN_VOID();
}

/* The rows of its runs are kept as a record. */
Datum
mren_drop_model(PG_FUNCTION_ARGS)
{
	char *model = mren_arg_text(fcinfo, 0, "model");
	static const char *const statements[] = {
		("DELETE FROM mren.weight WHERE version OPERATOR(pg_catalog.=) ANY (ARRAY("
		 "SELECT id FROM mren.model_version WHERE model OPERATOR(pg_catalog.=) $1))"),
		"DELETE FROM mren.deployment WHERE model OPERATOR(pg_catalog.=) $1",
		"DELETE FROM mren.model_grant WHERE model OPERATOR(pg_catalog.=) $1",
	};
	Oid types[] = {INT8OID};
	MrenModelRow row;
	Datum id;

	mren_models_begin("mren.drop_model()");
	mren_models_lock(model, MREN_PRIVILEGE_ADMIN, &row);
	id = Int64GetDatum(row.id);
	for (size_t i = 0; i < lengthof(statements); i++)
		mren_models_run(statements[i], 1, types, &id);
	delete_versions("DELETE FROM mren.model_version WHERE model OPERATOR(pg_catalog.=) $1"
					" RETURNING sha256",
					types, &id);
	mren_models_run("DELETE FROM mren.model WHERE id OPERATOR(pg_catalog.=) $1", 1, types, &id);
	mren_models_notice_graphs("model", model,
							  "x.model OPERATOR(pg_catalog.=) $1"
							  " OR x.tagger OPERATOR(pg_catalog.=) $1");
	mren_models_end();
	PG_RETURN_VOID();
}
