/*
 * holdout.h
 *	  Which rows are held out to judge a model by: the gate.
 *
 * Whether a row is held out follows from what it says, without its label, and
 * from nothing else: neither seed, nor options, nor the other rows.  So the
 * gate of every later training holds the same rows, and a larger share holds
 * those of a smaller one.
 */
#ifndef MREN_EVALUATION_HOLDOUT_H
#define MREN_EVALUATION_HOLDOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

/*
 * mren_holdout_key
 *	  Of a row by its sentence, normalised by mren_text_normalise, and the hash
 *	  of its image's vector (NULL: none).
 * mren_holdout_group_key
 *	  Of all rows of a group that the user named.
 */
extern uint64_t mren_holdout_key(const char *sentence, size_t len, const MrenHash128 *image);
extern uint64_t mren_holdout_group_key(const char *group, size_t len);

/* Is the key one of this share (0 .. 1) of all keys? */
extern bool mren_holdout_holds(uint64_t key, double share);

#endif
