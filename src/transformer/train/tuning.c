/*
 * tuning.c
 *	  The trained tensors of an encoder, and merging them into its weights.
 */
#include "transformer/train/tuning.h"

#include <stdio.h>
#include <string.h>

#include "nn/work.h"
#include "transformer/train/train_parts.h"

/* Numbers copied between two checks for interrupts. */
#define PIECE ((size_t) 1 << 20)

#define MATRICES 8 /* of a layer, at most */

void
mren_transformer_tuning_init(const MrenTransformerConfig *config, MrenTransformerTuning *tuning)
{
	*tuning = (MrenTransformerTuning){.kind = MREN_TUNING_ALL,
									  .last_layers = config->layers,
									  .rank = 16,
									  .alpha = 32,
									  .hidden_dropout = config->hidden_dropout,
									  .attention_dropout = config->attention_dropout};
}

static MrenStatus
check_rate(const char *what, float rate, MrenError *err)
{
	if (rate >= 0 && rate < 1)
		return MREN_OK;
	return mren_fail(err, MREN_EPARAM, "%s dropout must be at least 0 and less than 1, not %g",
					 what, (double) rate);
}

MrenStatus
mren_transformer_tuning_check(const MrenTransformerConfig *config,
							  const MrenTransformerTuning *tuning, MrenError *err)
{
	size_t most = config->width < MREN_TUNING_MAX_RANK ? config->width : MREN_TUNING_MAX_RANK;

	MREN_TRY(check_rate("hidden", tuning->hidden_dropout, err));
	MREN_TRY(check_rate("attention", tuning->attention_dropout, err));
	if (tuning->kind == MREN_TUNING_LAST &&
		(tuning->last_layers == 0 || tuning->last_layers > config->layers))
		return mren_fail(err, MREN_EPARAM,
						 "number of trained layers must be from 1 to %zu, not %zu", config->layers,
						 tuning->last_layers);
	if (tuning->kind != MREN_TUNING_ADAPTERS)
		return MREN_OK;
	if (tuning->rank == 0 || tuning->rank > most)
		return mren_fail(err, MREN_EPARAM, "rank of adapters must be from 1 to %zu, not %zu", most,
						 tuning->rank);
	if (!(tuning->alpha > 0 && tuning->alpha < 1e6f))
		return mren_fail(err, MREN_EPARAM, "alpha of adapters must be positive, not %g",
						 (double) tuning->alpha);
	return MREN_OK;
}

size_t
mren_transformer_tuning_first_layer(const MrenTransformerConfig *config,
									const MrenTransformerTuning *tuning)
{
	if (tuning->kind == MREN_TUNING_FROZEN)
		return config->layers;
	return tuning->kind == MREN_TUNING_LAST ? config->layers - tuning->last_layers : 0;
}

/* How the tensors of an encoder lie in their order. */
typedef struct Order
{
	size_t common;			   /* before the first layer */
	size_t of_layer;		   /* in a layer */
	size_t matrices[MATRICES]; /* of a layer, numbers in it */
	size_t n_matrices;
} Order;

static Order
find_order(const MrenTransformerConfig *config)
{
	MrenTransformerTensor tensor;
	Order order = {0};

	for (size_t i = 0; mren_transformer_tensor(config, i, &tensor); i++)
	{
		if (strncmp(tensor.name, "layer.", 6) != 0)
		{
			order.common++;
			continue;
		}
		if (strncmp(tensor.name, "layer.0.", 8) != 0)
			break;
		if (tensor.columns > 0 && order.n_matrices < MATRICES)
			order.matrices[order.n_matrices++] = order.of_layer;
		order.of_layer++;
	}
	return order;
}

/* The adapter of a matrix whose name ends in "weight". */
static void
to_adapter(MrenTransformerTensor *tensor, size_t rank, bool second)
{
	size_t stem = strlen(tensor->name) - strlen("weight");

	snprintf(tensor->name + stem, sizeof(tensor->name) - stem, "%s", second ? "lora_b" : "lora_a");
	if (second)
		tensor->columns = rank;
	else
		tensor->rows = rank;
}

bool
mren_transformer_tuning_tensor(const MrenTransformerConfig *config,
							   const MrenTransformerTuning *tuning, size_t i,
							   MrenTransformerTensor *tensor)
{
	size_t first = mren_transformer_tuning_first_layer(config, tuning);
	Order order;
	size_t matrix;

	if (tuning->kind == MREN_TUNING_FROZEN)
		return false;
	if (tuning->kind == MREN_TUNING_ALL)
		return mren_transformer_tensor(config, i, tensor);
	order = find_order(config);
	if (tuning->kind == MREN_TUNING_LAST)
		return mren_transformer_tensor(config, order.common + first * order.of_layer + i, tensor);
	matrix = i / 2;
	if (!mren_transformer_tensor(config,
								 order.common + matrix / order.n_matrices * order.of_layer +
									 order.matrices[matrix % order.n_matrices],
								 tensor))
		return false;
	to_adapter(tensor, tuning->rank, i % 2 == 1);
	return true;
}

static MrenStatus
check_tensors(const MrenTransformerConfig *config, const MrenTransformerTuning *tuning,
			  const MrenTensorView *tensors, size_t n, MrenError *err)
{
	MrenTransformerTensor tensor;
	size_t i = 0;

	for (; mren_transformer_tuning_tensor(config, tuning, i, &tensor); i++)
	{
		size_t columns = tensor.columns == 0 ? 1 : tensor.columns;

		if (i >= n || strcmp(tensors[i].name, tensor.name) != 0 || tensors[i].rows != tensor.rows ||
			tensors[i].cols != columns)
			return mren_fail(err, MREN_EFORMAT, "tensor \"%s\" (%zu, %zu) is missing", tensor.name,
							 tensor.rows, columns);
	}
	if (i < n)
		return mren_fail(err, MREN_EFORMAT, "unexpected tensor \"%s\"", tensors[i].name);
	return MREN_OK;
}

static MrenStatus
copy_weights(const MrenEnv *env, float *to, const float *from, size_t n, MrenError *err)
{
	for (size_t i = 0; i < n; i += PIECE)
	{
		memmove(to + i, from + i, (n - i < PIECE ? n - i : PIECE) * sizeof(float));
		MREN_TRY(mren_check_interrupts(env, err));
	}
	return MREN_OK;
}

/* Puts the next of the trained tensors in place of a tensor, or adds it, if it is its own. */
static MrenStatus
merge_tensor(const MrenEnv *env, const MrenTransformerTensor *tensor, float scale,
			 const MrenTensorView **next, const MrenTensorView *end, float *merged, MrenError *err)
{
	size_t stem = strlen(tensor->name) - strlen("weight");
	MrenWork work = {.env = env};

	if (*next == end)
		return MREN_OK;
	if (strcmp((*next)->name, tensor->name) == 0)
	{
		MREN_TRY(copy_weights(env, merged, (*next)->data, (*next)->rows * (*next)->cols, err));
		(*next)++;
	}
	else if (tensor->columns > 0 && strncmp((*next)->name, tensor->name, stem) == 0 &&
			 strcmp((*next)->name + stem, "lora_a") == 0)
	{
		MrenAdapter adapter = {
			.rank = (*next)->rows, .scale = scale, .a = (*next)->data, .b = (*next)[1].data};

		mren_adapter_add(&work, &adapter, tensor->rows, tensor->columns, merged);
		*next += 2;
	}
	return work.stopped ? mren_fail_canceled(err) : MREN_OK;
}

MrenStatus
mren_transformer_tuning_merge(const MrenEnv *env, const MrenTransformerConfig *config,
							  const MrenTransformerTuning *tuning, const MrenTensorView *tensors,
							  size_t n, float *weights, MrenError *err)
{
	MrenTransformerTensor tensor;
	const MrenTensorView *next = tensors;
	float scale = tuning->alpha / (float) tuning->rank;

	MREN_TRY(check_tensors(config, tuning, tensors, n, err));
	for (size_t i = 0; mren_transformer_tensor(config, i, &tensor); i++)
	{
		MREN_TRY(merge_tensor(env, &tensor, scale, &next, tensors + n, weights, err));
		weights += tensor.rows * (tensor.columns == 0 ? 1 : tensor.columns);
	}
	return MREN_OK;
}

static size_t
tensor_size(const MrenTransformerTensor *tensor)
{
	return tensor->rows * (tensor->columns == 0 ? 1 : tensor->columns);
}

/* Tensors of a tuning and their floats together. */
static size_t
count_tensors(const MrenTransformerConfig *config, const MrenTransformerTuning *tuning,
			  size_t *floats)
{
	MrenTransformerTensor tensor;
	size_t n = 0;

	*floats = 0;
	for (; mren_transformer_tuning_tensor(config, tuning, n, &tensor); n++)
		*floats += tensor_size(&tensor);
	return n;
}

MrenStatus
mren_transformer_tuning_merge_flat(const MrenEnv *env, const MrenTransformerConfig *config,
								   const MrenTransformerTuning *tuning, const float *tuned,
								   size_t n, float *weights, MrenError *err)
{
	size_t floats;
	size_t n_tensors = count_tensors(config, tuning, &floats);
	MrenTransformerTensor *tensors;
	MrenTensorView *views;
	MrenStatus status;

	if (floats != n)
		return mren_fail(err, MREN_EFORMAT,
						 "invalid network: it has %zu fine-tuned weights of the encoder's %zu", n,
						 floats);
	MREN_TRY(mren_allocate(env, n_tensors, sizeof(*tensors), &tensors, err));
	status = mren_allocate(env, n_tensors, sizeof(*views), &views, err);
	if (status == MREN_OK)
	{
		for (size_t i = 0; i < n_tensors; i++)
		{
			MrenTransformerTensor *tensor = &tensors[i];

			mren_transformer_tuning_tensor(config, tuning, i, tensor);
			views[i] = (MrenTensorView){tensor->name, tensor->rows,
										tensor->columns == 0 ? 1 : tensor->columns, tuned};
			tuned += tensor_size(tensor);
		}
		status = mren_transformer_tuning_merge(env, config, tuning, views, n_tensors, weights, err);
		mren_release(env, views);
	}
	mren_release(env, tensors);
	return status;
}

/*
 * As models store it
 */

#define ADAPTER_ALPHA 2.0 /* times the rank */
#define MAX_TUNED ((size_t) 1 << 32)

MrenTuningShape
mren_tuning_shape_make(const MrenTransformerConfig *config, MrenTransformerTuningKind kind,
					   size_t layers, size_t rank)
{
	MrenTuningShape shape = {.kind = (size_t) kind};

	if (kind == MREN_TUNING_LAST)
		shape.layers = layers < config->layers ? layers : config->layers;
	if (kind == MREN_TUNING_ADAPTERS)
	{
		shape.rank = rank < config->width ? rank : config->width;
		shape.alpha = ADAPTER_ALPHA * (double) shape.rank;
	}
	return shape;
}

static MrenStatus
fail_shape(const char *of, const char *what, size_t value, MrenError *err)
{
	return mren_fail(err, MREN_EFORMAT, "invalid %s: %s of %zu", of, what, value);
}

MrenStatus
mren_tuning_shape_check(const MrenTuningShape *shape, const char *of, MrenError *err)
{
	if (shape->kind > MREN_TUNING_ADAPTERS)
		return fail_shape(of, "kind of fine-tuning", shape->kind, err);
	if ((shape->layers > 0) != (shape->kind == MREN_TUNING_LAST) ||
		shape->layers > MREN_TRANSFORMER_MAX_LAYERS)
		return fail_shape(of, "number of fine-tuned layers", shape->layers, err);
	if ((shape->rank > 0) != (shape->kind == MREN_TUNING_ADAPTERS) ||
		shape->rank > MREN_TUNING_MAX_RANK)
		return fail_shape(of, "adapter rank", shape->rank, err);
	if (shape->kind == MREN_TUNING_ADAPTERS && !(shape->alpha > 0 && shape->alpha <= 1e6))
		return mren_fail(err, MREN_EFORMAT, "invalid %s: adapter alpha of %g", of, shape->alpha);
	if ((shape->n > 0) != (shape->kind != MREN_TUNING_FROZEN) || shape->n > MAX_TUNED)
		return fail_shape(of, "number of fine-tuned weights", shape->n, err);
	return MREN_OK;
}

bool
mren_tuning_shape_equal(const MrenTuningShape *a, const MrenTuningShape *b)
{
	return a->kind == b->kind && a->layers == b->layers && a->rank == b->rank &&
		   a->alpha == b->alpha && a->n == b->n;
}

MrenTransformerTuning
mren_tuning_shape_tuning(const MrenTuningShape *shape)
{
	return (MrenTransformerTuning){.kind = (MrenTransformerTuningKind) shape->kind,
								   .last_layers = shape->layers,
								   .rank = shape->rank,
								   .alpha = (float) shape->alpha};
}
