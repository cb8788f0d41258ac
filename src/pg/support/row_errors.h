/*
 * row_errors.h
 *	  Rows of a query that cannot be used: an error that names the row, or a
 *	  count of rows that were left out.
 *
 * A row is bad if encoding it raises an error of class 22, data exception.  Other
 * errors (memory, cancel, limits, missing features) are never taken for it.
 */
#ifndef MREN_PG_SUPPORT_ROW_ERRORS_H
#define MREN_PG_SUPPORT_ROW_ERRORS_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* Bad rows that a notice describes. */
#define MREN_ROW_ERRORS_LISTED 3

/* Values of option and setting on_error. */
typedef enum MrenOnError
{
	MREN_ON_ERROR_FAIL,
	MREN_ON_ERROR_SKIP,
} MrenOnError;

/* All zero at first, but for skip and context. */
typedef struct MrenRowErrors
{
	MemoryContext context; /* of the list */
	bool skip;			   /* count bad rows; otherwise the first one is an error */
	int64 n;			   /* bad rows so far */
	StringInfoData list;   /* what was wrong with the first of them */
} MrenRowErrors;

/* A bad row, as what encodes it says. */
typedef struct MrenRowError
{
	int sqlstate;
	const char *message;
	const char *detail; /* NULL or empty: none; so is hint */
	const char *hint;
} MrenRowError;

/*
 * mren_row_error_catch
 *	  In PG_CATCH: takes the error if it is one of the row's data, else raises it
 *	  again.  The strings are in the current context, which must not be
 *	  ErrorContext, and should be one of the row's: there may be millions of bad rows.
 */
extern MrenRowError mren_row_error_catch(void);

/*
 * mren_row_errors_add
 *	  Raises the error with the row's id, or its number if id is NULL, as its
 *	  context; or counts it, and keeps the first three.
 */
extern void mren_row_errors_add(MrenRowErrors *errors, const char *id, int64 number,
								const MrenRowError *error);

/*
 * mren_row_error_bytes
 *	  The error as a value that a function returns in place of the row, so that whoever runs
 *	  the query can say which row it is.  It begins with MREN_BAD_ROW, then the SQLSTATE, and
 *	  message, detail and hint, each with its final zero.
 * mren_row_error_read
 *	  False unless the bytes are such a value; otherwise its error, in place.
 */
#define MREN_BAD_ROW 0xffffffffu
extern bytea *mren_row_error_bytes(const MrenRowError *error);
extern bool mren_row_error_read(const char *bytes, size_t len, MrenRowError *error);

/* A notice of the rows that were left out, if there are any; `done` as in "were skipped". */
extern void mren_row_errors_notice(const MrenRowErrors *errors, const char *done);

#endif
