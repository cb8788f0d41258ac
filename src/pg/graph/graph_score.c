/*
 * graph_score.c
 *	  Documents to evidence, a batch at a time.
 *
 * A batch is read (graph_reading.c), here or by a worker, then placed.  If a
 * document in it cannot be read, because its image is damaged or it takes too
 * long, for example, it is read apart from the others; it is then kept with its
 * error, without evidence, until it or what reads it changes.  Errors that are
 * not a document's own end the refresh.
 *
 * check-qualified: search_path is pinned by mren_graph_run and mren_graph_query.
 */
#include "pg/graph/graph_base.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "pg/extract/extract.h"
#include "pg/graph/graph_reading.h"
#include "pg/graph/graph_statements.h"

#define COLUMN(type, field) MREN_GRAPH_COLUMN(documents, n, type, field)

/*
 * Old evidence goes
 */

void
mren_graph_read_touched(MrenTouched *touched, MemoryContext context)
{
	MrenTouched more;
	bool isnull;
	MemoryContext old = MemoryContextSwitchTo(context);

	more.facts = mren_graph_result(1, context, &isnull);
	more.entities = mren_graph_result(2, context, &isnull);
	SPI_freetuptable(SPI_tuptable);
	mren_graph_touch(touched, &more);
	MemoryContextSwitchTo(old);
}

static void
delete_evidence(const MrenGraph *graph, const MrenGraphDocument *documents, int n,
				MrenTouched *touched)
{
	Oid types[] = {TEXTARRAYOID};
	Datum values[] = {COLUMN(TEXTOID, key)};

	mren_graph_run_sql(
		graph,
		"WITH gone AS (DELETE FROM ${graph}.evidence e WHERE e.document = ANY ($1)"
		" AND e.n > 0"
		" RETURNING e.fact, e.head_entity, e.tail_entity) " MREN_GRAPH_SQL_TOUCHED("gone"),
		1, types, values, NULL);
	mren_graph_read_touched(touched, CurrentMemoryContext);
}

static void
delete_documents(const MrenGraph *graph, const MrenGraphDocument *documents, int n)
{
	Oid types[] = {TEXTARRAYOID};
	Datum values[] = {COLUMN(TEXTOID, key)};

	mren_graph_run_sql(graph, "DELETE FROM ${graph}.documents d WHERE d.document = ANY ($1)", 1,
					   types, values, NULL);
}

/* Only seen_at differs. */
static void
retime_documents(const MrenGraph *graph, const MrenGraphDocument *documents, int n,
				 MrenTouched *touched)
{
	Oid types[] = {TEXTARRAYOID, TIMESTAMPTZARRAYOID};
	Datum values[] = {COLUMN(TEXTOID, key), COLUMN(TIMESTAMPTZOID, seen_at)};

	mren_graph_run_sql(
		graph,
		"WITH t AS (UPDATE ${graph}.documents d SET seen_at = u.seen_at"
		" FROM unnest($1, $2) AS u (document, seen_at) WHERE d.document = u.document)"
		" SELECT (SELECT array_agg(DISTINCT e.fact) FROM ${graph}.evidence e"
		"  WHERE e.document = ANY ($1) AND e.fact IS NOT NULL), NULL::uuid[]",
		2, types, values, NULL);
	mren_graph_read_touched(touched, CurrentMemoryContext);
}

/*
 * New evidence comes
 */

static void
check_keys(const MrenGraph *graph, Datum keys, TimestampTz stamp)
{
	Oid types[] = {TEXTARRAYOID, TIMESTAMPTZOID};
	Datum values[] = {keys, TimestampTzGetDatum(stamp)};

	if (mren_graph_run_sql(
			graph,
			"SELECT k.key FROM unnest($1) AS k (key) GROUP BY k.key HAVING count(*) > 1"
			" OR EXISTS (SELECT FROM ${graph}.documents d WHERE d.document = k.key"
			"  AND d.scored_at = $2) LIMIT 1",
			2, types, values, NULL) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("the source of graph \"%s\" has more than one document with key "
						"\"%s\"",
						graph->name, SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
				 errhint("Make the column key unique.")));
	SPI_freetuptable(SPI_tuptable);
}

static void
put_documents(const MrenGraph *graph, const MrenPipeline *pipeline,
			  const MrenGraphDocument *documents, int n, TimestampTz stamp)
{
	Oid types[] = {TEXTARRAYOID, BYTEAARRAYOID, TIMESTAMPTZARRAYOID,
				   BYTEAOID,	 INT4OID,		TIMESTAMPTZOID};
	Datum values[] = {COLUMN(TEXTOID, key),
					  COLUMN(BYTEAOID, hash),
					  COLUMN(TIMESTAMPTZOID, seen_at),
					  PointerGetDatum(mren_digest_bytea(pipeline->sha256)),
					  Int32GetDatum(pipeline->version),
					  TimestampTzGetDatum(stamp)};

	check_keys(graph, values[0], stamp);
	mren_graph_run_sql(
		graph,
		"INSERT INTO ${graph}.documents"
		"  (document, hash, pipeline, state, seen_at, model_version, scored_at)"
		" SELECT u.document, u.hash, $4, 'scored', u.seen_at, $5, $6"
		" FROM unnest($1, $2, $3) AS u (document, hash, seen_at)"
		" ON CONFLICT (document) DO UPDATE SET hash = excluded.hash, pipeline = excluded.pipeline,"
		" state = excluded.state, error = NULL, seen_at = excluded.seen_at,"
		" model_version = excluded.model_version, scored_at = excluded.scored_at",
		lengthof(types), types, values, NULL);
}

typedef struct Scoring
{
	const MrenGraph *graph;
	const MrenPipeline *pipeline;
	MrenTouched *touched;
	MrenUnread *unread;
} Scoring;

/* Whether an error is a document's own. */
static bool
is_of_document(int sqlerrcode)
{
	return ERRCODE_TO_CATEGORY(sqlerrcode) == ERRCODE_DATA_EXCEPTION ||
		   sqlerrcode == ERRCODE_FEATURE_NOT_SUPPORTED ||
		   sqlerrcode == ERRCODE_PROGRAM_LIMIT_EXCEEDED;
}

/* Reads the batch unless that was done, and stores what was read. */
static void
read_and_place(const Scoring *scoring, const MrenGraphDocument *documents, int n,
			   Tuplestorestate *rows)
{
	Tuplestorestate *own = NULL;

	if (rows == NULL)
	{
		MrenGraphTexts texts;

		mren_graph_texts(documents, n, &texts);
		rows = own = mren_graph_rows_begin();
		mren_graph_read(scoring->graph, scoring->pipeline, &texts, own);
	}
	mren_graph_place(scoring->graph, rows, scoring->touched);
	if (own != NULL)
		tuplestore_end(own);
}

/*
 * NULL once the batch is scored, else the error of a document in it.  rows: what
 * was read in it, or NULL.  counts: what was read here.
 */
static ErrorData *
try_batch(const Scoring *scoring, const MrenGraphDocument *documents, int n, Tuplestorestate *rows,
		  MrenExtractCounts *counts)
{
	const MrenGraph *graph = scoring->graph;
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;

	(void) mren_extract_counts_take();
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		read_and_place(scoring, documents, n, rows);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	*counts = mren_extract_counts_take();
	if (error != NULL && (graph->options.stop || !is_of_document(error->sqlerrcode)))
		ReThrowError(error);
	return error;
}

static void
fail_document(const MrenGraph *graph, const MrenGraphDocument *document, const ErrorData *error)
{
	Oid types[] = {TEXTOID, TEXTOID};
	Datum values[] = {document->key, CStringGetTextDatum(error->message)};

	mren_graph_run_sql(
		graph, "UPDATE ${graph}.documents d SET state = 'failed', error = $2 WHERE d.document = $1",
		2, types, values, NULL);
}

static void score_all(const Scoring *scoring, const MrenGraphDocument *documents, int n,
					  const MrenReading *reading);

/* The documents before the one that could not be read, perhaps, then it alone, then the rest. */
static void
score_apart(const Scoring *scoring, const MrenGraphDocument *documents, int n, int64 suspect)
{
	int at = (int) Min(Max(suspect, 0), n - 1);

	score_all(scoring, documents, at, NULL);
	score_all(scoring, documents + at, 1, NULL);
	score_all(scoring, documents + at + 1, n - at - 1, NULL);
}

/*
 * Scores a batch, of which a worker may have read something.  If that failed or
 * it fails here, the documents are divided at the one that was being read.  Which
 * one that was is a guess, since a plan may read equal documents once: it saves
 * time, and nothing depends on it.
 */
static void
score_all(const Scoring *scoring, const MrenGraphDocument *documents, int n,
		  const MrenReading *reading)
{
	MrenExtractCounts counts;
	ErrorData *error;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (n == 0)
		return;
	if (n > 1 && reading != NULL && reading->failed >= 0)
	{
		score_apart(scoring, documents, n, reading->failed);
		return;
	}
	error = try_batch(scoring, documents, n, reading != NULL ? reading->rows : NULL, &counts);
	if (error == NULL)
		scoring->unread->skipped_pairs +=
			counts.skipped_pairs + (reading != NULL ? reading->skipped_pairs : 0);
	else if (n == 1)
	{
		fail_document(scoring->graph, documents, error);
		scoring->unread->failed++;
	}
	else
	{
		FreeErrorData(error);
		score_apart(scoring, documents, n, counts.documents - 1);
	}
}

int
mren_graph_pick(const MrenGraphDocument *from, int n, const char *actions, MrenGraphDocument *to)
{
	int found = 0;

	for (int i = 0; i < n; i++)
	{
		if (strchr(actions, from[i].action) != NULL)
			to[found++] = from[i];
	}
	return found;
}

void
mren_graph_score(const MrenGraph *graph, const MrenPipeline *pipeline, const MrenGraphBatch *batch,
				 TimestampTz stamp, MrenUnread *unread)
{
	const MrenGraphDocument *documents = batch->documents;
	int n = batch->n;
	const MrenReading *reading = &batch->reading;
	MrenGraphDocument *some = palloc(n * sizeof(MrenGraphDocument));
	MrenTouched touched = {0};
	const Scoring scoring = {graph, pipeline, &touched, unread};
	int n_some;

	n_some = mren_graph_pick(documents, n, "t", some);
	if (n_some > 0)
		retime_documents(graph, some, n_some, &touched);
	n_some = mren_graph_pick(documents, n, "cod", some);
	if (n_some > 0)
		delete_evidence(graph, some, n_some, &touched);
	n_some = mren_graph_pick(documents, n, "d", some);
	if (n_some > 0)
		delete_documents(graph, some, n_some);
	n_some = mren_graph_pick(documents, n, MREN_GRAPH_TO_READ, some);
	if (n_some > 0)
	{
		put_documents(graph, pipeline, some, n_some, stamp);
		score_all(&scoring, some, n_some, reading);
	}
	mren_graph_merge(graph, &touched);
}

void
mren_graph_report_unread(const MrenGraph *graph, const MrenUnread *unread)
{
	if (unread->failed > 0)
		ereport(WARNING, (errmsg_plural("%lld document of graph \"%s\" could not be scored",
										"%lld documents of graph \"%s\" could not be scored",
										(unsigned long) unread->failed, (long long) unread->failed,
										graph->name),
						  errhint("See the column error of %s.documents. They are tried again "
								  "when they change; to try one again now, delete its row there.",
								  graph->schema)));
	if (unread->skipped_pairs > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld pair of mentions of graph \"%s\" was left out",
							   "%lld pairs of mentions of graph \"%s\" were left out",
							   (unsigned long) unread->skipped_pairs,
							   (long long) unread->skipped_pairs, graph->name),
				 errdetail("Of the pairs that begin in one sentence the nearest %d are considered, "
						   "of a document %d.",
						   graph->options.max_pairs_sentence, graph->options.max_pairs_document),
				 errhint("See the options max_pairs_sentence and max_pairs_document.")));
}
