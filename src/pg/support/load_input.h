/*
 * load_input.h
 *	  Bytes to be loaded, read piece by piece: a file of the server, a bytea, a
 *	  large object.
 */
#ifndef MREN_PG_SUPPORT_LOAD_INPUT_H
#define MREN_PG_SUPPORT_LOAD_INPUT_H

#include "postgres.h"

typedef struct MrenInputSource MrenInputSource;

/*
 * A file of the server; the current user must be a member of
 * pg_read_server_files.  It is closed with the (sub)transaction if not before.
 */
extern MrenInputSource *mren_input_file(const char *path);
extern MrenInputSource *mren_input_bytea(const bytea *contents);
/* A large object that the current user may read. */
extern MrenInputSource *mren_input_large_object(Oid oid);

/* Up to size bytes; 0 at the end. */
extern size_t mren_input_read(MrenInputSource *input, void *buffer, size_t size);
extern void mren_input_close(MrenInputSource *input);

/* All that is left, palloc'd; an error (54000) if it is more than limit bytes. */
extern uint8 *mren_input_all(MrenInputSource *input, size_t limit, const char *setting,
							 size_t *len);

#endif
