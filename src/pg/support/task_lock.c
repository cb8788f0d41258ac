/*
 * task_lock.c
 *	  Locks that say which work is in progress.
 */
#include "pg/support/task_lock.h"

#include "miscadmin.h"
#include "storage/lock.h"

static LOCKTAG
lock_tag(Oid table, int64 id)
{
	LOCKTAG tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, table, (uint32) id, (uint16) ((id >> 32) & 0x7fff));
	return tag;
}

bool
mren_task_lock(Oid table, int64 id, bool transaction)
{
	LOCKTAG tag = lock_tag(table, id);

	return LockAcquire(&tag, ExclusiveLock, !transaction, true) != LOCKACQUIRE_NOT_AVAIL;
}

void
mren_task_unlock(Oid table, int64 id)
{
	LOCKTAG tag = lock_tag(table, id);

	/* A commit that failed has aborted the transaction, and with it the lock. */
#if PG_VERSION_NUM >= 170000
	if (LockHeldByMe(&tag, ExclusiveLock, false))
#else
	if (LockHeldByMe(&tag, ExclusiveLock))
#endif
		LockRelease(&tag, ExclusiveLock, true);
}
