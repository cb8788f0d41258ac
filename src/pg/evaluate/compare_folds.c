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
#include "utils/memutils.h"

#include "base/sort.h"
#include "pg/support/pg_env.h"
#include "pg/train/train_network.h"
#include "pg/train/train_vectors.h"
#include "relation/net.h"

/* Of the hash that orders groups; hold-out rows are chosen by another. */
#define FOLD_SEED 7

/* Bytes of memory for each row, besides the spilled rows: folds and counts. */
#define BYTES_PER_ROW                                                                              \
	(2 * sizeof(size_t) + 2 * sizeof(uint64) + 1 + sizeof(MrenKeyed) + 4 * sizeof(MrenPairedCounts))

/*
 * Folds
 */

static size_t
read_keyed(const MrenSource *rows, size_t i, const uint8_t **record, MrenExample *example,
		   uint64 *key)
{
	MrenError err;
	size_t len;
	size_t size;

	MREN_PG_CALL(err, rows->read(rows->state, i, record, &len, &err));
	MREN_PG_CALL(err, mren_example_read(*record, len, example, &size, &err));
	if (len != size + sizeof(*key))
		elog(ERROR, "encoded row has no key after its record");
	memcpy(key, *record + size, sizeof(*key));
	return size;
}

static void
check_memory(size_t n, size_t memory)
{
	if (n > memory / BYTES_PER_ROW)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("comparison on %zu rows exceeds mren.train_memory (%zu kB)", n,
							   memory / 1024),
						errhint("Raise mren.train_memory.")));
}

static void
deal_out(MrenFolds *folds, MrenKeyed *order)
{
	for (size_t i = 0; i < folds->n; i++)
	{
		order[i] = (MrenKeyed){mren_hash64(&folds->keys[i], sizeof(uint64), FOLD_SEED), i};
		folds->checksum += order[i].key;
	}
	mren_sort_keyed(order, folds->n, NULL, NULL);
	for (size_t i = 0; i < folds->n; i++)
	{
		if (i == 0 || order[i].key != order[i - 1].key)
			folds->n_groups++;
		folds->folds[order[i].at] = (uint8) ((folds->n_groups - 1) % folds->n_folds);
	}
}

void
mren_folds_make(MrenFolds *folds, const MrenSource *rows, int n_folds, size_t memory)
{
	MrenKeyed *order;

	check_memory(rows->n, memory);
	*folds = (MrenFolds){.rows = *rows, .n_folds = n_folds};
	folds->index = palloc_extended((rows->n + 1) * sizeof(size_t), MCXT_ALLOC_HUGE);
	folds->keys = palloc_extended((rows->n + 1) * sizeof(uint64), MCXT_ALLOC_HUGE);
	folds->folds = palloc_extended(rows->n + 1, MCXT_ALLOC_HUGE);
	for (size_t i = 0; i < rows->n; i++)
	{
		const uint8_t *record;
		MrenExample example;

		CHECK_FOR_INTERRUPTS();
		read_keyed(rows, i, &record, &example, &folds->keys[folds->n]);
		if (mren_split_trains(example.split))
			folds->index[folds->n++] = i;
	}
	order = palloc_extended((folds->n + 1) * sizeof(MrenKeyed), MCXT_ALLOC_HUGE);
	deal_out(folds, order);
	pfree(order);
	if (folds->n_groups < (size_t) n_folds)
		ereport(
			ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("%zu groups of rows cannot be divided into %d folds", folds->n_groups, n_folds),
			 errhint("Rows with the same value of column \"group\", or otherwise the same image or "
					 "sentence, stay together.  Use more rows or fewer folds.")));
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
						.grid_shape = folds->rows.grid_shape,
						.grid = subset_grid};
}

/*
 * Answers
 */

typedef struct Predictor
{
	const MrenSource *rows;
	const MrenNet *net;
	MrenNetInfo info;
	MrenWordVectors vectors;
	MrenTextSpan negative; /* data NULL: none */
	float4 *image;		   /* (image_dim) */
	uint16 *grid;		   /* (info.grid) */
	float4 *features;
	float4 *probabilities;
	float4 *scratch;
} Predictor;

static void
open_predictor(Predictor *predictor, const MrenFolds *folds, const MrenNet *net,
			   const MrenWordVectors *vectors, const char *negative)
{
	*predictor = (Predictor){.rows = &folds->rows, .net = net, .vectors = *vectors};
	mren_net_info(net, &predictor->info);
	if (negative != NULL)
		predictor->negative = (MrenTextSpan){negative, (uint32) strlen(negative)};
	predictor->image = palloc(Max(predictor->info.image_dim, 1) * sizeof(float4));
	predictor->grid = palloc(Max(mren_grid_size(&predictor->info.grid), 1) * sizeof(uint16));
	predictor->features = palloc(predictor->info.features_dim * sizeof(float4));
	predictor->probabilities = palloc(predictor->info.n_relations * sizeof(float4));
	predictor->scratch =
		palloc_extended(mren_net_scratch(net, 1) * sizeof(float4), MCXT_ALLOC_HUGE);
}

static int32
type_of(const Predictor *predictor, MrenTextSpan type)
{
	return type.data == NULL ? -1 : mren_net_type(predictor->net, type.data, type.len);
}

/* The row as input of the network, without what the network was trained without. */
static void
make_input(Predictor *predictor, const MrenExample *example, MrenInput *input)
{
	MrenError err;

	*input = (MrenInput){.sentence = &example->sentence,
						 .head_type = type_of(predictor, example->head_type),
						 .tail_type = type_of(predictor, example->tail_type)};
	if (predictor->info.hash_bits > 0)
	{
		input->features = example->features;
		input->n_features =
			example->n_features - (predictor->info.box_features ? 0 : example->n_box_features);
	}
	if (!example->has_image || predictor->info.image_dim == 0)
		return;
	MREN_PG_CALL(err, predictor->rows->image(predictor->rows->state, &example->image,
											 predictor->image, &err));
	input->image = predictor->image;
	if (predictor->info.boxes && example->has_head_box)
		input->head_box = example->head_box;
	if (predictor->info.boxes && example->has_tail_box)
		input->tail_box = example->tail_box;
	if (!example->has_grid || mren_grid_size(&predictor->info.grid) == 0)
		return;
	MREN_PG_CALL(
		err, predictor->rows->grid(predictor->rows->state, &example->image, predictor->grid, &err));
	input->grid = predictor->grid;
}

static bool
same_text(MrenTextSpan a, MrenTextSpan b)
{
	return a.data != NULL && b.data != NULL && a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* The relation that mren.predict would return; data NULL: none. */
static MrenTextSpan
answer(Predictor *predictor, const MrenExample *example)
{
	MrenInput input;
	MrenError err;
	size_t best;

	make_input(predictor, example, &input);
	MREN_PG_CALL(err, mren_net_features(predictor->net, &predictor->vectors, &input, 1,
										predictor->features, predictor->scratch, &err));
	MREN_PG_CALL(err, mren_net_probabilities(predictor->net, predictor->features, 1,
											 predictor->probabilities, predictor->scratch, &err));
	best = mren_net_best(predictor->probabilities, predictor->info.n_relations);
	if (predictor->probabilities[best] < predictor->info.threshold)
		return (MrenTextSpan){NULL, 0};
	return mren_net_relation(predictor->net, best);
}

/* Without a negative relation each row counts as one actual and one predicted relation. */
static void
count_row(Predictor *predictor, size_t i, MrenPairedCounts *counts)
{
	const uint8_t *record;
	MrenExample example;
	MrenTextSpan given;
	bool measured = predictor->negative.data != NULL;

	*counts = (MrenPairedCounts){0};
	read_keyed(predictor->rows, i, &record, &example, &counts->key);
	given = answer(predictor, &example);
	counts->actual = !measured || !same_text(example.relation, predictor->negative);
	counts->predicted[1] =
		!measured || (given.data != NULL && !same_text(given, predictor->negative));
	counts->hits[1] = counts->predicted[1] && same_text(given, example.relation);
}

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
			size_t memory, int fold, MrenPairedCounts *counts)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "mren fold", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	MrenNetworkTraining training;
	MrenNetwork network;
	Predictor predictor;

	train_fold(folds, setup, memory, fold, &training, &network);
	open_predictor(&predictor, folds, network.net, vectors, setup->net.negative);
	for (size_t i = 0; i < folds->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (folds->folds[i] == fold)
			count_row(&predictor, folds->index[i], &counts[i]);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

void
mren_folds_answer(const MrenFolds *folds, const MrenTrainSetup *setup, size_t memory,
				  MrenPairedCounts *counts, int *fold)
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
		answer_fold(folds, setup, &vectors, memory, f, counts);
	}
	*fold = 0;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
