/*
 * model_options.c
 *	  The options with which the deployed version of a model was trained, for functions that
 *	  train others for comparison.
 */
#include "pg/evaluate/model_options.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "pg/model/models.h"

Jsonb *
mren_model_options(const char *model)
{
	Oid types[] = {INT8OID};
	Datum values[1];
	MemoryContext context = CurrentMemoryContext;
	MemoryContext old;
	MrenModelRow row;
	Jsonb *options;
	bool isnull;

	mren_catalog_require(model, MREN_PRIVILEGE_TRAIN, &row);
	mren_catalog_require_kind(model, &row, MREN_MODEL_RELATION);
	if (row.deployed == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("model \"%s\" has no deployed version", model),
						errhint("Deploy one with mren.promote.")));
	values[0] = Int64GetDatum(row.deployed);
	SPI_connect();
	if (mren_catalog_read(
			"SELECT pg_catalog.jsonb_build_object("
			"'embeddings', options OPERATOR(pg_catalog.->) 'embeddings'::pg_catalog.text,"
			" 'image_encoder', options OPERATOR(pg_catalog.->) 'image_encoder'::pg_catalog.text)"
			" OPERATOR(pg_catalog.||) CASE WHEN options OPERATOR(pg_catalog.?) 'audio_encoder'"
			" THEN pg_catalog.jsonb_build_object('audio_encoder', options OPERATOR(pg_catalog.->)"
			" 'audio_encoder'::pg_catalog.text) ELSE '{}' END"
			" OPERATOR(pg_catalog.||) COALESCE(given, options)"
			" OPERATOR(pg_catalog.-) 'deploy'::pg_catalog.text"
			" FROM mren.model_version WHERE id OPERATOR(pg_catalog.=) $1",
			1, types, values, NULL) != 1)
		elog(ERROR, "the deployed version of model \"%s\" is missing", model);
	old = MemoryContextSwitchTo(context);
	options = DatumGetJsonbPCopy(mren_models_result(1, &isnull));
	MemoryContextSwitchTo(old);
	SPI_finish();
	return options;
}
