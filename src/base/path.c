/*
 * path.c
 *	  A path, or a pointer of git-lfs, that was given where the contents of a
 *	  file are wanted.
 */
#include "base/path.h"

#include <string.h>

#include "base/utf8.h"

#define LONGEST 1024
#define SHOWN 100

bool
mren_fail_pointer(const char *what, const uint8_t *bytes, size_t len, MrenError *err)
{
	static const char first[] = "version https://git-lfs.github.com/spec/";

	if (len < sizeof(first) - 1 || memcmp(bytes, first, sizeof(first) - 1) != 0)
		return false;
	mren_fail(err, MREN_EFORMAT, "%s is a git-lfs pointer instead of the file itself", what);
	mren_error_hint(err, "Download the file, for example with \"git lfs pull\".");
	return true;
}

bool
mren_fail_path(const char *what, const uint8_t *bytes, size_t len, MrenError *err)
{
	if (mren_fail_pointer("the file", bytes, len, err))
		return true;
	if (len < 3 || len > LONGEST)
		return false;
	if (!mren_ascii_printable(bytes, len))
		return false;
	if (memchr(bytes, '/', len) == NULL && memchr(bytes, '\\', len) == NULL)
		return false;
	mren_fail(err, MREN_EFORMAT, "not %s, but a text: \"%.*s\"", what,
			  (int) (len < SHOWN ? len : SHOWN), (const char *) bytes);
	mren_error_hint(err, "If this is the path of a file, give the file's contents, for example by "
						 "pg_read_binary_file.");
	return true;
}
