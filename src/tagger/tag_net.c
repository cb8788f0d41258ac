/*
 * tag_net.c
 *	  A tagger's network forward and backward over a batch of sentences.
 *
 * A layer over a window is a dense layer over rows gathered from the grid,
 * where a word's window is contiguous, since rows follow each other.
 */
#include "tagger/tag_net.h"

#include <math.h>
#include <string.h>

#include "base/size.h"
#include "nn/kernels.h"

static size_t
n_tags(const MrenTagBatch *batch)
{
	return mren_bilou_n_tags(batch->shape->n_types);
}

/* Floats that layer i reads for one word. */
static size_t
layer_in(const MrenTagShape *shape, size_t i)
{
	return i == 0 ? mren_tag_shape_dim(shape) : shape->hidden[i - 1];
}

static size_t
layer_columns(const MrenTagShape *shape, size_t i)
{
	return layer_in(shape, i) * (2 * shape->window[i] + 1);
}

static size_t
widest(const MrenTagShape *shape, size_t (*width)(const MrenTagShape *, size_t))
{
	size_t most = 0;

	for (size_t i = 0; i < shape->n_hidden; i++)
		most = width(shape, i) > most ? width(shape, i) : most;
	return most;
}

static size_t
layer_out(const MrenTagShape *shape, size_t i)
{
	return shape->hidden[i];
}

/* The row of the grid of word w, which is in sentence s. */
static size_t
grid_row(size_t w, size_t s)
{
	return w + (s + 1) * MREN_TAG_PAD;
}

static size_t
grid_rows(size_t n_words, size_t n_sentences)
{
	return n_words + (n_sentences + 1) * MREN_TAG_PAD;
}

MrenStatus
mren_tag_batch_create(const MrenEnv *env, const MrenTagShape *shape, const MrenTagLayout *layout,
					  MrenTagBatch *batch, MrenError *err)
{
	size_t k = mren_bilou_n_tags(shape->n_types);
	MrenStatus status;

	memset(batch, 0, sizeof(*batch));
	batch->env = env;
	batch->shape = shape;
	batch->layout = layout;
	batch->work.env = env;
	status = mren_bilou_rules(env, shape->n_types, &batch->rules, err);
	if (status == MREN_OK)
		status = mren_allocate(env, k * k + 2 * k, sizeof(double), &batch->dcrf, err);
	if (status != MREN_OK)
		mren_tag_batch_free(env, batch);
	return status;
}

static void
free_matrices(const MrenEnv *env, MrenTagBatch *batch)
{
	float **matrices[] = {&batch->columns,	&batch->last,	  &batch->emissions, &batch->demissions,
						  &batch->delta[0], &batch->delta[1], &batch->dgrid};

	for (size_t i = 0; i < sizeof(matrices) / sizeof(matrices[0]); i++)
	{
		mren_release(env, *matrices[i]);
		*matrices[i] = NULL;
	}
	for (size_t i = 0; i < MREN_MAX_HIDDEN; i++)
	{
		mren_release(env, batch->grid[i]);
		mren_release(env, batch->activated[i]);
		batch->grid[i] = batch->activated[i] = NULL;
	}
	for (size_t i = 0; i <= MREN_MAX_HIDDEN; i++)
	{
		mren_release(env, batch->mask[i]);
		batch->mask[i] = NULL;
	}
	mren_release(env, batch->first_word);
	mren_release(env, batch->known);
	mren_release(env, batch->sparse);
	mren_release(env, batch->n_sparse);
	batch->first_word = NULL;
	batch->known = NULL;
	batch->sparse = batch->n_sparse = NULL;
	batch->capacity = batch->sentences_capacity = 0;
}

void
mren_tag_batch_free(const MrenEnv *env, MrenTagBatch *batch)
{
	free_matrices(env, batch);
	mren_crf_rules_free(env, &batch->rules);
	mren_crf_work_free(env, &batch->crf);
	mren_release(env, batch->dcrf);
	batch->dcrf = NULL;
}

static MrenStatus
allocate_matrix(const MrenTagBatch *batch, size_t rows, size_t cols, float **out, MrenError *err)
{
	size_t n;

	if (!mren_size_mul(rows, cols, &n))
		return mren_fail_nomem(err);
	return mren_allocate(batch->env, n, sizeof(float), out, err);
}

static MrenStatus
allocate_layers(MrenTagBatch *batch, size_t words, size_t rows, MrenError *err)
{
	const MrenTagShape *shape = batch->shape;
	size_t out = widest(shape, layer_out);

	MREN_TRY(allocate_matrix(batch, words, layer_in(shape, 0), &batch->mask[0], err));
	for (size_t i = 0; i < shape->n_hidden; i++)
	{
		MREN_TRY(allocate_matrix(batch, rows, layer_in(shape, i), &batch->grid[i], err));
		MREN_TRY(allocate_matrix(batch, words, shape->hidden[i], &batch->activated[i], err));
		MREN_TRY(allocate_matrix(batch, words, shape->hidden[i], &batch->mask[i + 1], err));
	}
	MREN_TRY(allocate_matrix(batch, words, widest(shape, layer_columns), &batch->columns, err));
	MREN_TRY(allocate_matrix(batch, words, out, &batch->last, err));
	MREN_TRY(allocate_matrix(batch, words, out, &batch->delta[0], err));
	MREN_TRY(allocate_matrix(batch, words, out, &batch->delta[1], err));
	return allocate_matrix(batch, rows, widest(shape, layer_in), &batch->dgrid, err);
}

static MrenStatus
allocate_all(MrenTagBatch *batch, size_t words, size_t sentences, MrenError *err)
{
	const MrenEnv *env = batch->env;

	MREN_TRY(mren_allocate(env, sentences + 1, sizeof(size_t), &batch->first_word, err));
	MREN_TRY(mren_allocate(env, words, sizeof(bool), &batch->known, err));
	MREN_TRY(mren_allocate(env, words, sizeof(uint32_t), &batch->n_sparse, err));
	if (batch->shape->n_sparse > 0)
		MREN_TRY(
			mren_allocate(env, words, MREN_TAG_MAX_SPARSE * sizeof(uint32_t), &batch->sparse, err));
	MREN_TRY(allocate_matrix(batch, words, n_tags(batch), &batch->emissions, err));
	MREN_TRY(allocate_matrix(batch, words, n_tags(batch), &batch->demissions, err));
	MREN_TRY(allocate_layers(batch, words, grid_rows(words, sentences), err));
	batch->capacity = words;
	batch->sentences_capacity = sentences;
	return MREN_OK;
}

/*
 * Reserves memory for the inputs; matrices grow by half at least, so they are
 * rarely reallocated.
 */
static MrenStatus
reserve(MrenTagBatch *batch, MrenError *err)
{
	size_t words = batch->n_words;
	size_t sentences = batch->n_sentences;
	size_t most = 1;

	for (size_t s = 0; s < sentences; s++)
		most = batch->inputs[s].n_words > most ? batch->inputs[s].n_words : most;
	MREN_TRY(mren_crf_reserve(batch->env, &batch->crf, &batch->rules, most, err));
	if (words <= batch->capacity && sentences <= batch->sentences_capacity)
		return MREN_OK;
	words = words > batch->capacity ? words + words / 2 : batch->capacity;
	sentences = sentences > batch->sentences_capacity ? sentences : batch->sentences_capacity;
	free_matrices(batch->env, batch);
	return allocate_all(batch, words, sentences, err);
}

/*
 * Forward
 */

static void
drop_words(MrenTagBatch *batch, MrenTagDropout *drop)
{
	for (size_t w = 0; w < batch->n_words; w++)
		batch->known[w] =
			drop == NULL || drop->word <= 0 || mren_random_uniform(&drop->random) >= drop->word;
}

/* The direct features of a word without those that are dropped; the scale makes up for those. */
static void
fill_sparse(MrenTagBatch *batch, const MrenTagInput *input, size_t word, size_t w,
			MrenTagDropout *drop)
{
	uint32_t *buckets;
	size_t n;
	size_t kept = 0;

	if (batch->shape->n_sparse == 0)
		return;
	buckets = batch->sparse + word * MREN_TAG_MAX_SPARSE;
	n = mren_tag_sparse_context(batch->shape, input, w, buckets);
	n += mren_tag_sparse_own(batch->shape, input, w, buckets + n);
	for (size_t i = 0; i < n; i++)
	{
		if (drop == NULL || drop->sparse <= 0 || mren_random_uniform(&drop->random) >= drop->sparse)
			buckets[kept++] = buckets[i];
	}
	batch->n_sparse[word] = (uint32_t) kept;
}

static void
fill_grid(MrenTagBatch *batch, const float *values, const MrenWordVectors *vectors,
		  MrenTagDropout *drop)
{
	const MrenTagShape *shape = batch->shape;
	size_t dim = mren_tag_shape_dim(shape);
	size_t word = 0;
	float *grid = batch->grid[0];
	const MrenTagWordTables tables = {shape, batch->layout, values, vectors};

	for (size_t s = 0; s < batch->n_sentences; s++)
	{
		const MrenTagInput *input = &batch->inputs[s];

		for (size_t i = 0; i < MREN_TAG_PAD; i++)
			mren_tag_pad_vector(shape, grid + (grid_row(word, s) - 1 - i) * dim);
		for (size_t w = 0; w < input->n_words; w++, word++)
		{
			mren_tag_word_vector(&tables, input, w, batch->known[word],
								 grid + grid_row(word, s) * dim);
			fill_sparse(batch, input, word, w, drop);
		}
	}
	for (size_t i = 0; i < MREN_TAG_PAD; i++)
		mren_tag_pad_vector(shape, grid + (grid_rows(word, batch->n_sentences) - 1 - i) * dim);
	if (drop == NULL || drop->input <= 0)
		return;
	for (size_t s = 0; s < batch->n_sentences; s++)
	{
		size_t first = batch->first_word[s];
		size_t n = (batch->first_word[s + 1] - first) * dim;
		float *rows = grid + grid_row(first, s) * dim;

		mren_dropout(&drop->random, drop->input, rows, rows, batch->mask[0] + first * dim, n);
	}
}

/* Copies each word's window out of the grid of layer i. */
static void
gather(MrenTagBatch *batch, size_t i)
{
	size_t in = layer_in(batch->shape, i);
	size_t columns = layer_columns(batch->shape, i);
	size_t window = batch->shape->window[i];

	for (size_t s = 0; s < batch->n_sentences; s++)
	{
		for (size_t w = batch->first_word[s]; w < batch->first_word[s + 1]; w++)
			memcpy(batch->columns + w * columns, batch->grid[i] + (grid_row(w, s) - window) * in,
				   columns * sizeof(float));
	}
}

/* Copies the rows of words into a grid whose padding is zero. */
static void
scatter(const MrenTagBatch *batch, const float *rows, float *grid, size_t dim)
{
	memset(grid, 0, grid_rows(batch->n_words, batch->n_sentences) * dim * sizeof(float));
	for (size_t s = 0; s < batch->n_sentences; s++)
	{
		size_t first = batch->first_word[s];

		memcpy(grid + grid_row(first, s) * dim, rows + first * dim,
			   (batch->first_word[s + 1] - first) * dim * sizeof(float));
	}
}

static MrenStatus
check_dense(const MrenTagBatch *batch, MrenError *err)
{
	return batch->work.stopped ? mren_fail_canceled(err) : mren_check_interrupts(batch->env, err);
}

/* The rows that a layer reads: its tensors, and their input, whose rows lie ld apart. */
typedef struct TagRows
{
	size_t weight;
	size_t bias;
	const float *in;
	size_t ld;
} TagRows;

static void
dense_layer(MrenTagBatch *batch, float *values, const TagRows *rows, float *out)
{
	MrenDenseLayer dense =
		mren_dense_layer(&batch->layout->table, values, rows->weight, rows->bias);
	MrenRows in = {rows->in, batch->n_words, rows->ld};

	mren_dense_forward(&batch->work, &dense, &in, out);
}

static void
dense_backward_layer(MrenTagBatch *batch, float *values, float *grads, const TagRows *rows,
					 const float *dout, float *din)
{
	const MrenParameterTable *table = &batch->layout->table;
	MrenDenseLayer dense = mren_dense_layer(table, values, rows->weight, rows->bias);
	MrenDenseLayer gradient = mren_dense_layer(table, grads, rows->weight, rows->bias);
	MrenRows in = {rows->in, batch->n_words, rows->ld};

	mren_dense_backward(&batch->work, &dense, &gradient, &in, dout, din);
}

static MrenStatus
forward_layers(MrenTagBatch *batch, float *values, MrenTagDropout *drop, MrenError *err)
{
	const MrenTagShape *shape = batch->shape;
	const MrenTagIds *ids = &batch->layout->ids;

	for (size_t i = 0; i < shape->n_hidden; i++)
	{
		size_t n = batch->n_words * shape->hidden[i];

		gather(batch, i);
		dense_layer(
			batch, values,
			&(TagRows){ids->weight[i], ids->bias[i], batch->columns, layer_columns(shape, i)},
			batch->activated[i]);
		mren_activate(shape->activation, batch->activated[i], n);
		if (drop != NULL && drop->hidden > 0)
			mren_dropout(&drop->random, drop->hidden, batch->activated[i], batch->last,
						 batch->mask[i + 1], n);
		else
			memcpy(batch->last, batch->activated[i], n * sizeof(float));
		if (i + 1 < shape->n_hidden)
			scatter(batch, batch->last, batch->grid[i + 1], shape->hidden[i]);
		MREN_TRY(check_dense(batch, err));
	}
	dense_layer(batch, values,
				&(TagRows){ids->weight[shape->n_hidden], ids->bias[shape->n_hidden], batch->last,
						   shape->hidden[shape->n_hidden - 1]},
				batch->emissions);
	return check_dense(batch, err);
}

static void
add_sparse(MrenTagBatch *batch, const float *values)
{
	size_t k = n_tags(batch);
	const float *table = values + batch->layout->table.items[batch->layout->ids.sparse].at;

	for (size_t w = 0; w < batch->n_words && batch->shape->n_sparse > 0; w++)
	{
		const uint32_t *buckets = batch->sparse + w * MREN_TAG_MAX_SPARSE;

		for (uint32_t i = 0; i < batch->n_sparse[w]; i++)
			mren_axpy(batch->emissions + w * k, table + buckets[i] * k, 1, k);
	}
}

static void
fill_ones(float *mask, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mask[i] = 1;
}

/* Backward multiplies by all masks; those of what is not dropped are ones. */
static void
reset_masks(MrenTagBatch *batch, const MrenTagDropout *drop)
{
	const MrenTagShape *shape = batch->shape;

	if (drop == NULL || drop->input <= 0)
		fill_ones(batch->mask[0], batch->n_words * mren_tag_shape_dim(shape));
	for (size_t i = 0; i < shape->n_hidden && (drop == NULL || drop->hidden <= 0); i++)
		fill_ones(batch->mask[i + 1], batch->n_words * shape->hidden[i]);
}

MrenStatus
mren_tag_forward(MrenTagBatch *batch, float *values, const MrenWordVectors *vectors,
				 const MrenTagInput *inputs, size_t n_sentences, MrenTagDropout *drop,
				 MrenError *err)
{
	size_t words = 0;

	batch->inputs = inputs;
	batch->n_sentences = n_sentences;
	for (size_t s = 0; s < n_sentences; s++)
		words += inputs[s].n_words;
	batch->n_words = words;
	batch->work.stopped = false;
	MREN_TRY(reserve(batch, err));
	words = 0;
	for (size_t s = 0; s < n_sentences; s++)
	{
		batch->first_word[s] = words;
		words += inputs[s].n_words;
	}
	batch->first_word[n_sentences] = words;
	drop_words(batch, drop);
	fill_grid(batch, values, vectors, drop);
	reset_masks(batch, drop);
	MREN_TRY(forward_layers(batch, values, drop, err));
	add_sparse(batch, values);
	return MREN_OK;
}

/*
 * Loss and backward
 */

MrenStatus
mren_tag_loss(MrenTagBatch *batch, const float *values, const uint32_t *tags, const float *weights,
			  double scale, double *loss, MrenError *err)
{
	size_t k = n_tags(batch);
	const MrenCrf crf = mren_tag_crf(batch->layout, &batch->rules, values);

	*loss = 0;
	memset(batch->dcrf, 0, (k * k + 2 * k) * sizeof(double));
	for (size_t s = 0; s < batch->n_sentences; s++)
	{
		size_t first = batch->first_word[s];
		const MrenCrfSentence sentence = {batch->emissions + first * k, tags + first,
										  batch->first_word[s + 1] - first};
		const MrenCrfGradient gradient = {scale * weights[s], batch->demissions + first * k,
										  batch->dcrf};
		double nats;

		if (sentence.n == 0)
			continue;
		MREN_TRY(mren_crf_loss(batch->env, &crf, &sentence, &batch->crf, &gradient, &nats, err));
		*loss += weights[s] * nats;
	}
	return MREN_OK;
}

static void
backward_sparse(MrenTagBatch *batch, float *grads)
{
	size_t k = n_tags(batch);
	const MrenParameter *tensor = &batch->layout->table.items[batch->layout->ids.sparse];

	for (size_t w = 0; w < batch->n_words && batch->shape->n_sparse > 0; w++)
	{
		const uint32_t *buckets = batch->sparse + w * MREN_TAG_MAX_SPARSE;

		for (uint32_t i = 0; i < batch->n_sparse[w]; i++)
			mren_axpy(grads + tensor->at + buckets[i] * k, batch->demissions + w * k, 1, k);
	}
}

static void
backward_crf(MrenTagBatch *batch, float *grads)
{
	size_t k = n_tags(batch);
	const MrenParameter *tensors = batch->layout->table.items;
	const MrenTagIds *ids = &batch->layout->ids;

	for (size_t i = 0; i < k * k; i++)
		grads[tensors[ids->transitions].at + i] = (float) batch->dcrf[i];
	for (size_t i = 0; i < k; i++)
	{
		grads[tensors[ids->start].at + i] = (float) batch->dcrf[k * k + i];
		grads[tensors[ids->end].at + i] = (float) batch->dcrf[k * k + k + i];
	}
}

/* Adds the gradients of the windows of layer i to those of its inputs in the grid. */
static void
add_windows(MrenTagBatch *batch, size_t i)
{
	size_t in = layer_in(batch->shape, i);
	size_t columns = layer_columns(batch->shape, i);
	size_t window = batch->shape->window[i];

	memset(batch->dgrid, 0, grid_rows(batch->n_words, batch->n_sentences) * in * sizeof(float));
	for (size_t s = 0; s < batch->n_sentences; s++)
	{
		for (size_t w = batch->first_word[s]; w < batch->first_word[s + 1]; w++)
			mren_axpy(batch->dgrid + (grid_row(w, s) - window) * in, batch->columns + w * columns,
					  1, columns);
	}
}

static void
backward_features(MrenTagBatch *batch, float *grads)
{
	const MrenTagShape *shape = batch->shape;
	const MrenParameter *table = &batch->layout->table.items[batch->layout->ids.features];
	size_t dim = mren_tag_shape_dim(shape);
	size_t word = 0;

	for (size_t s = 0; s < batch->n_sentences && shape->feature_dim > 0; s++)
	{
		const MrenTagInput *input = &batch->inputs[s];

		for (size_t w = 0; w < input->n_words; w++, word++)
		{
			float *row = batch->dgrid + grid_row(word, s) * dim + shape->embedding_dim;
			uint32_t n = input->starts[w + 1] - input->starts[w];

			mren_multiply(row, row, batch->mask[0] + word * dim + shape->embedding_dim,
						  shape->feature_dim);
			for (uint32_t i = input->starts[w]; i < input->starts[w + 1]; i++)
				mren_axpy(grads + table->at +
							  (input->features[i] & (shape->n_buckets - 1)) * shape->feature_dim,
						  row, 1.0f / sqrtf(n), shape->feature_dim);
		}
	}
}

/* The gradients of the text encoder's vectors. */
static void
backward_encoder(MrenTagBatch *batch, const float *values)
{
	const MrenTagShape *shape = batch->shape;
	size_t dim = mren_tag_shape_dim(shape);
	size_t at = mren_tag_encoder_at(shape);
	size_t word = 0;

	if (shape->encoder_dim == 0 || batch->dencoded == NULL)
		return;
	for (size_t s = 0; s < batch->n_sentences; s++)
	{
		for (size_t w = 0; w < batch->inputs[s].n_words; w++, word++)
		{
			float *out = batch->dencoded + word * shape->encoder_dim;

			mren_multiply(out, batch->dgrid + grid_row(word, s) * dim + at,
						  batch->mask[0] + word * dim + at, shape->encoder_dim);
			mren_scale(out, values[batch->layout->table.items[batch->layout->ids.encoder_scale].at],
					   shape->encoder_dim);
		}
	}
}

MrenStatus
mren_tag_backward(MrenTagBatch *batch, float *values, float *grads, MrenError *err)
{
	const MrenTagShape *shape = batch->shape;
	const MrenTagIds *ids = &batch->layout->ids;
	size_t top = shape->n_hidden;
	float *delta = batch->delta[0];

	backward_sparse(batch, grads);
	backward_crf(batch, grads);
	dense_backward_layer(
		batch, values, grads,
		&(TagRows){ids->weight[top], ids->bias[top], batch->last, shape->hidden[top - 1]},
		batch->demissions, delta);
	for (size_t i = top; i-- > 0;)
	{
		size_t n = batch->n_words * shape->hidden[i];

		mren_multiply(delta, delta, batch->mask[i + 1], n);
		mren_activate_backward(shape->activation, delta, batch->activated[i], n);
		gather(batch, i);
		/* The gradient of the gathered rows overwrites them, after they have been read. */
		dense_backward_layer(
			batch, values, grads,
			&(TagRows){ids->weight[i], ids->bias[i], batch->columns, layer_columns(shape, i)},
			delta, batch->columns);
		MREN_TRY(check_dense(batch, err));
		add_windows(batch, i);
		if (i == 0)
			break;
		delta = delta == batch->delta[0] ? batch->delta[1] : batch->delta[0];
		for (size_t s = 0; s < batch->n_sentences; s++)
			memcpy(delta + batch->first_word[s] * shape->hidden[i - 1],
				   batch->dgrid + grid_row(batch->first_word[s], s) * shape->hidden[i - 1],
				   (batch->first_word[s + 1] - batch->first_word[s]) * shape->hidden[i - 1] *
					   sizeof(float));
	}
	backward_features(batch, grads);
	backward_encoder(batch, values);
	return MREN_OK;
}
