/*
 * retrain_args.c
 *	  The arguments of CALL mren.retrain.
 */
#include "pg/retrain/retrain_args.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/support/args.h"

static MrenPromote
promote_arg(FunctionCallInfo fcinfo, int arg)
{
	static const char *const words[] = {"better", "always", "never"};
	char *word = mren_arg_text(fcinfo, arg, "promote");

	for (int i = 0; i < (int) lengthof(words); i++)
	{
		if (strcmp(word, words[i]) == 0)
			return (MrenPromote) i;
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("invalid value for argument \"promote\": \"%s\"", word),
					errhint("Valid values are \"better\", \"always\" and \"never\".")));
	pg_unreachable();
}

static double
budget_arg(FunctionCallInfo fcinfo, int arg)
{
	Interval *interval;
	double seconds;

	if (PG_ARGISNULL(arg))
		return 0;
	interval = PG_GETARG_INTERVAL_P(arg);
	seconds = (double) interval->time / USECS_PER_SEC + interval->day * (double) SECS_PER_DAY +
			  interval->month * (double) (DAYS_PER_MONTH * SECS_PER_DAY);
	if (seconds <= 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"time_budget\" must be greater than zero"),
						errhint("Give an interval such as '2 hours', or NULL for no limit.")));
	return seconds;
}

double
mren_retrain_margin(FunctionCallInfo fcinfo, int arg)
{
	double margin;

	mren_arg_required(fcinfo, arg, "margin");
	margin = PG_GETARG_FLOAT8(arg);
	if (!(margin >= -1 && margin <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"margin\" must be from -1 to 1, not %g", margin),
						errhint("It is a difference of scores, which are from 0 to 1.")));
	return margin;
}

static void
number_args(FunctionCallInfo fcinfo, MrenRetrainArgs *args)
{
	mren_arg_required(fcinfo, 1, "min_new_rows");
	args->min_new_rows = PG_GETARG_INT64(1);
	args->margin = mren_retrain_margin(fcinfo, 4);
	args->keep = PG_ARGISNULL(6) ? 0 : PG_GETARG_INT32(6);
	if (args->min_new_rows < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"min_new_rows\" must be at least 0, not %lld",
							   (long long) args->min_new_rows)));
	if (!PG_ARGISNULL(6) && args->keep < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"keep_versions\" must be at least 1, not %d", args->keep),
						errhint("NULL keeps all versions.")));
}

void
mren_retrain_args(FunctionCallInfo fcinfo, MrenRetrainArgs *args)
{
	args->model = mren_arg_text(fcinfo, 0, "model");
	number_args(fcinfo, args);
	args->budget = budget_arg(fcinfo, 2);
	args->promote = promote_arg(fcinfo, 3);
	args->warm = !PG_ARGISNULL(5) && PG_GETARG_BOOL(5);
	args->overrides = PG_ARGISNULL(7)
						  ? DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")))
						  : DatumGetJsonbPCopy(PG_GETARG_DATUM(7));
}
