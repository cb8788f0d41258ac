/*
 * graph_run.c
 *	  The record of a refresh in mren.graph_run.
 */
#include "pg/graph/graph_base.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/catalog/catalog_outside.h"
#include "pg/support/settings.h"

/* Marks the runs that a backend which died left as running. */
static void
mark_dead(const MrenGraph *graph)
{
	Oid types[] = {INT8OID};
	Datum values[] = {Int64GetDatum(graph->id)};

	mren_catalog_write("UPDATE mren.graph_run SET status = 'died', seconds_left = NULL,"
					   " finished_at = updated_at WHERE graph OPERATOR(pg_catalog.=) $1"
					   " AND status OPERATOR(pg_catalog.=) 'running'",
					   1, types, values, NULL);
}

/* Deletes what finished before the days that are kept, but not the last run of a graph. */
static void
prune(void)
{
	Oid types[] = {INT4OID};
	Datum values[] = {Int32GetDatum(mren_keep_runs)};

	if (mren_keep_runs == 0)
		return;
	mren_catalog_write("DELETE FROM mren.graph_run r WHERE r.finished_at OPERATOR(pg_catalog.<)"
					   "  (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"
					   "   pg_catalog.make_interval(days => $1))"
					   " AND EXISTS (SELECT FROM mren.graph_run later"
					   "  WHERE later.graph OPERATOR(pg_catalog.=) r.graph"
					   "  AND later.id OPERATOR(pg_catalog.>) r.id)",
					   1, types, values, NULL);
}

/* The caller holds the graph's lock. */
int64
mren_graph_run_begin(const MrenGraph *graph)
{
	Oid types[] = {INT8OID, TEXTOID, NAMEOID, INT4OID};
	Datum values[] = {
		Int64GetDatum(graph->id), CStringGetTextDatum(graph->name),
		DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(GetUserId(), false))),
		Int32GetDatum(MyProcPid)};
	bool isnull;
	int64 id;

	mark_dead(graph);
	prune();
	mren_catalog_write(
		"INSERT INTO mren.graph_run (graph, name, started_by, started_at, updated_at, status,"
		" backend, phase) VALUES ($1, $2, $3, pg_catalog.clock_timestamp(),"
		" pg_catalog.clock_timestamp(), 'running', $4, 'reading') RETURNING id",
		lengthof(types), types, values, NULL);
	id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return id;
}

void
mren_graph_run_busy(const MrenGraph *graph)
{
	Oid types[] = {INT8OID, TEXTOID, NAMEOID, INT4OID};
	Datum values[] = {
		Int64GetDatum(graph->id), CStringGetTextDatum(graph->name),
		DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(GetUserId(), false))),
		Int32GetDatum(MyProcPid)};

	mren_catalog_write(
		"INSERT INTO mren.graph_run (graph, name, started_by, started_at, updated_at, finished_at,"
		" status, backend, phase, message) VALUES ($1, $2, $3, pg_catalog.clock_timestamp(),"
		" pg_catalog.clock_timestamp(), pg_catalog.clock_timestamp(), 'busy', $4, 'starting',"
		" 'another session was refreshing the graph')",
		lengthof(types), types, values, NULL);
}

void
mren_graph_run_progress(int64 run, const char *phase, int64 done, int64 total, double per_second,
						double seconds_left)
{
	Oid types[] = {INT8OID, TEXTOID, INT8OID, INT8OID, FLOAT8OID, FLOAT8OID};
	Datum values[] = {Int64GetDatum(run),		  Int64GetDatum(0),
					  Int64GetDatum(done),		  Int64GetDatum(total),
					  Float8GetDatum(per_second), Float8GetDatum(seconds_left)};
	char nulls[lengthof(types)];

	memset(nulls, ' ', sizeof(nulls));
	values[1] = CStringGetTextDatum(phase);
	nulls[3] = total >= 0 ? ' ' : 'n';
	nulls[4] = per_second > 0 ? ' ' : 'n';
	nulls[5] = seconds_left >= 0 ? ' ' : 'n';
	mren_catalog_write("UPDATE mren.graph_run SET phase = $2, done = $3, total = $4,"
					   " per_second = $5, seconds_left = $6,"
					   " updated_at = pg_catalog.clock_timestamp()"
					   " WHERE id OPERATOR(pg_catalog.=) $1",
					   lengthof(types), types, values, nulls);
}

void
mren_graph_run_succeed(int64 run, Datum summary)
{
	Oid types[] = {INT8OID, JSONBOID};
	Datum values[] = {Int64GetDatum(run), summary};

	mren_catalog_write("UPDATE mren.graph_run SET status = 'succeeded', summary = $2,"
					   " seconds_left = NULL, updated_at = pg_catalog.clock_timestamp(),"
					   " finished_at = pg_catalog.clock_timestamp()"
					   " WHERE id OPERATOR(pg_catalog.=) $1",
					   2, types, values, NULL);
}

static const char *
fail_status(const ErrorData *error)
{
	bool canceled =
		error->sqlerrcode == ERRCODE_QUERY_CANCELED || error->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN;

	return canceled ? "canceled" : "failed";
}

void
mren_graph_run_fail(int64 run, const ErrorData *error)
{
	Oid types[] = {INT8OID, TEXTOID, TEXTOID, TEXTOID};
	Datum values[] = {Int64GetDatum(run), CStringGetTextDatum(fail_status(error)),
					  CStringGetTextDatum(unpack_sql_state(error->sqlerrcode)),
					  CStringGetTextDatum(error->message)};

	mren_catalog_write("UPDATE mren.graph_run SET status = $2, sqlstate = $3, message = $4,"
					   " seconds_left = NULL, updated_at = pg_catalog.clock_timestamp(),"
					   " finished_at = pg_catalog.clock_timestamp()"
					   " WHERE id OPERATOR(pg_catalog.=) $1",
					   4, types, values, NULL);
}

void
mren_graph_run_fail_outside(const MrenGraph *graph, TimestampTz started_at, const ErrorData *error)
{
	const char *values[] = {
		psprintf("%lld", (long long) graph->id),
		graph->name,
		GetUserNameFromId(GetUserId(), false),
		timestamptz_to_str(started_at),
		fail_status(error),
		psprintf("%d", MyProcPid),
		unpack_sql_state(error->sqlerrcode),
		error->message,
	};

	mren_catalog_write_outside(
		"INSERT INTO mren.graph_run (graph, name, started_by, started_at, updated_at, finished_at,"
		" status, backend, phase, sqlstate, message) VALUES ($1::pg_catalog.int8, $2,"
		" $3::pg_catalog.name, $4::pg_catalog.timestamptz, pg_catalog.clock_timestamp(),"
		" pg_catalog.clock_timestamp(), $5, $6::pg_catalog.int4, 'scoring', $7, $8)",
		lengthof(values), values);
}
