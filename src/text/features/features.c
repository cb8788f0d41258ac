/*
 * features.c
 *	  From tokens to feature numbers.
 *
 * Each word near the mentions is folded and hashed once; a feature then mixes
 * these hashes, so that no text is put together and nothing is allocated for
 * one.  At the end the numbers are sorted and made distinct: their order does
 * not depend on how they were found, so sums over them have one order.
 */
#include "text/features/features.h"

#include <stdlib.h>
#include <string.h>

#include <unicode/uchar.h>

#include "base/hash.h"
#include "text/features/feature_word.h"
#include "text/features/features_boxes.h"
#include "base/utf8.h"

#define NEAR 64			/* words used between the mentions, half from each end */
#define MENTION_WORDS 8 /* of a long mention, its last */
#define WINDOW 3		/* words outside, each side */
#define STEM 5			/* code points */
#define SHORT 4			/* code points of a word that a pattern keeps */

/* A word near the mentions. */
typedef struct MrenFeatureWord
{
	uint64_t whole;
	uint64_t stem;
	uint64_t pattern;
	uint32_t token; /* its index */
} MrenFeatureWord;

/* Which mention; also the variant of features of one. */
enum
{
	HEAD,
	TAIL
};

typedef struct Mention
{
	MrenFeatureWord words[MENTION_WORDS];
	size_t n;	  /* of words */
	size_t n_all; /* tokens inside */
	size_t first; /* token */
	size_t end;
	uint64_t all; /* hash of the whole */
	uint64_t prefix[2];
	uint64_t suffix[3];
	uint64_t shape;
	const uint64_t *lexicon;
	size_t n_lexicon;
} Mention;

typedef struct Row
{
	const MrenFeatureRow *in;
	MrenFeatures *out;
	Mention mentions[2]; /* HEAD, TAIL */
	uint32_t order;		 /* 0: the head comes first, 1: the tail, 2: they overlap */
	const Mention *first;
	const Mention *second;
	MrenFeatureWord between[NEAR];
	size_t n_between;
	size_t n_between_all;
	uint64_t between_all;
	uint64_t stem_all;
	uint64_t pattern_all;
} Row;

/* ---- numbers ---- */

/* The finalizer of MurmurHash3 (Appleby): every bit of x moves every bit. */
static uint64_t
mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ (x >> 33);
}

uint32_t
mren_feature_code(MrenFeature name, uint32_t variant, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t hash = mix(((uint64_t) name << 32) + variant + 1);

	hash = mix(hash ^ a);
	hash = mix(hash + b);
	return (uint32_t) (mix(hash ^ c) >> 32);
}

static void
add(Row *row, MrenFeature name, uint32_t variant, uint64_t a, uint64_t b, uint64_t c)
{
	MrenFeatures *out = row->out;

	if (out->n < MREN_MAX_FEATURES)
		out->codes[out->n++] = mren_feature_code(name, variant, a, b, c);
}

/* ---- words ---- */

static void
hash_word(const Row *row, size_t token, MrenFeatureText *folded, MrenFeatureWord *word)
{
	const MrenToken *span = &row->in->tokens[token];
	size_t suffix;
	bool is_short;

	mren_feature_fold(row->in->text.data + span->start, span->end - span->start, folded);
	word->token = (uint32_t) token;
	word->whole = mren_hash64(folded->text, folded->len, 0);
	word->stem = mren_hash64(folded->text, mren_feature_first(folded, STEM), 1);
	is_short = mren_feature_first(folded, SHORT) == folded->len;
	suffix = mren_feature_last(folded, 2);
	word->pattern =
		is_short ? word->whole : mren_hash64(folded->text + suffix, folded->len - suffix, 2);
}

/* Chains hashes in order: of a phrase from those of its words. */
static uint64_t
chain(uint64_t hash, uint64_t word)
{
	return mix(hash * 3 + word);
}

static uint64_t
shape_of(const Row *row, size_t token)
{
	const MrenToken *span = &row->in->tokens[token];
	const char *word = row->in->text.data + span->start;
	size_t len = span->end - span->start;
	uint64_t shape = 0;

	for (size_t at = 0; at < len;)
	{
		uint32_t c;
		size_t n = mren_utf8_decode(word + at, len - at, &c);
		bool upper = n > 0 && (u_isupper((UChar32) c) || u_istitle((UChar32) c));

		if (n == 0)
			break;
		if (upper)
			shape |= at == 0 ? 1 : 2;
		if (u_isdigit((UChar32) c))
			shape |= 4;
		if (!u_isalnum((UChar32) c))
			shape |= 8;
		at += n;
	}
	return shape;
}

/* The tokens inside a place; at least one, the nearest, so that a mention is never empty. */
static void
find_tokens(const Row *row, const MrenToken *place, Mention *mention)
{
	const MrenToken *tokens = row->in->tokens;
	size_t low = 0;
	size_t high = row->in->n_tokens;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;

		if (tokens[middle].end <= place->start)
			low = middle + 1;
		else
			high = middle;
	}
	mention->first = mention->end = low;
	while (mention->end < row->in->n_tokens && tokens[mention->end].start < place->end)
		mention->end++;
	mention->n_all = mention->end - mention->first;
}

static void
read_mention(const Row *row, const MrenToken *place, Mention *mention)
{
	MrenFeatureText folded;

	find_tokens(row, place, mention);
	mention->n = mention->n_all < MENTION_WORDS ? mention->n_all : MENTION_WORDS;
	mention->all = mention->n_all;
	for (size_t i = 0; i < mention->n; i++)
	{
		size_t token = mention->end - mention->n + i;

		hash_word(row, token, &folded, &mention->words[i]);
		mention->all = chain(mention->all, mention->words[i].whole);
	}
	if (mention->n == 0)
		return;
	/* folded is the last word, the mention's head */
	for (size_t i = 0; i < 2; i++)
		mention->prefix[i] = mren_hash64(folded.text, mren_feature_first(&folded, 3 + i), 3);
	for (size_t i = 0; i < 3; i++)
	{
		size_t at = mren_feature_last(&folded, 2 + i);

		mention->suffix[i] = mren_hash64(folded.text + at, folded.len - at, 4);
	}
	mention->shape = shape_of(row, mention->end - 1) * 16 + shape_of(row, mention->first);
}

/* Words between; of more than NEAR those in the middle are left out. */
static void
read_between(Row *row)
{
	size_t start = row->first->end;
	size_t end = row->second->first;
	size_t n = end > start ? end - start : 0;
	MrenFeatureText folded;

	row->n_between_all = n;
	row->between_all = row->stem_all = row->pattern_all = n;
	for (size_t i = 0; i < n; i++)
	{
		MrenFeatureWord *word;

		if (n > NEAR && i == NEAR / 2)
			i = n - NEAR / 2;
		word = &row->between[row->n_between++];
		hash_word(row, start + i, &folded, word);
		row->between_all = chain(row->between_all, word->whole);
		row->stem_all = chain(row->stem_all, word->stem);
		row->pattern_all = chain(row->pattern_all, word->pattern);
	}
}

static void
read_row(Row *row)
{
	const MrenFeatureRow *in = row->in;

	read_mention(row, &in->head, &row->mentions[HEAD]);
	read_mention(row, &in->tail, &row->mentions[TAIL]);
	row->mentions[HEAD].lexicon = in->lexicon.head;
	row->mentions[HEAD].n_lexicon = in->lexicon.n_head;
	row->mentions[TAIL].lexicon = in->lexicon.tail;
	row->mentions[TAIL].n_lexicon = in->lexicon.n_tail;
	row->order = in->head.end <= in->tail.start ? 0 : in->tail.end <= in->head.start ? 1 : 2;
	row->first = &row->mentions[row->order == 1 ? TAIL : HEAD];
	row->second = &row->mentions[row->order == 1 ? HEAD : TAIL];
	read_between(row);
}

/* ---- the features ---- */

static uint64_t
head_word(const Mention *mention)
{
	return mention->n > 0 ? mention->words[mention->n - 1].whole : 0;
}

static void
add_mention(Row *row, uint32_t which)
{
	const Mention *m = &row->mentions[which];

	add(row, MREN_FEATURE_MENTION, which, m->all, 0, 0);
	add(row, MREN_FEATURE_MENTION_HEAD, which, head_word(m), 0, 0);
	for (size_t i = 0; i < m->n; i++)
	{
		add(row, MREN_FEATURE_MENTION_WORD, which, m->words[i].whole, 0, 0);
		add(row, MREN_FEATURE_MENTION_WORD, which + 2, m->words[i].stem, 0, 0);
	}
	for (uint32_t i = 0; i < 2; i++)
		add(row, MREN_FEATURE_MENTION_PREFIX, which + 2 * i, m->prefix[i], 0, 0);
	for (uint32_t i = 0; i < 3; i++)
		add(row, MREN_FEATURE_MENTION_SUFFIX, which + 2 * i, m->suffix[i], 0, 0);
	add(row, MREN_FEATURE_MENTION_SHAPE, which, m->shape, m->n_all < 6 ? m->n_all : 6, 0);
}

static void
add_pair(Row *row)
{
	const Mention *head = &row->mentions[HEAD];
	const Mention *tail = &row->mentions[TAIL];

	add(row, MREN_FEATURE_BIAS, 0, 0, 0, 0);
	add(row, MREN_FEATURE_ORDER, row->order, 0, 0, 0);
	add(row, MREN_FEATURE_HEADS, row->order, head_word(head), head_word(tail), 0);
	add(row, MREN_FEATURE_SUFFIXES, row->order, head->suffix[1], tail->suffix[1], 0);
	add(row, MREN_FEATURE_SUFFIXES, row->order + 3, head->shape, tail->shape, 0);
}

/* n-grams over the words between, with a border at each end. */
static void
add_between(Row *row)
{
	const MrenFeatureWord *words = row->between;
	size_t n = row->n_between;
	uint32_t order = row->order;

	for (size_t i = 0; i <= n; i++)
	{
		uint64_t before = i > 0 ? words[i - 1].whole : 1;
		uint64_t here = i < n ? words[i].whole : 2;
		uint64_t stem_before = i > 0 ? words[i - 1].stem : 1;
		uint64_t stem_here = i < n ? words[i].stem : 2;

		if (i < n)
		{
			add(row, MREN_FEATURE_BETWEEN_1, order, here, 0, 0);
			add(row, MREN_FEATURE_STEM_1, order, stem_here, 0, 0);
		}
		add(row, MREN_FEATURE_BETWEEN_2, order, before, here, 0);
		add(row, MREN_FEATURE_STEM_2, order, stem_before, stem_here, 0);
		if (i < n)
			add(row, MREN_FEATURE_BETWEEN_3, order, before, here,
				i + 1 < n ? words[i + 1].whole : 2);
	}
	add(row, MREN_FEATURE_BETWEEN_ALL, order, row->between_all, 0, 0);
	add(row, MREN_FEATURE_STEM_ALL, order, row->stem_all, 0, 0);
	add(row, MREN_FEATURE_PATTERN, order, row->pattern_all, 0, 0);
}

static void
add_conjunctions(Row *row)
{
	uint32_t order = row->order;
	size_t n = row->n_between;
	uint64_t first = n > 0 ? row->between[0].whole : 1;
	uint64_t last = n > 0 ? row->between[n - 1].whole : 1;

	for (uint32_t which = HEAD; which <= TAIL; which++)
	{
		const Mention *m = &row->mentions[which];
		uint32_t variant = order * 2 + which;

		add(row, MREN_FEATURE_HEAD_FIRST, variant, head_word(m), first, 0);
		add(row, MREN_FEATURE_HEAD_LAST, variant, head_word(m), last, 0);
		add(row, MREN_FEATURE_HEAD_BETWEEN, variant, head_word(m), row->between_all, 0);
		add(row, MREN_FEATURE_ENDING_BETWEEN, variant, m->suffix[1], row->between_all, 0);
		add(row, MREN_FEATURE_ENDING_BETWEEN, variant + 6, m->suffix[1], first, 0);
		add(row, MREN_FEATURE_ENDING_BETWEEN, variant + 12, m->suffix[1], last, 0);
	}
	add(row, MREN_FEATURE_FIRST_LAST, order, first, last, 0);
}

/* The words before the first mention and after the second. */
static void
add_outside(Row *row)
{
	size_t before = row->first->first < row->second->first ? row->first->first : row->second->first;
	size_t after = row->first->end > row->second->end ? row->first->end : row->second->end;
	uint32_t order = row->order;
	uint64_t last[2] = {1, 1};
	MrenFeatureWord word;
	MrenFeatureText folded;

	for (uint32_t i = 0; i < WINDOW; i++)
	{
		bool here[2] = {i < before, after + i < row->in->n_tokens};
		size_t token[2] = {before - 1 - i, after + i};

		for (uint32_t side = 0; side < 2; side++)
		{
			uint32_t variant = order * 2 + side;

			if (here[side])
				hash_word(row, token[side], &folded, &word);
			else
				word.whole = 2;
			add(row, MREN_FEATURE_OUTSIDE_1, variant + 6 * i, word.whole, 0, 0);
			add(row, MREN_FEATURE_OUTSIDE_2, variant + 6 * i, last[side], word.whole, 0);
			if (here[side])
				add(row, MREN_FEATURE_OUTSIDE_BAG, variant, word.whole, 0, 0);
			last[side] = word.whole;
		}
	}
}

static void
add_distance(Row *row)
{
	static const uint8_t bins[] = {0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 8, 8, 8, 8, 8};
	size_t n = row->n_between_all;

	add(row, MREN_FEATURE_DISTANCE, row->order, n < sizeof(bins) ? bins[n] : n < 25 ? 9 : 10, 0, 0);
}

static uint64_t
type_hash(const MrenTextSpan *type)
{
	return type->data != NULL ? mren_hash64(type->data, type->len, 5) : 0;
}

static void
add_types(Row *row)
{
	const MrenFeatureRow *in = row->in;
	uint64_t head = type_hash(&in->head_type);
	uint64_t tail = type_hash(&in->tail_type);
	uint32_t order = row->order;

	if (head == 0 && tail == 0)
		return;
	add(row, MREN_FEATURE_TYPE, HEAD, head, 0, 0);
	add(row, MREN_FEATURE_TYPE, TAIL, tail, 0, 0);
	add(row, MREN_FEATURE_TYPES, 3, head, tail, 0);
	add(row, MREN_FEATURE_TYPES, order, head, tail, 0);
	add(row, MREN_FEATURE_TYPES, 4 + order, head, tail,
		row->n_between_all < 4 ? row->n_between_all + 1 : 5);
	for (size_t i = 0; i < row->n_between; i++)
		add(row, MREN_FEATURE_TYPES_BETWEEN, order, row->between[i].whole, head, tail);
	for (size_t i = 0; i <= row->n_between; i++)
		add(row, MREN_FEATURE_TYPES_BETWEEN, 3 + order,
			chain(i > 0 ? row->between[i - 1].stem : 1,
				  i < row->n_between ? row->between[i].stem : 2),
			head, tail);
	add(row, MREN_FEATURE_TYPES_ALL, order, row->between_all, head, tail);
	add(row, MREN_FEATURE_TYPES_ALL, 3 + order, row->pattern_all, head, tail);
}

/*
 * The lexicons' types of one mention alone, and the first, its usual sense, with
 * the words between.
 */
static void
add_lexicon_mention(Row *row, uint32_t which)
{
	const Mention *m = &row->mentions[which];
	uint32_t variant = row->order * 2 + which;
	size_t n = row->n_between;

	for (size_t i = 0; i < m->n_lexicon; i++)
	{
		uint64_t type = m->lexicon[i];

		add(row, MREN_FEATURE_LEXICON, which, type, 0, 0);
		if (i > 0)
			continue;
		add(row, MREN_FEATURE_LEXICON_FIRST, variant, type, n > 0 ? row->between[0].whole : 1, 0);
		add(row, MREN_FEATURE_LEXICON_FIRST, variant + 6, type,
			n > 0 ? row->between[n - 1].whole : 1, 0);
		add(row, MREN_FEATURE_LEXICONS_ALL, variant, type, row->between_all, 0);
		for (size_t j = 0; j < n; j++)
			add(row, MREN_FEATURE_LEXICON_WORD, variant, type, row->between[j].stem, 0);
	}
}

static void
add_lexicon(Row *row)
{
	const MrenFeatureLexicon *lexicon = &row->in->lexicon;
	const Mention *head = &row->mentions[HEAD];
	const Mention *tail = &row->mentions[TAIL];

	if (lexicon->starts == NULL)
		return;
	add_lexicon_mention(row, HEAD);
	add_lexicon_mention(row, TAIL);
	for (size_t i = 0; i < head->n_lexicon; i++)
	{
		/* Of two pairs of senses one is usual. */
		for (size_t j = 0; j < tail->n_lexicon && (i == 0 || j == 0); j++)
		{
			add(row, MREN_FEATURE_LEXICONS, row->order, head->lexicon[i], tail->lexicon[j], 0);
			add(row, MREN_FEATURE_LEXICONS_ALL, row->order + 6, head->lexicon[i], tail->lexicon[j],
				row->between_all);
		}
	}
	for (size_t i = 0; i < row->n_between; i++)
	{
		uint32_t token = row->between[i].token;

		for (uint32_t j = lexicon->starts[token]; j < lexicon->starts[token + 1]; j++)
			add(row, MREN_FEATURE_LEXICON_BETWEEN, row->order, lexicon->types[j], 0, 0);
	}
}

/*
 * Bins, and bins with the last words of the mentions; the order of the mentions in the
 * sentence does not count.
 */
static void
add_boxes(Row *row)
{
	const MrenFeatureRow *in = row->in;
	uint64_t head = head_word(&row->mentions[HEAD]);
	uint64_t tail = head_word(&row->mentions[TAIL]);
	uint64_t head_type = type_hash(&in->head_type);
	uint64_t tail_type = type_hash(&in->tail_type);
	uint32_t bins[MREN_BOX_BINS];

	if (in->head_box == NULL || in->tail_box == NULL)
		return;
	mren_feature_box_bins(in->head_box, in->tail_box, bins);
	for (uint32_t i = 0; i < MREN_BOX_BINS; i++)
	{
		add(row, MREN_FEATURE_BOX, i, bins[i], 0, 0);
		add(row, MREN_FEATURE_BOX_HEAD, i, bins[i], head, 0);
		add(row, MREN_FEATURE_BOX_TAIL, i, bins[i], tail, 0);
		add(row, MREN_FEATURE_BOX_HEADS, i, bins[i], head, tail);
		if (head_type == 0 && tail_type == 0)
			continue;
		add(row, MREN_FEATURE_BOX_TYPE, 2 * i + HEAD, bins[i], head_type, 0);
		add(row, MREN_FEATURE_BOX_TYPE, 2 * i + TAIL, bins[i], tail_type, 0);
		add(row, MREN_FEATURE_BOX_TYPES, i, bins[i], head_type, tail_type);
	}
}

/* ---- order ---- */

#define BUCKET_BITS 7

/*
 * Ascending.  Codes are hashes, so their first bits distribute them evenly, and hardly any is more
 * than a few places from its own when insertion sort begins.
 */
static void
sort_codes(uint32_t *codes, size_t n)
{
	uint32_t unsorted[MREN_MAX_FEATURES];
	uint16_t starts[(1 << BUCKET_BITS) + 1] = {0};

	memcpy(unsorted, codes, n * sizeof(codes[0]));
	for (size_t i = 0; i < n; i++)
		starts[(unsorted[i] >> (32 - BUCKET_BITS)) + 1]++;
	for (size_t b = 0; b < 1 << BUCKET_BITS; b++)
		starts[b + 1] = (uint16_t) (starts[b + 1] + starts[b]);
	for (size_t i = 0; i < n; i++)
		codes[starts[unsorted[i] >> (32 - BUCKET_BITS)]++] = unsorted[i];
	for (size_t i = 1; i < n; i++)
	{
		uint32_t code = codes[i];
		size_t at = i;

		for (; at > 0 && codes[at - 1] > code; at--)
			codes[at] = codes[at - 1];
		codes[at] = code;
	}
}

/* From number `first` on. */
static void
sort_distinct(MrenFeatures *features, size_t first)
{
	size_t n = first;

	sort_codes(features->codes + first, features->n - first);
	for (size_t i = first; i < features->n; i++)
	{
		if (n == first || features->codes[i] != features->codes[n - 1])
			features->codes[n++] = features->codes[i];
	}
	features->n = n;
}

MrenStatus
mren_features_extract(const MrenEnv *env, const MrenFeatureRow *in, MrenFeatures *features,
					  MrenError *err)
{
	Row row = {.in = in, .out = features};
	size_t n_words;

	MREN_TRY(mren_grow(env, &features->codes, &features->codes_capacity, 0, MREN_MAX_FEATURES,
					   sizeof(uint32_t), err));
	features->n = 0;
	read_row(&row);
	add_pair(&row);
	add_mention(&row, HEAD);
	add_mention(&row, TAIL);
	add_types(&row);
	add_distance(&row);
	add_between(&row);
	add_conjunctions(&row);
	add_outside(&row);
	add_lexicon(&row);
	sort_distinct(features, 0);
	n_words = features->n;
	add_boxes(&row);
	sort_distinct(features, n_words);
	features->n_boxes = features->n - n_words;
	return MREN_OK;
}

void
mren_features_free(const MrenEnv *env, MrenFeatures *features)
{
	mren_release(env, features->codes);
	*features = (MrenFeatures){0};
}
