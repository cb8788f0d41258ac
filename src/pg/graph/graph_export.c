/*
 * graph_export.c
 *	  A graph as lines of CSV and Graphviz, and what all exports share.
 *
 * check-qualified: search_path is pinned by mren_graph_run and mren_graph_query.
 */
#include "pg/graph/graph_export.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/support/args.h"
#include "pg/support/compat.h"

PG_FUNCTION_INFO_V1(mren_export_csv);
PG_FUNCTION_INFO_V1(mren_export_neo4j);
PG_FUNCTION_INFO_V1(mren_export_dot);

const char mren_export_entities[] =
	"SELECT e.entity::text, e.type, e.canonical, e.name, l.key FROM ${graph}.entities e"
	" JOIN ${graph}.linked_entities l ON l.entity = e.entity"
	" WHERE EXISTS (SELECT FROM ${graph}.facts f WHERE f.head_entity = e.entity)"
	" OR EXISTS (SELECT FROM ${graph}.facts f WHERE f.tail_entity = e.entity)"
	" ORDER BY e.type COLLATE \"C\", e.canonical COLLATE \"C\"";

#define FACTS(times)                                                                               \
	"SELECT h.type, h.canonical, f.relation, t.type, t.canonical, f.head_entity::text,"            \
	" f.tail_entity::text, f.head, f.head_type, f.tail, f.tail_type, f.confidence::text,"          \
	" f.sources::text, " times ", f.confirmed::text, f.fact::text"
#define FROM_FACTS                                                                                 \
	" FROM ${graph}.facts f JOIN ${graph}.entities h ON h.entity = f.head_entity"                  \
	" JOIN ${graph}.entities t ON t.entity = f.tail_entity"
#define IN_ORDER                                                                                   \
	" ORDER BY h.type COLLATE \"C\", h.canonical COLLATE \"C\", f.relation COLLATE \"C\","         \
	" t.type COLLATE \"C\", t.canonical COLLATE \"C\""
#define DATE_TIME(t)                                                                               \
	"CASE WHEN isfinite(" t ") THEN to_char(" t                                                    \
	" AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') END"

const char mren_export_facts[] = FACTS("f.first_seen::text, f.last_seen::text") FROM_FACTS IN_ORDER;

#define FACTS_AND_SOURCES                                                                          \
	FACTS(DATE_TIME("f.first_seen") ", " DATE_TIME("f.last_seen"))                                 \
	", e.documents, e.sentences" FROM_FACTS

const char mren_export_sources[] = FACTS_AND_SOURCES
	" LEFT JOIN LATERAL (SELECT array_agg(DISTINCT x.document ORDER BY x.document) AS documents,"
	"   array_agg(DISTINCT x.sentence COLLATE \"C\" ORDER BY x.sentence COLLATE \"C\")"
	"    AS sentences"
	"  FROM ${graph}.evidence x WHERE x.fact = f.fact AND x.n > 0) e ON true" IN_ORDER;

int
mren_export_list(TupleTableSlot *slot, int attno, char ***elements)
{
	bool isnull;
	Datum value = slot_getattr(slot, attno, &isnull);
	Datum *values;
	bool *nulls;
	int n;

	if (isnull)
		return 0;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls,
					  &n);
	*elements = palloc(n * sizeof(char *));
	for (int i = 0; i < n; i++)
		(*elements)[i] = TextDatumGetCString(values[i]);
	return n;
}

void
mren_export_line(MrenExport *export)
{
	Datum values[] = {
		PointerGetDatum(cstring_to_text_with_len(export->line.data, export->line.len))};
	bool nulls[] = {false};

	tuplestore_putvalues(export->rsinfo->setResult, export->rsinfo->setDesc, values, nulls);
	pfree(DatumGetPointer(values[0]));
	resetStringInfo(&export->line);
}

void
mren_export_begin(FunctionCallInfo fcinfo, MrenExport *export, bool sources)
{
	char *name = mren_arg_text(fcinfo, 0, "graph");

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	memset(export, 0, sizeof(*export));
	export->rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SPI_connect();
	initStringInfo(&export->line);
	export->row =
		AllocSetContextCreate(CurrentMemoryContext, "mren export", ALLOCSET_DEFAULT_SIZES);
	mren_graph_open(name, false, &export->graph);
	mren_graph_check_layout(&export->graph);
	mren_graph_check_readable(&export->graph, "facts");
	mren_graph_check_readable(&export->graph, "entities");
	mren_graph_check_readable(&export->graph, "linked_entities");
	if (sources)
		mren_graph_check_readable(&export->graph, "evidence");
}

static void
write_row(void *state, TupleTableSlot *slot)
{
	MrenExport *export = state;
	MemoryContext old = MemoryContextSwitchTo(export->row);

	export->write(export, slot);
	MemoryContextSwitchTo(old);
	MemoryContextReset(export->row);
}

void
mren_export_run(MrenExport *export, const char *sql,
				void (*write)(MrenExport *export, TupleTableSlot *slot))
{
	export->write = write;
	mren_graph_query(&export->graph, sql, 0, NULL, NULL, write_row, export);
}

static const char *const *
find_replacement(const char *text, const MrenEscapes *escapes)
{
	for (int i = 0; i < escapes->n; i++)
	{
		if (strncmp(text, escapes->replacements[i][0], strlen(escapes->replacements[i][0])) == 0)
			return escapes->replacements[i];
	}
	return NULL;
}

void
mren_export_escape(StringInfo line, const char *text, const MrenEscapes *escapes)
{
	while (*text != '\0')
	{
		unsigned char c = (unsigned char) *text;
		const char *const *replacement = find_replacement(text, escapes);

		if (replacement != NULL)
		{
			appendStringInfoString(line, replacement[1]);
			text += strlen(replacement[0]);
			continue;
		}
		if (escapes->control != NULL && (c < ' ' || c == 0x7f))
			appendStringInfo(line, escapes->control, c);
		else
			appendStringInfoChar(line, c);
		text++;
	}
}

/*
 * CSV, RFC 4180
 */

/*
 * NULL is an empty field, an empty string is one in quotes.  A record is one
 * line: a line break in a type or a relation, which RFC 4180 would allow, is a
 * blank, for not every reader takes it, and psql's \copy would quote the line.
 */
static void
append_field(StringInfo line, const char *text)
{
	static const char *replacements[][2] = {{"\"", "\"\""}};
	static const MrenEscapes escapes = MREN_ESCAPES(" ", replacements);
	bool quote;

	if (text == NULL)
		return;
	quote = text[0] == '\0' || strpbrk(text, ",\"") != NULL;
	if (quote)
		appendStringInfoChar(line, '"');
	mren_export_escape(line, text, &escapes);
	if (quote)
		appendStringInfoChar(line, '"');
}

static void
csv_record(MrenExport *export, TupleTableSlot *slot)
{
	static const int order[] = {
		MREN_EXPORT_HEAD,	  MREN_EXPORT_SHOWN_HEAD_TYPE, MREN_EXPORT_RELATION,
		MREN_EXPORT_TAIL,	  MREN_EXPORT_SHOWN_TAIL_TYPE, MREN_EXPORT_CONFIDENCE,
		MREN_EXPORT_SOURCES,  MREN_EXPORT_FIRST_SEEN,	   MREN_EXPORT_LAST_SEEN,
		MREN_EXPORT_CONFIRMED};
	for (int i = 0; i < (int) lengthof(order); i++)
	{
		if (i > 0)
			appendStringInfoChar(&export->line, ',');
		append_field(&export->line, mren_query_string(slot, order[i]));
	}
	mren_export_line(export);
}

/* mren.export_csv(graph) → SETOF text */
Datum
mren_export_csv(PG_FUNCTION_ARGS)
{
	MrenExport export;

	mren_export_begin(fcinfo, &export, false);
	appendStringInfoString(&export.line, "head,head_type,relation,tail,tail_type,confidence,"
										 "sources,first_seen,last_seen,confirmed");
	mren_export_line(&export);
	mren_export_run(&export, mren_export_facts, csv_record);
	SPI_finish();
	return (Datum) 0;
}

/*
 * CSV for Neo4j: https://neo4j.com/docs/operations-manual/current/import/
 */

/* Elements of a list, divided by semicolons; one in an element is percent-encoded. */
static void
append_list(StringInfo list, const char *element)
{
	static const char *replacements[][2] = {{";", "%3B"}, {"%", "%25"}};
	static const MrenEscapes escapes = MREN_ESCAPES(NULL, replacements);

	if (list->len > 0)
		appendStringInfoChar(list, ';');
	mren_export_escape(list, element, &escapes);
}

static void
neo4j_node(MrenExport *export, TupleTableSlot *slot)
{
	const char *type = mren_query_string(slot, MREN_EXPORT_TYPE);
	StringInfoData labels;

	initStringInfo(&labels);
	append_list(&labels, "Entity");
	if (type[0] != '\0')
		append_list(&labels, type);
	append_field(&export->line, mren_query_string(slot, MREN_EXPORT_ENTITY));
	appendStringInfoChar(&export->line, ',');
	append_field(&export->line, mren_query_string(slot, MREN_EXPORT_NAME));
	appendStringInfoChar(&export->line, ',');
	append_field(&export->line, labels.data);
	appendStringInfoChar(&export->line, ',');
	append_field(&export->line, mren_query_string(slot, MREN_EXPORT_KEY));
	mren_export_line(export);
}

static void
neo4j_relationship(MrenExport *export, TupleTableSlot *slot)
{
	static const int order[] = {
		MREN_EXPORT_HEAD_ENTITY, MREN_EXPORT_TAIL_ENTITY, MREN_EXPORT_RELATION,
		MREN_EXPORT_FACT,		 MREN_EXPORT_CONFIDENCE,  MREN_EXPORT_SOURCES,
		MREN_EXPORT_FIRST_SEEN,	 MREN_EXPORT_LAST_SEEN,	  MREN_EXPORT_CONFIRMED};
	StringInfoData list;
	char **documents = NULL;
	int n = mren_export_list(slot, MREN_EXPORT_DOCUMENTS, &documents);

	for (int i = 0; i < (int) lengthof(order); i++)
	{
		append_field(&export->line, mren_query_string(slot, order[i]));
		appendStringInfoChar(&export->line, ',');
	}
	initStringInfo(&list);
	for (int i = 0; i < n; i++)
		append_list(&list, documents[i]);
	append_field(&export->line, n > 0 ? list.data : NULL);
	mren_export_line(export);
}

/* mren.export_neo4j(graph, part) → SETOF text */
Datum
mren_export_neo4j(PG_FUNCTION_ARGS)
{
	char *part = mren_arg_text(fcinfo, 1, "part");
	bool nodes = strcmp(part, "nodes") == 0;
	MrenExport export;

	if (!nodes && strcmp(part, "relationships") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" is not a part", part),
				 errhint("Give \"nodes\" or \"relationships\".")));
	mren_export_begin(fcinfo, &export, !nodes);
	appendStringInfoString(&export.line,
						   nodes ? "entity:ID,name,:LABEL,key"
								 : ":START_ID,:END_ID,:TYPE,fact,confidence:double,sources:long,"
								   "first_seen:datetime,last_seen:datetime,confirmed:boolean,"
								   "documents:string[]");
	mren_export_line(&export);
	if (nodes)
		mren_export_run(&export, mren_export_entities, neo4j_node);
	else
		mren_export_run(&export, mren_export_sources, neo4j_relationship);
	SPI_finish();
	return (Datum) 0;
}

/*
 * Graphviz, https://graphviz.org/doc/info/lang.html
 */

/* In a label a backslash begins an escape of Graphviz's own, and an ampersand an entity of HTML. */
static void
append_label(StringInfo line, const char *text)
{
	static const char *replacements[][2] = {
		{"\"", "\\\""}, {"\\", "\\\\"}, {"\n", "\\n"}, {"\r", ""}, {"&", "&amp;"}};
	static const MrenEscapes escapes = MREN_ESCAPES(" ", replacements);

	appendStringInfoChar(line, '"');
	mren_export_escape(line, text, &escapes);
	appendStringInfoChar(line, '"');
}

static void
dot_node(MrenExport *export, TupleTableSlot *slot)
{
	appendStringInfo(&export->line,
					 "  \"%s\" [label=", mren_query_string(slot, MREN_EXPORT_ENTITY));
	append_label(&export->line, mren_query_string(slot, MREN_EXPORT_NAME));
	appendStringInfoString(&export->line, "];");
	mren_export_line(export);
}

static void
dot_edge(MrenExport *export, TupleTableSlot *slot)
{
	appendStringInfo(&export->line,
					 "  \"%s\" -> \"%s\" [label=", mren_query_string(slot, MREN_EXPORT_HEAD_ENTITY),
					 mren_query_string(slot, MREN_EXPORT_TAIL_ENTITY));
	append_label(&export->line, mren_query_string(slot, MREN_EXPORT_RELATION));
	appendStringInfoString(&export->line, "];");
	mren_export_line(export);
}

/* mren.export_dot(graph) → SETOF text */
Datum
mren_export_dot(PG_FUNCTION_ARGS)
{
	MrenExport export;

	mren_export_begin(fcinfo, &export, false);
	appendStringInfoString(&export.line, "digraph ");
	append_label(&export.line, export.graph.name);
	appendStringInfoString(&export.line, " {");
	mren_export_line(&export);
	mren_export_run(&export, mren_export_entities, dot_node);
	mren_export_run(&export, mren_export_facts, dot_edge);
	appendStringInfoChar(&export.line, '}');
	mren_export_line(&export);
	SPI_finish();
	return (Datum) 0;
}
