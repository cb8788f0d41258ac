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

#include "utils/builtins.h"

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
	{
		MemoryContext old = MemoryContextSwitchTo(errors->context);

		initStringInfo(&errors->list);
		MemoryContextSwitchTo(old);
	}
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

bytea *
mren_row_error_bytes(const MrenRowError *error)
{
	const char *texts[] = {error->message, error->detail, error->hint};
	uint32 head[] = {MREN_BAD_ROW, (uint32) error->sqlstate};
	StringInfoData bytes;

	initStringInfo(&bytes);
	appendBinaryStringInfo(&bytes, (char *) head, sizeof(head));
	for (int i = 0; i < (int) lengthof(texts); i++)
		appendBinaryStringInfo(&bytes, texts[i] != NULL ? texts[i] : "",
							   texts[i] != NULL ? strlen(texts[i]) + 1 : 1);
	return (bytea *) cstring_to_text_with_len(bytes.data, bytes.len);
}

bool
mren_row_error_read(const char *bytes, size_t len, MrenRowError *error)
{
	uint32 head[2];

	if (len <= sizeof(head))
		return false;
	memcpy(head, bytes, sizeof(head));
	if (head[0] != MREN_BAD_ROW)
		return false;
	error->sqlstate = (int) head[1];
	error->message = bytes + sizeof(head);
	error->detail = error->message + strlen(error->message) + 1;
	error->hint = error->detail + strlen(error->detail) + 1;
	return true;
}
