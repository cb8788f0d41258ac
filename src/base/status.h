/*
 * status.h
 *	  How the core reports failure: a status code and a caller-owned record.
 *
 * Core functions return a status and never print, jump or exit.  The message
 * follows PostgreSQL's error style: primary in lower case without a full stop,
 * detail and hint as sentences.  src/pg/support/pg_env.c maps each status to a SQLSTATE.
 */
#ifndef MREN_BASE_STATUS_H
#define MREN_BASE_STATUS_H

typedef enum MrenStatus
{
	MREN_OK = 0,
	MREN_ENOMEM,	   /* out of memory */
	MREN_ECANCELED,	   /* the environment was interrupted */
	MREN_ELIMIT,	   /* a documented limit or setting is exceeded */
	MREN_EFORMAT,	   /* bytes that are not what they claim to be */
	MREN_EUNSUPPORTED, /* well-formed, but not supported here */
	MREN_EDATA,		   /* a value that cannot be used */
	MREN_EPARAM,	   /* an option or argument outside its domain */
	MREN_ENUMERIC,	   /* NaN or infinity where a number is needed */
} MrenStatus;

typedef struct MrenError
{
	MrenStatus status;
	char message[512];
	char detail[512]; /* empty: none */
	char hint[1024];  /* empty: none */
} MrenError;

#define MREN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/*
 * mren_fail
 *	  Records status and message in err (detail and hint are cleared) and
 *	  returns status, so that a caller can say "return mren_fail(err, ...)".
 *	  err may be NULL.  Messages longer than the record are cut at a UTF-8
 *	  character's border.
 */
extern MrenStatus mren_fail(MrenError *err, MrenStatus status, const char *fmt, ...)
	MREN_PRINTF(3, 4);

/* Add a detail or a hint to a failure already recorded. */
extern void mren_error_detail(MrenError *err, const char *fmt, ...) MREN_PRINTF(2, 3);
extern void mren_error_hint(MrenError *err, const char *fmt, ...) MREN_PRINTF(2, 3);

/* The record every failed allocation and every interruption share. */
extern MrenStatus mren_fail_nomem(MrenError *err);
extern MrenStatus mren_fail_canceled(MrenError *err);

/* Returns from the calling function when a step fails. */
#define MREN_TRY(call)                                                                             \
	do                                                                                             \
	{                                                                                              \
		MrenStatus try_status_ = (call);                                                           \
		if (try_status_ != MREN_OK)                                                                \
			return try_status_;                                                                    \
	} while (0)

#endif
