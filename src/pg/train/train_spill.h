/*
 * train_spill.h
 *	  Encoded training rows on disk, in the trainer's order.
 *
 * Rows arrive in any order, are sorted externally within work_mem, and are then
 * written to a temporary file that outlives transactions; the file is closed
 * with the memory context that it was made in.  Vectors and grids of images are
 * in files of their own.  Memory holds 8 bytes for each row and about 56 bytes
 * for each distinct image, up to a limit.
 */
#ifndef MREN_PG_TRAIN_TRAIN_SPILL_H
#define MREN_PG_TRAIN_TRAIN_SPILL_H

#include "postgres.h"

#include "data/example.h"
#include "data/source.h"

typedef struct MrenTrainSpill MrenTrainSpill;

/* What follows the records of rows. */
typedef struct MrenSpillShape
{
	int image_dim;
	MrenGridShape grid; /* all 0: none */
	int audio_dim;
} MrenSpillShape;

/*
 * mren_train_spill_create
 *	  An empty spill in the current context.  The record of a row with an image
 *	  is followed by image_dim floats, and by the grid (halves) if it has_grid; that of a row
 *	  with a recording by audio_dim floats, last.
 *	  limit is in bytes of memory: 54000 beyond it.
 */
extern MrenTrainSpill *mren_train_spill_create(const MrenSpillShape *shape, size_t limit);

/* Called with each row before it is added; false leaves it out. */
typedef bool (*MrenTrainSpillFilter)(void *state, const MrenExample *example);

/* What a row is added with; NULL: without it.  All rows must have a key, or none. */
typedef struct MrenSpillKeys
{
	const uint64 *group; /* goes into the record: rows of the same one validate together */
	const uint64 *key;	 /* is appended to the record as its last 8 bytes */
} MrenSpillKeys;

/*
 * mren_train_spill_add
 *	  Adds a result of mren.encode_example, unless the filter (NULL: none) leaves
 *	  it out.
 */
extern void mren_train_spill_add(MrenTrainSpill *spill, const bytea *row, const MrenSpillKeys *keys,
								 MrenTrainSpillFilter keep, void *state);

/* Adds a record of any kind; records are sorted by hash, then by bytes. */
extern void mren_train_spill_record(MrenTrainSpill *spill, uint64 hash, const void *record,
									size_t size);

/* Sorts the rows and makes them a source; nothing can be added afterwards. */
extern void mren_train_spill_finish(MrenTrainSpill *spill, MrenSource *source);

#endif
