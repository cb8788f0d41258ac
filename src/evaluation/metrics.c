/*
 * metrics.c
 *	  A sparse confusion matrix, and the usual figures computed from it.
 *
 * Only pairs that occurred are stored, in an open-addressing table; its margins
 * are updated with it, so that figures need no pass over the pairs.
 */
#include "evaluation/metrics.h"

#include <math.h>
#include "base/names.h"

typedef struct Label
{
	uint64_t n_actual;
	uint64_t n_predicted;
	uint64_t n_correct;
} Label;

/* A pair of labels by their order of arrival. */
typedef struct Pair
{
	uint64_t key; /* (1 + actual) << 32 | (1 + predicted), 0 for an absent one; 0: empty slot */
	uint64_t count;
} Pair;

struct MrenConfusion
{
	MrenEnv env;
	MrenNames names;
	Label *labels; /* in order of arrival */
	size_t labels_capacity;
	Pair *pairs;
	size_t n_slots; /* a power of two, or 0 */
	size_t n_pairs;
	uint64_t total; /* rows */
	uint64_t exact; /* of them, those of which exactly the right labels are predicted */
};

MrenStatus
mren_confusion_create(const MrenEnv *env, MrenConfusion **confusion, MrenError *err)
{
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(**confusion), confusion, err));
	(*confusion)->env = *env;
	return MREN_OK;
}

void
mren_confusion_free(MrenConfusion *confusion)
{
	MrenEnv env;

	if (confusion == NULL)
		return;
	env = confusion->env;
	mren_names_free(&env, &confusion->names);
	mren_release(&env, confusion->labels);
	mren_release(&env, confusion->pairs);
	mren_release(&env, confusion);
}

static MrenStatus
intern_label(MrenConfusion *c, MrenTextSpan name, uint32_t *number, MrenError *err)
{
	size_t before = c->names.n;

	MREN_TRY(mren_grow(&c->env, &c->labels, &c->labels_capacity, before, before + 1, sizeof(Label),
					   err));
	MREN_TRY(mren_names_intern(&c->env, &c->names, name, number, err));
	if (c->names.n > before)
		c->labels[*number] = (Label){0, 0, 0};
	return MREN_OK;
}

static size_t
pair_slot(const Pair *pairs, size_t n_slots, uint64_t key)
{
	size_t slot = (size_t) ((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (n_slots - 1);

	while (pairs[slot].key != 0 && pairs[slot].key != key)
		slot = (slot + 1) & (n_slots - 1);
	return slot;
}

static MrenStatus
grow_pairs(MrenConfusion *c, MrenError *err)
{
	size_t n_slots = c->n_slots > 0 ? c->n_slots * 2 : 64;
	Pair *pairs;

	if (2 * (c->n_pairs + 1) <= c->n_slots)
		return MREN_OK;
	MREN_TRY(mren_allocate_zero(&c->env, n_slots, sizeof(Pair), &pairs, err));
	for (size_t i = 0; i < c->n_slots; i++)
	{
		if (c->pairs[i].key != 0)
			pairs[pair_slot(pairs, n_slots, c->pairs[i].key)] = c->pairs[i];
	}
	mren_release(&c->env, c->pairs);
	c->pairs = pairs;
	c->n_slots = n_slots;
	return MREN_OK;
}

/* The number of a label by arrival, plus 1; 0 if it is absent. */
static MrenStatus
intern_optional(MrenConfusion *c, MrenTextSpan name, uint32_t *number, MrenError *err)
{
	*number = 0;
	if (name.data == NULL)
		return MREN_OK;
	MREN_TRY(intern_label(c, name, number, err));
	(*number)++;
	return MREN_OK;
}

MrenStatus
mren_confusion_add_cell(MrenConfusion *confusion, MrenTextSpan actual, MrenTextSpan predicted,
						uint64_t n, MrenError *err)
{
	MrenConfusion *c = confusion;
	uint32_t a;
	uint32_t p;
	uint64_t key;
	size_t slot;

	MREN_TRY(intern_optional(c, actual, &a, err));
	MREN_TRY(intern_optional(c, predicted, &p, err));
	MREN_TRY(grow_pairs(c, err));
	key = (uint64_t) a << 32 | p;
	slot = pair_slot(c->pairs, c->n_slots, key);
	if (c->pairs[slot].key == 0)
	{
		c->pairs[slot].key = key;
		c->n_pairs++;
	}
	c->pairs[slot].count += n;
	if (a > 0)
		c->labels[a - 1].n_actual += n;
	if (p > 0)
		c->labels[p - 1].n_predicted += n;
	if (a > 0 && a == p)
		c->labels[a - 1].n_correct += n;
	return MREN_OK;
}

void
mren_confusion_add_rows(MrenConfusion *confusion, uint64_t n, uint64_t exact)
{
	confusion->total += n;
	confusion->exact += exact;
}

MrenStatus
mren_confusion_add(MrenConfusion *confusion, MrenTextSpan actual, MrenTextSpan predicted,
				   uint64_t n, MrenError *err)
{
	bool right = predicted.data != NULL && mren_text_span_equal(actual, predicted);

	MREN_TRY(mren_confusion_add_cell(confusion, actual, predicted, n, err));
	mren_confusion_add_rows(confusion, n, right ? n : 0);
	return MREN_OK;
}

/* Whether the name is among n in bytewise order. */
static bool
contains(const MrenTextSpan *names, size_t n, MrenTextSpan name)
{
	size_t low = 0;

	while (low < n)
	{
		size_t middle = low + (n - low) / 2;
		int order = mren_text_span_compare(names[middle], name);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			n = middle;
	}
	return false;
}

MrenStatus
mren_confusion_add_sets(MrenConfusion *confusion, const MrenTextSpan *actual, size_t n_actual,
						const MrenTextSpan *predicted, size_t n_predicted, MrenError *err)
{
	static const MrenTextSpan absent = {NULL, 0};
	size_t missed = 0; /* the next label that may not be predicted */
	size_t wrong = 0;  /* the next that may be wrong */
	size_t a = 0;
	size_t p = 0;
	bool exact = n_actual == n_predicted;

	/* What is right, in one pass over both. */
	while (a < n_actual && p < n_predicted)
	{
		int order = mren_text_span_compare(actual[a], predicted[p]);

		if (order == 0)
			MREN_TRY(mren_confusion_add_cell(confusion, actual[a], predicted[p], 1, err));
		else
			exact = false;
		a += order <= 0;
		p += order >= 0;
	}
	/* The others against each other, one by one. */
	for (;;)
	{
		while (missed < n_actual && contains(predicted, n_predicted, actual[missed]))
			missed++;
		while (wrong < n_predicted && contains(actual, n_actual, predicted[wrong]))
			wrong++;
		if (missed == n_actual && wrong == n_predicted)
			break;
		MREN_TRY(mren_confusion_add_cell(confusion, missed < n_actual ? actual[missed] : absent,
										 wrong < n_predicted ? predicted[wrong] : absent, 1, err));
		missed += missed < n_actual;
		wrong += wrong < n_predicted;
	}
	mren_confusion_add_rows(confusion, 1, exact);
	return MREN_OK;
}

static MrenTextSpan
arrived(const MrenConfusion *c, uint32_t number)
{
	return number > 0 ? mren_names_arrived(&c->names, number - 1) : (MrenTextSpan){NULL, 0};
}

MrenStatus
mren_confusion_merge(MrenConfusion *into, const MrenConfusion *from, MrenError *err)
{
	for (size_t i = 0; i < from->n_slots; i++)
	{
		uint64_t key = from->pairs[i].key;

		if (key != 0)
			MREN_TRY(mren_confusion_add_cell(into, arrived(from, (uint32_t) (key >> 32)),
											 arrived(from, (uint32_t) key), from->pairs[i].count,
											 err));
	}
	mren_confusion_add_rows(into, from->total, from->exact);
	return MREN_OK;
}

size_t
mren_confusion_n_labels(const MrenConfusion *confusion)
{
	return confusion->names.n;
}

MrenTextSpan
mren_confusion_label(const MrenConfusion *confusion, size_t i)
{
	return mren_names_get(&confusion->names, i);
}

bool
mren_confusion_find(const MrenConfusion *confusion, MrenTextSpan name, size_t *i)
{
	return mren_names_find(&confusion->names, name, i);
}

uint64_t
mren_confusion_count(const MrenConfusion *confusion, size_t i, size_t j)
{
	const MrenConfusion *c = confusion;
	uint64_t key = 0;

	if (i < c->names.n)
		key = ((uint64_t) c->names.sorted[i] + 1) << 32;
	if (j < c->names.n)
		key |= (uint64_t) c->names.sorted[j] + 1;
	return c->n_slots > 0 && key != 0 ? c->pairs[pair_slot(c->pairs, c->n_slots, key)].count : 0;
}

uint64_t
mren_confusion_total(const MrenConfusion *confusion)
{
	return confusion->total;
}

uint64_t
mren_confusion_exact(const MrenConfusion *confusion)
{
	return confusion->exact;
}

void
mren_confusion_margins(const MrenConfusion *confusion, size_t i, MrenMargins *margins)
{
	const Label *label = &confusion->labels[confusion->names.sorted[i]];

	*margins = (MrenMargins){label->n_actual, label->n_predicted, label->n_correct};
}

static double
ratio(uint64_t part, uint64_t whole)
{
	return whole > 0 ? (double) part / (double) whole : NAN;
}

static MrenScore
score_of(const MrenMargins *m)
{
	uint64_t both = m->actual + m->predicted;

	return (MrenScore){ratio(m->correct, m->predicted), ratio(m->correct, m->actual),
					   both > 0 ? 2.0 * (double) m->correct / (double) both : NAN, m->actual};
}

void
mren_confusion_score(const MrenConfusion *confusion, size_t i, MrenScore *score)
{
	MrenMargins margins;

	mren_confusion_margins(confusion, i, &margins);
	*score = score_of(&margins);
}

/* The margins of label i; false if the averages leave it out. */
static bool
take_label(const MrenConfusion *c, size_t i, MrenTextSpan negative, MrenMargins *margins)
{
	mren_confusion_margins(c, i, margins);
	if (margins->actual + margins->predicted == 0)
		return false;
	return negative.data == NULL ||
		   mren_text_span_compare(mren_confusion_label(c, i), negative) != 0;
}

void
mren_confusion_micro(const MrenConfusion *confusion, MrenTextSpan negative, MrenScore *score)
{
	MrenMargins sum = {0, 0, 0};
	MrenMargins margins;

	for (size_t i = 0; i < confusion->names.n; i++)
	{
		if (!take_label(confusion, i, negative, &margins))
			continue;
		sum.actual += margins.actual;
		sum.predicted += margins.predicted;
		sum.correct += margins.correct;
	}
	*score = score_of(&sum);
}

static double
or_zero(double value)
{
	return isnan(value) ? 0 : value;
}

void
mren_confusion_macro(const MrenConfusion *confusion, MrenTextSpan negative, MrenScore *score)
{
	MrenScore sum = {0, 0, 0, 0};
	MrenMargins margins;
	double n = 0;

	for (size_t i = 0; i < confusion->names.n; i++)
	{
		MrenScore label;

		if (!take_label(confusion, i, negative, &margins))
			continue;
		label = score_of(&margins);
		sum.precision += or_zero(label.precision);
		sum.recall += or_zero(label.recall);
		sum.f1 += or_zero(label.f1);
		sum.support += label.support;
		n++;
	}
	*score = (MrenScore){sum.precision / n, sum.recall / n, sum.f1 / n, sum.support};
}

double
mren_confusion_accuracy(const MrenConfusion *confusion)
{
	return ratio(confusion->exact, confusion->total);
}
