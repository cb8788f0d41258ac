/*
 * content.c
 *	  Naming and dropping embeddings, encoders and lexicons.
 *
 * Rows of the content are locked before it is dropped: a model that is being saved locks them, too,
 * so no model can start to need it between the check and the end of the transaction.
 */
#include "pg/resource/content.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "pg/catalog/catalog.h"
#include "pg/model/models.h"

const MrenContent mren_content_embeddings = {
	.what = "embeddings",
	.plural = true,
	.drop = "mren.drop_embeddings",
	.table = "mren.embedding",
	.hash = "sha256",
	.delete_parts = "DELETE FROM mren.embedding_word WHERE embedding OPERATOR(pg_catalog.=) $1",
	.used = "v.embeddings OPERATOR(pg_catalog.=) $1",
};

const MrenContent mren_content_image_encoder = {
	.what = "image encoder",
	.drop = "mren.drop_image_encoder",
	.table = "mren.encoder",
	.hash = "identity",
	.delete_parts = "DELETE FROM mren.encoder_part WHERE encoder OPERATOR(pg_catalog.=) $1",
	.used = "v.encoder OPERATOR(pg_catalog.=) $1",
};

const MrenContent mren_content_text_encoder = {
	.what = "text encoder",
	.drop = "mren.drop_text_encoder",
	.table = "mren.text_encoder",
	.hash = "sha256",
	.delete_parts = "DELETE FROM mren.text_encoder_part WHERE encoder OPERATOR(pg_catalog.=) $1",
	.used = "v.text_encoder OPERATOR(pg_catalog.=) $1",
};

const MrenContent mren_content_audio_encoder = {
	.what = "audio encoder",
	.drop = "mren.drop_audio_encoder",
	.table = "mren.audio_encoder",
	.hash = "identity",
	.delete_parts = "DELETE FROM mren.audio_encoder_part WHERE encoder OPERATOR(pg_catalog.=) $1",
	.used = "v.audio_encoder OPERATOR(pg_catalog.=) $1",
};

const MrenContent mren_content_lexicon = {
	.what = "lexicon",
	.drop = "mren.drop_lexicon",
	.table = "mren.lexicon",
	.hash = "sha256",
	.delete_parts = "DELETE FROM mren.lexicon_phrase WHERE lexicon OPERATOR(pg_catalog.=) $1",
	.used = "$1 OPERATOR(pg_catalog.=) ANY (v.lexicons)",
	.named = "$1 OPERATOR(pg_catalog.=) ANY (x.lexicons)",
};

void
mren_content_exists(const MrenContent *content, const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
					errmsg("%s \"%s\" already %s", content->what, name,
						   content->plural ? "exist" : "exists"),
					errhint("Drop %s with %s, or load under another name.",
							content->plural ? "them" : "it", content->drop)));
}

int64
mren_content_insert(const MrenContent *content, const char *name, const char *insert, int n,
					const Oid *types, const Datum *values)
{
	char *sql = psprintf("%s ON CONFLICT (name) DO NOTHING RETURNING id", insert);
	bool isnull;

	if (mren_catalog_write(sql, n, types, values, NULL) == 0)
		mren_content_exists(content, name);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

char *
mren_content_users(const MrenContent *content, int64 id, const uint8 *hash)
{
	Oid types[] = {BYTEAOID};
	Datum values[] = {PointerGetDatum(mren_digest_bytea(hash))};
	uint64 n = mren_catalog_write(
		psprintf("SELECT id FROM %s WHERE %s OPERATOR(pg_catalog.=) $1 ORDER BY id FOR UPDATE",
				 content->table, content->hash),
		1, types, values, NULL);

	for (uint64 i = 0; i < n; i++)
	{
		bool isnull;
		Datum other = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

		if (DatumGetInt64(other) != id)
			return NULL;
	}
	return mren_models_using(hash, content->used);
}

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
	mren_models_begin(psprintf("%s()", content->drop));
	users = mren_content_users(content, id, hash);
	if (users != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop %s \"%s\" because models need it", content->what, name),
				 errdetail("Models that need it: %s.", users), errhint("Drop the models first.")));
	mren_catalog_write(
		psprintf("DELETE FROM %s WHERE id OPERATOR(pg_catalog.=) $1", content->table), 1, types,
		values, NULL);
	mren_catalog_write(content->delete_parts, 1, types, values, NULL);
	if (content->named != NULL)
		mren_models_notice_graphs(content->what, name, content->named);
	mren_models_end();
}
