/*
 * self_train_query.c
 *	  The query of the rows that a self-training learns: labelled rows, and those that two
 *	  models are surest of.
 *
 * The query asks the models itself, so it can be stored with the version and run again.  It
 * asks their deployed versions: a retraining of the model learns from views that were
 * retrained before it.
 */
#include "pg/retrain/self_train_query.h"

#include "pg/support/query.h"
#include "pg/support/sql_builder.h"

/* What a row of the pool has of a column: its own value, or what its labels are made of. */
static void
add_pool_column(StringInfo sql, const MrenColumns *pool, MrenColumn column, const char *type)
{
	if (column == MREN_COLUMN_PROBABILITIES)
		appendStringInfoString(sql, "t.probabilities");
	else if (column == MREN_COLUMN_GOLD)
		appendStringInfoString(sql, "false");
	else if (column == MREN_COLUMN_RELATION || pool->attno[column] == 0)
		appendStringInfo(sql, "NULL::%s", type);
	else
		appendStringInfo(sql, "q.%s::%s", mren_column_name(column), type);
}

static void
add_labelled_column(StringInfo sql, const MrenColumns *labelled, MrenColumn column,
					const char *type)
{
	if (labelled->attno[column] > 0)
		appendStringInfo(sql, "q.%s::%s", mren_column_name(column), type);
	else if (column == MREN_COLUMN_GOLD)
		appendStringInfoString(sql, "q.relation IS NOT NULL");
	else
		appendStringInfo(sql, "NULL::%s", type);
}

/* The columns of one half of the union; both halves have the same. */
static void
add_columns(StringInfo sql, const MrenColumns *labelled, const MrenColumns *pool, bool of_pool)
{
	const char *separator = "SELECT ";

	for (MrenColumn column = MREN_COLUMN_SENTENCE; column < MREN_N_COLUMNS; column++)
	{
		const char *type = mren_column_type(column, labelled->ranges);

		if (labelled->attno[column] == 0 && column != MREN_COLUMN_PROBABILITIES &&
			column != MREN_COLUMN_GOLD)
			continue;
		appendStringInfoString(sql, separator);
		if (of_pool)
			add_pool_column(sql, pool, column, type);
		else
			add_labelled_column(sql, labelled, column, type);
		appendStringInfo(sql, " AS %s", mren_column_name(column));
		separator = ", ";
	}
}

/* The rows of the pool with the greatest confidence, of each relation that a view predicts. */
static void
add_taught(StringInfo sql, const char *pool, const char *view, const char *share)
{
	mren_sql_add(sql,
				 "SELECT s.id, s.probabilities FROM (SELECT p.id, p.probabilities,"
				 " pg_catalog.row_number() OVER (PARTITION BY p.relation"
				 " ORDER BY p.confidence DESC, p.id) AS place,"
				 " pg_catalog.count(*) OVER (PARTITION BY p.relation) AS n"
				 " FROM mren.predict_rows_proba(${model}, ${pool}) AS p) AS s"
				 " WHERE s.place OPERATOR(pg_catalog.<=)"
				 " pg_catalog.ceil(s.n OPERATOR(pg_catalog.*) ${share}::pg_catalog.float8)",
				 MREN_SQL_ARGS(mren_sql_literal("model", view), mren_sql_literal("pool", pool),
							   mren_sql_literal("share", share)));
}

char *
mren_self_train_query(const MrenSelfTrainRows *rows, char *const views[2])
{
	char *labelled_text = mren_query_text(rows->labelled);
	char *pool_text = mren_query_text(rows->unlabelled);
	char *share = psprintf("%.17g", rows->surest);
	MrenColumns labelled;
	MrenColumns pool;
	StringInfoData sql;

	mren_self_train_columns(rows, &labelled, &pool);
	initStringInfo(&sql);
	add_columns(&sql, &labelled, &pool, false);
	mren_sql_add(&sql, " FROM ${labelled} AS q UNION ALL ",
				 MREN_SQL_ARGS(mren_sql_query("labelled", labelled_text)));
	add_columns(&sql, &labelled, &pool, true);
	mren_sql_add(&sql, " FROM ${pool} AS q JOIN (",
				 MREN_SQL_ARGS(mren_sql_query("pool", pool_text)));
	add_taught(&sql, pool_text, views[0], share);
	appendStringInfoString(&sql, " UNION ALL ");
	add_taught(&sql, pool_text, views[1], share);
	appendStringInfo(&sql, ") AS t ON t.id OPERATOR(pg_catalog.=) q.id::%s",
					 mren_column_type(MREN_COLUMN_ID, false));
	return sql.data;
}

void
mren_self_train_columns(const MrenSelfTrainRows *rows, MrenColumns *labelled, MrenColumns *pool)
{
	const uint32 pair =
		(1u << MREN_COLUMN_SENTENCE) | (1u << MREN_COLUMN_HEAD) | (1u << MREN_COLUMN_TAIL);

	mren_query_columns(rows->labelled, pair | (1u << MREN_COLUMN_RELATION), labelled);
	mren_query_columns(rows->unlabelled, pair | (1u << MREN_COLUMN_ID), pool);
	if (labelled->ranges != pool->ranges)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("the mentions are %s in the labelled rows, but %s in the "
							   "unlabelled rows",
							   labelled->ranges ? "int4range" : "text",
							   pool->ranges ? "int4range" : "text"),
						errhint("Give head and tail the same type in both queries.")));
}
