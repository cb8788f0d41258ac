/*
 * drop_content.c
 *	  Dropping embeddings, encoders and lexicons.
 *
 * The row is deleted first: a model that is being saved locks it, so no model can
 * start to need it between the check and the end of the transaction.
 */
#include "pg/resource/drop_content.h"

#include "catalog/pg_type.h"

#include "pg/catalog/catalog.h"
#include "pg/model/models.h"

const MrenContent mren_content_embeddings = {
	.what = "embeddings",
	.function = "mren.drop_embeddings()",
	.delete_row = "DELETE FROM mren.embedding WHERE id OPERATOR(pg_catalog.=) $1",
	.delete_parts = "DELETE FROM mren.embedding_word WHERE embedding OPERATOR(pg_catalog.=) $1",
	.used = "v.embeddings OPERATOR(pg_catalog.=) $1",
};

const MrenContent mren_content_image_encoder = {
	.what = "image encoder",
	.function = "mren.drop_image_encoder()",
	.delete_row = "DELETE FROM mren.encoder WHERE id OPERATOR(pg_catalog.=) $1",
	.delete_parts = "DELETE FROM mren.encoder_part WHERE encoder OPERATOR(pg_catalog.=) $1",
	.used = "v.encoder OPERATOR(pg_catalog.=) $1",
};

const MrenContent mren_content_text_encoder = {
	.what = "text encoder",
	.function = "mren.drop_text_encoder()",
	.delete_row = "DELETE FROM mren.text_encoder WHERE id OPERATOR(pg_catalog.=) $1",
	.delete_parts = "DELETE FROM mren.text_encoder_part WHERE encoder OPERATOR(pg_catalog.=) $1",
	.used = "v.text_encoder OPERATOR(pg_catalog.=) $1",
};

const MrenContent mren_content_audio_encoder = {
	.what = "audio encoder",
	.function = "mren.drop_audio_encoder()",
	.delete_row = "DELETE FROM mren.audio_encoder WHERE id OPERATOR(pg_catalog.=) $1",
	.delete_parts = "DELETE FROM mren.audio_encoder_part WHERE encoder OPERATOR(pg_catalog.=) $1",
	.used = "v.audio_encoder OPERATOR(pg_catalog.=) $1",
};

const MrenContent mren_content_lexicon = {
	.what = "lexicon",
	.function = "mren.drop_lexicon()",
	.delete_row = "DELETE FROM mren.lexicon WHERE id OPERATOR(pg_catalog.=) $1",
	.delete_parts = "DELETE FROM mren.lexicon_phrase WHERE lexicon OPERATOR(pg_catalog.=) $1",
	.used = "$1 OPERATOR(pg_catalog.=) ANY (v.lexicons)",
};

void
mren_content_drop(const MrenContent *content, const char *name, int64 id, const char *owner,
				  const uint8 *hash)
{
	Oid types[] = {INT8OID};
	Datum values[] = {Int64GetDatum(id)};
	char *users;

	if (!mren_catalog_is_owner(owner))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be owner of %s \"%s\"", content->what, name)));
	mren_models_begin(content->function);
	mren_catalog_write(content->delete_row, 1, types, values, NULL);
	users = mren_models_using(hash, content->used);
	if (users != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop %s \"%s\" because models need it", content->what, name),
				 errdetail("Models that need it: %s.", users), errhint("Drop the models first.")));
	mren_catalog_write(content->delete_parts, 1, types, values, NULL);
	mren_models_end();
}
