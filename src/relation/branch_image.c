/*
 * branch_image.c
 *	  The branches of the image's and of the recording's vector in training: projection, the
 *	  learned vector of a missing one, presence, and the product with the text.
 *
 * units = act(V W + b) or, without a vector, the vector `absent`;
 * product = tanh(T Wt + bt) * tanh(U Wi + bi), zero without a vector, where U are
 * the units, or V if the branch is not shared.
 */
#include "relation/batch.h"

#include <math.h>
#include <string.h>

#include "nn/kernels.h"

void
mren_net_vector_root(const MrenVectorBranch *branch, float *x)
{
	if (!branch->shared)
		return;
	for (size_t i = 0; i < branch->dim; i++)
		x[i] = copysignf(sqrtf(fabsf(x[i])), x[i]);
}

static bool
any_vector(const MrenBatch *batch, const MrenVectorBatch *v)
{
	for (size_t i = 0; i < batch->n; i++)
	{
		if (v->has[i])
			return true;
	}
	return false;
}

static void
drop_vectors(const MrenVectorBranch *branch, MrenVectorBatch *v, size_t rows, MrenDropout *drop)
{
	size_t n = rows * branch->dim;

	if (drop != NULL)
		mren_dropout(&drop->random, drop->input, v->in, v->dropped, v->mask, n);
	else
		memcpy(v->dropped, v->in, n * sizeof(float));
}

/* The input of the vector's factor of the product. */
static const float *
factor_in(const MrenVectorBranch *branch, const MrenVectorBatch *v)
{
	return branch->shared ? v->units : v->dropped;
}

static void
project(MrenBatch *batch, const MrenVectorBranch *branch, MrenVectorBatch *v, float *values)
{
	size_t product = branch->product;

	mren_batch_dense(batch, values,
					 &(MrenBatchLayer){branch->weight, branch->bias, v->dropped, branch->dim},
					 v->units);
	mren_activate(batch->shape->activation, v->units, batch->n * branch->units);
	if (product == 0)
		return;
	mren_batch_dense(batch, values,
					 &(MrenBatchLayer){branch->factor_weight, branch->factor_bias,
									   factor_in(branch, v), branch->factor_in},
					 v->factor);
	mren_batch_dense(
		batch, values,
		&(MrenBatchLayer){branch->text_weight, branch->text_bias, batch->fused, batch->dim},
		v->text_factor);
	mren_tanh(v->factor, batch->n * product);
	mren_tanh(v->text_factor, batch->n * product);
}

void
mren_batch_vector_forward(MrenBatch *batch, MrenVectorKind kind, float *values, MrenDropout *drop)
{
	MrenVectorBranch branch = mren_net_vector_branch(batch->shape, batch->layout, kind);
	MrenVectorBatch *v = &batch->vectors[kind];
	size_t product = branch.product;
	size_t units = branch.units;
	const float *absent;

	if (branch.dim == 0)
		return;
	absent = mren_parameter_at(&batch->layout->table, values, branch.absent);
	/* Draws even if no row has a vector: the random stream must not depend on that. */
	drop_vectors(&branch, v, batch->n, drop);
	if (any_vector(batch, v))
		project(batch, &branch, v, values);
	for (size_t i = 0; i < batch->n; i++)
	{
		float *out = batch->fused + i * batch->dim + branch.at;
		bool has = v->has[i];

		memcpy(out, has ? v->units + i * units : absent, units * sizeof(float));
		out[units] = has ? 1 : 0;
		out += units + 1;
		if (has)
			mren_multiply(out, v->text_factor + i * product, v->factor + i * product, product);
		else
			memset(out, 0, product * sizeof(float));
	}
}

/* Gradients before the tanh of both factors of a row's product. */
static void
factor_backward(MrenVectorBatch *v, size_t i, const float *dproduct, size_t product)
{
	float *dtext = v->dtext_factor + i * product;
	float *dfactor = v->dfactor + i * product;
	const float *text = v->text_factor + i * product;
	const float *factor = v->factor + i * product;

	mren_multiply(dtext, dproduct, factor, product);
	mren_tanh_backward(dtext, text, product);
	mren_multiply(dfactor, dproduct, text, product);
	mren_tanh_backward(dfactor, factor, product);
}

/* Splits the gradient of the branch's columns by row; that of the units goes to v->dunits. */
static void
split_rows(MrenBatch *batch, const MrenVectorBranch *branch, MrenVectorBatch *v, float *dabsent)
{
	size_t product = branch->product;
	size_t width = batch->dim - batch->text_dim;
	size_t units = branch->units;

	memset(dabsent, 0, units * sizeof(float));
	for (size_t i = 0; i < batch->n; i++)
	{
		const float *row = batch->dimage + i * width + branch->at - batch->text_dim;

		if (v->has[i])
		{
			memcpy(v->dunits + i * units, row, units * sizeof(float));
			factor_backward(v, i, row + units + 1, product);
			continue;
		}
		memset(v->dunits + i * units, 0, units * sizeof(float));
		memset(v->dtext_factor + i * product, 0, product * sizeof(float));
		memset(v->dfactor + i * product, 0, product * sizeof(float));
		mren_axpy(dabsent, row, 1, units);
	}
}

/*
 * From both factors of the product; adds the gradient that the product gives
 * the units to dunits.
 */
static void
factors_backward(MrenBatch *batch, const MrenVectorBranch *branch, MrenVectorBatch *v,
				 float *values, float *grads)
{
	mren_batch_dense_backward(batch, values, grads,
							  &(MrenBatchLayer){branch->factor_weight, branch->factor_bias,
												factor_in(branch, v), branch->factor_in},
							  v->dfactor, branch->shared ? v->dshared : NULL);
	if (branch->shared)
		mren_axpy(v->dunits, v->dshared, 1, batch->n * branch->units);
	mren_batch_dense_backward(
		batch, values, grads,
		&(MrenBatchLayer){branch->text_weight, branch->text_bias, batch->fused, batch->dim},
		v->dtext_factor, NULL);
	batch->readers[batch->n_readers++] =
		(MrenTextReader){v->dtext_factor, branch->product, branch->text_weight};
}

void
mren_batch_vector_backward(MrenBatch *batch, MrenVectorKind kind, float *values, float *grads)
{
	MrenVectorBranch branch = mren_net_vector_branch(batch->shape, batch->layout, kind);
	MrenVectorBatch *v = &batch->vectors[kind];
	size_t n_units = batch->n * branch.units;

	if (branch.dim == 0)
		return;
	split_rows(batch, &branch, v, mren_parameter_at(&batch->layout->table, grads, branch.absent));
	if (!any_vector(batch, v))
		memset(v->units, 0, n_units * sizeof(float));
	if (branch.product > 0)
		factors_backward(batch, &branch, v, values, grads);
	mren_activate_backward(batch->shape->activation, v->dunits, v->units, n_units);
	mren_batch_dense_backward(batch, values, grads,
							  &(MrenBatchLayer){branch.weight, branch.bias, v->dropped, branch.dim},
							  v->dunits, NULL);
}
