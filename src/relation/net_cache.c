/*
 * net_cache.c
 *	  What the network made of words, kept from row to row.
 *
 * Two tables of rows of halves: what the convolutions make of a word, and what a word adds to the
 * first layer in each part of a text.  A word is known by its pieces' numbers in the embeddings,
 * wherever it stands: the few thousand words that most of a text consists of are computed once.
 * Rows of one sentence that differ only in the mentions find all of theirs.  A row is computed
 * when it is first needed; where all slots are taken, a hand goes round them and takes one that
 * was not used since it passed (the clock algorithm).
 */
#include "relation/net_internal.h"

#include <string.h>

#include "base/hash.h"

#define MAX_WORDS 1024 /* the convolutions' rows of a longer sentence are not kept */

/* What the rows of a table take at most in all members, and how many they are at most. */
#define TABLE_BYTES ((size_t) 24 << 20)
#define MOST_SLOTS ((size_t) 32768)

/* A word of more pieces is kept for its own sentence only. */
#define KEPT_PIECES 7

/* Chains of the index of a table. */
#define N_CHAINS MOST_SLOTS
#define NONE UINT32_MAX

typedef struct Key
{
	uint32_t part;	   /* of the text */
	uint32_t n_pieces; /* 0: in no chain */
	int32_t pieces[KEPT_PIECES];
	uint32_t chain; /* of the index */
} Key;

typedef struct KeptWord
{
	Key key;
	uint32_t next;	   /* slot of its chain */
	uint32_t sentence; /* that used it last */
	bool used;		   /* since the hand passed */
} KeptWord;

typedef struct Table
{
	size_t n_slots; /* there are; 0: nothing is allocated yet */
	size_t taken;
	size_t hand;	   /* the slot that it looks at next */
	uint32_t sentence; /* number of the one that is open */
	KeptWord *kept;	   /* (n_slots) */
	uint32_t *chains;  /* (N_CHAINS) the first slot of each, by the hash of the pieces, or NONE */
	uint32_t *slots;   /* of the rows of the open sentence */
	size_t n_members;
	struct
	{
		uint16_t *rows; /* (n_slots, size of a row) */
		uint8_t *done;	/* (n_slots) */
	} members[MREN_MAX_MEMBERS + 1];
} Table;

struct MrenNetCache
{
	MrenEnv env;
	Table conv;
	Table text;
	uint32_t conv_slots[MAX_WORDS];
	uint32_t text_slots[MREN_MAX_TEXT_WORDS];
	Key keys[MREN_MAX_TEXT_WORDS]; /* of the rows of the sentence in one table */
	MrenWordParts words[MREN_MAX_MEMBERS + 1];
};

_Static_assert(MAX_WORDS <= MREN_MAX_TEXT_WORDS, "there are too few keys");

MrenStatus
mren_net_cache_create(const MrenEnv *env, MrenNetCache **cache, MrenError *err)
{
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(**cache), cache, err));
	(*cache)->env = *env;
	(*cache)->conv.slots = (*cache)->conv_slots;
	(*cache)->text.slots = (*cache)->text_slots;
	return MREN_OK;
}

static void
free_table(const MrenEnv *env, Table *table)
{
	for (size_t i = 0; i < table->n_members; i++)
	{
		mren_release(env, table->members[i].rows);
		mren_release(env, table->members[i].done);
	}
	mren_release(env, table->kept);
	mren_release(env, table->chains);
	*table = (Table){.slots = table->slots};
}

void
mren_net_cache_free(MrenNetCache *cache)
{
	MrenEnv env;

	if (cache == NULL)
		return;
	env = cache->env;
	free_table(&env, &cache->conv);
	free_table(&env, &cache->text);
	mren_release(&env, cache);
}

/* Slots of a table whose rows are `size` halves in each member. */
static size_t
slots_for(const MrenNet *net, size_t size)
{
	size_t n = TABLE_BYTES / (size * sizeof(uint16_t) * net->n_members);

	return n < MOST_SLOTS ? n : MOST_SLOTS;
}

static size_t
table_limit(const MrenNet *net, size_t size)
{
	if (size == 0)
		return 0;
	return N_CHAINS * sizeof(uint32_t) +
		   slots_for(net, size) *
			   (sizeof(KeptWord) + (size * sizeof(uint16_t) + 1) * net->n_members);
}

/* Halves of a row of the text's table; 0: there are no words. */
static size_t
text_row_size(const MrenNet *net)
{
	return net->shape.embedding_dim == 0 ? 0 : net->layers[0].out;
}

size_t
mren_net_cache_limit(const MrenNet *net)
{
	return table_limit(net, mren_net_conv_row_size(net)) + table_limit(net, text_row_size(net));
}

static MrenStatus
allocate_table(const MrenEnv *env, Table *table, size_t n_members, size_t n, size_t size,
			   MrenError *err)
{
	free_table(env, table);
	table->n_members = n_members;
	MREN_TRY(mren_allocate(env, n, sizeof(table->kept[0]), &table->kept, err));
	MREN_TRY(mren_allocate(env, N_CHAINS, sizeof(table->chains[0]), &table->chains, err));
	memset(table->chains, 0xFF, N_CHAINS * sizeof(table->chains[0]));
	for (size_t i = 0; i < n_members; i++)
	{
		MREN_TRY(mren_allocate(env, n, size * sizeof(uint16_t), &table->members[i].rows, err));
		MREN_TRY(mren_allocate(env, n, 1, &table->members[i].done, err));
	}
	table->n_slots = n;
	return MREN_OK;
}

static void
unchain(Table *table, uint32_t slot)
{
	const KeptWord *word = &table->kept[slot];
	uint32_t *at;

	if (word->key.n_pieces == 0)
		return;
	at = &table->chains[word->key.chain];
	while (*at != slot)
		at = &table->kept[*at].next;
	*at = word->next;
}

/* A slot that holds no row of the open sentence; there are more slots than it has rows. */
static uint32_t
find_slot(Table *table)
{
	if (table->taken < table->n_slots)
		return (uint32_t) table->taken++;
	for (;;)
	{
		uint32_t slot = (uint32_t) table->hand;
		KeptWord *word = &table->kept[slot];
		bool used = word->used;

		table->hand = (table->hand + 1) % table->n_slots;
		word->used = false;
		if (used || word->sentence == table->sentence)
			continue;
		unchain(table, slot);
		return slot;
	}
}

static uint32_t
take_slot(Table *table)
{
	uint32_t slot = find_slot(table);

	for (size_t i = 0; i < table->n_members; i++)
		table->members[i].done[slot] = false;
	table->kept[slot] = (KeptWord){.sentence = table->sentence};
	return slot;
}

/* The key of word w in a part; without pieces if it is not kept. */
static void
read_key(const MrenWordVectors *vectors, const MrenSentence *sentence, size_t w, size_t part,
		 Key *key)
{
	const int32_t *ids = sentence->pieces + sentence->starts[w];
	size_t n = sentence->starts[w + 1] - sentence->starts[w];

	*key = (Key){.part = (uint32_t) part};
	if (n > KEPT_PIECES)
		return;
	key->n_pieces = (uint32_t) n;
	for (size_t i = 0; i < n; i++)
		key->pieces[i] =
			ids[i] >= 0 && vectors->id != NULL ? vectors->id(vectors->state, ids[i]) : ids[i];
	key->chain = (uint32_t) (mren_hash64(key->pieces, n * sizeof(key->pieces[0]), part) % N_CHAINS);
}

static bool
same_key(const Key *a, const Key *b)
{
	bool same = a->part == b->part && a->n_pieces == b->n_pieces;

	for (size_t i = 0; same && i < a->n_pieces; i++)
		same = a->pieces[i] == b->pieces[i];
	return same;
}

/* The slot of a key; a new one is not done. */
static uint32_t
slot_of(Table *table, const Key *key)
{
	uint32_t slot;
	KeptWord *word;

	if (key->n_pieces == 0)
		return take_slot(table);
	for (slot = table->chains[key->chain]; slot != NONE; slot = word->next)
	{
		word = &table->kept[slot];
		if (same_key(&word->key, key))
		{
			word->sentence = table->sentence;
			word->used = true;
			return slot;
		}
	}
	slot = take_slot(table);
	word = &table->kept[slot];
	word->key = *key;
	word->next = table->chains[key->chain];
	table->chains[key->chain] = slot;
	return slot;
}

/* The slots of n keys; what is looked at is fetched for all of them first. */
static void
find_slots(Table *table, const Key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		__builtin_prefetch(&table->chains[keys[i].chain]);
	for (size_t i = 0; i < n; i++)
	{
		uint32_t slot = table->chains[keys[i].chain];

		if (slot != NONE)
			__builtin_prefetch(&table->kept[slot]);
	}
	for (size_t i = 0; i < n; i++)
		table->slots[i] = slot_of(table, &keys[i]);
}

/*
 * Begins a sentence of n rows of so many halves.  *open is false if they are too many: a sentence
 * takes no more than half of the slots, so that there is one to take.
 */
static MrenStatus
open_table(MrenNetCache *cache, Table *table, const MrenNet *net, size_t size, size_t n, bool *open,
		   MrenError *err)
{
	*open = size > 0 && n <= slots_for(net, size) / 2;
	if (!*open)
		return MREN_OK;
	if (table->n_slots == 0 || table->n_members != net->n_members)
		MREN_TRY(
			allocate_table(&cache->env, table, net->n_members, slots_for(net, size), size, err));
	table->sentence++;
	return MREN_OK;
}

static MrenStatus
open_conv(MrenNetCache *cache, const MrenNet *net, const MrenWordVectors *vectors,
		  const MrenSentence *sentence, bool *open, MrenError *err)
{
	size_t size = sentence->n_words > MAX_WORDS ? 0 : mren_net_conv_row_size(net);

	MREN_TRY(open_table(cache, &cache->conv, net, size, sentence->n_words, open, err));
	if (!*open)
		return MREN_OK;
	for (size_t w = 0; w < sentence->n_words; w++)
		read_key(vectors, sentence, w, 0, &cache->keys[w]);
	find_slots(&cache->conv, cache->keys, sentence->n_words);
	return MREN_OK;
}

static MrenStatus
open_text(MrenNetCache *cache, const MrenNet *net, const MrenWordVectors *vectors,
		  const MrenSentence *sentence, bool *open, MrenError *err)
{
	MrenTextWords items[MREN_MAX_TEXT_WORDS];
	size_t n = mren_net_text_words(&net->shape, sentence, items);

	MREN_TRY(open_table(cache, &cache->text, net, text_row_size(net), n, open, err));
	if (!*open)
		return MREN_OK;
	for (size_t i = 0; i < n; i++)
	{
		if (items[i].words.end - items[i].words.first > 1)
			cache->keys[i] = (Key){0};
		else
			read_key(vectors, sentence, items[i].words.first, items[i].part, &cache->keys[i]);
	}
	find_slots(&cache->text, cache->keys, n);
	return MREN_OK;
}

static MrenWordRows
rows_of(const Table *table, size_t member, bool open)
{
	if (!open)
		return (MrenWordRows){0};
	return (MrenWordRows){table->members[member].rows, table->members[member].done, table->slots};
}

MrenStatus
mren_net_cache_open(MrenNetCache *cache, const MrenNet *net, const MrenWordVectors *vectors,
					const MrenSentence *sentence, const MrenWordParts **words, MrenError *err)
{
	bool conv;
	bool text;

	MREN_TRY(open_conv(cache, net, vectors, sentence, &conv, err));
	MREN_TRY(open_text(cache, net, vectors, sentence, &text, err));
	for (size_t i = 0; i < net->n_members; i++)
		cache->words[i] =
			(MrenWordParts){rows_of(&cache->conv, i, conv), rows_of(&cache->text, i, text)};
	*words = cache->words;
	return MREN_OK;
}
