/*
 * old_options.c
 *	  Options and metrics of networks that mren 0.1.0 and 0.2.0 trained, under
 *	  their present names.
 *
 * sql/updates/0.2.0--0.3.0.sql renames what is stored in the extension's tables.
 * This does the same for networks in tables and files of users, when they are
 * saved or imported.
 */
#include "pg/model/old_options.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "pg/support/json_options.h"

static const struct
{
	const char *old_name;
	const char *name;
} renamed[] = {
	{"average", "weight_ema"},			{"gate_share", "holdout_share"},
	{"image_gate", "text_only_member"}, {"l2", "weight_decay"},
	{"vectors", "word_vectors"},		{"wide", "hash_bits"},
	{"wide_epoch", "linear_epoch"},		{"wide_share", "linear_share"},
};

static bool
is_string(const JsonbValue *value, const char *string)
{
	return value->type == jbvString && value->val.string.len == (int) strlen(string) &&
		   memcmp(value->val.string.val, string, strlen(string)) == 0;
}

static void
set_string(JsonbValue *value, const char *string)
{
	value->val.string.val = (char *) string;
	value->val.string.len = strlen(string);
}

static void
rename_key(JsonbValue *key)
{
	for (size_t i = 0; i < lengthof(renamed); i++)
	{
		if (is_string(key, renamed[i].old_name))
		{
			set_string(key, renamed[i].name);
			return;
		}
	}
}

/* The value of a member under its present name. */
static void
convert_value(const JsonbValue *key, JsonbValue *value, int decay_factor)
{
	Datum factor = DirectFunctionCall1(int4_numeric, Int32GetDatum(decay_factor));

	if (is_string(key, "word_vectors") && is_string(value, "tuned"))
		set_string(value, "fine_tuned");
	else if (is_string(key, "weight_decay") && value->type == jbvNumeric)
		value->val.numeric = DatumGetNumeric(DirectFunctionCall1(
			numeric_trim_scale,
			DirectFunctionCall2(numeric_mul, NumericGetDatum(value->val.numeric), factor)));
}

static char *
rename_members(const Jsonb *object, int decay_factor)
{
	JsonbIterator *iterator = JsonbIteratorInit((JsonbContainer *) &object->root);
	JsonbParseState *state = NULL;
	JsonbValue *result = NULL;
	JsonbIteratorToken token;
	JsonbValue key = {.type = jbvNull};
	JsonbValue item;

	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			rename_key(&item);
			key = item;
		}
		else if (token == WJB_VALUE)
			convert_value(&key, &item, decay_factor);
		result =
			pushJsonbValue(&state, token, token == WJB_KEY || token == WJB_VALUE ? &item : NULL);
	}
	return mren_network_json_text(JsonbPGetDatum(JsonbValueToJsonb(result)));
}

/*
 * 0.2.0 applied 100 times the weight decay it was given to a network that read
 * images.  0.1.0, whose options had no "wide", did not.
 */
static int
applied_decay(const Jsonb *options, const MrenNetwork *network)
{
	MrenNetInfo info;

	if (network->net == NULL || mren_json_options_find(options, "wide") == NULL)
		return 1;
	mren_net_info(network->net, &info);
	return info.has_image ? 100 : 1;
}

void
mren_network_rename_options(MemoryContext context, MrenNetwork *network)
{
	Jsonb *options = DatumGetJsonbP(mren_network_jsonb(network->options));
	MemoryContext old;

	/* Every version before 0.3.0 wrote this option. */
	if (mren_json_options_find(options, "l2") == NULL)
		return;
	old = MemoryContextSwitchTo(context);
	network->options = rename_members(options, applied_decay(options, network));
	if (network->metrics != NULL)
		network->metrics = rename_members(DatumGetJsonbP(mren_network_jsonb(network->metrics)), 1);
	MemoryContextSwitchTo(old);
}
