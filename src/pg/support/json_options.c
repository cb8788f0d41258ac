/*
 * json_options.c
 *	  Reading an options object (jsonb) and writing one.
 */
#include "pg/support/json_options.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "pg/support/nearest_name.h"

/* Bytes of an invalid value that its error shows. */
#define MAX_SHOWN 200

static char *
value_string(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/*
 * Reading
 */

void
mren_json_options_check(const Jsonb *object)
{
	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("options are not a JSON object"),
				 errhint("Give an object, such as {\"epochs\": 50}.")));
}

const JsonbValue *
mren_json_options_find(const Jsonb *object, const char *key)
{
	JsonbValue name = {.type = jbvString};

	name.val.string.val = (char *) key;
	name.val.string.len = strlen(key);
	return findJsonbValueFromContainer((JsonbContainer *) &object->root, JB_FOBJECT, &name);
}

void
mren_json_options_read(const Jsonb *object, MrenJsonOptionVisitor visit, void *state)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue item;
	char *key = NULL;

	if (object == NULL)
		return;
	mren_json_options_check(object);
	iterator = JsonbIteratorInit((JsonbContainer *) &object->root);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = value_string(&item);
		else if (token == WJB_VALUE)
			visit(state, key, &item);
	}
}

bool
mren_json_options_equal(const Jsonb *a, const Jsonb *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

void
mren_json_option_invalid(const char *key, const JsonbValue *value, const char *allowed)
{
	Jsonb *jsonb = JsonbValueToJsonb((JsonbValue *) value);
	char *text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));

	text[pg_mbcliplen(text, (int) strlen(text), MAX_SHOWN)] = '\0';
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("invalid value for option \"%s\": %s", key, text),
					errhint("\"%s\" is %s.", key, allowed)));
	pg_unreachable();
}

char *
mren_json_option_name(const char *key, const JsonbValue *value)
{
	if (value->type == jbvNull)
		return NULL;
	if (value->type != jbvString)
		mren_json_option_invalid(key, value, "a name, a JSON string, or null");
	return value_string(value);
}

bool
mren_json_option_bool(const char *key, const JsonbValue *value, bool fallback)
{
	if (value->type == jbvNull)
		return fallback;
	if (value->type != jbvBool)
		mren_json_option_invalid(key, value, "true or false");
	return value->val.boolean;
}

double
mren_json_option_share(const char *key, const JsonbValue *value, double fallback)
{
	double share = -1;

	if (value->type == jbvNull)
		return fallback;
	if (value->type == jbvNumeric)
		share = DatumGetFloat8(
			DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	if (!(share >= 0 && share <= 0.5))
		mren_json_option_invalid(key, value, "a share of the rows, a number from 0 to 0.5");
	return share;
}

int
mren_json_option_choice(const char *key, const JsonbValue *value, const char *const *choices, int n)
{
	StringInfoData allowed;

	if (value->type == jbvNull)
		return 0;
	initStringInfo(&allowed);
	for (int i = 0; i < n; i++)
	{
		if (value->type == jbvString && strcmp(value_string(value), choices[i]) == 0)
			return i;
		appendStringInfo(&allowed, "%s\"%s\"", i == 0 ? "" : i < n - 1 ? ", " : " or ", choices[i]);
	}
	mren_json_option_invalid(key, value, allowed.data);
}

bool
mren_json_option_int64(const JsonbValue *value, int64_t *number)
{
	char *digits;
	char *end;
	int64 integer;

	if (value->type != jbvNumeric)
		return false;
	digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	errno = 0;
	integer = strtoll(digits, &end, 10);
	if (*end != '\0' || errno != 0)
		return false;
	*number = integer;
	return true;
}

/*
 * Errors
 */

void
mren_json_option_unknown(const char *key, const char *known)
{
	char *nearest = mren_nearest_name(key, known);

	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown option \"%s\"", key),
					nearest != NULL ? errdetail("Perhaps you meant \"%s\".", nearest) : 0,
					errhint("Options are %s.", known)));
	pg_unreachable();
}

void
mren_json_option_renamed(const char *key, const char *present)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown option \"%s\"", key),
					errhint("Option \"%s\" is now called \"%s\".", key, present)));
	pg_unreachable();
}

/*
 * Writing
 */

void
mren_json_option_append(StringInfo json, const char *key, const char *value)
{
	appendStringInfo(json, ", \"%s\": ", key);
	if (value == NULL)
		appendStringInfoString(json, "null");
	else
		escape_json(json, pg_server_to_any(value, strlen(value), PG_UTF8));
}
