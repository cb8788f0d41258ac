/*
 * pairs.c
 *	  Which mentions of a document are paired, within bounds.
 *
 * Pairs are taken by the number of mentions between them: first all neighbours, then
 * all with one mention between them, and so on.  So a bound keeps the nearest
 * pairs, and a list of n names costs no more than the bound, not n * n.  A
 * mention's reach is how many of the mentions after it are near enough: they
 * are in the order of the text, so those are the next ones.
 */
#include "pg/extract/pairs.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "pg/support/settings.h"

/* Pairs that begin in one sentence and are looked at, of which only some may be allowed. */
#define MAX_EXAMINED 1000000

typedef struct Chooser
{
	const MrenDocument *document;
	const MrenPairing *pairing;
	MrenPairs *pairs;
	int64 size;		 /* pairs->items has room for */
	int32 *reach;	 /* (n_mentions) */
	int32 *active;	 /* mentions that reach further than the step at hand */
	int32 *taken;	 /* (n sentences) pairs that begin there */
	int32 *examined; /* (n sentences) */
} Chooser;

/* Whether both are mentions of one entity, as a graph has it: of one name and type. */
static bool
same_entity(const MrenDocMention *a, const MrenDocMention *b)
{
	return a->name.len == b->name.len && memcmp(a->name.data, b->name.data, a->name.len) == 0 &&
		   strcmp(a->type, b->type) == 0;
}

static bool
is_pair(const Chooser *chooser, int32 first, int32 second)
{
	const MrenDocMention *a = &chooser->document->mentions[first];
	const MrenDocMention *b = &chooser->document->mentions[second];

	return !same_entity(a, b) &&
		   (mren_relation_allowed(chooser->pairing->schema, NULL, a->type, b->type, true) ||
			mren_relation_allowed(chooser->pairing->schema, NULL, b->type, a->type, false));
}

static bool
is_near(const Chooser *chooser, const MrenDocMention *first, const MrenDocMention *second)
{
	int64 distance = (int64) second->place.char_start - first->place.char_end;

	return chooser->pairing->max_distance < 0 ? second->sentence == first->sentence
											  : distance <= chooser->pairing->max_distance;
}

/* The reach of each mention; the last of one never lies before that of an earlier one. */
static void
measure_reach(Chooser *chooser)
{
	const MrenDocument *document = chooser->document;
	int32 last = 0;

	for (int32 i = 0; i < document->n_mentions; i++)
	{
		last = Max(last, i);
		while (last + 1 < document->n_mentions &&
			   is_near(chooser, &document->mentions[i], &document->mentions[last + 1]))
			last++;
		chooser->reach[i] = last - i;
	}
}

static void
take(Chooser *chooser, int32 first, int32 second)
{
	MrenPairs *pairs = chooser->pairs;

	if (pairs->n == chooser->size)
	{
		chooser->size *= 2;
		pairs->items = repalloc_huge(pairs->items, chooser->size * sizeof(MrenPairOfMentions));
	}
	pairs->items[pairs->n++] = (MrenPairOfMentions){first, second};
}

/*
 * Looks at the pairs with step - 1 mentions between them; the number of mentions left for the next
 * step.
 */
static int32
choose_step(Chooser *chooser, int32 n_active, int32 step)
{
	int32 n_left = 0;

	for (int32 i = 0; i < n_active; i++)
	{
		int32 first = chooser->active[i];
		uint32 sentence = chooser->document->mentions[first].sentence;

		if (chooser->reach[first] < step)
			continue;
		if (chooser->taken[sentence] >= mren_max_pairs_sentence ||
			chooser->examined[sentence] >= MAX_EXAMINED ||
			chooser->pairs->n >= mren_max_pairs_document)
		{
			chooser->pairs->n_skipped += chooser->reach[first] - step + 1;
			continue;
		}
		chooser->examined[sentence]++;
		if (is_pair(chooser, first, first + step))
		{
			take(chooser, first, first + step);
			chooser->taken[sentence]++;
		}
		chooser->active[n_left++] = first;
	}
	return n_left;
}

static int
compare_pairs(const void *a, const void *b)
{
	const MrenPairOfMentions *x = a;
	const MrenPairOfMentions *y = b;

	return x->first != y->first ? x->first - y->first : x->second - y->second;
}

void
mren_pairs_choose(const MrenDocument *document, const MrenPairing *pairing, MrenPairs *pairs)
{
	Chooser chooser = {document, pairing, pairs, .size = 64};
	int32 n_active = document->n_mentions;
	size_t n_sentences = Max(document->sentences.n, 1);

	*pairs = (MrenPairs){palloc(chooser.size * sizeof(MrenPairOfMentions)), 0, 0};
	chooser.reach = palloc(Max(n_active, 1) * sizeof(int32));
	chooser.active = palloc(Max(n_active, 1) * sizeof(int32));
	chooser.taken = palloc0(n_sentences * sizeof(int32));
	chooser.examined = palloc0(n_sentences * sizeof(int32));
	measure_reach(&chooser);
	for (int32 i = 0; i < n_active; i++)
		chooser.active[i] = i;
	for (int32 step = 1; n_active > 0; step++)
	{
		CHECK_FOR_INTERRUPTS();
		mren_document_check_time(document);
		n_active = choose_step(&chooser, n_active, step);
	}
	qsort(pairs->items, pairs->n, sizeof(MrenPairOfMentions), compare_pairs);
	pfree(chooser.reach);
	pfree(chooser.active);
	pfree(chooser.taken);
	pfree(chooser.examined);
}
