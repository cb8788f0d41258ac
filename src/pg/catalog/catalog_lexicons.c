/*
 * catalog_lexicons.c
 *	  Lexicons in the catalog, and the backend's cache of them.
 *
 * The cache is keyed by content, so replacing a lexicon needs no invalidation.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

#include "pg/support/lru_cache.h"
#include "pg/catalog/catalog_scan.h"
#include "pg/support/pg_env.h"
#include "pg/resource/load_lexicons.h"
#include "pg/support/settings.h"
#include "pg/resource/tokenizer.h"

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

typedef struct LexiconEntry
{
	MrenCacheEntry base;
	MrenLexicon *lexicon;
} LexiconEntry;

static MrenCache cache = MREN_CACHE_INIT(cache, &mren_lexicon_cache, NULL);

static void
read_lexicon(MrenScan *scan, HeapTuple tuple, MrenLexiconRow *row)
{
	row->id = DatumGetInt64(mren_scan_column(scan, tuple, LEXICON_ID));
	row->owner = *DatumGetName(mren_scan_column(scan, tuple, LEXICON_OWNER));
	mren_scan_hash(scan, mren_scan_column(scan, tuple, LEXICON_SHA256), row->sha256);
}

bool
mren_catalog_lexicon(const char *name, MrenLexiconRow *row)
{
	MrenScan scan;
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
	if (!mren_catalog_lexicon(name, row))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("lexicon \"%s\" does not exist", name),
				 errhint("Load it with mren.load_lexicon; mren.lexicons lists what is loaded.")));
}

/* The table has a handful of rows. */
bool
mren_catalog_lexicon_by_hash(const uint8 *sha256, MrenLexiconRow *row)
{
	MrenScan scan;
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

static MrenUtf8
text_column(MrenScan *scan, HeapTuple tuple, AttrNumber attno)
{
	text *value = DatumGetTextPP(mren_scan_column(scan, tuple, attno));

	return mren_pg_utf8(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

static void
check_memory(MemoryContext context)
{
	if (MemoryContextMemAllocated(context, true) > (Size) mren_lexicon_cache * 1024)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("lexicon takes more memory than mren.lexicon_cache allows (%d kB)",
							   mren_lexicon_cache),
						errhint("Raise mren.lexicon_cache, or load fewer phrases.")));
}

static void
add_phrases(LexiconEntry *entry, int64 id)
{
	MemoryContext work =
		AllocSetContextCreate(CurrentMemoryContext, "mren phrase", ALLOCSET_DEFAULT_SIZES);
	MrenTokenizer *tokenizer = mren_pg_tokenizer();
	MrenScan scan;
	HeapTuple tuple;
	MrenError err;
	unsigned n = 0;

	mren_scan_open(&scan, "lexicon_phrase");
	mren_scan_key(&scan, PHRASE_LEXICON, F_INT8EQ, Int64GetDatum(id));
	mren_scan_begin(&scan, "lexicon_phrase_pkey");
	while (HeapTupleIsValid(tuple = mren_scan_next(&scan)))
	{
		MemoryContext old = MemoryContextSwitchTo(work);
		MrenUtf8 phrase = text_column(&scan, tuple, PHRASE_PHRASE);
		MrenUtf8 type = text_column(&scan, tuple, PHRASE_TYPE);

		CHECK_FOR_INTERRUPTS();
		MREN_PG_CALL(err,
					 mren_lexicon_add(
						 entry->lexicon, tokenizer, (MrenTextSpan){phrase.data, phrase.len},
						 (MrenTextSpan){type.data, type.len},
						 DatumGetFloat8(mren_scan_column(&scan, tuple, PHRASE_CONFIDENCE)), &err));
		MemoryContextSwitchTo(old);
		MemoryContextReset(work);
		if (++n % 1024 == 0)
			check_memory(entry->base.context);
	}
	mren_scan_end(&scan);
	MemoryContextDelete(work);
}

/* A failure leaves the entry's context to the caller's, which goes with the error. */
static LexiconEntry *
load_lexicon(const MrenLexiconRow *row, const MrenCacheKey *key)
{
	MemoryContext context = mren_cache_context("lexicon");
	LexiconEntry *entry = MemoryContextAllocZero(context, sizeof(LexiconEntry));
	MrenEnv env = mren_pg_env(context);
	MrenError err;

	entry->base.context = context;
	entry->base.key = *key;
	MREN_PG_CALL(err, mren_lexicon_create(&env, &entry->lexicon, &err));
	add_phrases(entry, row->id);
	MREN_PG_CALL(err, mren_lexicon_finish(entry->lexicon, &err));
	check_memory(context);
	entry->base.bytes = MemoryContextMemAllocated(context, true);
	return entry;
}

const MrenLexicon *
mren_lexicon_open(const MrenLexiconRow *row)
{
	MrenCacheKey key = {0};
	LexiconEntry *entry;

	memcpy(key.content, row->sha256, MREN_SHA256_LENGTH);
	entry = (LexiconEntry *) mren_cache_find(&cache, &key);
	if (entry == NULL)
	{
		entry = load_lexicon(row, &key);
		mren_cache_insert(&cache, &entry->base);
	}
	mren_cache_pin(&entry->base, CurrentMemoryContext);
	return entry->lexicon;
}

const MrenLexicon *
mren_lexicon_open_by_hash(const uint8 *sha256, const char *model)
{
	MrenLexiconRow row;

	if (!mren_catalog_lexicon_by_hash(sha256, &row))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("a lexicon of model \"%s\" is not loaded", model),
						errhint("Load the same phrases with mren.load_lexicon, under any name.")));
	return mren_lexicon_open(&row);
}
