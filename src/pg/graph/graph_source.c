/*
 * graph_source.c
 *	  What differs between the source of a graph and its documents.
 *
 * The source runs once, joined with the graph's documents, read-only, as the
 * owner and with the search_path it was stored with.  What must be done goes to
 * a temporary file that outlives commits, documents and images included, so
 * that a refresh works on one snapshot of the source and holds no more than a
 * batch.  Past the option spill_mb the rest is only counted, and left to
 * another run of the source.
 */
#include "pg/graph/graph_base.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "parser/scansup.h"
#include "storage/buffile.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "pg/predict/predictor.h"
#include "pg/support/nearest_name.h"
#include "pg/support/query.h"
#include "pg/support/settings.h"

/*
 * The source as a query
 */

/* Whether the text begins as a statement does, not as a name. */
static bool
is_query(const char *source)
{
	static const char *const words[] = {"select", "with",	"values", "table",
										"insert", "update", "delete", "merge"};
	size_t len;

	while (scanner_isspace(*source))
		source++;
	if (*source == '(' || (source[0] == '-' && source[1] == '-') ||
		(source[0] == '/' && source[1] == '*'))
		return true;
	len = strspn(source, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789$");
	for (int i = 0; i < (int) lengthof(words); i++)
	{
		if (len == strlen(words[i]) && pg_strncasecmp(source, words[i], len) == 0 &&
			source[len] != '\0' && source[len] != '.')
			return true;
	}
	return false;
}

/* The error of the function that parses names does not show the name. */
static void
hint_at_source(void *arg)
{
	if (geterrcode() == ERRCODE_INVALID_NAME)
	{
		errdetail("The source is \"%s\".", (const char *) arg);
		errhint("Name a table, in double quotes where need be, or give a SELECT.");
	}
}

static char *
query_of_table(const char *name)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack, .callback = hint_at_source, .arg = (void *) name};
	List *names;
	Oid table;

	error_context_stack = &callback;
	names = textToQualifiedNameList(cstring_to_text(name));
	error_context_stack = callback.previous;
	table = RangeVarGetRelid(makeRangeVarFromNameList(names), AccessShareLock, false);
	return mren_sql_build(
		"SELECT * FROM ${table}",
		MREN_SQL_ARGS(mren_sql_relation("table", get_namespace_name(get_rel_namespace(table)),
										get_rel_name(table))));
}

static void
check_column(TupleDesc desc, const char *name, Oid want)
{
	AttrNumber attno = mren_query_find(desc, name);
	Oid type;

	if (attno == 0)
		return;
	type = getBaseType(TupleDescAttr(desc, attno - 1)->atttypid);
	if (want == TEXTOID ? type == TEXTOID || type == VARCHAROID || type == BPCHAROID ||
							  type == NAMEOID || type == UNKNOWNOID
						: can_coerce_type(1, &type, &want, COERCION_ASSIGNMENT))
		return;
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("column \"%s\" of the source is of type %s", name, format_type_be(type)),
					errhint("It must be %s.", format_type_be(want))));
}

/* Also that it can be a subquery, which is how it runs: WITH may not write in one. */
static void
check_columns(const char *query)
{
	TupleDesc desc = mren_query_describe(query);

	desc = mren_query_describe(mren_sql_build("SELECT * FROM ${query} AS q",
											  MREN_SQL_ARGS(mren_sql_query("query", query))));

	if (mren_query_find(desc, "key") == 0)
		mren_query_lacks(desc, "key");
	if (mren_query_find(desc, "document") == 0)
		mren_query_lacks(desc, "document");
	check_column(desc, "document", TEXTOID);
	check_column(desc, "image", BYTEAOID);
	check_column(desc, "image_vector", FLOAT4ARRAYOID);
	check_column(desc, "seen_at", TIMESTAMPTZOID);
}

char *
mren_graph_source(const char *source)
{
	static const MrenKnownColumn known[] = {{"key", InvalidOid},
											{"document", TEXTOID},
											{"image", BYTEAOID},
											{"image_vector", FLOAT4ARRAYOID},
											{"seen_at", TIMESTAMPTZOID}};
	char *query = is_query(source) ? mren_query_text(source) : query_of_table(source);

	check_columns(query);
	mren_notice_ignored_columns(mren_query_describe(query), known, lengthof(known));
	return query;
}

/*
 * The work
 */

#define N_FIELDS 6 /* key, hash, text, image, vector, seen_at */

struct MrenGraphWork
{
	MemoryContext rows; /* of one row of the source */
	MrenGraphWorkCounts *counts;
	BufFile *file;
	int64 size; /* of the file */
	int64 limit;
	int64 n_source;	 /* rows of the source */
	int64 n_matched; /* of them, with a document in the graph */
	MemoryContextCallback callback;
};

static void
close_file(void *arg)
{
	MrenGraphWork *work = arg;

	if (work->file != NULL)
		BufFileClose(work->file);
	work->file = NULL;
}

static void
write_bytes(MrenGraphWork *work, const void *bytes, size_t len)
{
	BufFileWrite(work->file, (void *) bytes, len);
	work->size += len;
}

static void
write_field(MrenGraphWork *work, Datum value, bool isnull)
{
	bytea *bytes = isnull ? NULL : DatumGetByteaPP(value);
	int64 len = isnull ? -1 : (int64) VARSIZE_ANY_EXHDR(bytes);

	write_bytes(work, &len, sizeof(len));
	if (len > 0)
		write_bytes(work, VARDATA_ANY(bytes), len);
}

static void
write_time(MrenGraphWork *work, Datum value, bool isnull)
{
	int64 len = isnull ? -1 : (int64) sizeof(TimestampTz);
	TimestampTz time = isnull ? 0 : DatumGetTimestampTz(value);

	write_bytes(work, &len, sizeof(len));
	if (!isnull)
		write_bytes(work, &time, sizeof(time));
}

/* Counts a row; false for one that needs nothing. */
static bool
count_row(MrenGraphWork *work, char action)
{
	MrenGraphWorkCounts *counts = work->counts;

	work->n_source += action != 'd';
	work->n_matched += action != 'd' && action != 'n';
	counts->created += action == 'n';
	counts->changed += action == 'c';
	counts->older += action == 'o';
	counts->retimed += action == 't';
	counts->deleted += action == 'd';
	return action != '=';
}

static void
visit_row(void *state, TupleTableSlot *slot)
{
	MrenGraphWork *work = state;
	MemoryContext old;
	Datum value;
	bool isnull;
	char action;

	CHECK_FOR_INTERRUPTS();
	old = MemoryContextSwitchTo(work->rows);
	value = slot_getattr(slot, 1, &isnull);
	action = *VARDATA_ANY(DatumGetTextPP(value));
	if (action == '?')
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("column \"key\" of the source has a null"),
				 errhint("Give each document a key, or leave those without one out with WHERE.")));
	if (count_row(work, action) && work->size >= work->limit)
		work->counts->whole = false;
	else if (action != '=')
	{
		write_bytes(work, &action, 1);
		for (int i = 2; i < 2 + N_FIELDS; i++)
		{
			value = slot_getattr(slot, i, &isnull);
			if (i == 1 + N_FIELDS)
				write_time(work, value, isnull);
			else
				write_field(work, value, isnull);
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(work->rows);
}

/*
 * A timestamp without time zone is taken as UTC, whoever refreshes.  Operators
 * are qualified: the search_path is the source's.
 */
static const char compare[] =
	"SELECT CASE WHEN s.key IS NULL AND d.document IS NULL THEN '?'"
	"  WHEN s.key IS NULL THEN 'd' WHEN d.document IS NULL THEN 'n'"
	"  WHEN d.hash OPERATOR(pg_catalog.<>) s.hash THEN 'c'"
	"  WHEN d.pipeline OPERATOR(pg_catalog.<>) $1 THEN 'o'"
	"  WHEN (d.seen_at IS NULL) OPERATOR(pg_catalog.<>) (s.seen_at IS NULL)"
	"   OR d.seen_at OPERATOR(pg_catalog.<>) s.seen_at THEN 't' ELSE '=' END,"
	" COALESCE(s.key, d.document), s.hash, s.body, ${kept}, s.seen_at"
	" FROM (SELECT (q.key)::pg_catalog.text COLLATE pg_catalog.\"C\" AS key,"
	"  (q.document)::pg_catalog.text AS body,"
	"  ${image} AS image, ${vector} AS vector, ${seen} AS seen_at,"
	"  mren.document_hash((q.document)::pg_catalog.text, ${image}, ${vector}) AS hash"
	"  FROM ${source} AS q) AS s"
	" FULL JOIN ${graph}.documents AS d ON d.document OPERATOR(pg_catalog.=) s.key";

/* Whether the model that scores was trained with images. */
static bool
takes_images(const MrenGraph *graph, const MrenPipeline *pipeline)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "mren graph model", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	MrenPredictor predictor;

	mren_predictor_open(&predictor, graph->model, strlen(graph->model), pipeline->version);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return predictor.info.image_dim > 0;
}

/* Images that the model does not use are part of a document's hash and no more. */
static char *
difference_statement(const MrenGraph *graph, const MrenPipeline *pipeline, bool *unused_images)
{
	TupleDesc desc = mren_query_describe(graph->source);
	MrenSqlFragment image = mren_query_find(desc, "image") > 0
								? MREN_SQL_TEXT("(q.image)::pg_catalog.bytea")
								: MREN_SQL_TEXT("NULL::pg_catalog.bytea");
	MrenSqlFragment vector = mren_query_find(desc, "image_vector") > 0
								 ? MREN_SQL_TEXT("(q.image_vector)::pg_catalog.float4[]")
								 : MREN_SQL_TEXT("NULL::pg_catalog.float4[]");
	MrenSqlFragment seen = mren_query_find(desc, "seen_at") > 0
							   ? MREN_SQL_TEXT("(q.seen_at)::pg_catalog.timestamptz")
							   : MREN_SQL_TEXT("NULL::pg_catalog.timestamptz");
	MrenSqlFragment kept;

	check_columns(graph->source);
	*unused_images =
		(mren_query_find(desc, "image") > 0 || mren_query_find(desc, "image_vector") > 0) &&
		!takes_images(graph, pipeline);
	kept = *unused_images ? MREN_SQL_TEXT("NULL::pg_catalog.bytea, NULL::pg_catalog.text")
						  : MREN_SQL_TEXT("s.image, s.vector::pg_catalog.text");
	return mren_sql_build(
		compare,
		MREN_SQL_ARGS(mren_graph_arg(graph), mren_sql_query("source", graph->source),
					  mren_sql_fragment("image", image), mren_sql_fragment("vector", vector),
					  mren_sql_fragment("seen", seen), mren_sql_fragment("kept", kept)));
}

/* Names a key that the source has twice; it has one. */
static void
raise_duplicate(const MrenGraph *graph)
{
	char *sql = mren_sql_build("SELECT (q.key)::pg_catalog.text FROM ${source} AS q GROUP BY 1"
							   " HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1",
							   MREN_SQL_ARGS(mren_sql_query("source", graph->source)));
	const char *key = "?";

	if (SPI_execute(sql, true, 1) == SPI_OK_SELECT && SPI_processed > 0)
		key = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	ereport(ERROR, (errcode(ERRCODE_CARDINALITY_VIOLATION),
					errmsg("the source of graph \"%s\" has more than one document with key \"%s\"",
						   graph->name, key),
					errhint("Make the column key unique.")));
}

/* A document of the graph that met two rows of the source is counted twice. */
static void
check_matches(const MrenGraph *graph, const MrenGraphWork *work)
{
	const char *count = "SELECT pg_catalog.count(*) FROM ${graph}.documents";
	bool isnull;
	int64 n;

	/* Under the snapshot that the source was read with. */
	SPI_execute(mren_graph_sql(graph, 1, &count), true, 0);
	n = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	if (work->n_matched > n - work->counts->deleted)
		raise_duplicate(graph);
}

/* An empty source is more often a mistake than the end of all documents. */
static void
check_empty(const MrenGraph *graph, const MrenGraphWorkCounts *counts)
{
	if (counts->documents > 0 || counts->deleted == 0 || graph->options.may_empty ||
		mren_allow_empty_source)
		return;
	ereport(
		ERROR,
		(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
		 errmsg_plural("source of graph \"%s\" has no rows, but the graph has %lld document",
					   "source of graph \"%s\" has no rows, but the graph has %lld documents",
					   (unsigned long) counts->deleted, graph->name, (long long) counts->deleted),
		 errdetail("The refresh would delete them all."),
		 errhint("If that is meant, SET mren.allow_empty_source = on, or make the graph with "
				 "the option \"on_empty\": \"delete\".")));
}

MrenGraphWork *
mren_graph_work_read(const MrenGraph *graph, const MrenPipeline *pipeline,
					 MrenGraphWorkCounts *counts)
{
	Oid types[] = {BYTEAOID};
	Datum values[] = {PointerGetDatum(mren_digest_bytea(pipeline->sha256))};
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "mren graph work", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	MrenGraphWork *work = palloc0(sizeof(MrenGraphWork));
	MrenGraphRole role;

	memset(counts, 0, sizeof(*counts));
	counts->whole = true;
	work->counts = counts;
	work->limit = (int64) graph->options.spill_mb * 1024 * 1024;
	work->rows = AllocSetContextCreate(context, "mren graph row", ALLOCSET_DEFAULT_SIZES);
	work->file = BufFileCreateTemp(true);
	work->callback = (MemoryContextCallback){.func = close_file, .arg = work};
	MemoryContextRegisterResetCallback(context, &work->callback);
	MemoryContextSwitchTo(old);
	mren_graph_enter(graph, graph->search_path, &role);
	mren_query_run(difference_statement(graph, pipeline, &counts->unused_images), 1, types, values,
				   visit_row, work);
	check_matches(graph, work);
	mren_graph_leave(&role);
	counts->documents = work->n_source;
	check_empty(graph, counts);
	if (BufFileSeek(work->file, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(), errmsg("could not rewind a temporary file: %m")));
	work->limit = work->size;
	work->size = 0;
	return work;
}

/*
 * Reading it back: size counts up to limit, which is where the file ends.
 */

static void
read_bytes(MrenGraphWork *work, void *out, size_t len)
{
	if (BufFileRead(work->file, out, len) != len)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not read a temporary file: %m")));
	work->size += len;
}

static Datum
read_field(MrenGraphWork *work, bool *isnull)
{
	int64 len;
	bytea *value;

	read_bytes(work, &len, sizeof(len));
	*isnull = len < 0;
	if (len < 0)
		return (Datum) 0;
	value = palloc(VARHDRSZ + len);
	SET_VARSIZE(value, VARHDRSZ + len);
	if (len > 0)
		read_bytes(work, VARDATA(value), len);
	return PointerGetDatum(value);
}

static void
read_document(MrenGraphWork *work, MrenGraphDocument *document)
{
	Datum fields[N_FIELDS];
	bool isnull;

	memset(document, 0, sizeof(*document));
	read_bytes(work, &document->action, 1);
	for (int i = 0; i < N_FIELDS; i++)
		fields[i] = read_field(work, &isnull);
	document->key = fields[0];
	document->hash = fields[1];
	document->text = fields[2];
	document->image = fields[3];
	document->vector = fields[4];
	document->has_seen_at = !isnull;
	if (!isnull)
	{
		TimestampTz time;

		memcpy(&time, VARDATA_ANY(DatumGetPointer(fields[5])), sizeof(time));
		document->seen_at = TimestampTzGetDatum(time);
	}
}

int
mren_graph_work_next(MrenGraphWork *work, MrenGraphDocument *documents, int n, size_t max_bytes)
{
	int64 start = work->size;
	int found = 0;

	while (found < n && work->size < work->limit && work->size - start < (int64) max_bytes)
		read_document(work, &documents[found++]);
	return found;
}

void
mren_graph_work_free(MrenGraphWork *work)
{
	MemoryContextDelete(GetMemoryChunkContext(work));
}
