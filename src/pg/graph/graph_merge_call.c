/*
 * graph_merge_call.c
 *	  mren.merge_graph: edits applied without reading documents, and verdicts that
 *	  wait; and the counts of a graph that the summaries of merges and refreshes
 *	  end with.
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

/*
 * Verdicts that apply to nothing, which may be about documents to come, or mistyped.  The
 * statement gives their number and what one of them is on.
 */
static void
notice_waiting(const MrenGraph *graph, const char *table, const char *sql)
{
	bool isnull;
	int64 n;

	mren_graph_run_sql(graph, sql, 0, NULL, NULL, NULL);
	n = DatumGetInt64(mren_graph_result(1, CurrentMemoryContext, &isnull));
	if (n > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld row of %s.%s applies to no statement",
							   "%lld rows of %s.%s apply to no statement", (unsigned long) n,
							   (long long) n, graph->schema, table),
				 errdetail("One of them is on \"%s\".",
						   SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2)),
				 errhint("They wait for documents that make such statements; or what they are on "
						 "is mistyped.")));
	SPI_freetuptable(SPI_tuptable);
}

#define TOUCHES(side)                                                                              \
	"SELECT v.id FROM ${graph}.mention_review v JOIN ${graph}.evidence e"                          \
	" ON e." side "_name = mren.normalize_name(v.mention) COLLATE \"C\""                           \
	" AND v.type IN ('', COALESCE(e." side "_type, '')) AND v.document IN ('', e.document)"

static void
notice_verdicts(const MrenGraph *graph)
{
	notice_waiting(graph, "review",
				   "SELECT count(*), min(r.fact::text) FROM ${graph}.review r"
				   " WHERE r.judged IS NULL");
	notice_waiting(graph, "mention_review",
				   "SELECT count(*), min(m.mention COLLATE \"C\") FROM ${graph}.mention_review m"
				   " WHERE m.id NOT IN (" TOUCHES("head") " UNION " TOUCHES("tail") ")");
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
		notice_verdicts(&graph);
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
