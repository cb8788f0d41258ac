/*
 * tag_example.c
 *	  The flat record of a labelled sentence.
 *
 * Layout, little-endian, offsets in bytes:
 *	 0 u32 size of the record, a multiple of 8
 *	 4 u32 flags (1: has lexicons, 2: has tokens of a text encoder)
 *	 8 u64 hash of everything from byte 16 on, seeded with the flags
 *	16 u64 group         24 f32 weight              28 u32 split
 *	32 u32 n_words       36 u32 n_features
 *	40 u32 n_mentions    44 u32 bytes of names
 *	48 with tokens: n_tokens u32, n_windows u32
 *	   lexicons (n_words u64, if any), words (n_words i32), starts (n_words + 1
 *	   u32), features (n_features u32), mentions (first, end, length of the type's
 *	   name, its place in the names: u32 each), tokens (ids n_tokens i32, windows n_windows
 *	   u32, firsts n_words u32, if any), shapes (n_words u8), names, zeros
 */
#include "tagger/tag_example.h"

#include <math.h>
#include <string.h>

#include "base/sort.h"

#define FIXED 48
#define MENTION_BYTES 16
#define MAX_NAMES (1u << 24)
#define FLAG_LEXICONS 1u
#define FLAG_TOKENS 2u
#define TOKENS_BYTES 8 /* their numbers */

/* The sizes in the head of a record; every count is within its limit. */
typedef struct Head
{
	size_t n_words, n_features, n_mentions, n_names;
	bool lexicons;
	bool tokens;
	size_t n_tokens, n_windows;
} Head;

static size_t
record_size(const Head *head)
{
	size_t size = FIXED + (head->lexicons ? head->n_words * sizeof(uint64_t) : 0);

	size += head->n_words * sizeof(int32_t) + (head->n_words + 1) * sizeof(uint32_t);
	size += head->n_features * sizeof(uint32_t) + head->n_mentions * MENTION_BYTES;
	if (head->tokens)
		size +=
			TOKENS_BYTES + (head->n_tokens + head->n_windows + head->n_words) * sizeof(uint32_t);
	size += head->n_words + head->n_names;
	return (size + 7) & ~(size_t) 7;
}

static bool
head_is_sane(const Head *head)
{
	return head->n_words >= 1 && head->n_words <= MREN_MAX_TAG_WORDS &&
		   head->n_features >= 2 * head->n_words &&
		   head->n_features <= head->n_words * MREN_MAX_TAG_FEATURES &&
		   head->n_mentions <= head->n_words && head->n_names <= MAX_NAMES &&
		   head->n_tokens <= MREN_MAX_TAG_TOKENS && head->n_windows <= head->n_tokens &&
		   record_size(head) <= UINT32_MAX;
}

static MrenStatus
check_example(const MrenTagExample *example, const MrenTagMention *mentions, Head *head,
			  MrenError *err)
{
	const MrenTagInput *input = &example->input;

	*head = (Head){.n_words = input->n_words,
				   .n_features = input->n_words > 0 ? input->starts[input->n_words] : 0,
				   .n_mentions = example->n_mentions,
				   .lexicons = input->lexicons != NULL,
				   .tokens = input->tokens.firsts != NULL,
				   .n_tokens = input->tokens.n,
				   .n_windows = input->tokens.n_windows};
	if (!(isfinite(example->weight) && example->weight > 0))
		return mren_fail(err, MREN_EDATA, "weight %g is not a positive number", example->weight);
	for (size_t i = 0; i < example->n_mentions; i++)
	{
		if (mentions[i].type.len == 0)
			return mren_fail(err, MREN_EDATA, "the type of a mention is empty");
		if (mentions[i].type.len > MREN_MAX_LABEL)
			return mren_fail(err, MREN_ELIMIT,
							 "type \"%.40s...\" has %zu bytes, more than the limit of %d",
							 mentions[i].type.data, mentions[i].type.len, MREN_MAX_LABEL);
		head->n_names += mentions[i].type.len;
	}
	if (!head_is_sane(head))
		return mren_fail(err, MREN_ELIMIT, "a sentence of %zu words cannot be a training row",
						 input->n_words);
	return MREN_OK;
}

static void
put_arrays(MrenBuffer *buffer, const MrenTagInput *input, const Head *head)
{
	if (head->tokens)
	{
		mren_buffer_put_u32(buffer, (uint32_t) head->n_tokens);
		mren_buffer_put_u32(buffer, (uint32_t) head->n_windows);
	}
	for (size_t w = 0; head->lexicons && w < head->n_words; w++)
		mren_buffer_put_u64(buffer, input->lexicons[w]);
	for (size_t w = 0; w < head->n_words; w++)
		mren_buffer_put_u32(buffer, (uint32_t) input->words[w]);
	for (size_t w = 0; w <= head->n_words; w++)
		mren_buffer_put_u32(buffer, input->starts[w]);
	for (size_t i = 0; i < head->n_features; i++)
		mren_buffer_put_u32(buffer, input->features[i]);
}

static void
put_mentions(MrenBuffer *buffer, const MrenTagMention *mentions, size_t n)
{
	uint32_t at = 0;

	for (size_t i = 0; i < n; i++)
	{
		mren_buffer_put_u32(buffer, mentions[i].first);
		mren_buffer_put_u32(buffer, mentions[i].end);
		mren_buffer_put_u32(buffer, mentions[i].type.len);
		mren_buffer_put_u32(buffer, at);
		at += mentions[i].type.len;
	}
}

static void
put_tokens(MrenBuffer *buffer, const MrenTagInput *input, const Head *head)
{
	if (!head->tokens)
		return;
	for (size_t i = 0; i < head->n_tokens; i++)
		mren_buffer_put_u32(buffer, (uint32_t) input->tokens.ids[i]);
	for (size_t i = 0; i < head->n_windows; i++)
		mren_buffer_put_u32(buffer, input->tokens.windows[i]);
	for (size_t w = 0; w < head->n_words; w++)
		mren_buffer_put_u32(buffer, input->tokens.firsts[w]);
}

MrenStatus
mren_tag_example_append(const MrenEnv *env, MrenBuffer *buffer, const MrenTagExample *example,
						const MrenTagMention *mentions, MrenError *err)
{
	uint32_t flags = (example->input.lexicons != NULL ? FLAG_LEXICONS : 0) |
					 (example->input.tokens.firsts != NULL ? FLAG_TOKENS : 0);
	Head head;
	size_t start = buffer->len;
	size_t size;
	MrenBuffer hash;

	MREN_TRY(check_example(example, mentions, &head, err));
	size = record_size(&head);
	MREN_TRY(mren_buffer_reserve(env, buffer, size, err));
	mren_buffer_put_u32(buffer, (uint32_t) size);
	mren_buffer_put_u32(buffer, flags);
	mren_buffer_put_u64(buffer, 0);
	mren_buffer_put_u64(buffer, example->group);
	mren_buffer_put_f32(buffer, example->weight);
	mren_buffer_put_u32(buffer, (uint32_t) example->split);
	mren_buffer_put_u32(buffer, (uint32_t) head.n_words);
	mren_buffer_put_u32(buffer, (uint32_t) head.n_features);
	mren_buffer_put_u32(buffer, (uint32_t) head.n_mentions);
	mren_buffer_put_u32(buffer, (uint32_t) head.n_names);
	put_arrays(buffer, &example->input, &head);
	put_mentions(buffer, mentions, head.n_mentions);
	put_tokens(buffer, &example->input, &head);
	mren_buffer_put_bytes(buffer, example->input.shapes, head.n_words);
	for (size_t i = 0; i < head.n_mentions; i++)
		mren_buffer_put_bytes(buffer, mentions[i].type.data, mentions[i].type.len);
	mren_buffer_put_zeros(buffer, start + size - buffer->len);
	hash = (MrenBuffer){.data = buffer->data + start + 8, .capacity = 8};
	mren_buffer_put_u64(&hash, mren_hash64(buffer->data + start + 16, size - 16, flags));
	return MREN_OK;
}

static MrenStatus
damaged(const char *what, MrenError *err)
{
	return mren_fail(err, MREN_EFORMAT, "invalid record of a tagger's training row: %s", what);
}

static MrenStatus
check_tokens(const MrenTagInput *input, MrenError *err)
{
	const MrenTagTokens *tokens = &input->tokens;
	size_t n = 0;
	uint32_t before = 0;

	if (tokens->firsts == NULL)
		return MREN_OK;
	for (size_t i = 0; i < tokens->n_windows; i++)
	{
		if (tokens->windows[i] == 0 || tokens->windows[i] > tokens->n - n)
			return damaged("a window of tokens", err);
		n += tokens->windows[i];
	}
	if (n != tokens->n)
		return damaged("its windows of tokens", err);
	for (size_t w = 0; w < input->n_words; w++)
	{
		if (tokens->firsts[w] == UINT32_MAX)
			continue;
		if (tokens->firsts[w] < before || tokens->firsts[w] >= n)
			return damaged("a word's token", err);
		before = tokens->firsts[w];
	}
	return MREN_OK;
}

static MrenStatus
check_arrays(const MrenTagExample *example, const Head *head, MrenError *err)
{
	const MrenTagInput *input = &example->input;
	uint32_t end = 0;

	if (input->starts[0] != 0 || input->starts[head->n_words] != head->n_features)
		return damaged("its features", err);
	for (size_t w = 0; w < head->n_words; w++)
	{
		if (input->starts[w + 1] < input->starts[w] + 2 ||
			input->starts[w + 1] - input->starts[w] > MREN_MAX_TAG_FEATURES)
			return damaged("a word's features", err);
		if (input->shapes[w] >= MREN_TAG_SHAPES)
			return damaged("a word's shape", err);
		if (input->words[w] > MREN_MAX_VECTOR_ID)
			return damaged("a word's number", err);
	}
	for (size_t i = 0; i < head->n_mentions; i++)
	{
		MrenCursor cursor = {example->mentions + i * MENTION_BYTES,
							 example->mentions + (i + 1) * MENTION_BYTES, false};
		uint32_t first = mren_cursor_u32(&cursor);
		uint32_t last = mren_cursor_u32(&cursor);
		uint32_t len = mren_cursor_u32(&cursor);
		uint32_t at = mren_cursor_u32(&cursor);

		if (first < end || last <= first || last > head->n_words)
			return damaged("a mention's place", err);
		if (len == 0 || len > MREN_MAX_LABEL || at > head->n_names || len > head->n_names - at)
			return damaged("a mention's type", err);
		end = last;
	}
	return check_tokens(input, err);
}

/* The arrays after the head, from which the size of the record follows. */
static void
find_arrays(const uint8_t *at, const Head *head, MrenTagExample *example)
{
	MrenTagInput *input = &example->input;

	input->n_words = head->n_words;
	input->lexicons = head->lexicons ? (const uint64_t *) (const void *) at : NULL;
	at += head->lexicons ? head->n_words * sizeof(uint64_t) : 0;
	input->words = (const int32_t *) (const void *) at;
	at += head->n_words * sizeof(int32_t);
	input->starts = (const uint32_t *) (const void *) at;
	at += (head->n_words + 1) * sizeof(uint32_t);
	input->features = (const uint32_t *) (const void *) at;
	at += head->n_features * sizeof(uint32_t);
	example->mentions = at;
	at += head->n_mentions * MENTION_BYTES;
	if (head->tokens)
	{
		MrenTagTokens *tokens = &input->tokens;

		tokens->n = head->n_tokens;
		tokens->n_windows = head->n_windows;
		tokens->ids = (const int32_t *) (const void *) at;
		at += head->n_tokens * sizeof(int32_t);
		tokens->windows = (const uint32_t *) (const void *) at;
		at += head->n_windows * sizeof(uint32_t);
		tokens->firsts = (const uint32_t *) (const void *) at;
		at += head->n_words * sizeof(uint32_t);
	}
	input->shapes = at;
	example->names = at + head->n_words;
	example->n_names = head->n_names;
	example->n_mentions = head->n_mentions;
}

MrenStatus
mren_tag_example_read(const uint8_t *bytes, size_t len, MrenTagExample *example, size_t *size,
					  MrenError *err)
{
	MrenCursor cursor = {bytes, bytes + len, false};
	Head head;
	uint32_t flags;
	uint32_t split;

	memset(example, 0, sizeof(*example));
	memset(&head, 0, sizeof(head));
	*size = mren_cursor_u32(&cursor);
	flags = mren_cursor_u32(&cursor);
	example->hash = mren_cursor_u64(&cursor);
	example->group = mren_cursor_u64(&cursor);
	example->weight = mren_cursor_f32(&cursor);
	split = mren_cursor_u32(&cursor);
	head.n_words = mren_cursor_u32(&cursor);
	head.n_features = mren_cursor_u32(&cursor);
	head.n_mentions = mren_cursor_u32(&cursor);
	head.n_names = mren_cursor_u32(&cursor);
	head.lexicons = (flags & FLAG_LEXICONS) != 0;
	head.tokens = (flags & FLAG_TOKENS) != 0;
	if (head.tokens)
	{
		head.n_tokens = mren_cursor_u32(&cursor);
		head.n_windows = mren_cursor_u32(&cursor);
	}
	if (cursor.failed || *size > len || flags > (FLAG_LEXICONS | FLAG_TOKENS) ||
		split > MREN_SPLIT_TEST || !head_is_sane(&head) || record_size(&head) != *size)
		return damaged("its head", err);
	if (mren_hash64(bytes + 16, *size - 16, flags) != example->hash)
		return damaged("its checksum", err);
	if (!(isfinite(example->weight) && example->weight > 0))
		return damaged("its weight", err);
	example->split = (MrenSplit) split;
	find_arrays(bytes + FIXED + (head.tokens ? TOKENS_BYTES : 0), &head, example);
	return check_arrays(example, &head, err);
}

MrenTagMention
mren_tag_example_mention(const MrenTagExample *example, size_t i)
{
	MrenCursor cursor = {example->mentions + i * MENTION_BYTES,
						 example->mentions + (i + 1) * MENTION_BYTES, false};
	MrenTagMention mention;

	mention.first = mren_cursor_u32(&cursor);
	mention.end = mren_cursor_u32(&cursor);
	mention.type.len = mren_cursor_u32(&cursor);
	mention.type.data = (const char *) example->names + mren_cursor_u32(&cursor);
	return mention;
}

/*
 * The words of a source
 */

/* Sorts and removes duplicates; returns the number left. */
static size_t
distinct(uint64_t *ids, size_t n)
{
	size_t kept = 0;

	mren_sort_u64(ids, n);
	for (size_t i = 0; i < n; i++)
	{
		if (kept == 0 || ids[kept - 1] != ids[i])
			ids[kept++] = ids[i];
	}
	return kept;
}

/* Adds ids, and removes duplicates whenever the list has doubled. */
static MrenStatus
gather_words(const MrenEnv *env, const MrenSource *source, uint64_t **ids, size_t *n,
			 MrenError *err)
{
	size_t capacity = 0;
	size_t sort_at = 4096;

	*n = 0;
	for (size_t i = 0; i < source->n; i++)
	{
		const uint8_t *record;
		MrenTagExample example;
		size_t len;
		size_t size;

		MREN_TRY(source->read(source->state, i, &record, &len, err));
		MREN_TRY(mren_tag_example_read(record, len, &example, &size, err));
		MREN_TRY(
			mren_grow(env, ids, &capacity, *n, *n + example.input.n_words, sizeof(**ids), err));
		for (size_t w = 0; w < example.input.n_words; w++)
		{
			if (example.input.words[w] >= 0)
				(*ids)[(*n)++] = (uint64_t) example.input.words[w];
		}
		if (*n > sort_at)
		{
			*n = distinct(*ids, *n);
			sort_at = 2 * *n + 4096;
		}
		if (i % 256 == 255)
			MREN_TRY(mren_check_interrupts(env, err));
	}
	*n = distinct(*ids, *n);
	return MREN_OK;
}

MrenStatus
mren_tag_source_words(const MrenEnv *env, const MrenSource *source, int32_t **ids, size_t *n,
					  MrenError *err)
{
	uint64_t *words = NULL;
	MrenStatus status = gather_words(env, source, &words, n, err);

	if (status == MREN_OK)
		status = mren_allocate(env, *n, sizeof(int32_t), ids, err);
	for (size_t i = 0; i < *n && status == MREN_OK; i++)
		(*ids)[i] = (int32_t) words[i];
	mren_release(env, words);
	return status;
}
