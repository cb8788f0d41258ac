/*
 * encoder_shards.c
 *	  Cutting a mini-batch in shards, and running them forward and backward in bounded memory.
 */
#include "transformer/train/encoder_shards.h"

#include "nn/kernels.h"

/* Of a part; a longer sentence is a part of its own. */
#define PART_TOKENS 2048

/*
 * Each of n shards has at least so many tokens times n: small products are slow, and so is adding
 * an adapter to a matrix for few tokens.
 */
#define SHARD_TOKENS 64

/* Numbers added between two checks for interrupts. */
#define PIECE ((size_t) 1 << 20)

typedef struct Part
{
	MrenTransformerBatch batch;
	size_t number; /* from 1 */
	size_t first;  /* token of the shard */
} Part;

MrenStatus
mren_transformer_tuning_hint(MrenError *err)
{
	mren_error_hint(err, "Raise mren.train_memory, fine-tune adapters or fewer layers, or choose a "
						 "smaller text encoder.");
	return MREN_ELIMIT;
}

size_t
mren_tuning_most_shards(MrenTransformerTuningKind kind)
{
	switch (kind)
	{
		case MREN_TUNING_FROZEN:
			return 1;
		case MREN_TUNING_ADAPTERS:
			return MREN_MAX_SHARDS;
		case MREN_TUNING_ALL:
		case MREN_TUNING_LAST:
			break;
	}
	return 2;
}

size_t
mren_tuning_shards_size(const MrenTransformerConfig *config, const MrenTransformerTuning *tuning)
{
	return (1 + mren_tuning_most_shards(tuning->kind)) *
		   mren_transformer_trainer_size(config, tuning);
}

MrenStatus
mren_tuning_shards_create(const MrenEnv *env, const MrenTuningShardsInputs *inputs,
						  MrenTuningShards *shards, MrenError *err)
{
	size_t size = mren_transformer_trainer_size(inputs->config, inputs->tuning);
	MrenTrainedMemory memory = {.values = inputs->values, .set = inputs->set};

	mren_tuning_shards_free(shards);
	*shards = (MrenTuningShards){.env = *env,
								 .config = *inputs->config,
								 .tuning = *inputs->tuning,
								 .memory = inputs->tuning->activations,
								 .n = mren_tuning_most_shards(inputs->tuning->kind)};
	shards->tuning.activations /= shards->n;
	for (size_t i = 0; i < shards->n; i++)
	{
		memory.gradients = inputs->values + (1 + i) * size;
		MREN_TRY(mren_transformer_trainer_create_in(env, &shards->config, &shards->tuning,
													inputs->weights, &memory,
													&shards->items[i].trainer, err));
		memory.set = true;
	}
	return MREN_OK;
}

void
mren_tuning_shards_free(MrenTuningShards *shards)
{
	for (size_t i = 0; i < shards->n; i++)
		mren_transformer_trainer_free(shards->items[i].trainer);
	if (shards->n > 0)
		mren_release(&shards->env, shards->again);
	*shards = (MrenTuningShards){0};
}

/*
 * Cutting
 */

static size_t
count_tokens(const MrenTransformerSentence *sentence)
{
	return sentence->n_text + sentence->n_groups * sentence->group_size;
}

/* Tokens of the first n sentences. */
static size_t
count_first(const MrenTransformerSentence *sentences, size_t n)
{
	size_t tokens = 0;

	for (size_t i = 0; i < n; i++)
		tokens += count_tokens(&sentences[i]);
	return tokens;
}

/* n sentences of the batch from number `first` on, whose first token is number `at`. */
static MrenTransformerBatch
slice(const MrenTransformerBatch *batch, size_t first, size_t at, size_t n)
{
	MrenTransformerBatch part = *batch;

	part.sentences += first;
	part.n_sentences = n;
	part.n_tokens = count_first(part.sentences, n);
	part.ids += at;
	part.positions += at;
	if (batch->types != NULL)
		part.types += at;
	if (batch->read != NULL)
		part.read += at;
	return part;
}

void
mren_tuning_cut(MrenShardRun *run, size_t most)
{
	const MrenTransformerBatch *batch = &run->batch;
	size_t next = 0;
	size_t at = 0;

	run->first = 0;
	run->n = most;
	while (run->n > 1 &&
		   (batch->n_tokens < SHARD_TOKENS * run->n * run->n || batch->n_sentences < run->n))
		run->n /= 2;
	/*
	 * Each ends where it is nearest to its share of the tokens; those after it have a sentence,
	 * too.
	 */
	for (size_t i = 0; i < run->n; i++)
	{
		size_t first = next;
		size_t end = batch->n_sentences - (run->n - 1 - i);
		size_t goal = batch->n_tokens * (i + 1) / run->n;

		for (; next < end; next++)
		{
			size_t tokens = count_tokens(&batch->sentences[next]);

			if (next > first && i + 1 < run->n && at + tokens / 2 > goal)
				break;
			at += tokens;
		}
		run->n_sentences[i] = next - first;
	}
}

MrenShardRun
mren_tuning_part_of_run(const MrenShardRun *run, size_t first, size_t n, size_t width,
						size_t *first_token)
{
	MrenShardRun part = {.first = run->first + first, .n = n, .step = run->step};
	size_t before = 0;
	size_t sentences = 0;

	for (size_t i = 0; i < first; i++)
		before += run->n_sentences[i];
	for (size_t i = 0; i < n; i++)
		sentences += part.n_sentences[i] = run->n_sentences[first + i];
	*first_token = count_first(run->batch.sentences, before);
	part.batch = slice(&run->batch, before, *first_token, sentences);
	if (run->step.frozen != NULL)
		part.step.frozen += *first_token * width;
	return part;
}

/*
 * Parts of a shard
 */

/* Makes part the one that follows it; false after the last. */
static bool
next_part(const MrenTransformerBatch *batch, Part *part)
{
	size_t first = (size_t) (part->batch.sentences - batch->sentences) + part->batch.n_sentences;
	size_t at = part->first + part->batch.n_tokens;
	size_t end = first;
	size_t n = 0;

	if (first == batch->n_sentences)
		return false;
	do
		n += count_tokens(&batch->sentences[end++]);
	while (end < batch->n_sentences && n + count_tokens(&batch->sentences[end]) <= PART_TOKENS);
	part->number++;
	part->first = at;
	part->batch = slice(batch, first, at, end - first);
	return true;
}

/* In front of the first part. */
static Part
before_parts(const MrenTransformerBatch *batch)
{
	return (Part){.batch = {.sentences = batch->sentences}};
}

/* Makes room for the activations of a part of shard s; others are computed again. */
static MrenStatus
make_room(MrenTuningShards *shards, size_t s, const Part *part, MrenError *err)
{
	size_t needed;
	bool large;

	if (shards->memory == 0)
		return MREN_OK;
	needed = mren_transformer_trainer_batch_memory(
		&shards->config, &shards->tuning, part->batch.sentences, part->batch.n_sentences, true);
	if (needed > shards->memory)
	{
		mren_fail(
			err, MREN_ELIMIT,
			"fine-tuning a text encoder on %zu tokens takes %zu kB, but %zu kB are left for it",
			part->batch.n_tokens, needed / 1024, shards->memory / 1024);
		return mren_transformer_tuning_hint(err);
	}
	large = needed > shards->tuning.activations;
	for (size_t i = 0; i < shards->n; i++)
	{
		if (i == s || !(large || shards->items[i].large))
			continue;
		mren_transformer_trainer_forget(shards->items[i].trainer);
		shards->items[i].large = false;
	}
	shards->items[s].large = shards->items[s].large || large;
	return MREN_OK;
}

static MrenStatus
run_part(MrenTuningShards *shards, size_t s, const Part *part, float *out, MrenError *err)
{
	const MrenTuningShard *shard = &shards->items[s];
	MrenTransformerStep step = shard->step;

	step.seed += part->number - 1;
	if (step.frozen != NULL)
		step.frozen += part->first * shards->config.width;
	MREN_TRY(make_room(shards, s, part, err));
	return mren_transformer_trainer_forward(shard->trainer, &part->batch, &step, out, err);
}

/* The gradients of one part; only of the last one may the activations still be there. */
static MrenStatus
backward_part(MrenTuningShards *shards, size_t s, const Part *part, const float *dout,
			  MrenError *err)
{
	MrenTransformerTrainer *trainer = shards->items[s].trainer;
	size_t width = shards->config.width;

	if (!mren_transformer_trainer_ready(trainer))
	{
		MREN_TRY(mren_grow(&shards->env, &shards->again, &shards->again_capacity, 0,
						   part->batch.n_tokens * width, sizeof(float), err));
		MREN_TRY(run_part(shards, s, part, shards->again, err));
	}
	return mren_transformer_trainer_backward(trainer, dout + part->first * width, err);
}

/*
 * Runs
 */

MrenStatus
mren_tuning_shards_forward(MrenTuningShards *shards, const MrenShardRun *run, float *out,
						   MrenError *err)
{
	size_t width = shards->config.width;

	for (size_t i = 0; i < run->n; i++)
	{
		size_t s = run->first + i;
		MrenTuningShard *shard = &shards->items[s];
		size_t first;
		MrenShardRun alone = mren_tuning_part_of_run(run, i, 1, width, &first);
		Part part = before_parts(&alone.batch);

		shard->batch = alone.batch;
		shard->step = alone.step;
		shard->step.seed += (uint64_t) s << 32;
		while (next_part(&shard->batch, &part))
			MREN_TRY(run_part(shards, s, &part, out + (first + part.first) * width, err));
	}
	return MREN_OK;
}

static MrenStatus
backward_shard(MrenTuningShards *shards, size_t s, const float *dout, MrenError *err)
{
	const MrenTransformerBatch *batch = &shards->items[s].batch;
	Part last = before_parts(batch);
	Part part = last;

	while (next_part(batch, &last))
		;
	MREN_TRY(mren_transformer_trainer_clear(shards->items[s].trainer, err));
	if (last.number > 0)
		MREN_TRY(backward_part(shards, s, &last, dout, err));
	while (next_part(batch, &part) && part.number < last.number)
		MREN_TRY(backward_part(shards, s, &part, dout, err));
	return MREN_OK;
}

/* From the last one on, whose activations are there if any are. */
MrenStatus
mren_tuning_shards_backward(MrenTuningShards *shards, const MrenShardRun *run, const float *dout,
							MrenError *err)
{
	size_t width = shards->config.width;
	size_t first = run->batch.n_tokens;

	for (size_t i = run->n; i-- > 0;)
	{
		size_t s = run->first + i;

		first -= shards->items[s].batch.n_tokens;
		MREN_TRY(backward_shard(shards, s, dout + first * width, err));
	}
	return MREN_OK;
}

MrenStatus
mren_tuning_shards_add_up(MrenTuningShards *shards, size_t n, MrenError *err)
{
	size_t size = mren_transformer_trainer_parameters(shards->items[0].trainer).size;
	float *sum = mren_transformer_trainer_gradients(shards->items[0].trainer);

	for (size_t at = 0; at < size && n > 1; at += PIECE)
	{
		for (size_t s = 1; s < n; s++)
			mren_axpy(sum + at, mren_transformer_trainer_gradients(shards->items[s].trainer) + at,
					  1, size - at < PIECE ? size - at : PIECE);
		MREN_TRY(mren_check_interrupts(&shards->env, err));
	}
	return MREN_OK;
}
