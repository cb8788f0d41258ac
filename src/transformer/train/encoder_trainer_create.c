/*
 * encoder_trainer.create.c
 *	  Making a trainer: its list of trained tensors, their first values, and the places of all
 *	  tensors of the encoder.
 */
#include "transformer/train/train_parts.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "nn/arena.h"

/* Numbers copied between two checks for interrupts. */
#define PIECE ((size_t) 1 << 20)

/* Random streams of adapters: this and the number of the tensor. */
#define STREAM_ADAPTER UINT64_C(0x3000)

/* The next tensor of the encoder and the next trained one. */
typedef struct Cursor
{
	MrenTransformerTrainer *trainer;
	size_t i;
	const float *at;
	size_t trained;
	bool draws; /* the first values of what is trained */
} Cursor;

/* Whether the next trained tensor has this name; if so, it is passed over. */
static bool
take_trained(Cursor *cursor, const char *name, float **value, float **gradient)
{
	MrenTransformerTrainer *trainer = cursor->trainer;
	const MrenParameter *item = &trainer->items[cursor->trained];

	if (cursor->trained == trainer->n_items || strcmp(item->name, name) != 0)
		return false;
	cursor->trained++;
	*value = trainer->values + item->at;
	*gradient = trainer->gradients + item->at;
	return true;
}

/*
 * The next tensor if its name ends so; otherwise its value is NULL, and it remains the next.
 * What is trained is copied to its place.
 */
static MrenTunedTensor
take(Cursor *cursor, const char *suffix, MrenTransformerTensor *tensor)
{
	MrenTunedTensor taken = {0};
	float *value;
	size_t length;
	size_t size;

	if (!mren_transformer_tensor(&cursor->trainer->config, cursor->i, tensor))
		return taken;
	length = strlen(tensor->name);
	if (length < strlen(suffix) || strcmp(tensor->name + length - strlen(suffix), suffix) != 0)
		return taken;
	size = tensor->rows * (tensor->columns == 0 ? 1 : tensor->columns);
	taken.value = cursor->at;
	cursor->i++;
	cursor->at += size;
	if (!take_trained(cursor, tensor->name, &value, &taken.gradient))
		return taken;
	for (size_t i = 0; i < size && cursor->draws && !cursor->trainer->work.stopped; i += PIECE)
	{
		memcpy(value + i, taken.value + i, (size - i < PIECE ? size - i : PIECE) * sizeof(float));
		mren_work_add(&cursor->trainer->work, PIECE * MREN_LOOP_WORK);
	}
	taken.value = value;
	return taken;
}

static MrenTunedTensor
take_tensor(Cursor *cursor, const char *suffix)
{
	MrenTransformerTensor tensor;

	return take(cursor, suffix, &tensor);
}

static MrenTunedNorm
take_norm(Cursor *cursor, const char *weight, const char *bias)
{
	MrenTunedNorm norm = {take_tensor(cursor, weight), {0}};

	norm.bias = take_tensor(cursor, bias);
	return norm;
}

/* The adapter of the matrix with this name, if it has one; a from the seed, b zero. */
static void
take_adapter(Cursor *cursor, const char *name, MrenTunedDense *dense)
{
	MrenTransformerTrainer *trainer = cursor->trainer;
	char of_adapter[MREN_TRANSFORMER_NAME_SIZE];
	float bound = 1 / sqrtf((float) dense->in);
	MrenRandom random;
	float *a;
	float *b = NULL;

	memcpy(of_adapter, name, sizeof(of_adapter));
	memcpy(strrchr(of_adapter, '.') + 1, "lora_a", sizeof("lora_a"));
	mren_random_seed(&random, trainer->tuning.seed, STREAM_ADAPTER + cursor->trained);
	if (!take_trained(cursor, of_adapter, &a, &dense->da))
		return;
	for (size_t i = 0; i < trainer->tuning.rank * dense->in && cursor->draws; i++)
		a[i] = bound * (2 * mren_random_uniform(&random) - 1);
	mren_work_add(&trainer->work, MREN_LOOP_WORK * trainer->tuning.rank * dense->in);
	memcpy(strrchr(of_adapter, '.') + 1, "lora_b", sizeof("lora_b"));
	take_trained(cursor, of_adapter, &b, &dense->db);
	dense->adapter = (MrenAdapter){.rank = trainer->tuning.rank,
								   .scale = trainer->tuning.alpha / (float) trainer->tuning.rank,
								   .a = a,
								   .b = b};
}

static MrenTunedDense
take_dense(Cursor *cursor, const char *weight, const char *bias)
{
	MrenTransformerTensor matrix;
	MrenTunedDense dense = {.weight = take(cursor, weight, &matrix)};

	if (dense.weight.value == NULL)
		return dense;
	dense.in = matrix.columns;
	dense.out = matrix.rows;
	take_adapter(cursor, matrix.name, &dense);
	dense.bias = take_tensor(cursor, bias);
	return dense;
}

static void
take_layer(Cursor *cursor, MrenTunedLayer *layer)
{
	layer->query = take_dense(cursor, "attention.query.weight", "attention.query.bias");
	layer->key = take_dense(cursor, "attention.key.weight", "attention.key.bias");
	layer->value = take_dense(cursor, "attention.value.weight", "attention.value.bias");
	layer->position_key =
		take_dense(cursor, "attention.position_key.weight", "attention.position_key.bias");
	layer->position_query =
		take_dense(cursor, "attention.position_query.weight", "attention.position_query.bias");
	layer->context = take_dense(cursor, "attention.output.weight", "attention.output.bias");
	layer->attention_norm = take_norm(cursor, "attention.norm.weight", "attention.norm.bias");
	layer->intermediate = take_dense(cursor, "intermediate.weight", "intermediate.bias");
	layer->output = take_dense(cursor, "output.weight", "output.bias");
	layer->norm = take_norm(cursor, "norm.weight", "norm.bias");
}

static void
take_all(MrenTransformerTrainer *trainer, const float *weights, bool draws)
{
	Cursor cursor = {.trainer = trainer, .at = weights, .draws = draws};

	trainer->word = take_tensor(&cursor, "embeddings.word");
	trainer->position = take_tensor(&cursor, "embeddings.position");
	trainer->token_type = take_tensor(&cursor, "embeddings.token_type");
	trainer->embedding_norm = take_norm(&cursor, "embeddings.norm.weight", "embeddings.norm.bias");
	trainer->project = take_dense(&cursor, "embeddings.project.weight", "embeddings.project.bias");
	trainer->relative_bias = take_tensor(&cursor, "relative.bias");
	trainer->relative = take_tensor(&cursor, "relative.embeddings");
	trainer->relative_norm = take_norm(&cursor, "relative.norm.weight", "relative.norm.bias");
	for (size_t l = 0; l < trainer->config.layers; l++)
		take_layer(&cursor, &trainer->layers[l]);
}

static size_t
count_tensors(const MrenTransformerConfig *config, const MrenTransformerTuning *tuning)
{
	MrenTransformerTensor tensor;
	size_t n = 0;

	while (mren_transformer_tuning_tensor(config, tuning, n, &tensor))
		n++;
	return n;
}

/* Weight decay is for matrices; MPNet's bias of attention is none. */
static bool
decays(const MrenTransformerTensor *tensor)
{
	return tensor->columns > 0 && strcmp(tensor->name, "relative.bias") != 0;
}

/* Fills in the list of trained tensors, if there is one, and returns the floats of all. */
static size_t
list_tensors(const MrenTransformerConfig *config, const MrenTransformerTuning *tuning,
			 MrenParameter *items)
{
	MrenTransformerTensor tensor;
	size_t size = 0;

	for (size_t i = 0; mren_transformer_tuning_tensor(config, tuning, i, &tensor); i++)
	{
		size_t columns = tensor.columns == 0 ? 1 : tensor.columns;

		if (items != NULL)
		{
			items[i] = (MrenParameter){.rows = tensor.rows,
									   .cols = columns,
									   .at = size,
									   .trained = true,
									   .decay = decays(&tensor) ? 1 : 0,
									   .rate = 1};
			memcpy(items[i].name, tensor.name, sizeof(tensor.name));
		}
		size += mren_align_floats(tensor.rows * columns);
	}
	return size;
}

_Static_assert(MREN_TRANSFORMER_NAME_SIZE == MREN_PARAMETER_NAME_SIZE, "names must fit");

/* Takes the memory of values and gradients, or makes it; values that are not set are zero. */
static MrenStatus
take_memory(MrenTransformerTrainer *trainer, const MrenTrainedMemory *memory, MrenError *err)
{
	const MrenEnv *env = &trainer->env;

	if (memory == NULL)
	{
		MREN_TRY(mren_allocate_zero(env, 2 * trainer->size, sizeof(float), &trainer->owned, err));
		trainer->values = trainer->owned;
		trainer->gradients = trainer->owned + trainer->size;
		return MREN_OK;
	}
	trainer->values = memory->values;
	trainer->gradients = memory->gradients;
	return memory->set ? MREN_OK : mren_tuned_clear(env, trainer->values, trainer->size, err);
}

static MrenStatus
allocate(MrenTransformerTrainer *trainer, const MrenTrainedMemory *memory, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	size_t layers = trainer->config.layers;

	trainer->n_items = count_tensors(&trainer->config, &trainer->tuning);
	MREN_TRY(mren_allocate(env, trainer->n_items, sizeof(*trainer->items), &trainer->items, err));
	trainer->size = list_tensors(&trainer->config, &trainer->tuning, trainer->items);
	MREN_TRY(take_memory(trainer, memory, err));
	MREN_TRY(mren_allocate_zero(env, layers, sizeof(*trainer->layers), &trainer->layers, err));
	MREN_TRY(mren_allocate_zero(env, layers, sizeof(*trainer->kept), &trainer->kept, err));
	return mren_allocate_zero(env, layers, sizeof(*trainer->inputs), &trainer->inputs, err);
}

MrenStatus
mren_transformer_trainer_create(const MrenEnv *env, const MrenTransformerConfig *config,
								const MrenTransformerTuning *tuning, const float *weights,
								MrenTransformerTrainer **trainer, MrenError *err)
{
	return mren_transformer_trainer_create_in(env, config, tuning, weights, NULL, trainer, err);
}

MrenStatus
mren_transformer_trainer_create_in(const MrenEnv *env, const MrenTransformerConfig *config,
								   const MrenTransformerTuning *tuning, const float *weights,
								   const MrenTrainedMemory *memory,
								   MrenTransformerTrainer **trainer, MrenError *err)
{
	MrenStatus status;

	*trainer = NULL;
	MREN_TRY(mren_transformer_tuning_check(config, tuning, err));
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(**trainer), trainer, err));
	(*trainer)->env = *env;
	(*trainer)->config = *config;
	(*trainer)->tuning = *tuning;
	(*trainer)->first = mren_transformer_tuning_first_layer(config, tuning);
	(*trainer)->work.env = &(*trainer)->env;
	status = allocate(*trainer, memory, err);
	if (status == MREN_OK)
	{
		take_all(*trainer, weights, memory == NULL || !memory->set);
		status = (*trainer)->work.stopped ? mren_fail_canceled(err) : MREN_OK;
	}
	if (status != MREN_OK)
	{
		mren_transformer_trainer_free(*trainer);
		*trainer = NULL;
	}
	return status;
}

void
mren_transformer_trainer_free(MrenTransformerTrainer *trainer)
{
	MrenEnv env;

	if (trainer == NULL)
		return;
	env = trainer->env;
	mren_release(&env, trainer->items);
	mren_release(&env, trainer->owned);
	mren_release(&env, trainer->layers);
	mren_release(&env, trainer->kept);
	mren_release(&env, trainer->inputs);
	mren_release(&env, trainer->sentences);
	mren_release(&env, trainer->memory.block);
	mren_release(&env, trainer);
}

size_t
mren_transformer_trainer_size(const MrenTransformerConfig *config,
							  const MrenTransformerTuning *tuning)
{
	return list_tensors(config, tuning, NULL);
}

size_t
mren_transformer_trainer_memory(const MrenTransformerConfig *config,
								const MrenTransformerTuning *tuning)
{
	return 2 * sizeof(float) * list_tensors(config, tuning, NULL) +
		   count_tensors(config, tuning) * sizeof(MrenParameter) + sizeof(MrenTransformerTrainer) +
		   config->layers * (sizeof(MrenTunedLayer) + sizeof(MrenKeptLayer) + sizeof(float *));
}
