/*
 * nearest_name.c
 *	  What a misspelt name was probably meant to be.
 */
#include "pg/support/nearest_name.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

/* Bytes; varstr_levenshtein refuses longer ones. */
#define MAX_COMPARED 255

int
mren_name_distance(const char *a, const char *b, int most)
{
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);

	if (a_len > MAX_COMPARED || b_len > MAX_COMPARED)
		return most + 1;
	return Min(most + 1, varstr_levenshtein_less_equal(a, (int) a_len, b, (int) b_len, 1, 1, 1,
													   most, true));
}

char *
mren_nearest_name(const char *name, const char *list)
{
	char *rest = pstrdup(list);
	char *nearest = NULL;
	int least = (int) Min(3, (strlen(name) + 1) / 2);

	for (char *other; (other = strtok_r(NULL, ", ", &rest)) != NULL;)
	{
		int distance = mren_name_distance(name, other, least);

		if (distance < least)
		{
			least = distance;
			nearest = other;
		}
	}
	return nearest;
}

/* Words that people use for a column. */
static const struct
{
	const char *word;
	const char *column;
} usual[] = {
	{"photo", "image"},		 {"picture", "image"},	{"img", "image"},
	{"photograph", "image"}, {"label", "relation"}, {"vector", "image_vector"},
	{"weights", "weight"},	 {"subset", "split"},	{"sound", "audio"},
	{"recording", "audio"},
};

static bool
has_column(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0)
			return true;
	}
	return false;
}

/* Whether only a column of this type can be an image or its vector. */
static bool
tells_by_type(Oid known, Oid type)
{
	return (known == BYTEAOID && type == BYTEAOID) ||
		   (known == FLOAT4ARRAYOID && (type == FLOAT4ARRAYOID || type == FLOAT8ARRAYOID));
}

/* What the column was probably meant to be, among the known ones that desc lacks; or NULL. */
static const char *
meant_by(TupleDesc desc, const char *name, Oid type, const MrenKnownColumn *known, int n)
{
	const char *by_type = NULL;
	char *list = "";

	for (int i = 0; i < n; i++)
	{
		if (strcmp(known[i].name, name) == 0)
			return NULL;
		if (has_column(desc, known[i].name))
			continue;
		list = psprintf("%s, %s", list, known[i].name);
		for (int k = 0; k < (int) lengthof(usual); k++)
		{
			if (strcmp(usual[k].column, known[i].name) == 0 && strcmp(usual[k].word, name) == 0)
				return known[i].name;
		}
		if (by_type == NULL && tells_by_type(known[i].type, type))
			by_type = known[i].name;
	}
	/* An id is whatever the user has, and is never missing by mistake. */
	name = mren_nearest_name(name, list);
	return name != NULL && strcmp(name, "id") != 0 ? name : by_type;
}

void
mren_notice_ignored_columns(TupleDesc desc, const MrenKnownColumn *known, int n)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		const char *meant;

		meant = meant_by(desc, NameStr(column->attname), getBaseType(column->atttypid), known, n);
		if (meant != NULL)
			ereport(NOTICE,
					(errmsg("column \"%s\" of the query is ignored", NameStr(column->attname)),
					 errhint("If it is meant as \"%s\", name it so, as in %s AS %s.", meant,
							 quote_identifier(NameStr(column->attname)), quote_identifier(meant))));
	}
}
