/*
 * votes_query.c
 *	  Votes and gold rows, read in the order of their ids.
 *
 * The server sorts, within work_mem; a row's votes are then next to each other, and
 * only the distinct patterns are kept in memory.
 */
#include "pg/labels/votes_query.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "pg/support/pg_env.h"
#include "pg/support/query.h"
#include "pg/support/sql_builder.h"

/* The columns of the generated statement. */
enum
{
	VOTE_ID = 1,
	VOTE_SOURCE,
	VOTE_RELATION,
	VOTE_IS_GOLD
};

typedef struct Reader
{
	MrenVotes *votes;
	Tuplestorestate *rows;
	TupleDesc desc;
	text *id; /* of the row under way, in kept; NULL: none */
	MemoryContext kept;
	MemoryContext scratch; /* of the vote under way */
} Reader;

static const char votes_sql[] =
	"SELECT v.id::pg_catalog.text AS id, v.source::pg_catalog.text AS source,"
	" v.relation::pg_catalog.text AS relation, false AS gold FROM ${votes} v"
	" WHERE v.relation IS NOT NULL";
static const char gold_sql[] =
	" UNION ALL SELECT g.id::pg_catalog.text, NULL, g.relation::pg_catalog.text, true"
	" FROM ${gold} g WHERE g.relation IS NOT NULL";

/* An error for a query without a column. */
static void
check_columns(const char *query, bool gold)
{
	TupleDesc desc = mren_query_describe(query);

	if (mren_query_find(desc, "id") == 0)
		mren_query_lacks(desc, "id");
	if (!gold && mren_query_find(desc, "source") == 0)
		mren_query_lacks(desc, "source");
	if (mren_query_find(desc, "relation") == 0)
		mren_query_lacks(desc, "relation");
}

static char *
statement(const char *votes, const char *gold)
{
	StringInfoData sql;

	initStringInfo(&sql);
	mren_sql_add(&sql, "SELECT u.id, u.source, u.relation, u.gold FROM (", 0, NULL);
	mren_sql_add(&sql, votes_sql, MREN_SQL_ARGS(mren_sql_query("votes", mren_query_text(votes))));
	if (gold != NULL)
		mren_sql_add(&sql, gold_sql, MREN_SQL_ARGS(mren_sql_query("gold", mren_query_text(gold))));
	mren_sql_add(&sql, ") u ORDER BY u.id COLLATE pg_catalog.\"C\"", 0, NULL);
	return sql.data;
}

static void
end_row(Reader *reader)
{
	uint32 pattern;
	MrenError err;

	if (reader->id == NULL)
		return;
	MREN_PG_CALL(err, mren_votes_end_row(reader->votes, &pattern, &err));
	if (pattern != MREN_NO_PATTERN && reader->rows != NULL)
	{
		Datum values[] = {PointerGetDatum(reader->id), Int32GetDatum((int32) pattern)};
		bool nulls[] = {false, false};

		tuplestore_putvalues(reader->rows, reader->desc, values, nulls);
	}
	reader->id = NULL;
}

static bool
same_text(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		   memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

static void
begin_row(Reader *reader, text *id)
{
	MemoryContext old;

	if (reader->id != NULL && same_text(reader->id, id))
		return;
	end_row(reader);
	MemoryContextReset(reader->kept);
	old = MemoryContextSwitchTo(reader->kept);
	reader->id = (text *) PG_DETOAST_DATUM_COPY(PointerGetDatum(id));
	reader->votes->id = mren_datum_utf8(PointerGetDatum(reader->id));
	MemoryContextSwitchTo(old);
}

/* A vote, or the relation of a gold row. */
static void
take_vote(Reader *reader, TupleTableSlot *slot)
{
	bool id_null;
	Datum id = slot_getattr(slot, VOTE_ID, &id_null);
	bool source_null;
	Datum source = slot_getattr(slot, VOTE_SOURCE, &source_null);
	bool isnull;
	MrenTextSpan relation = mren_datum_utf8(slot_getattr(slot, VOTE_RELATION, &isnull));
	bool gold = DatumGetBool(slot_getattr(slot, VOTE_IS_GOLD, &isnull));
	MrenError err;

	if (id_null)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("column \"id\" of the %s must not be null", gold ? "gold rows" : "votes")));
	begin_row(reader, DatumGetTextPP(id));
	if (gold)
	{
		MREN_PG_CALL(err, mren_votes_add_gold(reader->votes, relation, &err));
		return;
	}
	if (source_null)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("column \"source\" of the votes must not be null"),
						errdetail("It is null on row \"%s\".", text_to_cstring(reader->id))));
	MREN_PG_CALL(err, mren_votes_add(reader->votes, mren_datum_utf8(source), relation, &err));
}

static void
visit(void *state, TupleTableSlot *slot)
{
	Reader *reader = state;
	MemoryContext old = MemoryContextSwitchTo(reader->scratch);

	take_vote(reader, slot);
	MemoryContextSwitchTo(old);
	MemoryContextReset(reader->scratch);
}

static void
notice_unknown(const MrenVotes *votes)
{
	if (votes->n_unvoted > 0)
		ereport(NOTICE, (errmsg("gold rows without votes: %llu of %llu",
								(unsigned long long) votes->n_unvoted,
								(unsigned long long) (votes->n_unvoted + votes->n_gold_rows))));
	if (votes->n_unknown > 0)
		ereport(NOTICE, (errmsg("gold rows with a relation that no source votes for: %llu of %llu",
								(unsigned long long) votes->n_unknown,
								(unsigned long long) votes->n_gold_rows),
						 errdetail("One of these relations is \"%s\".",
								   mren_vote_name(&votes->relations, votes->unknown))));
}

void
mren_votes_read(const char *votes_query, const char *gold_query, MrenVotes *votes,
				Tuplestorestate *rows, TupleDesc desc)
{
	Reader reader = {.votes = votes, .rows = rows, .desc = desc};
	MrenError err;

	SPI_connect();
	check_columns(votes_query, false);
	if (gold_query != NULL)
		check_columns(gold_query, true);
	reader.kept =
		AllocSetContextCreate(CurrentMemoryContext, "mren voted row", ALLOCSET_SMALL_SIZES);
	reader.scratch = AllocSetContextCreate(CurrentMemoryContext, "mren vote", ALLOCSET_SMALL_SIZES);
	mren_query_run(statement(votes_query, gold_query), 0, NULL, NULL, visit, &reader);
	end_row(&reader);
	SPI_finish();
	MREN_PG_CALL(err, mren_votes_finish(votes, &err));
	notice_unknown(votes);
}

Tuplestorestate *
mren_voted_rows(TupleDesc *desc)
{
	*desc = CreateTemplateTupleDesc(2);
	TupleDescInitEntry(*desc, MREN_VOTED_ID, "id", TEXTOID, -1, 0);
	TupleDescInitEntry(*desc, MREN_VOTED_PATTERN, "pattern", INT4OID, -1, 0);
	return tuplestore_begin_heap(false, false, work_mem);
}

const char *
mren_vote_name(const MrenNames *names, uint32 rank)
{
	return text_to_cstring(mren_server_text(mren_names_get(names, rank)));
}
