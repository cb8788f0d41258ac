/*
 * trie.h
 *	  A read-only trie over bytes: the pieces that begin at a place, shortest first.
 */
#ifndef MREN_TRANSFORMER_TOKENIZER_TRIE_H
#define MREN_TRANSFORMER_TOKENIZER_TRIE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/env.h"

#define MREN_TRIE_NONE UINT32_MAX

typedef struct MrenTrieKey
{
	const uint8_t *bytes;
	uint32_t len;
	uint32_t value;
} MrenTrieKey;

/* Node 0 is the root.  The children of a node are next to each other, in order of bytes. */
typedef struct MrenTrie
{
	uint32_t *first; /* (n_nodes + 1): the first child of each node */
	uint8_t *byte;	 /* (n_nodes): that leads to the node */
	uint32_t *value; /* (n_nodes): of the key that ends here; MREN_TRIE_NONE: none */
	size_t n_nodes;	 /* 0: no key was given */
} MrenTrie;

/* Empty keys are left out; of equal ones, the last counts.  The bytes are not kept. */
extern MrenStatus mren_trie_build(const MrenEnv *env, const MrenTrieKey *keys, size_t n,
								  MrenTrie *trie, MrenError *err);
extern void mren_trie_free(const MrenEnv *env, MrenTrie *trie);

/* The child of a node; 0 if it has none for the byte. */
static inline uint32_t
mren_trie_step(const MrenTrie *trie, uint32_t node, uint8_t byte)
{
	uint32_t first = trie->first[node];
	const uint8_t *found = memchr(trie->byte + first, byte, trie->first[node + 1] - first);

	return found == NULL ? 0 : (uint32_t) (found - trie->byte);
}

/* The node after a character in UTF-8; 0 if there is none. */
extern uint32_t mren_trie_step_char(const MrenTrie *trie, uint32_t node, uint32_t code);

#endif
