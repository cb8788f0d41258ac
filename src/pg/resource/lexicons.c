/*
 * lexicons.c
 *	  The backend's cache of lexicons.
 *
 * The cache is keyed by content, so replacing a lexicon needs no invalidation.
 */
#include "pg/resource/lexicons.h"

#include "utils/memutils.h"

#include "pg/resource/tokenizer.h"
#include "pg/support/lru_cache.h"
#include "pg/support/pg_env.h"
#include "pg/support/settings.h"

typedef struct LexiconEntry
{
	MrenCacheEntry base;
	MrenLexicon *lexicon;
	unsigned n_phrases;
} LexiconEntry;

static MrenCache cache = MREN_CACHE_INIT(cache, &mren_lexicon_cache, NULL);

void
mren_lexicon_check_memory(MemoryContext context, const char *name)
{
	if (MemoryContextMemAllocated(context, true) <= (Size) mren_lexicon_cache * 1024)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 name != NULL
				 ? errmsg("lexicon \"%s\" requires more memory than mren.lexicon_cache allows "
						  "(%d kB)",
						  name, mren_lexicon_cache)
				 : errmsg("lexicon requires more memory than mren.lexicon_cache allows (%d kB)",
						  mren_lexicon_cache),
			 errhint("Increase mren.lexicon_cache, or load fewer phrases.")));
}

static void
add_phrase(void *state, MrenTextSpan phrase, MrenTextSpan type, double confidence)
{
	LexiconEntry *entry = state;
	MrenError err;

	MREN_PG_CALL(
		err, mren_lexicon_add(entry->lexicon, mren_pg_tokenizer(), phrase, type, confidence, &err));
	if (++entry->n_phrases % 1024 == 0)
		mren_lexicon_check_memory(entry->base.context, NULL);
}

/* A failure leaves the entry's context to the caller's, which goes with the error. */
static void *
load_lexicon(const void *what)
{
	const MrenLexiconRow *row = what;
	LexiconEntry *entry = mren_cache_entry("lexicon", sizeof(LexiconEntry));
	MrenEnv env = mren_pg_env(entry->base.context);
	MrenError err;

	MREN_PG_CALL(err, mren_lexicon_create(&env, &entry->lexicon, &err));
	mren_catalog_phrases(row->id, add_phrase, entry);
	MREN_PG_CALL(err, mren_lexicon_finish(entry->lexicon, &err));
	mren_lexicon_check_memory(entry->base.context, NULL);
	return entry;
}

const MrenLexicon *
mren_lexicon_open(const MrenLexiconRow *row)
{
	LexiconEntry *entry = mren_cache_open(&cache, 0, row->sha256, load_lexicon, row);

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
