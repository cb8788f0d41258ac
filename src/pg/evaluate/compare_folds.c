/*
 * compare_folds.c
 *	  Cross-validation on encoded rows.
 *
 * The network of a fold is trained on a source without the fold's rows, so that
 * nothing depends on them: neither vocabulary nor scale, early stopping or
 * calibration.  Each fold has a memory context, which is deleted after it.
 */
#include "pg/evaluate/compare_folds.h"

#include "miscadmin.h"
#include "pg/predict/predictor.h"
#include "utils/memutils.h"

#include "base/sort.h"
#include "pg/support/pg_env.h"
#include "pg/train/train_answer.h"
#include "pg/train/train_network.h"
#include "pg/train/train_vectors.h"

/* Of the hash that orders groups; hold-out rows are chosen by another. */
#define FOLD_SEED 7

/* Bytes of memory for each row, besides the spilled rows: folds and counts. */
#define BYTES_PER_ROW                                                                              \
	(2 * sizeof(size_t) + 2 * sizeof(uint64) + 2 + sizeof(MrenKeyed) + 4 * sizeof(MrenPairedCounts))

/*
 * Folds
 */

static void
check_memory(size_t n, size_t memory)
{
	if (n > memory / BYTES_PER_ROW)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("comparison on %zu rows exceeds mren.train_memory (%zu kB)", n,
							   memory / 1024),
						errhint("Raise mren.train_memory.")));
}

/* Gives the rows of a group, order[0 .. n - 1], their fold; without a gold row they only train. */
static void
deal_group(MrenFolds *folds, const MrenKeyed *order, size_t n)
{
	uint8 fold = (uint8) folds->n_folds;

	for (size_t i = 0; i < n; i++)
	{
		if (!folds->weak[order[i].at])
			fold = (uint8) (folds->n_groups % folds->n_folds);
	}
	folds->n_groups += fold < folds->n_folds;
	for (size_t i = 0; i < n; i++)
		folds->folds[order[i].at] = fold;
}

static void
deal_out(MrenFolds *folds, MrenKeyed *order)
{
	size_t first = 0;

	for (size_t i = 0; i < folds->n; i++)
	{
		order[i] = (MrenKeyed){mren_hash64(&folds->keys[i], sizeof(uint64), FOLD_SEED), i};
		folds->checksum += order[i].key;
	}
	mren_sort_keyed(order, folds->n, NULL, NULL);
	for (size_t i = 1; i <= folds->n; i++)
	{
		if (i < folds->n && order[i].key == order[first].key)
			continue;
		deal_group(folds, order + first, i - first);
		first = i;
	}
}

static void
make_folds(MrenFolds *folds, const MrenSource *rows, int n_folds, size_t memory, bool by_group)
{
	MrenKeyed *order;

	check_memory(rows->n, memory);
	*folds = (MrenFolds){.rows = *rows, .n_folds = n_folds};
	folds->index = palloc_extended((rows->n + 1) * sizeof(size_t), MCXT_ALLOC_HUGE);
	folds->keys = palloc_extended((rows->n + 1) * sizeof(uint64), MCXT_ALLOC_HUGE);
	folds->folds = palloc_extended(rows->n + 1, MCXT_ALLOC_HUGE);
	folds->weak = palloc_extended((rows->n + 1) * sizeof(bool), MCXT_ALLOC_HUGE);
	for (size_t i = 0; i < rows->n; i++)
	{
		const uint8_t *record;
		MrenExample example;

		CHECK_FOR_INTERRUPTS();
		mren_train_answer_read(rows, i, &record, &example, &folds->keys[folds->n]);
		if (!mren_split_trains(example.split))
			continue;
		if (by_group)
			folds->keys[folds->n] = example.together;
		folds->weak[folds->n] = example.weak;
		folds->n_judged += !example.weak;
		folds->index[folds->n++] = i;
	}
	order = palloc_extended((folds->n + 1) * sizeof(MrenKeyed), MCXT_ALLOC_HUGE);
	deal_out(folds, order);
	pfree(order);
	if (folds->n_groups < (size_t) n_folds)
		ereport(
			ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg_plural("%zu group of rows cannot be divided into %d folds",
						   "%zu groups of rows cannot be divided into %d folds", folds->n_groups,
						   folds->n_groups, n_folds),
			 errhint("Rows with the same value of column \"group\", or otherwise the same image or "
					 "sentence, stay together.  Use more rows or fewer folds.")));
}

void
mren_folds_make(MrenFolds *folds, const MrenSource *rows, int n_folds, size_t memory)
{
	make_folds(folds, rows, n_folds, memory, false);
}

void
mren_folds_make_by_group(MrenFolds *folds, const MrenSource *rows, int n_folds, size_t memory)
{
	make_folds(folds, rows, n_folds, memory, true);
}

/*
 * The rows of some folds as a source
 */

typedef struct Subset
{
	const MrenSource *rows;
	size_t *index; /* (n) */
	size_t n;
} Subset;

static MrenStatus
subset_read(void *state, size_t i, const uint8_t **record, size_t *len, MrenError *err)
{
	const Subset *subset = state;

	MREN_TRY(subset->rows->read(subset->rows->state, subset->index[i], record, len, err));
	*len -= sizeof(uint64);
	return MREN_OK;
}

static MrenStatus
subset_image(void *state, const MrenHash128 *hash, float *vector, MrenError *err)
{
	const Subset *subset = state;

	return subset->rows->image(subset->rows->state, hash, vector, err);
}

static MrenStatus
subset_audio(void *state, const MrenHash128 *hash, float *vector, MrenError *err)
{
	const Subset *subset = state;

	return subset->rows->audio(subset->rows->state, hash, vector, err);
}

static MrenStatus
subset_grid(void *state, const MrenHash128 *hash, uint16_t *grid, MrenError *err)
{
	const Subset *subset = state;

	return subset->rows->grid(subset->rows->state, hash, grid, err);
}

/* All rows that take part, except those of one fold; -1: no exception. */
static MrenSource
subset_source(Subset *subset, const MrenFolds *folds, int without)
{
	*subset = (Subset){.rows = &folds->rows};
	subset->index = palloc_extended((folds->n + 1) * sizeof(size_t), MCXT_ALLOC_HUGE);
	for (size_t i = 0; i < folds->n; i++)
	{
		if (folds->folds[i] != without)
			subset->index[subset->n++] = folds->index[i];
	}
	return (MrenSource){.state = subset,
						.n = subset->n,
						.read = subset_read,
						.image = subset_image,
						.audio = folds->rows.audio != NULL ? subset_audio : NULL,
						.grid_shape = folds->rows.grid_shape,
						.grid = subset_grid};
}

/*
 * Answers
 */

static void
train_fold(const MrenFolds *folds, const MrenTrainSetup *setup, size_t memory, int fold,
		   MrenNetworkTraining *training, MrenNetwork *network)
{
	Subset subset;
	MrenSource source = subset_source(&subset, folds, fold);
	MrenProgress progress;
	MrenTrainReport report;

	mren_train_network_begin(training, setup, &source, memory);
	do
	{
		CHECK_FOR_INTERRUPTS();
		mren_train_network_step(training, &progress);
	} while (progress.event != MREN_TRAIN_DONE);
	mren_train_network_end(training, network, &report);
}

static void
answer_fold(const MrenFolds *folds, const MrenTrainSetup *setup, const MrenWordVectors *vectors,
			size_t memory, int fold, const MrenFoldVisitor *visitor)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "mren fold", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	MrenNetworkTraining training;
	MrenNetwork network;
	MrenTrainAnswers answers;
	size_t judged = 0;

	train_fold(folds, setup, memory, fold, &training, &network);
	mren_predictor_attach(network.net, "", context);
	mren_train_answer_begin(&answers, &folds->rows, network.net, vectors, setup->net.negative);
	for (size_t i = 0; i < folds->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (folds->weak[i])
			continue;
		if (folds->folds[i] == fold)
			visitor->visit(visitor->state, &answers, folds->index[i], judged);
		judged++;
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

void
mren_folds_answer(const MrenFolds *folds, const MrenTrainSetup *setup, size_t memory,
				  const MrenFoldVisitor *visitor, int *fold)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "mren variant", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	MrenEnv env = mren_pg_env(context);
	MrenWordVectors vectors = {0};
	MrenSource all;
	Subset subset;
	MrenError err;
	int32_t *ids;
	size_t n;

	if (setup->embeddings != NULL)
	{
		all = subset_source(&subset, folds, -1);
		MREN_PG_CALL(err, mren_source_words(&env, &all, &ids, &n, &err));
		mren_vector_table_vectors(
			mren_train_vectors(&env, &setup->embedding_row, setup->embeddings, ids, n, memory),
			&vectors);
	}
	for (int f = 0; f < folds->n_folds; f++)
	{
		*fold = f + 1;
		answer_fold(folds, setup, &vectors, memory, f, visitor);
	}
	*fold = 0;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
