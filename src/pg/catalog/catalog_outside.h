/*
 * catalog_outside.h
 *	  A statement on mren's tables that stays whatever becomes of the caller's
 *	  transaction: for the record of work that failed in a transaction which it
 *	  may not commit.
 */
#ifndef MREN_PG_CATALOG_CATALOG_OUTSIDE_H
#define MREN_PG_CATALOG_CATALOG_OUTSIDE_H

#include "postgres.h"

/*
 * mren_catalog_write_outside
 *	  Has a background worker run one statement, with n (at most 16) arguments of
 *	  type text, as the owner of mren's tables, and waits for it, for at most five
 *	  seconds, in which interrupts are held.  It takes one of max_worker_processes
 *	  for some milliseconds.  If it did not succeed, which a warning tells, nothing
 *	  was written.  The statement must not wait for what this transaction has
 *	  written.
 */
extern void mren_catalog_write_outside(const char *sql, int n, const char *const *values);

/* The worker's main function, which PostgreSQL finds by its name. */
extern PGDLLEXPORT void mren_outside_main(Datum segment);

#endif
