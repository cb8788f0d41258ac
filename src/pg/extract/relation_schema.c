/*
 * relation_schema.c
 *	  Reading a table of relations.
 */
#include "pg/extract/relation_schema.h"

#include "access/parallel.h"
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
	bool noticed; /* by mren_relation_schema_notice */
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
	if (IsParallelWorker() && get_rel_persistence(table) == RELPERSISTENCE_TEMP)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("relation schema \"%s\" is a temporary table, which workers of a "
							   "parallel plan cannot read",
							   name),
						errhint("Use a permanent table, or set max_parallel_workers_per_gather to "
								"0.")));
	if (get_attnum(table, "relation") == InvalidAttrNumber)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("relation schema \"%s\" has no column \"relation\"", name),
						errhint("Its columns are relation and, optionally, head_type, tail_type, "
								"symmetric, inverse_of and functional.")));
	return psprintf("SELECT %s, %s, %s, COALESCE(%s, false), %s IS NOT NULL FROM %s AS t",
					column(table, "relation", "text"), column(table, "head_type", "text"),
					column(table, "tail_type", "text"), column(table, "symmetric", "bool"),
					column(table, "inverse_of", "text"),
					quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), name));
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
		.relation = mren_query_string(slot, 1),
		.head_type = mren_query_string(slot, 2),
		.tail_type = mren_query_string(slot, 3),
		.symmetric = DatumGetBool(slot_getattr(slot, 4, &isnull)),
		.inverse = DatumGetBool(slot_getattr(slot, 5, &isnull)),
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
	memo->noticed = false;
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

/*
 * Names that match nothing
 */

/* The first of n names that differs from `name` at most in case and in blanks; or NULL. */
static const char *
nearly(const char *name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
	{
		const char *a = name;
		const char *b = names[i];

		for (;; a++, b++)
		{
			a += strspn(a, " _-");
			b += strspn(b, " _-");
			if (*a == '\0' || pg_tolower((unsigned char) *a) != pg_tolower((unsigned char) *b))
				break;
		}
		if (*a == '\0' && *b == '\0')
			return names[i];
	}
	return NULL;
}

static bool
is_among(const char *name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* The names as in '"LOC", "ORG" and 3 more'. */
static char *
list_names(const char *const *names, int n)
{
	StringInfoData list;
	int shown = Min(n, 10);

	initStringInfo(&list);
	for (int i = 0; i < shown; i++)
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "", names[i]);
	if (n > shown)
		appendStringInfo(&list, " and %d more", n - shown);
	return list.data;
}

/* The hint of both notices: what is nearly the same, or all there are. */
static int
hint_names(const char *what, const char *name, const char *const *names, int n)
{
	const char *meant = nearly(name, names, n);

	if (meant != NULL)
		return errhint("Perhaps you meant \"%s\".", meant);
	return n > 0 ? errhint("%s are %s.", what, list_names(names, n)) : 0;
}

/* `seen` has the names of earlier rules: each is reported once. */
static void
notice_type(const char *table, const char *type, const char *const *types, int n, List **seen)
{
	ListCell *cell;

	if (type == NULL || is_among(type, types, n))
		return;
	foreach (cell, *seen)
	{
		if (strcmp(lfirst(cell), type) == 0)
			return;
	}
	*seen = lappend(*seen, (char *) type);
	ereport(NOTICE, (errmsg("no lexicon or tagger gives the type \"%s\" in relation schema \"%s\"",
							type, table),
					 hint_names("Their types", type, types, n)));
}

static void
notice_relation(const char *table, const MrenRelationRule *rule, const char *model,
				const char *const *relations, int n, List **seen)
{
	ListCell *cell;

	if (model == NULL || rule->inverse || is_among(rule->relation, relations, n))
		return;
	foreach (cell, *seen)
	{
		if (strcmp(lfirst(cell), rule->relation) == 0)
			return;
	}
	*seen = lappend(*seen, rule->relation);
	ereport(NOTICE, (errmsg("model \"%s\" has no relation \"%s\", which relation schema \"%s\" "
							"names",
							model, rule->relation, table),
					 hint_names("Its relations", rule->relation, relations, n)));
}

void
mren_relation_schema_notice(FunctionCallInfo fcinfo, const MrenFinder *finder, const char *model,
							const char *const *relations, int n)
{
	Memo *memo = fcinfo->flinfo->fn_extra;
	const char **types;
	List *seen_types = NIL;
	List *seen_relations = NIL;
	char *table;
	int n_types;

	if (memo == NULL || memo->noticed)
		return;
	memo->noticed = true;
	table = get_rel_name(memo->table);
	types = mren_finder_types(finder, &n_types);
	for (int i = 0; i < memo->schema.n; i++)
	{
		const MrenRelationRule *rule = &memo->schema.rules[i];

		notice_type(table, rule->head_type, types, n_types, &seen_types);
		notice_type(table, rule->tail_type, types, n_types, &seen_types);
		notice_relation(table, rule, model, relations, n, &seen_relations);
	}
}
