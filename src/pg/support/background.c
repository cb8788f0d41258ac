/*
 * background.c
 *	  Background workers of this library.
 */
#include "pg/support/background.h"

#include "miscadmin.h"

BackgroundWorkerHandle *
mren_background_start(const char *type, const char *function, dsm_segment *segment, int number,
					  bool parallel)
{
	BackgroundWorker worker = {.bgw_flags = BGWORKER_SHMEM_ACCESS |
											BGWORKER_BACKEND_DATABASE_CONNECTION |
											(parallel ? BGWORKER_CLASS_PARALLEL : 0),
							   /* Also on a standby, where the training aggregate runs. */
							   .bgw_start_time = BgWorkerStart_ConsistentState,
							   .bgw_restart_time = BGW_NEVER_RESTART,
							   .bgw_main_arg = UInt32GetDatum(dsm_segment_handle(segment)),
							   .bgw_notify_pid = MyProcPid};
	BackgroundWorkerHandle *handle;

	memcpy(worker.bgw_extra, &number, sizeof(number));
	snprintf(worker.bgw_name, sizeof(worker.bgw_name), "%s for PID %d", type, MyProcPid);
	strlcpy(worker.bgw_type, type, sizeof(worker.bgw_type));
	strlcpy(worker.bgw_library_name, "$libdir/mren", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, function, sizeof(worker.bgw_function_name));
	return RegisterDynamicBackgroundWorker(&worker, &handle) ? handle : NULL;
}
