/*
 * relation_schema.c
 *	  Reading a table of relations.
 */
#include "pg/extract/relation_schema.h"

#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "pg/support/query.h"

/* The schema that was read, and the table, user and command that it is valid for. */
typedef struct Memo
{
	Oid table;
	Oid user;
	CommandId curcid;
	MrenRelationSchema schema;
	int capacity;
	MemoryContext context;
} Memo;

/* A column cast to a type, or NULL where the table has none of this name. */
static char *
column(Oid table, const char *name, const char *type)
{
	if (get_attnum(table, name) == InvalidAttrNumber)
		return psprintf("NULL::pg_catalog.%s", type);
	return psprintf("t.%s::pg_catalog.%s", quote_identifier(name), type);
}

static char *
generate_statement(Oid table)
{
	char *name = get_rel_name(table);

	if (name == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation schema with OID %u does not exist", table)));
	if (get_attnum(table, "relation") == InvalidAttrNumber)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("relation schema \"%s\" has no column \"relation\"", name),
						errhint("Its columns are relation and, optionally, head_type, tail_type, "
								"symmetric, inverse_of and functional.")));
	return psprintf("SELECT %s, %s, %s, COALESCE(%s, false) FROM %s AS t",
					column(table, "relation", "text"), column(table, "head_type", "text"),
					column(table, "tail_type", "text"), column(table, "symmetric", "bool"),
					quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), name));
}

static char *
slot_string(TupleTableSlot *slot, int attno)
{
	bool isnull;
	Datum value = slot_getattr(slot, attno, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static void
add_rule(void *state, TupleTableSlot *slot)
{
	Memo *memo = state;
	MrenRelationSchema *schema = &memo->schema;
	MemoryContext old = MemoryContextSwitchTo(memo->context);
	MrenRelationRule *rule;
	bool isnull;

	if (schema->n == memo->capacity)
	{
		memo->capacity = memo->capacity == 0 ? 16 : memo->capacity * 2;
		schema->rules = schema->rules == NULL
							? palloc(memo->capacity * sizeof(*schema->rules))
							: repalloc(schema->rules, memo->capacity * sizeof(*schema->rules));
	}
	rule = &schema->rules[schema->n++];
	*rule = (MrenRelationRule){
		.relation = slot_string(slot, 1),
		.head_type = slot_string(slot, 2),
		.tail_type = slot_string(slot, 3),
		.symmetric = DatumGetBool(slot_getattr(slot, 4, &isnull)),
	};
	if (rule->relation == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("column \"relation\" of the relation schema must not be null"),
						errhint("Each row of a relation schema names a relation.")));
	MemoryContextSwitchTo(old);
}

const MrenRelationSchema *
mren_relation_schema(FunctionCallInfo fcinfo, int arg)
{
	Memo *memo = fcinfo->flinfo->fn_extra;
	CommandId curcid = GetActiveSnapshot()->curcid;
	char *sql;
	Oid table;

	if (PG_ARGISNULL(arg))
		return NULL;
	table = PG_GETARG_OID(arg);
	if (memo != NULL && memo->table == table && memo->user == GetUserId() && memo->curcid == curcid)
		return &memo->schema;
	if (memo == NULL)
	{
		memo = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Memo));
		memo->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "mren relation schema",
											  ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = memo;
	}
	MemoryContextReset(memo->context);
	memo->table = InvalidOid;
	memo->schema = (MrenRelationSchema){0};
	memo->capacity = 0;
	sql = generate_statement(table);
	SPI_connect();
	mren_query_run(sql, 0, NULL, NULL, add_rule, memo);
	SPI_finish();
	memo->user = GetUserId();
	memo->curcid = curcid;
	memo->table = table;
	return &memo->schema;
}

static bool
fits(const MrenRelationRule *rule, const char *head_type, const char *tail_type)
{
	return (rule->head_type == NULL || strcmp(rule->head_type, head_type) == 0) &&
		   (rule->tail_type == NULL || strcmp(rule->tail_type, tail_type) == 0);
}

bool
mren_relation_allowed(const MrenRelationSchema *schema, const char *relation, const char *head_type,
					  const char *tail_type, bool head_first)
{
	if (schema == NULL)
		return true;
	for (int i = 0; i < schema->n; i++)
	{
		const MrenRelationRule *rule = &schema->rules[i];

		if (relation != NULL && strcmp(rule->relation, relation) != 0)
			continue;
		if (!rule->symmetric && fits(rule, head_type, tail_type))
			return true;
		if (rule->symmetric && head_first &&
			(fits(rule, head_type, tail_type) || fits(rule, tail_type, head_type)))
			return true;
	}
	return false;
}
