/*
 * pg_env.c
 *	  The core's environment over PostgreSQL.
 *
 * The core never jumps: it calls interrupted() and returns a status, which
 * mren_pg_raise turns into an error once no frame of a foreign library is on
 * the stack.
 */
#include "pg/support/pg_env.h"

#include <sys/resource.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/procsignal.h"
#include "utils/builtins.h"

/*
 * PostgreSQL 15 has no aligned palloc: the block is over-allocated and the
 * pointer to free kept in front of the aligned address.  The size is checked
 * first because palloc jumps on an oversized request, NO_OOM or not.
 */
static void *
env_allocate(void *state, size_t size)
{
	size_t whole = size + MREN_ALIGNMENT + sizeof(void *);
	char *block;
	char *aligned;

	if (size > MaxAllocHugeSize - MREN_ALIGNMENT - sizeof(void *))
		return NULL;
	block = MemoryContextAllocExtended((MemoryContext) state, whole,
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (block == NULL)
		return NULL;
	aligned = (char *) TYPEALIGN(MREN_ALIGNMENT, block + sizeof(void *));
	memcpy(aligned - sizeof(void *), &block, sizeof(void *));
	return aligned;
}

static void
env_release(void *state, void *ptr)
{
	void *block;

	if (ptr == NULL)
		return;
	memcpy(&block, (char *) ptr - sizeof(void *), sizeof(void *));
	pfree(block);
}

/*
 * Serves a barrier, for which a DROP DATABASE of another session waits.  PostgreSQL notes what
 * fails, and the next CHECK_FOR_INTERRUPTS() tries it again and raises the error.
 */
static void
serve_barrier(void)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		ProcessProcSignalBarrier();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
	}
	PG_END_TRY();
}

/*
 * Only what ends the statement stops the core: a config reload sets InterruptPending too, and
 * is served between steps.
 */
static bool
env_interrupted(void *state)
{
	if (likely(!InterruptPending))
		return false;
	if (ProcSignalBarrierPending && InterruptHoldoffCount == 0 && CritSectionCount == 0)
		serve_barrier();
	return QueryCancelPending || ProcDiePending;
}

MrenEnv
mren_pg_env(MemoryContext context)
{
	return (MrenEnv){
		.state = context,
		.allocate = env_allocate,
		.release = env_release,
		.interrupted = env_interrupted,
	};
}

static int
sqlstate_of(MrenStatus status)
{
	switch (status)
	{
		case MREN_OK:
			return ERRCODE_SUCCESSFUL_COMPLETION;
		case MREN_ENOMEM:
			return ERRCODE_OUT_OF_MEMORY;
		case MREN_ECANCELED:
			return ERRCODE_QUERY_CANCELED;
		case MREN_ELIMIT:
			return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
		case MREN_EFORMAT:
			return ERRCODE_INVALID_BINARY_REPRESENTATION;
		case MREN_EUNSUPPORTED:
			return ERRCODE_FEATURE_NOT_SUPPORTED;
		case MREN_EDATA:
			return ERRCODE_DATA_EXCEPTION;
		case MREN_EPARAM:
			return ERRCODE_INVALID_PARAMETER_VALUE;
		case MREN_ENUMERIC:
			return ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
	}
	return ERRCODE_INTERNAL_ERROR;
}

/*
 * A message may quote bytes of a file that are not valid UTF-8, so they are
 * replaced before the message is converted for the client.
 */
static const char *
message_text(const char *utf8)
{
	char *copy = pstrdup(utf8);
	int len = strlen(copy);

	if (!pg_verify_mbstr(PG_UTF8, copy, len, true))
	{
		for (char *c = copy; *c != '\0'; c++)
		{
			if (IS_HIGHBIT_SET(*c))
				*c = '?';
		}
	}
	return pg_any_to_server(copy, len, PG_UTF8);
}

void
mren_pg_raise(const MrenError *err)
{
	/*
	 * An interruption is raised by PostgreSQL's own code, with its own message;
	 * but a termination is made an error here, so that a job can record it.
	 */
	if (err->status == MREN_ECANCELED && ProcDiePending)
		ereport(ERROR, (errcode(ERRCODE_ADMIN_SHUTDOWN),
						errmsg("terminating connection due to administrator command")));
	if (err->status == MREN_ECANCELED)
		CHECK_FOR_INTERRUPTS();
	ereport(ERROR,
			(errcode(sqlstate_of(err->status)), errmsg_internal("%s", message_text(err->message)),
			 err->detail[0] != '\0' ? errdetail_internal("%s", message_text(err->detail)) : 0,
			 err->hint[0] != '\0' ? errhint("%s", message_text(err->hint)) : 0));
	pg_unreachable();
}

MrenTextSpan
mren_pg_utf8(const char *data, size_t len)
{
	char *converted;

	if (GetDatabaseEncoding() == PG_UTF8)
		return (MrenTextSpan){data, len};
	if (GetDatabaseEncoding() == PG_SQL_ASCII)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("cannot read text in a database with encoding SQL_ASCII"),
						errhint("Use a database with a known encoding, preferably UTF8.")));
	converted = pg_server_to_any(data, (int) len, PG_UTF8);
	return (MrenTextSpan){converted, converted == data ? len : strlen(converted)};
}

MrenTextSpan
mren_datum_utf8(Datum value)
{
	text *bytes = DatumGetTextPP(value);

	return mren_pg_utf8(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
}

text *
mren_server_text(MrenTextSpan utf8)
{
	char *server = pg_any_to_server(utf8.data, (int) utf8.len, PG_UTF8);

	return server == utf8.data ? cstring_to_text_with_len(utf8.data, (int) utf8.len)
							   : cstring_to_text(server);
}

double
mren_seconds_since(instr_time start)
{
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, start);
	return INSTR_TIME_GET_DOUBLE(now);
}

double
mren_processor_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		   (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
