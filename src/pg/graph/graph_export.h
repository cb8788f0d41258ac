/*
 * graph_export.h
 *	  What the exports share: the statements that they run, and lines that go out.
 *
 * Facts as the view facts has them, neither superseded nor rejected, and the
 * entities that they join, in an order that depends on nothing but the graph.
 */
#ifndef MREN_PG_GRAPH_GRAPH_EXPORT_H
#define MREN_PG_GRAPH_GRAPH_EXPORT_H

#include "pg/graph/graph_base.h"

#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"

/* Where lines go, and what writes a row as lines. */
typedef struct MrenExport
{
	MrenGraph graph;
	ReturnSetInfo *rsinfo;
	StringInfoData line;
	MemoryContext row; /* reset after each row */
	void (*write)(struct MrenExport *export, TupleTableSlot *slot);
	const char *base; /* RDF: the IRI that others begin with */
	bool rdf12;
} MrenExport;

/* The columns of mren_export_entities. */
enum
{
	MREN_EXPORT_ENTITY = 1,
	MREN_EXPORT_TYPE, /* '' for none */
	MREN_EXPORT_CANONICAL,
	MREN_EXPORT_NAME,
	MREN_EXPORT_KEY /* in the authority file; NULL for none */
};

/* The columns of mren_export_facts; the last two only of mren_export_sources. */
enum
{
	MREN_EXPORT_HEAD_TYPE = 1, /* '' for none */
	MREN_EXPORT_HEAD_CANONICAL,
	MREN_EXPORT_RELATION,
	MREN_EXPORT_TAIL_TYPE,
	MREN_EXPORT_TAIL_CANONICAL,
	MREN_EXPORT_HEAD_ENTITY,
	MREN_EXPORT_TAIL_ENTITY,
	MREN_EXPORT_HEAD,
	MREN_EXPORT_SHOWN_HEAD_TYPE, /* NULL for none */
	MREN_EXPORT_TAIL,
	MREN_EXPORT_SHOWN_TAIL_TYPE,
	MREN_EXPORT_CONFIDENCE,
	MREN_EXPORT_SOURCES,
	MREN_EXPORT_FIRST_SEEN,
	MREN_EXPORT_LAST_SEEN,
	MREN_EXPORT_CONFIRMED,
	MREN_EXPORT_FACT,
	MREN_EXPORT_DOCUMENTS, /* text[] */
	MREN_EXPORT_SENTENCES  /* text[] */
};

extern const char mren_export_entities[];
extern const char mren_export_facts[];
/* With times as XML Schema's dateTime, and where the facts are from. */
extern const char mren_export_sources[];

/* Connects to SPI and opens the graph, which the caller must be allowed to read. */
extern void mren_export_begin(FunctionCallInfo fcinfo, MrenExport *export, bool sources);
extern void mren_export_run(MrenExport *export, const char *sql,
							void (*write)(MrenExport *export, TupleTableSlot *slot));
/* The line goes out, and the next begins. */
extern void mren_export_line(MrenExport *export);
/* A column of type text[] as its elements; their number. */
extern int mren_export_list(TupleTableSlot *slot, int attno, char ***elements);

/* What stands for the parts of a text that a format cannot hold as they are. */
typedef struct MrenEscapes
{
	const char *control; /* printf's format for other control characters; NULL: as they are */
	int n;
	const char *(*replacements)[2]; /* part and what stands for it */
} MrenEscapes;

#define MREN_ESCAPES(control, list)                                                                \
	{                                                                                              \
		control, lengthof(list), list                                                              \
	}

extern void mren_export_escape(StringInfo line, const char *text, const MrenEscapes *escapes);

#endif
