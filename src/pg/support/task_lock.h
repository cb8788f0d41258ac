/*
 * task_lock.h
 *	  Locks that say which work is in progress: a training, a retraining, the
 *	  refresh of a graph.
 *
 * Advisory locks would do, but any role may take any of them and so stop the
 * work of others or make dead work look alive.  These are locks of objects, in
 * PostgreSQL's lock table as the locks of its own objects are, with a table of
 * mren's as the class and the id of a row as the object.  No SQL statement
 * locks objects of such a class, so only this code takes them, after it has
 * checked rights.
 *
 * A lock never waits.  The server releases it when the session or, for a lock
 * of a transaction, the transaction ends, however it ends; one of a session
 * outlives commits, but not the abort of a whole transaction.
 *
 * pg_locks shows one as locktype 'object', classid the table's OID, objid the
 * lower 32 bits of the id and objsubid the next 15.
 */
#ifndef MREN_PG_SUPPORT_TASK_LOCK_H
#define MREN_PG_SUPPORT_TASK_LOCK_H

#include "postgres.h"

/*
 * True once held, until the end of the transaction or until mren_task_unlock;
 * false if another session has it.  A session may take one again.
 */
extern bool mren_task_lock(Oid table, int64 id, bool transaction);

/* Releases a lock that was taken for the session; nothing if an abort has done so. */
extern void mren_task_unlock(Oid table, int64 id);

#endif
