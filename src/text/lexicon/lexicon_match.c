/*
 * lexicon_match.c
 *	  Finding a lexicon's phrases in a folded text.
 *
 * At each word the longest phrase that begins there is a candidate.  Candidates
 * that overlap, directly or in a chain, are settled together: from a heap the
 * longest is taken first; one whose end is taken already comes back with the
 * longest shorter phrase that fits.  Each comes back at most as often as it has
 * words, so hostile texts cost no more than a constant factor.
 */
#include "text/lexicon/lexicon.h"

#include <string.h>

#include "text/clitic.h"
#include "text/lexicon/lexicon_internal.h"

#define NONE MREN_LEXICON_NONE

typedef struct MrenLexiconCandidate
{
	uint32_t first, end; /* words; end 0: given up */
	uint32_t node;
	uint32_t length; /* characters of the text */
	bool taken;
} Candidate;

typedef struct Matcher
{
	const MrenLexicon *lexicon;
	const MrenEnv *env;
	const MrenFolded *folded;
	MrenLexiconMatches *out;
	size_t n_candidates; /* of the group at hand */
	size_t n_heap;
	unsigned steps;
	MrenError *err;
} Matcher;

static const MrenLexiconEntry *
entries_of(const MrenLexicon *lexicon, uint32_t node, uint32_t *n)
{
	*n = lexicon->nodes[node].count;
	return lexicon->entries + lexicon->nodes[node].first;
}

static uint32_t
word_number(const MrenLexicon *lexicon, const MrenFolded *folded, size_t i)
{
	uint32_t start = folded->starts[i];

	return lexicon_find_word(lexicon, folded->bytes + start, folded->starts[i + 1] - start,
							 folded->hashes[i]);
}

/* The longest phrase of words first .. at most limit-1; candidate->end is 0 if there is none. */
static void
walk(const Matcher *matcher, uint32_t first, uint32_t limit, Candidate *candidate)
{
	const MrenLexicon *lexicon = matcher->lexicon;
	const MrenToken *words = matcher->folded->words;
	const uint32_t *ids = matcher->out->ids;
	uint32_t node = 0;

	*candidate = (Candidate){.first = first};
	for (uint32_t i = first; i < limit && ids[i] != NONE; i++)
	{
		node = lexicon_step(lexicon, node, ids[i]);
		if (node == NONE)
			break;
		if (lexicon->nodes[node].count > 0)
		{
			candidate->end = i + 1;
			candidate->node = node;
		}
	}
	if (candidate->end > 0)
		candidate->length = words[candidate->end - 1].char_end - words[first].char_start;
}

/* ---- the heap: longest first, then earliest ---- */

static bool
goes_first(const Matcher *matcher, uint32_t a, uint32_t b)
{
	const Candidate *candidates = matcher->out->candidates;

	if (candidates[a].length != candidates[b].length)
		return candidates[a].length > candidates[b].length;
	return a < b;
}

static void
sift_down(Matcher *matcher, size_t at)
{
	uint32_t *heap = matcher->out->heap;
	uint32_t moved = heap[at];

	for (;;)
	{
		size_t child = 2 * at + 1;

		if (child >= matcher->n_heap)
			break;
		if (child + 1 < matcher->n_heap && goes_first(matcher, heap[child + 1], heap[child]))
			child++;
		if (!goes_first(matcher, heap[child], moved))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

static void
build_heap(Matcher *matcher)
{
	matcher->n_heap = matcher->n_candidates;
	for (size_t i = 0; i < matcher->n_heap; i++)
		matcher->out->heap[i] = (uint32_t) i;
	for (size_t i = matcher->n_heap / 2; i-- > 0;)
		sift_down(matcher, i);
}

/* ---- settling a group ---- */

static MrenStatus
emit(Matcher *matcher, const Candidate *candidate)
{
	MrenLexiconMatches *out = matcher->out;
	MrenLexiconMatch match = {.first = candidate->first, .end = candidate->end};

	if (out->n == out->capacity)
		MREN_TRY(mren_grow(matcher->env, &out->items, &out->capacity, out->n, out->n + 1,
						   sizeof(*out->items), matcher->err));
	match.entries = entries_of(matcher->lexicon, candidate->node, &match.n_entries);
	out->items[out->n++] = match;
	return MREN_OK;
}

/*
 * Taken words are marked by the id NONE: no later walk then crosses them, and
 * the ids of words before the next group are not needed any more.
 */
static void
take(Matcher *matcher, Candidate *candidate)
{
	candidate->taken = true;
	for (uint32_t i = candidate->first; i < candidate->end; i++)
		matcher->out->ids[i] = NONE;
}

/*
 * Whatever was taken is at least as long, so it covers an end of the candidate
 * if it overlaps it at all, or is the same.
 */
static MrenStatus
settle_group(Matcher *matcher)
{
	MrenLexiconMatches *out = matcher->out;

	if (matcher->n_candidates > out->heap_capacity)
		MREN_TRY(mren_grow(matcher->env, &out->heap, &out->heap_capacity, 0, matcher->n_candidates,
						   sizeof(*out->heap), matcher->err));
	build_heap(matcher);
	while (matcher->n_heap > 0)
	{
		Candidate *best = &out->candidates[out->heap[0]];
		bool again = false;

		if (++matcher->steps % 1024 == 0)
			MREN_TRY(mren_check_interrupts(matcher->env, matcher->err));
		if (out->ids[best->first] != NONE && out->ids[best->end - 1] == NONE)
		{
			walk(matcher, best->first, best->end, best);
			again = best->end > 0;
		}
		else if (out->ids[best->first] != NONE)
			take(matcher, best);
		if (!again)
			out->heap[0] = out->heap[--matcher->n_heap];
		if (matcher->n_heap > 0)
			sift_down(matcher, 0);
	}
	for (size_t i = 0; i < matcher->n_candidates; i++)
	{
		if (out->candidates[i].taken)
			MREN_TRY(emit(matcher, &out->candidates[i]));
	}
	return MREN_OK;
}

static MrenStatus
end_group(Matcher *matcher)
{
	MrenStatus status = MREN_OK;

	if (matcher->n_candidates == 1)
		status = emit(matcher, &matcher->out->candidates[0]);
	else if (matcher->n_candidates > 1)
		status = settle_group(matcher);
	matcher->n_candidates = 0;
	return status;
}

static MrenStatus
add_candidate(Matcher *matcher, const Candidate *candidate)
{
	MrenLexiconMatches *out = matcher->out;
	size_t n = matcher->n_candidates;

	if (n == out->candidates_capacity)
		MREN_TRY(mren_grow(matcher->env, &out->candidates, &out->candidates_capacity, n, n + 1,
						   sizeof(*out->candidates), matcher->err));
	out->candidates[matcher->n_candidates++] = *candidate;
	return MREN_OK;
}

static MrenStatus
number_words(Matcher *matcher)
{
	const MrenFolded *folded = matcher->folded;
	MrenLexiconMatches *out = matcher->out;

	if (folded->n > out->ids_capacity)
		MREN_TRY(mren_grow(matcher->env, &out->ids, &out->ids_capacity, 0, folded->n,
						   sizeof(*out->ids), matcher->err));
	for (size_t i = 0; i < folded->n; i++)
	{
		if (i % 4096 == 4095)
			MREN_TRY(mren_check_interrupts(matcher->env, matcher->err));
		out->ids[i] = word_number(matcher->lexicon, folded, i);
	}
	return MREN_OK;
}

MrenStatus
mren_lexicon_match(const MrenLexicon *lexicon, const MrenEnv *env, const MrenFolded *folded,
				   MrenLexiconMatches *matches, MrenError *err)
{
	Matcher matcher = {lexicon, env, folded, matches, 0, 0, 0, err};
	uint32_t group_end = 0;

	matches->n = 0;
	MREN_TRY(number_words(&matcher));
	for (uint32_t first = 0; first < folded->n; first++)
	{
		Candidate candidate;

		if (++matcher.steps % 1024 == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		if (first >= group_end)
			MREN_TRY(end_group(&matcher));
		walk(&matcher, first, (uint32_t) folded->n, &candidate);
		if (candidate.end == 0)
			continue;
		if (candidate.end > group_end)
			group_end = candidate.end;
		MREN_TRY(add_candidate(&matcher, &candidate));
	}
	return end_group(&matcher);
}

void
mren_lexicon_matches_free(const MrenEnv *env, MrenLexiconMatches *matches)
{
	mren_release(env, matches->items);
	mren_release(env, matches->ids);
	mren_release(env, matches->candidates);
	mren_release(env, matches->heap);
	*matches = (MrenLexiconMatches){0};
}

/* ---- looking a span up ---- */

/* The node of words first .. end-1, or NONE. */
static uint32_t
find_phrase(const MrenLexicon *lexicon, const MrenFolded *folded, size_t first, size_t end)
{
	uint32_t node = 0;

	if (first >= end)
		return NONE;
	for (size_t i = first; i < end && node != NONE; i++)
	{
		uint32_t word = word_number(lexicon, folded, i);

		node = word == NONE ? NONE : lexicon_step(lexicon, node, word);
	}
	return node != NONE && lexicon->nodes[node].count > 0 ? node : NONE;
}

const MrenLexiconEntry *
mren_lexicon_phrase(const MrenLexicon *lexicon, const MrenFolded *folded, size_t first, size_t end,
					size_t *n)
{
	uint32_t node = find_phrase(lexicon, folded, first, end);
	uint32_t count;
	const MrenLexiconEntry *entries;

	*n = 0;
	if (node == NONE)
		return NULL;
	entries = entries_of(lexicon, node, &count);
	*n = count;
	return entries;
}

/* Whether the words before `end` are an apostrophe and the letters that follow it. */
static bool
ends_possessive(const MrenFolded *folded, size_t first, size_t end)
{
	uint32_t start = folded->starts[end - 1];
	const MrenToken *words = folded->words;

	return end - first > 2 && words[end - 2].end == words[end - 1].start &&
		   start - folded->starts[end - 2] == 1 && folded->bytes[start - 1] == '\'' &&
		   mren_clitic_letters(folded->bytes + start, folded->starts[end] - start);
}

/* mren_lexicon_last_words, but no possessive ending is skipped. */
static bool
phrase_at_end(const MrenLexicon *lexicon, const MrenFolded *folded, size_t first, size_t end,
			  MrenLexiconMatch *match)
{
	/* No phrase has more words than bytes. */
	size_t from = end - first > MREN_MAX_PHRASE ? end - MREN_MAX_PHRASE : first;

	for (; from < end; from++)
	{
		uint32_t node = find_phrase(lexicon, folded, from, end);

		if (node == NONE)
			continue;
		*match = (MrenLexiconMatch){.first = (uint32_t) from, .end = (uint32_t) end};
		match->entries = entries_of(lexicon, node, &match->n_entries);
		return true;
	}
	return false;
}

bool
mren_lexicon_last_words(const MrenLexicon *lexicon, const MrenFolded *folded, size_t first,
						size_t end, MrenLexiconMatch *match)
{
	if (first >= end)
		return false;
	return phrase_at_end(lexicon, folded, first, end, match) ||
		   (ends_possessive(folded, first, end) &&
			phrase_at_end(lexicon, folded, first, end - 2, match));
}
