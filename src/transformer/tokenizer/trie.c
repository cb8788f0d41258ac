/*
 * trie.c
 *	  A trie over bytes, built breadth first from sorted keys.
 */
#include "transformer/tokenizer/trie.h"

#include "base/sort.h"
#include "base/utf8.h"

/* The keys from low to high, of which those of this node share the first `depth` bytes. */
typedef struct Node
{
	uint32_t low;
	uint32_t high;
	uint32_t depth;
} Node;

typedef struct Builder
{
	const MrenEnv *env;
	const MrenTrieKey *keys;
	MrenKeyed *order;
	Node *nodes;
	size_t capacity;
	size_t byte_capacity;
	MrenTrie *trie;
	MrenError *err;
} Builder;

static int
compare(const void *state, uint64_t a, uint64_t b)
{
	const MrenTrieKey *keys = state;
	const MrenTrieKey *x = &keys[a];
	const MrenTrieKey *y = &keys[b];
	int order = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);

	if (order == 0)
		order = x->len < y->len ? -1 : x->len > y->len;
	return order != 0 ? order : a < b ? -1 : a > b;
}

/* The first eight bytes as a number, in whose order most keys already are. */
static uint64_t
sort_key(const MrenTrieKey *key)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < 8; i++)
		value = value << 8 | (i < key->len ? key->bytes[i] : 0);
	return value;
}

static MrenStatus
add_node(Builder *b, uint32_t low, uint32_t high, uint32_t depth, uint8_t byte)
{
	MrenTrie *trie = b->trie;

	MREN_TRY(mren_grow(b->env, &b->nodes, &b->capacity, trie->n_nodes, trie->n_nodes + 1,
					   sizeof(Node), b->err));
	MREN_TRY(mren_grow(b->env, &trie->byte, &b->byte_capacity, trie->n_nodes, trie->n_nodes + 1, 1,
					   b->err));
	b->nodes[trie->n_nodes] = (Node){low, high, depth};
	trie->byte[trie->n_nodes++] = byte;
	return MREN_OK;
}

static const MrenTrieKey *
key_at(const Builder *b, uint32_t i)
{
	return &b->keys[b->order[i].at];
}

/* Adds the children of node i; returns in *value what its own key has. */
static MrenStatus
add_children(Builder *b, size_t i, uint32_t *value)
{
	Node node = b->nodes[i];

	*value = MREN_TRIE_NONE;
	for (; node.low < node.high && key_at(b, node.low)->len == node.depth; node.low++)
		*value = node.depth > 0 ? key_at(b, node.low)->value : MREN_TRIE_NONE;
	for (uint32_t from = node.low, to; from < node.high; from = to)
	{
		uint8_t byte = key_at(b, from)->bytes[node.depth];

		for (to = from + 1; to < node.high && key_at(b, to)->bytes[node.depth] == byte; to++)
			;
		MREN_TRY(add_node(b, from, to, node.depth + 1, byte));
	}
	return MREN_OK;
}

static MrenStatus
build(Builder *b, size_t n)
{
	MrenTrie *trie = b->trie;
	size_t first_capacity = 0, value_capacity = 0;

	MREN_TRY(mren_allocate(b->env, n, sizeof(MrenKeyed), &b->order, b->err));
	for (size_t i = 0; i < n; i++)
		b->order[i] = (MrenKeyed){sort_key(&b->keys[i]), i};
	mren_sort_keyed(b->order, n, compare, b->keys);
	MREN_TRY(add_node(b, 0, (uint32_t) n, 0, 0));
	for (size_t i = 0; i < trie->n_nodes; i++)
	{
		if (i % 4096 == 0)
			MREN_TRY(mren_check_interrupts(b->env, b->err));
		MREN_TRY(
			mren_grow(b->env, &trie->first, &first_capacity, i, i + 2, sizeof(uint32_t), b->err));
		MREN_TRY(
			mren_grow(b->env, &trie->value, &value_capacity, i, i + 1, sizeof(uint32_t), b->err));
		trie->first[i] = (uint32_t) trie->n_nodes;
		MREN_TRY(add_children(b, i, &trie->value[i]));
		trie->first[i + 1] = (uint32_t) trie->n_nodes;
	}
	return MREN_OK;
}

MrenStatus
mren_trie_build(const MrenEnv *env, const MrenTrieKey *keys, size_t n, MrenTrie *trie,
				MrenError *err)
{
	Builder b = {.env = env, .keys = keys, .trie = trie, .err = err};
	MrenStatus status;

	*trie = (MrenTrie){0};
	if (n == 0)
		return MREN_OK;
	status = build(&b, n);
	mren_release(env, b.order);
	mren_release(env, b.nodes);
	if (status != MREN_OK)
		mren_trie_free(env, trie);
	return status;
}

void
mren_trie_free(const MrenEnv *env, MrenTrie *trie)
{
	mren_release(env, trie->first);
	mren_release(env, trie->byte);
	mren_release(env, trie->value);
	*trie = (MrenTrie){0};
}

uint32_t
mren_trie_step_char(const MrenTrie *trie, uint32_t node, uint32_t code)
{
	char bytes[4];
	size_t n;

	if (code < 0x80)
		return mren_trie_step(trie, node, (uint8_t) code);
	n = mren_utf8_encode(code, bytes);
	for (size_t i = 0; i < n; i++)
	{
		node = mren_trie_step(trie, node, (uint8_t) bytes[i]);
		if (node == 0)
			return 0;
	}
	return node;
}
