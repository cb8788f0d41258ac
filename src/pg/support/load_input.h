/*
 * load_input.h
 *	  Bytes to be loaded, read piece by piece: a file of the server, a bytea, a
 *	  large object.
 */
#ifndef MREN_PG_SUPPORT_LOAD_INPUT_H
#define MREN_PG_SUPPORT_LOAD_INPUT_H

#include "postgres.h"

#include "fmgr.h"

typedef struct MrenLoadInput MrenLoadInput;

/* What the source argument of a loading function is; one for each of its overloads. */
typedef enum MrenLoadKind
{
	MREN_LOAD_PATH,
	MREN_LOAD_CONTENTS,
	MREN_LOAD_LARGE_OBJECT,
} MrenLoadKind;

/*
 * mren_load_input_arg
 *	  Opens the source that an argument names; 22004 if it is NULL.  A file of the
 *	  server may only be read by members of pg_read_server_files, a large object
 *	  by roles with the privilege SELECT on it.  A file that is not closed before
 *	  is closed at the end of the (sub)transaction.
 */
extern MrenLoadInput *mren_load_input_arg(FunctionCallInfo fcinfo, int arg, MrenLoadKind kind);

/*
 * mren_load_input_file
 *	  Opens a file of the server, under the same condition.
 */
extern MrenLoadInput *mren_load_input_file(const char *path);

/* Whether a path of the server, which the current user must be allowed to read, is a directory. */
extern bool mren_load_is_directory(const char *path);

/* Up to size bytes; 0 at the end. */
extern size_t mren_load_input_read(MrenLoadInput *input, void *buffer, size_t size);
extern void mren_load_input_close(MrenLoadInput *input);

/*
 * All that is left, palloc'd; an error (54000) that names the setting if it is
 * more than limit bytes.
 */
extern uint8 *mren_load_input_all(MrenLoadInput *input, size_t limit, const char *setting,
								  size_t *len);

#endif
