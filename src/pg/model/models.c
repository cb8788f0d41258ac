/*
 * models.c
 *	  A model's row: locking and creating it, deploying a version, and checking
 *	  what its versions need.  models_save.c saves versions, models_move.c exports
 *	  and imports them.
 *
 * Rights are checked before the model's row is locked, so that nobody can hold
 * a lock on what they may not change, and again after it, because the row may
 * have changed while the lock was waited for.  What is read under the lock is
 * read through SPI with a snapshot of its own; the caller's may be older.
 */
#include "pg/model/models.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "pg/support/args.h"

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
	/* No row: the model has been dropped, and perhaps created again. */
	while (!lock_row(model, row))
		require_now(model, privilege);
	require_now(model, privilege);
}

/*
 * Before saving
 */

int64
mren_models_check_save(const char *model, MrenModelKind kind, bool deploy)
{
	MrenModelRow row = {0};

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
	return row.id;
}

/* A session that creates the same model at the same time waits here for the other to end. */
void
mren_models_lock_or_create(const char *model, MrenModelKind kind, bool deploy, MrenModelRow *row)
{
	Oid types[] = {TEXTOID, NAMEOID, TEXTOID};
	Datum values[] = {CStringGetTextDatum(model), mren_current_user_name(),
					  CStringGetTextDatum(kind == MREN_MODEL_TAGGER ? "tagger" : "relation")};

	mren_models_check_save(model, kind, deploy);
	while (!lock_row(model, row))
	{
		CHECK_FOR_INTERRUPTS();
		mren_models_run(
			"INSERT INTO mren.model (name, owner, last_version, created_at, kind)"
			" VALUES ($1, $2, 0, pg_catalog.clock_timestamp(), $3) ON CONFLICT (name) DO NOTHING",
			3, types, values);
	}
	mren_models_check_save(model, kind, deploy);
}

/*
 * Deploying
 */

void
mren_models_deploy(int64 model, int64 version)
{
	Oid types[] = {INT8OID, INT8OID, NAMEOID};
	Datum values[] = {Int64GetDatum(model), Int64GetDatum(version), mren_current_user_name()};

	mren_models_run("UPDATE mren.model SET deployed = $2 WHERE id OPERATOR(pg_catalog.=) $1", 2,
					types, values);
	mren_models_run(
		"INSERT INTO mren.deployment (model, version_id, deployed_at, deployed_by, sha256)"
		" VALUES ($1, $2, pg_catalog.clock_timestamp(), $3,"
		" (SELECT sha256 FROM mren.model_version WHERE id OPERATOR(pg_catalog.=) $2))",
		3, types, values);
}

/* What is needed, for messages: the model, and whether the version is refused without it. */
typedef struct NeedCheck
{
	const char *model;
	bool required;
} NeedCheck;

static void
check_need(const NeedCheck *check, const char *what, const char *function, const char *sql,
		   Datum hash)
{
	Oid types[] = {BYTEAOID};

	if (mren_models_run(sql, 1, types, &hash) > 0)
		return;
	ereport(check->required ? ERROR : WARNING,
			(errcode(check->required ? ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE : ERRCODE_WARNING),
			 errmsg("this version of model \"%s\" needs %s not loaded", check->model, what),
			 errdetail("The hash of the missing content is %s.",
					   TextDatumGetCString(
						   DirectFunctionCall2(binary_encode, hash, CStringGetTextDatum("hex")))),
			 check->required
				 ? errhint("It was never loaded, or was dropped or replaced meanwhile. Load the "
						   "same content with %s first.",
						   function)
				 : errhint("Call %s before predicting.", function)));
}

static void
check_lexicons(const NeedCheck *check, Datum lexicons)
{
	Datum *hashes;
	int n;

	deconstruct_array(DatumGetArrayTypeP(lexicons), BYTEAOID, -1, false, TYPALIGN_INT, &hashes,
					  NULL, &n);
	for (int i = 0; i < n; i++)
		check_need(check, "a lexicon that is", "mren.load_lexicon",
				   "SELECT FROM mren.lexicon WHERE sha256 OPERATOR(pg_catalog.=) $1 FOR SHARE",
				   hashes[i]);
}

/*
 * The row lock keeps what is needed from being dropped until the transaction ends:
 * dropping it deletes its row first, and then calls mren_models_using.
 */
void
mren_models_check_needs(const char *model, int64 version, bool required)
{
	NeedCheck check = {.model = model, .required = required};
	Oid types[] = {INT8OID};
	Datum values[] = {Int64GetDatum(version)};
	Datum embeddings;
	Datum encoder;
	Datum lexicons;
	Datum text_encoder;
	bool no_embeddings;
	bool no_lexicons;
	Datum audio_encoder;
	bool no_text_encoder;
	bool no_audio_encoder;
	bool isnull;

	mren_models_run("SELECT embeddings, encoder, lexicons, text_encoder, audio_encoder"
					" FROM mren.model_version WHERE id OPERATOR(pg_catalog.=) $1",
					1, types, values);
	embeddings = mren_models_result(1, &no_embeddings);
	lexicons = mren_models_result(3, &no_lexicons);
	text_encoder = mren_models_result(4, &no_text_encoder);
	audio_encoder = mren_models_result(5, &no_audio_encoder);
	encoder = mren_models_result(2, &isnull);
	if (!no_embeddings)
		check_need(&check, "word embeddings that are", "mren.load_embeddings",
				   "SELECT FROM mren.embedding WHERE sha256 OPERATOR(pg_catalog.=) $1 FOR SHARE",
				   embeddings);
	if (!isnull)
		check_need(&check, "an image encoder that is", "mren.load_image_encoder",
				   "SELECT FROM mren.encoder WHERE identity OPERATOR(pg_catalog.=) $1 FOR SHARE",
				   encoder);
	if (!no_text_encoder)
		check_need(&check, "a text encoder that is", "mren.load_text_encoder",
				   "SELECT FROM mren.text_encoder WHERE sha256 OPERATOR(pg_catalog.=) $1 FOR SHARE",
				   text_encoder);
	if (!no_audio_encoder)
		check_need(
			&check, "an audio encoder that is", "mren.load_audio_encoder",
			"SELECT FROM mren.audio_encoder WHERE identity OPERATOR(pg_catalog.=) $1 FOR SHARE",
			audio_encoder);
	if (!no_lexicons)
		check_lexicons(&check, lexicons);
}

/*
 * Models that need a resource, graphs that use a model or a lexicon
 */

/* Of the rows of a table x, as in '"a", "b" and 3 more'; NULL if there are none.  $1 is the value. */
static char *
list_names(const char *from, Oid type, Datum value)
{
	MemoryContext caller = CurrentMemoryContext;
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
			" FROM (SELECT x.name, pg_catalog.row_number() OVER (ORDER BY x.name) AS i"
			" FROM %s) used",
			from),
		1, &type, &value);
	if (DatumGetInt64(mren_models_result(2, &isnull)) > 0)
		list = MemoryContextStrdup(caller, TextDatumGetCString(mren_models_result(1, &isnull)));
	SPI_finish();
	return list;
}

char *
mren_models_using(const uint8 *sha256, const char *used)
{
	return list_names(psprintf("mren.model x WHERE EXISTS (SELECT FROM mren.model_version v"
							   " WHERE v.model OPERATOR(pg_catalog.=) x.id AND %s)",
							   used),
					  BYTEAOID, PointerGetDatum(mren_digest_bytea(sha256)));
}

void
mren_models_notice_graphs(const char *what, const char *name, const char *used)
{
	char *graphs =
		list_names(psprintf("mren.graph x WHERE %s", used), TEXTOID, CStringGetTextDatum(name));

	if (graphs != NULL)
		ereport(NOTICE, (errmsg("graphs use %s \"%s\", which is dropped", what, name),
						 errdetail("Graphs that use it: %s.", graphs),
						 errhint("They are refreshed again once there is one of this name, or "
								 "created anew without it.")));
}
