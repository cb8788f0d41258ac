/*
 * train_answer.c
 *	  The answers of a network to encoded rows.
 */
#include "pg/train/train_answer.h"

#include "base/hash.h"
#include "pg/support/pg_env.h"

void
mren_train_answer_read(const MrenSource *rows, size_t i, const uint8_t **record,
					   MrenExample *example, uint64 *key)
{
	MrenError err;
	size_t len;
	size_t size;

	MREN_PG_CALL(err, rows->read(rows->state, i, record, &len, &err));
	MREN_PG_CALL(err, mren_example_read(*record, len, example, &size, &err));
	if (len != size + sizeof(*key))
		elog(ERROR, "encoded row has no key after its record");
	memcpy(key, *record + size, sizeof(*key));
}

void
mren_train_answer_begin(MrenTrainAnswers *answers, const MrenSource *rows, const MrenNet *net,
						const MrenWordVectors *vectors, const char *negative)
{
	*answers = (MrenTrainAnswers){.rows = rows, .net = net, .vectors = *vectors};
	mren_net_info(net, &answers->info);
	if (negative != NULL)
		answers->negative = (MrenTextSpan){negative, (uint32) strlen(negative)};
	answers->image = palloc(Max(answers->info.image_dim, 1) * sizeof(float4));
	answers->audio = palloc(Max(answers->info.audio_dim, 1) * sizeof(float4));
	answers->grid = palloc(Max(mren_grid_size(&answers->info.grid), 1) * sizeof(uint16));
	answers->features = palloc(answers->info.row_dim * sizeof(float4));
	answers->probabilities = palloc(answers->info.n_relations * sizeof(float4));
	answers->predicted = palloc(answers->info.n_relations * sizeof(int32));
	answers->scratch = palloc_extended(mren_net_scratch(net, 1) * sizeof(float4), MCXT_ALLOC_HUGE);
}

static int32
type_of(const MrenTrainAnswers *answers, MrenTextSpan type)
{
	return type.data == NULL ? -1 : mren_net_type(answers->net, type.data, type.len);
}

/* The row as input of the network, without what the network was trained without. */
static void
make_input(MrenTrainAnswers *answers, const MrenExample *example, MrenInput *input)
{
	MrenError err;

	*input = (MrenInput){.sentence = &example->sentence,
						 .head_type = type_of(answers, example->head_type),
						 .tail_type = type_of(answers, example->tail_type),
						 .tokens = &example->tokens};
	if (answers->info.hash_bits > 0)
	{
		input->features = example->features;
		input->n_features =
			example->n_features - (answers->info.box_features ? 0 : example->n_box_features);
	}
	if (example->has_audio && answers->info.audio_dim > 0)
	{
		MREN_PG_CALL(
			err, answers->rows->audio(answers->rows->state, &example->audio, answers->audio, &err));
		input->audio = answers->audio;
	}
	if (!example->has_image || answers->info.image_dim == 0)
		return;
	MREN_PG_CALL(err,
				 answers->rows->image(answers->rows->state, &example->image, answers->image, &err));
	input->image = answers->image;
	if (answers->info.boxes && example->has_head_box)
		input->head_box = example->head_box;
	if (answers->info.boxes && example->has_tail_box)
		input->tail_box = example->tail_box;
	if (!example->has_grid || mren_grid_size(&answers->info.grid) == 0)
		return;
	MREN_PG_CALL(err,
				 answers->rows->grid(answers->rows->state, &example->image, answers->grid, &err));
	input->grid = answers->grid;
}

static bool
same_text(MrenTextSpan a, MrenTextSpan b)
{
	return a.data != NULL && b.data != NULL && a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* Sets answers->probabilities. */
static void
compute(MrenTrainAnswers *answers, const MrenExample *example)
{
	MrenInput input;
	MrenError err;

	make_input(answers, example, &input);
	MREN_PG_CALL(err, mren_net_features(answers->net, &answers->vectors, &input, 1,
										answers->features, answers->scratch, &err));
	MREN_PG_CALL(err, mren_net_probabilities(answers->net, answers->features, 1,
											 answers->probabilities, answers->scratch, &err));
}

void
mren_train_answer_probabilities(MrenTrainAnswers *answers, size_t i, MrenExample *example,
								uint64 *key)
{
	const uint8_t *record;

	mren_train_answer_read(answers->rows, i, &record, example, key);
	compute(answers, example);
}

/* What is predicted of a row, as by model 1; without a negative relation, the strongest alone. */
static void
count_predicted(MrenTrainAnswers *answers, int32_t actual, MrenPairedCounts *counts)
{
	size_t n;

	if (answers->negative.data == NULL)
	{
		counts->predicted[1] = 1;
		counts->hits[1] =
			actual >= 0 &&
			actual == mren_net_answer(&answers->info, answers->probabilities).relation;
		return;
	}
	n = mren_net_predicted(&answers->info, answers->probabilities, answers->predicted);
	for (size_t i = 0; i < n; i++)
	{
		if (answers->predicted[i] == answers->info.negative)
			continue;
		counts->predicted[1]++;
		counts->hits[1] += answers->predicted[i] == actual;
	}
}

/* Without a negative relation each row counts as one actual and one predicted relation. */
void
mren_train_answer_count(MrenTrainAnswers *answers, size_t i, MrenPairedCounts *counts)
{
	const uint8_t *record;
	MrenExample example;
	MrenTextSpan relation;
	bool measured = answers->negative.data != NULL;

	*counts = (MrenPairedCounts){0};
	mren_train_answer_read(answers->rows, i, &record, &example, &counts->key);
	compute(answers, &example);
	relation = example.relation;
	counts->actual = !measured || !same_text(relation, answers->negative);
	count_predicted(answers, mren_net_relation_index(answers->net, relation.data, relation.len),
					counts);
	counts->pair = mren_hash64(&counts->key, sizeof(counts->key), mren_example_pair(&example));
	counts->relation = mren_hash64(relation.data, relation.len, 0);
}
