/*
 * graph_create.c
 *	  Creating, upgrading and dropping a graph, and changing its owner.
 *
 * A graph is created by its owner, with their own rights.  The row in mren.graph
 * is written last, so that whoever makes the same graph at the same time fails
 * on the schema or on the row, and leaves nothing.
 */
#include "postgres.h"

#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "pg/extract/relation_schema.h"
#include "pg/graph/graph_base.h"
#include "pg/model/models.h"
#include "pg/support/args.h"
#include "pg/support/json_options.h"

PG_FUNCTION_INFO_V1(mren_create_graph);
PG_FUNCTION_INFO_V1(mren_drop_graph);
PG_FUNCTION_INFO_V1(mren_alter_graph_owner);
PG_FUNCTION_INFO_V1(mren_upgrade_graph);

/* A schema's name as given, in the form of an identifier that is not cut short. */
static void
check_schema_name(const char *name)
{
	if (name[0] == '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_NAME), errmsg("argument \"in_schema\" is empty")));
	if (strlen(name) >= NAMEDATALEN)
		ereport(ERROR, (errcode(ERRCODE_NAME_TOO_LONG),
						errmsg("schema name \"%s\" is longer than %d bytes", name, NAMEDATALEN - 1),
						errhint("Give a shorter one as in_schema.")));
	if (strcmp(name, "mren") == 0 || IsReservedName(name))
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME), errmsg("schema \"%s\" cannot hold a graph", name),
				 errhint("Give another one as in_schema.")));
}

/* Creates the schema if there is none; in an existing one no name may be taken. */
static void
prepare_schema(MrenGraph *graph)
{
	Oid schema = get_namespace_oid(NameStr(graph->raw_schema), true);

	graph->made_schema = !OidIsValid(schema);
	if (graph->made_schema)
	{
		mren_graph_run_sql(graph, "CREATE SCHEMA ${graph}", 0, NULL, NULL, NULL);
		return;
	}
	for (int i = 0; i < MREN_GRAPH_N_RELATIONS; i++)
	{
		if (OidIsValid(get_relname_relid(mren_graph_relation_names[i], schema)))
			ereport(ERROR, (errcode(ERRCODE_DUPLICATE_TABLE),
							errmsg("relation \"%s\" already exists in schema \"%s\"",
								   mren_graph_relation_names[i], NameStr(graph->raw_schema)),
							errhint("Give the graph a schema of its own with in_schema.")));
	}
}

/* Column number i, 0 based, of the graph's table of relations, as text; or NULL. */
static const char *
rule_text(const MrenRelationRule *rule, int i)
{
	const char *texts[] = {rule->relation,
						   rule->head_type,
						   rule->tail_type,
						   rule->symmetric ? "true" : "false",
						   rule->inverse_of,
						   rule->functional ? "true" : "false"};

	return texts[i];
}

static Datum
rule_array(const MrenRelationSchema *schema, int column)
{
	int n = schema->n;
	int first = 1;
	Datum *values = palloc(Max(n, 1) * sizeof(Datum));
	bool *nulls = palloc(Max(n, 1) * sizeof(bool));

	for (int i = 0; i < n; i++)
	{
		const char *text = rule_text(&schema->rules[i], column);

		nulls[i] = text == NULL;
		values[i] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
	}
	return PointerGetDatum(
		construct_md_array(values, nulls, 1, &n, &first, TEXTOID, -1, false, TYPALIGN_INT));
}

/* What the table of the user's says of relations, read with the caller's rights. */
static void
copy_relations(const MrenGraph *graph, Oid table)
{
	MrenRelationSchema schema;
	Oid types[] = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
				   TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID};
	Datum values[lengthof(types)];

	mren_relation_schema_read(table, CurrentMemoryContext, &schema);
	for (int i = 0; i < (int) lengthof(types); i++)
		values[i] = rule_array(&schema, i);
	mren_graph_run_sql(graph,
					   "INSERT INTO ${graph}.relations"
					   " SELECT DISTINCT r.* FROM unnest($1, $2, $3, $4::bool[], $5, $6::bool[])"
					   " AS r (a, b, c, d, e, f) ORDER BY a, b, c, d, e, f",
					   lengthof(types), types, values, NULL);
}

static Datum
name_datum(const char *name)
{
	return DirectFunctionCall1(namein, CStringGetDatum(name));
}

static void
insert_row(const MrenGraph *graph, Datum options)
{
	Oid types[] = {TEXTOID, NAMEOID, NAMEOID, BOOLOID,		INT4OID, TEXTOID,
				   TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, JSONBOID};
	char nulls[lengthof(types)];
	Datum values[lengthof(types)];

	memset(nulls, ' ', sizeof(nulls));
	values[0] = CStringGetTextDatum(graph->name);
	values[1] = name_datum(NameStr(graph->owner));
	values[2] = name_datum(NameStr(graph->raw_schema));
	values[3] = BoolGetDatum(graph->made_schema);
	values[4] = Int32GetDatum(MREN_GRAPH_LAYOUT);
	values[5] = CStringGetTextDatum(graph->source);
	values[6] = CStringGetTextDatum(graph->search_path);
	values[7] = CStringGetTextDatum(graph->model);
	nulls[8] = graph->tagger == NULL ? 'n' : ' ';
	values[8] = graph->tagger == NULL ? (Datum) 0 : CStringGetTextDatum(graph->tagger);
	nulls[9] = graph->lexicons == 0 ? 'n' : ' ';
	values[9] = graph->lexicons;
	values[10] = options;
	if (mren_catalog_write(
			"INSERT INTO mren.graph (name, owner, schema, made_schema, layout, source,"
			" search_path, model, tagger, lexicons, options, created_at)"
			" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, pg_catalog.clock_timestamp())"
			" ON CONFLICT (name) DO NOTHING",
			lengthof(types), types, values, nulls) == 0)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("graph \"%s\" already exists", graph->name),
						errhint("To change it, drop it with mren.drop_graph; to bring it up to "
								"date, CALL mren.refresh_graph.")));
}

/* Model, tagger and lexicons must be there and the caller's to use. */
static void
check_scorers(const MrenGraph *graph, MrenPipeline *pipeline)
{
	if (graph->tagger == NULL && graph->lexicons == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a graph requires a tagger or lexicons to find mentions with"),
						errhint("Specify tagger or lexicons; mren.load_lexicon makes a lexicon of "
								"names.")));
	mren_graph_pipeline(graph, pipeline);
}

static void
read_args(FunctionCallInfo fcinfo, MrenGraph *graph)
{
	const char *schema;

	memset(graph, 0, sizeof(*graph));
	graph->name = mren_arg_text(fcinfo, 0, "graph");
	mren_check_name("graph", graph->name);
	graph->source = mren_arg_query(fcinfo, 1, "source");
	if (graph->source[strspn(graph->source, " \t\r\n")] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("argument \"source\" is empty"),
				 errhint("Name a table, or give a SELECT, with the columns key and "
						 "document.")));
	graph->model = mren_arg_text(fcinfo, 2, "model");
	graph->tagger = PG_ARGISNULL(3) ? NULL : mren_arg_text(fcinfo, 3, "tagger");
	if (!PG_ARGISNULL(4) &&
		ArrayGetNItems(ARR_NDIM(PG_GETARG_ARRAYTYPE_P(4)), ARR_DIMS(PG_GETARG_ARRAYTYPE_P(4))) > 0)
		graph->lexicons = PointerGetDatum(PG_GETARG_ARRAYTYPE_P_COPY(4));
	schema = PG_ARGISNULL(6) ? graph->name : mren_arg_text(fcinfo, 6, "in_schema");
	check_schema_name(schema);
	namestrcpy(&graph->raw_schema, schema);
	graph->schema = pstrdup(quote_identifier(schema));
	graph->search_path = pstrdup(GetConfigOption("search_path", false, false));
	graph->owner_id = GetUserId();
	namestrcpy(&graph->owner, GetUserNameFromId(graph->owner_id, false));
	graph->layout = MREN_GRAPH_LAYOUT;
}

/*
 * A graph keeps the language that is set when it is created, since refreshes run with
 * other settings.
 */
static Datum
with_language(Datum options)
{
	Datum added;

	if (mren_language[0] == '\0' || !JB_ROOT_IS_OBJECT(DatumGetJsonbP(options)) ||
		mren_json_options_find(DatumGetJsonbP(options), "language") != NULL)
		return options;
	added = DirectFunctionCall1(jsonb_in,
								CStringGetDatum(psprintf("{\"language\": \"%s\"}", mren_language)));
	return DirectFunctionCall2(jsonb_concat, options, added);
}

/* Tables and views, without a notice of each thing that is there already, or is not yet. */
static void
make_tables(const MrenGraph *graph)
{
	int level = NewGUCNestLevel();

	(void) set_config_option("client_min_messages", "warning", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	mren_graph_make_tables(graph);
	AtEOXact_GUC(true, level);
}

/* mren.create_graph(graph, source, model, tagger, lexicons, relation_schema, in_schema, options) */
Datum
mren_create_graph(PG_FUNCTION_ARGS)
{
	MrenGraph graph;
	MrenPipeline pipeline;
	Datum options =
		PG_ARGISNULL(7) ? DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")) : PG_GETARG_DATUM(7);

	mren_models_begin("mren.create_graph()");
	read_args(fcinfo, &graph);
	options = with_language(options);
	mren_graph_options(DatumGetJsonbP(options), &graph.options);
	graph.source = mren_graph_source(graph.source);
	prepare_schema(&graph);
	make_tables(&graph);
	check_scorers(&graph, &pipeline);
	if (!PG_ARGISNULL(5))
	{
		copy_relations(&graph, PG_GETARG_OID(5));
		CommandCounterIncrement();
		mren_graph_notice_relations(&graph, &pipeline);
	}
	else
		mren_graph_relations(&graph, &pipeline, true);
	insert_row(&graph, options);
	mren_models_end();
	PG_RETURN_VOID();
}

/*
 * Dropping, upgrading, changing the owner
 */

/* The graph, its row locked, and nobody refreshing it until the transaction ends. */
static void
open_alone(const char *name, MrenGraph *graph)
{
	Oid types[] = {TEXTOID};
	Datum values[] = {CStringGetTextDatum(name)};

	mren_graph_open(name, true, graph);
	if (!mren_graph_lock(graph, true))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
						errmsg("graph \"%s\" is being refreshed", graph->name),
						errhint("Wait until the refresh ends, or cancel it.")));
	mren_models_run("SELECT FROM mren.graph WHERE name OPERATOR(pg_catalog.=) $1 FOR UPDATE", 1,
					types, values);
	/* As it is now: it may have changed before the lock was ours. */
	mren_graph_open(name, true, graph);
}

/* A schema that the graph made goes too, if nothing else is in it. */
static void
drop_schema(const MrenGraph *graph)
{
	Oid types[] = {NAMEOID};
	Datum values[] = {NameGetDatum(&graph->raw_schema)};

	if (mren_graph_run_sql(graph,
						   "SELECT FROM pg_catalog.pg_namespace n"
						   " WHERE n.nspname OPERATOR(pg_catalog.=) $1 AND"
						   " (EXISTS (SELECT FROM pg_catalog.pg_class c"
						   "  WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid)"
						   " OR EXISTS (SELECT FROM pg_catalog.pg_proc p"
						   "  WHERE p.pronamespace OPERATOR(pg_catalog.=) n.oid)"
						   " OR EXISTS (SELECT FROM pg_catalog.pg_type t"
						   "  WHERE t.typnamespace OPERATOR(pg_catalog.=) n.oid))",
						   1, types, values, NULL) == 0)
		mren_graph_run_sql(graph, "DROP SCHEMA IF EXISTS ${graph}", 0, NULL, NULL, NULL);
}

/* mren.drop_graph(graph, drop_tables) */
Datum
mren_drop_graph(PG_FUNCTION_ARGS)
{
	char *name = mren_arg_text(fcinfo, 0, "graph");
	bool drop_tables = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	Oid types[] = {INT8OID};
	Datum values[1];
	MrenGraphRole role;
	MrenGraph graph;

	mren_models_begin("mren.drop_graph()");
	open_alone(name, &graph);
	if (drop_tables)
	{
		mren_graph_enter(&graph, NULL, &role);
		mren_graph_drop_tables(&graph);
		if (graph.made_schema)
			drop_schema(&graph);
		mren_graph_leave(&role);
	}
	values[0] = Int64GetDatum(graph.id);
	mren_models_run("DELETE FROM mren.graph WHERE id OPERATOR(pg_catalog.=) $1", 1, types, values);
	mren_models_end();
	PG_RETURN_VOID();
}

/* Names of the graph's tables and views that its owner still owns. */
static List *
owned_relations(const MrenGraph *graph)
{
	Oid types[] = {NAMEOID, OIDOID, TEXTARRAYOID};
	Datum values[] = {NameGetDatum(&graph->raw_schema), ObjectIdGetDatum(graph->owner_id), 0};
	Datum known[MREN_GRAPH_N_RELATIONS];
	MemoryContext context = CurrentMemoryContext;
	List *names = NIL;
	uint64 n;

	for (int i = 0; i < MREN_GRAPH_N_RELATIONS; i++)
		known[i] = CStringGetTextDatum(mren_graph_relation_names[i]);
	values[2] = PointerGetDatum(
		construct_array(known, MREN_GRAPH_N_RELATIONS, TEXTOID, -1, false, TYPALIGN_INT));
	n = mren_graph_run_sql(
		graph,
		"SELECT c.relname FROM pg_catalog.pg_class c"
		" JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
		" WHERE n.nspname OPERATOR(pg_catalog.=) $1 AND c.relowner OPERATOR(pg_catalog.=) $2"
		" AND c.relname OPERATOR(pg_catalog.=) ANY ($3)"
		" AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r, p, v}'::pg_catalog.\"char\"[])"
		" ORDER BY c.relname",
		3, types, values, NULL);
	MemoryContextSwitchTo(context);
	for (uint64 i = 0; i < n; i++)
		names = lappend(names, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	return names;
}

/* With the caller's own rights, as ALTER … OWNER TO checks them. */
static void
give_tables(const MrenGraph *graph, const char *owner)
{
	List *names = owned_relations(graph);
	ListCell *cell;

	/* The schema first: who owns it may own tables in it. */
	if (graph->made_schema)
		mren_graph_run(
			mren_sql_build("ALTER SCHEMA ${graph} OWNER TO ${owner}",
						   MREN_SQL_ARGS(mren_graph_arg(graph), mren_sql_name("owner", owner))),
			0, NULL, NULL, NULL);
	foreach (cell, names)
		mren_graph_run(
			mren_sql_build(
				"ALTER TABLE ${table} OWNER TO ${owner}",
				MREN_SQL_ARGS(mren_sql_relation("table", NameStr(graph->raw_schema), lfirst(cell)),
							  mren_sql_name("owner", owner))),
			0, NULL, NULL, NULL);
}

/* mren.alter_graph_owner(graph, new_owner) */
Datum
mren_alter_graph_owner(PG_FUNCTION_ARGS)
{
	char *name = mren_arg_text(fcinfo, 0, "graph");
	Oid types[] = {INT8OID, NAMEOID};
	Datum values[lengthof(types)];
	const char *owner;
	MrenGraph graph;

	mren_arg_required(fcinfo, 1, "new_owner");
	owner = NameStr(*PG_GETARG_NAME(1));
	mren_models_begin("mren.alter_graph_owner()");
	open_alone(name, &graph);
	(void) get_role_oid(owner, false);
	if (!mren_catalog_is_owner(owner))
		ereport(
			ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("must be member of role \"%s\"", owner),
			 errhint("Only a member of both the old and the new owner can give a graph away.")));
	give_tables(&graph, owner);
	values[0] = Int64GetDatum(graph.id);
	values[1] = NameGetDatum(PG_GETARG_NAME(1));
	mren_models_run("UPDATE mren.graph SET owner = $2 WHERE id OPERATOR(pg_catalog.=) $1",
					lengthof(types), types, values);
	mren_models_end();
	PG_RETURN_VOID();
}

/* mren.upgrade_graph(graph) */
Datum
mren_upgrade_graph(PG_FUNCTION_ARGS)
{
	char *name = mren_arg_text(fcinfo, 0, "graph");
	Oid types[] = {INT8OID, INT4OID};
	Datum values[2];
	MrenGraphRole role;
	MrenGraph graph;

	mren_models_begin("mren.upgrade_graph()");
	open_alone(name, &graph);
	if (graph.layout > MREN_GRAPH_LAYOUT)
		mren_graph_check_layout(&graph);
	mren_graph_check_owners(&graph);
	mren_graph_enter(&graph, NULL, &role);
	make_tables(&graph);
	/* What an older layout does not have is computed by the next merge. */
	if (graph.layout < MREN_GRAPH_LAYOUT)
		mren_graph_run_sql(&graph, "UPDATE ${graph}.state SET rules = NULL", 0, NULL, NULL, NULL);
	mren_graph_leave(&role);
	values[0] = Int64GetDatum(graph.id);
	values[1] = Int32GetDatum(MREN_GRAPH_LAYOUT);
	mren_models_run("UPDATE mren.graph SET layout = $2 WHERE id OPERATOR(pg_catalog.=) $1", 2,
					types, values);
	mren_models_end();
	PG_RETURN_VOID();
}
