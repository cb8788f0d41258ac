/*
 * load_lexicons.c
 *	  mren.load_lexicon, mren.drop_lexicon.
 *
 * A lexicon is loaded in one transaction or not at all.  Its rows are gathered
 * in bytewise order with repeated ones joined, so its SHA-256 does not depend
 * on the order of the query's rows.  Every phrase is also added to a lexicon in
 * memory, so that whatever is stored can be opened.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "port/pg_bswap.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "pg/catalog/catalog_scan.h"
#include "pg/model/models.h"
#include "pg/resource/content.h"
#include "pg/resource/lexicons.h"
#include "pg/resource/tokenizer.h"
#include "pg/support/args.h"
#include "pg/support/digest.h"
#include "pg/support/pg_env.h"
#include "pg/support/query.h"

/* The columns of the generated statement, and of the tuplestore between. */
enum
{
	ROW_PHRASE = 1,
	ROW_TYPE,
	ROW_CONFIDENCE,
	ROW_COUNT,
	N_ROW = ROW_COUNT
};

typedef struct Loading
{
	const char *name;
	MrenLexicon *check;
	Tuplestorestate *rows;
	TupleDesc desc;
	MemoryContext context; /* of the lexicon `check` */
	int64 n_phrases;
	int64 n_repeated;
} Loading;

/* ---- the query ---- */

static void
check_column_type(TupleDesc desc, AttrNumber attno, Oid want)
{
	Oid type = getBaseType(TupleDescAttr(desc, attno - 1)->atttypid);
	bool fits;

	if (want == TEXTOID)
		fits = type == TEXTOID || type == VARCHAROID || type == BPCHAROID || type == NAMEOID ||
			   type == UNKNOWNOID || get_typtype(type) == TYPTYPE_ENUM;
	else
		fits = can_coerce_type(1, &type, &want, COERCION_IMPLICIT);
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the query is of type %s",
						NameStr(TupleDescAttr(desc, attno - 1)->attname), format_type_be(type)),
				 errhint("It must be %s.", format_type_be(want))));
}

/* The query's rows in bytewise order, each phrase and type once. */
static char *
generate_statement(const char *query)
{
	TupleDesc desc = mren_query_describe(query);
	AttrNumber phrase = mren_query_find(desc, "phrase");
	AttrNumber type = mren_query_find(desc, "type");
	AttrNumber confidence = mren_query_find(desc, "confidence");

	if (phrase == 0)
		mren_query_lacks(desc, "phrase");
	if (type == 0)
		mren_query_lacks(desc, "type");
	check_column_type(desc, phrase, TEXTOID);
	check_column_type(desc, type, TEXTOID);
	if (confidence != 0)
		check_column_type(desc, confidence, FLOAT8OID);
	return psprintf(
		"SELECT q.phrase, q.type, pg_catalog.max(q.confidence), pg_catalog.count(*)"
		" FROM (SELECT q.phrase::pg_catalog.text, q.type::pg_catalog.text,"
		" %s AS confidence FROM (%s\n) AS q) AS q GROUP BY q.phrase, q.type"
		" ORDER BY pg_catalog.convert_to(q.phrase, 'UTF8'), pg_catalog.convert_to(q.type, 'UTF8')",
		confidence != 0 ? "COALESCE(q.confidence::pg_catalog.float8, 1)" : "1::pg_catalog.float8",
		mren_query_text(query));
}

static MrenTextSpan
slot_text(TupleTableSlot *slot, AttrNumber attno, const char *column)
{
	bool isnull;
	Datum value = slot_getattr(slot, attno, &isnull);
	text *string;

	if (isnull)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("%s in a row of the lexicon must not be null", column),
						errhint("Exclude such rows with WHERE %s IS NOT NULL.", column)));
	string = DatumGetTextPP(value);
	return mren_datum_utf8(PointerGetDatum(string));
}

static void
gather(void *state, TupleTableSlot *slot)
{
	Loading *loading = state;
	MrenTextSpan phrase = slot_text(slot, ROW_PHRASE, "phrase");
	MrenTextSpan type = slot_text(slot, ROW_TYPE, "type");
	bool isnull;
	double confidence = DatumGetFloat8(slot_getattr(slot, ROW_CONFIDENCE, &isnull));
	MrenError err;

	CHECK_FOR_INTERRUPTS();
	MREN_PG_CALL(
		err, mren_lexicon_add(loading->check, mren_pg_tokenizer(), phrase, type, confidence, &err));
	loading->n_repeated += DatumGetInt64(slot_getattr(slot, ROW_COUNT, &isnull)) - 1;
	loading->n_phrases++;
	if (loading->n_phrases % 1024 == 0)
		mren_lexicon_check_memory(loading->context, loading->name);
	/* The executor's descriptor no longer exists when the rows are read back. */
	if (loading->desc == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(loading->context);

		loading->desc = CreateTupleDescCopy(slot->tts_tupleDescriptor);
		MemoryContextSwitchTo(old);
	}
	tuplestore_puttupleslot(loading->rows, slot);
}

/* ---- the rows ---- */

/* Strings and numbers enter the hash in a form that does not depend on the machine. */
static void
digest_row(pg_cryptohash_ctx *digest, MrenTextSpan phrase, MrenTextSpan type, double confidence)
{
	uint64 head[3] = {phrase.len, type.len};

	memcpy(&head[2], &confidence, sizeof(confidence));
	for (int i = 0; i < 3; i++)
		head[i] = pg_hton64(head[i]);
	mren_digest_add(digest, head, sizeof(head));
	mren_digest_add(digest, phrase.data, phrase.len);
	mren_digest_add(digest, type.data, type.len);
}

static void
insert_rows(Loading *loading, int64 id, uint8 *sha256)
{
	pg_cryptohash_ctx *digest = mren_digest_begin();
	Relation rel = mren_table_open("lexicon_phrase", RowExclusiveLock);
	CatalogIndexState indexes = CatalogOpenIndexes(rel);
	MemoryContext work =
		AllocSetContextCreate(CurrentMemoryContext, "mren phrase", ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slot =
		loading->desc == NULL ? NULL : MakeSingleTupleTableSlot(loading->desc, &TTSOpsMinimalTuple);

	while (slot != NULL && tuplestore_gettupleslot(loading->rows, true, false, slot))
	{
		MemoryContext old = MemoryContextSwitchTo(work);
		Datum values[4] = {Int64GetDatum(id)};
		bool nulls[4] = {false};

		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(slot);
		memcpy(values + 1, slot->tts_values, 3 * sizeof(Datum));
		digest_row(digest, slot_text(slot, ROW_PHRASE, "phrase"), slot_text(slot, ROW_TYPE, "type"),
				   DatumGetFloat8(values[ROW_CONFIDENCE]));
		CatalogTupleInsertWithInfo(rel, heap_form_tuple(RelationGetDescr(rel), values, nulls),
								   indexes);
		MemoryContextSwitchTo(old);
		MemoryContextReset(work);
	}
	mren_digest_end(digest, sha256);
	CatalogCloseIndexes(indexes);
	table_close(rel, NoLock);
	if (slot != NULL)
		ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(work);
}

static Datum
type_names(const MrenLexicon *lexicon)
{
	size_t n = mren_lexicon_n_types(lexicon);
	Datum *names = palloc(n * sizeof(Datum));

	for (size_t i = 0; i < n; i++)
	{
		MrenTextSpan name;

		name.data = mren_lexicon_type(lexicon, i, &name.len);
		names[i] = PointerGetDatum(mren_server_text(name));
	}
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* ---- loading ---- */

/*
 * Locks the lexicon of this name; false if there is none.  Sees what was last
 * committed, whatever the statement's snapshot.
 */
static bool
lock_existing(const char *name, int64 *id, uint8 *sha256)
{
	Oid types[] = {TEXTOID};
	Datum values[] = {CStringGetTextDatum(name)};
	bool isnull;
	bytea *hash;

	if (mren_models_run("SELECT id, owner, sha256 FROM mren.lexicon"
						" WHERE name OPERATOR(pg_catalog.=) $1 FOR UPDATE",
						1, types, values) == 0)
		return false;
	if (!mren_catalog_is_owner(NameStr(*DatumGetName(mren_models_result(2, &isnull)))))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be owner of lexicon \"%s\"", name)));
	*id = DatumGetInt64(mren_models_result(1, &isnull));
	hash = DatumGetByteaPP(mren_models_result(3, &isnull));
	memcpy(sha256, VARDATA_ANY(hash), MREN_SHA256_LENGTH);
	return true;
}

static int64
next_id(void)
{
	bool isnull;

	mren_models_run("SELECT pg_catalog.nextval('mren.lexicon_id')", 0, NULL, NULL);
	return DatumGetInt64(mren_models_result(1, &isnull));
}

/* Deletes the old content, which the new one replaces under the same name and owner. */
static void
replace(const char *name, int64 old, const uint8 *old_sha256, const uint8 *sha256)
{
	Oid types[] = {INT8OID};
	Datum values[] = {Int64GetDatum(old)};
	char *users = NULL;

	if (memcmp(old_sha256, sha256, MREN_SHA256_LENGTH) != 0)
		users = mren_content_users(&mren_content_lexicon, old, old_sha256);
	if (users != NULL)
		ereport(
			ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot replace lexicon \"%s\" because models need its current phrases", name),
			 errdetail("Models that need it: %s.", users),
			 errhint("Load the new phrases under another name, or drop the models first.")));
	mren_models_run(mren_content_lexicon.delete_parts, 1, types, values);
}

static void
write_row(const char *name, int64 id, const Loading *loading, const uint8 *sha256, bool exists)
{
	Oid types[] = {INT8OID, TEXTOID, INT8OID, TEXTARRAYOID, BYTEAOID, NAMEOID};
	Datum values[6];

	values[0] = Int64GetDatum(id);
	values[1] = CStringGetTextDatum(name);
	values[2] = Int64GetDatum(loading->n_phrases);
	values[3] = type_names(loading->check);
	values[4] = PointerGetDatum(mren_digest_bytea(sha256));
	values[5] = mren_current_user_name();
	if (exists)
		mren_models_run("UPDATE mren.lexicon SET id = $1, phrases = $3, types = $4, sha256 = $5,"
						" loaded_at = pg_catalog.now() WHERE name OPERATOR(pg_catalog.=) $2",
						5, types, values);
	else
		mren_content_insert(
			&mren_content_lexicon, name,
			"INSERT INTO mren.lexicon (id, name, phrases, types, sha256, owner, loaded_at)"
			" VALUES ($1, $2, $3, $4, $5, $6, pg_catalog.now())",
			6, types, values);
}

/* Loads the rows of a statement, which may have parameters. */
static int64
load_lexicon(const char *name, const char *sql, int n, const Oid *types, const Datum *values)
{
	Loading loading = {.name = name};
	uint8 old_sha256[MREN_SHA256_LENGTH];
	uint8 sha256[MREN_SHA256_LENGTH];
	MrenError err;
	MrenEnv env;
	int64 old = 0;
	bool exists = lock_existing(name, &old, old_sha256);
	int64 id = next_id();

	loading.context =
		AllocSetContextCreate(CurrentMemoryContext, "mren lexicon", ALLOCSET_DEFAULT_SIZES);
	env = mren_pg_env(loading.context);
	loading.rows = tuplestore_begin_heap(false, false, work_mem);
	MREN_PG_CALL(err, mren_lexicon_create(&env, &loading.check, &err));
	mren_query_run(sql, n, types, values, gather, &loading);
	MREN_PG_CALL(err, mren_lexicon_finish(loading.check, &err));
	insert_rows(&loading, id, sha256);
	if (exists)
		replace(name, old, old_sha256, sha256);
	write_row(name, id, &loading, sha256, exists);
	tuplestore_end(loading.rows);
	if (loading.n_repeated > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld row repeats a phrase and its type",
							   "%lld rows repeat a phrase and its type",
							   (unsigned long) loading.n_repeated, (long long) loading.n_repeated),
				 errdetail("The highest confidence is kept.")));
	return loading.n_phrases;
}

static char *
name_arg(FunctionCallInfo fcinfo)
{
	char *name = mren_arg_text(fcinfo, 0, "name");

	mren_check_name("name", name);
	/* Refuses a database whose encoding is unknown. */
	mren_pg_utf8("", 0);
	return name;
}

PG_FUNCTION_INFO_V1(mren_load_lexicon);
/* mren.load_lexicon(name, query) → bigint */
Datum
mren_load_lexicon(PG_FUNCTION_ARGS)
{
	char *name = name_arg(fcinfo);
	char *query = mren_arg_query(fcinfo, 1, "query");
	int64 n;

	mren_models_begin("mren.load_lexicon()");
	n = load_lexicon(name, generate_statement(query), 0, NULL, NULL);
	mren_models_end();
	PG_RETURN_INT64(n);
}

PG_FUNCTION_INFO_V1(mren_load_lexicon_array);
/* mren.load_lexicon(name, phrases, type) → bigint */
Datum
mren_load_lexicon_array(PG_FUNCTION_ARGS)
{
	char *name = name_arg(fcinfo);
	Oid types[] = {TEXTARRAYOID, TEXTOID};
	Datum values[2];
	int64 n;

	mren_arg_required(fcinfo, 1, "phrases");
	mren_arg_required(fcinfo, 2, "type");
	values[0] = PG_GETARG_DATUM(1);
	values[1] = PG_GETARG_DATUM(2);
	mren_models_begin("mren.load_lexicon()");
	n = load_lexicon(
		name,
		"SELECT p, $2, 1::pg_catalog.float8, pg_catalog.count(*) FROM pg_catalog.unnest($1) p"
		" GROUP BY p ORDER BY pg_catalog.convert_to(p, 'UTF8')",
		2, types, values);
	mren_models_end();
	PG_RETURN_INT64(n);
}

PG_FUNCTION_INFO_V1(mren_drop_lexicon);
/* mren.drop_lexicon(name) → void */
Datum
mren_drop_lexicon(PG_FUNCTION_ARGS)
{
	char *name = mren_arg_text(fcinfo, 0, "name");
	MrenLexiconRow row;

	mren_catalog_need_lexicon(name, &row);
	mren_content_drop(&mren_content_lexicon, name, row.id, NameStr(row.owner), row.sha256);
	PG_RETURN_VOID();
}
