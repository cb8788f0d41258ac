/*
 * train_attention.c
 *	  Attention of the tokens of a sentence to each other, with levitated markers, forward and
 *	  backward.
 *
 * Tokens and markers of a sentence attend to its text in one product for each head; what the
 * markers of a group owe to each other is a small product for each group.
 */
#include "transformer/train/train_parts.h"

#include <math.h>
#include <string.h>

#include "nn/kernels.h"
#include "transformer/train/train_kernels.h"

/* One head of one sentence. */
typedef struct Head
{
	MrenTransformerTrainer *trainer;
	const MrenTunedSentence *sentence;
	size_t layer;
	MrenReadRows rows; /* of the layer */
	size_t first_row;  /* of the sentence */
	size_t n_rows;	   /* the same */
	size_t number;	   /* of the head */
	size_t at;		   /* its place in (n, width) */
	size_t row_at;	   /* its place in (rows, width) */
	size_t width;
	size_t size;   /* of the head */
	float *scores; /* (rows, ld) */
} Head;

float
mren_tuned_score_scale(const MrenTransformerConfig *config)
{
	size_t parts = 1;

	if (config->architecture == MREN_TRANSFORMER_DEBERTA)
		parts += (size_t) config->content_to_position + (size_t) config->position_to_content;
	return 1 / sqrtf((float) (config->width / config->heads * parts));
}

/* A block of scores: rows from `row` on and keys from column `column` on, of key token `key`. */
typedef struct Block
{
	size_t row;
	size_t n_rows;
	size_t column;
	size_t key;
	size_t n_keys;
	float beta; /* of products that are summed over blocks of keys */
} Block;

/* Rows of the sentence before its token number i. */
static size_t
rows_before(const Head *head, size_t i)
{
	return mren_read_before(&head->rows, head->sentence->first + i) - head->first_row;
}

/* Block number i: all rows with the text's keys, and then each group with itself. */
static bool
get_block(const Head *head, size_t i, Block *block)
{
	const MrenTunedSentence *sentence = head->sentence;

	if (i > sentence->n_groups)
		return false;
	if (i == 0)
		*block = (Block){0, head->n_rows, 0, 0, sentence->n_text, 0};
	else
	{
		size_t first = sentence->n_text + (i - 1) * sentence->group;
		size_t row = rows_before(head, first);

		*block = (Block){.row = row,
						 .n_rows = rows_before(head, first + sentence->group) - row,
						 .column = sentence->n_text,
						 .key = first,
						 .n_keys = sentence->group,
						 .beta = 1};
	}
	return true;
}

/* scores = alpha * queries (rows, width) * keys (n, width)' */
static void
multiply_keys(const Head *head, float alpha, const float *queries, const float *keys, float *scores)
{
	Block block;

	for (size_t i = 0; get_block(head, i, &block); i++)
	{
		const MrenProduct product = {.trans_b = true,
									 .m = block.n_rows,
									 .n = block.n_keys,
									 .k = head->size,
									 .a = queries + head->row_at + block.row * head->width,
									 .lda = head->width,
									 .b = keys + head->at + block.key * head->width,
									 .ldb = head->width,
									 .c = scores + block.row * head->sentence->ld + block.column,
									 .ldc = head->sentence->ld};

		mren_gemm(alpha, &product);
	}
}

/* out (rows, width) = alpha * scores * values (n, width) */
static void
multiply_values(const Head *head, float alpha, const float *scores, const float *values, float *out)
{
	Block block;

	for (size_t i = 0; get_block(head, i, &block); i++)
	{
		const MrenProduct product = {.m = block.n_rows,
									 .n = head->size,
									 .k = block.n_keys,
									 .a = scores + block.row * head->sentence->ld + block.column,
									 .lda = head->sentence->ld,
									 .b = values + head->at + block.key * head->width,
									 .ldb = head->width,
									 .beta = block.beta,
									 .c = out + head->row_at + block.row * head->width,
									 .ldc = head->width};

		mren_gemm(alpha, &product);
	}
}

/* out (n, width) = alpha * scores' * rows (rows, width): for each key the sum over its queries. */
static void
multiply_transposed(const Head *head, float alpha, const float *scores, const float *rows,
					float *out)
{
	Block block;

	for (size_t i = 0; get_block(head, i, &block); i++)
	{
		const MrenProduct product = {.trans_a = true,
									 .m = block.n_keys,
									 .n = head->size,
									 .k = block.n_rows,
									 .a = scores + block.row * head->sentence->ld + block.column,
									 .lda = head->sentence->ld,
									 .b = rows + head->row_at + block.row * head->width,
									 .ldb = head->width,
									 .c = out + head->at + block.key * head->width,
									 .ldc = head->width};

		mren_gemm(alpha, &product);
	}
}

static void
softmax(const Head *head)
{
	const MrenTunedSentence *sentence = head->sentence;
	size_t n_text = rows_before(head, sentence->n_text);

	mren_tuned_softmax(head->scores, n_text, sentence->n_text, sentence->ld);
	mren_tuned_softmax(head->scores + n_text * sentence->ld, head->n_rows - n_text,
					   sentence->n_text + sentence->group, sentence->ld);
}

static MrenDropoutStream
stream_of(const Head *head)
{
	MrenTransformerTrainer *trainer = head->trainer;
	MrenDropoutStream stream = mren_tuned_stream(trainer, head->layer, MREN_DROPOUT_ATTENTION);

	stream.item =
		(uint32_t) ((size_t) (head->sentence - trainer->sentences) * trainer->config.heads +
					head->number);
	return stream;
}

/* The scores after dropout: themselves, or memory.dropped. */
static const float *
drop_scores(const Head *head, const MrenDropoutStream *stream)
{
	float *dropped = head->trainer->memory.dropped;

	if (stream->rate == 0)
		return head->scores;
	mren_tuned_dropout(stream, dropped, head->scores, head->n_rows * head->sentence->ld);
	return dropped;
}

static void
forward_head(const Head *head)
{
	MrenTransformerTrainer *trainer = head->trainer;
	const MrenKeptLayer *kept = &trainer->kept[head->layer];
	MrenDropoutStream stream = stream_of(head);

	multiply_keys(head, mren_tuned_score_scale(&trainer->config), kept->query, kept->key,
				  head->scores);
	mren_tuned_distances(trainer, head->layer, head->sentence, head->number, head->scores);
	softmax(head);
	multiply_values(head, 1, drop_scores(head, &stream), kept->value, kept->context);
}

static void
backward_head(const Head *head)
{
	MrenTransformerTrainer *trainer = head->trainer;
	MrenTunedMemory *memory = &trainer->memory;
	const MrenKeptLayer *kept = &trainer->kept[head->layer];
	const MrenTunedSentence *sentence = head->sentence;
	size_t size = head->n_rows * sentence->ld;
	float scale = mren_tuned_score_scale(&trainer->config);
	MrenDropoutStream stream = stream_of(head);

	multiply_transposed(head, 1, drop_scores(head, &stream), memory->dcontext, memory->dvalue);
	memset(memory->dscores, 0, size * sizeof(float));
	multiply_keys(head, 1, memory->dcontext, kept->value, memory->dscores);
	if (stream.rate > 0)
		mren_tuned_dropout(&stream, memory->dscores, memory->dscores, size);
	mren_tuned_softmax_backward(memory->dscores, head->scores, head->n_rows, sentence->ld);
	multiply_values(head, scale, memory->dscores, kept->key, memory->dquery);
	multiply_transposed(head, scale, memory->dscores, kept->query, memory->dkey);
	mren_tuned_distances_backward(trainer, head->layer, sentence, head->number);
}

static void
each_head(MrenTransformerTrainer *trainer, size_t l, void (*call)(const Head *head), size_t cost)
{
	const MrenTransformerConfig *config = &trainer->config;

	for (size_t s = 0; s < trainer->batch.n_sentences; s++)
	{
		const MrenTunedSentence *sentence = &trainer->sentences[s];
		size_t n_scores = sentence->n * sentence->ld;
		Head head = {.trainer = trainer,
					 .sentence = sentence,
					 .layer = l,
					 .rows = mren_tuned_rows(trainer, l),
					 .width = config->width,
					 .size = config->width / config->heads};

		head.first_row = mren_read_before(&head.rows, sentence->first);
		head.n_rows = rows_before(&head, sentence->n);
		for (; head.number < config->heads && !trainer->work.stopped; head.number++)
		{
			head.at = sentence->first * config->width + head.number * head.size;
			head.row_at = head.first_row * config->width + head.number * head.size;
			head.scores = trainer->kept[l].scores + sentence->scores + head.number * n_scores;
			call(&head);
			mren_work_add(&trainer->work,
						  cost * head.n_rows * sentence->ld * (head.size + MREN_LOOP_WORK));
		}
	}
}

void
mren_tuned_attention(MrenTransformerTrainer *trainer, size_t l)
{
	each_head(trainer, l, forward_head, 3);
}

void
mren_tuned_attention_backward(MrenTransformerTrainer *trainer, size_t l)
{
	const MrenTransformerConfig *config = &trainer->config;
	size_t size = (trainer->near_max - trainer->near_min + 1) * config->width * sizeof(float);

	if (trainer->relative.value != NULL && config->content_to_position)
		memset(trainer->memory.drelative_keys, 0, size);
	if (trainer->relative.value != NULL && config->position_to_content)
		memset(trainer->memory.drelative_queries, 0, size);
	each_head(trainer, l, backward_head, 6);
}
