/*
 * entities.c
 *	  mren.entities: the mentions of a document.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "pg/extract/mentions.h"
#include "pg/support/args.h"

enum
{
	ARG_DOCUMENT,
	ARG_LEXICONS,
	ARG_TAGGER,
	ARG_TAGGER_VERSION
};

/* 'lexicon NAME' of each lexicon, then 'tagger NAME'. */
static Datum *
source_names(const MrenFinder *finder)
{
	Datum *names = palloc((finder->n_lexicons + 1) * sizeof(Datum));

	for (int i = 0; i < finder->n_lexicons; i++)
		names[i] = CStringGetTextDatum(psprintf("lexicon %s", finder->names[i]));
	if (finder->tagger != NULL)
		names[finder->n_lexicons] = CStringGetTextDatum(psprintf("tagger %s", finder->tagger_name));
	return names;
}

static Datum
full_name(const MrenDocument *document, const MrenDocMention *mention)
{
	return PointerGetDatum(mren_document_text(document, mention->place.start, mention->place.end));
}

/* The rows of both functions; of mren.document_entities with the fullest form of the name. */
static Datum
put_mentions(FunctionCallInfo fcinfo, bool full)
{
	static const MrenFinderArgs args = {ARG_LEXICONS, ARG_TAGGER, ARG_TAGGER_VERSION};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MrenFinder finder;
	MrenDocument document;
	Datum *sources;
	text *value;

	InitMaterializedSRF(fcinfo, 0);
	mren_finder_open(&finder, fcinfo, &args);
	if (PG_ARGISNULL(ARG_DOCUMENT))
		return (Datum) 0;
	value = PG_GETARG_TEXT_PP(ARG_DOCUMENT);
	mren_document_read(&finder, mren_datum_utf8(PointerGetDatum(value)), &document);
	sources = source_names(&finder);
	if (full)
		mren_document_short_forms(&document);
	for (int i = 0; i < document.n_mentions; i++)
	{
		const MrenDocMention *mention = &document.mentions[i];
		MrenToken place = mention->place;
		Datum values[] = {
			PointerGetDatum(mren_document_text(&document, place.start, place.end)),
			CStringGetTextDatum(mention->type),
			mren_int4range(place.char_start, place.char_end),
			Float8GetDatum(mention->confidence),
			sources[mention->source],
			full_name(&document, &document.mentions[mention->full]),
		};
		bool nulls[lengthof(values)] = {false};

		CHECK_FOR_INTERRUPTS();
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(mren_entities);
/*
 * mren.entities(document, lexicons, tagger, tagger_version) → TABLE (mention,
 * type, span, confidence, source)
 */
Datum
mren_entities(PG_FUNCTION_ARGS)
{
	return put_mentions(fcinfo, false);
}

PG_FUNCTION_INFO_V1(mren_document_entities);
/* mren.document_entities(…) → TABLE (mention, type, span, confidence, source, entity) */
Datum
mren_document_entities(PG_FUNCTION_ARGS)
{
	return put_mentions(fcinfo, true);
}
