/*
 * train_rows.c
 *	  The rows of a training query, encoded and written to disk in the trainer's
 *	  order.
 *
 * The query is wrapped in a statement that calls mren.encode_example for each
 * row, so rows are encoded in parallel workers if the plan has them.  If the
 * query has a column "group", it decides which rows are held out and which validate
 * together; that is done here, because an encoded row does not contain its group.
 */
#include "pg/train/train_rows.h"

#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "evaluation/holdout.h"
#include "pg/support/digest.h"
#include "pg/support/pg_env.h"

typedef struct Reader
{
	MrenTrainRows *rows;
	double holdout_share;
} Reader;

static bool
keep_row(void *state, const MrenExample *example)
{
	MrenTrainRows *rows = state;

	if (example->split == MREN_SPLIT_TEST)
	{
		rows->n_test++;
		return true;
	}
	if (example->split == MREN_SPLIT_HOLDOUT || rows->in_holdout)
	{
		/* Held out, too, but judges nothing. */
		if (example->weak)
			return false;
		rows->n_holdout++;
		rows->holdout_key = example->group;
		return false;
	}
	if (rows->visit != NULL)
		rows->visit(rows->state, example);
	return true;
}

/* The key of the group that a column of the generated statement names. */
static uint64
group_key(TupleTableSlot *slot, int column)
{
	bool isnull;
	char *name = TextDatumGetCString(slot_getattr(slot, column, &isnull));
	MrenTextSpan utf8 = mren_pg_utf8(name, strlen(name));
	uint64 key = mren_holdout_group_key(utf8.data, utf8.len);

	if (utf8.data != name)
		pfree((char *) utf8.data);
	pfree(name);
	return key;
}

/* The id of the row, the last column of the generated statement; NULL without one. */
static char *
row_id(const MrenTrainRows *rows, TupleTableSlot *slot)
{
	bool isnull = true;
	Datum value = (Datum) 0;

	if (rows->columns.attno[MREN_COLUMN_ID] > 0)
		value = slot_getattr(slot, slot->tts_tupleDescriptor->natts, &isnull);
	return isnull ? NULL : TextDatumGetCString(value);
}

/* True if the row cannot be used. */
static bool
is_bad(MrenTrainRows *rows, const bytea *row, TupleTableSlot *slot)
{
	MrenRowError error;
	char *id;

	if (!mren_row_error_read(VARDATA_ANY(row), VARSIZE_ANY_EXHDR(row), &error))
		return false;
	id = row_id(rows, slot);
	mren_row_errors_add(&rows->errors, id, rows->n_read, &error);
	if (id != NULL)
		pfree(id);
	return true;
}

/* Sentence and mentions are the last columns before the id. */
static void
check_ranges(MrenTrainRows *rows, TupleTableSlot *slot)
{
	int last = slot->tts_tupleDescriptor->natts - (rows->columns.attno[MREN_COLUMN_ID] > 0 ? 1 : 0);
	MrenPair pair = {0};
	MemoryContext old;
	char *id;

	if (rows->row == NULL)
		rows->row =
			AllocSetContextCreate(rows->context, "mren training row", ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(rows->row);
	old = MemoryContextSwitchTo(rows->row);
	id = row_id(rows, slot);
	slot_getallattrs(slot);
	mren_pair_sentence(&pair, slot->tts_values[last - 3]);
	mren_pair_mentions(&pair, slot->tts_values[last - 2], slot->tts_values[last - 1], true);
	mren_slips_pair(&rows->slips, &pair, id, rows->n_read);
	MemoryContextSwitchTo(old);
}

/* Adds the hash of a row and its group to the sum, which does not depend on the order of rows. */
static void
sum_row(MrenTrainRows *rows, const bytea *row, uint64 key)
{
	pg_cryptohash_ctx *digest = mren_digest_begin();
	uint64 words[lengthof(rows->sum)];

	StaticAssertStmt(sizeof(words) == MREN_SHA256_LENGTH, "a hash is four words");
	mren_digest_add(digest, VARDATA_ANY(row), VARSIZE_ANY_EXHDR(row));
	mren_digest_add(digest, &key, sizeof(key));
	mren_digest_end(digest, (uint8 *) words);
	for (int i = 0; i < (int) lengthof(words); i++)
		rows->sum[i] += words[i];
}

static void
add_row(void *state, TupleTableSlot *slot)
{
	Reader *reader = state;
	MrenTrainRows *rows = reader->rows;
	bool grouped = rows->columns.attno[MREN_COLUMN_GROUP] > 0;
	/* A row whose group is NULL is one of a query without the column. */
	bool together = grouped && !slot_attisnull(slot, 2);
	bool isnull;
	Datum row = slot_getattr(slot, 1, &isnull);
	uint64 group = 0;
	uint64 key = 0;
	int64 n_holdout = rows->n_holdout;
	bytea *record;

	CHECK_FOR_INTERRUPTS();
	rows->n_read++;
	if (rows->visit_id != NULL)
		rows->visit_id(rows->state, row_id(rows, slot));
	if (isnull)
	{
		rows->n_skipped++;
		return;
	}
	record = DatumGetByteaPP(row);
	if (is_bad(rows, record, slot))
		return;
	if (rows->columns.ranges)
		check_ranges(rows, slot);
	if (together)
		group = key = group_key(slot, 2);
	else if (rows->keyed && !rows->numbered)
		key = group_key(slot, grouped ? 3 : 2);
	if (rows->numbered)
		key = (uint64) rows->n_read - 1;
	if (rows->summed)
		sum_row(rows, record, key);
	rows->in_holdout =
		together && reader->holdout_share > 0 && mren_holdout_holds(group, reader->holdout_share);
	mren_train_spill_add(rows->spill, record,
						 &(MrenSpillKeys){together ? &group : NULL, rows->keyed ? &key : NULL},
						 keep_row, rows);
	if (rows->holdout_spill != NULL && rows->n_holdout > n_holdout)
		mren_train_spill_add(rows->holdout_spill, record,
							 &(MrenSpillKeys){NULL, together ? &group : &rows->holdout_key}, NULL,
							 NULL);
}

/* Appends the column of the group, if there is one, and of what is one without, if it is needed. */
static void
append_groups(StringInfo sql, const MrenTrainRows *rows)
{
	const MrenColumns *columns = &rows->columns;

	if (columns->attno[MREN_COLUMN_GROUP] > 0)
		appendStringInfo(sql, ", q.%s::%s", mren_column_name(MREN_COLUMN_GROUP),
						 mren_column_type(MREN_COLUMN_GROUP, columns->ranges));
	if (!rows->keyed || rows->numbered)
		return;
	appendStringInfoString(sql, ", COALESCE(");
	if (columns->attno[MREN_COLUMN_IMAGE] > 0)
		appendStringInfo(sql, "pg_catalog.sha256(q.%s::pg_catalog.bytea)::pg_catalog.text, ",
						 mren_column_name(MREN_COLUMN_IMAGE));
	if (columns->attno[MREN_COLUMN_IMAGE_VECTOR] > 0)
		appendStringInfo(sql, "q.%s::pg_catalog.text, ",
						 mren_column_name(MREN_COLUMN_IMAGE_VECTOR));
	if (columns->attno[MREN_COLUMN_AUDIO] > 0)
		appendStringInfo(sql, "pg_catalog.sha256(q.%s::pg_catalog.bytea)::pg_catalog.text, ",
						 mren_column_name(MREN_COLUMN_AUDIO));
	if (columns->attno[MREN_COLUMN_AUDIO_VECTOR] > 0)
		appendStringInfo(sql, "q.%s::pg_catalog.text, ",
						 mren_column_name(MREN_COLUMN_AUDIO_VECTOR));
	appendStringInfo(sql, "q.%s::pg_catalog.text)", mren_column_name(MREN_COLUMN_SENTENCE));
}

/* JSON's null stands for a row that lacks them, NULL for a query without the column. */
static void
append_probabilities(StringInfo sql, const MrenColumns *columns)
{
	const char *type = mren_column_type(MREN_COLUMN_PROBABILITIES, false);

	if (columns->attno[MREN_COLUMN_PROBABILITIES] > 0)
		appendStringInfo(sql, ", COALESCE(q.%s::%s, 'null')",
						 mren_column_name(MREN_COLUMN_PROBABILITIES), type);
	else
		appendStringInfo(sql, ", NULL::%s", type);
}

/* Calls mren.encode_example with the columns of the query, NULL for those it lacks. */
static void
append_example(StringInfo sql, const MrenColumns *columns, const char *options)
{
	static const MrenColumn order[] = {
		MREN_COLUMN_SENTENCE,  MREN_COLUMN_HEAD,
		MREN_COLUMN_TAIL,	   MREN_COLUMN_RELATION,
		MREN_COLUMN_IMAGE,	   MREN_COLUMN_IMAGE_VECTOR,
		MREN_COLUMN_HEAD_TYPE, MREN_COLUMN_TAIL_TYPE,
		MREN_COLUMN_HEAD_BOX,  MREN_COLUMN_TAIL_BOX,
		MREN_COLUMN_WEIGHT,	   MREN_COLUMN_SPLIT,
		MREN_COLUMN_AUDIO,	   MREN_COLUMN_AUDIO_VECTOR,
		MREN_COLUMN_GOLD, /* the last, after the probabilities */
	};

	appendStringInfo(sql, "mren.encode_example(%s", options);
	for (int i = 0; i < (int) lengthof(order); i++)
	{
		if (order[i] == MREN_COLUMN_GOLD)
			append_probabilities(sql, columns);
		appendStringInfo(sql, ", %s%s::%s", columns->attno[order[i]] > 0 ? "q." : "",
						 columns->attno[order[i]] > 0 ? mren_column_name(order[i]) : "NULL",
						 mren_column_type(order[i], columns->ranges));
	}
	appendStringInfoString(sql, ")");
}

/* $1: the options; $2: those of rows with a group, which hold out no row by its sentence. */
static char *
generate_statement(const MrenTrainRows *rows)
{
	const MrenColumns *columns = &rows->columns;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	if (columns->attno[MREN_COLUMN_GROUP] > 0)
	{
		appendStringInfo(&sql, "CASE WHEN q.%s IS NOT NULL THEN ",
						 mren_column_name(MREN_COLUMN_GROUP));
		append_example(&sql, columns, "$2");
		appendStringInfoString(&sql, " ELSE ");
	}
	append_example(&sql, columns, "$1");
	if (columns->attno[MREN_COLUMN_GROUP] > 0)
		appendStringInfoString(&sql, " END");
	append_groups(&sql, rows);
	if (columns->ranges)
		appendStringInfoString(&sql, ", q.sentence::pg_catalog.text, q.head::pg_catalog.int4range,"
									 " q.tail::pg_catalog.int4range");
	if (columns->attno[MREN_COLUMN_ID] > 0)
		appendStringInfo(&sql, ", q.%s::%s", mren_column_name(MREN_COLUMN_ID),
						 mren_column_type(MREN_COLUMN_ID, columns->ranges));
	appendStringInfo(&sql, " FROM (%s\n) AS q", mren_query_text(rows->query));
	return sql.data;
}

void
mren_train_rows_plan(MrenTrainRows *rows)
{
	uint32 needed = (1u << MREN_COLUMN_SENTENCE) | (1u << MREN_COLUMN_HEAD) |
					(1u << MREN_COLUMN_TAIL) | MREN_LABEL_COLUMNS;

	mren_query_columns(rows->query, needed, &rows->columns);
}

void
mren_train_rows_read(MrenTrainRows *rows, const MrenTrainSetup *setup)
{
	Oid types[] = {JSONBOID, JSONBOID};
	Datum values[] = {JsonbPGetDatum(rows->object),
					  DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(rows->object),
										  CStringGetTextDatum("holdout_share"))};
	Reader reader = {rows, setup->holdout_share};
	MemoryContext old = MemoryContextSwitchTo(rows->context);
	MrenSpillShape shape = {.image_dim =
								setup->image_encoder != NULL ? setup->encoder_row.dimension : 0,
							.grid = setup->grid,
							.audio_dim = setup->audio_dimension};

	rows->spill = mren_train_spill_create(&shape, rows->memory);
	if (rows->keep_holdout && setup->holdout_share > 0)
		rows->holdout_spill = mren_train_spill_create(&shape, rows->memory);
	MemoryContextSwitchTo(old);
	rows->errors.skip = setup->skip_bad;
	rows->errors.context = rows->slips.context = rows->context;
	mren_query_run(generate_statement(rows), lengthof(types), types, values, add_row, &reader);
	if (rows->n_skipped > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld row without sentence, mention or relation was skipped",
							   "%lld rows without sentence, mention or relation were skipped",
							   (unsigned long) rows->n_skipped, (long long) rows->n_skipped)));
	mren_row_errors_notice(&rows->errors, "were skipped");
	mren_slips_warn(&rows->slips);
	mren_train_spill_finish(rows->spill, &rows->source);
	if (rows->holdout_spill != NULL)
		mren_train_spill_finish(rows->holdout_spill, &rows->holdout);
}
