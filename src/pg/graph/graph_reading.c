/*
 * graph_reading.c
 *	  A batch of documents read by the models, and its rows stored as evidence.
 *
 * check-qualified: search_path is pinned by mren_graph_run and mren_graph_enter.
 */
#include "pg/graph/graph_reading.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/tstoreReceiver.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

#include "pg/graph/graph_statements.h"

#define N_ARGUMENTS 12

static const Oid argument_types[N_ARGUMENTS] = {
	TEXTARRAYOID, TEXTARRAYOID, BYTEAARRAYOID, TEXTARRAYOID, TEXTOID, TEXTOID,
	TEXTARRAYOID, REGCLASSOID,	INT4OID,	   FLOAT8OID,	 INT4OID, INT4OID};

Datum
mren_graph_column(const MrenGraphDocument *documents, int n, Oid type, size_t offset)
{
	Datum *values = palloc(n * sizeof(Datum));
	bool *nulls = palloc(n * sizeof(bool));
	int dims[1] = {n};
	int lbs[1] = {1};
	int16 len;
	bool byval;
	char align;

	if (n == 0)
		return PointerGetDatum(construct_empty_array(type));
	for (int i = 0; i < n; i++)
	{
		values[i] = *(const Datum *) ((const char *) &documents[i] + offset);
		nulls[i] = type == TIMESTAMPTZOID ? !documents[i].has_seen_at : values[i] == 0;
	}
	get_typlenbyvalalign(type, &len, &byval, &align);
	return PointerGetDatum(
		construct_md_array(values, nulls, 1, dims, lbs, type, len, byval, align));
}

void
mren_graph_texts(const MrenGraphDocument *documents, int n, MrenGraphTexts *texts)
{
	texts->arrays[0] = MREN_GRAPH_COLUMN(documents, n, TEXTOID, key);
	texts->arrays[1] = MREN_GRAPH_COLUMN(documents, n, TEXTOID, text);
	texts->arrays[2] = MREN_GRAPH_COLUMN(documents, n, BYTEAOID, image);
	texts->arrays[3] = MREN_GRAPH_COLUMN(documents, n, TEXTOID, vector);
}

Tuplestorestate *
mren_graph_rows_begin(void)
{
	return tuplestore_begin_heap(true, true, work_mem);
}

static ParamListInfo
arguments(const MrenGraph *graph, const MrenPipeline *pipeline, const MrenGraphTexts *texts)
{
	const MrenGraphOptions *options = &graph->options;
	ParamListInfo list = makeParamList(N_ARGUMENTS);
	ParamExternData *params = list->params;

	for (int i = 0; i < N_ARGUMENTS; i++)
		params[i] = (ParamExternData){0, false, PARAM_FLAG_CONST, argument_types[i]};
	for (int i = 0; i < MREN_GRAPH_N_TEXTS; i++)
		params[i].value = texts->arrays[i];
	params[4].value = CStringGetTextDatum(graph->model);
	params[5].value = graph->tagger != NULL ? CStringGetTextDatum(graph->tagger) : (Datum) 0;
	params[5].isnull = graph->tagger == NULL;
	params[6].value = graph->lexicons;
	params[6].isnull = graph->lexicons == 0;
	params[7].value = ObjectIdGetDatum(mren_graph_relation(graph, "relations"));
	params[7].isnull = !pipeline->rules;
	params[8].value = Int32GetDatum(options->max_distance);
	params[8].isnull = options->max_distance < 0;
	params[9].value = Float8GetDatum(options->threshold);
	params[9].isnull = options->threshold < 0;
	params[10].value = Int32GetDatum(pipeline->version);
	params[11].value = Int32GetDatum(pipeline->tagger_version);
	params[11].isnull = pipeline->tagger_version <= 0;
	return list;
}

static SPIPlanPtr
prepare(void)
{
	MemoryContext context = CurrentMemoryContext;
	SPIPlanPtr plan = SPI_prepare(mren_graph_sql_read, N_ARGUMENTS, (Oid *) argument_types);

	MemoryContextSwitchTo(context);
	if (plan == NULL)
		elog(ERROR, "could not prepare to read documents: %s", SPI_result_code_string(SPI_result));
	return plan;
}

uint64
mren_graph_read(const MrenGraph *graph, const MrenPipeline *pipeline, const MrenGraphTexts *texts,
				Tuplestorestate *rows)
{
	MemoryContext context = CurrentMemoryContext;
	DestReceiver *dest = CreateDestReceiver(DestTuplestore);
	SPIExecuteOptions options = {
		.params = arguments(graph, pipeline, texts), .read_only = true, .dest = dest};
	SPIPlanPtr plan = prepare();
	int ret;

	SetTuplestoreDestReceiverParams(dest, rows, context, true, NULL, NULL);
	ret = SPI_execute_plan_extended(plan, &options);
	MemoryContextSwitchTo(context);
	if (ret != SPI_OK_SELECT)
		elog(ERROR, "could not read documents: %s", SPI_result_code_string(ret));
	SPI_freeplan(plan);
	return SPI_processed;
}

TupleDesc
mren_graph_rows_desc(void)
{
	SPIPlanPtr plan = prepare();
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));
	TupleDesc desc = CreateTupleDescCopy(source->resultDesc);

	SPI_freeplan(plan);
	return desc;
}

/* In an SPI call of its own, whose end or failure forgets the name of the rows. */
void
mren_graph_place(const MrenGraph *graph, Tuplestorestate *rows, MrenTouched *touched)
{
	const char *parts[] = {mren_graph_sql_raw, mren_graph_sql_resolve, mren_graph_sql_place};
	MemoryContext context = CurrentMemoryContext;
	EphemeralNamedRelationData relation = {
		.md = {.name = MREN_GRAPH_READING,
			   .tupdesc = mren_graph_rows_desc(),
			   .enrtype = ENR_NAMED_TUPLESTORE,
			   .enrtuples = (double) tuplestore_tuple_count(rows)},
		.reldata = rows};

	SPI_connect();
	if (SPI_register_relation(&relation) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not register \"%s\"", MREN_GRAPH_READING);
	mren_graph_run(mren_graph_sql(graph, lengthof(parts), parts), 0, NULL, NULL, NULL);
	mren_graph_read_touched(touched, context);
	SPI_finish();
}
