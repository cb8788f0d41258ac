/*
 * query.c
 *	  A query given as text, run read-only, row by row into a visitor.
 */
#include "pg/support/query.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "nodes/params.h"
#include "parser/parse_coerce.h"
#include "parser/parser.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

#include "pg/support/nearest_name.h"

typedef struct Column
{
	const char *name;
	Oid type;
	const char *type_name;
	bool labels; /* only rows with a known relation have it */
} Column;

/* By MrenColumn.  head and tail may be int4range as well. */
static const Column known[MREN_N_COLUMNS] = {
	{"id", TEXTOID, "pg_catalog.text"},
	{"sentence", TEXTOID, "pg_catalog.text"},
	{"head", TEXTOID, "pg_catalog.text"},
	{"tail", TEXTOID, "pg_catalog.text"},
	{"relation", TEXTOID, "pg_catalog.text", true},
	{"image", BYTEAOID, "pg_catalog.bytea"},
	{"image_vector", FLOAT4ARRAYOID, "pg_catalog.float4[]"},
	{"audio", BYTEAOID, "pg_catalog.bytea"},
	{"audio_vector", FLOAT4ARRAYOID, "pg_catalog.float4[]"},
	{"head_type", TEXTOID, "pg_catalog.text"},
	{"tail_type", TEXTOID, "pg_catalog.text"},
	{"head_box", BOXOID, "pg_catalog.box"},
	{"tail_box", BOXOID, "pg_catalog.box"},
	{"weight", FLOAT4OID, "pg_catalog.float4", true},
	{"split", TEXTOID, "pg_catalog.text", true},
	{"group", TEXTOID, "pg_catalog.text", true},
	{"probabilities", JSONBOID, "pg_catalog.jsonb", true},
	{"gold", BOOLOID, "pg_catalog.bool", true},
};

const char *
mren_column_name(MrenColumn column)
{
	return quote_identifier(known[column].name);
}

const char *
mren_column_type(MrenColumn column, bool ranges)
{
	if (ranges && (column == MREN_COLUMN_HEAD || column == MREN_COLUMN_TAIL))
		return "pg_catalog.int4range";
	return known[column].type_name;
}

AttrNumber
mren_query_find(TupleDesc desc, const char *name)
{
	AttrNumber found = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) != 0)
			continue;
		if (found > 0)
			ereport(ERROR, (errcode(ERRCODE_AMBIGUOUS_COLUMN),
							errmsg("the query has more than one column \"%s\"", name),
							errhint("Rename one of them with AS.")));
		found = i + 1;
	}
	return found;
}

/*
 * The generated statement casts; a type that no cast should hide is refused
 * here.  Anything may be an id or a group, which are taken as text.
 */
static void
check_type(TupleDesc desc, MrenColumn column, AttrNumber attno)
{
	Oid type = getBaseType(TupleDescAttr(desc, attno - 1)->atttypid);
	Oid want = known[column].type;
	bool fits;

	if (column == MREN_COLUMN_ID || column == MREN_COLUMN_GROUP)
		return;
	if (want == TEXTOID)
		fits = type == TEXTOID || type == VARCHAROID || type == BPCHAROID || type == NAMEOID ||
			   type == UNKNOWNOID || get_typtype(type) == TYPTYPE_ENUM;
	else
		fits = can_coerce_type(1, &type, &want, COERCION_ASSIGNMENT);
	if ((column == MREN_COLUMN_HEAD || column == MREN_COLUMN_TAIL) && type == INT4RANGEOID)
		fits = true;
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the query is of type %s", known[column].name,
						format_type_be(type)),
				 errhint("It must be %s%s.", format_type_be(want),
						 column == MREN_COLUMN_HEAD || column == MREN_COLUMN_TAIL ? " or int4range"
																				  : "")));
}

static void
check_mentions(TupleDesc desc, MrenColumns *columns)
{
	AttrNumber head = columns->attno[MREN_COLUMN_HEAD];
	AttrNumber tail = columns->attno[MREN_COLUMN_TAIL];
	bool head_range;
	bool tail_range;

	if (head == 0 || tail == 0)
		return;
	head_range = getBaseType(TupleDescAttr(desc, head - 1)->atttypid) == INT4RANGEOID;
	tail_range = getBaseType(TupleDescAttr(desc, tail - 1)->atttypid) == INT4RANGEOID;
	if (head_range != tail_range)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("columns \"head\" and \"tail\" must both be text or both be int4range"),
				 errhint("Specify both mentions as text, or both as ranges of characters.")));
	columns->ranges = head_range;
}

void
mren_query_lacks(TupleDesc desc, const char *name)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < desc->natts; i++)
		appendStringInfo(&names, "%s\"%s\"", i > 0 ? ", " : "",
						 NameStr(TupleDescAttr(desc, i)->attname));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("the query has no column \"%s\"", name),
			 errdetail("Its columns are %s.", names.data),
			 errhint("Name it with AS in the query's select list.")));
}

/* To the parser, a table's name given as a query is no more than a syntax error. */
static void
hint_at_table(void *arg)
{
	const char *query = arg;

	if (geterrcode() == ERRCODE_SYNTAX_ERROR && strpbrk(query, " \t\r\n(;'") == NULL)
		errhint("To read a table, write SELECT * FROM %s.", query);
}

static void
check_single(int n)
{
	if (n != 1)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR),
						errmsg("the query must be one statement, not %d", n),
						errhint("Specify a single SELECT.")));
}

/* The parser knows where the statement ends; only a semicolon or comments follow. */
char *
mren_query_text(const char *query)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack, .callback = hint_at_table, .arg = (void *) query};
	List *statements;
	const RawStmt *statement;

	error_context_stack = &callback;
	statements = raw_parser(query, RAW_PARSE_DEFAULT);
	error_context_stack = callback.previous;
	check_single(list_length(statements));
	statement = linitial_node(RawStmt, statements);
	query += statement->stmt_location;
	return statement->stmt_len > 0 ? pnstrdup(query, statement->stmt_len) : pstrdup(query);
}

static SPIPlanPtr
prepare(const char *query)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack, .callback = hint_at_table, .arg = (void *) query};
	SPIPlanPtr plan;

	error_context_stack = &callback;
	plan = SPI_prepare(query, 0, NULL);
	error_context_stack = callback.previous;
	return plan;
}

/* Errors for a SELECT that would store its rows, or that changes data in WITH. */
static void
check_reads(const CachedPlanSource *source)
{
	ListCell *cell;

	if (source->resultDesc == NULL && source->commandTag == CMDTAG_SELECT)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("the query must not contain INTO"),
						errhint("Specify a SELECT without INTO; its rows are read directly.")));
	foreach (cell, source->query_list)
	{
		if (lfirst_node(Query, cell)->hasModifyingCTE)
			ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("the query must not change data"),
							errdetail("Its WITH clause contains INSERT, UPDATE, DELETE or MERGE."),
							errhint("The query is run read-only.")));
	}
}

TupleDesc
mren_query_describe(const char *query)
{
	SPIPlanPtr plan = prepare(query);
	List *sources;
	CachedPlanSource *source;

	if (plan == NULL)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("could not prepare the query: %s",
															  SPI_result_code_string(SPI_result))));
	sources = SPI_plan_get_plan_sources(plan);
	check_single(list_length(sources));
	source = linitial(sources);
	check_reads(source);
	if (source->resultDesc == NULL || source->commandTag != CMDTAG_SELECT)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR),
						errmsg("the query must be a SELECT, not %s",
							   GetCommandTagName(source->commandTag)),
						errhint("The query is run read-only.")));
	return CreateTupleDescCopy(source->resultDesc);
}

/* Columns of labels are known only to queries that need a relation. */
static void
notice_ignored(TupleDesc desc, bool labelled)
{
	MrenKnownColumn columns[MREN_N_COLUMNS];
	int n = 0;

	for (int i = 0; i < MREN_N_COLUMNS; i++)
	{
		if (labelled || !known[i].labels)
			columns[n++] = (MrenKnownColumn){known[i].name, known[i].type};
	}
	mren_notice_ignored_columns(desc, columns, n);
}

void
mren_query_columns(const char *query, uint32 needed, MrenColumns *columns)
{
	TupleDesc desc = mren_query_describe(query);
	bool labelled = (needed & (1u << MREN_COLUMN_RELATION)) != 0;

	/* Of both the relation is asked for, if there is neither. */
	if ((needed & MREN_LABEL_COLUMNS) == MREN_LABEL_COLUMNS)
		needed &= mren_query_find(desc, known[MREN_COLUMN_PROBABILITIES].name) > 0
					  ? ~MREN_LABEL_COLUMNS
					  : ~(1u << MREN_COLUMN_PROBABILITIES);
	memset(columns, 0, sizeof(*columns));
	for (MrenColumn column = 0; column < MREN_N_COLUMNS; column++)
	{
		AttrNumber attno = mren_query_find(desc, known[column].name);

		if (attno == 0 && (needed & (1u << column)) != 0)
			mren_query_lacks(desc, known[column].name);
		if (attno != 0)
			check_type(desc, column, attno);
		columns->attno[column] = attno;
	}
	check_mentions(desc, columns);
	notice_ignored(desc, labelled);
}

/*
 * A destination that hands each row to the visitor.
 */
typedef struct VisitReceiver
{
	DestReceiver pub;
	MrenRowVisitor visit;
	void *state;
} VisitReceiver;

static bool
visit_row(TupleTableSlot *slot, DestReceiver *self)
{
	VisitReceiver *receiver = (VisitReceiver *) self;

	receiver->visit(receiver->state, slot);
	return true;
}

static void
visit_startup(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
visit_end(DestReceiver *self)
{
}

/*
 * Raises the error that was caught again, without the line of its context that
 * shows the statement, which the user did not write.
 */
static void
rethrow_without(const char *statement)
{
	char *line = psprintf("SQL statement \"%s\"", statement);
	ErrorData *error = CopyErrorData();
	char *at = error->context != NULL ? strstr(error->context, line) : NULL;

	FlushErrorState();
	if (at != NULL)
	{
		char *rest = at + strlen(line);

		/* The line break goes with it: that after it, else that before it. */
		if (*rest == '\n')
			rest++;
		else if (at > error->context)
			at--;
		memmove(at, rest, strlen(rest) + 1);
		if (error->context[0] == '\0')
			error->context = NULL;
	}
	ReThrowError(error);
}

static SPIPlanPtr
prepare_parallel(const char *query, int n, const Oid *types)
{
	SPIPlanPtr plan = SPI_prepare_cursor(query, n, (Oid *) types, CURSOR_OPT_PARALLEL_OK);

	if (plan == NULL)
		elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));
	return plan;
}

/*
 * A value that workers compute is taken over above them.  One that is computed at the top, above a
 * sort or a limit, is computed by the session.
 */
static bool
computes_in_workers(const PlannedStmt *statement)
{
	const TargetEntry *first = linitial_node(TargetEntry, statement->planTree->targetlist);

	return statement->parallelModeNeeded && IsA(first->expr, Var);
}

bool
mren_query_parallel(const char *query, int n, const Oid *types)
{
	SPIPlanPtr plan = prepare_parallel(query, n, types);
	CachedPlan *cached = SPI_plan_get_cached_plan(plan);
	bool parallel = false;

	if (cached != NULL)
	{
		parallel = computes_in_workers(linitial_node(PlannedStmt, cached->stmt_list));
		ReleaseCachedPlan(cached, NULL); /* of a plan that is not saved */
	}
	SPI_freeplan(plan);
	return parallel;
}

void
mren_query_run(const char *query, int n, const Oid *types, const Datum *values,
			   MrenRowVisitor visit, void *state)
{
	VisitReceiver receiver = {
		.pub = {.receiveSlot = visit_row,
				.rStartup = visit_startup,
				.rShutdown = visit_end,
				.rDestroy = visit_end,
				.mydest = DestTuplestore},
		.visit = visit,
		.state = state,
	};
	/* None rather than an empty one: Citus copies lists, and an empty one becomes NULL there. */
	ParamListInfo params = n > 0 ? makeParamList(n) : NULL;
	SPIExecuteOptions options = {.params = params, .read_only = true, .dest = &receiver.pub};
	bool save_read_only = XactReadOnly;
	SPIPlanPtr plan;
	MemoryContext caller = CurrentMemoryContext;
	volatile int ret = 0;

	for (int i = 0; i < n; i++)
		params->params[i] = (ParamExternData){values[i], false, PARAM_FLAG_CONST, types[i]};
	plan = prepare_parallel(query, n, types);
	/* Keeps functions of the query from writing as well as its own statement. */
	XactReadOnly = true;
	PG_TRY();
	{
		ret = SPI_execute_plan_extended(plan, &options);
	}
	PG_CATCH();
	{
		XactReadOnly = save_read_only;
		MemoryContextSwitchTo(caller);
		rethrow_without(query);
	}
	PG_END_TRY();
	XactReadOnly = save_read_only;
	if (ret != SPI_OK_SELECT)
		elog(ERROR, "could not run a query: %s", SPI_result_code_string(ret));
	SPI_freeplan(plan);
}

char *
mren_query_string(TupleTableSlot *slot, int attno)
{
	bool isnull;
	Datum value = slot_getattr(slot, attno, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

void
mren_query_put(void *state, TupleTableSlot *slot)
{
	ReturnSetInfo *rsinfo = state;

	tuplestore_puttupleslot(rsinfo->setResult, slot);
}
