/*
 * weights.h
 *	  Numbers that are computed when something is opened and then only read, in a file that
 *	  many processes map.
 *
 * Whatever opens the same content takes the same blocks of numbers in the same order.  The
 * first time they are allocated, computed and recorded, and may then be written to a file.
 * From then on the blocks are those of the file: they are used where they are and not computed.
 * The structures that point to them are always made anew, so a file holds no addresses.
 *
 * The file is one of this machine and this version of the library, which its key must say:
 * numbers are in the machine's own form.  Its header is checked; the blocks are not, which
 * would read them all.  So a block may hold only what cannot do harm when it is damaged: numbers
 * to calculate with, and indexes that are checked when the block is taken or whenever they are
 * used.
 */
#ifndef MREN_BASE_WEIGHTS_H
#define MREN_BASE_WEIGHTS_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/env.h"

#define MREN_WEIGHTS_KEY 32 /* bytes */

typedef struct MrenWeightsBlock
{
	const void *data;
	size_t len;
} MrenWeightsBlock;

struct MrenWeights
{
	MrenEnv env; /* the caller's: where memory comes from */
	bool ready;	 /* the blocks are those of a file; otherwise they are recorded */
	MrenWeightsBlock *blocks;
	size_t n;
	size_t capacity;
	size_t next;		  /* the next block to take */
	const uint8_t *bytes; /* (len) of the file */
	size_t len;
};

/* Begins recording. */
extern void mren_weights_record(MrenWeights *weights, const MrenEnv *env);

/*
 * mren_weights_attach
 *	  The blocks of a file's bytes, which begin at a multiple of 64, are used in place and must
 *	  outlive what is opened with them.  MREN_EFORMAT unless it is a whole file of this key.
 */
extern MrenStatus mren_weights_attach(MrenWeights *weights, const MrenEnv *env,
									  const uint8_t *bytes, size_t len, const uint8_t *key,
									  MrenError *err);

/* Releases the list of blocks, not the blocks; NULL is allowed. */
extern void mren_weights_close(MrenWeights *weights);

/* The caller's environment with these weights, which must outlive what is opened with it. */
extern MrenEnv mren_weights_env(MrenWeights *weights);

/*
 * mren_allocate_weights
 *	  The next block, n elements of the given size, 64-byte aligned.  If *filled, it already has
 *	  its numbers and must not be written to; otherwise it is uninitialized, and must keep its
 *	  address until the weights are closed.  It is released by mren_release with the same
 *	  environment.  MREN_ENOMEM; MREN_EFORMAT if the file's next block has another size.
 */
extern MrenStatus mren_allocate_weights(const MrenEnv *env, size_t n, size_t size, void *out,
										bool *filled, MrenError *err);

/* The same, zeroed unless filled; checks for interrupts.  MREN_ECANCELED, too. */
extern MrenStatus mren_allocate_weights_zero(const MrenEnv *env, size_t n, size_t size, void *out,
											 bool *filled, MrenError *err);

/* Whether blocks come with their numbers, so that what they are computed from is not needed. */
extern bool mren_weights_ready(const MrenEnv *env);

/* Whether ptr lies in the file. */
extern bool mren_weights_have(const MrenWeights *weights, const void *ptr);

/* Block i, whatever the next one is; MREN_EFORMAT if the file does not have it. */
extern MrenStatus mren_weights_block(const MrenWeights *weights, size_t i, MrenWeightsBlock *block,
									 MrenError *err);

/* The next block of env's weights, which are ready, of any size; MREN_EFORMAT if there is none. */
extern MrenStatus mren_weights_next(const MrenEnv *env, MrenWeightsBlock *block, MrenError *err);

/* Records a block that somebody else keeps.  MREN_ENOMEM. */
extern MrenStatus mren_weights_add(MrenWeights *weights, const void *data, size_t len,
								   MrenError *err);

/*
 * mren_weights_header
 *	  The bytes before the first block of the file of what has been recorded; allocated by the
 *	  caller's environment.  Each block follows at the next multiple of 64.
 */
extern MrenStatus mren_weights_header(const MrenWeights *weights, const uint8_t *key,
									  MrenBuffer *header, MrenError *err);

/* Bytes of the whole file; 0 if they are more than a size can be. */
extern size_t mren_weights_file_size(const MrenWeights *weights);

/* The place of what follows n bytes. */
static inline size_t
mren_weights_align(size_t n)
{
	return (n + MREN_ALIGNMENT - 1) / MREN_ALIGNMENT * MREN_ALIGNMENT;
}

#endif
