/*
 * graph_pipeline.c
 *	  What reads the documents of a graph, and the hash of it.
 *
 * check-qualified: search_path is pinned by mren_graph_run and mren_graph_query.
 */
#include "pg/graph/graph_base.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "pg/model/deployed.h"
#include "pg/support/digest.h"
#include "text/casefold.h"
#include "text/names/short_forms.h"

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

/* extract raises it for a document without text, too. */
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
