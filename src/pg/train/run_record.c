/*
 * run_record.c
 *	  The record of a training or retraining in mren.run.
 *
 * While a row says "running", its backend holds the run's lock (task_lock.h); if
 * it does not, it died.
 */
#include "pg/train/run_record.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "pg/catalog/catalog.h"
#include "pg/catalog/catalog_outside.h"
#include "pg/catalog/catalog_scan.h"
#include "pg/support/settings.h"
#include "pg/support/task_lock.h"

/*
 * Deletes what finished, or died, before the days that are kept; but not what a
 * retraining reads: the last training of a model, from which one of 0.1.0 is
 * retrained, and the runs that judged its last input.
 */
static void
prune(void)
{
	Oid types[] = {INT4OID};
	Datum values[] = {Int32GetDatum(mren_keep_runs)};

	if (mren_keep_runs == 0)
		return;
	mren_catalog_write(
		"DELETE FROM mren.run r"
		" WHERE COALESCE(r.finished_at, r.started_at) OPERATOR(pg_catalog.<)"
		"  (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"
		"   pg_catalog.make_interval(days => $1))"
		" AND (r.status OPERATOR(pg_catalog.<>) 'running' OR NOT EXISTS"
		"  (SELECT FROM pg_catalog.pg_stat_activity a"
		"   WHERE a.pid OPERATOR(pg_catalog.=) r.backend))"
		" AND NOT EXISTS (SELECT FROM mren.model m WHERE m.id OPERATOR(pg_catalog.=) r.model_id AND"
		"  (r.id OPERATOR(pg_catalog.=) (SELECT pg_catalog.max(t.id) FROM mren.run t"
		"   WHERE t.model_id OPERATOR(pg_catalog.=) m.id"
		"   AND t.status OPERATOR(pg_catalog.=) 'succeeded'"
		"   AND t.call OPERATOR(pg_catalog.=) 'train')"
		"  OR r.input_hash OPERATOR(pg_catalog.=) (SELECT t.input_hash FROM mren.run t"
		"   WHERE t.model_id OPERATOR(pg_catalog.=) m.id AND t.input_hash IS NOT NULL"
		"   ORDER BY t.id DESC LIMIT 1)))",
		1, types, values, NULL);
}

void
mren_run_begin(MrenRun *run, const MrenRunStart *start)
{
	Oid types[] = {TEXTOID, NAMEOID, INT4OID, TEXTOID, JSONBOID, TEXTOID, INT8OID};
	NameData user;
	Datum values[lengthof(types)];
	char nulls[] = "       ";
	bool isnull;

	namestrcpy(&user, GetUserNameFromId(GetUserId(), false));
	prune();
	run->start = start;
	run->started_at = GetCurrentTimestamp();
	values[0] = CStringGetTextDatum(start->model);
	values[1] = NameGetDatum(&user);
	values[2] = Int32GetDatum(MyProcPid);
	values[3] = CStringGetTextDatum(start->query);
	values[4] = start->options;
	values[5] = CStringGetTextDatum(start->call);
	/* Not looked up by name here: another role may have created that model since. */
	values[6] = Int64GetDatum(start->model_id);
	nulls[6] = start->model_id > 0 ? ' ' : 'n';
	mren_catalog_write("INSERT INTO mren.run (model, started_by, started_at, status, backend, "
					   "phase, query, options, call, model_id) "
					   "VALUES ($1, $2, pg_catalog.clock_timestamp(), 'running', $3, 'reading', "
					   "$4, $5, $6, $7) RETURNING id",
					   lengthof(types), types, values, nulls);
	run->id =
		DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	/* The row is new, so nobody else has its lock. */
	mren_task_lock(mren_table_oid("run"), run->id, false);
}

void
mren_run_release(MrenRun *run)
{
	if (run->id == 0)
		return;
	mren_task_unlock(mren_table_oid("run"), run->id);
	run->id = 0;
}

void
mren_run_log(MrenRun *run, const MrenProgress *progress, double seconds)
{
	if (run->log.len > 1)
		appendStringInfoString(&run->log, ", ");
	appendStringInfo(&run->log, "{\"phase\": %d, \"epoch\": %d, \"seconds\": %.3f", progress->phase,
					 progress->epoch, seconds);
	if (!isnan(progress->loss))
		appendStringInfo(&run->log, ", \"loss\": %.6g", progress->loss);
	if (progress->members > 1)
		appendStringInfo(&run->log, ", \"member\": %d", progress->member);
	if (progress->validated)
		appendStringInfo(
			&run->log,
			", \"validation_loss\": %.6g, \"validation_f1\": %.6g, \"validation_accuracy\": %.6g",
			progress->validation_loss, progress->validation_f1, progress->validation_accuracy);
	appendStringInfoChar(&run->log, '}');
}

static Datum
log_datum(const MrenRun *run)
{
	char *json = psprintf("%s]", run->log.data);

	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json));
}

void
mren_run_update(MrenRun *run, const MrenRunProgress *progress)
{
	const MrenProgress *epoch = &progress->epoch;
	Oid types[] = {INT8OID,	  TEXTOID,	 INT8OID,	INT4OID,  INT4OID, FLOAT8OID, FLOAT8OID,
				   FLOAT8OID, FLOAT8OID, FLOAT8OID, JSONBOID, INT4OID, INT4OID,	  INT8OID};
	Datum values[lengthof(types)];
	char nulls[lengthof(types)];

	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int64GetDatum(run->id);
	values[1] = CStringGetTextDatum(progress->phase);
	values[2] = Int64GetDatum(progress->rows);
	nulls[2] = progress->rows < 0 ? 'n' : ' ';
	values[3] = Int32GetDatum(epoch->epoch);
	values[4] = Int32GetDatum(epoch->epochs);
	values[5] = Float8GetDatum(epoch->loss);
	nulls[3] = nulls[4] = epoch->epoch == 0 ? 'n' : ' ';
	nulls[5] = epoch->epoch == 0 || isnan(epoch->loss) ? 'n' : ' ';
	values[6] = Float8GetDatum(epoch->validation_loss);
	values[7] = Float8GetDatum(epoch->validation_f1);
	nulls[6] = nulls[7] = epoch->validated ? ' ' : 'n';
	values[8] = Float8GetDatum(progress->rows_per_second);
	nulls[8] = progress->rows_per_second > 0 ? ' ' : 'n';
	values[9] = Float8GetDatum(progress->seconds_left);
	nulls[9] = progress->seconds_left >= 0 ? ' ' : 'n';
	values[10] = log_datum(run);
	values[11] = Int32GetDatum(epoch->member);
	values[12] = Int32GetDatum(epoch->members);
	nulls[11] = nulls[12] = epoch->epoch == 0 || epoch->members <= 1 ? 'n' : ' ';
	values[13] = Int64GetDatum(progress->weak_rows);
	nulls[13] = progress->weak_rows < 0 ? 'n' : ' ';
	mren_catalog_write(
		"UPDATE mren.run SET phase = $2, rows = COALESCE($3, rows), epoch = $4, epochs = $5,"
		" loss = $6, validation_loss = COALESCE($7, validation_loss),"
		" validation_f1 = COALESCE($8, validation_f1), rows_per_second = $9, seconds_left = $10,"
		" log = $11, member = $12, members = $13, weak_rows = COALESCE($14, weak_rows)"
		" WHERE id OPERATOR(pg_catalog.=) $1",
		lengthof(types), types, values, nulls);
}

void
mren_run_succeed(MrenRun *run, int32 version)
{
	Oid types[] = {INT8OID, INT4OID, JSONBOID};
	Datum values[] = {Int64GetDatum(run->id), Int32GetDatum(version), log_datum(run)};

	mren_catalog_write(
		"UPDATE mren.run SET status = 'succeeded', version = $2, log = $3, seconds_left = NULL, "
		"model_id = (SELECT m.id FROM mren.model m WHERE m.name OPERATOR(pg_catalog.=) run.model), "
		"finished_at = pg_catalog.clock_timestamp() WHERE id OPERATOR(pg_catalog.=) $1",
		3, types, values, NULL);
}

void
mren_run_phase(MrenRun *run, const char *phase)
{
	Oid types[] = {INT8OID, TEXTOID};
	Datum values[] = {Int64GetDatum(run->id), CStringGetTextDatum(phase)};

	mren_catalog_write("UPDATE mren.run SET phase = $2, rows_per_second = NULL, seconds_left = NULL"
					   " WHERE id OPERATOR(pg_catalog.=) $1",
					   2, types, values, NULL);
}

static Datum
text_or_null(const char *text, char *null)
{
	*null = text != NULL ? ' ' : 'n';
	return text != NULL ? CStringGetTextDatum(text) : (Datum) 0;
}

static Datum
number_or_null(double number, char *null)
{
	*null = isnan(number) ? 'n' : ' ';
	return Float8GetDatum(number);
}

void
mren_run_judged(MrenRun *run, int32 version, const MrenRunVerdict *verdict)
{
	Oid types[] = {INT8OID, INT4OID, JSONBOID, INT4OID,	  TEXTOID,	 TEXTOID,	TEXTOID, TEXTOID,
				   INT8OID, INT8OID, INT8OID,  FLOAT8OID, FLOAT8OID, FLOAT8OID, BYTEAOID};
	Datum values[lengthof(types)];
	char nulls[lengthof(types)];

	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int64GetDatum(run->id);
	values[1] = Int32GetDatum(version);
	nulls[1] = version > 0 ? ' ' : 'n';
	values[2] = log_datum(run);
	values[3] = Int32GetDatum(verdict->champion);
	values[4] = text_or_null(verdict->verdict, &nulls[4]);
	values[5] = text_or_null(verdict->reason, &nulls[5]);
	values[6] = text_or_null(verdict->measure, &nulls[6]);
	values[7] = CStringGetTextDatum(version > 0 ? "succeeded" : "skipped");
	values[8] = Int64GetDatum(verdict->holdout_rows);
	values[9] = Int64GetDatum(verdict->holdout_seen);
	nulls[8] = nulls[9] = verdict->holdout_rows < 0 ? 'n' : ' ';
	values[10] = Int64GetDatum(verdict->new_rows);
	nulls[10] = verdict->new_rows < 0 ? 'n' : ' ';
	values[11] = number_or_null(verdict->score[0], &nulls[11]);
	values[12] = number_or_null(verdict->score[1], &nulls[12]);
	values[13] = number_or_null(verdict->lower_bound, &nulls[13]);
	values[14] = PointerGetDatum(verdict->input);
	nulls[14] = verdict->input != NULL ? ' ' : 'n';
	mren_catalog_write(
		"UPDATE mren.run SET version = $2, log = $3, champion = $4, verdict = $5, reason = $6,"
		" measure = $7, status = $8, holdout_rows = $9, holdout_seen = $10, new_rows = $11,"
		" champion_score = $12, challenger_score = $13, lower_bound = $14, seconds_left = NULL,"
		" input_hash = $15,"
		" finished_at = pg_catalog.clock_timestamp() WHERE id OPERATOR(pg_catalog.=) $1",
		lengthof(types), types, values, nulls);
}

/* The message, with the row of the query that it is about. */
static const char *
fail_message(const ErrorData *error)
{
	const char *row = error->context;

	if (row == NULL || strncmp(row, "row ", 4) != 0)
		return error->message;
	return psprintf("%s (%.*s)", error->message, (int) strcspn(row, "\n"), row);
}

static const char *
fail_status(const ErrorData *error)
{
	if (error->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN)
		return "terminated";
	return error->sqlerrcode == ERRCODE_QUERY_CANCELED ? "canceled" : "failed";
}

void
mren_run_fail(MrenRun *run, const ErrorData *error)
{
	Oid types[] = {INT8OID, TEXTOID, TEXTOID, TEXTOID, JSONBOID};
	Datum values[] = {Int64GetDatum(run->id), CStringGetTextDatum(fail_status(error)),
					  CStringGetTextDatum(unpack_sql_state(error->sqlerrcode)),
					  CStringGetTextDatum(fail_message(error)), log_datum(run)};

	mren_catalog_write(
		"UPDATE mren.run SET status = $2, sqlstate = $3, message = $4, log = $5, seconds_left = "
		"NULL, "
		"finished_at = pg_catalog.clock_timestamp() WHERE id OPERATOR(pg_catalog.=) $1",
		5, types, values, NULL);
}

void
mren_run_fail_outside(MrenRun *run, const ErrorData *error, const char *payload)
{
	const MrenRunStart *start = run->start;
	const char *options = JsonbToCString(NULL, &DatumGetJsonbP(start->options)->root, 0);
	const char *values[] = {
		start->model,
		start->model_id > 0 ? psprintf("%lld", (long long) start->model_id) : NULL,
		start->call,
		GetUserNameFromId(GetUserId(), false),
		timestamptz_to_str(run->started_at),
		fail_status(error),
		psprintf("%d", MyProcPid),
		start->query,
		options,
		unpack_sql_state(error->sqlerrcode),
		fail_message(error),
		psprintf("%s]", run->log.data),
		payload,
	};

	mren_catalog_write_outside(
		"WITH run AS (INSERT INTO mren.run (model, model_id, call, started_by, started_at,"
		" finished_at, status, backend, phase, query, options, sqlstate, message, log)"
		" VALUES ($1, $2::pg_catalog.int8, $3, $4::pg_catalog.name, $5::pg_catalog.timestamptz,"
		" pg_catalog.clock_timestamp(), $6, $7::pg_catalog.int4, 'training', $8,"
		" $9::pg_catalog.jsonb, $10, $11, $12::pg_catalog.jsonb) RETURNING id)"
		" SELECT CASE WHEN $13 IS NOT NULL THEN pg_catalog.pg_notify('mren', $13) END FROM run",
		lengthof(values), values);
}
