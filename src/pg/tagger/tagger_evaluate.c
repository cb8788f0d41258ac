/*
 * tagger_evaluate.c
 *	  mren.evaluate_tagger: the mentions that a tagger finds in the sentences of
 *	  a query, compared with those that the query gives.
 *
 * A mention is correct if both its place and its type are.  The tagger reads
 * the sentence as text; tokens are joined by spaces.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/names.h"
#include "pg/support/args.h"
#include "pg/support/compat.h"
#include "pg/support/query.h"
#include "pg/tagger/tag_gold.h"
#include "pg/tagger/tagger_model.h"

PG_FUNCTION_INFO_V1(mren_evaluate_tagger);

typedef struct Counts
{
	int64 gold;
	int64 found;
	int64 correct;
} Counts;

typedef struct Evaluation
{
	const char *name;
	MrenMentionTagger *tagger;
	MrenGoldColumns columns;
	MrenEnv env;
	MrenNames types; /* in UTF-8 */
	Counts *counts;	 /* by the number that mren_names_intern gave the type */
	size_t capacity;
	int64 n;
	int64 n_seen; /* sentences that the tagger was trained on */
	MemoryContext row;
	MrenSpanSlips slips;
} Evaluation;

static Counts *
counts_of(Evaluation *evaluation, MrenTextSpan type)
{
	size_t before = evaluation->types.n;
	uint32_t number;
	MrenError err;

	MREN_PG_CALL(err, mren_names_intern(&evaluation->env, &evaluation->types, type, &number, &err));
	MREN_PG_CALL(err, mren_grow(&evaluation->env, &evaluation->counts, &evaluation->capacity,
								before, evaluation->types.n, sizeof(Counts), &err));
	if (evaluation->types.n > before)
		evaluation->counts[number] = (Counts){0};
	return &evaluation->counts[number];
}

static void
count_mentions(Evaluation *evaluation, const MrenGold *gold)
{
	int n;
	MrenTaggedMention *found =
		mren_mention_tagger_tag(evaluation->tagger, gold->sentence.data, gold->sentence.len, &n);
	int g = 0;

	for (int i = 0; i < gold->n; i++)
		counts_of(evaluation, gold->mentions[i].type)->gold++;
	for (int i = 0; i < n; i++)
	{
		MrenTextSpan utf8 = mren_pg_utf8(found[i].type, strlen(found[i].type));
		MrenTextSpan type = {utf8.data, utf8.len};
		Counts *counts = counts_of(evaluation, type);

		counts->found++;
		while (g < gold->n && gold->mentions[g].start < (uint32_t) found[i].start)
			g++;
		if (g < gold->n && gold->mentions[g].start == (uint32_t) found[i].start &&
			gold->mentions[g].end == (uint32_t) found[i].end &&
			mren_text_span_compare(gold->mentions[g].type, type) == 0)
			counts->correct++;
	}
}

/* Columns are those of mren_gold_list. */
static void
count_row(void *state, TupleTableSlot *slot)
{
	Evaluation *evaluation = state;
	int n_labels = evaluation->columns.tokens ? 2 : 3;
	MemoryContext old = MemoryContextSwitchTo(evaluation->row);
	MrenGold gold;

	CHECK_FOR_INTERRUPTS();
	MemoryContextReset(evaluation->row);
	slot_getallattrs(slot);
	evaluation->n++;
	for (int i = 0; i < n_labels; i++)
	{
		if (slot->tts_isnull[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("row %lld of the query has no words or no labels",
								   (long long) evaluation->n),
							errhint("Leave such rows out with WHERE.")));
	}
	if (evaluation->columns.tokens)
		mren_gold_tags(slot->tts_values[0], slot->tts_values[1], &gold);
	else
		mren_gold_mentions(slot->tts_values[0], slot->tts_values[1], slot->tts_values[2], &gold);
	if (mren_mention_tagger_trained_on(evaluation->tagger,
									   mren_gold_group(&gold, !slot->tts_isnull[n_labels + 2],
													   slot->tts_values[n_labels + 2])))
		evaluation->n_seen++;
	count_mentions(evaluation, &gold);
	if (!evaluation->columns.tokens)
		mren_gold_slips(&gold, &evaluation->slips, evaluation->n);
	MemoryContextSwitchTo(old);
}

static void
warn_of_seen(const Evaluation *evaluation)
{
	if (evaluation->n_seen == 0)
		return;
	ereport(WARNING,
			(errmsg("version %d of tagger \"%s\" was trained on %lld of these %lld sentences "
					"(%.1f %%)",
					mren_mention_tagger_version(evaluation->tagger), evaluation->name,
					(long long) evaluation->n_seen, (long long) evaluation->n,
					100.0 * (double) evaluation->n_seen / (double) evaluation->n),
			 errhint("Evaluate a tagger on sentences that it was not trained on.")));
}

typedef struct Figures
{
	double precision;
	double recall;
	double f1;
} Figures;

/* 0 where the denominator is 0, as in mren.evaluate. */
static Figures
figures_of(const Counts *counts)
{
	Figures figures = {0, 0, 0};

	if (counts->found > 0)
		figures.precision = (double) counts->correct / (double) counts->found;
	if (counts->gold > 0)
		figures.recall = (double) counts->correct / (double) counts->gold;
	if (counts->correct > 0)
		figures.f1 = 2.0 * (double) counts->correct / (double) (counts->found + counts->gold);
	return figures;
}

static void
put_row(ReturnSetInfo *rsinfo, const char *type, const Figures *figures, int64 support)
{
	Datum values[] = {CStringGetTextDatum(type), Float8GetDatum(figures->precision),
					  Float8GetDatum(figures->recall), Float8GetDatum(figures->f1),
					  Int64GetDatum(support)};
	bool nulls[5] = {false};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* One row for each type, in bytewise order, then the averages. */
static void
put_figures(const Evaluation *evaluation, ReturnSetInfo *rsinfo)
{
	Counts all = {0};
	Figures micro;
	Figures macro = {0, 0, 0};
	double n = Max((double) evaluation->types.n, 1);

	for (size_t i = 0; i < evaluation->types.n; i++)
	{
		const Counts *counts = &evaluation->counts[evaluation->types.sorted[i]];
		MrenTextSpan type = mren_names_get(&evaluation->types, i);
		char *name = pg_any_to_server(pnstrdup(type.data, type.len), type.len, PG_UTF8);
		Figures figures = figures_of(counts);

		put_row(rsinfo, name, &figures, counts->gold);
		all.gold += counts->gold;
		all.found += counts->found;
		all.correct += counts->correct;
		macro.precision += figures.precision / n;
		macro.recall += figures.recall / n;
		macro.f1 += figures.f1 / n;
	}
	micro = figures_of(&all);
	put_row(rsinfo, "micro avg", &micro, all.gold);
	put_row(rsinfo, "macro avg", &macro, all.gold);
}

static void
run(Evaluation *evaluation, const char *query)
{
	SPI_connect();
	mren_gold_columns(query, &evaluation->columns);
	mren_query_run(psprintf("SELECT %s FROM (%s\n) AS q", mren_gold_list(&evaluation->columns),
							mren_query_text(query)),
				   0, NULL, NULL, count_row, evaluation);
	SPI_finish();
	if (evaluation->n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION), errmsg("query returned no rows to evaluate")));
}

/* mren.evaluate_tagger(tagger, query, version) → TABLE (type, precision, recall, f1, support) */
Datum
mren_evaluate_tagger(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char *query;
	Evaluation evaluation = {0};

	InitMaterializedSRF(fcinfo, 0);
	evaluation.name = mren_arg_text(fcinfo, 0, "tagger");
	query = mren_arg_query(fcinfo, 1, "query");
	evaluation.slips.context = CurrentMemoryContext;
	evaluation.env = mren_pg_env(CurrentMemoryContext);
	evaluation.row =
		AllocSetContextCreate(CurrentMemoryContext, "mren tag row", ALLOCSET_DEFAULT_SIZES);
	evaluation.tagger = mren_mention_tagger_open(evaluation.name, strlen(evaluation.name),
												 mren_arg_version(fcinfo, 2));
	run(&evaluation, query);
	mren_slips_warn(&evaluation.slips);
	warn_of_seen(&evaluation);
	put_figures(&evaluation, rsinfo);
	return (Datum) 0;
}
