/*
 * candidates.c
 *	  mren.candidates, and the pairs that extract scores.
 */
#include "pg/extract/candidates.h"

#include "access/xact.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/extract/pairs.h"
#include "pg/support/args.h"
#include "pg/support/settings.h"

enum
{
	ARG_DOCUMENT,
	ARG_LEXICONS,
	ARG_TAGGER,
	ARG_SCHEMA,
	ARG_MAX_DISTANCE,
	ARG_TAGGER_VERSION
};

int32
mren_arg_max_distance(FunctionCallInfo fcinfo, int arg)
{
	if (PG_ARGISNULL(arg))
		return -1;
	if (PG_GETARG_INT32(arg) < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_distance must be at least 0, not %d", PG_GETARG_INT32(arg)),
						errhint("Specify the maximum number of characters between two mentions, or "
								"NULL to pair all mentions of one sentence.")));
	return PG_GETARG_INT32(arg);
}

static void
visit_pair(const MrenDocument *document, const MrenPairing *pairing, MrenCandidateVisitor visit,
		   void *state, const MrenDocMention *first, const MrenDocMention *second)
{
	MrenToken from = document->sentences.items[first->sentence];
	MrenToken to = document->sentences.items[second->sentence];
	MrenCandidate candidate = {first, second, {from.start, to.end, from.char_start, to.char_end}};
	bool forward = mren_relation_allowed(pairing->schema, NULL, first->type, second->type, true);
	bool backward = mren_relation_allowed(pairing->schema, NULL, second->type, first->type, false);

	candidate.head_first = true;
	if (forward || (pairing->once && backward))
		visit(state, &candidate);
	candidate.head = second;
	candidate.tail = first;
	candidate.head_first = false;
	if (backward && !pairing->once)
		visit(state, &candidate);
}

int64
mren_candidates_visit(const MrenDocument *document, const MrenPairing *pairing,
					  MrenCandidateVisitor visit, void *state)
{
	MrenPairs pairs;

	mren_pairs_choose(document, pairing, &pairs);
	for (int64 i = 0; i < pairs.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		visit_pair(document, pairing, visit, state, document->mentions + pairs.items[i].first,
				   document->mentions + pairs.items[i].second);
	}
	pfree(pairs.items);
	return pairs.n_skipped;
}

/* Told once a statement: a query over many documents would repeat it for each list in them. */
void
mren_candidates_notice(int64 n_skipped)
{
	static TimestampTz told;

	if (n_skipped == 0 || told == GetCurrentStatementStartTimestamp())
		return;
	told = GetCurrentStatementStartTimestamp();
	ereport(NOTICE, (errmsg_plural("%lld pair of mentions was left out",
								   "%lld pairs of mentions were left out",
								   (unsigned long) n_skipped, (long long) n_skipped),
					 errdetail("Of the pairs that begin in one sentence the nearest %d are "
							   "considered, of a document %d.",
							   mren_max_pairs_sentence, mren_max_pairs_document),
					 errhint("Raise mren.max_pairs_sentence or mren.max_pairs_document, or give "
							 "max_distance. Later documents of the query are not reported.")));
}

/* ---- mren.candidates ---- */

typedef struct Output
{
	ReturnSetInfo *rsinfo;
	const MrenDocument *document;
	MemoryContext work; /* of one row */
} Output;

static Datum
span_within(MrenToken place, MrenToken text)
{
	return mren_int4range(place.char_start - text.char_start, place.char_end - text.char_start);
}

static void
put_candidate(void *state, const MrenCandidate *candidate)
{
	Output *output = state;
	MemoryContext old = MemoryContextSwitchTo(output->work);
	MrenToken text = candidate->text;
	MrenToken head = candidate->head->place;
	MrenToken tail = candidate->tail->place;
	Datum values[] = {
		PointerGetDatum(mren_document_text(output->document, text.start, text.end)),
		PointerGetDatum(mren_document_text(output->document, head.start, head.end)),
		CStringGetTextDatum(candidate->head->type),
		span_within(head, text),
		PointerGetDatum(mren_document_text(output->document, tail.start, tail.end)),
		CStringGetTextDatum(candidate->tail->type),
		span_within(tail, text),
		mren_int4range(text.char_start, text.char_end),
	};
	bool nulls[lengthof(values)] = {false};

	tuplestore_putvalues(output->rsinfo->setResult, output->rsinfo->setDesc, values, nulls);
	MemoryContextSwitchTo(old);
	MemoryContextReset(output->work);
}

PG_FUNCTION_INFO_V1(mren_candidates);
/*
 * mren.candidates(document, lexicons, tagger, relation_schema, max_distance,
 * tagger_version) → TABLE
 */
Datum
mren_candidates(PG_FUNCTION_ARGS)
{
	static const MrenFinderArgs args = {ARG_LEXICONS, ARG_TAGGER, ARG_TAGGER_VERSION};
	MrenPairing pairing = {.max_distance = mren_arg_max_distance(fcinfo, ARG_MAX_DISTANCE)};
	MrenDocument document;
	Output output = {.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo, .document = &document};
	MrenFinder finder;
	text *value;

	InitMaterializedSRF(fcinfo, 0);
	mren_finder_open(&finder, fcinfo, &args);
	pairing.schema = mren_relation_schema(fcinfo, ARG_SCHEMA);
	mren_relation_schema_notice(fcinfo, &finder, NULL, NULL, 0);
	if (PG_ARGISNULL(ARG_DOCUMENT))
		return (Datum) 0;
	value = PG_GETARG_TEXT_PP(ARG_DOCUMENT);
	mren_document_read(&finder, mren_datum_utf8(PointerGetDatum(value)), &document);
	output.work = AllocSetContextCreate(CurrentMemoryContext, "mren row", ALLOCSET_DEFAULT_SIZES);
	mren_candidates_notice(mren_candidates_visit(&document, &pairing, put_candidate, &output));
	return (Datum) 0;
}
