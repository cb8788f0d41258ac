/*
 * background.h
 *	  Background workers of this library.
 */
#ifndef MREN_PG_SUPPORT_BACKGROUND_H
#define MREN_PG_SUPPORT_BACKGROUND_H

#include "postgres.h"

#include "postmaster/bgworker.h"
#include "storage/dsm.h"

/*
 * Starts a process of the type that pg_stat_activity shows, in which the function of this library
 * gets the handle of a segment and, in bgw_extra, a number.  The caller's latch is set when it
 * starts and ends.  NULL if the server has no place for another worker; parallel: neither if
 * max_parallel_workers does not allow it.
 */
extern BackgroundWorkerHandle *mren_background_start(const char *type, const char *function,
													 dsm_segment *segment, int number,
													 bool parallel);

#endif
