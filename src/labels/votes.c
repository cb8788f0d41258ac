/*
 * votes.c
 *	  Distinct patterns of votes, found by a hash of their votes.
 */
#include "labels/votes.h"

#include <string.h>

#include "base/hash.h"
#include "base/sort.h"

/* Patterns between two checks for interrupts. */
#define PIECE 4096

static MrenStatus
intern(MrenVotes *votes, MrenNames *names, MrenTextSpan name, size_t most, uint32_t *number,
	   MrenError *err)
{
	if (name.len == 0 || name.len > MREN_MAX_LABEL)
		return mren_fail(err, MREN_EDATA, "name of a %s on row \"%.*s\" has %zu bytes, not 1 to %d",
						 names == &votes->sources ? "source" : "relation", (int) votes->id.len,
						 votes->id.data, name.len, MREN_MAX_LABEL);
	MREN_TRY(mren_names_intern(votes->env, names, name, number, err));
	if (names->n <= most)
		return MREN_OK;
	return mren_fail(err, MREN_ELIMIT, "votes have more than %zu %s", most,
					 names == &votes->sources ? "sources" : "relations");
}

MrenStatus
mren_votes_add(MrenVotes *votes, MrenTextSpan source, MrenTextSpan relation, MrenError *err)
{
	uint32_t of;
	uint32_t to;

	MREN_TRY(intern(votes, &votes->sources, source, MREN_MAX_SOURCES, &of, err));
	MREN_TRY(intern(votes, &votes->relations, relation, MREN_MAX_VOTED_RELATIONS, &to, err));
	for (size_t i = 0; i < votes->n_row; i++)
	{
		MrenTextSpan other;

		if (mren_vote_source(votes->row[i]) != of)
			continue;
		if (mren_vote_relation(votes->row[i]) == to)
			return MREN_OK;
		other = mren_names_arrived(&votes->relations, mren_vote_relation(votes->row[i]));
		mren_fail(err, MREN_EDATA, "source \"%.*s\" has two different votes on row \"%.*s\"",
				  (int) source.len, source.data, (int) votes->id.len, votes->id.data);
		mren_error_detail(err, "It votes for \"%.*s\" and for \"%.*s\".", (int) other.len,
						  other.data, (int) relation.len, relation.data);
		mren_error_hint(err,
						"Let a source vote for one relation of a row, or make two sources of it.");
		return MREN_EDATA;
	}
	MREN_TRY(mren_grow(votes->env, &votes->row, &votes->row_capacity, votes->n_row,
					   votes->n_row + 1, sizeof(MrenVote), err));
	votes->row[votes->n_row++] = of << 16 | to;
	return MREN_OK;
}

MrenStatus
mren_votes_add_gold(MrenVotes *votes, MrenTextSpan relation, MrenError *err)
{
	uint32_t to;

	MREN_TRY(intern(votes, &votes->relations, relation, MREN_MAX_VOTED_RELATIONS, &to, err));
	if (votes->has_gold && votes->row_gold != to)
	{
		MrenTextSpan other = mren_names_arrived(&votes->relations, votes->row_gold);

		mren_fail(err, MREN_EDATA, "gold row \"%.*s\" has two different relations",
				  (int) votes->id.len, votes->id.data);
		mren_error_detail(err, "They are \"%.*s\" and \"%.*s\".", (int) other.len, other.data,
						  (int) relation.len, relation.data);
		return MREN_EDATA;
	}
	votes->has_gold = true;
	votes->row_gold = to;
	return MREN_OK;
}

/*
 * Patterns
 */

/* Rows have few votes. */
static void
sort_votes(MrenVote *items, size_t n)
{
	for (size_t i = 1; i < n; i++)
	{
		MrenVote item = items[i];
		size_t at = i;

		for (; at > 0 && items[at - 1] > item; at--)
			items[at] = items[at - 1];
		items[at] = item;
	}
}

static uint64_t
hash_votes(const MrenVote *items, size_t n)
{
	return mren_hash64(items, n * sizeof(MrenVote), 0);
}

/* The slot of the pattern with these votes, or the free one where it belongs. */
static size_t
find_slot(const MrenVotes *votes, const MrenVote *items, size_t n)
{
	size_t slot = (size_t) hash_votes(items, n) & (votes->n_slots - 1);

	for (; votes->slots[slot] != 0; slot = (slot + 1) & (votes->n_slots - 1))
	{
		const MrenVotePattern *pattern = &votes->patterns[votes->slots[slot] - 1];

		if (pattern->n == n && memcmp(votes->votes + pattern->at, items, n * sizeof(MrenVote)) == 0)
			break;
	}
	return slot;
}

/* Keeps the table at most half full. */
static MrenStatus
enlarge_table(MrenVotes *votes, MrenError *err)
{
	size_t n = votes->n_slots > 0 ? votes->n_slots * 2 : 1024;
	uint32_t *slots;

	if (votes->n_patterns * 2 < votes->n_slots)
		return MREN_OK;
	MREN_TRY(mren_allocate_zero(votes->env, n, sizeof(uint32_t), &slots, err));
	mren_release(votes->env, votes->slots);
	votes->slots = slots;
	votes->n_slots = n;
	for (size_t i = 0; i < votes->n_patterns; i++)
	{
		const MrenVotePattern *pattern = &votes->patterns[i];

		votes->slots[find_slot(votes, votes->votes + pattern->at, pattern->n)] = (uint32_t) i + 1;
	}
	return MREN_OK;
}

static MrenStatus
add_pattern(MrenVotes *votes, uint32_t *number, MrenError *err)
{
	size_t slot;

	MREN_TRY(enlarge_table(votes, err));
	slot = find_slot(votes, votes->row, votes->n_row);
	if (votes->slots[slot] != 0)
	{
		*number = votes->slots[slot] - 1;
		return MREN_OK;
	}
	if (votes->n_patterns >= INT32_MAX)
		return mren_fail(err, MREN_ELIMIT, "votes have too many distinct patterns");
	MREN_TRY(mren_grow(votes->env, &votes->votes, &votes->votes_capacity, votes->n_votes,
					   votes->n_votes + votes->n_row, sizeof(MrenVote), err));
	MREN_TRY(mren_grow(votes->env, &votes->patterns, &votes->patterns_capacity, votes->n_patterns,
					   votes->n_patterns + 1, sizeof(MrenVotePattern), err));
	memcpy(votes->votes + votes->n_votes, votes->row, votes->n_row * sizeof(MrenVote));
	votes->patterns[votes->n_patterns] =
		(MrenVotePattern){.at = votes->n_votes, .n = (uint32_t) votes->n_row};
	votes->n_votes += votes->n_row;
	*number = (uint32_t) votes->n_patterns++;
	votes->slots[slot] = *number + 1;
	return MREN_OK;
}

MrenStatus
mren_votes_end_row(MrenVotes *votes, uint32_t *pattern, MrenError *err)
{
	bool has_gold = votes->has_gold;

	*pattern = MREN_NO_PATTERN;
	votes->has_gold = false;
	if (votes->n_row == 0)
	{
		votes->n_unvoted += has_gold;
		return MREN_OK;
	}
	sort_votes(votes->row, votes->n_row);
	MREN_TRY(add_pattern(votes, pattern, err));
	if (has_gold)
	{
		MREN_TRY(mren_grow(votes->env, &votes->gold, &votes->gold_capacity, votes->n_gold,
						   votes->n_gold + 1, sizeof(MrenVotesGold), err));
		votes->gold[votes->n_gold++] = (MrenVotesGold){*pattern, votes->row_gold, 1};
		votes->n_gold_rows++;
	}
	votes->patterns[*pattern].rows++;
	votes->n_rows++;
	votes->n_cast += votes->n_row;
	votes->n_row = 0;
	return MREN_OK;
}

/*
 * The order of contents
 */

/* Gives each name's rank by its number of arrival. */
static MrenStatus
ranks_of(const MrenVotes *votes, const MrenNames *names, uint32_t **ranks, MrenError *err)
{
	MREN_TRY(mren_allocate(votes->env, names->n, sizeof(uint32_t), ranks, err));
	for (size_t rank = 0; rank < names->n; rank++)
		(*ranks)[names->sorted[rank]] = (uint32_t) rank;
	return MREN_OK;
}

static MrenStatus
renumber(MrenVotes *votes, const uint32_t *sources, const uint32_t *relations, MrenError *err)
{
	for (size_t i = 0; i < votes->n_patterns; i++)
	{
		MrenVote *items = votes->votes + votes->patterns[i].at;

		if (i % PIECE == 0)
			MREN_TRY(mren_check_interrupts(votes->env, err));
		for (size_t v = 0; v < votes->patterns[i].n; v++)
			items[v] =
				sources[mren_vote_source(items[v])] << 16 | relations[mren_vote_relation(items[v])];
		sort_votes(items, votes->patterns[i].n);
	}
	for (size_t i = 0; i < votes->n_gold; i++)
		votes->gold[i].relation = relations[votes->gold[i].relation];
	return MREN_OK;
}

static int
compare_patterns(const void *state, uint64_t a, uint64_t b)
{
	const MrenVotes *votes = state;
	const MrenVotePattern *left = &votes->patterns[a];
	const MrenVotePattern *right = &votes->patterns[b];
	uint32_t n = left->n < right->n ? left->n : right->n;

	for (uint32_t i = 0; i < n; i++)
	{
		MrenVote x = votes->votes[left->at + i];
		MrenVote y = votes->votes[right->at + i];

		if (x != y)
			return x < y ? -1 : 1;
	}
	return (left->n > right->n) - (left->n < right->n);
}

/* Sets the patterns' order, and *places to the place of each pattern in it. */
static MrenStatus
order_patterns(MrenVotes *votes, uint32_t *places, MrenError *err)
{
	MrenKeyed *items;

	MREN_TRY(mren_allocate(votes->env, votes->n_patterns, sizeof(MrenKeyed), &items, err));
	for (size_t i = 0; i < votes->n_patterns; i++)
	{
		const MrenVote *first = votes->votes + votes->patterns[i].at;

		items[i] =
			(MrenKeyed){(uint64_t) first[0] << 32 | (votes->patterns[i].n > 1 ? first[1] : 0), i};
	}
	mren_sort_keyed(items, votes->n_patterns, compare_patterns, votes);
	for (size_t i = 0; i < votes->n_patterns; i++)
	{
		votes->order[i] = (uint32_t) items[i].at;
		places[items[i].at] = (uint32_t) i;
	}
	mren_release(votes->env, items);
	return MREN_OK;
}

/* Joins equal gold rows, in the order of their patterns; counts those of unknown relations. */
static MrenStatus
order_gold(MrenVotes *votes, const uint32_t *places, MrenError *err)
{
	uint64_t *keys;
	size_t n = 0;

	MREN_TRY(mren_allocate(votes->env, votes->n_gold, sizeof(uint64_t), &keys, err));
	for (size_t i = 0; i < votes->n_gold; i++)
		keys[i] = (uint64_t) places[votes->gold[i].pattern] << 32 | votes->gold[i].relation;
	mren_sort_u64(keys, votes->n_gold);
	for (size_t i = 0; i < votes->n_gold; i++)
	{
		if (i > 0 && keys[i] == keys[i - 1])
			votes->gold[n - 1].rows++;
		else
			votes->gold[n++] =
				(MrenVotesGold){votes->order[keys[i] >> 32], (uint32_t) (keys[i] & UINT32_MAX), 1};
	}
	votes->n_gold = n;
	mren_release(votes->env, keys);
	for (size_t i = n; i > 0; i--)
	{
		const MrenVotesGold *gold = &votes->gold[i - 1];

		if (votes->relation_votes[gold->relation] > 0)
			continue;
		votes->n_unknown += gold->rows;
		votes->unknown = gold->relation;
	}
	return MREN_OK;
}

static void
count_relations(MrenVotes *votes)
{
	for (size_t i = 0; i < votes->n_patterns; i++)
	{
		const MrenVotePattern *pattern = &votes->patterns[i];

		for (size_t v = 0; v < pattern->n; v++)
			votes->relation_votes[mren_vote_relation(votes->votes[pattern->at + v])] +=
				pattern->rows;
	}
}

static MrenStatus
put_in_order(MrenVotes *votes, const uint32_t *sources, const uint32_t *relations, uint32_t *places,
			 MrenError *err)
{
	MREN_TRY(renumber(votes, sources, relations, err));
	count_relations(votes);
	MREN_TRY(order_patterns(votes, places, err));
	return order_gold(votes, places, err);
}

MrenStatus
mren_votes_finish(MrenVotes *votes, MrenError *err)
{
	const MrenEnv *env = votes->env;
	uint32_t *sources = NULL;
	uint32_t *relations = NULL;
	uint32_t *places = NULL;
	MrenStatus status;

	mren_release(env, votes->slots);
	votes->slots = NULL;
	votes->n_slots = 0;
	MREN_TRY(mren_allocate(env, votes->n_patterns, sizeof(uint32_t), &votes->order, err));
	MREN_TRY(
		mren_allocate_zero(env, votes->relations.n, sizeof(uint64_t), &votes->relation_votes, err));
	status = ranks_of(votes, &votes->sources, &sources, err);
	if (status == MREN_OK)
		status = ranks_of(votes, &votes->relations, &relations, err);
	if (status == MREN_OK)
		status = mren_allocate(env, votes->n_patterns, sizeof(uint32_t), &places, err);
	if (status == MREN_OK)
		status = put_in_order(votes, sources, relations, places, err);
	mren_release(env, sources);
	mren_release(env, relations);
	mren_release(env, places);
	return status;
}

void
mren_votes_free(MrenVotes *votes)
{
	const MrenEnv *env = votes->env;

	mren_names_free(env, &votes->sources);
	mren_names_free(env, &votes->relations);
	mren_release(env, votes->votes);
	mren_release(env, votes->patterns);
	mren_release(env, votes->order);
	mren_release(env, votes->gold);
	mren_release(env, votes->relation_votes);
	mren_release(env, votes->row);
	mren_release(env, votes->slots);
	memset(votes, 0, sizeof(*votes));
	votes->env = env;
}
