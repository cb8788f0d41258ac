/*
 * graph_statements.h
 *	  The statements that make evidence, entities and facts; what each takes and
 *	  gives stands at its text.
 *
 * resolve is common table expressions, between "WITH RECURSIVE mention AS (...),"
 * and one of reresolve, judge_facts and place; score begins so itself.
 */
#ifndef MREN_PG_GRAPH_GRAPH_STATEMENTS_H
#define MREN_PG_GRAPH_GRAPH_STATEMENTS_H

extern const char mren_graph_sql_resolve[];
extern const char mren_graph_sql_renormalize[];
extern const char mren_graph_sql_reresolve[];
extern const char mren_graph_sql_merge_facts[];
extern const char mren_graph_sql_merge_verdicts[];
extern const char mren_graph_sql_judge_facts[];
extern const char mren_graph_sql_merge_entities[];
extern const char mren_graph_sql_score[];
extern const char mren_graph_sql_place[];

/* The facts, and the entities, that rows of evidence touch, as two arrays. */
#define MREN_GRAPH_SQL_TOUCHED(rows)                                                               \
	"SELECT (SELECT array_agg(DISTINCT k.fact) FROM " rows " k WHERE k.fact IS NOT NULL),"         \
	" (SELECT array_agg(k.x) FROM (SELECT r.head_entity FROM " rows " r UNION"                     \
	"  SELECT r.tail_entity FROM " rows " r) k (x))"

#endif
