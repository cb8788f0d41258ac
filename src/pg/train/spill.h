/*
 * spill.h
 *	  Encoded rows of a large training on disk, in the trainer's order.
 *
 * Rows arrive in any order, are sorted externally within work_mem, and then lie
 * in a temporary file that outlives transactions; it is closed with the memory
 * context it was made in.  In memory stay 8 bytes a row and about 56 bytes for
 * each distinct image, bounded by a limit.  Images' vectors and grids are in files
 * of their own.
 */
#ifndef MREN_PG_TRAIN_SPILL_H
#define MREN_PG_TRAIN_SPILL_H

#include "postgres.h"

#include "data/example.h"
#include "data/source.h"

typedef struct MrenSpill MrenSpill;

/*
 * image_dim: floats behind the record of a row with an image, and behind them
 * its grid (halves) if the record has_grid.  limit in bytes.
 */
extern MrenSpill *mren_spill_create(int image_dim, MrenGridShape grid, size_t limit);

/* Looks at each row before it is added; false: it is left out. */
typedef bool (*MrenSpillFilter)(void *state, const MrenExample *example);

/*
 * mren_spill_add
 *	  Adds what mren.encode_example gave, unless the filter (NULL: none) leaves
 *	  it out.  A key, if there is one (else NULL), stands behind the row's record
 *	  as its last 8 bytes; all rows must then have one.
 */
extern void mren_spill_add(MrenSpill *spill, const bytea *row, const uint64 *key,
						   MrenSpillFilter keep, void *state);

/* Adds a record of any kind that lies in the order of its hash, then its bytes. */
extern void mren_spill_record(MrenSpill *spill, uint64 hash, const void *record, size_t size);

/* Sorts; afterwards the source can be read and nothing can be added. */
extern void mren_spill_finish(MrenSpill *spill, MrenSource *source);

extern int64 mren_spill_rows(const MrenSpill *spill);

#endif
