/*
 * graph_merge_call.c
 *	  mren.merge_graph: edits applied without reading documents; and the counts
 *	  of a graph that the summaries of merges and refreshes end with.
 *
 * check-qualified: search_path is pinned by mren_graph_run.
 */
#include "pg/graph/graph_base.h"

#include "lib/stringinfo.h"
#include "tcop/utility.h"
#include "utils/builtins.h"

#include "pg/support/args.h"

static int64
count_rows(const MrenGraph *graph, const char *sql)
{
	bool isnull;
	int64 n;

	mren_graph_run_sql(graph, sql, 0, NULL, NULL, NULL);
	n = DatumGetInt64(mren_graph_result(1, CurrentMemoryContext, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return n;
}

void
mren_graph_append_counts(StringInfo json, const MrenGraph *graph)
{
	appendStringInfo(
		json, "\"documents\": %lld, \"entities\": %lld, \"facts\": %lld}",
		(long long) count_rows(graph, "SELECT count(*) FROM ${graph}.documents"),
		(long long) count_rows(graph, "SELECT count(*) FROM ${graph}.entities"),
		(long long) count_rows(
			graph, "SELECT count(*) FROM ${graph}.all_facts WHERE status = 'accepted'"));
}

PG_FUNCTION_INFO_V1(mren_merge_graph);
/* mren.merge_graph(graph) → jsonb */
Datum
mren_merge_graph(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	char *name = mren_arg_text(fcinfo, 0, "graph");
	MrenTouched nothing = {0};
	MrenGraph graph;
	MrenGraphRole role;
	StringInfoData json;
	Datum summary;

	PreventCommandIfReadOnly("mren.merge_graph()");
	SPI_connect();
	mren_graph_open(name, true, &graph);
	mren_graph_check_layout(&graph);
	initStringInfo(&json);
	if (mren_graph_lock(&graph, true))
	{
		mren_graph_enter(&graph, NULL, &role);
		if (!mren_graph_remerge(&graph))
			mren_graph_merge(&graph, &nothing);
		appendStringInfoString(&json, "{\"status\": \"done\", ");
		mren_graph_append_counts(&json, &graph);
		mren_graph_leave(&role);
	}
	else
		appendStringInfoString(&json, "{\"status\": \"busy\"}");
	MemoryContextSwitchTo(caller);
	summary = DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
	SPI_finish();
	PG_RETURN_DATUM(summary);
}
