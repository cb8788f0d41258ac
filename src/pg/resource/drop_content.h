/*
 * drop_content.h
 *	  Dropping embeddings, encoders and lexicons, which cannot be dropped
 *	  while a model names them by the hash of their content.
 */
#ifndef MREN_PG_RESOURCE_DROP_CONTENT_H
#define MREN_PG_RESOURCE_DROP_CONTENT_H

#include "postgres.h"

typedef struct MrenContent
{
	const char *what;		/* for messages: "embeddings" */
	const char *function;	/* that drops it, for messages */
	const char *delete_row; /* statements, $1 is the id */
	const char *delete_parts;
	const char *used; /* condition that a model_version v names the content $1 */
} MrenContent;

extern const MrenContent mren_content_embeddings;
extern const MrenContent mren_content_image_encoder;
extern const MrenContent mren_content_text_encoder;
extern const MrenContent mren_content_audio_encoder;
extern const MrenContent mren_content_lexicon;

/*
 * Drops the content of this name, id, owner and hash.  42501 if the current user is
 * not a member of the owner, 2BP01 if a model needs it.
 */
extern void mren_content_drop(const MrenContent *content, const char *name, int64 id,
							  const char *owner, const uint8 *hash);

#endif
