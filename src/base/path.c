/*
 * path.c
 *	  A path that was given where the contents of a file are wanted.
 */
#include "base/path.h"

#include <string.h>

#define LONGEST 1024
#define SHOWN 100

bool
mren_fail_path(const char *what, const uint8_t *bytes, size_t len, MrenError *err)
{
	if (len < 3 || len > LONGEST)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (bytes[i] < ' ' || bytes[i] > '~')
			return false;
	}
	if (memchr(bytes, '/', len) == NULL && memchr(bytes, '\\', len) == NULL)
		return false;
	mren_fail(err, MREN_EFORMAT, "not %s, but a text: \"%.*s\"", what,
			  (int) (len < SHOWN ? len : SHOWN), (const char *) bytes);
	mren_error_hint(err, "If this is the path of a file, give the file's contents, for example by "
						 "pg_read_binary_file.");
	return true;
}
