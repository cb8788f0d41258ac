/*
 * holdout.h
 *	  Which rows are hold-out rows, which are kept for comparing models.
 *
 * Whether a row is held out depends on its contents without the label, and on
 * nothing else: neither seed, nor options, nor other rows.  So every later
 * training holds out the same rows, and a larger share includes those of a
 * smaller one.
 */
#ifndef MREN_EVALUATION_HOLDOUT_H
#define MREN_EVALUATION_HOLDOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

/*
 * mren_holdout_key
 *	  The key of a row, from its sentence as normalized by mren_text_normalize
 *	  and the hash of its image's vector (NULL: none).
 * mren_holdout_group_key
 *	  The key of all rows of a group that the user named.
 */
extern uint64_t mren_holdout_key(const char *sentence, size_t len, const MrenHash128 *image);
extern uint64_t mren_holdout_group_key(const char *group, size_t len);

/* Whether the key belongs to this share (0 .. 1) of all keys. */
extern bool mren_holdout_holds(uint64_t key, double share);

#endif
