/*
 * window.c
 *	  Strides, dilations and the forms of padding.
 */
#include "onnx/kernels/window.h"

#include <limits.h>

#include "onnx/model/node.h"

/* One list attribute of the spatial dimensions, `fallback` where absent. */
static MrenStatus
read_list(const MrenOnnxNode *node, const char *name, int n, int64_t low, size_t fallback,
		  size_t *out, MrenError *err)
{
	const int64_t *list;
	size_t got;

	MREN_TRY(mren_onnx_node_ints(node, name, &list, &got, err));
	if (list != NULL && got != (size_t) n)
		return mren_onnx_node_fail(node, MREN_EDATA, err, "%s must have %d values, not %zu", name,
								   n, got);
	for (int d = 0; d < n; d++)
	{
		if (list != NULL && (list[d] < low || list[d] > INT_MAX))
			return mren_onnx_node_fail(node, MREN_EDATA, err, "%s must not have a value of %lld",
									   name, (long long) list[d]);
		out[d] = list != NULL ? (size_t) list[d] : fallback;
	}
	return MREN_OK;
}

typedef enum Padding
{
	PADDING_EXPLICIT,
	PADDING_VALID,
	PADDING_SAME_UPPER, /* an odd unit of padding goes after */
	PADDING_SAME_LOWER, /* ... in front */
} Padding;

static MrenStatus
read_padding(const MrenOnnxNode *node, Padding *padding, MrenError *err)
{
	if (mren_onnx_node_string_is(node, "auto_pad", "SAME_UPPER"))
		*padding = PADDING_SAME_UPPER;
	else if (mren_onnx_node_string_is(node, "auto_pad", "SAME_LOWER"))
		*padding = PADDING_SAME_LOWER;
	else if (mren_onnx_node_string_is(node, "auto_pad", "VALID"))
		*padding = PADDING_VALID;
	else if (mren_onnx_node_attribute(node, "auto_pad") == NULL ||
			 mren_onnx_node_string_is(node, "auto_pad", "NOTSET"))
		*padding = PADDING_EXPLICIT;
	else
		return mren_onnx_node_fail(node, MREN_EDATA, err, "value of auto_pad is unknown");
	return MREN_OK;
}

/* Output size and, for SAME, the padding of one dimension. */
static MrenStatus
size_dimension(const MrenOnnxNode *node, Padding padding, bool ceil_mode, MrenOnnxWindow *w, int d,
			   MrenError *err)
{
	/* every factor is below 2^31 */
	size_t extent = (w->kernel[d] - 1) * w->dilation[d] + 1;
	size_t padded;

	if (padding == PADDING_SAME_UPPER || padding == PADDING_SAME_LOWER)
	{
		size_t total;

		w->out[d] = (w->in[d] + w->stride[d] - 1) / w->stride[d];
		total = w->out[d] > 0 ? (w->out[d] - 1) * w->stride[d] + extent : 0;
		total = total > w->in[d] ? total - w->in[d] : 0;
		w->before[d] = padding == PADDING_SAME_UPPER ? total / 2 : total - total / 2;
		w->after[d] = total - w->before[d];
		return MREN_OK;
	}
	padded = w->in[d] + w->before[d] + w->after[d];
	if (padded < extent)
		return mren_onnx_node_fail(node, MREN_EDATA, err,
								   "a kernel of %zu does not fit a padded input of %zu", extent,
								   padded);
	w->out[d] = (padded - extent) / w->stride[d] + 1;
	if (ceil_mode)
	{
		w->out[d] = (padded - extent + w->stride[d] - 1) / w->stride[d] + 1;
		/* a window must start inside the input or the padding in front */
		if ((w->out[d] - 1) * w->stride[d] >= w->in[d] + w->before[d])
			w->out[d]--;
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_window_infer(const MrenOnnxNode *node, const size_t *kernel, bool ceil_mode,
					   MrenOnnxWindow *window, MrenOnnxShape *shape, MrenError *err)
{
	int n = node->inputs[0]->shape.rank - 2;
	int skip = MREN_ONNX_SPATIAL_MAX - n;
	size_t pads[2 * MREN_ONNX_SPATIAL_MAX];
	size_t kernel_read[MREN_ONNX_SPATIAL_MAX];
	Padding padding = PADDING_EXPLICIT;

	if (n < 1 || n > MREN_ONNX_SPATIAL_MAX)
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
								   "an input of %d dimensions is not supported", n + 2);
	for (int d = 0; d < skip; d++)
	{
		window->in[d] = window->out[d] = window->kernel[d] = 1;
		window->stride[d] = window->dilation[d] = 1;
		window->before[d] = window->after[d] = 0;
	}
	MREN_TRY(read_list(node, "strides", n, 1, 1, window->stride + skip, err));
	MREN_TRY(read_list(node, "dilations", n, 1, 1, window->dilation + skip, err));
	MREN_TRY(read_list(node, "pads", 2 * n, 0, 0, pads, err));
	MREN_TRY(read_list(node, "kernel_shape", n, 1, 0, kernel_read, err));
	MREN_TRY(read_padding(node, &padding, err));
	for (int d = 0; d < n; d++)
	{
		size_t k = kernel != NULL ? kernel[d] : kernel_read[d];

		if (k == 0)
			return mren_onnx_node_fail(node, MREN_EDATA, err, "kernel_shape is missing");
		if (kernel_read[d] != 0 && kernel_read[d] != k)
			return mren_onnx_node_fail(node, MREN_EDATA, err,
									   "kernel_shape has %zu where the weights have %zu",
									   kernel_read[d], k);
		window->in[skip + d] = node->inputs[0]->shape.dims[2 + d];
		window->kernel[skip + d] = k;
		window->before[skip + d] = padding == PADDING_EXPLICIT ? pads[d] : 0;
		window->after[skip + d] = padding == PADDING_EXPLICIT ? pads[n + d] : 0;
		MREN_TRY(size_dimension(node, padding, ceil_mode, window, skip + d, err));
		shape->dims[2 + d] = window->out[skip + d];
	}
	return MREN_OK;
}

static size_t
product(const size_t *dims)
{
	return dims[0] * dims[1] * dims[2];
}

size_t
mren_onnx_window_in(const MrenOnnxWindow *window)
{
	return product(window->in);
}

size_t
mren_onnx_window_out(const MrenOnnxWindow *window)
{
	return product(window->out);
}

size_t
mren_onnx_window_taps(const MrenOnnxWindow *window)
{
	return product(window->kernel);
}

void
mren_onnx_window_at(const MrenOnnxWindow *window, size_t i, size_t *at)
{
	at[2] = i % window->out[2];
	i /= window->out[2];
	at[1] = i % window->out[1];
	at[0] = i / window->out[1];
}

void
mren_onnx_window_next(const MrenOnnxWindow *window, size_t *at)
{
	for (int d = MREN_ONNX_SPATIAL_MAX - 1; d >= 0; d--)
	{
		if (++at[d] < window->out[d])
			return;
		at[d] = 0;
	}
}

/* n / step, rounded up; steps are nearly always 1, and a division takes long. */
static size_t
steps(size_t n, size_t step)
{
	return step == 1 ? n : (n + step - 1) / step;
}

void
mren_onnx_window_range(const MrenOnnxWindow *window, int d, size_t at, size_t *first, size_t *last)
{
	size_t start = at * window->stride[d]; /* in padded coordinates */
	size_t step = window->dilation[d];
	size_t low = window->before[d];
	size_t high = low + window->in[d];

	*first = start >= low ? 0 : steps(low - start, step);
	*last = start >= high ? 0 : steps(high - start, step);
	if (*first > window->kernel[d])
		*first = window->kernel[d];
	if (*last > window->kernel[d])
		*last = window->kernel[d];
	if (*last < *first)
		*last = *first;
}
