/*
 * labelled_pairs.c
 *	  Rows of labelled pairs, kept until all are there, then sorted by pair.
 *
 * Memory is 32 bytes for each row and 4 for each prediction.
 */
#include "evaluation/labelled_pairs.h"

#include "base/sort.h"

typedef struct Row
{
	uint64_t pair;
	size_t predicted; /* the first of them, in MrenLabelledPairs */
	uint32_t n_predicted;
	uint32_t actual; /* numbers of names by arrival */
	bool single;
} Row;

/* A label of the pair at hand, and how many of its rows have it. */
typedef struct Run
{
	MrenTextSpan label;
	size_t n;
} Run;

struct MrenLabelledPairs
{
	MrenEnv env;
	MrenNames names;
	Row *rows;
	size_t n;
	size_t capacity;
	uint32_t *predicted;
	size_t n_predicted;
	size_t predicted_capacity;
};

/* What counting needs beside the rows. */
typedef struct Count
{
	const MrenLabelledPairs *labels;
	MrenTextSpan negative;
	MrenConfusion *confusion;
	MrenKeyed *order; /* (labels->n) */
	uint32_t *ranks;  /* (labels->names.n) by number */
	Run *runs;		  /* (labels->names.n) */
	MrenTextSpan *actual;
	MrenTextSpan *predicted;
} Count;

MrenStatus
mren_labelled_pairs_create(const MrenEnv *env, MrenLabelledPairs **labels, MrenError *err)
{
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(**labels), labels, err));
	(*labels)->env = *env;
	return MREN_OK;
}

void
mren_labelled_pairs_free(MrenLabelledPairs *labels)
{
	MrenEnv env;

	if (labels == NULL)
		return;
	env = labels->env;
	mren_names_free(&env, &labels->names);
	mren_release(&env, labels->rows);
	mren_release(&env, labels->predicted);
	mren_release(&env, labels);
}

static MrenStatus
add_row(MrenLabelledPairs *labels, Row row, MrenTextSpan actual, const MrenTextSpan *predicted,
		size_t n, MrenError *err)
{
	const MrenEnv *env = &labels->env;

	MREN_TRY(mren_grow(env, &labels->rows, &labels->capacity, labels->n, labels->n + 1, sizeof(Row),
					   err));
	MREN_TRY(mren_grow(env, &labels->predicted, &labels->predicted_capacity, labels->n_predicted,
					   labels->n_predicted + n, sizeof(uint32_t), err));
	MREN_TRY(mren_names_intern(env, &labels->names, actual, &row.actual, err));
	for (size_t i = 0; i < n; i++)
		MREN_TRY(mren_names_intern(env, &labels->names, predicted[i],
								   &labels->predicted[labels->n_predicted + i], err));
	row.predicted = labels->n_predicted;
	row.n_predicted = (uint32_t) n;
	labels->n_predicted += n;
	labels->rows[labels->n++] = row;
	return MREN_OK;
}

MrenStatus
mren_labelled_pairs_add(MrenLabelledPairs *labels, uint64_t pair, MrenTextSpan actual,
						const MrenTextSpan *predicted, size_t n, MrenError *err)
{
	return add_row(labels, (Row){.pair = pair}, actual, predicted, n, err);
}

MrenStatus
mren_labelled_pairs_add_single(MrenLabelledPairs *labels, MrenTextSpan actual,
							   const MrenTextSpan *predicted, size_t n, MrenError *err)
{
	return add_row(labels, (Row){.single = true}, actual, predicted, n, err);
}

/*
 * Counting
 */

/* Of rows with the same pair: single ones last, then by label, then by arrival. */
static int
compare_rows(const void *state, uint64_t a, uint64_t b)
{
	const Count *count = state;
	const Row *x = &count->labels->rows[a];
	const Row *y = &count->labels->rows[b];
	uint32_t rank = count->ranks[x->actual];
	uint32_t other = count->ranks[y->actual];

	if (x->single != y->single)
		return x->single ? 1 : -1;
	if (rank != other)
		return rank < other ? -1 : 1;
	return a < b ? -1 : a > b;
}

static bool
is_negative(const Count *count, MrenTextSpan label)
{
	return count->negative.data != NULL && mren_text_span_equal(label, count->negative);
}

/* The labels that k rows of the pair have, in bytewise order; drops the other runs. */
static size_t
labels_of(Count *count, size_t *n_runs, size_t k)
{
	size_t kept = 0;
	size_t n = 0;

	for (size_t i = 0; i < *n_runs; i++)
	{
		if (count->runs[i].n >= k)
			count->runs[kept++] = count->runs[i];
	}
	*n_runs = kept;
	for (size_t i = 0; i < kept; i++)
	{
		if (kept == 1 || !is_negative(count, count->runs[i].label))
			count->actual[n++] = count->runs[i].label;
	}
	return n;
}

/* The row's predictions in bytewise order: few, so inserted one by one. */
static void
predictions_of(Count *count, const Row *row)
{
	const MrenLabelledPairs *labels = count->labels;

	for (size_t i = 0; i < row->n_predicted; i++)
	{
		MrenTextSpan label =
			mren_names_arrived(&labels->names, labels->predicted[row->predicted + i]);
		size_t at = i;

		for (; at > 0 && mren_text_span_compare(count->predicted[at - 1], label) > 0; at--)
			count->predicted[at] = count->predicted[at - 1];
		count->predicted[at] = label;
	}
}

/* The pair whose rows are order[first] .. order[end - 1]. */
static MrenStatus
count_pair(Count *count, size_t first, size_t end, MrenError *err)
{
	const MrenLabelledPairs *labels = count->labels;
	const Row *row = &labels->rows[count->order[first].at];
	size_t n_runs = 0;

	for (size_t i = first; i < end; i++)
	{
		MrenTextSpan label =
			mren_names_arrived(&labels->names, labels->rows[count->order[i].at].actual);

		if (n_runs > 0 && mren_text_span_equal(count->runs[n_runs - 1].label, label))
			count->runs[n_runs - 1].n++;
		else
			count->runs[n_runs++] = (Run){label, 1};
	}
	predictions_of(count, row);
	for (size_t k = 1;; k++)
	{
		size_t n = labels_of(count, &n_runs, k);

		if (n == 0)
			return MREN_OK;
		MREN_TRY(mren_confusion_add_sets(count->confusion, count->actual, n, count->predicted,
										 row->n_predicted, err));
	}
}

static MrenStatus
count_pairs(Count *count, MrenError *err)
{
	const MrenLabelledPairs *labels = count->labels;
	size_t first = 0;

	for (size_t i = 0; i < labels->names.n; i++)
		count->ranks[labels->names.sorted[i]] = (uint32_t) i;
	for (size_t i = 0; i < labels->n; i++)
		count->order[i] = (MrenKeyed){labels->rows[i].pair, i};
	mren_sort_keyed(count->order, labels->n, compare_rows, count);
	for (size_t i = 1; i <= labels->n; i++)
	{
		if (i < labels->n && count->order[i].key == count->order[first].key &&
			!labels->rows[count->order[i].at].single)
			continue;
		if (i % 1024 == 0)
			MREN_TRY(mren_check_interrupts(&labels->env, err));
		MREN_TRY(count_pair(count, first, i, err));
		first = i;
	}
	return MREN_OK;
}

MrenStatus
mren_labelled_pairs_count(MrenLabelledPairs *labels, MrenTextSpan negative,
						  MrenConfusion *confusion, MrenError *err)
{
	const MrenEnv *env = &labels->env;
	size_t n = labels->names.n;
	Count count = {.labels = labels, .negative = negative, .confusion = confusion};
	MrenStatus status = mren_allocate(env, labels->n, sizeof(MrenKeyed), &count.order, err);

	if (status == MREN_OK)
		status = mren_allocate(env, n, sizeof(uint32_t), &count.ranks, err);
	if (status == MREN_OK)
		status = mren_allocate(env, n, sizeof(Run), &count.runs, err);
	if (status == MREN_OK)
		status = mren_allocate(env, n, sizeof(MrenTextSpan), &count.actual, err);
	if (status == MREN_OK)
		status = mren_allocate(env, n, sizeof(MrenTextSpan), &count.predicted, err);
	if (status == MREN_OK)
		status = count_pairs(&count, err);
	mren_release(env, count.order);
	mren_release(env, count.ranks);
	mren_release(env, count.runs);
	mren_release(env, count.actual);
	mren_release(env, count.predicted);
	return status;
}
