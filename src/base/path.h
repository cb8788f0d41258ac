/*
 * path.h
 *	  A path, or a pointer of git-lfs, that was given where the contents of a
 *	  file are wanted.
 */
#ifndef MREN_BASE_PATH_H
#define MREN_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/*
 * mren_fail_pointer
 *	  For what git-lfs leaves in place of a large file that was not downloaded:
 *	  records MREN_EFORMAT with a hint, and returns true.  what: "the file".
 */
extern bool mren_fail_pointer(const char *what, const uint8_t *bytes, size_t len, MrenError *err);

/*
 * mren_fail_path
 *	  For bytes that are not `what` ("an image"): if they are one line of ASCII
 *	  with a slash, records MREN_EFORMAT with a hint that says to read the file,
 *	  and returns true.  So it does for a pointer of git-lfs.
 */
extern bool mren_fail_path(const char *what, const uint8_t *bytes, size_t len, MrenError *err);

#endif
