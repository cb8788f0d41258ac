/*
 * train_options.c
 *	  The options object of training.
 *
 * The core knows the options of the network and its training; here are those
 * that name things of the database.
 */
#include "pg/train/train_options.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/numeric.h"
#include "utils/varlena.h"

#include "pg/resource/image_encoders.h"
#include "pg/support/pg_env.h"

static char *
value_string(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* An array of numbers only; anything else in it makes it "other". */
static MrenOptionValue
array_value(const JsonbValue *value)
{
	JsonbIterator *iterator = JsonbIteratorInit(value->val.binary.data);
	int n = JsonContainerSize(value->val.binary.data);
	double *numbers = palloc(Max(n, 1) * sizeof(double));
	JsonbIteratorToken token;
	JsonbValue element;
	int i = 0;

	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (element.type != jbvNumeric)
			return (MrenOptionValue){.kind = MREN_VALUE_OTHER};
		numbers[i++] = DatumGetFloat8(
			DirectFunctionCall1(numeric_float8, NumericGetDatum(element.val.numeric)));
	}
	return (MrenOptionValue){.kind = MREN_VALUE_NUMBERS, .numbers = numbers, .n_numbers = i};
}

MrenOptionValue
mren_option_value(const JsonbValue *value)
{
	char *string;

	switch (value->type)
	{
		case jbvNull:
			return (MrenOptionValue){.kind = MREN_VALUE_NULL};
		case jbvBool:
			return (MrenOptionValue){.kind = MREN_VALUE_BOOL, .boolean = value->val.boolean};
		case jbvNumeric:
			return (MrenOptionValue){.kind = MREN_VALUE_NUMBER,
									 .number = DatumGetFloat8(DirectFunctionCall1(
										 numeric_float8, NumericGetDatum(value->val.numeric)))};
		case jbvString:
			string = value_string(value);
			return (MrenOptionValue){.kind = MREN_VALUE_STRING,
									 .string = mren_pg_utf8(string, strlen(string)).data};
		case jbvBinary:
			if (JsonContainerIsArray(value->val.binary.data))
				return array_value(value);
			break;
		default:
			break;
	}
	return (MrenOptionValue){.kind = MREN_VALUE_OTHER};
}

char *
mren_option_name(const char *key, const JsonbValue *value)
{
	if (value->type == jbvNull)
		return NULL;
	if (value->type != jbvString)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"%s\" is not a name", key),
						errhint("Give a JSON string, or null.")));
	return value_string(value);
}

bool
mren_option_bool(const char *key, const JsonbValue *value)
{
	if (value->type != jbvBool)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" is not a boolean", key), errhint("Give true or false.")));
	return value->val.boolean;
}

static double
share_value(const char *key, const JsonbValue *value)
{
	double share = -1;

	if (value->type == jbvNull)
		return 0;
	if (value->type == jbvNumeric)
		share = DatumGetFloat8(
			DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
	if (!(share >= 0 && share <= 0.5))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"%s\" is not a share of the rows", key),
						errhint("Give a number from 0 to 0.5.")));
	return share;
}

bool
mren_option_seed(const JsonbValue *value, int64_t *seed)
{
	char *digits;
	char *end;
	int64 number;

	if (value->type != jbvNumeric)
		return false;
	digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	errno = 0;
	number = strtoll(digits, &end, 10);
	if (*end != '\0' || errno != 0)
		return false;
	*seed = number;
	return true;
}

/* The name in the list that is the nearest to the key, if a slip or two apart; NULL if none is. */
static char *
nearest_option(const char *key, const char *known)
{
	char *rest = pstrdup(known);
	char *nearest = NULL;
	int key_len = (int) strlen(key);
	int least = Min(3, (key_len + 1) / 2);

	/* A distance is not asked of what no option is as long as. */
	if (key_len >= NAMEDATALEN)
		return NULL;
	for (char *name; (name = strtok_r(NULL, ", ", &rest)) != NULL;)
	{
		int distance = varstr_levenshtein_less_equal(key, key_len, name, (int) strlen(name), 1, 1,
													 1, least, true);

		if (distance < least)
		{
			least = distance;
			nearest = name;
		}
	}
	return nearest;
}

void
mren_option_unknown(const char *key, const char *known)
{
	char *nearest = nearest_option(key, known);

	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown option \"%s\"", key),
					nearest != NULL ? errdetail("Perhaps you meant \"%s\".", nearest) : 0,
					errhint("Options are %s.", known)));
	pg_unreachable();
}

void
mren_option_renamed_error(const char *key, const char *renamed)
{
	if (renamed != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown option \"%s\"", key),
				 errhint("Option \"%s\" is now called \"%s\".", key, renamed)));
}

static void
unknown_key(const char *key)
{
	char known[1024];

	mren_option_renamed_error(key, strcmp(key, "gate_share") == 0 ? "holdout_share"
																  : mren_options_renamed(key));
	mren_options_list(known, sizeof(known));
	mren_option_unknown(
		key, psprintf("embeddings, image_encoder, lexicons, deploy, holdout_share, %s", known));
}

/* What an option says null of, so that what is loaded is not taken. */
typedef struct Unwanted
{
	bool embeddings;
	bool encoder;
} Unwanted;

static void
set_option(MrenTrainOptions *options, const char *key, const JsonbValue *value, Unwanted *unwanted)
{
	MrenOptionValue core;
	MrenError err;

	if (strcmp(key, "embeddings") == 0)
	{
		options->embeddings = mren_option_name(key, value);
		unwanted->embeddings = options->embeddings == NULL;
	}
	else if (strcmp(key, "image_encoder") == 0)
	{
		options->image_encoder = mren_option_name(key, value);
		unwanted->encoder = options->image_encoder == NULL;
	}
	else if (strcmp(key, "lexicons") == 0)
		mren_lexicon_list_set(&options->lexicons, value);
	else if (strcmp(key, "deploy") == 0)
		options->deploy = mren_option_bool(key, value);
	else if (strcmp(key, "holdout_share") == 0)
		options->holdout_share = share_value(key, value);
	else if (!mren_options_known(key))
		unknown_key(key);
	else if (strcmp(key, "seed") != 0 || !mren_option_seed(value, &options->net.common.seed))
	{
		core = mren_option_value(value);
		MREN_PG_CALL(err, mren_options_set(&options->net, key, &core, &err));
	}
}

/* The grid is known from the network alone, so the encoder is opened for it. */
static void
resolve_grid(MrenTrainOptions *options)
{
	options->grid = mren_encoder_grid_shape(mren_encoder_open(&options->encoder_row));
	if (mren_grid_size(&options->grid) == 0 && options->net.fusion != MREN_FUSION_AUTO)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("image encoder \"%s\" has no grid for this fusion to look at",
						options->image_encoder),
				 errhint("Use the fusion \"parallel\", or an output that is pooled from a map.")));
}

/*
 * What is not named is what is there, if there is only one; which encoder is
 * used must not depend on which rows come first.
 */
static void
resolve(MrenTrainOptions *options, const Unwanted *unwanted)
{
	char *name;
	int n;

	if (options->embeddings == NULL && !unwanted->embeddings)
	{
		n = mren_catalog_count_embeddings(&name);
		if (n > 1 || (n == 0 && options->net.hash_bits == 0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 n == 0 ? errmsg("no word embeddings are loaded")
							: errmsg("option \"embeddings\" is missing, and %d sets are loaded", n),
					 n == 0 ? errhint("Load some with mren.load_embeddings.")
							: errhint("Name one; mren.embeddings lists them.")));
		options->embeddings = n == 1 ? name : NULL;
	}
	if (options->embeddings != NULL)
		mren_catalog_need_embedding(options->embeddings, &options->embedding_row);
	if (options->image_encoder == NULL && !unwanted->encoder &&
		mren_catalog_count_encoders(&name) == 1)
		options->image_encoder = name;
	mren_lexicon_list_resolve(&options->lexicons);
	if (options->image_encoder == NULL)
		return;
	mren_catalog_need_encoder(options->image_encoder, &options->encoder_row);
	if (options->net.fusion != MREN_FUSION_PARALLEL)
		resolve_grid(options);
}

void
mren_train_options(const Jsonb *object, MrenTrainOptions *options)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue item;
	char *key = NULL;
	Unwanted unwanted = {false, false};

	memset(options, 0, sizeof(*options));
	mren_options_init(&options->net);
	if (object != NULL && !JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("options are not a JSON object"),
				 errhint("Give an object, such as {\"epochs\": 50}.")));
	if (object != NULL)
	{
		iterator = JsonbIteratorInit((JsonbContainer *) &object->root);
		while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
		{
			if (token == WJB_KEY)
				key = value_string(&item);
			else if (token == WJB_VALUE)
				set_option(options, key, &item, &unwanted);
		}
	}
	resolve(options, &unwanted);
}

void
mren_option_append(StringInfo json, const char *key, const char *value)
{
	appendStringInfo(json, ", \"%s\": ", key);
	if (value == NULL)
		appendStringInfoString(json, "null");
	else
		escape_json(json, pg_server_to_any(value, strlen(value), PG_UTF8));
}

char *
mren_train_options_json(const MrenTrainOptions *options)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	StringInfoData json;
	MrenError err;
	char *core;
	int end;

	MREN_PG_CALL(err, mren_options_json(&env, &options->net, &core, &err));
	initStringInfo(&json);
	end = strlen(core);
	while (end > 0 && core[end - 1] != '}')
		end--;
	appendBinaryStringInfo(&json, core, end - 1);
	mren_option_append(&json, "embeddings", options->embeddings);
	mren_option_append(&json, "image_encoder", options->image_encoder);
	mren_lexicon_list_append(&json, &options->lexicons);
	appendStringInfo(&json, ", \"deploy\": %s, \"holdout_share\": %g}",
					 options->deploy ? "true" : "false", options->holdout_share);
	mren_release(&env, core);
	return json.data;
}
