/*
 * batch.c
 *	  A mini-batch: its memory, the initial values of the tensors, and forward
 *	  and backward through the whole network.
 */
#include "relation/batch.h"

#include <math.h>
#include <string.h>

#include "nn/arena.h"
#include "nn/kernels.h"
#include "relation/text_pool.h"

/* Random streams of the initial values: this and the number of the tensor. */
#define STREAM_INIT UINT64_C(0x1000)

#define NORMALS ((size_t) 1 << 18) /* drawn between two checks for interrupts */

#define PLACE_DEVIATION 0.3f /* of the vectors of distances; word vectors have deviation 1 */

static size_t
widest_layer(const MrenNetShape *shape)
{
	size_t widest = shape->product > shape->n_relations ? shape->product : shape->n_relations;

	widest = shape->audio_product > widest ? shape->audio_product : widest;
	if (mren_net_shape_attends(shape) && shape->grid.channels > widest)
		widest = shape->grid.channels;

	for (size_t i = 0; i < shape->n_hidden; i++)
		widest = shape->hidden[i] > widest ? shape->hidden[i] : widest;
	return widest;
}

#define VECTOR_BLOCKS 10
#define MAX_BLOCKS (16 + VECTOR_BLOCKS * MREN_N_VECTORS + 3 * MREN_MAX_HIDDEN)

/* Those of a branch that the network does not have are empty. */
static size_t
list_vector_blocks(const MrenBatch *b, MrenVectorKind kind, MrenVectorBatch *vector,
				   MrenArenaBlock *blocks)
{
	MrenVectorBranch branch = mren_net_vector_branch(b->shape, b->layout, kind);
	size_t rows = b->capacity;
	const MrenArenaBlock fixed[VECTOR_BLOCKS] = {
		{&vector->in, rows * branch.dim},
		{&vector->dropped, rows * branch.dim},
		{&vector->mask, rows * branch.dim},
		{&vector->units, rows * branch.units},
		{&vector->text_factor, rows * branch.product},
		{&vector->factor, rows * branch.product},
		{&vector->dunits, rows * branch.units},
		{&vector->dshared, branch.shared ? rows * branch.units : 0},
		{&vector->dtext_factor, rows * branch.product},
		{&vector->dfactor, rows * branch.product},
	};

	memcpy(blocks, fixed, sizeof(fixed));
	return VECTOR_BLOCKS;
}

static size_t
list_blocks(MrenBatch *b, MrenArenaBlock *blocks)
{
	const MrenNetShape *shape = b->shape;
	size_t rows = b->capacity;
	size_t widest = widest_layer(shape);
	const MrenArenaBlock fixed[] = {
		{&b->text, rows * b->pool_dim},
		{&b->unknown, rows * mren_net_shape_n_parts(shape) * MREN_MAX_SHAPES},
		{&b->fused, rows * b->dim},
		{&b->text_mask, rows * b->text_dim},
		{&b->logits, rows * shape->n_relations},
		{&b->dlogits, rows * shape->n_relations},
		{&b->delta[0], rows * widest},
		{&b->delta[1], rows * widest},
		{&b->dimage, rows * (b->dim - b->text_dim)},
		{&b->gathered, rows * widest},
		{&b->dtext, rows * b->pool_dim},
		{&b->text_inverse, b->pool_dim},
	};
	size_t n = sizeof(fixed) / sizeof(fixed[0]);

	memcpy(blocks, fixed, sizeof(fixed));
	for (int kind = 0; kind < MREN_N_VECTORS; kind++)
		n += list_vector_blocks(b, (MrenVectorKind) kind, &b->vectors[kind], blocks + n);
	for (size_t i = 0; i < shape->n_hidden; i++)
	{
		blocks[n++] = (MrenArenaBlock){&b->activated[i], rows * shape->hidden[i]};
		blocks[n++] = (MrenArenaBlock){&b->hidden[i], rows * shape->hidden[i]};
		blocks[n++] = (MrenArenaBlock){&b->hidden_mask[i], rows * shape->hidden[i]};
	}
	return n;
}

MrenStatus
mren_batch_create(const MrenEnv *env, const MrenNetShape *shape, const MrenNetLayout *layout,
				  size_t capacity, MrenBatch *batch, MrenError *err)
{
	MrenArenaBlock blocks[MAX_BLOCKS];
	size_t n;
	MrenStatus status;

	memset(batch, 0, sizeof(*batch));
	batch->work.env = env;
	batch->shape = shape;
	batch->layout = layout;
	batch->capacity = capacity;
	batch->pool_dim = mren_net_shape_pool_dim(shape);
	batch->conv_dim = mren_net_shape_conv_dim(shape);
	batch->text_dim = mren_net_shape_text_dim(shape);
	batch->dim = mren_net_shape_features_dim(shape);
	n = list_blocks(batch, blocks);
	MREN_TRY(mren_allocate(env, (1 + MREN_N_VECTORS) * capacity, sizeof(bool), &batch->flags, err));
	batch->has_unknown = batch->flags;
	for (int kind = 0; kind < MREN_N_VECTORS; kind++)
		batch->vectors[kind].has = batch->flags + (size_t) (kind + 1) * capacity;
	status = mren_arena_create(env, blocks, n, &batch->memory, err);
	if (status == MREN_OK)
		status = mren_conv_create(env, shape, capacity, &batch->conv, err);
	if (status == MREN_OK)
		status = mren_grid_branch_create(env, shape, capacity, &batch->grid_branch, err);
	if (status != MREN_OK)
		mren_batch_free(env, batch);
	return status;
}

void
mren_batch_free(const MrenEnv *env, MrenBatch *batch)
{
	mren_release(env, batch->memory);
	mren_release(env, batch->flags);
	mren_conv_free(env, &batch->conv);
	mren_grid_branch_free(env, &batch->grid_branch);
	memset(batch, 0, sizeof(*batch));
}

void
mren_batch_words(MrenBatch *batch, const MrenWordVectors *words, float scale)
{
	batch->words = *words;
	batch->scale = scale;
}

MrenStatus
mren_batch_load_text(MrenBatch *batch, size_t i, const MrenSentence *sentence, int32_t head_type,
					 int32_t tail_type, MrenError *err)
{
	size_t n_unknown = mren_net_shape_n_parts(batch->shape) * MREN_MAX_SHAPES;
	const MrenTextInput input = {sentence, head_type, tail_type};

	batch->has_unknown[i] =
		mren_text_pool(batch->shape, &batch->words, batch->scale, &input,
					   batch->text + i * batch->pool_dim, batch->unknown + i * n_unknown);
	mren_work_add(&batch->work,
				  (sentence->n_pieces * batch->shape->embedding_dim + batch->pool_dim) *
					  MREN_LOOP_WORK);
	if (batch->work.stopped)
		return mren_fail_canceled(err);
	if (batch->conv_dim == 0)
		return MREN_OK;
	return mren_conv_load(batch->work.env, &batch->conv, i, sentence, err);
}

void
mren_batch_scale(MrenBatch *batch, const float *values)
{
	const float *std = values + batch->layout->table.items[batch->layout->ids.text_std].at;

	for (size_t i = 0; i < batch->pool_dim; i++)
		batch->text_inverse[i] = 1.0f / std[i];
	mren_grid_branch_scale(&batch->grid_branch, batch->shape, batch->layout, values);
}

void
mren_batch_dense(MrenBatch *batch, float *values, const MrenBatchLayer *layer, float *out)
{
	MrenDenseLayer dense =
		mren_dense_layer(&batch->layout->table, values, layer->weight, layer->bias);
	MrenRows in = {layer->in, batch->n, layer->ld};

	mren_dense_forward(&batch->work, &dense, &in, out);
}

void
mren_batch_dense_backward(MrenBatch *batch, float *values, float *grads,
						  const MrenBatchLayer *layer, const float *dout, float *din)
{
	const MrenParameterTable *table = &batch->layout->table;
	MrenDenseLayer dense = mren_dense_layer(table, values, layer->weight, layer->bias);
	MrenDenseLayer gradient = mren_dense_layer(table, grads, layer->weight, layer->bias);
	MrenRows in = {layer->in, batch->n, layer->ld};

	mren_dense_backward(&batch->work, &dense, &gradient, &in, dout, din);
}

static bool
is_conv_weight(const MrenNetShape *shape, const MrenNetLayout *layout, size_t id)
{
	for (size_t i = 0; shape->filters > 0 && i < MREN_CONV_WIDTHS; i++)
	{
		if (id == layout->ids.conv_weight[i])
			return true;
	}
	return false;
}

/*
 * The standard deviation of a tensor's initial values; 0 for biases, for
 * `absent`, and for the differences of fine-tuned word vectors.
 */
static float
initial_deviation(const MrenNetShape *shape, const MrenNetLayout *layout, size_t id)
{
	const MrenParameter *tensor = &layout->table.items[id];
	float gain = 1;

	if ((tensor->rows == 1 && tensor->decay <= 0) ||
		(shape->n_fine_tuned > 0 && id == layout->ids.fine_tuned))
		return 0;
	if (id == layout->ids.shapes)
		return 0.1f;
	if (is_conv_weight(shape, layout, id))
		return (shape->activation == MREN_ACTIVATION_RELU ? sqrtf(2) : 1) /
			   sqrtf((float) tensor->cols);
	if (shape->filters > 0 && (id == layout->ids.places[0] || id == layout->ids.places[1]))
		return PLACE_DEVIATION;
	for (size_t i = 0; i < shape->n_hidden; i++)
	{
		if (id == layout->ids.weight[i] && shape->activation == MREN_ACTIVATION_RELU)
			gain = sqrtf(2);
	}
	return gain / sqrtf((float) tensor->rows);
}

MrenStatus
mren_batch_init_weights(const MrenEnv *env, const MrenNetShape *shape, const MrenNetLayout *layout,
						float *values, uint64_t seed, MrenError *err)
{
	for (size_t id = 0; id < layout->table.n_trained; id++)
	{
		const MrenParameter *tensor = &layout->table.items[id];
		float deviation = initial_deviation(shape, layout, id);
		MrenRandom random;

		mren_random_seed(&random, seed, STREAM_INIT + id);
		for (size_t i = 0; i < tensor->rows * tensor->cols; i++)
		{
			if (i % NORMALS == NORMALS - 1)
				MREN_TRY(mren_check_interrupts(env, err));
			values[tensor->at + i] = deviation > 0 ? deviation * mren_random_normal(&random) : 0;
		}
	}
	return MREN_OK;
}

void
mren_batch_fix_relation(const MrenNetShape *shape, const MrenNetLayout *layout, float *values,
						int32_t fixed)
{
	const MrenParameter *output = &layout->table.items[layout->ids.weight[shape->n_hidden]];

	if (fixed < 0)
		return;
	mren_parameter_at(&layout->table, values, layout->ids.bias[shape->n_hidden])[fixed] = 0;
	for (size_t i = 0; i < output->rows; i++)
		values[output->at + i * output->cols + (size_t) fixed] = 0;
}

/* Hidden layer i from `in` to batch->hidden[i]. */
static void
hidden_forward(MrenBatch *batch, float *values, size_t i, const float *in, size_t ldi,
			   MrenDropout *drop)
{
	const MrenNetIds *ids = &batch->layout->ids;
	size_t n = batch->n * batch->shape->hidden[i];

	mren_batch_dense(batch, values, &(MrenBatchLayer){ids->weight[i], ids->bias[i], in, ldi},
					 batch->activated[i]);
	mren_activate(batch->shape->activation, batch->activated[i], n);
	if (drop != NULL)
		mren_dropout(&drop->random, drop->hidden, batch->activated[i], batch->hidden[i],
					 batch->hidden_mask[i], n);
	else
		memcpy(batch->hidden[i], batch->activated[i], n * sizeof(float));
	mren_work_add(&batch->work, 4 * n * MREN_LOOP_WORK);
}

void
mren_batch_forward(MrenBatch *batch, float *values, MrenDropout *drop)
{
	const MrenNetShape *shape = batch->shape;
	const MrenNetIds *ids = &batch->layout->ids;
	const float *in = batch->fused;
	size_t ldi = batch->dim;

	batch->dropped = drop != NULL;
	batch->work.stopped = false;
	mren_batch_text_forward(batch, values, drop);
	mren_batch_vector_forward(batch, MREN_VECTOR_IMAGE, values, drop);
	mren_batch_vector_forward(batch, MREN_VECTOR_AUDIO, values, drop);
	mren_batch_grid_forward(batch, values, drop);
	for (size_t i = 0; i < shape->n_hidden; i++)
	{
		hidden_forward(batch, values, i, in, ldi, drop);
		in = batch->hidden[i];
		ldi = shape->hidden[i];
	}
	mren_batch_dense(
		batch, values,
		&(MrenBatchLayer){ids->weight[shape->n_hidden], ids->bias[shape->n_hidden], in, ldi},
		batch->logits);
}

/*
 * Gradient of the columns of the fused matrix after the text, whose rows of the first
 * weights come last.
 */
static void
rest_columns(MrenBatch *batch, float *values)
{
	const MrenParameter *first = &batch->layout->table.items[batch->layout->ids.weight[0]];
	size_t width = batch->dim - batch->text_dim;
	const MrenProduct product = {.trans_b = true,
								 .m = batch->n,
								 .n = width,
								 .k = first->cols,
								 .a = batch->dhidden,
								 .lda = first->cols,
								 .b = values + first->at + batch->text_dim * first->cols,
								 .ldb = first->cols,
								 .c = batch->dimage,
								 .ldc = width};

	mren_work_multiply(&batch->work, &product);
}

void
mren_batch_backward(MrenBatch *batch, float *values, float *grads)
{
	const MrenNetShape *shape = batch->shape;
	const MrenNetIds *ids = &batch->layout->ids;
	const float *dout = batch->dlogits;

	for (size_t i = shape->n_hidden; i > 0; i--)
	{
		float *din = batch->delta[i % 2];
		size_t n = batch->n * shape->hidden[i - 1];

		mren_batch_dense_backward(batch, values, grads,
								  &(MrenBatchLayer){ids->weight[i], ids->bias[i],
													batch->hidden[i - 1], shape->hidden[i - 1]},
								  dout, din);
		if (batch->dropped)
			mren_multiply(din, din, batch->hidden_mask[i - 1], n);
		mren_activate_backward(shape->activation, din, batch->activated[i - 1], n);
		mren_work_add(&batch->work, 2 * n * MREN_LOOP_WORK);
		dout = din;
		batch->dhidden = din;
	}
	mren_batch_dense_backward(
		batch, values, grads,
		&(MrenBatchLayer){ids->weight[0], ids->bias[0], batch->fused, batch->dim}, dout, NULL);
	batch->readers[0] = (MrenTextReader){dout, shape->hidden[0], ids->weight[0]};
	batch->n_readers = 1;
	if (mren_net_shape_reads(shape))
		rest_columns(batch, values);
	mren_batch_vector_backward(batch, MREN_VECTOR_IMAGE, values, grads);
	mren_batch_vector_backward(batch, MREN_VECTOR_AUDIO, values, grads);
	if (shape->image_dim > 0)
		mren_batch_grid_backward(batch, values, grads);
	mren_batch_text_backward(batch, values, grads);
}
