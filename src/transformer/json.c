/*
 * json.c
 *	  JSON of the files of a pretrained encoder.
 */
#include "transformer/json.h"

#include <stdbool.h>
#include <string.h>

#include "base/path.h"
#include "base/utf8.h"

/*
 * Each value takes up to about 150 bytes.  The largest tokenizer.json of the supported
 * encoders, that of XLM-R, has 750,000.
 */
#define MAX_VALUES 2000000

/*
 * An upper bound on the number of values: one for each bracket that opens and each comma
 * outside of strings, and one more.
 */
static size_t
count_values(const uint8_t *bytes, size_t len)
{
	size_t n = 1;
	bool quoted = false;

	for (size_t i = 0; i < len; i++)
	{
		if (bytes[i] == '"')
			quoted = !quoted;
		else if (quoted)
			i += bytes[i] == '\\';
		else
			n += bytes[i] == '[' || bytes[i] == '{' || bytes[i] == ',';
	}
	return n;
}

MrenStatus
mren_transformer_json(const char *what, const uint8_t *bytes, size_t len, size_t limit,
					  json_t **object, MrenError *err)
{
	json_error_t error;

	*object = NULL;
	if (len > limit)
		return mren_fail(err, MREN_ELIMIT, "%s of %zu bytes exceeds the maximum of %zu bytes", what,
						 len, limit);
	if (mren_fail_pointer(what, bytes, len, err))
		return MREN_EFORMAT;
	if (count_values(bytes, len) > MAX_VALUES)
		return mren_fail(err, MREN_ELIMIT, "%s has more than %d values", what, MAX_VALUES);
	*object = json_loadb((const char *) bytes, len, JSON_REJECT_DUPLICATES, &error);
	if (*object == NULL)
	{
		if (json_error_code(&error) == json_error_out_of_memory)
			return mren_fail_nomem(err);
		mren_fail(err, MREN_EFORMAT, "%s is not valid JSON", what);
		mren_error_detail(err, "Line %d, column %d: %s.", error.line, error.column,
						  mren_utf8_excerpt(error.text, strlen(error.text)).text);
		return MREN_EFORMAT;
	}
	if (!json_is_object(*object))
	{
		json_decref(*object);
		*object = NULL;
		return mren_fail(err, MREN_EFORMAT, "%s is not a JSON object", what);
	}
	return MREN_OK;
}

json_t *
mren_transformer_json_new(void)
{
	return json_loadb("{}", 2, 0, NULL);
}
