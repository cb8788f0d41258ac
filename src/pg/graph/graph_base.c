/*
 * graph_base.c
 *	  A graph's row and options, acting as its owner, its lock, and statements
 *	  on its tables.
 */
#include "pg/graph/graph_base.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "pg/catalog/catalog_scan.h"
#include "pg/support/json_options.h"
#include "pg/support/pg_env.h"
#include "pg/support/task_lock.h"
#include "text/sentences.h"

const char *const mren_graph_relation_names[MREN_GRAPH_N_RELATIONS] = {
	"documents",	  "evidence",		  "entities",	 "all_facts",	 "aliases",
	"relations",	  "review",			  "state",		 "facts",		 "conflicts",
	"training_rows",  "merge_candidates", "ignored",	 "manual_facts", "timeline",
	"mention_review", "review_votes",	  "known_facts", "known_names",	 "link_candidates",
	"linked_entities"};

#define MAX_DOCUMENT_TIMEOUT 86400 /* seconds */

/*
 * Options
 */

static void
wrong_option(const char *key, JsonbValue *value, const char *want)
{
	Jsonb *given = JsonbValueToJsonb(value);

	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("invalid value for option \"%s\" of a graph: %s", key,
						   JsonbToCString(NULL, &given->root, VARSIZE(given))),
					errhint("\"%s\" is %s.", key, want)));
}

double
mren_graph_option_number(const char *key, JsonbValue *value, double low, double high,
						 const char *want)
{
	double number;

	if (value->type != jbvNumeric)
		wrong_option(key, value, want);
	number = DatumGetFloat8(
		DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	if (!(number >= low && number <= high))
		wrong_option(key, value, want);
	return number;
}

int32
mren_graph_option_integer(const char *key, JsonbValue *value, int32 low, int32 high)
{
	char *want = psprintf("an integer from %d to %d", low, high);
	double number = mren_graph_option_number(key, value, low, high, want);

	if (number != (int32) number)
		wrong_option(key, value, want);
	return (int32) number;
}

static bool
is_word(JsonbValue *value, const char *word)
{
	return value->type == jbvString && value->val.string.len == (int) strlen(word) &&
		   memcmp(value->val.string.val, word, strlen(word)) == 0;
}

/* One of two words; true for the second. */
static bool
option_word(const char *key, JsonbValue *value, const char *first, const char *second)
{
	if (!is_word(value, first) && !is_word(value, second))
		wrong_option(key, value, psprintf("\"%s\" or \"%s\"", first, second));
	return is_word(value, second);
}

static void
option_language(JsonbValue *value, char *language)
{
	char *code = "?";
	MrenError err;

	if (value->type == jbvString)
		code = pnstrdup(value->val.string.val, value->val.string.len);
	if (!mren_language_valid(code))
		wrong_option("language", value, "a code of ISO 639, such as \"de\"");
	MREN_PG_CALL(err, mren_sentences_check_language(code, &err));
	strlcpy(language, code, MREN_LANGUAGE_SIZE);
}

static void
read_option(const char *key, JsonbValue *value, MrenGraphOptions *options)
{
	if (strcmp(key, "threshold") == 0)
		options->threshold = mren_graph_option_number(key, value, 0, 1, "a number from 0 to 1");
	else if (strcmp(key, "max_distance") == 0)
		options->max_distance = mren_graph_option_integer(key, value, 0, 1000000);
	else if (strcmp(key, "version") == 0)
		options->version = mren_graph_option_integer(key, value, 1, PG_INT32_MAX);
	else if (strcmp(key, "tagger_version") == 0)
		options->tagger_version = mren_graph_option_integer(key, value, 1, PG_INT32_MAX);
	else if (strcmp(key, "batch_size") == 0)
		options->batch_size = mren_graph_option_integer(key, value, 1, 10000);
	else if (strcmp(key, "spill_mb") == 0)
		options->spill_mb = mren_graph_option_integer(key, value, 1, 1000000);
	else if (strcmp(key, "on_error") == 0)
		options->stop = option_word(key, value, "skip", "stop");
	else if (strcmp(key, "on_empty") == 0)
		options->may_empty = option_word(key, value, "stop", "delete");
	else if (strcmp(key, "functional_by") == 0)
		options->newest = option_word(key, value, "confidence", "newest");
	else if (strcmp(key, "max_pairs_sentence") == 0)
		options->max_pairs_sentence = mren_graph_option_integer(key, value, 1, MREN_MAX_PAIRS);
	else if (strcmp(key, "max_pairs_document") == 0)
		options->max_pairs_document = mren_graph_option_integer(key, value, 1, MREN_MAX_PAIRS);
	else if (strcmp(key, "document_timeout") == 0)
		options->document_timeout = mren_graph_option_number(key, value, 0, MAX_DOCUMENT_TIMEOUT,
															 "a number of seconds up to 86400");
	else if (strcmp(key, "language") == 0)
		option_language(value, options->language);
	else
		mren_json_option_unknown(key,
								 "threshold, max_distance, max_pairs_sentence, max_pairs_document,"
								 " document_timeout, version, tagger_version, batch_size,"
								 " spill_mb, language, on_error, on_empty,"
								 " functional_by");
}

void
mren_graph_options(const Jsonb *object, MrenGraphOptions *options)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue item;
	char *key = NULL;

	*options = (MrenGraphOptions){.threshold = -1,
								  .max_distance = -1,
								  .batch_size = 1000,
								  .spill_mb = 1024,
								  .max_pairs_sentence = MREN_MAX_PAIRS_SENTENCE,
								  .max_pairs_document = MREN_MAX_PAIRS_DOCUMENT,
								  .document_timeout = 60};
	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("options of a graph must be a JSON object"),
						errhint("Give an object, such as {\"threshold\": 0.5}.")));
	iterator = JsonbIteratorInit((JsonbContainer *) &object->root);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(item.val.string.val, item.val.string.len);
		else if (token == WJB_VALUE && item.type != jbvNull)
			read_option(key, &item, options);
	}
}

/*
 * The row
 */

static Datum
row_value(int attno, Oid type, bool *isnull)
{
	Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, attno, isnull);
	int16 len;
	bool byval;

	if (*isnull)
		return (Datum) 0;
	get_typlenbyval(type, &len, &byval);
	/* Detoasted, and out of SPI's memory. */
	if (len == -1)
		return PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	return datumCopy(value, byval, len);
}

static char *
row_text(int attno)
{
	bool isnull;
	Datum value = row_value(attno, TEXTOID, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static void
read_row(MrenGraph *graph)
{
	bool isnull;

	graph->id = DatumGetInt64(row_value(1, INT8OID, &isnull));
	graph->owner = *DatumGetName(row_value(2, NAMEOID, &isnull));
	graph->raw_schema = *DatumGetName(row_value(3, NAMEOID, &isnull));
	graph->schema = pstrdup(quote_identifier(NameStr(graph->raw_schema)));
	graph->made_schema = DatumGetBool(row_value(4, BOOLOID, &isnull));
	graph->layout = DatumGetInt32(row_value(5, INT4OID, &isnull));
	graph->source = row_text(6);
	graph->search_path = row_text(7);
	graph->model = row_text(8);
	graph->tagger = row_text(9);
	graph->lexicons = row_value(10, TEXTARRAYOID, &isnull);
	mren_graph_options(DatumGetJsonbP(row_value(11, JSONBOID, &isnull)), &graph->options);
}

void
mren_graph_open(const char *name, bool own, MrenGraph *graph)
{
	Oid types[] = {TEXTOID};
	Datum values[] = {CStringGetTextDatum(name)};
	MemoryContext context = CurrentMemoryContext;
	uint64 found;

	PushActiveSnapshot(GetTransactionSnapshot());
	found = mren_catalog_read(
		"SELECT id, owner, schema, made_schema, layout, source, search_path, model, tagger,"
		" lexicons, options FROM mren.graph WHERE name OPERATOR(pg_catalog.=) $1",
		1, types, values, NULL);
	PopActiveSnapshot();
	MemoryContextSwitchTo(context);
	if (found == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("graph \"%s\" does not exist", name),
				 errhint("mren.graphs lists your graphs; mren.create_graph creates one.")));
	graph->name = pstrdup(name);
	read_row(graph);
	SPI_freetuptable(SPI_tuptable);
	if (own && !mren_catalog_is_owner(NameStr(graph->owner)))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be owner of graph \"%s\"", name),
						errdetail("Its owner is \"%s\".", NameStr(graph->owner))));
	graph->owner_id = get_role_oid(NameStr(graph->owner), false);
}

Oid
mren_graph_relation(const MrenGraph *graph, const char *name)
{
	Oid schema = get_namespace_oid(NameStr(graph->raw_schema), true);

	return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
}

static Oid
relation_owner(Oid relation)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

void
mren_graph_check_owners(const MrenGraph *graph)
{
	for (int i = 0; i < MREN_GRAPH_N_RELATIONS; i++)
	{
		Oid relation = mren_graph_relation(graph, mren_graph_relation_names[i]);
		Oid owner = OidIsValid(relation) ? relation_owner(relation) : InvalidOid;

		if (OidIsValid(owner) && !has_privs_of_role(owner, graph->owner_id))
			ereport(
				ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("table or view %s.%s of graph \"%s\" belongs to role \"%s\"", graph->schema,
						mren_graph_relation_names[i], graph->name, GetUserNameFromId(owner, false)),
				 errdetail("What its triggers and rules call would run as the owner of the "
						   "graph, role \"%s\".",
						   NameStr(graph->owner)),
				 errhint("Change its owner with ALTER TABLE.")));
	}
}

/* A table or the schema may have been dropped; it cannot be restored from the others. */
static void
check_tables(const MrenGraph *graph)
{
	for (int i = 0; i < MREN_GRAPH_N_RELATIONS; i++)
	{
		if (!OidIsValid(mren_graph_relation(graph, mren_graph_relation_names[i])))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("table or view %s.%s of graph \"%s\" does not exist", graph->schema,
							mren_graph_relation_names[i], graph->name),
					 errhint("Drop the graph with mren.drop_graph(%s), then create it again.",
							 quote_literal_cstr(graph->name))));
	}
}

void
mren_graph_check_layout(const MrenGraph *graph)
{
	if (graph->layout == MREN_GRAPH_LAYOUT)
	{
		check_tables(graph);
		mren_graph_check_owners(graph);
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("tables of graph \"%s\" have layout %d, but this version of mren requires "
					"layout %d",
					graph->name, graph->layout, MREN_GRAPH_LAYOUT),
			 graph->layout < MREN_GRAPH_LAYOUT
				 ? errhint("Call mren.upgrade_graph(%s).", quote_literal_cstr(graph->name))
				 : errhint("Install the version of mren that created them, or a later one.")));
}

/*
 * Acting as the owner
 */

static void
set_local(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
							 false);
}

/*
 * In ms.  A document that never ends must be known as such before a
 * statement_timeout ends the refresh, or it would stop every later one, too; it
 * is tried twice, within its batch and alone.
 */
static int
document_timeout(const MrenGraph *graph)
{
	double timeout = graph->options.document_timeout * 1000;
	double share = StatementTimeout / 4.0;

	if (StatementTimeout > 0 && (timeout == 0 || timeout > share))
		timeout = share;
	return timeout > 0 ? (int) Max(timeout, 1) : 0;
}

/*
 * The settings that decide the text form of keys and times are fixed, so that a source means the
 * same whoever refreshes.
 */
void
mren_graph_enter(const MrenGraph *graph, const char *search_path, MrenGraphRole *role)
{
	GetUserIdAndSecContext(&role->user, &role->sec_context);
	SetUserIdAndSecContext(graph->owner_id, role->sec_context | SECURITY_LOCAL_USERID_CHANGE |
												SECURITY_RESTRICTED_OPERATION);
	role->guc_level = NewGUCNestLevel();
	set_local("search_path", search_path != NULL ? search_path : MREN_GRAPH_PATH);
	set_local("standard_conforming_strings", "on");
	set_local("datestyle", "ISO, MDY");
	set_local("intervalstyle", "postgres");
	set_local("timezone", "UTC");
	set_local("bytea_output", "hex");
	set_local("extra_float_digits", "1");
	set_local("mren.language", graph->options.language);
	set_local("mren.max_pairs_sentence", psprintf("%d", graph->options.max_pairs_sentence));
	set_local("mren.max_pairs_document", psprintf("%d", graph->options.max_pairs_document));
	set_local("mren.document_timeout", psprintf("%d", document_timeout(graph)));
	/* Compiling the statements of a batch takes longer than running them. */
	set_local("jit", "off");
}

void
mren_graph_leave(const MrenGraphRole *role)
{
	AtEOXact_GUC(false, role->guc_level);
	SetUserIdAndSecContext(role->user, role->sec_context);
}

/*
 * Statements
 */

MrenSqlArg
mren_graph_arg(const MrenGraph *graph)
{
	return mren_sql_name("graph", NameStr(graph->raw_schema));
}

char *
mren_graph_sql(const MrenGraph *graph, int n, const char *const *templates)
{
	MrenSqlArg schema = mren_graph_arg(graph);
	StringInfoData sql;

	initStringInfo(&sql);
	for (int i = 0; i < n; i++)
		mren_sql_add(&sql, templates[i], strstr(templates[i], "${graph}") != NULL, &schema);
	return sql.data;
}

uint64
mren_graph_run(const char *sql, int n, const Oid *types, const Datum *values, const char *nulls)
{
	MemoryContext context = CurrentMemoryContext;
	int level = NewGUCNestLevel();
	int ret;

	set_local("search_path", MREN_GRAPH_PATH);
	set_local("standard_conforming_strings", "on");
	ret = SPI_execute_with_args(sql, n, (Oid *) types, (Datum *) values, nulls, false, 0);
	AtEOXact_GUC(false, level);
	/* SPI leaves its own context behind, which lives until the call ends. */
	MemoryContextSwitchTo(context);
	if (ret < 0)
		elog(ERROR, "statement on the tables of a graph failed: %s", SPI_result_code_string(ret));
	return SPI_processed;
}

uint64
mren_graph_run_sql(const MrenGraph *graph, const char *template, int n, const Oid *types,
				   const Datum *values, const char *nulls)
{
	char *sql = mren_graph_sql(graph, 1, &template);
	uint64 found = mren_graph_run(sql, n, types, values, nulls);

	pfree(sql);
	return found;
}

Datum
mren_graph_result(int attno, MemoryContext context, bool *isnull)
{
	Oid type = SPI_gettypeid(SPI_tuptable->tupdesc, attno);
	MemoryContext old = MemoryContextSwitchTo(context);
	Datum value = row_value(attno, type, isnull);

	MemoryContextSwitchTo(old);
	return value;
}

/*
 * The lock
 */

bool
mren_graph_lock(const MrenGraph *graph, bool transaction)
{
	bool got = mren_task_lock(mren_table_oid("graph"), graph->id, transaction);

	if (!got)
		ereport(NOTICE, (errmsg("graph \"%s\" is being refreshed by another session", graph->name),
						 errhint("mren.graph_progress shows how far it is.")));
	return got;
}

void
mren_graph_unlock(const MrenGraph *graph)
{
	mren_task_unlock(mren_table_oid("graph"), graph->id);
}
