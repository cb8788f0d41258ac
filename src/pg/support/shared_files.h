/*
 * shared_files.h
 *	  Files of weights that all backends map: networks, encoders and word vectors, each made by
 *	  the first backend that opens it.
 *
 * They are in a directory beside the server's temporary files, so a base backup leaves them out
 * and the server removes them when it starts.  A file is found by what is in it, never by a name
 * that a user gives: whoever opens one has read its content's hash in the catalog, where the
 * caller's privileges have been checked.  It is written under another name and renamed when it
 * is whole.  All files together take at most mren.shared_files; the least recently used are
 * removed.  Without them (the setting is 0, the disk is full or read-only) every backend reads
 * into memory of its own.
 */
#ifndef MREN_PG_SUPPORT_SHARED_FILES_H
#define MREN_PG_SUPPORT_SHARED_FILES_H

#include "postgres.h"

#include "base/weights.h"
#include "pg/support/digest.h"

typedef enum MrenSharedKind
{
	MREN_SHARED_MODEL,
	MREN_SHARED_IMAGE_ENCODER,
	MREN_SHARED_AUDIO_ENCODER,
	MREN_SHARED_TEXT_ENCODER,
	MREN_SHARED_TOKENIZER,
	MREN_SHARED_WORDS,
} MrenSharedKind;

/* Notes which library this is; called when it is loaded, since it may be replaced afterwards. */
extern void mren_shared_begin(void);

/*
 * What opens the content; *opened is allocated by env.  With weights that are ready (see
 * mren_weights_ready) it may fail only by its status, and takes what it needs from them;
 * otherwise it may raise errors.
 */
typedef MrenStatus (*MrenSharedOpen)(void *state, const MrenEnv *env, void **opened,
									 MrenError *err);

/*
 * mren_shared_open
 *	  Opens content in the context by its file, which is made if it is not there or cannot be
 *	  used.  content: the SHA-256 of all that the result depends on.  Errors of `open` are raised.
 */
extern void *mren_shared_open(MrenSharedKind kind, const uint8 *content, MemoryContext context,
							  MrenSharedOpen open, void *state);

/*
 * mren_shared_make
 *	  The same for what is of no use without its file: NULL if that cannot be made, or another
 *	  backend is making one just now.
 */
extern void *mren_shared_make(MrenSharedKind kind, const uint8 *content, MemoryContext context,
							  MrenSharedOpen open, void *state);

/* NULL if there is no file that can be used. */
extern void *mren_shared_find(MrenSharedKind kind, const uint8 *content, MemoryContext context,
							  MrenSharedOpen open, void *state);

/* Removes the file of content that is dropped, when the transaction has committed. */
extern void mren_shared_drop(MrenSharedKind kind, const uint8 *content);

/* Whether a file of that many bytes may be made and would save something. */
extern bool mren_shared_room(uint64 bytes);

#endif
