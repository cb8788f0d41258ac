/*
 * lexicon_internal.h
 *	  What building and matching a lexicon share: a trie over numbered words.
 *
 * Node 0 is the root.  A transition (node, word) -> child lies in one open
 * hash table; the root's are also in an array by word, since nearly every
 * look-up begins, and ends, there.
 */
#ifndef MREN_TEXT_LEXICON_LEXICON_INTERNAL_H
#define MREN_TEXT_LEXICON_LEXICON_INTERNAL_H

#include "text/lexicon/lexicon.h"

#define MREN_LEXICON_NONE UINT32_MAX

typedef struct LexiconWord
{
	uint64_t hash;
	uint32_t start; /* in bytes */
	uint32_t len;
	uint32_t child; /* of the root, or NONE */
} LexiconWord;

/* The upper half of the hash rules out most other words without reading them. */
typedef struct LexiconSlot
{
	uint32_t tag;
	uint32_t word; /* NONE: free */
} LexiconSlot;

typedef struct LexiconEdge
{
	uint32_t node, word, child; /* child NONE: free */
} LexiconEdge;

/* While building: one type of a phrase, in a list of its node. */
typedef struct LexiconLink
{
	MrenLexiconEntry entry;
	uint32_t next;
} LexiconLink;

typedef struct LexiconType
{
	uint32_t start; /* in names, zero-terminated */
	uint32_t len;
	uint32_t number; /* as it was added */
} LexiconType;

/* Node n has entries[first] .. entries[first + count - 1]. */
typedef struct LexiconNode
{
	uint32_t first; /* while building: its first link, or NONE */
	uint32_t count;
} LexiconNode;

struct MrenLexicon
{
	MrenEnv env; /* which allocated this */

	LexiconWord *words;
	uint32_t n_words;
	size_t words_capacity;
	char *bytes; /* of the words */
	size_t n_bytes, bytes_capacity;
	LexiconSlot *slots; /* by hash */
	size_t n_slots;		/* a power of two */

	LexiconNode *nodes;
	uint32_t n_nodes;
	size_t nodes_capacity;
	LexiconEdge *edges;
	size_t n_edges, edge_slots; /* a power of two */

	MrenLexiconEntry *entries; /* once finished */
	uint32_t n_entries;
	uint32_t n_phrases;

	LexiconType *types; /* once finished, by name */
	uint32_t n_types;
	size_t types_capacity;
	char *names;
	size_t n_names, names_capacity;
	uint32_t *type_slots; /* numbers of types by hash of the name, while building */
	size_t n_type_slots;

	LexiconLink *links; /* while building */
	size_t links_capacity;
	MrenFolded folded; /* of the phrase being added */
};

/* The word's number, or NONE. */
static inline uint32_t
lexicon_find_word(const MrenLexicon *lexicon, const char *word, size_t len, uint64_t hash)
{
	size_t mask = lexicon->n_slots - 1;

	for (size_t slot = (size_t) hash & mask; lexicon->slots[slot].word != MREN_LEXICON_NONE;
		 slot = (slot + 1) & mask)
	{
		const LexiconSlot *found = &lexicon->slots[slot];
		const LexiconWord *known = &lexicon->words[found->word];

		if (found->tag == (uint32_t) (hash >> 32) && known->len == len &&
			__builtin_memcmp(lexicon->bytes + known->start, word, len) == 0)
			return found->word;
	}
	return MREN_LEXICON_NONE;
}

static inline size_t
lexicon_edge_hash(uint32_t node, uint32_t word)
{
	uint64_t key = (uint64_t) node << 32 | word;

	/* The finalizer of splitmix64 (Steele, Lea, Flood 2014), shortened. */
	key = (key ^ key >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	key = (key ^ key >> 27) * UINT64_C(0x94D049BB133111EB);
	return (size_t) (key ^ key >> 31);
}

/* The slot of a transition, or the free one where it belongs. */
static inline size_t
lexicon_edge_slot(const LexiconEdge *edges, size_t n_slots, uint32_t node, uint32_t word)
{
	size_t slot = lexicon_edge_hash(node, word) & (n_slots - 1);

	while (edges[slot].child != MREN_LEXICON_NONE &&
		   (edges[slot].node != node || edges[slot].word != word))
		slot = (slot + 1) & (n_slots - 1);
	return slot;
}

/* The node after a word, or NONE. */
static inline uint32_t
lexicon_step(const MrenLexicon *lexicon, uint32_t node, uint32_t word)
{
	if (node == 0)
		return lexicon->words[word].child;
	return lexicon->edges[lexicon_edge_slot(lexicon->edges, lexicon->edge_slots, node, word)].child;
}

#endif
