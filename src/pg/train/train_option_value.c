/*
 * train_option_value.c
 *	  The value of an option, as the core takes it.
 */
#include "pg/train/train_option_value.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "pg/support/pg_env.h"

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
			DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(element.val.numeric)));
	}
	return (MrenOptionValue){.kind = MREN_VALUE_NUMBERS, .numbers = numbers, .n_numbers = i};
}

/* An object of one member, a number; any other is "other". */
static MrenOptionValue
object_value(const JsonbValue *value)
{
	JsonbIterator *iterator = JsonbIteratorInit(value->val.binary.data);
	JsonbValue key;
	JsonbValue member;
	char *name;

	if (JsonContainerSize(value->val.binary.data) != 1 ||
		JsonbIteratorNext(&iterator, &key, true) != WJB_BEGIN_OBJECT ||
		JsonbIteratorNext(&iterator, &key, true) != WJB_KEY ||
		JsonbIteratorNext(&iterator, &member, true) != WJB_VALUE || member.type != jbvNumeric)
		return (MrenOptionValue){.kind = MREN_VALUE_OTHER};
	name = pnstrdup(key.val.string.val, key.val.string.len);
	return (MrenOptionValue){.kind = MREN_VALUE_MEMBER,
							 .string = mren_pg_utf8(name, strlen(name)).data,
							 .number = DatumGetFloat8(DirectFunctionCall1(
								 numeric_float8_no_overflow, NumericGetDatum(member.val.numeric)))};
}

MrenOptionValue
mren_train_option_value(const JsonbValue *value)
{
	char *string;

	switch (value->type)
	{
		case jbvNull:
			return (MrenOptionValue){.kind = MREN_VALUE_NULL};
		case jbvBool:
			return (MrenOptionValue){.kind = MREN_VALUE_BOOL, .boolean = value->val.boolean};
		case jbvNumeric:
			return (MrenOptionValue){
				.kind = MREN_VALUE_NUMBER,
				.number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
															 NumericGetDatum(value->val.numeric)))};
		case jbvString:
			string = pnstrdup(value->val.string.val, value->val.string.len);
			return (MrenOptionValue){.kind = MREN_VALUE_STRING,
									 .string = mren_pg_utf8(string, strlen(string)).data};
		case jbvBinary:
			if (JsonContainerIsArray(value->val.binary.data))
				return array_value(value);
			return object_value(value);
		default:
			break;
	}
	return (MrenOptionValue){.kind = MREN_VALUE_OTHER};
}
