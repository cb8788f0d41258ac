/*
 * graph_export.c
 *	  A graph as lines of N-Triples, CSV and Graphviz.
 *
 * Facts as the view facts has them, neither superseded nor rejected, and the
 * entities that they join, in an order that depends on nothing but the graph.
 *
 * check-qualified: search_path is pinned by mren_graph_run and mren_graph_query.
 */
#include "pg/graph/graph_base.h"

#include <ctype.h>

#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/support/args.h"
#include "pg/support/compat.h"
#include "pg/support/pg_env.h"

PG_FUNCTION_INFO_V1(mren_export_ntriples);
PG_FUNCTION_INFO_V1(mren_export_csv);
PG_FUNCTION_INFO_V1(mren_export_dot);

#define RDF_TYPE "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
#define RDFS_LABEL "<http://www.w3.org/2000/01/rdf-schema#label>"

/* Where lines go, and what writes a row as lines. */
typedef struct Export
{
	ReturnSetInfo *rsinfo;
	const char *base; /* IRI */
	MemoryContext row;
	StringInfoData line;
} Export;

static const char entities[] =
	"SELECT e.entity::text, e.type, e.canonical, e.name FROM ${graph}.entities e"
	" WHERE EXISTS (SELECT FROM ${graph}.facts f WHERE f.head_entity = e.entity)"
	" OR EXISTS (SELECT FROM ${graph}.facts f WHERE f.tail_entity = e.entity)"
	" ORDER BY e.type COLLATE \"C\", e.canonical COLLATE \"C\"";

static const char facts[] =
	"SELECT h.type, h.canonical, f.relation, t.type, t.canonical, f.head_entity::text,"
	" f.tail_entity::text, f.head, f.head_type, f.tail, f.tail_type, f.confidence::text,"
	" f.sources::text, f.first_seen::text, f.last_seen::text, f.confirmed::text"
	" FROM ${graph}.facts f JOIN ${graph}.entities h ON h.entity = f.head_entity"
	" JOIN ${graph}.entities t ON t.entity = f.tail_entity"
	" ORDER BY h.type COLLATE \"C\", h.canonical COLLATE \"C\", f.relation COLLATE \"C\","
	" t.type COLLATE \"C\", t.canonical COLLATE \"C\"";

/* The columns of the statements above. */
enum
{
	ENTITY_ID = 1,
	ENTITY_TYPE,
	ENTITY_CANONICAL,
	ENTITY_NAME
};
enum
{
	HEAD_TYPE = 1,
	HEAD_CANONICAL,
	RELATION,
	TAIL_TYPE,
	TAIL_CANONICAL,
	HEAD_ID,
	TAIL_ID,
	HEAD,
	SHOWN_HEAD_TYPE,
	TAIL,
	SHOWN_TAIL_TYPE,
	CONFIDENCE
};

static const char *
column(TupleTableSlot *slot, int attno)
{
	bool isnull;
	Datum value = slot_getattr(slot, attno, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* The line goes out, and the next begins. */
static void
put_line(Export *export)
{
	Datum values[] = {
		PointerGetDatum(cstring_to_text_with_len(export->line.data, export->line.len))};
	bool nulls[] = {false};

	tuplestore_putvalues(export->rsinfo->setResult, export->rsinfo->setDesc, values, nulls);
	pfree(DatumGetPointer(values[0]));
	resetStringInfo(&export->line);
}

static void
begin(FunctionCallInfo fcinfo, Export *export, MrenGraph *graph)
{
	char *name = mren_arg_text(fcinfo, 0, "graph");

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	memset(export, 0, sizeof(*export));
	export->rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SPI_connect();
	initStringInfo(&export->line);
	export->row =
		AllocSetContextCreate(CurrentMemoryContext, "mren export", ALLOCSET_DEFAULT_SIZES);
	mren_graph_open(name, false, graph);
	mren_graph_check_layout(graph);
	mren_graph_check_readable(graph, "facts");
	mren_graph_check_readable(graph, "entities");
}

static void
run(Export *export, const MrenGraph *graph, const char *sql, MrenRowVisitor visit)
{
	mren_graph_query(graph, sql, 0, NULL, NULL, visit, export);
}

/*
 * N-Triples, https://www.w3.org/TR/n-triples/
 */

/* UTF-8 with all but RFC 3986's unreserved characters percent-encoded. */
static void
append_segment(StringInfo line, const char *text)
{
	MrenTextSpan utf8 = mren_pg_utf8(text, strlen(text));

	for (int i = 0; i < utf8.len; i++)
	{
		unsigned char c = (unsigned char) utf8.data[i];

		if (c < 0x80 && (isalnum(c) || strchr("-._~", c) != NULL))
			appendStringInfoChar(line, c);
		else
			appendStringInfo(line, "%%%02X", c);
	}
}

static void
append_entity(Export *export, const char *type, const char *canonical)
{
	appendStringInfo(&export->line, "<%sentity/", export->base);
	if (type[0] != '\0')
	{
		append_segment(&export->line, type);
		appendStringInfoChar(&export->line, '/');
	}
	append_segment(&export->line, canonical);
	appendStringInfoChar(&export->line, '>');
}

static bool
is_control(char c)
{
	return (unsigned char) c < ' ' || c == 0x7f;
}

/* What a literal may not hold as it is, and what \copy would quote. */
static void
append_literal(StringInfo line, const char *text)
{
	appendStringInfoChar(line, '"');
	for (; *text != '\0'; text++)
	{
		if (*text == '"' || *text == '\\')
			appendStringInfoChar(line, '\\');
		if (*text == '\n')
			appendStringInfoString(line, "\\n");
		else if (*text == '\r')
			appendStringInfoString(line, "\\r");
		else if (is_control(*text))
			appendStringInfo(line, "\\u%04X", (unsigned char) *text);
		else
			appendStringInfoChar(line, *text);
	}
	appendStringInfoChar(line, '"');
}

static void
entity_triples(void *state, TupleTableSlot *slot)
{
	Export *export = state;
	MemoryContext old = MemoryContextSwitchTo(export->row);
	const char *type = column(slot, ENTITY_TYPE);
	const char *canonical = column(slot, ENTITY_CANONICAL);

	if (type[0] != '\0')
	{
		append_entity(export, type, canonical);
		appendStringInfo(&export->line, " " RDF_TYPE " <%stype/", export->base);
		append_segment(&export->line, type);
		appendStringInfoString(&export->line, "> .");
		put_line(export);
	}
	append_entity(export, type, canonical);
	appendStringInfoString(&export->line, " " RDFS_LABEL " ");
	append_literal(&export->line, column(slot, ENTITY_NAME));
	appendStringInfoString(&export->line, " .");
	put_line(export);
	MemoryContextSwitchTo(old);
	MemoryContextReset(export->row);
}

static void
fact_triple(void *state, TupleTableSlot *slot)
{
	Export *export = state;
	MemoryContext old = MemoryContextSwitchTo(export->row);

	append_entity(export, column(slot, HEAD_TYPE), column(slot, HEAD_CANONICAL));
	appendStringInfo(&export->line, " <%srelation/", export->base);
	append_segment(&export->line, column(slot, RELATION));
	appendStringInfoString(&export->line, "> ");
	append_entity(export, column(slot, TAIL_TYPE), column(slot, TAIL_CANONICAL));
	appendStringInfoString(&export->line, " .");
	put_line(export);
	MemoryContextSwitchTo(old);
	MemoryContextReset(export->row);
}

/* An absolute IRI without what <...> may not hold. */
static void
check_base(const char *base)
{
	const char *c = base;
	bool wrong = !isalpha((unsigned char) *c);

	while (isalnum((unsigned char) *c) || (*c != '\0' && strchr("+-.", *c) != NULL))
		c++;
	wrong = wrong || *c != ':';
	for (c = base; *c != '\0'; c++)
		wrong = wrong || (unsigned char) *c <= ' ' || strchr("<>\"{}|^`\\", *c) != NULL;
	if (wrong)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"%s\" is not an absolute IRI", base),
						errhint("Give one such as http://example.org/graph/.")));
}

/* mren.export_ntriples(graph, base_iri) → SETOF text */
Datum
mren_export_ntriples(PG_FUNCTION_ARGS)
{
	const char *base = mren_arg_text(fcinfo, 1, "base_iri");
	MrenGraph graph;
	Export export;

	check_base(base);
	begin(fcinfo, &export, &graph);
	export.base = base;
	run(&export, &graph, entities, entity_triples);
	run(&export, &graph, facts, fact_triple);
	SPI_finish();
	return (Datum) 0;
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
	bool quote;

	if (text == NULL)
		return;
	quote = text[0] == '\0' || strpbrk(text, ",\"") != NULL;
	if (quote)
		appendStringInfoChar(line, '"');
	for (; *text != '\0'; text++)
	{
		if (*text == '"')
			appendStringInfoChar(line, '"');
		appendStringInfoChar(line, is_control(*text) ? ' ' : *text);
	}
	if (quote)
		appendStringInfoChar(line, '"');
}

static void
csv_record(void *state, TupleTableSlot *slot)
{
	static const int order[] = {
		HEAD,		SHOWN_HEAD_TYPE, RELATION,		 TAIL,			 SHOWN_TAIL_TYPE,
		CONFIDENCE, CONFIDENCE + 1,	 CONFIDENCE + 2, CONFIDENCE + 3, CONFIDENCE + 4};
	Export *export = state;
	MemoryContext old = MemoryContextSwitchTo(export->row);

	for (int i = 0; i < (int) lengthof(order); i++)
	{
		if (i > 0)
			appendStringInfoChar(&export->line, ',');
		append_field(&export->line, column(slot, order[i]));
	}
	put_line(export);
	MemoryContextSwitchTo(old);
	MemoryContextReset(export->row);
}

/* mren.export_csv(graph) → SETOF text */
Datum
mren_export_csv(PG_FUNCTION_ARGS)
{
	MrenGraph graph;
	Export export;

	begin(fcinfo, &export, &graph);
	appendStringInfoString(&export.line, "head,head_type,relation,tail,tail_type,confidence,"
										 "sources,first_seen,last_seen,confirmed");
	put_line(&export);
	run(&export, &graph, facts, csv_record);
	SPI_finish();
	return (Datum) 0;
}

/*
 * Graphviz, https://graphviz.org/doc/info/lang.html
 */

/* In a label a backslash begins an escape of Graphviz's own. */
static void
append_label(StringInfo line, const char *text)
{
	appendStringInfoChar(line, '"');
	for (; *text != '\0'; text++)
	{
		if (*text == '"' || *text == '\\')
			appendStringInfoChar(line, '\\');
		if (*text == '\n')
			appendStringInfoString(line, "\\n");
		else if (*text != '\r')
			appendStringInfoChar(line, is_control(*text) ? ' ' : *text);
	}
	appendStringInfoChar(line, '"');
}

static void
dot_node(void *state, TupleTableSlot *slot)
{
	Export *export = state;
	MemoryContext old = MemoryContextSwitchTo(export->row);

	appendStringInfo(&export->line, "  \"%s\" [label=", column(slot, ENTITY_ID));
	append_label(&export->line, column(slot, ENTITY_NAME));
	appendStringInfoString(&export->line, "];");
	put_line(export);
	MemoryContextSwitchTo(old);
	MemoryContextReset(export->row);
}

static void
dot_edge(void *state, TupleTableSlot *slot)
{
	Export *export = state;
	MemoryContext old = MemoryContextSwitchTo(export->row);

	appendStringInfo(&export->line, "  \"%s\" -> \"%s\" [label=", column(slot, HEAD_ID),
					 column(slot, TAIL_ID));
	append_label(&export->line, column(slot, RELATION));
	appendStringInfoString(&export->line, "];");
	put_line(export);
	MemoryContextSwitchTo(old);
	MemoryContextReset(export->row);
}

/* mren.export_dot(graph) → SETOF text */
Datum
mren_export_dot(PG_FUNCTION_ARGS)
{
	MrenGraph graph;
	Export export;

	begin(fcinfo, &export, &graph);
	appendStringInfoString(&export.line, "digraph ");
	append_label(&export.line, graph.name);
	appendStringInfoString(&export.line, " {");
	put_line(&export);
	run(&export, &graph, entities, dot_node);
	run(&export, &graph, facts, dot_edge);
	appendStringInfoChar(&export.line, '}');
	put_line(&export);
	SPI_finish();
	return (Datum) 0;
}
