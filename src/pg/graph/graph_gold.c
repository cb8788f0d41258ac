/*
 * graph_gold.c
 *	  Annotated documents, as a query gives them.
 */
#include "pg/graph/graph_gold.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "pg/support/compat.h"
#include "pg/support/query.h"
#include "pg/support/sql_builder.h"

static const char *const columns[] = {"document", "part",	  "text", "type", "entity",
									  "head",	  "relation", "tail", "span"};

typedef struct Gold
{
	MemoryContext context;
	Datum *values[MREN_N_GOLD];
	bool *nulls[MREN_N_GOLD];
	int n;
	int capacity;
} Gold;

/* A part with a typing mistake would otherwise be passed over without a word. */
static void
check_part(const char *part)
{
	static const char *const parts[] = {"document", "sentence", "mention", "fact"};

	for (int i = 0; i < (int) lengthof(parts); i++)
	{
		if (strcmp(part, parts[i]) == 0)
			return;
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" is not a part of a gold document", part),
					errhint("Parts are document, sentence, mention and fact.")));
}

static void
check_not_null(const Gold *gold, int column)
{
	if (gold->nulls[column][gold->n])
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("column \"%s\" of the gold query is null in row %d",
							   columns[column], gold->n + 1)));
}

static void
check_not_empty(const Gold *gold, int column)
{
	if (!gold->nulls[column][gold->n] &&
		VARSIZE_ANY_EXHDR(DatumGetPointer(gold->values[column][gold->n])) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("column \"%s\" of the gold query is empty in row %d",
							   columns[column], gold->n + 1),
						errhint("It names the %s of a fact; where there is none, it is NULL.",
								columns[column])));
}

static void
check_row(const Gold *gold)
{
	check_not_null(gold, MREN_GOLD_DOCUMENT);
	check_not_null(gold, MREN_GOLD_PART);
	check_part(TextDatumGetCString(gold->values[MREN_GOLD_PART][gold->n]));
	check_not_empty(gold, MREN_GOLD_HEAD);
	check_not_empty(gold, MREN_GOLD_RELATION);
	check_not_empty(gold, MREN_GOLD_TAIL);
}

static void
add_row(void *state, TupleTableSlot *slot)
{
	Gold *gold = state;
	MemoryContext old = MemoryContextSwitchTo(gold->context);

	if (gold->n == gold->capacity)
	{
		gold->capacity = Max(1024, gold->capacity * 2);
		for (int i = 0; i < MREN_N_GOLD; i++)
		{
			Size n = (Size) gold->capacity;

			gold->values[i] = gold->n == 0 ? palloc(n * sizeof(Datum))
										   : repalloc_huge(gold->values[i], n * sizeof(Datum));
			gold->nulls[i] = gold->n == 0 ? palloc(n * sizeof(bool))
										  : repalloc_huge(gold->nulls[i], n * sizeof(bool));
		}
	}
	for (int i = 0; i < MREN_N_GOLD; i++)
	{
		Datum value = slot_getattr(slot, i + 1, &gold->nulls[i][gold->n]);

		if (!gold->nulls[i][gold->n] && i < MREN_GOLD_LOWER)
			value = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
		gold->values[i][gold->n] = value;
	}
	check_row(gold);
	gold->n++;
	MemoryContextSwitchTo(old);
}

/* The column as text, or NULL if the query has none; a span as its two ends. */
static void
append_column(StringInfo sql, TupleDesc desc, const char *name)
{
	AttrNumber attno = mren_query_find(desc, name);

	if (sql->len > 0)
		appendStringInfoString(sql, ", ");
	if (strcmp(name, "span") == 0)
	{
		if (attno != 0 && TupleDescAttr(desc, attno - 1)->atttypid != INT4RANGEOID)
			ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
							errmsg("column \"span\" of the gold query is of type %s",
								   format_type_be(TupleDescAttr(desc, attno - 1)->atttypid)),
							errhint("It must be int4range, characters of the document from 0.")));
		appendStringInfoString(sql, attno == 0
										? "NULL::pg_catalog.int4, NULL::pg_catalog.int4"
										: "pg_catalog.lower(q.span), pg_catalog.upper(q.span)");
	}
	else if (attno == 0)
		appendStringInfoString(sql, "NULL::pg_catalog.text");
	else
		mren_sql_add(sql, "q.${column}::pg_catalog.text", 1,
					 &(MrenSqlArg){.placeholder = "column", .kind = MREN_SQL_NAME, .text = name});
}

static void
read_query(const char *query, Gold *gold)
{
	const char *text = mren_query_text(query);
	TupleDesc desc = mren_query_describe(text);
	StringInfoData list;
	StringInfoData sql;
	MrenSqlArg from = mren_sql_query("query", text);

	if (mren_query_find(desc, "document") == 0)
		mren_query_lacks(desc, "document");
	if (mren_query_find(desc, "part") == 0)
		mren_query_lacks(desc, "part");
	initStringInfo(&list);
	for (int i = 0; i < (int) lengthof(columns); i++)
		append_column(&list, desc, columns[i]);
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	appendStringInfoString(&sql, list.data);
	mren_sql_add(&sql, " FROM ${query} AS q", 1, &from);
	mren_query_run(sql.data, 0, NULL, NULL, add_row, gold);
}

static Datum
array_of(const Gold *gold, int column)
{
	int dims[] = {gold->n};
	int lbs[] = {1};
	Oid type = column < MREN_GOLD_LOWER ? TEXTOID : INT4OID;
	int16 len;
	bool byval;
	char align;

	if (gold->n == 0)
		return PointerGetDatum(construct_empty_array(type));
	get_typlenbyvalalign(type, &len, &byval, &align);
	return PointerGetDatum(construct_md_array(gold->values[column], gold->nulls[column], 1, dims,
											  lbs, type, len, byval, align));
}

void
mren_graph_gold_read(const char *query, Oid *types, Datum *values)
{
	Gold gold = {.context = CurrentMemoryContext};

	read_query(query, &gold);
	for (int i = 0; i < MREN_N_GOLD; i++)
	{
		types[i] = i < MREN_GOLD_LOWER ? TEXTARRAYOID : INT4ARRAYOID;
		values[i] = array_of(&gold, i);
	}
}
