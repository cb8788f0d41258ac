/*
 * graph_schema.c
 *	  mren.learn_relation_schema: a relation schema from annotated documents.
 *
 * check-qualified: search_path is pinned by mren_graph_run.
 */
#include "pg/graph/graph_base.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"

#include "pg/graph/graph_gold.h"
#include "pg/support/args.h"

PG_FUNCTION_INFO_V1(mren_learn_relation_schema);

/*
 * Types between which a fact of the relation is annotated.  The converse of a relation is itself or
 * another one whose converse it is: nine tenths of the facts of either, ten or more, have it the
 * other way round.
 */
static const char schema[] =
	"WITH " MREN_GRAPH_SQL_GOLD ","
	" kind AS MATERIALIZED (SELECT DISTINCT g.document, g.entity, g.type FROM gold g"
	"  WHERE g.part = 'mention' AND g.type IS NOT NULL),"
	" fact AS MATERIALIZED (SELECT DISTINCT g.document, g.head, g.relation, g.tail FROM gold g"
	"  WHERE g.part = 'fact' AND g.head IS NOT NULL AND g.relation IS NOT NULL"
	"   AND g.tail IS NOT NULL),"
	" counted AS MATERIALIZED (SELECT f.relation, count(*) AS n FROM fact f GROUP BY f.relation),"
	" closest AS MATERIALIZED (SELECT DISTINCT ON (f.relation) f.relation, o.relation AS other"
	"  FROM fact f JOIN counted n ON n.relation = f.relation"
	"  JOIN fact o ON o.document = f.document AND o.head = f.tail AND o.tail = f.head"
	"  JOIN counted m ON m.relation = o.relation GROUP BY f.relation, o.relation, n.n, m.n"
	"  HAVING LEAST(n.n, m.n) >= 10 AND count(*) >= 0.9 * GREATEST(n.n, m.n)"
	"  ORDER BY f.relation, o.relation = f.relation DESC, count(*) DESC, o.relation COLLATE \"C\"),"
	" converse AS (SELECT c.* FROM closest c"
	"  JOIN closest b ON b.relation = c.other AND b.other = c.relation)"
	" SELECT f.relation, h.type, t.type, COALESCE(c.other = f.relation, false),"
	"  NULLIF(c.other, f.relation), count(DISTINCT (f.document, f.head, f.tail))"
	" FROM fact f LEFT JOIN kind h ON h.document = f.document AND h.entity = f.head"
	" LEFT JOIN kind t ON t.document = f.document AND t.entity = f.tail"
	" LEFT JOIN converse c ON c.relation = f.relation"
	" GROUP BY f.relation, h.type, t.type, c.other"
	" ORDER BY f.relation COLLATE \"C\", h.type COLLATE \"C\", t.type COLLATE \"C\"";

/* mren.learn_relation_schema(gold) → TABLE (relation, head_type, tail_type, symmetric, inverse_of, facts) */
Datum
mren_learn_relation_schema(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char *gold = mren_arg_query(fcinfo, 0, "gold");
	Oid types[MREN_N_GOLD];
	Datum values[MREN_N_GOLD];
	uint64 n;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	mren_graph_gold_read(gold, types, values);
	n = mren_graph_run(schema, MREN_N_GOLD, types, values, NULL);
	for (uint64 i = 0; i < n; i++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
	SPI_finish();
	return (Datum) 0;
}
