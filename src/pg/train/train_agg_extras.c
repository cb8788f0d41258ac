/*
 * train_agg_extras.c
 *	  The jsonb argument "extras" of mren.train_agg.
 */
#include "pg/train/train_agg_extras.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/geo_decls.h"
#include "utils/numeric.h"

#include "pg/support/pg_env.h"

static void
wrong_value(const char *key, const char *want)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" in extras must be %s", key, want)));
}

static float8
number_of(const char *key, const JsonbValue *value)
{
	if (value->type != jbvNumeric)
		wrong_value(key, "a number");
	return DatumGetFloat8(
		DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
}

static bool
boolean_of(const char *key, const JsonbValue *value)
{
	if (value->type != jbvBool)
		wrong_value(key, "true or false");
	return value->val.boolean;
}

static char *
string_of(const char *key, const JsonbValue *value)
{
	if (value->type != jbvString)
		wrong_value(key, "a string");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* An array of finite numbers. */
static float4 *
floats_of(const char *key, const JsonbValue *value, int *n)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue element;
	float4 *numbers;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		wrong_value(key, "an array of numbers");
	numbers = palloc(Max(JsonContainerSize(value->val.binary.data), 1) * sizeof(float4));
	iterator = JsonbIteratorInit(value->val.binary.data);
	*n = 0;
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		numbers[*n] = (float4) number_of(key, &element);
		if (!isfinite(numbers[(*n)++]))
			wrong_value(key, "an array of finite numbers");
	}
	return numbers;
}

static MrenTextSpan
type_of(const char *key, const JsonbValue *value)
{
	return mren_datum_utf8(CStringGetTextDatum(string_of(key, value)));
}

/* An array of four numbers, or a box in SQL's notation, as to_jsonb gives it. */
static Datum
box_of(const char *key, const JsonbValue *value)
{
	float4 *numbers;
	BOX *box;
	int n;

	if (value->type == jbvString)
		return DirectFunctionCall1(box_in, CStringGetDatum(string_of(key, value)));
	numbers = floats_of(key, value, &n);
	if (n != 4)
		wrong_value(key, "an array of four numbers");
	box = palloc(sizeof(BOX));
	box->low = (Point){numbers[0], numbers[1]};
	box->high = (Point){numbers[2], numbers[3]};
	return BoxPGetDatum(box);
}

static void
read_member(const char *key, const JsonbValue *value, MrenPair *pair, MrenTrainAggExtras *extras)
{
	MrenError err;
	char *split;

	if (strcmp(key, "weight") == 0)
		extras->weight = (float4) number_of(key, value);
	else if (strcmp(key, "split") == 0)
	{
		split = string_of(key, value);
		MREN_PG_CALL(err, mren_split_parse(split, strlen(split), &extras->split, &err));
	}
	else if (strcmp(key, "head_type") == 0)
		pair->head_type = type_of(key, value);
	else if (strcmp(key, "tail_type") == 0)
		pair->tail_type = type_of(key, value);
	else if (strcmp(key, "head_box") == 0 || strcmp(key, "tail_box") == 0)
	{
		Datum box = box_of(key, value);

		if (strcmp(key, "head_box") == 0)
			mren_pair_head_box(pair, box);
		else
			mren_pair_tail_box(pair, box);
	}
	else if (strcmp(key, "image_vector") == 0)
		pair->image_vector = floats_of(key, value, &pair->n_image_vector);
	else if (strcmp(key, "audio") == 0)
		pair->audio =
			DatumGetByteaPP(DirectFunctionCall1(byteain, CStringGetDatum(string_of(key, value))));
	else if (strcmp(key, "audio_vector") == 0)
		pair->audio_vector = floats_of(key, value, &pair->n_audio_vector);
	else if (strcmp(key, "probabilities") == 0)
		extras->label.probabilities = JsonbValueToJsonb((JsonbValue *) value);
	else if (strcmp(key, "gold") == 0)
	{
		extras->label.has_gold = true;
		extras->label.gold = boolean_of(key, value);
	}
	else
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("unknown key \"%s\" in extras", key),
						errhint("Keys are weight, split, head_type, tail_type, head_box, tail_box, "
								"image_vector, audio, audio_vector, probabilities and gold.")));
}

void
mren_train_agg_extras_read(const Jsonb *object, MrenPair *pair, MrenTrainAggExtras *extras)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue item;
	char *key = NULL;

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"extras\" must be a JSON object")));
	iterator = JsonbIteratorInit((JsonbContainer *) &object->root);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(item.val.string.val, item.val.string.len);
		else if (token == WJB_VALUE && item.type != jbvNull)
			read_member(key, &item, pair, extras);
	}
}
