/*
 * tag_tables.c
 *	  Steps of a tagger's hashed tables.
 */
#include "tagger/tag_tables.h"

#include <math.h>
#include <string.h>

#include "nn/kernels.h"

#define BETA2 0.999
#define EPSILON 1e-8

/* Lower bound of a kept share, so that its logarithm is finite. */
#define LEAST_KEPT 1e-30

static MrenStatus
create_table(const MrenEnv *env, const MrenParameter *tensor, MrenTagTable *table, MrenError *err)
{
	size_t rows = tensor->rows;

	table->tensor = tensor;
	MREN_TRY(mren_allocate_zero(env, rows, sizeof(uint64_t), &table->stepped, err));
	MREN_TRY(mren_allocate_zero(env, rows, sizeof(double), &table->decayed, err));
	MREN_TRY(mren_allocate_zero(env, rows, sizeof(double), &table->averaged, err));
	MREN_TRY(mren_allocate(env, rows, sizeof(uint32_t), &table->used, err));
	return mren_allocate_zero(env, rows, sizeof(bool), &table->is_used, err);
}

static void
free_table(const MrenEnv *env, MrenTagTable *table)
{
	mren_release(env, table->stepped);
	mren_release(env, table->decayed);
	mren_release(env, table->averaged);
	mren_release(env, table->used);
	mren_release(env, table->is_used);
	memset(table, 0, sizeof(*table));
}

MrenStatus
mren_tag_tables_create(const MrenEnv *env, const MrenTagLayout *layout, MrenTagTables *tables,
					   MrenError *err)
{
	const MrenParameter *tensors = layout->table.items;
	MrenStatus status;

	memset(tables, 0, sizeof(*tables));
	status = create_table(env, &tensors[layout->ids.features], &tables->features, err);
	if (status == MREN_OK)
		status = create_table(env, &tensors[layout->ids.sparse], &tables->direct, err);
	if (status != MREN_OK)
		mren_tag_tables_free(env, tables);
	return status;
}

void
mren_tag_tables_free(const MrenEnv *env, MrenTagTables *tables)
{
	free_table(env, &tables->features);
	free_table(env, &tables->direct);
}

static void
reset_table(MrenTagTable *table)
{
	size_t rows = table->tensor->rows;

	memset(table->stepped, 0, rows * sizeof(uint64_t));
	memset(table->decayed, 0, rows * sizeof(double));
	memset(table->averaged, 0, rows * sizeof(double));
}

void
mren_tag_tables_reset(MrenTagTables *tables)
{
	reset_table(&tables->features);
	reset_table(&tables->direct);
	tables->decayed = tables->averaged = 0;
}

/*
 * The rows of a batch
 */

static void
use(MrenTagTable *table, size_t row)
{
	if (table->is_used[row])
		return;
	table->is_used[row] = true;
	table->used[table->n_used++] = (uint32_t) row;
}

static void
use_features(MrenTagTable *table, const MrenTagBatch *batch)
{
	size_t buckets = table->tensor->rows;

	for (size_t s = 0; s < batch->n_sentences && buckets > 0; s++)
	{
		const MrenTagInput *input = &batch->inputs[s];

		for (size_t i = input->starts[0]; i < input->starts[input->n_words]; i++)
			use(table, input->features[i] & (buckets - 1));
	}
}

static void
use_direct(MrenTagTable *table, const MrenTagBatch *batch)
{
	for (size_t w = 0; w < batch->n_words && table->tensor->rows > 0; w++)
	{
		for (size_t i = 0; i < batch->n_sparse[w]; i++)
			use(table, batch->sparse[w * MREN_TAG_MAX_SPARSE + i]);
	}
}

/*
 * Steps
 */

/* Applies to a row the earlier steps that did not use it. */
static void
catch_up(const MrenTagTables *tables, MrenTagTable *table, size_t row, float *values,
		 float *averaged)
{
	size_t n = table->tensor->cols;
	size_t at = table->tensor->at + row * n;
	float kept = (float) exp(tables->averaged - table->averaged[row]);
	float decay = (float) exp(tables->decayed - table->decayed[row]);

	for (size_t i = 0; i < n; i++)
		averaged[at + i] = values[at + i] + kept * (averaged[at + i] - values[at + i]);
	mren_scale(values + at, decay, n);
	table->averaged[row] = tables->averaged;
	table->decayed[row] = tables->decayed;
}

static void
step_row(MrenTagTable *table, size_t row, const MrenOptimizerState *optimizer, const MrenAdam *adam,
		 float *values, float *grads)
{
	size_t n = table->tensor->cols;
	size_t at = table->tensor->at + row * n;

	uint64_t missed = optimizer->step - table->stepped[row] - 1;

	mren_scale(optimizer->second + at, (float) pow(BETA2, (double) missed), n);
	mren_adam(values + at, optimizer->first + at, optimizer->second + at, grads + at, n, adam);
	table->stepped[row] = optimizer->step;
	memset(grads + at, 0, n * sizeof(float));
}

static void
step_table(const MrenTagTables *tables, MrenTagTable *table, const MrenOptimizerState *optimizer,
		   double keep, float *values, float *averaged, float *grads)
{
	double correction = sqrt(1 - pow(BETA2, (double) optimizer->step));
	const MrenAdam adam = {0, (float) BETA2, (float) (optimizer->config.learning_rate * correction),
						   (float) (EPSILON * correction), 0};
	size_t n = table->tensor->cols;

	for (size_t i = 0; i < table->n_used; i++)
	{
		size_t row = table->used[i];
		size_t at = table->tensor->at + row * n;

		catch_up(tables, table, row, values, averaged);
		step_row(table, row, optimizer, &adam, values, grads);
		mren_scale(averaged + at, (float) keep, n);
		mren_axpy(averaged + at, values + at, (float) (1 - keep), n);
		table->is_used[row] = false;
	}
}

/* The shares of this step also apply to the rows that it uses. */
static void
mark_table(const MrenTagTables *tables, MrenTagTable *table)
{
	for (size_t i = 0; i < table->n_used; i++)
		table->averaged[table->used[i]] = tables->averaged;
	table->n_used = 0;
}

void
mren_tag_tables_step(MrenTagTables *tables, const MrenTagBatch *batch,
					 const MrenOptimizerState *optimizer, double keep, float *values,
					 float *averaged, float *grads)
{
	use_features(&tables->features, batch);
	use_direct(&tables->direct, batch);
	tables->decayed +=
		log(fmax(1 - optimizer->config.learning_rate * optimizer->config.weight_decay, LEAST_KEPT));
	step_table(tables, &tables->features, optimizer, keep, values, averaged, grads);
	step_table(tables, &tables->direct, optimizer, keep, values, averaged, grads);
	tables->averaged += log(fmax(keep, LEAST_KEPT));
	mark_table(tables, &tables->features);
	mark_table(tables, &tables->direct);
}

void
mren_tag_tables_settle(MrenTagTables *tables, float *values, float *averaged)
{
	MrenTagTable *each[] = {&tables->features, &tables->direct};

	for (size_t t = 0; t < 2; t++)
	{
		for (size_t row = 0; row < each[t]->tensor->rows; row++)
			catch_up(tables, each[t], row, values, averaged);
	}
}
