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

/* Of types, and of relations, that match nothing; a schema may be another model's altogether. */
#define MAX_NOTICES 10

/* The schema that was read, and the table, user and command that it is valid for. */
typedef struct Memo
{
	Oid table;
	Oid user;
	CommandId curcid;
	MrenRelationSchema schema;
	bool noticed; /* by mren_relation_schema_notice */
	MemoryContext context;
} Memo;

/* A table being read. */
typedef struct Reader
{
	const char *table;
	MrenRelationSchema *schema;
	int capacity;
	MemoryContext context;
} Reader;

static const char *const columns[] = {"relation",  "head_type",	 "tail_type",
									  "symmetric", "inverse_of", "functional"};

/* All columns as text, so that a word which is no boolean can be named; NULL where there is none. */
static char *
generate_statement(Oid table, const char *name)
{
	StringInfoData sql;

	initStringInfo(&sql);
	for (int i = 0; i < (int) lengthof(columns); i++)
		appendStringInfo(&sql, "%s %s::pg_catalog.text", i == 0 ? "SELECT" : ",",
						 get_attnum(table, columns[i]) == InvalidAttrNumber
							 ? "NULL"
							 : psprintf("t.%s", quote_identifier(columns[i])));
	appendStringInfo(
		&sql, " FROM %s AS t",
		quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), name));
	return sql.data;
}

/* The word of column number i, 0 based; none is false. */
static bool
read_bool(const char *table, const char *relation, int i, TupleTableSlot *slot)
{
	char *word = mren_query_string(slot, i + 1);
	bool value = false;

	if (word != NULL && !parse_bool(word, &value))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("column \"%s\" of relation schema \"%s\" has the value \"%s\"",
							   columns[i], table, word),
						errdetail("It stands in a row of relation \"%s\".", relation),
						errhint("Give a boolean, such as true or false.")));
	return value;
}

static void
check_relation(const char *table, const char *relation)
{
	if (relation == NULL || relation[0] == '\0')
		ereport(ERROR, (errcode(relation == NULL ? ERRCODE_NULL_VALUE_NOT_ALLOWED
												 : ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("column \"relation\" of relation schema \"%s\" has %s", table,
							   relation == NULL ? "a null" : "an empty value"),
						errhint("Each row of a relation schema names a relation.")));
}

static void
add_rule(void *state, TupleTableSlot *slot)
{
	Reader *reader = state;
	MrenRelationSchema *schema = reader->schema;
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	char *relation = mren_query_string(slot, 1);

	check_relation(reader->table, relation);
	if (schema->n == reader->capacity)
	{
		reader->capacity = reader->capacity == 0 ? 16 : reader->capacity * 2;
		schema->rules = schema->rules == NULL
							? palloc(reader->capacity * sizeof(*schema->rules))
							: repalloc(schema->rules, reader->capacity * sizeof(*schema->rules));
	}
	schema->rules[schema->n++] = (MrenRelationRule){
		.relation = relation,
		.head_type = mren_query_string(slot, 2),
		.tail_type = mren_query_string(slot, 3),
		.symmetric = read_bool(reader->table, relation, 3, slot),
		.inverse_of = mren_query_string(slot, 5),
		.functional = read_bool(reader->table, relation, 5, slot),
	};
	MemoryContextSwitchTo(old);
}

void
mren_relation_schema_read(Oid table, MemoryContext context, MrenRelationSchema *schema)
{
	Reader reader = {.table = get_rel_name(table), .schema = schema, .context = context};

	*schema = (MrenRelationSchema){0};
	if (reader.table == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation schema with OID %u does not exist", table)));
	if (IsParallelWorker() && get_rel_persistence(table) == RELPERSISTENCE_TEMP)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("relation schema \"%s\" is a temporary table, which workers of a "
							   "parallel plan cannot read",
							   reader.table),
						errhint("Use a permanent table, or set max_parallel_workers_per_gather to "
								"0.")));
	if (get_attnum(table, "relation") == InvalidAttrNumber)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("relation schema \"%s\" has no column \"relation\"", reader.table),
						errhint("Its columns are relation and, optionally, head_type, tail_type, "
								"symmetric, inverse_of and functional.")));
	mren_query_run(generate_statement(table, reader.table), 0, NULL, NULL, add_rule, &reader);
}

const MrenRelationSchema *
mren_relation_schema(FunctionCallInfo fcinfo, int arg)
{
	Memo *memo = fcinfo->flinfo->fn_extra;
	CommandId curcid = GetActiveSnapshot()->curcid;
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
	memo->noticed = false;
	SPI_connect();
	mren_relation_schema_read(table, memo->context, &memo->schema);
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

/* Whether a name is to be reported: once, and only the first of many; `seen` has those that were. */
static bool
is_news(const char *name, List **seen)
{
	ListCell *cell;

	if (list_length(*seen) == MAX_NOTICES)
		return false;
	foreach (cell, *seen)
	{
		if (strcmp(lfirst(cell), name) == 0)
			return false;
	}
	*seen = lappend(*seen, (char *) name);
	return true;
}

static void
notice_type(const char *table, const char *type, const char *const *types, int n, List **seen)
{
	if (type == NULL || is_among(type, types, n) || !is_news(type, seen))
		return;
	ereport(NOTICE, (errmsg("no lexicon or tagger gives the type \"%s\" in relation schema \"%s\"",
							type, table),
					 hint_names("Their types", type, types, n)));
}

static void
notice_relation(const char *table, const MrenRelationRule *rule, const char *model,
				const char *const *relations, int n, List **seen)
{
	if (model == NULL || rule->inverse_of != NULL || is_among(rule->relation, relations, n) ||
		!is_news(rule->relation, seen))
		return;
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
