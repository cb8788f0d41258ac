/*
 * copy.c
 *	  The kernel that copies elements by tables of offsets.
 */
#include "onnx/kernels/copy.h"

#include <string.h>

static void
copy_row_float(const MrenOnnxCopy *copy, const float *src, int64_t base, bool filled, float *dst)
{
	int last = copy->rank - 1;
	size_t n = copy->dims[last];
	const int64_t *map = copy->maps[last];
	int64_t stride = copy->strides[last];

	if (filled)
	{
		for (size_t i = 0; i < n; i++)
			dst[(int64_t) i * stride] = copy->fill;
	}
	else if (copy->runs)
		memcpy(dst, src + base + map[0], n * sizeof(float));
	else
	{
		for (size_t i = 0; i < n; i++)
			dst[(int64_t) i * stride] =
				map[i] == MREN_ONNX_COPY_FILL ? copy->fill : src[base + map[i]];
	}
}

static void
copy_row_int(const MrenOnnxCopy *copy, const int64_t *src, int64_t base, bool filled, int64_t *dst)
{
	int last = copy->rank - 1;
	const int64_t *map = copy->maps[last];

	for (size_t i = 0; i < copy->dims[last]; i++)
		dst[(int64_t) i * copy->strides[last]] =
			filled || map[i] == MREN_ONNX_COPY_FILL ? copy->fill_int : src[base + map[i]];
}

/* Units are rows: all dimensions but the last. */
static MrenStatus
copy_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			MrenError *err)
{
	const MrenOnnxCopy *copy = step->params;
	const char *src = mren_onnx_operand(frame, &step->in[0]);
	char *dst = mren_onnx_operand(frame, &step->out);

	(void) err;
	for (size_t row = begin; row < end; row++)
	{
		size_t rest = row;
		int64_t from = 0;
		int64_t to = 0;
		bool filled = false;

		for (int d = copy->rank - 2; d >= 0; d--)
		{
			size_t i = rest % copy->dims[d];

			rest /= copy->dims[d];
			to += (int64_t) i * copy->strides[d];
			if (copy->maps[d][i] == MREN_ONNX_COPY_FILL)
				filled = true;
			else
				from += copy->maps[d][i];
		}
		if (copy->element == sizeof(float))
			copy_row_float(copy, (const float *) (const void *) src, from, filled,
						   (float *) (void *) dst + to);
		else
			copy_row_int(copy, (const int64_t *) (const void *) src, from, filled,
						 (int64_t *) (void *) dst + to);
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_copy_map(MrenOnnxPlan *plan, size_t n, int64_t **map, MrenError *err)
{
	return mren_onnx_pool_get(plan->pool, n, sizeof(int64_t), map, err);
}

MrenStatus
mren_onnx_copy_linear(MrenOnnxPlan *plan, size_t n, int64_t stride, const int64_t **map,
					  MrenError *err)
{
	int64_t *table;

	MREN_TRY(mren_onnx_copy_map(plan, n, &table, err));
	for (size_t i = 0; i < n; i++)
		table[i] = (int64_t) i * stride;
	*map = table;
	return MREN_OK;
}

static bool
is_run(const MrenOnnxCopy *copy)
{
	int last = copy->rank - 1;

	if (copy->strides[last] != 1)
		return false;
	for (size_t i = 0; i < copy->dims[last]; i++)
	{
		if (copy->maps[last][i] == MREN_ONNX_COPY_FILL ||
			copy->maps[last][i] != copy->maps[last][0] + (int64_t) i)
			return false;
	}
	return true;
}

MrenStatus
mren_onnx_copy_emit_raw(MrenOnnxPlan *plan, const MrenOnnxPlace *source, const MrenOnnxCopy *copy,
						MrenOnnxValue *out, MrenOnnxLayout layout, bool more, MrenError *err)
{
	static const int64_t zero = 0;
	MrenOnnxCopy *params;
	MrenOnnxStepSpec spec;
	MrenOnnxStep *step;

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(MrenOnnxCopy), &params, err));
	*params = *copy;
	if (params->rank == 0)
	{
		params->rank = 1;
		params->dims[0] = 1;
		params->maps[0] = &zero;
		params->strides[0] = 1;
	}
	params->element = mren_onnx_type_size(out->type);
	params->runs = is_run(params);
	spec = (MrenOnnxStepSpec){copy_kernel, params, source, 1, out, layout};
	if (more)
		MREN_TRY(mren_onnx_plan_step_more(plan, &spec, &step, err));
	else
		MREN_TRY(mren_onnx_plan_step(plan, &spec, &step, err));
	step->n_units = params->dims[params->rank - 1] > 0;
	for (int d = 0; d < params->rank - 1; d++)
		step->n_units *= params->dims[d];
	step->unit_cost = 32 + params->dims[params->rank - 1] * 16;
	return MREN_OK;
}

MrenStatus
mren_onnx_copy_emit(MrenOnnxPlan *plan, const MrenOnnxPlace *source, const int64_t *const *maps,
					const MrenOnnxCopy *fill, MrenOnnxValue *out, MrenOnnxLayout layout,
					MrenError *err)
{
	int64_t strides[MREN_ONNX_MAX_RANK];
	MrenOnnxCopy copy = {0};

	mren_onnx_layout_strides(&out->shape, layout, strides);
	for (int k = 0; k < out->shape.rank; k++)
	{
		int d = mren_onnx_layout_dim(layout, out->shape.rank, k);

		copy.dims[k] = out->shape.dims[d];
		copy.maps[k] = maps[d];
		copy.strides[k] = strides[d];
	}
	copy.rank = out->shape.rank;
	if (fill != NULL)
	{
		copy.fill = fill->fill;
		copy.fill_int = fill->fill_int;
	}
	return mren_onnx_copy_emit_raw(plan, source, &copy, out, layout, false, err);
}
