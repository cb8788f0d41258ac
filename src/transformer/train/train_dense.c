/*
 * train_dense.c
 *	  Dense layers, with or without an adapter, layer norms, and dropout.
 *
 * Products with matrices run through the kernels of prediction, for which a matrix is packed each
 * time: the rows are many.  An adapter is added to its matrix then: that costs rank * in * out
 * multiplications instead of rank * (in + out) for each token, and gives what the merged encoder
 * gives in prediction.
 */
#include "transformer/train/train_parts.h"

#include <string.h>

#include "nn/kernels.h"
#include "transformer/encoder_parts.h"
#include "transformer/train/train_kernels.h"

/* Multiply-adds of an adapter between two checks for interrupts. */
#define ADAPTER_WORK ((size_t) 1 << 26)

void
mren_adapter_add(MrenWork *work, const MrenAdapter *adapter, size_t out, size_t in, float *weight)
{
	size_t rows = ADAPTER_WORK / (adapter->rank * in) + 1;

	for (size_t i = 0; i < out && !work->stopped; i += rows)
	{
		const MrenProduct product = {.m = out - i < rows ? out - i : rows,
									 .n = in,
									 .k = adapter->rank,
									 .a = adapter->b + i * adapter->rank,
									 .lda = adapter->rank,
									 .b = adapter->a,
									 .ldb = in,
									 .beta = 1,
									 .c = weight + i * in,
									 .ldc = in};

		mren_gemm(adapter->scale, &product);
		mren_work_add(work, product.m * in * adapter->rank);
	}
}

/*
 * A matrix as a product takes it: `rows` (k, rank) and `columns`, packed (rank, m), of its adapter.
 */
typedef struct PackedAdapter
{
	const float *rows;
	const float *columns;
} PackedAdapter;

static PackedAdapter
pack_adapter(MrenTransformerTrainer *trainer, const MrenTunedDense *dense, bool transposed)
{
	const MrenAdapter *adapter = &dense->adapter;
	size_t rank = adapter->rank;
	size_t m = transposed ? dense->out : dense->in;
	float *turned = trainer->memory.thin[0];
	float *columns = trainer->memory.thin[1];

	if (transposed)
	{
		for (size_t i = 0; i < dense->in; i++)
		{
			for (size_t r = 0; r < rank; r++)
				turned[i * rank + r] = adapter->a[r * dense->in + i];
		}
		mren_dense_pack_transposed(columns, adapter->b, rank, m);
	}
	else
		mren_dense_pack(columns, adapter->a, rank, m);
	mren_scale(columns, adapter->scale, mren_dense_packed_size(rank, m));
	return (PackedAdapter){transposed ? turned : adapter->b, columns};
}

/* Adds the product of an adapter's parts to a packed matrix (k, m). */
static void
add_adapter(MrenTransformerTrainer *trainer, const MrenTunedDense *dense, bool transposed, size_t k,
			size_t m)
{
	const PackedAdapter parts = pack_adapter(trainer, dense, transposed);
	size_t rank = dense->adapter.rank;
	float *piece = trainer->memory.piece;

	for (size_t j = 0; j < m && !trainer->work.stopped; j += MREN_PANEL)
	{
		const MrenPackedDense panel = {.in = rank,
									   .out = MREN_PANEL,
									   .packed = parts.columns + j * rank,
									   .bias = trainer->memory.zeros};

		for (size_t i = 0; i < k; i += MREN_TRANSFORMER_ROWS)
		{
			size_t n = k - i < MREN_TRANSFORMER_ROWS ? k - i : MREN_TRANSFORMER_ROWS;

			mren_dense_infer(&panel, parts.rows + i * rank, rank, n, piece, MREN_PANEL);
			mren_axpy(trainer->memory.packed + j * k + i * MREN_PANEL, piece, 1, n * MREN_PANEL);
		}
		mren_work_add(&trainer->work, k * MREN_PANEL * rank);
	}
}

/* memory.packed = the matrix, with its adapter; transposed: for rows of its inputs, (in, out). */
static void
pack_weight(MrenTransformerTrainer *trainer, const MrenTunedDense *dense, bool transposed)
{
	float *packed = trainer->memory.packed;

	if (transposed)
		mren_dense_pack_transposed(packed, dense->weight.value, dense->in, dense->out);
	else
		mren_dense_pack(packed, dense->weight.value, dense->out, dense->in);
	mren_work_add(&trainer->work, MREN_LOOP_WORK * dense->in * dense->out);
	if (dense->adapter.rank == 0)
		return;
	if (transposed)
		add_adapter(trainer, dense, transposed, dense->in, dense->out);
	else
		add_adapter(trainer, dense, transposed, dense->out, dense->in);
}

/* out (n, packed's out) = in (n, packed's in) times the matrix. */
static void
run_packed(MrenTransformerTrainer *trainer, const MrenPackedDense *packed, const float *in,
		   size_t n, float *out)
{
	size_t rows;

	for (size_t i = 0; i < n && !trainer->work.stopped; i += rows)
	{
		rows = mren_transformer_piece_rows(i, n);
		mren_dense_infer(packed, in + i * packed->in, packed->in, rows, out + i * packed->out,
						 packed->out);
		mren_work_add(&trainer->work, rows * packed->in * packed->out);
	}
}

void
mren_tuned_dense(MrenTransformerTrainer *trainer, const MrenTunedDense *dense, const float *in,
				 size_t n, float *out)
{
	MrenPackedDense packed = {.in = dense->in,
							  .out = dense->out,
							  .packed = trainer->memory.packed,
							  .bias = trainer->memory.zeros};

	pack_weight(trainer, dense, true);
	if (dense->bias.value != NULL)
	{
		memcpy(trainer->memory.bias, dense->bias.value, dense->out * sizeof(float));
		packed.bias = trainer->memory.bias;
	}
	run_packed(trainer, &packed, in, n, out);
}

void
mren_tuned_dense_input(MrenTransformerTrainer *trainer, const MrenTunedDense *dense,
					   const float *dout, size_t n, bool add, float *din)
{
	const MrenPackedDense packed = {.in = dense->out,
									.out = dense->in,
									.packed = trainer->memory.packed,
									.bias = trainer->memory.zeros};
	float *piece = trainer->memory.piece;
	size_t rows;

	pack_weight(trainer, dense, false);
	for (size_t i = 0; i < n && !trainer->work.stopped; i += rows)
	{
		float *to = din + i * dense->in;

		rows = mren_transformer_piece_rows(i, n);
		mren_dense_infer(&packed, dout + i * dense->out, dense->out, rows, add ? piece : to,
						 dense->in);
		if (add)
			mren_axpy(to, piece, 1, rows * dense->in);
		mren_work_add(&trainer->work, rows * dense->in * dense->out);
	}
}

/* c (m, n) += alpha * a (k, m)' * b (k, n), where k is the number of tokens. */
static void
add_outer(MrenWork *work, float *c, const float *a, size_t m, const float *b, size_t n, size_t k)
{
	const MrenProduct product = {.trans_a = true,
								 .m = m,
								 .n = n,
								 .k = k,
								 .a = a,
								 .lda = m,
								 .b = b,
								 .ldb = n,
								 .beta = 1,
								 .c = c,
								 .ldc = n};

	mren_work_multiply(work, &product);
}

/* out (n, rank) = scale * in (n, k) times a part of an adapter, which is packed, (k, rank). */
static void
run_adapter(MrenTransformerTrainer *trainer, const MrenAdapter *adapter, const float *in, size_t k,
			size_t n, float *out)
{
	const MrenPackedDense packed = {.in = k,
									.out = adapter->rank,
									.packed = trainer->memory.packed,
									.bias = trainer->memory.zeros};

	mren_scale(trainer->memory.packed, adapter->scale, mren_dense_packed_size(k, adapter->rank));
	run_packed(trainer, &packed, in, n, out);
}

/* da += (scale dout b)' in and db += dout' (scale in a'). */
static void
adapter_gradients(MrenTransformerTrainer *trainer, const MrenTunedDense *dense, const float *in,
				  const float *dout, size_t n)
{
	const MrenAdapter *adapter = &dense->adapter;
	float *through_a = trainer->memory.thin[0];
	float *through_b = trainer->memory.thin[1];

	mren_dense_pack_transposed(trainer->memory.packed, adapter->a, dense->in, adapter->rank);
	run_adapter(trainer, adapter, in, dense->in, n, through_a);
	mren_dense_pack(trainer->memory.packed, adapter->b, dense->out, adapter->rank);
	run_adapter(trainer, adapter, dout, dense->out, n, through_b);
	if (trainer->work.stopped)
		return;
	add_outer(&trainer->work, dense->da, through_b, adapter->rank, in, dense->in, n);
	add_outer(&trainer->work, dense->db, dout, dense->out, through_a, adapter->rank, n);
}

void
mren_tuned_dense_weight(MrenTransformerTrainer *trainer, const MrenTunedDense *dense,
						const float *in, const float *dout, size_t n)
{
	if (dense->weight.gradient != NULL)
		add_outer(&trainer->work, dense->weight.gradient, dout, dense->out, in, dense->in, n);
	if (dense->bias.gradient != NULL && !trainer->work.stopped)
	{
		mren_sum_rows(dense->bias.gradient, dout, n, dense->out);
		mren_work_add(&trainer->work, MREN_LOOP_WORK * n * dense->out);
	}
	if (dense->adapter.rank > 0)
		adapter_gradients(trainer, dense, in, dout, n);
}

void
mren_tuned_norm(MrenTransformerTrainer *trainer, const MrenTunedNorm *norm, const float *x,
				size_t n, size_t m, const MrenKeptNorm *kept, float *y)
{
	const MrenNormRows rows = {.n = n,
							   .m = m,
							   .weight = norm->weight.value,
							   .bias = norm->bias.value,
							   .eps = trainer->config.eps,
							   .hat = kept->hat,
							   .inverse = kept->inverse};

	mren_tuned_norm_rows(&rows, x, y);
	mren_work_add(&trainer->work, 2 * MREN_LOOP_WORK * n * m);
}

void
mren_tuned_norm_again(const MrenTunedNorm *norm, const MrenKeptNorm *kept, size_t n, size_t m,
					  float *y)
{
	const MrenNormRows rows = {
		.n = n, .m = m, .weight = norm->weight.value, .bias = norm->bias.value, .hat = kept->hat};

	mren_tuned_norm_rows_again(&rows, y);
}

void
mren_tuned_norm_backward(MrenTransformerTrainer *trainer, const MrenTunedNorm *norm,
						 const MrenKeptNorm *kept, const float *dy, size_t n, size_t m, float *dx)
{
	const MrenNormRows rows = {.n = n,
							   .m = m,
							   .weight = norm->weight.value,
							   .hat = kept->hat,
							   .inverse = kept->inverse,
							   .dweight = norm->weight.gradient,
							   .dbias = norm->bias.gradient};

	mren_tuned_norm_rows_backward(&rows, dy, dx);
	mren_work_add(&trainer->work, 3 * MREN_LOOP_WORK * n * m);
}

/* Numbers whose masks are drawn at once: 128 counters of 8. */
#define CHUNK 1024
#define OF_COUNTER 8

void
mren_tuned_dropout(const MrenDropoutStream *stream, float *y, const float *x, size_t n)
{
	uint32_t threshold = (uint32_t) (stream->rate * 65536.0f + 0.5f);
	float keep = 65536.0f / (float) (65536 - threshold);
	uint64_t bits[CHUNK / 4];
	float mask[CHUNK];
	MrenPhiloxCounter counter = {.key = {(uint32_t) stream->seed, (uint32_t) (stream->seed >> 32)},
								 .word = {0, stream->item, stream->place, stream->layer}};

	for (size_t i = 0; i < n; i += CHUNK)
	{
		size_t size = n - i < CHUNK ? n - i : CHUNK;
		uint32_t words[CHUNK / 2];

		counter.word[0] = (uint32_t) (i / OF_COUNTER);
		mren_tuned_philox(&counter, words, (size + OF_COUNTER - 1) / OF_COUNTER);
		memcpy(bits, words, sizeof(words));
		mren_mask(mask, bits, threshold, keep, size);
		mren_multiply(y + i, x + i, mask, size);
	}
}

MrenDropoutStream
mren_tuned_stream(const MrenTransformerTrainer *trainer, size_t layer, MrenDropoutPlace place)
{
	float rate = place == MREN_DROPOUT_ATTENTION ? trainer->tuning.attention_dropout
												 : trainer->tuning.hidden_dropout;

	return (MrenDropoutStream){.seed = trainer->step.seed,
							   .layer = (uint32_t) layer,
							   .place = (uint32_t) place,
							   .rate = trainer->step.dropout ? rate : 0};
}
