/*
 * words.c
 *	  The cache of word vectors: a hash of the words used, filled by one
 *	  indexed look-up for each new word; or the table of all words that backends share.
 *
 * Strings and vectors are allocated in one context, which is reset as a whole when
 * the setting is exceeded.  Unknown words are cached, too: they are looked up as
 * often as known ones.
 *
 * The table is made by the first backend that has looked up so many words that reading all of
 * them would not have cost much more.  Slots are never given twice, so that whoever remembers a
 * sentence by its slots does not take another one for it.
 */
#include "pg/resource/words.h"

#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "pg/support/lru_cache.h"
#include "pg/support/pg_env.h"
#include "pg/support/settings.h"
#include "pg/support/shared_files.h"
#include "text/vectors/word_table.h"

typedef struct WordKey
{
	const char *word;
	uint32 len;
} WordKey;

typedef struct WordEntry
{
	WordKey key;
	uint32 hash;
	int32 slot; /* of mren_words_slots; -1: not in the embeddings */
	int32 id;	/* in mren.embedding_word */
	char status;
} WordEntry;

#define SH_PREFIX wordhash
#define SH_ELEMENT_TYPE WordEntry
#define SH_KEY_TYPE WordKey
#define SH_KEY key
#define SH_HASH_KEY(table, key) hash_bytes((const unsigned char *) (key).word, (key).len)
#define SH_EQUAL(table, a, b) ((a).len == (b).len && memcmp((a).word, (b).word, (a).len) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry) (entry)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct MrenWords
{
	MrenCacheEntry base;
	MrenEmbeddingRow row;
	MemoryContext content; /* all that follows; reset when full */
	wordhash_hash *hash;
	float4 **vectors; /* by slot */
	int32 *ids;		  /* by slot */
	int32 n_slots;
	int32 max_slots;
	int32 first_slot;			/* of these; what was given before is gone */
	int64 looked_up;			/* words, in the catalog */
	int64 next_try;				/* number of them at which the table is to be made */
	const MrenWordTable *table; /* instead of all the rest; NULL: there is none */
};

/* Of the words of a set, the part whose look-up costs about what reading all of them does. */
#define TABLE_SHARE 8

/* Each open set may take mren.word_cache; more than four sets are not kept open. */
static int open_limit_kb;

static MrenCache cache = MREN_CACHE_INIT(cache, &open_limit_kb, NULL);

static void
start_over(MrenWords *words)
{
	words->first_slot += words->n_slots;
	/* Long ago, so that nobody remembers them. */
	if (words->first_slot > INT32_MAX / 4)
		words->first_slot = 0;
	MemoryContextReset(words->content);
	words->hash = wordhash_create(words->content, 1024, NULL);
	words->max_slots = 1024;
	words->n_slots = 0;
	words->vectors = MemoryContextAlloc(words->content, words->max_slots * sizeof(float4 *));
	words->ids = MemoryContextAlloc(words->content, words->max_slots * sizeof(int32));
}

typedef struct TableBuild
{
	const MrenEmbeddingRow *row;
	const MrenEnv *env;
	MrenWordTableBuilder builder;
} TableBuild;

static void
add_to_table(void *state, const char *word, size_t len, int32 id, const float4 *vector)
{
	TableBuild *build = state;
	MrenError err;

	MREN_PG_CALL(err,
				 mren_word_table_add(build->env, &build->builder, word, len, id, vector, &err));
}

/* What opens the table, for mren_shared_make. */
static MrenStatus
open_table(void *state, const MrenEnv *env, void **opened, MrenError *err)
{
	const MrenEmbeddingRow *row = state;
	TableBuild build = {row, env, {.dim = row->dimension}};
	MrenWordTable *table;

	MREN_TRY(mren_allocate(env, 1, sizeof(*table), &table, err));
	*opened = table;
	if (mren_weights_ready(env))
		return mren_word_table_attach(env, row->dimension, table, err);
	mren_catalog_words(row->id, row->dimension, add_to_table, &build);
	return mren_word_table_finish(env, &build.builder, table, err);
}

/* The key of a table; its strings are of the database's encoding, which may lack some words. */
static void
table_key(const MrenEmbeddingRow *row, uint8 *key)
{
	memcpy(key, row->sha256, MREN_SHA256_LENGTH);
	key[0] ^= (uint8) GetDatabaseEncoding();
}

/* Takes the table if it is there. */
static void
find_table(MrenWords *words)
{
	uint8 key[MREN_SHA256_LENGTH];

	table_key(&words->row, key);
	words->table =
		mren_shared_find(MREN_SHARED_WORDS, key, words->base.context, open_table, &words->row);
}

/*
 * Makes it once that is worth it; if that cannot be, it is tried again after twice as many words.
 */
static void
make_table(MrenWords *words)
{
	uint8 key[MREN_SHA256_LENGTH];

	if (words->table != NULL || words->looked_up < words->next_try)
		return;
	words->next_try = words->looked_up * 2;
	if (!mren_shared_room((uint64) words->row.words * (words->row.dimension + 20) * sizeof(float4)))
		return;
	table_key(&words->row, key);
	words->table =
		mren_shared_make(MREN_SHARED_WORDS, key, words->base.context, open_table, &words->row);
	if (words->table != NULL)
		start_over(words);
}

void
mren_words_dropped(const MrenEmbeddingRow *row)
{
	uint8 key[MREN_SHA256_LENGTH];

	table_key(row, key);
	mren_shared_drop(MREN_SHARED_WORDS, key);
}

static void *
load_words(const void *what)
{
	const MrenEmbeddingRow *row = what;
	MrenWords *words = mren_cache_entry("word vectors", sizeof(MrenWords));

	words->row = *row;
	words->content =
		AllocSetContextCreate(words->base.context, "mren words", ALLOCSET_DEFAULT_SIZES);
	words->next_try = row->words / TABLE_SHARE + 1;
	find_table(words);
	if (words->table == NULL)
		start_over(words);
	return words;
}

MrenWords *
mren_words_open(const MrenEmbeddingRow *row)
{
	if (row->dimension == 0)
		return NULL;
	open_limit_kb = mren_word_cache > MAX_KILOBYTES / 4 ? MAX_KILOBYTES : mren_word_cache * 4;
	return mren_cache_open(&cache, row->id, row->sha256, load_words, row);
}

void
mren_words_begin(MrenWords *words)
{
	size_t bytes;

	if (words == NULL)
		return;
	make_table(words);
	bytes = MemoryContextMemAllocated(words->content, false);
	if (bytes > (size_t) mren_word_cache * 1024)
	{
		start_over(words);
		bytes = MemoryContextMemAllocated(words->content, false);
	}
	if (bytes != words->base.bytes)
		mren_cache_resize(&cache, &words->base, bytes);
}

int32
mren_words_id(const MrenWords *words, int32 slot)
{
	slot -= words->first_slot;
	return words->table != NULL ? words->table->ids[slot] : words->ids[slot];
}

const float4 *
mren_words_vector(const MrenWords *words, int32 slot)
{
	slot -= words->first_slot;
	return words->table != NULL ? mren_word_table_vector(words->table, slot) : words->vectors[slot];
}

/* A slot for a vector of the row's dimension. */
static int32
add_slot(MrenWords *words, float4 *vector, int32 id)
{
	if (words->n_slots == words->max_slots)
	{
		words->max_slots *= 2;
		words->vectors = repalloc_huge(words->vectors, words->max_slots * sizeof(float4 *));
		words->ids = repalloc_huge(words->ids, words->max_slots * sizeof(int32));
	}
	words->vectors[words->n_slots] = vector;
	words->ids[words->n_slots] = id;
	return words->first_slot + words->n_slots++;
}

/* The look-up comes before the insertion: an error in it must not leave an incomplete entry. */
static WordEntry *
find_word(MrenWords *words, const char *word, size_t len)
{
	WordKey key = {word, len};
	uint32 hash = hash_bytes((const unsigned char *) word, len);
	WordEntry *entry = wordhash_lookup_hash(words->hash, key, hash);
	float4 *vector;
	int32 id = -1;
	int32 slot = -1;
	bool inserted;
	char *copy;

	if (entry != NULL)
		return entry;
	words->looked_up++;
	vector = MemoryContextAlloc(words->content, words->row.dimension * sizeof(float4));
	if (mren_catalog_word(words->row.id, words->row.dimension, word, len, &id, vector))
		slot = add_slot(words, vector, id);
	else
		pfree(vector);
	copy = MemoryContextAlloc(words->content, len);
	memcpy(copy, word, len);
	key.word = copy;
	entry = wordhash_insert_hash(words->hash, key, hash, &inserted);
	entry->slot = slot;
	entry->id = id;
	return entry;
}

static MrenStatus
find_slot(void *state, const char *word, size_t len, int32_t *id, MrenError *err)
{
	MrenWords *words = state;

	if (words->table == NULL)
		*id = find_word(words, word, len)->slot;
	else
	{
		*id = mren_word_table_find(words->table, word, len);
		if (*id >= 0)
			*id += words->first_slot;
	}
	return MREN_OK;
}

static MrenStatus
find_id(void *state, const char *word, size_t len, int32_t *id, MrenError *err)
{
	MrenWords *words = state;
	int32 row;

	if (words->table == NULL)
		*id = find_word(words, word, len)->id;
	else
	{
		row = mren_word_table_find(words->table, word, len);
		*id = row >= 0 ? words->table->ids[row] : -1;
	}
	return MREN_OK;
}

static void
fetch_slot(void *state, const char *word, size_t len)
{
	MrenWords *words = state;

	if (words->table != NULL)
		mren_word_table_fetch(words->table, word, len);
}

static const float *
slot_vector(void *state, int32_t slot)
{
	return mren_words_vector(state, slot);
}

static MrenStatus
find_nothing(void *state, const char *word, size_t len, int32_t *id, MrenError *err)
{
	*id = -1;
	return MREN_OK;
}

static const float *
no_vector(void *state, int32_t slot)
{
	return NULL;
}

static int32_t
slot_id(void *state, int32_t slot)
{
	return mren_words_id(state, slot);
}

void
mren_words_slots(MrenWords *words, MrenVocabulary *vocabulary, MrenWordVectors *vectors)
{
	*vocabulary = words != NULL ? (MrenVocabulary){words, find_slot, fetch_slot}
								: (MrenVocabulary){words, find_nothing, NULL};
	*vectors = words != NULL ? (MrenWordVectors){words, words->row.dimension, slot_vector, slot_id}
							 : (MrenWordVectors){NULL, 0, no_vector, NULL};
}

void
mren_words_ids(MrenWords *words, MrenVocabulary *vocabulary)
{
	*vocabulary = words != NULL ? (MrenVocabulary){words, find_id, fetch_slot}
								: (MrenVocabulary){words, find_nothing, NULL};
}
