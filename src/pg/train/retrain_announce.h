/*
 * retrain_announce.h
 *	  Telling the verdict of a retraining to those who are not its session.
 */
#ifndef MREN_PG_TRAIN_RETRAIN_ANNOUNCE_H
#define MREN_PG_TRAIN_RETRAIN_ANNOUNCE_H

#include "postgres.h"

/*
 * mren_retrain_announce
 *	  Writes the verdict to the server's log (LOG; WARNING for "held" and
 *	  "failed"), and notifies channel "mren" when the transaction commits.  The
 *	  payload is a JSON object with model, version (0: null), verdict and reason.
 */
extern void mren_retrain_announce(const char *model, int32 version, const char *verdict,
								  const char *reason);

/* Only writes to the log; returns the payload, palloc'd. */
extern char *mren_retrain_payload(const char *model, int32 version, const char *verdict,
								  const char *reason);

#endif
