/*
 * marker_queue.h
 *	  Rows that are read together, though they come one by one.
 *
 * A pair costs four tokens, for which alone the encoder would read all of its weights from memory.
 * So the vectors of a row are left until there are enough rows, or the caller needs them.  They
 * have the same bits as if they had been made at once.
 */
#ifndef MREN_RELATION_MARKER_MARKER_QUEUE_H
#define MREN_RELATION_MARKER_MARKER_QUEUE_H

#include "relation/marker/marker_classifier.h"

typedef struct MrenMarkerQueue MrenMarkerQueue;

/* An empty queue, whose memory is of this environment.  MREN_ENOMEM. */
extern MrenStatus mren_marker_queue_create(const MrenEnv *env, MrenMarkerQueue **queue,
										   MrenError *err);

/* Releases a queue, and what is in it; NULL is allowed. */
extern void mren_marker_queue_free(MrenMarkerQueue *queue);

/*
 * mren_marker_queue_add
 *	  The row's vector will be in out (mren_marker_dim) after mren_marker_queue_run at the latest;
 *	  out stays until then, the row need not.  All rows are of one classifier.  Errors as of
 *	  mren_marker_vectors, after which the queue is empty.
 */
extern MrenStatus mren_marker_queue_add(MrenMarkerQueue *queue, const MrenEnv *env,
										MrenMarkerClassifier *classifier, const MrenMarkerRow *row,
										float *out, MrenError *err);

/* Makes the vectors of all rows that were added.  Errors as above. */
extern MrenStatus mren_marker_queue_run(MrenMarkerQueue *queue, const MrenEnv *env,
										MrenMarkerClassifier *classifier, MrenError *err);

#endif
