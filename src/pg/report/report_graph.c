/*
 * report_graph.c
 *	  mren.report_graph: a page about a knowledge graph.
 *
 * Reads the tables and views of the graph as mren.paths does: the caller needs
 * SELECT on each, and the statements run as the graph's owner.
 *
 * check-qualified: search_path is pinned by mren_graph_query.
 */
#include "pg/graph/graph_base.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "pg/report/neighbourhood.h"
#include "pg/report/page.h"
#include "pg/support/args.h"

PG_FUNCTION_INFO_V1(mren_report_graph);

/* Facts of the drawn entity. */
#define INNER_FACTS 12

typedef struct GraphReport
{
	MrenGraph graph;
	StringInfo page;
	int n_rows; /* of the table at hand */
	MemoryContext context;
} GraphReport;

static void
query(GraphReport *report, const char *sql, MrenRowVisitor visit)
{
	report->n_rows = 0;
	/* A statement leaves SPI's context behind, which SPI_finish frees. */
	mren_graph_query(&report->graph, sql, 0, NULL, NULL, visit, report);
	MemoryContextSwitchTo(report->context);
}

/*
 * Tiles
 */

static const char counts_sql[] =
	"SELECT (SELECT count(*) FROM ${graph}.documents)::text,"
	" (SELECT count(*) FROM ${graph}.entities)::text,"
	" (SELECT count(*) FROM ${graph}.facts)::text,"
	" (SELECT count(*) FROM ${graph}.facts WHERE confirmed)::text,"
	" (SELECT count(*) FROM ${graph}.conflicts)::text,"
	" (SELECT count(*) FROM ${graph}.documents WHERE state = 'failed')::text,"
	" (SELECT count(*) FROM ${graph}.evidence e WHERE e.made)::text";

static void
tile(StringInfo page, const char *label, const char *number, const char *note)
{
	StringInfoData text;

	initStringInfo(&text);
	mren_html_count(&text, strtoull(number, NULL, 10));
	mren_tile(page, label, text.data, note);
}

static void
put_counts(void *state, TupleTableSlot *slot)
{
	GraphReport *report = state;
	StringInfo page = report->page;

	mren_tiles_begin(page);
	tile(page, "Documents", mren_query_string(slot, 1),
		 psprintf("%s failed", mren_query_string(slot, 6)));
	tile(page, "Entities", mren_query_string(slot, 2), "names with their types");
	tile(page, "Facts", mren_query_string(slot, 3),
		 psprintf("from %s statements", mren_query_string(slot, 7)));
	tile(page, "Confirmed", mren_query_string(slot, 4), "facts that a person has reviewed");
	tile(page, "Conflicts", mren_query_string(slot, 5), "facts that lost to others");
	mren_tiles_end(page);
}

/*
 * The drawing
 */

static void
put_drawing(GraphReport *report)
{
	StringInfo page = report->page;
	MrenNeighbourhood *neighbourhood = mren_neighbourhood_read(&report->graph, NULL, INNER_FACTS);
	bool any = neighbourhood->drawing.n_nodes > 0;

	mren_section_begin(page, "drawing", "A neighbourhood",
					   any ? "The entity with the most facts, its neighbours and some of theirs. "
							 "A node is the larger, the more facts it has in the whole graph."
						   : "The graph has no facts yet.");
	if (any)
	{
		neighbourhood->drawing.title = "The neighbourhood of the entity with the most facts";
		appendStringInfoString(page, "<ul class=\"legend\">");
		for (int i = 0; i < neighbourhood->n_types; i++)
		{
			const char *type = neighbourhood->types[i];

			appendStringInfo(page, "<li><i style=\"background:var(--c%d)\"></i>", i + 1);
			mren_html_brief(page, type[0] != '\0' ? type : "without type", 40);
			appendStringInfoString(page, "</li>");
		}
		appendStringInfoString(page, "</ul>\n<div class=\"scroll\">");
		mren_draw_graph(page, &neighbourhood->drawing, false);
		appendStringInfoString(page, "</div>\n");
	}
	mren_section_end(page);
}

/*
 * Tables
 */

/* A table of ours: its heads ("#" before one: a column of numbers), and its statement. */
typedef struct Table
{
	const char *id;
	const char *title;
	const char *lead;
	const char *empty; /* instead of an empty table */
	const char *const *heads;
	const char *sql;
} Table;

static void
put_cells(void *state, TupleTableSlot *slot)
{
	GraphReport *report = state;
	StringInfo page = report->page;
	int n = slot->tts_tupleDescriptor->natts;

	CHECK_FOR_INTERRUPTS();
	report->n_rows++;
	appendStringInfoString(page, "<tr>");
	for (int i = 1; i <= n; i++)
	{
		const char *text = mren_query_string(slot, i);
		bool number = strncmp(NameStr(TupleDescAttr(slot->tts_tupleDescriptor, i - 1)->attname),
							  "n_", 2) == 0;

		appendStringInfo(page, "<td%s>", number ? " class=\"n\"" : "");
		if (text != NULL)
			mren_html_brief(page, text, 300);
		appendStringInfoString(page, "</td>");
	}
	appendStringInfoString(page, "</tr>\n");
}

static void
put_table(GraphReport *report, const Table *table)
{
	StringInfo page = report->page;
	int begin;

	mren_section_begin(page, table->id, table->title, NULL);
	begin = page->len;
	appendStringInfo(page, "<p>%s</p>\n<div class=\"scroll\"><table class=\"wide\"><thead><tr>",
					 table->lead);
	for (int i = 0; table->heads[i] != NULL; i++)
	{
		bool number = table->heads[i][0] == '#';

		appendStringInfo(page, "<th%s>%s</th>", number ? " class=\"n\"" : "",
						 table->heads[i] + number);
	}
	appendStringInfoString(page, "</tr></thead>\n<tbody>\n");
	query(report, table->sql, put_cells);
	appendStringInfoString(page, "</tbody></table></div>\n");
	if (report->n_rows == 0)
	{
		page->len = begin;
		page->data[begin] = '\0';
		appendStringInfo(page, "<p>%s</p>\n", table->empty);
	}
	mren_section_end(page);
}

static const char *const relation_heads[] = {"Relation",		 "#Facts",	 "#Confirmed",
											 "#Mean confidence", "#Sources", NULL};
static const char *const type_heads[] = {"Type", "#Entities", "#Mentions", "Most mentioned", NULL};
static const char *const entity_heads[] = {"Entity",	"Type",			"#Facts", "#Documents",
										   "#Mentions", "Also written", NULL};
static const char *const conflict_heads[] = {"Fact",		"#Confidence", "Lost to",
											 "#Confidence", "Reason",	   NULL};
static const char *const failure_heads[] = {"Document", "Error", NULL};

/* Of the tables, those in front of what awaits review. */
#define N_OVERVIEW 3

static const Table tables[] = {
	{"relations", "Relations", "Facts that are neither superseded nor rejected.",
	 "The graph has no facts yet.", relation_heads,
	 "SELECT relation, count(*)::text AS n_facts,"
	 " count(*) FILTER (WHERE confirmed)::text AS n_confirmed,"
	 " round(avg(confidence)::numeric, 3)::text AS n_confidence, sum(sources)::text AS n_sources"
	 " FROM ${graph}.facts GROUP BY relation"
	 " ORDER BY count(*) DESC, relation COLLATE \"C\" LIMIT 100"},
	{"types", "Entity types", "Entities that the documents mention, by type.",
	 "The graph has no entities yet.", type_heads,
	 "SELECT COALESCE(NULLIF(e.type, ''), 'without type') AS type, count(*)::text AS n_entities,"
	 " sum(e.mentions)::text AS n_mentions,"
	 " array_to_string((array_agg(e.name"
	 "  ORDER BY e.mentions DESC, e.canonical COLLATE \"C\"))[1:5], ', ') AS most"
	 " FROM ${graph}.entities e GROUP BY e.type"
	 " ORDER BY count(*) DESC, e.type COLLATE \"C\" LIMIT 50"},
	{"entities", "Entities with the most facts", "At most fifteen.", "The graph has no facts yet.",
	 entity_heads,
	 "SELECT e.name, NULLIF(e.type, '') AS type, d.n::text AS n_facts,"
	 " e.documents::text AS n_documents, e.mentions::text AS n_mentions,"
	 " array_to_string((array_remove(e.names, e.name))[1:5], ', ') AS also"
	 " FROM (SELECT entity, count(*) AS n FROM (SELECT head_entity AS entity FROM ${graph}.facts"
	 "  UNION ALL SELECT tail_entity FROM ${graph}.facts) x GROUP BY entity) d"
	 " JOIN ${graph}.entities e USING (entity)"
	 " ORDER BY d.n DESC, e.canonical COLLATE \"C\", e.type COLLATE \"C\" LIMIT 15"},
	{"conflicts", "Conflicts",
	 "Facts of a functional relation that lost to another, the surest first.",
	 "No fact contradicts another.", conflict_heads,
	 "SELECT concat(head, ' -[', relation, ']-> ', tail) AS fact,"
	 " round(confidence::numeric, 2)::text AS n_confidence,"
	 " concat(superseded_by_head, ' -[', relation, ']-> ', superseded_by_tail) AS winner,"
	 " round(superseded_by_confidence::numeric, 2)::text AS n_confidence_of, reason"
	 " FROM ${graph}.conflicts c ORDER BY c.confidence DESC, c.fact LIMIT 12"},
	{"failures", "Documents that failed", "They are tried again by the next refresh.",
	 "Every document could be read.", failure_heads,
	 "SELECT document, error FROM ${graph}.documents WHERE state = 'failed'"
	 " ORDER BY document COLLATE \"C\" LIMIT 10"},
};

/*
 * What awaits review
 */

static const char review_sql[] =
	"SELECT f.head, f.relation, f.tail, round(f.confidence::numeric, 2)::text, f.sources::text,"
	" f.fact::text, e.sentence"
	" FROM (SELECT * FROM ${graph}.facts WHERE NOT confirmed ORDER BY confidence, fact LIMIT 12) f"
	" LEFT JOIN LATERAL (SELECT x.sentence FROM ${graph}.evidence x WHERE x.fact = f.fact"
	"  ORDER BY x.confidence DESC, x.document COLLATE \"C\", x.n LIMIT 1) e ON true"
	" ORDER BY f.confidence, f.fact";

static void
put_unreviewed(void *state, TupleTableSlot *slot)
{
	GraphReport *report = state;
	StringInfo page = report->page;
	const char *sentence = mren_query_string(slot, 7);

	report->n_rows++;
	appendStringInfoString(page, "<div class=\"row\">\n<p><b>");
	mren_html_text(page, mren_query_string(slot, 1));
	appendStringInfoString(page, "</b> &#x2013; ");
	mren_html_text(page, mren_query_string(slot, 2));
	appendStringInfoString(page, " &#x2192; <b>");
	mren_html_text(page, mren_query_string(slot, 3));
	appendStringInfo(page, "</b> (%s)</p>\n", mren_query_string(slot, 4));
	if (sentence != NULL)
	{
		appendStringInfoString(page, "<p class=\"s\">");
		mren_html_brief(page, sentence, 400);
		appendStringInfoString(page, "</p>\n");
	}
	appendStringInfo(page, "<p class=\"verdict\">documents: %s &#xB7; fact <code>%s</code></p>\n",
					 mren_query_string(slot, 5), mren_query_string(slot, 6));
	appendStringInfoString(page, "</div>\n");
}

static void
put_review(GraphReport *report)
{
	StringInfo page = report->page;

	mren_section_begin(page, "review", "What awaits review", NULL);
	appendStringInfoString(page,
						   "<p>The least certain facts that nobody has confirmed, each with "
						   "a sentence that states it. A verdict is a row: <code>INSERT INTO ");
	mren_html_text(page, report->graph.schema);
	appendStringInfoString(page, ".review (fact, verdict) VALUES (&#39;&#x2026;&#39;, "
								 "&#39;confirmed&#39;)</code>, or <code>&#39;rejected&#39;</code>."
								 "</p>\n");
	query(report, review_sql, put_unreviewed);
	if (report->n_rows == 0)
		appendStringInfoString(page, "<p>Every fact is confirmed, or there are none.</p>\n");
	mren_section_end(page);
}

/* mren.report_graph(graph) → text */
Datum
mren_report_graph(PG_FUNCTION_ARGS)
{
	static const char *const read[] = {"documents", "evidence", "entities", "facts", "conflicts"};
	const char *name = mren_arg_text(fcinfo, 0, "graph");
	GraphReport report = {.context = CurrentMemoryContext};
	StringInfoData page;
	text *result;

	SPI_connect();
	mren_graph_open(name, false, &report.graph);
	mren_graph_check_layout(&report.graph);
	for (size_t i = 0; i < lengthof(read); i++)
		mren_graph_check_readable(&report.graph, read[i]);
	MemoryContextSwitchTo(report.context);
	initStringInfo(&page);
	report.page = &page;
	mren_page_begin(&page, "mren knowledge graph", name);
	appendStringInfoString(&page, "<p>read by the model ");
	mren_html_text(&page, report.graph.model);
	appendStringInfoString(&page, "</p>\n<nav><a href=\"#drawing\">Neighbourhood</a><a "
								  "href=\"#relations\">Relations</a><a href=\"#entities\">Entities"
								  "</a><a href=\"#review\">Review</a><a href=\"#conflicts\">"
								  "Conflicts</a></nav>\n</header>\n");
	query(&report, counts_sql, put_counts);
	put_drawing(&report);
	for (size_t i = 0; i < N_OVERVIEW; i++)
		put_table(&report, &tables[i]);
	put_review(&report);
	for (size_t i = N_OVERVIEW; i < lengthof(tables); i++)
		put_table(&report, &tables[i]);
	mren_page_end(&page);
	result = cstring_to_text_with_len(page.data, page.len);
	SPI_finish();
	PG_RETURN_TEXT_P(result);
}
