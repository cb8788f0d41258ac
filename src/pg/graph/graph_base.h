/*
 * graph_base.h
 *	  Knowledge graphs: what the files graph_*.c share.
 *
 * A graph is a row of mren.graph and a set of ordinary tables of its owner's.
 * Whatever is done with the tables is done as that owner, in a security
 * restricted operation and with a search_path of nothing but pg_catalog; the
 * source, as the owner too, read-only and with the search_path it was stored
 * with.  So neither source nor tables can act as who calls.
 *
 * What is derived (documents, evidence, entities, all_facts) is a function of
 * the source, the pipeline that scores it, and the tables that the analyst
 * edits (aliases, relations, review): a refresh leaves what a rebuild from
 * nothing gives.
 */
#ifndef MREN_PG_GRAPH_GRAPH_BASE_H
#define MREN_PG_GRAPH_GRAPH_BASE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

#include "pg/catalog/catalog.h"
#include "pg/support/query.h"
#include "pg/support/settings.h"
#include "pg/support/sql_builder.h"

/* What our own statements run with: temporary tables come last. */
#define MREN_GRAPH_PATH "pg_catalog, pg_temp"

/* The layout of the tables that this version makes and works with. */
#define MREN_GRAPH_LAYOUT 3

typedef struct MrenGraphOptions
{
	double threshold;	/* < 0: the model's own */
	int32 max_distance; /* < 0: pairs within a sentence */
	int32 version;		/* 0: the one deployed when a refresh begins */
	int32 tagger_version;
	int32 batch_size; /* most documents of one commit */
	int32 spill_mb;	  /* most of documents kept on disk between two runs of the source */
	bool stop;		  /* at the first document that cannot be scored */
	bool newest;	  /* of rivals of a functional relation, the one seen last wins */
	char language[MREN_LANGUAGE_SIZE]; /* of the documents; "": any */
	bool may_empty;					   /* a source without rows deletes all documents */
	int32 max_pairs_sentence;		   /* the settings of these names */
	int32 max_pairs_document;
	double document_timeout; /* seconds that a document may take; 0: no limit */
} MrenGraphOptions;

typedef struct MrenGraph
{
	int64 id;
	char *name;
	NameData owner;
	Oid owner_id;
	char *schema; /* quoted */
	NameData raw_schema;
	bool made_schema;
	int32 layout;
	char *source;
	char *search_path;
	char *model;
	char *tagger;	/* NULL: none */
	Datum lexicons; /* text[]; 0: none */
	MrenGraphOptions options;
} MrenGraph;

/*
 * mren_graph_open
 *	  The graph of this name (42704), whose owner the current user must be or
 *	  belong to (42501) if `own`; everything in the current context.
 */
extern void mren_graph_open(const char *name, bool own, MrenGraph *graph);

/* The tables and views of a graph, by name. */
#define MREN_GRAPH_N_RELATIONS 21
extern const char *const mren_graph_relation_names[MREN_GRAPH_N_RELATIONS];

/* One of them; invalid if it is gone. */
extern Oid mren_graph_relation(const MrenGraph *graph, const char *name);

/*
 * 42501 if a table or view belongs to a role without the rights of the graph's
 * owner: it could make the owner run code.
 */
extern void mren_graph_check_owners(const MrenGraph *graph);

/* 55000 for tables of another layout than this version's, 42P01 if one is gone; and the above. */
extern void mren_graph_check_layout(const MrenGraph *graph);

/* Reads an options object; 22023 for unknown keys and impossible values. */
extern void mren_graph_options(const Jsonb *object, MrenGraphOptions *options);

/* The number, the integer that an option is; 22023 for what is none of low to high. */
extern double mren_graph_option_number(const char *key, JsonbValue *value, double low, double high,
									   const char *want);
extern int32 mren_graph_option_integer(const char *key, JsonbValue *value, int32 low, int32 high);

/*
 * Acting as the owner, until leave; an error ends it with the
 * (sub)transaction.  search_path NULL: pg_catalog alone.
 */
typedef struct MrenGraphRole
{
	Oid user;
	int sec_context;
	int guc_level;
} MrenGraphRole;

extern void mren_graph_enter(const MrenGraph *graph, const char *search_path, MrenGraphRole *role);
extern void mren_graph_leave(const MrenGraphRole *role);

/*
 * mren_graph_sql
 *	  The statement that n templates make, one after the other, with the graph's
 *	  schema for ${graph} in them (sql_builder.h).
 */
extern char *mren_graph_sql(const MrenGraph *graph, int n, const char *const *templates);

/* The argument ${graph}, for templates that have other arguments as well. */
extern MrenSqlArg mren_graph_arg(const MrenGraph *graph);

/*
 * mren_graph_run
 *	  Runs a finished statement with search_path pg_catalog, whatever it was, so
 *	  that the names and operators in it can mean nothing else.  nulls as SPI has
 *	  them, or NULL.  Returns the number of rows; results are in SPI_tuptable.
 */
extern uint64 mren_graph_run(const char *sql, int n, const Oid *types, const Datum *values,
							 const char *nulls);

/* The same for a statement of one template. */
extern uint64 mren_graph_run_sql(const MrenGraph *graph, const char *template, int n,
								 const Oid *types, const Datum *values, const char *nulls);

/*
 * Processor time of this process in seconds: what the size of batches goes by, so that beside
 * other load they do not become so small that merging them takes more time than reading.
 */
extern double mren_graph_processor_seconds(void);

/* A column of the first row of the last result, copied into `context`; 0 if NULL. */
extern Datum mren_graph_result(int attno, MemoryContext context, bool *isnull);

/*
 * The lock of who refreshes, merges, upgrades or drops a graph (task_lock.h, of
 * the row in mren.graph): true once held.  Kept to the transaction's end if
 * `transaction`, else until mren_graph_unlock, through commits.  False: another
 * session has it, which a NOTICE says.
 */
extern bool mren_graph_lock(const MrenGraph *graph, bool transaction);
extern void mren_graph_unlock(const MrenGraph *graph);

/* graph_tables.c: creates what is missing of the present layout, as the current user. */
extern void mren_graph_make_tables(const MrenGraph *graph);
extern void mren_graph_drop_tables(const MrenGraph *graph);

/*
 * graph_merge.c: from evidence to entities and facts, as the owner.
 */

/* What a change of evidence touched; arrays of uuid, 0 for none. */
typedef struct MrenTouched
{
	Datum facts;
	Datum entities;
} MrenTouched;

/* Adds `more` to `all`; the arrays may name a fact or an entity twice. */
extern void mren_graph_touch(MrenTouched *all, const MrenTouched *more);

/* The same with what the last result holds, as MREN_GRAPH_SQL_TOUCHED gives it. */
extern void mren_graph_read_touched(MrenTouched *touched, MemoryContext context);

/*
 * mren_graph_remerge
 *	  Records what new reviews judged.  If aliases, relations or ICU differ from
 *	  the last merge, resolves all evidence anew and merges everything; true if
 *	  so.
 */
extern bool mren_graph_remerge(const MrenGraph *graph);
/* Recomputes what was touched, and what reviews changed. */
extern void mren_graph_merge(const MrenGraph *graph, const MrenTouched *touched);

/*
 * graph_candidates.c: the schema of an extension of PostgreSQL's, NULL if it is
 * not installed; as the owner.
 */
extern char *mren_graph_extension_schema(const char *extension);

/*
 * graph_candidates.c, as the owner: drops the undecided proposals to merge entities (all, or
 * those for their key); proposes those that are linked to one key, and accepts them if asked;
 * the number of proposals.
 */
extern void mren_graph_drop_proposals(const MrenGraph *graph, bool all);
extern uint64 mren_graph_propose_same_key(const MrenGraph *graph, bool accept, int64 most);

/* graph_merge_call.c: ends a JSON object with the numbers of documents, entities and facts. */
extern void mren_graph_append_counts(StringInfo json, const MrenGraph *graph);

/*
 * graph_confidence.c: fits the confidence that is shown to the reviewed facts, if they differ
 * from those of the last fit.
 */
extern void mren_graph_calibrate(const MrenGraph *graph);

/*
 * graph_pipeline.c, as the owner.
 */

/* What scores: the same bytes, the same evidence from a document. */
typedef struct MrenPipeline
{
	uint8 sha256[MREN_SHA256_LENGTH];
	int32 version;
	int32 tagger_version; /* 0: no tagger */
	bool rules;			  /* the table of relations has rows */
	char *negative;		  /* relation, or NULL */
	bool directed;		  /* relations like "Cause-Effect(e1,e2)" */
	Datum relations;	  /* text[], of the model */
} MrenPipeline;

/* Rights on model, tagger and lexicons are checked as the current user's. */
extern void mren_graph_pipeline(const MrenGraph *graph, MrenPipeline *pipeline);

/*
 * The model's relations that are not in the table of relations: inserted into it
 * if `insert`, otherwise named in a NOTICE as ignored.
 */
extern void mren_graph_relations(const MrenGraph *graph, const MrenPipeline *pipeline, bool insert);

/* A NOTICE for each type and relation in the graph's table of relations that matches nothing. */
extern void mren_graph_notice_relations(const MrenGraph *graph, const MrenPipeline *pipeline);

/*
 * graph_score.c: documents to evidence, as the owner.
 */

/* One document to bring up to date. */
typedef struct MrenGraphDocument
{
	char action; /* n(ew) c(hanged) o(lder pipeline) t(ime) d(eleted) */
	Datum key;	 /* text */
	Datum hash;	 /* bytea; this and the rest 0 for a deleted one, or if NULL */
	Datum text;
	Datum image;
	Datum vector; /* text of a real[] */
	Datum seen_at;
	bool has_seen_at;
} MrenGraphDocument;

/* What was not read. */
typedef struct MrenUnread
{
	int64 failed; /* documents */
	int64 skipped_pairs;
} MrenUnread;

/* What was read in a batch (graph_reading.h).  rows NULL: nothing was, or reading failed. */
typedef struct MrenReading
{
	Tuplestorestate *rows;
	int64 skipped_pairs;
	int failed; /* the document at which reading failed, perhaps; -1: it did not */
} MrenReading;

/* Documents that are brought up to date in one transaction. */
typedef struct MrenGraphBatch
{
	MrenGraphDocument *documents;
	int n;
	MrenReading reading; /* of those to be read, in their order */
} MrenGraphBatch;

/* The documents of some actions, in their order, at the front of `to`; their number. */
#define MREN_GRAPH_TO_READ "nco"
extern int mren_graph_pick(const MrenGraphDocument *from, int n, const char *actions,
						   MrenGraphDocument *to);

/* Brings a batch up to date and merges; adds to `unread`. */
extern void mren_graph_score(const MrenGraph *graph, const MrenPipeline *pipeline,
							 const MrenGraphBatch *batch, TimestampTz stamp, MrenUnread *unread);

/* Tells of documents that could not be scored, and of pairs that were left out. */
extern void mren_graph_report_unread(const MrenGraph *graph, const MrenUnread *unread);

/*
 * graph_source.c: what differs between the source and the graph's documents.
 */
typedef struct MrenGraphWork MrenGraphWork;

/* The source as a query; an error for a column that is missing or of a wrong type. */
extern char *mren_graph_source(const char *source);

typedef struct MrenGraphWorkCounts
{
	int64 documents; /* rows of the source */
	int64 created;
	int64 changed;
	int64 older;
	int64 retimed;
	int64 deleted;
	bool unused_images; /* there are images, but the model was trained without */
	bool whole;			/* all of it fits in the work; else the source must be run again */
} MrenGraphWorkCounts;

/*
 * mren_graph_work_read
 *	  Runs the source and keeps what must be done, in the current context and
 *	  through commits, up to the graph's option spill_mb.  55000 for a source
 *	  without rows, if the graph has documents and nothing says that this is meant.
 */
extern MrenGraphWork *mren_graph_work_read(const MrenGraph *graph, const MrenPipeline *pipeline,
										   MrenGraphWorkCounts *counts);
/* Up to n documents, in the current context, and not much more than max_bytes; 0 at the end. */
extern int mren_graph_work_next(MrenGraphWork *work, MrenGraphDocument *documents, int n,
								size_t max_bytes);
extern void mren_graph_work_free(MrenGraphWork *work);

/*
 * graph_read.c: queries over a graph for a caller who has USAGE on its schema
 * and SELECT on the relations that are read (42501 otherwise).  They run as the
 * graph's owner, read-only, under the active snapshot: the owner may have put
 * any function into a view, and it must not run with the rights of a reader.
 */
extern void mren_graph_check_readable(const MrenGraph *graph, const char *relation);
extern void mren_graph_query(const MrenGraph *graph, const char *sql, int n, const Oid *types,
							 const Datum *values, MrenRowVisitor visit, void *state);

/* A NOTICE, with a name that is nearly the same, if no entity or alias has this one (text). */
extern void mren_graph_notice_unknown(const MrenGraph *graph, Datum name);

/* An integer argument from 1 to `most`; 22004 if NULL, 22023 if out of range. */
extern int32 mren_graph_bounded(FunctionCallInfo fcinfo, int arg, const char *name, int32 most);

/*
 * graph_run.c: the record of a refresh.
 */
extern int64 mren_graph_run_begin(const MrenGraph *graph);
/* That a refresh did nothing because another session has the graph's lock. */
extern void mren_graph_run_busy(const MrenGraph *graph);
/* total, seconds_left < 0: unknown */
extern void mren_graph_run_progress(int64 run, const char *phase, int64 done, int64 total,
									double per_second, double seconds_left);
extern void mren_graph_run_succeed(int64 run, Datum summary);
extern void mren_graph_run_fail(int64 run, const ErrorData *error);
/* In a row of its own, which stays whatever becomes of the transaction. */
extern void mren_graph_run_fail_outside(const MrenGraph *graph, TimestampTz started_at,
										const ErrorData *error);

#endif
