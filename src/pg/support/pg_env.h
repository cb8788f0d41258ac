/*
 * pg_env.h
 *	  The core's environment over PostgreSQL: memory contexts, interrupts,
 *	  and core failures as errors with a SQLSTATE.
 */
#ifndef MREN_PG_SUPPORT_PG_ENV_H
#define MREN_PG_SUPPORT_PG_ENV_H

#include "postgres.h"

#include "portability/instr_time.h"
#include "utils/memutils.h"

#include "base/env.h"
#include "base/text_span.h"
#include "pg/support/compat.h"

/*
 * An environment that allocates from the given context.  Cheap: a struct.
 * Blocks not released by the core go with the context.
 */
extern MrenEnv mren_pg_env(MemoryContext context);

/* Raises a failed core call as an error; never returns. */
extern void mren_pg_raise(const MrenError *err) MREN_NORETURN;

/* Raises the core failure of a call, if it failed. */
#define MREN_PG_CALL(err, call)                                                                    \
	do                                                                                             \
	{                                                                                              \
		if ((call) != MREN_OK)                                                                     \
			mren_pg_raise(&(err));                                                                 \
	} while (0)

/* Seconds since a moment of INSTR_TIME_SET_CURRENT. */
extern double mren_seconds_since(instr_time start);

/*
 * Processor time of this process in seconds: what limits and sizes of batches go by, so that
 * other load on the machine does not change what they mean.
 */
extern double mren_processor_seconds(void);

/*
 * Text of the database as the UTF-8 that the core reads.  It is the same bytes
 * where the database is in UTF-8, else a copy in the current context.  A database
 * in SQL_ASCII is refused (0A000).
 */
extern MrenTextSpan mren_pg_utf8(const char *data, size_t len);

/* The same of a value of type text. */
extern MrenTextSpan mren_datum_utf8(Datum value);

/* The core's UTF-8 as text in the database's encoding; palloc'd. */
extern text *mren_server_text(MrenTextSpan utf8);

#endif
