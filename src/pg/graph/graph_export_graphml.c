/*
 * graph_export_graphml.c
 *	  A graph as lines of GraphML, http://graphml.graphdrawing.org/specification.html
 */
#include "pg/graph/graph_export.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(mren_export_graphml);

/* The attributes of nodes and edges, with GraphML's types. */
static const struct Attribute
{
	const char *id;
	const char *of;
	const char *type;
	int attno;
} attributes[] = {
	{"name", "node", "string", MREN_EXPORT_NAME},
	{"type", "node", "string", MREN_EXPORT_TYPE},
	{"key", "node", "string", MREN_EXPORT_KEY},
	{"relation", "edge", "string", MREN_EXPORT_RELATION},
	{"confidence", "edge", "double", MREN_EXPORT_CONFIDENCE},
	{"sources", "edge", "long", MREN_EXPORT_SOURCES},
	{"first_seen", "edge", "string", MREN_EXPORT_FIRST_SEEN},
	{"last_seen", "edge", "string", MREN_EXPORT_LAST_SEEN},
	{"confirmed", "edge", "boolean", MREN_EXPORT_CONFIRMED},
};

/* Text on one line; characters that XML does not allow become U+FFFD or a blank. */
static void
append_text(StringInfo line, const char *text)
{
	static const char *replacements[][2] = {{"&", "&amp;"},
											{"<", "&lt;"},
											{">", "&gt;"},
											{"\"", "&quot;"},
											{"\t", "&#9;"},
											{"\n", "&#10;"},
											{"\r", "&#13;"},
											/* U+FFFE and U+FFFF */
											{"\xef\xbf\xbe", "\xef\xbf\xbd"},
											{"\xef\xbf\xbf", "\xef\xbf\xbd"}};
	MrenEscapes escapes = MREN_ESCAPES(" ", replacements);

	if (GetDatabaseEncoding() != PG_UTF8)
		escapes.n -= 2;
	mren_export_escape(line, text, &escapes);
}

static void
append_data(MrenExport *export, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	appendStringInfo(&export->line, "<data key=\"%s\">", key);
	append_text(&export->line, value);
	appendStringInfoString(&export->line, "</data>");
}

static void
append_attributes(MrenExport *export, TupleTableSlot *slot, const char *of)
{
	for (int i = 0; i < (int) lengthof(attributes); i++)
	{
		if (strcmp(attributes[i].of, of) == 0)
			append_data(export, attributes[i].id, mren_query_string(slot, attributes[i].attno));
	}
}

static void
graphml_node(MrenExport *export, TupleTableSlot *slot)
{
	appendStringInfo(&export->line, "<node id=\"%s\">",
					 mren_query_string(slot, MREN_EXPORT_ENTITY));
	append_attributes(export, slot, "node");
	appendStringInfoString(&export->line, "</node>");
	mren_export_line(export);
}

static void
graphml_edge(MrenExport *export, TupleTableSlot *slot)
{
	char **documents = NULL;
	int n = mren_export_list(slot, MREN_EXPORT_DOCUMENTS, &documents);
	StringInfoData list;

	appendStringInfo(&export->line, "<edge id=\"%s\" source=\"%s\" target=\"%s\">",
					 mren_query_string(slot, MREN_EXPORT_FACT),
					 mren_query_string(slot, MREN_EXPORT_HEAD_ENTITY),
					 mren_query_string(slot, MREN_EXPORT_TAIL_ENTITY));
	append_attributes(export, slot, "edge");
	initStringInfo(&list);
	for (int i = 0; i < n; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? "\n" : "", documents[i]);
	append_data(export, "documents", list.data);
	appendStringInfoString(&export->line, "</edge>");
	mren_export_line(export);
}

static void
put_keys(MrenExport *export)
{
	for (int i = 0; i < (int) lengthof(attributes); i++)
	{
		appendStringInfo(&export->line,
						 "<key id=\"%s\" for=\"%s\" attr.name=\"%s\" attr.type=\"%s\"/>",
						 attributes[i].id, attributes[i].of, attributes[i].id, attributes[i].type);
		mren_export_line(export);
	}
	appendStringInfoString(&export->line, "<key id=\"documents\" for=\"edge\""
										  " attr.name=\"documents\" attr.type=\"string\"/>");
	mren_export_line(export);
}

/* mren.export_graphml(graph) → SETOF text */
Datum
mren_export_graphml(PG_FUNCTION_ARGS)
{
	MrenExport export;

	mren_export_begin(fcinfo, &export, true);
	appendStringInfoString(&export.line, "<?xml version=\"1.0\"?>");
	mren_export_line(&export);
	appendStringInfoString(&export.line,
						   "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">");
	mren_export_line(&export);
	put_keys(&export);
	appendStringInfoString(&export.line, "<graph edgedefault=\"directed\">");
	mren_export_line(&export);
	mren_export_run(&export, mren_export_entities, graphml_node);
	mren_export_run(&export, mren_export_sources, graphml_edge);
	appendStringInfoString(&export.line, "</graph>");
	mren_export_line(&export);
	appendStringInfoString(&export.line, "</graphml>");
	mren_export_line(&export);
	SPI_finish();
	return (Datum) 0;
}
