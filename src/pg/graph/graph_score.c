/*
 * graph_score.c
 *	  Documents to evidence, a batch at a time.
 *
 * A batch is one statement.  If a document in it cannot be scored, because its
 * image is damaged or it takes too long, for example, it is scored apart from
 * the others; it is then kept with its error, without evidence, until it or what
 * scores it changes.  Errors that are not a document's own end the refresh.
 *
 * check-qualified: search_path is pinned by mren_graph_run and mren_graph_query.
 */
#include "pg/graph/graph_base.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "pg/extract/extract.h"
#include "pg/model/deployed.h"
#include "pg/support/digest.h"
#include "pg/graph/graph_statements.h"
#include "text/casefold.h"
#include "text/names/short_forms.h"

/*
 * The pipeline
 */

static void
add_bytes(pg_cryptohash_ctx *context, const char *what, const void *bytes, size_t len)
{
	uint64 n = len;

	mren_digest_add(context, what, strlen(what) + 1);
	mren_digest_add(context, &n, sizeof(n));
	mren_digest_add(context, bytes, len);
}

static void
add_model(pg_cryptohash_ctx *context, const MrenGraph *graph, MrenPipeline *pipeline)
{
	const MrenDeployed *deployed = mren_deployed_find(graph->model, strlen(graph->model),
													  graph->options.version, MREN_MODEL_RELATION);
	Oid types[] = {INT8OID};
	Datum values[] = {Int64GetDatum(deployed->version.id)};
	MemoryContext outer = CurrentMemoryContext;
	bool isnull;
	Datum value;

	pipeline->version = deployed->version.version;
	add_bytes(context, "model", graph->model, strlen(graph->model));
	add_bytes(context, "version", &pipeline->version, sizeof(int32));
	add_bytes(context, "network", deployed->version.sha256, MREN_SHA256_LENGTH);
	mren_catalog_read(
		"SELECT options OPERATOR(pg_catalog.->>) 'negative',"
		" EXISTS (SELECT FROM pg_catalog.unnest(relations) AS r"
		" WHERE r OPERATOR(pg_catalog.~~) '%(e1,e2)' OR r OPERATOR(pg_catalog.~~) '%(e2,e1)'),"
		" relations FROM mren.model_version WHERE id OPERATOR(pg_catalog.=) $1",
		1, types, values, NULL);
	MemoryContextSwitchTo(outer);
	value = mren_graph_result(1, CurrentMemoryContext, &isnull);
	pipeline->negative = isnull ? NULL : TextDatumGetCString(value);
	pipeline->directed = DatumGetBool(mren_graph_result(2, CurrentMemoryContext, &isnull));
	pipeline->relations = mren_graph_result(3, CurrentMemoryContext, &isnull);
	SPI_freetuptable(SPI_tuptable);
}

static void
add_tagger(pg_cryptohash_ctx *context, const MrenGraph *graph, MrenPipeline *pipeline)
{
	const MrenDeployed *deployed;

	pipeline->tagger_version = 0;
	if (graph->tagger == NULL)
		return;
	deployed = mren_deployed_find(graph->tagger, strlen(graph->tagger),
								  graph->options.tagger_version, MREN_MODEL_TAGGER);
	pipeline->tagger_version = deployed->version.version;
	add_bytes(context, "tagger", graph->tagger, strlen(graph->tagger));
	add_bytes(context, "version", &pipeline->tagger_version, sizeof(int32));
	add_bytes(context, "network", deployed->version.sha256, MREN_SHA256_LENGTH);
}

static void
add_lexicons(pg_cryptohash_ctx *context, const MrenGraph *graph)
{
	MrenLexiconRow lexicon;
	Datum *names;
	bool *nulls;
	int n;

	if (graph->lexicons == 0)
		return;
	deconstruct_array(DatumGetArrayTypeP(graph->lexicons), TEXTOID, -1, false, TYPALIGN_INT, &names,
					  &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("an element of argument \"lexicons\" is null")));
		mren_catalog_need_lexicon(TextDatumGetCString(names[i]), &lexicon);
		add_bytes(context, "lexicon", lexicon.sha256, MREN_SHA256_LENGTH);
	}
}

/* Of the table of relations, only the columns that decide which pairs are scored. */
static void
add_relations(pg_cryptohash_ctx *context, const MrenGraph *graph, MrenPipeline *pipeline)
{
	bool isnull;
	char *rules;

	mren_graph_run_sql(
		graph,
		"SELECT COALESCE(jsonb_agg(DISTINCT jsonb_build_array(r.relation, r.head_type,"
		" r.tail_type, r.symmetric)), '[]')::text, count(*) > 0 FROM ${graph}.relations r",
		0, NULL, NULL, NULL);
	rules = TextDatumGetCString(mren_graph_result(1, CurrentMemoryContext, &isnull));
	pipeline->rules = DatumGetBool(mren_graph_result(2, CurrentMemoryContext, &isnull));
	SPI_freetuptable(SPI_tuptable);
	add_bytes(context, "relations", rules, strlen(rules));
}

/* What differs from the rules of earlier versions, whose evidence stays where it does not. */
static void
add_bounds(pg_cryptohash_ctx *context, const MrenGraphOptions *options)
{
	/* Since 0.3.0 evidence has the confidences of its mentions. */
	add_bytes(context, "mentions' confidence", "", 0);
	/* Likewise, the distance is also that within a sentence. */
	if (options->max_distance >= 0)
		add_bytes(context, "distance within sentences", "", 0);
	if (options->max_pairs_sentence != MREN_MAX_PAIRS_SENTENCE)
		add_bytes(context, "pairs of a sentence", &options->max_pairs_sentence, sizeof(int32));
	if (options->max_pairs_document != MREN_MAX_PAIRS_DOCUMENT)
		add_bytes(context, "pairs of a document", &options->max_pairs_document, sizeof(int32));
}

void
mren_graph_pipeline(const MrenGraph *graph, MrenPipeline *pipeline)
{
	pg_cryptohash_ctx *context = mren_digest_begin();
	int32 casefold = MREN_CASEFOLD_VERSION;
	int32 short_forms = MREN_SHORT_FORMS_VERSION;

	memset(pipeline, 0, sizeof(*pipeline));
	add_bytes(context, "casefold", &casefold, sizeof(casefold));
	add_bytes(context, "short forms", &short_forms, sizeof(short_forms));
	add_model(context, graph, pipeline);
	add_tagger(context, graph, pipeline);
	add_lexicons(context, graph);
	add_relations(context, graph, pipeline);
	add_bytes(context, "threshold", &graph->options.threshold, sizeof(double));
	/* Graphs of any language keep the evidence that earlier versions have read. */
	if (graph->options.language[0] != '\0')
		add_bytes(context, "language", graph->options.language, strlen(graph->options.language));
	add_bytes(context, "distance", &graph->options.max_distance, sizeof(int32));
	add_bounds(context, &graph->options);
	mren_digest_end(context, pipeline->sha256);
}

void
mren_graph_relations(const MrenGraph *graph, const MrenPipeline *pipeline, bool insert)
{
	static const char missing[] = "SELECT DISTINCT regexp_replace(r.r, '\\(e[12],e[12]\\)$', '') "
								  "AS relation FROM unnest($1) r (r)"
								  " WHERE r.r IS DISTINCT FROM $2"
								  " EXCEPT SELECT k.relation FROM ${graph}.relations k ORDER BY 1";
	const char *inserted[] = {"INSERT INTO ${graph}.relations (relation) ", missing};
	const char *listed[] = {"SELECT string_agg(quote_ident(m.relation), ', ') FROM (", missing,
							" LIMIT 10) m HAVING count(*) > 0"};
	Oid types[] = {TEXTARRAYOID, TEXTOID};
	Datum values[] = {pipeline->relations, pipeline->negative != NULL
											   ? CStringGetTextDatum(pipeline->negative)
											   : (Datum) 0};
	const char *nulls = pipeline->negative != NULL ? NULL : " n";

	if (insert)
		mren_graph_run(mren_graph_sql(graph, lengthof(inserted), inserted), 2, types, values,
					   nulls);
	else if (mren_graph_run(mren_graph_sql(graph, lengthof(listed), listed), 2, types, values,
							nulls) > 0)
	{
		ereport(NOTICE,
				(errmsg("relations of model \"%s\" that are not in %s.relations are ignored: %s",
						graph->model, graph->schema,
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1))));
		SPI_freetuptable(SPI_tuptable);
	}
}

/* extract tells it of a document without text, too. */
void
mren_graph_notice_relations(const MrenGraph *graph, const MrenPipeline *pipeline)
{
	Oid types[] = {TEXTOID, TEXTOID, TEXTARRAYOID, REGCLASSOID, INT4OID, INT4OID};
	Datum values[lengthof(types)];
	char nulls[] = "      ";

	values[0] = CStringGetTextDatum(graph->model);
	values[1] = graph->tagger != NULL ? CStringGetTextDatum(graph->tagger) : (Datum) 0;
	nulls[1] = graph->tagger != NULL ? ' ' : 'n';
	values[2] = graph->lexicons;
	nulls[2] = graph->lexicons != 0 ? ' ' : 'n';
	values[3] = ObjectIdGetDatum(mren_graph_relation(graph, "relations"));
	values[4] = Int32GetDatum(pipeline->version);
	values[5] = Int32GetDatum(pipeline->tagger_version);
	nulls[5] = pipeline->tagger_version > 0 ? ' ' : 'n';
	mren_graph_run_sql(graph,
					   "SELECT FROM mren.extract($1, '', tagger => $2, lexicons => $3,"
					   " relation_schema => $4, version => $5, tagger_version => $6)",
					   lengthof(types), types, values, nulls);
}

/*
 * Arrays of a batch's columns
 */

static Datum
column(const MrenGraphDocument *documents, int n, Oid type, size_t offset)
{
	Datum *values = palloc(n * sizeof(Datum));
	bool *nulls = palloc(n * sizeof(bool));
	int dims[1] = {n};
	int lbs[1] = {1};
	int16 len;
	bool byval;
	char align;

	for (int i = 0; i < n; i++)
	{
		values[i] = *(const Datum *) ((const char *) &documents[i] + offset);
		nulls[i] = type == TIMESTAMPTZOID ? !documents[i].has_seen_at : values[i] == 0;
	}
	get_typlenbyvalalign(type, &len, &byval, &align);
	return PointerGetDatum(
		construct_md_array(values, nulls, 1, dims, lbs, type, len, byval, align));
}

#define COLUMN(type, field) column(documents, n, type, offsetof(MrenGraphDocument, field))

/*
 * Old evidence goes
 */

static void
read_touched(MrenTouched *touched, MemoryContext context)
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
	read_touched(touched, CurrentMemoryContext);
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
	read_touched(touched, CurrentMemoryContext);
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
		"INSERT INTO ${graph}.documents (document, hash, pipeline, state, seen_at, model_version, "
		"scored_at)"
		" SELECT u.document, u.hash, $4, 'scored', u.seen_at, $5, $6"
		" FROM unnest($1, $2, $3) AS u (document, hash, seen_at)"
		" ON CONFLICT (document) DO UPDATE SET hash = excluded.hash, pipeline = excluded.pipeline,"
		" state = excluded.state, error = NULL, seen_at = excluded.seen_at,"
		" model_version = excluded.model_version, scored_at = excluded.scored_at",
		lengthof(types), types, values, NULL);
}

/* The statement that scores a batch, of $1 keys, $2 texts, $3 images, $4 their vectors. */
static void
score_batch(const MrenGraph *graph, const MrenPipeline *pipeline,
			const MrenGraphDocument *documents, int n)
{
	const MrenGraphOptions *options = &graph->options;
	const char *parts[] = {mren_graph_sql_score, mren_graph_sql_resolve, mren_graph_sql_place};
	Oid types[] = {TEXTARRAYOID, TEXTARRAYOID, BYTEAARRAYOID, TEXTARRAYOID, TEXTOID, TEXTOID,
				   TEXTARRAYOID, REGCLASSOID,  INT4OID,		  FLOAT8OID,	INT4OID, INT4OID};
	Datum values[lengthof(types)];
	char nulls[lengthof(types)];

	memset(nulls, ' ', sizeof(nulls));
	values[0] = COLUMN(TEXTOID, key);
	values[1] = COLUMN(TEXTOID, text);
	values[2] = COLUMN(BYTEAOID, image);
	values[3] = COLUMN(TEXTOID, vector);
	values[4] = CStringGetTextDatum(graph->model);
	values[5] = graph->tagger != NULL ? CStringGetTextDatum(graph->tagger) : (Datum) 0;
	nulls[5] = graph->tagger != NULL ? ' ' : 'n';
	values[6] = graph->lexicons;
	nulls[6] = graph->lexicons != 0 ? ' ' : 'n';
	values[7] = ObjectIdGetDatum(mren_graph_relation(graph, "relations"));
	nulls[7] = pipeline->rules ? ' ' : 'n';
	values[8] = Int32GetDatum(options->max_distance);
	nulls[8] = options->max_distance >= 0 ? ' ' : 'n';
	values[9] = Float8GetDatum(options->threshold);
	nulls[9] = options->threshold >= 0 ? ' ' : 'n';
	values[10] = Int32GetDatum(pipeline->version);
	values[11] = Int32GetDatum(pipeline->tagger_version);
	nulls[11] = pipeline->tagger_version > 0 ? ' ' : 'n';
	mren_graph_run(mren_graph_sql(graph, lengthof(parts), parts), lengthof(types), types, values,
				   nulls);
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

/*
 * NULL once the batch is scored, else the error of a document in it.  counts:
 * what was read.
 */
static ErrorData *
try_batch(const Scoring *scoring, const MrenGraphDocument *documents, int n,
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
		score_batch(graph, scoring->pipeline, documents, n);
		read_touched(scoring->touched, context);
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

/*
 * Scores a batch.  If it fails, the documents before the one that was being read
 * are scored, then that one alone, then the rest.  Which one that was is a
 * guess, since a plan may read equal documents once: it saves time, and nothing
 * depends on it.
 */
static void
score_all(const Scoring *scoring, const MrenGraphDocument *documents, int n)
{
	check_stack_depth();
	while (n > 0)
	{
		MrenExtractCounts counts;
		ErrorData *error;
		int suspect;

		CHECK_FOR_INTERRUPTS();
		error = try_batch(scoring, documents, n, &counts);
		if (error == NULL)
		{
			scoring->unread->skipped_pairs += counts.skipped_pairs;
			return;
		}
		if (n == 1)
		{
			fail_document(scoring->graph, documents, error);
			scoring->unread->failed++;
			return;
		}
		FreeErrorData(error);
		suspect = (int) Min(Max(counts.documents - 1, 0), n - 1);
		score_all(scoring, documents, suspect);
		score_all(scoring, documents + suspect, 1);
		documents += suspect + 1;
		n -= suspect + 1;
	}
}

/* The documents of some actions, in their order, at the front; their number. */
static int
pick(const MrenGraphDocument *from, int n, const char *actions, MrenGraphDocument *to)
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
mren_graph_score(const MrenGraph *graph, const MrenPipeline *pipeline, MrenGraphDocument *documents,
				 int n, TimestampTz stamp, MrenUnread *unread)
{
	MrenGraphDocument *some = palloc(n * sizeof(MrenGraphDocument));
	MrenTouched touched = {0};
	const Scoring scoring = {graph, pipeline, &touched, unread};
	int n_some;

	n_some = pick(documents, n, "t", some);
	if (n_some > 0)
		retime_documents(graph, some, n_some, &touched);
	n_some = pick(documents, n, "cod", some);
	if (n_some > 0)
		delete_evidence(graph, some, n_some, &touched);
	n_some = pick(documents, n, "d", some);
	if (n_some > 0)
		delete_documents(graph, some, n_some);
	n_some = pick(documents, n, "nco", some);
	if (n_some > 0)
	{
		put_documents(graph, pipeline, some, n_some, stamp);
		score_all(&scoring, some, n_some);
	}
	mren_graph_merge(graph, &touched);
}
