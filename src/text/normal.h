/*
 * normal.h
 *	  A text by which two sentences are compared: without differences of case and
 *	  of white space.
 */
#ifndef MREN_TEXT_NORMAL_H
#define MREN_TEXT_NORMAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/env.h"

/*
 * mren_text_normalize
 *	  Case-folded (Unicode's simple folding), runs of white space as one space,
 *	  none at either end.  *out is allocated and ends in a zero byte that
 *	  *out_len does not count.  Bytes that are not UTF-8 are kept as they are.
 */
extern MrenStatus mren_text_normalize(const MrenEnv *env, const char *text, size_t len, char **out,
									  size_t *out_len, MrenError *err);

#endif
