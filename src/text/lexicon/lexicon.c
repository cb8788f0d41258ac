/*
 * lexicon.c
 *	  Building a lexicon: words, trie, types.
 *
 * A failed add leaves a lexicon that can be freed, and nothing else.
 */
#include "text/lexicon/lexicon.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "text/lexicon/lexicon_internal.h"
#include "base/utf8.h"

#define FIRST_SLOTS 256
#define NONE MREN_LEXICON_NONE

/* n elements of which every byte is 0xFF, so that their NONEs mark them as free. */
static MrenStatus
allocate_free(const MrenEnv *env, size_t n, size_t size, void *out, MrenError *err)
{
	void *fresh;

	MREN_TRY(mren_allocate(env, n, size, &fresh, err));
	memset(fresh, 0xFF, n * size);
	memcpy(out, &fresh, sizeof(fresh));
	return MREN_OK;
}

static MrenStatus
add_node(MrenLexicon *lexicon, uint32_t *node, MrenError *err)
{
	uint32_t n = lexicon->n_nodes;

	if (n == NONE - 1)
		return mren_fail(err, MREN_ELIMIT, "lexicon has too many words");
	if (n == lexicon->nodes_capacity)
		MREN_TRY(mren_grow(&lexicon->env, &lexicon->nodes, &lexicon->nodes_capacity, n,
						   (size_t) n + 1, sizeof(*lexicon->nodes), err));
	lexicon->nodes[n] = (LexiconNode){NONE, 0};
	lexicon->n_nodes++;
	*node = n;
	return MREN_OK;
}

static MrenStatus
start(MrenLexicon *lexicon, MrenError *err)
{
	uint32_t root;

	MREN_TRY(
		allocate_free(&lexicon->env, FIRST_SLOTS, sizeof(*lexicon->slots), &lexicon->slots, err));
	lexicon->n_slots = FIRST_SLOTS;
	MREN_TRY(allocate_free(&lexicon->env, FIRST_SLOTS, sizeof(*lexicon->type_slots),
						   &lexicon->type_slots, err));
	lexicon->n_type_slots = FIRST_SLOTS;
	MREN_TRY(
		allocate_free(&lexicon->env, FIRST_SLOTS, sizeof(*lexicon->edges), &lexicon->edges, err));
	lexicon->edge_slots = FIRST_SLOTS;
	return add_node(lexicon, &root, err);
}

MrenStatus
mren_lexicon_create(const MrenEnv *env, MrenLexicon **lexicon, MrenError *err)
{
	MrenLexicon *fresh;
	MrenStatus status;

	*lexicon = NULL;
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*fresh), &fresh, err));
	fresh->env = *env;
	status = start(fresh, err);
	if (status == MREN_OK)
		*lexicon = fresh;
	else
		mren_lexicon_free(fresh);
	return status;
}

/* ---- words ---- */

/* Puts a word that is not there yet into the first free slot. */
static void
fill_slot(LexiconSlot *slots, size_t n_slots, uint64_t hash, uint32_t word)
{
	size_t slot = (size_t) hash & (n_slots - 1);

	while (slots[slot].word != NONE)
		slot = (slot + 1) & (n_slots - 1);
	slots[slot] = (LexiconSlot){(uint32_t) (hash >> 32), word};
}

static MrenStatus
enlarge_slots(MrenLexicon *lexicon, MrenError *err)
{
	size_t n = lexicon->n_slots * 2;
	LexiconSlot *slots;

	MREN_TRY(allocate_free(&lexicon->env, n, sizeof(*slots), &slots, err));
	for (uint32_t word = 0; word < lexicon->n_words; word++)
		fill_slot(slots, n, lexicon->words[word].hash, word);
	mren_release(&lexicon->env, lexicon->slots);
	lexicon->slots = slots;
	lexicon->n_slots = n;
	return MREN_OK;
}

/* The number of a word, which is added if it is new. */
static MrenStatus
intern_word(MrenLexicon *lexicon, const char *word, size_t len, uint64_t hash, uint32_t *number,
			MrenError *err)
{
	*number = lexicon_find_word(lexicon, word, len, hash);
	if (*number != NONE)
		return MREN_OK;
	if (lexicon->n_bytes + len > UINT32_MAX - 1)
		return mren_fail(err, MREN_ELIMIT, "lexicon has too many words");
	if (lexicon->n_words >= lexicon->n_slots / 2)
		MREN_TRY(enlarge_slots(lexicon, err));
	if (lexicon->n_words == lexicon->words_capacity)
		MREN_TRY(mren_grow(&lexicon->env, &lexicon->words, &lexicon->words_capacity,
						   lexicon->n_words, (size_t) lexicon->n_words + 1, sizeof(*lexicon->words),
						   err));
	if (lexicon->n_bytes + len > lexicon->bytes_capacity)
		MREN_TRY(mren_grow(&lexicon->env, &lexicon->bytes, &lexicon->bytes_capacity,
						   lexicon->n_bytes, lexicon->n_bytes + len, 1, err));
	memcpy(lexicon->bytes + lexicon->n_bytes, word, len);
	lexicon->words[lexicon->n_words] =
		(LexiconWord){hash, (uint32_t) lexicon->n_bytes, (uint32_t) len, NONE};
	lexicon->n_bytes += len;
	fill_slot(lexicon->slots, lexicon->n_slots, hash, lexicon->n_words);
	*number = lexicon->n_words++;
	return MREN_OK;
}

/* ---- trie ---- */

static MrenStatus
enlarge_edges(MrenLexicon *lexicon, MrenError *err)
{
	size_t n = lexicon->edge_slots * 2;
	LexiconEdge *edges;

	MREN_TRY(allocate_free(&lexicon->env, n, sizeof(*edges), &edges, err));
	for (size_t i = 0; i < lexicon->edge_slots; i++)
	{
		const LexiconEdge *edge = &lexicon->edges[i];

		if (edge->child != NONE)
			edges[lexicon_edge_slot(edges, n, edge->node, edge->word)] = *edge;
	}
	mren_release(&lexicon->env, lexicon->edges);
	lexicon->edges = edges;
	lexicon->edge_slots = n;
	return MREN_OK;
}

/* The child of a node under a word, which is added if it is new. */
static MrenStatus
intern_child(MrenLexicon *lexicon, uint32_t node, uint32_t word, uint32_t *child, MrenError *err)
{
	*child = lexicon_step(lexicon, node, word);
	if (*child != NONE)
		return MREN_OK;
	if (node != 0 && lexicon->n_edges >= lexicon->edge_slots / 2)
		MREN_TRY(enlarge_edges(lexicon, err));
	MREN_TRY(add_node(lexicon, child, err));
	if (node == 0)
		lexicon->words[word].child = *child;
	else
	{
		lexicon->edges[lexicon_edge_slot(lexicon->edges, lexicon->edge_slots, node, word)] =
			(LexiconEdge){node, word, *child};
		lexicon->n_edges++;
	}
	return MREN_OK;
}

/* ---- types ---- */

static size_t
type_slot(const MrenLexicon *lexicon, const char *name, size_t len)
{
	size_t mask = lexicon->n_type_slots - 1;
	size_t slot = (size_t) mren_hash64(name, len, 0) & mask;

	for (; lexicon->type_slots[slot] != NONE; slot = (slot + 1) & mask)
	{
		const LexiconType *type = &lexicon->types[lexicon->type_slots[slot]];

		if (type->len == len && memcmp(lexicon->names + type->start, name, len) == 0)
			break;
	}
	return slot;
}

static MrenStatus
enlarge_types(MrenLexicon *lexicon, MrenError *err)
{
	uint32_t *slots;

	MREN_TRY(allocate_free(&lexicon->env, lexicon->n_type_slots * 2, sizeof(*slots), &slots, err));
	mren_release(&lexicon->env, lexicon->type_slots);
	lexicon->type_slots = slots;
	lexicon->n_type_slots *= 2;
	for (uint32_t i = 0; i < lexicon->n_types; i++)
	{
		const LexiconType *type = &lexicon->types[i];

		lexicon->type_slots[type_slot(lexicon, lexicon->names + type->start, type->len)] = i;
	}
	return MREN_OK;
}

static MrenStatus
intern_type(MrenLexicon *lexicon, const char *name, size_t len, uint32_t *number, MrenError *err)
{
	const MrenEnv *env = &lexicon->env;
	uint32_t n = lexicon->n_types;
	size_t slot = type_slot(lexicon, name, len);

	*number = lexicon->type_slots[slot];
	if (*number != NONE)
		return MREN_OK;
	if (n == MREN_MAX_LEXICON_TYPES)
		return mren_fail(err, MREN_ELIMIT, "lexicon has more than %d types",
						 MREN_MAX_LEXICON_TYPES);
	if (n >= lexicon->n_type_slots / 2)
		MREN_TRY(enlarge_types(lexicon, err));
	if (n == lexicon->types_capacity)
		MREN_TRY(mren_grow(env, &lexicon->types, &lexicon->types_capacity, n, (size_t) n + 1,
						   sizeof(*lexicon->types), err));
	if (lexicon->n_names + len + 1 > lexicon->names_capacity)
		MREN_TRY(mren_grow(env, &lexicon->names, &lexicon->names_capacity, lexicon->n_names,
						   lexicon->n_names + len + 1, 1, err));
	memcpy(lexicon->names + lexicon->n_names, name, len);
	lexicon->names[lexicon->n_names + len] = '\0';
	lexicon->types[n] = (LexiconType){(uint32_t) lexicon->n_names, (uint32_t) len, n};
	lexicon->n_names += len + 1;
	lexicon->type_slots[type_slot(lexicon, name, len)] = n;
	lexicon->n_types++;
	*number = n;
	return MREN_OK;
}

/* ---- entries ---- */

static MrenStatus
check_entry(MrenTextSpan phrase, MrenTextSpan type, double confidence, MrenError *err)
{
	MrenExcerpt shown = mren_utf8_excerpt(phrase.data, phrase.len);

	if (phrase.len > MREN_MAX_PHRASE)
		return mren_fail(err, MREN_ELIMIT, "phrase \"%s\" has %zu bytes, more than %d", shown.text,
						 phrase.len, MREN_MAX_PHRASE);
	if (type.len == 0)
		return mren_fail(err, MREN_EDATA, "type of phrase \"%s\" is empty", shown.text);
	if (type.len > MREN_MAX_LEXICON_TYPE)
		return mren_fail(err, MREN_ELIMIT, "type of phrase \"%s\" has %zu bytes, more than %d",
						 shown.text, type.len, MREN_MAX_LEXICON_TYPE);
	if (!(confidence > 0 && confidence <= 1))
	{
		return mren_fail(err, MREN_EDATA,
						 "confidence of phrase \"%s\" must be above 0 and at most 1, not %g",
						 shown.text, confidence);
	}
	return mren_utf8_valid(type.data, type.len, NULL)
			   ? MREN_OK
			   : mren_fail(err, MREN_EDATA, "type of phrase \"%s\" is not valid UTF-8", shown.text);
}

/* The node of the folded phrase. */
static MrenStatus
intern_phrase(MrenLexicon *lexicon, uint32_t *node, MrenError *err)
{
	const MrenFolded *folded = &lexicon->folded;

	*node = 0;
	for (size_t i = 0; i < folded->n; i++)
	{
		uint32_t from = folded->starts[i];
		uint32_t word;

		MREN_TRY(intern_word(lexicon, folded->bytes + from, folded->starts[i + 1] - from,
							 folded->hashes[i], &word, err));
		MREN_TRY(intern_child(lexicon, *node, word, node, err));
	}
	return MREN_OK;
}

static MrenStatus
link_entry(MrenLexicon *lexicon, uint32_t node, MrenLexiconEntry entry, MrenError *err)
{
	uint32_t n = lexicon->n_entries;

	for (uint32_t i = lexicon->nodes[node].first; i != NONE; i = lexicon->links[i].next)
	{
		MrenLexiconEntry *known = &lexicon->links[i].entry;

		if (known->type != entry.type)
			continue;
		if (entry.confidence > known->confidence)
			known->confidence = entry.confidence;
		return MREN_OK;
	}
	if (n == NONE - 1)
		return mren_fail(err, MREN_ELIMIT, "lexicon has too many phrases");
	if (n == lexicon->links_capacity)
		MREN_TRY(mren_grow(&lexicon->env, &lexicon->links, &lexicon->links_capacity, n,
						   (size_t) n + 1, sizeof(*lexicon->links), err));
	lexicon->links[n] = (LexiconLink){entry, lexicon->nodes[node].first};
	lexicon->n_phrases += lexicon->nodes[node].count == 0;
	lexicon->nodes[node].first = n;
	lexicon->nodes[node].count++;
	lexicon->n_entries++;
	return MREN_OK;
}

MrenStatus
mren_lexicon_add(MrenLexicon *lexicon, MrenTokenizer *tokenizer, MrenTextSpan phrase,
				 MrenTextSpan type, double confidence, MrenError *err)
{
	MrenLexiconEntry entry = {.confidence = confidence};
	uint32_t node;

	MREN_TRY(mren_check_interrupts(&lexicon->env, err));
	MREN_TRY(check_entry(phrase, type, confidence, err));
	MREN_TRY(mren_fold(tokenizer, &lexicon->env, phrase.data, phrase.len, &lexicon->folded, err));
	if (lexicon->folded.n == 0)
		return mren_fail(err, MREN_EDATA, "phrase \"%s\" has no words",
						 mren_utf8_excerpt(phrase.data, phrase.len).text);
	MREN_TRY(intern_type(lexicon, type.data, type.len, &entry.type, err));
	MREN_TRY(intern_phrase(lexicon, &node, err));
	return link_entry(lexicon, node, entry, err);
}

/* ---- finishing ---- */

typedef struct NamedType
{
	const char *name;
	LexiconType type;
} NamedType;

/* Names are zero-terminated and may hold zeros only at their end: bytewise order. */
static int
compare_types(const void *a, const void *b)
{
	const NamedType *x = a;
	const NamedType *y = b;
	size_t n = x->type.len < y->type.len ? x->type.len : y->type.len;
	int order = memcmp(x->name, y->name, n);

	return order != 0 ? order : (x->type.len > y->type.len) - (x->type.len < y->type.len);
}

/* Orders the types by name; rank[number as added] is the new number. */
static MrenStatus
sort_types(MrenLexicon *lexicon, uint32_t *rank, MrenError *err)
{
	NamedType *named;

	MREN_TRY(mren_allocate(&lexicon->env, lexicon->n_types, sizeof(*named), &named, err));
	for (uint32_t i = 0; i < lexicon->n_types; i++)
		named[i] = (NamedType){lexicon->names + lexicon->types[i].start, lexicon->types[i]};
	qsort(named, lexicon->n_types, sizeof(*named), compare_types);
	for (uint32_t i = 0; i < lexicon->n_types; i++)
	{
		lexicon->types[i] = named[i].type;
		rank[named[i].type.number] = i;
	}
	mren_release(&lexicon->env, named);
	return MREN_OK;
}

static bool
comes_before(const MrenLexiconEntry *a, const MrenLexiconEntry *b)
{
	return a->confidence != b->confidence ? a->confidence > b->confidence : a->type < b->type;
}

/* Gathers a node's entries after n others, best first; the new number of all. */
static uint32_t
gather_entries(MrenLexicon *lexicon, LexiconNode *node, const uint32_t *rank, uint32_t n)
{
	MrenLexiconEntry *entries = lexicon->entries + n;
	uint32_t used = 0;

	for (uint32_t i = node->first; i != NONE; i = lexicon->links[i].next)
	{
		MrenLexiconEntry entry = lexicon->links[i].entry;
		uint32_t at = used++;

		entry.type = rank[entry.type];
		for (; at > 0 && comes_before(&entry, &entries[at - 1]); at--)
			entries[at] = entries[at - 1];
		entries[at] = entry;
	}
	node->first = n;
	return n + used;
}

static MrenStatus
order_entries(MrenLexicon *lexicon, uint32_t *rank, MrenError *err)
{
	uint32_t n = 0;

	MREN_TRY(sort_types(lexicon, rank, err));
	for (uint32_t i = 0; i < lexicon->n_nodes; i++)
	{
		if (i % 1024 == 1023)
			MREN_TRY(mren_check_interrupts(&lexicon->env, err));
		n = gather_entries(lexicon, &lexicon->nodes[i], rank, n);
	}
	return MREN_OK;
}

MrenStatus
mren_lexicon_finish(MrenLexicon *lexicon, MrenError *err)
{
	const MrenEnv *env = &lexicon->env;
	uint32_t *rank;
	MrenStatus status;

	MREN_TRY(mren_check_interrupts(env, err));
	MREN_TRY(
		mren_allocate(env, lexicon->n_entries, sizeof(*lexicon->entries), &lexicon->entries, err));
	MREN_TRY(mren_allocate(env, lexicon->n_types, sizeof(*rank), &rank, err));
	status = order_entries(lexicon, rank, err);
	mren_release(env, rank);
	if (status != MREN_OK)
		return status;
	mren_release(env, lexicon->links);
	mren_release(env, lexicon->type_slots);
	lexicon->links = NULL;
	lexicon->links_capacity = 0;
	lexicon->type_slots = NULL;
	mren_folded_free(env, &lexicon->folded);
	return MREN_OK;
}

void
mren_lexicon_free(MrenLexicon *lexicon)
{
	MrenEnv env;

	if (lexicon == NULL)
		return;
	env = lexicon->env;
	mren_folded_free(&env, &lexicon->folded);
	mren_release(&env, lexicon->words);
	mren_release(&env, lexicon->bytes);
	mren_release(&env, lexicon->slots);
	mren_release(&env, lexicon->nodes);
	mren_release(&env, lexicon->edges);
	mren_release(&env, lexicon->entries);
	mren_release(&env, lexicon->types);
	mren_release(&env, lexicon->names);
	mren_release(&env, lexicon->type_slots);
	mren_release(&env, lexicon->links);
	mren_release(&env, lexicon);
}

size_t
mren_lexicon_n_phrases(const MrenLexicon *lexicon)
{
	return lexicon->n_phrases;
}

size_t
mren_lexicon_n_types(const MrenLexicon *lexicon)
{
	return lexicon->n_types;
}

const char *
mren_lexicon_type(const MrenLexicon *lexicon, size_t i, size_t *len)
{
	*len = lexicon->types[i].len;
	return lexicon->names + lexicon->types[i].start;
}

int32_t
mren_lexicon_type_index(const MrenLexicon *lexicon, const char *name, size_t len)
{
	uint32_t low = 0;
	uint32_t high = lexicon->n_types;
	NamedType wanted = {name, {.len = (uint32_t) len}};

	while (low < high)
	{
		uint32_t middle = low + (high - low) / 2;
		const LexiconType *type = &lexicon->types[middle];
		NamedType known = {lexicon->names + type->start, *type};
		int order = compare_types(&known, &wanted);

		if (order == 0)
			return (int32_t) middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}
