/*
 * graph_export_rdf.c
 *	  A graph as lines of N-Triples, with what is known of each fact if requested.
 *
 * A triple cannot have a confidence, so a resource stands for the fact, and what is known is
 * stated about it.  It is joined to the triple by reification, as RDF has
 * it since 1999, or as RDF 1.2 does.
 */
#include "pg/graph/graph_export.h"

#include <ctype.h>

#include "pg/support/args.h"
#include "pg/support/pg_env.h"

PG_FUNCTION_INFO_V1(mren_export_ntriples);

#define RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define RDF_TYPE "<" RDF "type>"
#define RDFS_LABEL "<http://www.w3.org/2000/01/rdf-schema#label>"
#define XSD "http://www.w3.org/2001/XMLSchema#"
#define WAS_DERIVED_FROM "<http://www.w3.org/ns/prov#wasDerivedFrom>"

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
append_entity(MrenExport *export, const char *type, const char *canonical)
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

/* What a literal may not hold as it is, and what \copy would quote. */
static void
append_literal(StringInfo line, const char *text)
{
	static const char *replacements[][2] = {
		{"\"", "\\\""}, {"\\", "\\\\"}, {"\n", "\\n"}, {"\r", "\\r"}};
	static const MrenEscapes escapes = MREN_ESCAPES("\\u%04X", replacements);

	appendStringInfoChar(line, '"');
	mren_export_escape(line, text, &escapes);
	appendStringInfoChar(line, '"');
}

static void
end_triple(MrenExport *export)
{
	appendStringInfoString(&export->line, " .");
	mren_export_line(export);
}

static void
entity_triples(MrenExport *export, TupleTableSlot *slot)
{
	const char *key = mren_query_string(slot, MREN_EXPORT_KEY);
	const char *type = mren_query_string(slot, MREN_EXPORT_TYPE);
	const char *canonical = mren_query_string(slot, MREN_EXPORT_CANONICAL);

	if (type[0] != '\0')
	{
		append_entity(export, type, canonical);
		appendStringInfo(&export->line, " " RDF_TYPE " <%stype/", export->base);
		append_segment(&export->line, type);
		appendStringInfoString(&export->line, "> .");
		mren_export_line(export);
	}
	append_entity(export, type, canonical);
	appendStringInfoString(&export->line, " " RDFS_LABEL " ");
	append_literal(&export->line, mren_query_string(slot, MREN_EXPORT_NAME));
	end_triple(export);
	if (key != NULL)
	{
		append_entity(export, type, canonical);
		appendStringInfo(&export->line, " <%sproperty/key> ", export->base);
		append_literal(&export->line, key);
		end_triple(export);
	}
}

/* The head, the relation and the tail, with what stands between them. */
static void
append_triple(MrenExport *export, TupleTableSlot *slot)
{
	append_entity(export, mren_query_string(slot, MREN_EXPORT_HEAD_TYPE),
				  mren_query_string(slot, MREN_EXPORT_HEAD_CANONICAL));
	appendStringInfo(&export->line, " <%srelation/", export->base);
	append_segment(&export->line, mren_query_string(slot, MREN_EXPORT_RELATION));
	appendStringInfoString(&export->line, "> ");
	append_entity(export, mren_query_string(slot, MREN_EXPORT_TAIL_TYPE),
				  mren_query_string(slot, MREN_EXPORT_TAIL_CANONICAL));
}

static void
fact_triple(MrenExport *export, TupleTableSlot *slot)
{
	append_triple(export, slot);
	end_triple(export);
}

/*
 * What is known of a fact
 */

static void
append_fact(MrenExport *export, TupleTableSlot *slot)
{
	appendStringInfo(&export->line, "<%sfact/%s> ", export->base,
					 mren_query_string(slot, MREN_EXPORT_FACT));
}

static void
put_property(MrenExport *export, TupleTableSlot *slot, const char *property, int attno,
			 const char *type)
{
	const char *value = mren_query_string(slot, attno);

	if (value == NULL)
		return;
	append_fact(export, slot);
	appendStringInfo(&export->line, "<%sproperty/%s> \"%s\"^^<" XSD "%s>", export->base, property,
					 value, type);
	end_triple(export);
}

static void
put_reification(MrenExport *export, TupleTableSlot *slot)
{
	append_fact(export, slot);
	appendStringInfoString(&export->line, RDF_TYPE " <" RDF "Statement>");
	end_triple(export);
	append_fact(export, slot);
	appendStringInfoString(&export->line, "<" RDF "subject> ");
	append_entity(export, mren_query_string(slot, MREN_EXPORT_HEAD_TYPE),
				  mren_query_string(slot, MREN_EXPORT_HEAD_CANONICAL));
	end_triple(export);
	append_fact(export, slot);
	appendStringInfo(&export->line, "<" RDF "predicate> <%srelation/", export->base);
	append_segment(&export->line, mren_query_string(slot, MREN_EXPORT_RELATION));
	appendStringInfoChar(&export->line, '>');
	end_triple(export);
	append_fact(export, slot);
	appendStringInfoString(&export->line, "<" RDF "object> ");
	append_entity(export, mren_query_string(slot, MREN_EXPORT_TAIL_TYPE),
				  mren_query_string(slot, MREN_EXPORT_TAIL_CANONICAL));
	end_triple(export);
}

static void
known_fact(MrenExport *export, TupleTableSlot *slot)
{
	char **elements = NULL;
	int n;

	fact_triple(export, slot);
	if (export->rdf12)
	{
		append_fact(export, slot);
		appendStringInfoString(&export->line, "<" RDF "reifies> <<( ");
		append_triple(export, slot);
		appendStringInfoString(&export->line, " )>>");
		end_triple(export);
	}
	else
		put_reification(export, slot);
	put_property(export, slot, "confidence", MREN_EXPORT_CONFIDENCE, "double");
	put_property(export, slot, "sources", MREN_EXPORT_SOURCES, "integer");
	put_property(export, slot, "firstSeen", MREN_EXPORT_FIRST_SEEN, "dateTime");
	put_property(export, slot, "lastSeen", MREN_EXPORT_LAST_SEEN, "dateTime");
	put_property(export, slot, "confirmed", MREN_EXPORT_CONFIRMED, "boolean");
	n = mren_export_list(slot, MREN_EXPORT_DOCUMENTS, &elements);
	for (int i = 0; i < n; i++)
	{
		append_fact(export, slot);
		appendStringInfo(&export->line, WAS_DERIVED_FROM " <%sdocument/", export->base);
		append_segment(&export->line, elements[i]);
		appendStringInfoChar(&export->line, '>');
		end_triple(export);
	}
	n = mren_export_list(slot, MREN_EXPORT_SENTENCES, &elements);
	for (int i = 0; i < n; i++)
	{
		append_fact(export, slot);
		appendStringInfo(&export->line, "<%sproperty/sentence> ", export->base);
		append_literal(&export->line, elements[i]);
		end_triple(export);
	}
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

/* What an export says of each fact: false for nothing. */
static bool
read_provenance(FunctionCallInfo fcinfo, bool *rdf12)
{
	char *provenance = PG_NARGS() > 2 ? mren_arg_text(fcinfo, 2, "provenance") : "none";

	*rdf12 = strcmp(provenance, "rdf12") == 0;
	if (!*rdf12 && strcmp(provenance, "none") != 0 && strcmp(provenance, "reification") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"%s\" is not a form of provenance", provenance),
						errhint("Give \"none\", \"reification\" or \"rdf12\".")));
	return strcmp(provenance, "none") != 0;
}

/* mren.export_ntriples(graph, base_iri), (graph, base_iri, provenance) → SETOF text */
Datum
mren_export_ntriples(PG_FUNCTION_ARGS)
{
	const char *base = mren_arg_text(fcinfo, 1, "base_iri");
	bool rdf12;
	bool provenance = read_provenance(fcinfo, &rdf12);
	MrenExport export;

	check_base(base);
	mren_export_begin(fcinfo, &export, provenance);
	export.base = base;
	export.rdf12 = rdf12;
	mren_export_run(&export, mren_export_entities, entity_triples);
	if (provenance)
		mren_export_run(&export, mren_export_sources, known_fact);
	else
		mren_export_run(&export, mren_export_facts, fact_triple);
	SPI_finish();
	return (Datum) 0;
}
