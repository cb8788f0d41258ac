/*
 * lexicon_list.c
 *	  Names of lexicons in an options object.
 */
#include "pg/resource/lexicon_list.h"

#include "mb/pg_wchar.h"
#include "utils/json.h"

static void
no_lexicons(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("option \"lexicons\" must be an array of names"),
					errhint("Specify a JSON array of at most %d different names; mren.lexicons "
							"lists what is loaded.",
							MREN_MAX_LEXICON_LIST)));
}

static void
add_name(MrenLexiconList *list, const JsonbValue *value)
{
	char *name;

	if (value->type != jbvString || list->n == MREN_MAX_LEXICON_LIST)
		no_lexicons();
	name = pnstrdup(value->val.string.val, value->val.string.len);
	for (int i = 0; i < list->n; i++)
	{
		if (strcmp(list->names[i], name) == 0)
			no_lexicons();
	}
	list->names[list->n++] = name;
}

void
mren_lexicon_list_set(MrenLexiconList *list, const JsonbValue *value)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue item;

	list->n = 0;
	if (value->type == jbvNull)
		return;
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		no_lexicons();
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
			add_name(list, &item);
	}
}

void
mren_lexicon_list_resolve(MrenLexiconList *list)
{
	for (int i = 0; i < list->n; i++)
		mren_catalog_need_lexicon(list->names[i], &list->rows[i]);
}

void
mren_lexicon_list_append(StringInfo json, const MrenLexiconList *list)
{
	appendStringInfoString(json, ", \"lexicons\": [");
	for (int i = 0; i < list->n; i++)
	{
		const char *name = list->names[i];

		appendStringInfoString(json, i > 0 ? ", " : "");
		escape_json(json, pg_server_to_any(name, strlen(name), PG_UTF8));
	}
	appendStringInfoChar(json, ']');
}
