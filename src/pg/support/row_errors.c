/*
 * row_errors.c
 *	  Rows of a query that cannot be used: see row_errors.h.
 *
 * An error of a row is caught without a subtransaction, because rows are encoded
 * in parallel workers, which cannot have any.  That is safe for errors of class 22
 * only: they are raised by checks of values, while neither locks nor buffers are
 * held.
 */
#include "pg/support/row_errors.h"

MrenRowError
mren_row_error_catch(void)
{
	ErrorData *error = CopyErrorData();

	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION)
		PG_RE_THROW();
	FlushErrorState();
	return (MrenRowError){error->sqlerrcode, error->message, error->detail, error->hint};
}

static char *
row_name(const char *id, int64 number)
{
	return id != NULL ? psprintf("row with id \"%s\"", id)
					  : psprintf("row %lld", (long long) number);
}

void
mren_row_errors_add(MrenRowErrors *errors, const char *id, int64 number, const MrenRowError *error)
{
	char *name = row_name(id, number);
	bool detail = error->detail != NULL && error->detail[0] != '\0';
	bool hint = error->hint != NULL && error->hint[0] != '\0';

	if (!errors->skip)
		ereport(ERROR,
				(errcode(error->sqlstate), errmsg_internal("%s", error->message),
				 detail ? errdetail_internal("%s", error->detail) : 0,
				 hint ? errhint("%s", error->hint) : 0, errcontext("%s of the query", name)));
	if (errors->n == 0)
		initStringInfo(&errors->list);
	if (errors->n < MREN_ROW_ERRORS_LISTED)
		appendStringInfo(&errors->list, "%s%s: %s", errors->n > 0 ? "\n" : "", name,
						 error->message);
	errors->n++;
	pfree(name);
}

void
mren_row_errors_notice(const MrenRowErrors *errors, const char *done)
{
	if (errors->n == 0)
		return;
	ereport(NOTICE, (errmsg("rows that cannot be used and %s: %lld", done, (long long) errors->n),
					 errdetail_internal("%s%s", errors->list.data,
										errors->n > MREN_ROW_ERRORS_LISTED ? "\n..." : "")));
}
