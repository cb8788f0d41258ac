/*
 * content.h
 *	  Embeddings, encoders and lexicons: what has a name, and is named by the hash of its content by
 *	  the models that need it.  The same content can have several names; the last one cannot be
 *	  dropped while a model needs it.
 */
#ifndef MREN_PG_RESOURCE_CONTENT_H
#define MREN_PG_RESOURCE_CONTENT_H

#include "postgres.h"

#include "pg/support/compat.h"

typedef struct MrenContent
{
	const char *what;		  /* for messages: "embeddings" */
	bool plural;			  /* "embeddings exist" */
	const char *drop;		  /* the function that drops it */
	const char *table;		  /* with columns id and name, */
	const char *hash;		  /* and this one */
	const char *delete_parts; /* statement, $1 is the id */
	const char *used;		  /* condition that a model_version v names the content $1 */
	const char *named;		  /* condition that a graph x names it by $1; NULL: graphs name none */
} MrenContent;

extern const MrenContent mren_content_embeddings;
extern const MrenContent mren_content_image_encoder;
extern const MrenContent mren_content_text_encoder;
extern const MrenContent mren_content_audio_encoder;
extern const MrenContent mren_content_lexicon;

/* An error (42710): the name is taken. */
extern void mren_content_exists(const MrenContent *content, const char *name) MREN_NORETURN;

/*
 * mren_content_insert
 *	  Runs an INSERT of the content's row, without ON CONFLICT and RETURNING, between
 *	  mren_models_begin and mren_models_end.  Returns its id.  42710 if another session has taken
 *	  the name meanwhile.
 */
extern int64 mren_content_insert(const MrenContent *content, const char *name, const char *insert,
								 int n, const Oid *types, const Datum *values);

/*
 * mren_content_users
 *	  The models that need the content of row `id`, as a message lists them; NULL if there are none,
 *	  or if the same content has another name.  Locks its names, so that of two that are dropped at
 *	  once the second one is the last.
 */
extern char *mren_content_users(const MrenContent *content, int64 id, const uint8 *hash);

/*
 * Drops the content of this name, id, owner and hash.  42501 if the current user is
 * not a member of the owner, 2BP01 if a model needs it.
 */
extern void mren_content_drop(const MrenContent *content, const char *name, int64 id,
							  const char *owner, const uint8 *hash);

#endif
