/*
 * retrain_recipe.c
 *	  What a model is retrained from: a stored query and its options.
 */
#include "pg/retrain/retrain_recipe.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"

#include "pg/model/models.h"
#include "pg/support/json_options.h"

static Jsonb *
jsonb_of(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

static Jsonb *
without(Jsonb *object, const char *key)
{
	return DatumGetJsonbP(
		DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(object), CStringGetTextDatum(key)));
}

static Jsonb *
joined(Jsonb *object, Jsonb *over)
{
	return DatumGetJsonbP(
		DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(object), JsonbPGetDatum(over)));
}

/* Adds a member with a string, or null, unless the object has the key. */
static Jsonb *
with_name(Jsonb *object, const char *key, const char *name)
{
	StringInfoData json;

	if (mren_json_options_find(object, key) != NULL)
		return object;
	initStringInfo(&json);
	appendStringInfo(&json, "{\"%s\": ", key);
	if (name != NULL)
		escape_json(&json, name);
	else
		appendStringInfoString(&json, "null");
	appendStringInfoChar(&json, '}');
	return joined(object, jsonb_of(json.data));
}

/* Columns query, search_path, query_owner and given of the first row of the last statement. */
static void
read_recipe(MemoryContext context, MrenRecipe *recipe)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	bool isnull;
	Datum path;

	recipe->query.text = TextDatumGetCString(mren_models_result(1, &isnull));
	path = mren_models_result(2, &isnull);
	recipe->query.search_path = isnull ? NULL : TextDatumGetCString(path);
	recipe->query.owner = *DatumGetName(mren_models_result(3, &isnull));
	recipe->options = DatumGetJsonbPCopy(mren_models_result(4, &isnull));
	MemoryContextSwitchTo(old);
}

static bool
find_stored(const MrenModelRow *row, MrenRecipe *recipe)
{
	Oid types[] = {INT8OID, INT8OID};
	Datum values[] = {Int64GetDatum(row->id), Int64GetDatum(row->deployed)};
	MemoryContext context = CurrentMemoryContext;
	bool found =
		mren_catalog_read("SELECT query, search_path, query_owner, given FROM mren.model_version"
						  " WHERE model OPERATOR(pg_catalog.=) $1 AND query IS NOT NULL"
						  " ORDER BY id OPERATOR(pg_catalog.=) $2 DESC, version DESC LIMIT 1",
						  2, types, values, NULL) == 1 ||
		mren_catalog_read("SELECT query, NULL::pg_catalog.text, started_by, options FROM mren.run"
						  " WHERE model_id OPERATOR(pg_catalog.=) $1"
						  " AND status OPERATOR(pg_catalog.=) 'succeeded'"
						  " AND call OPERATOR(pg_catalog.=) 'train' ORDER BY id DESC LIMIT 1",
						  1, types, values, NULL) == 1;

	if (found)
		read_recipe(context, recipe);
	return found;
}

/* The name of the loaded audio encoder that a version reads, or NULL. */
static char *
audio_encoder_of(const MrenVersionRow *version)
{
	Oid types[] = {INT8OID};
	Datum values[] = {Int64GetDatum(version->id)};
	bool isnull;

	if (mren_catalog_read("SELECT e.name FROM mren.model_version v JOIN mren.audio_encoder e"
						  " ON e.identity OPERATOR(pg_catalog.=) v.audio_encoder"
						  " WHERE v.id OPERATOR(pg_catalog.=) $1 ORDER BY e.name LIMIT 1",
						  1, types, values, NULL) != 1)
		return NULL;
	return TextDatumGetCString(mren_models_result(1, &isnull));
}

static Jsonb *
complete_options(Jsonb *given, Jsonb *overrides, const MrenVersionRow *champion)
{
	Jsonb *options = joined(without(given, "deploy"), overrides);
	const JsonbValue *share = mren_json_options_find(options, "holdout_share");
	MrenEmbeddingRow embedding;
	MrenImageEncoderRow encoder;
	char *name;

	/* No rows were held out, and the overrides do not hold any out. */
	if (mren_json_options_find(overrides, "holdout_share") == NULL &&
		(share == NULL || share->type != jbvNumeric ||
		 DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											NumericGetDatum(share->val.numeric))) == 0))
		options = joined(options, jsonb_of("{\"holdout_share\": " MREN_RECIPE_HOLDOUT_SHARE "}"));
	if (mren_catalog_embedding_by_hash(champion->embeddings, &embedding, &name))
		options = with_name(options, "embeddings", name);
	if (champion->has_encoder &&
		mren_catalog_image_encoder_by_hash(champion->encoder, &encoder, &name))
		options = with_name(options, "image_encoder", name);
	name = audio_encoder_of(champion);
	if (name != NULL)
		options = with_name(options, "audio_encoder", name);
	return options;
}

void
mren_recipe_find(const char *model, const MrenModelRow *row, const MrenVersionRow *champion,
				 Jsonb *overrides, MrenRecipe *recipe)
{
	mren_json_options_check(overrides);
	if (mren_json_options_find(overrides, "deploy") != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"deploy\" cannot be used in a retraining"),
						errhint("The argument promote says when the new version is deployed: "
								"'better', 'always' or 'never'.")));
	if (!find_stored(row, recipe))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no training query is stored for model \"%s\"", model),
				 errdetail("Versions that were imported, or saved with mren.save_model, have "
						   "none."),
				 errhint("Train the model once with CALL mren.train.")));
	mren_stored_require(&recipe->query);
	recipe->options = complete_options(recipe->options, overrides, champion);
}
