/*
 * catalog_lexicons.c
 *	  Lexicons and their phrases in the catalog.
 */
#include "pg/catalog/catalog.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

#include "pg/catalog/catalog_scan.h"
#include "pg/support/args.h"
#include "pg/support/pg_env.h"

/* Attribute numbers, in the order of sql/parts/15_lexicons.sql. */
enum
{
	LEXICON_ID = 1,
	LEXICON_NAME,
	LEXICON_OWNER,
	LEXICON_PHRASES,
	LEXICON_TYPES,
	LEXICON_SHA256
};
enum
{
	PHRASE_LEXICON = 1,
	PHRASE_PHRASE,
	PHRASE_TYPE,
	PHRASE_CONFIDENCE
};

static void
read_lexicon(MrenTableScan *scan, HeapTuple tuple, MrenLexiconRow *row)
{
	row->id = DatumGetInt64(mren_scan_column(scan, tuple, LEXICON_ID));
	row->owner = *DatumGetName(mren_scan_column(scan, tuple, LEXICON_OWNER));
	mren_scan_hash(scan, mren_scan_column(scan, tuple, LEXICON_SHA256), row->sha256);
}

static bool
find_lexicon(const char *name, MrenLexiconRow *row)
{
	MrenTableScan scan;
	HeapTuple tuple;

	mren_scan_open(&scan, "lexicon");
	mren_scan_key_text(&scan, LEXICON_NAME, CStringGetTextDatum(name));
	mren_scan_begin(&scan, "lexicon_name_key");
	tuple = mren_scan_next(&scan);
	if (HeapTupleIsValid(tuple))
		read_lexicon(&scan, tuple, row);
	mren_scan_end(&scan);
	return HeapTupleIsValid(tuple);
}

void
mren_catalog_need_lexicon(const char *name, MrenLexiconRow *row)
{
	mren_check_name_length(name);
	if (!find_lexicon(name, row))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("lexicon \"%s\" does not exist", name),
				 errhint("Load it with mren.load_lexicon; mren.lexicons lists what is loaded.")));
}

/* The table has a handful of rows. */
bool
mren_catalog_lexicon_by_hash(const uint8 *sha256, MrenLexiconRow *row)
{
	MrenTableScan scan;
	HeapTuple tuple;
	bool found = false;

	mren_scan_open(&scan, "lexicon");
	mren_scan_begin(&scan, NULL);
	while (!found && HeapTupleIsValid(tuple = mren_scan_next(&scan)))
	{
		read_lexicon(&scan, tuple, row);
		found = memcmp(row->sha256, sha256, MREN_SHA256_LENGTH) == 0;
	}
	mren_scan_end(&scan);
	return found;
}

void
mren_catalog_phrases(int64 lexicon, MrenPhraseVisitor visit, void *state)
{
	MemoryContext work =
		AllocSetContextCreate(CurrentMemoryContext, "mren phrase", ALLOCSET_DEFAULT_SIZES);
	MrenTableScan scan;
	HeapTuple tuple;

	mren_scan_open(&scan, "lexicon_phrase");
	mren_scan_key(&scan, PHRASE_LEXICON, F_INT8EQ, Int64GetDatum(lexicon));
	mren_scan_begin(&scan, "lexicon_phrase_pkey");
	while (HeapTupleIsValid(tuple = mren_scan_next(&scan)))
	{
		MemoryContext old = MemoryContextSwitchTo(work);

		CHECK_FOR_INTERRUPTS();
		visit(state, mren_datum_utf8(mren_scan_column(&scan, tuple, PHRASE_PHRASE)),
			  mren_datum_utf8(mren_scan_column(&scan, tuple, PHRASE_TYPE)),
			  DatumGetFloat8(mren_scan_column(&scan, tuple, PHRASE_CONFIDENCE)));
		MemoryContextSwitchTo(old);
		MemoryContextReset(work);
	}
	mren_scan_end(&scan);
	MemoryContextDelete(work);
}
