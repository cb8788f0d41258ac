/*
 * net_pack.c
 *	  The layers of a network in the order in which prediction reads them.
 *
 * Where the values are those of weights.h, the packed ones are, too: the layers only point to them.
 */
#include "relation/net_internal.h"

#include <string.h>

#include "base/weights.h"
#include "data/boxes.h"
#include "nn/arena.h"
#include "nn/kernels.h"

static size_t
panels(size_t n)
{
	return (n + MREN_PANEL - 1) / MREN_PANEL * MREN_PANEL;
}

/* Floats that pack_dense takes for a layer. */
static size_t
dense_size(size_t in, size_t out)
{
	return mren_dense_packed_size(in, out) + panels(out);
}

static float *
pack_dense(MrenNet *net, MrenPackedDense *dense, size_t weight, size_t bias, float *at)
{
	const MrenParameter *w = &net->layout.table.items[weight];
	size_t size = mren_dense_packed_size(w->rows, w->cols);

	*dense = (MrenPackedDense){w->rows, w->cols, at, at + size};
	if (!net->filled)
	{
		mren_dense_pack(at, net->values + w->at, w->rows, w->cols);
		memcpy(at + size, net->values + net->layout.table.items[bias].at, w->cols * sizeof(float));
	}
	return at + dense_size(w->rows, w->cols);
}

/* Floats of the table of the distances to a mention, for width i. */
static size_t
places_size(const MrenNet *net, size_t i)
{
	size_t halves = MREN_CONV_PLACES * (mren_conv_width(i) + 1) * net->shape.filters;

	return mren_align_floats((halves + 1) / 2);
}

/* Floats that pack_conv takes for width i. */
static size_t
conv_size(const MrenNet *net, size_t i)
{
	size_t m = mren_conv_width(i) * net->shape.filters;

	return dense_size(net->shape.embedding_dim, m) + 2 * places_size(net, i);
}

/* What the words' vectors are multiplied by: column (tap, filter) of the weights of a width. */
static void
pack_conv_words(const MrenNet *net, size_t i, const float *w, float *at)
{
	size_t dim = net->shape.embedding_dim;
	size_t row_dim = mren_net_shape_row_dim(&net->shape);
	size_t filters = net->shape.filters;
	size_t width = mren_conv_width(i);
	size_t m = width * filters;

	for (size_t j = 0; j < m; j += MREN_PANEL)
	{
		for (size_t d = 0; d < dim; d++)
		{
			for (size_t c = j; c < j + MREN_PANEL; c++)
				*at++ = c < m ? w[(c % filters) * width * row_dim + c / filters * row_dim + d] : 0;
		}
	}
}

static float
dot(const float *a, const float *b, size_t n)
{
	float sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* out (filters): what a distance to the head (which = 0) or tail adds to a tap of a window. */
static void
place_part(const MrenNet *net, size_t i, size_t which, const float *w, size_t place, size_t tap,
		   float *out)
{
	const float *places =
		mren_parameter_at(&net->layout.table, net->values, net->layout.ids.places[which]);
	size_t size = net->shape.position_dim;
	size_t row_dim = mren_net_shape_row_dim(&net->shape);
	size_t from = net->shape.embedding_dim + which * size;

	w += tap * row_dim + from;
	for (size_t f = 0; f < net->shape.filters; f++)
		out[f] = dot(places + place * size, w + f * mren_conv_width(i) * row_dim, size);
}

/* The table of conv_places. */
static void
pack_conv_places(const MrenNet *net, size_t i, size_t which, const float *w, uint16_t *at)
{
	float part[MREN_MAX_FILTERS];
	float sum[MREN_MAX_FILTERS];
	size_t filters = net->shape.filters;
	size_t width = mren_conv_width(i);

	for (size_t place = 0; place < MREN_CONV_PLACES; place++)
	{
		memset(sum, 0, filters * sizeof(float));
		for (size_t tap = 0; tap < width; tap++, at += filters)
		{
			place_part(net, i, which, w, place, tap, part);
			mren_to_halves(at, part, filters);
			place_part(net, i, which, w, mren_conv_place_beside(i, place, tap), tap, part);
			mren_axpy(sum, part, 1, filters);
		}
		mren_to_halves(at, sum, filters);
		at += filters;
	}
}

/* The weights of a width have a row for each filter: tap by tap, a word's row in each. */
static float *
pack_conv(MrenNet *net, size_t i, float *at)
{
	const float *w =
		mren_parameter_at(&net->layout.table, net->values, net->layout.ids.conv_weight[i]);
	size_t dim = net->shape.embedding_dim;
	size_t m = mren_conv_width(i) * net->shape.filters;
	size_t size = mren_dense_packed_size(dim, m);
	float *end = at + conv_size(net, i);

	net->conv[i] = (MrenPackedDense){dim, m, at, at + size};
	if (!net->filled)
		pack_conv_words(net, i, w, at);
	/* The bias is the window's; net->packed is zero. */
	at += dense_size(dim, m);
	for (size_t which = 0; which < 2; which++)
	{
		net->conv_places[i][which] = (uint16_t *) at;
		if (!net->filled)
			pack_conv_places(net, i, which, w, (uint16_t *) at);
		at += places_size(net, i);
	}
	return end;
}

static float *
pack_inverse(const MrenNet *net, const float **inverse, size_t std, float *at)
{
	const MrenParameter *tensor = &net->layout.table.items[std];

	for (size_t i = 0; i < tensor->cols && !net->filled; i++)
		at[i] = 1.0f / net->values[tensor->at + i];
	*inverse = at;
	return at + panels(tensor->cols);
}

static size_t
vector_branch_size(const MrenNet *net, MrenVectorKind kind)
{
	MrenVectorBranch branch = mren_net_vector_branch(&net->shape, &net->layout, kind);
	size_t size = panels(branch.dim) + dense_size(branch.dim, branch.units);

	if (branch.dim == 0)
		return 0;
	if (branch.product > 0)
		size += dense_size(branch.factor_in, branch.product) +
				dense_size(mren_net_shape_text_dim(&net->shape), branch.product);
	return size;
}

static float *
pack_vector_branch(MrenNet *net, MrenVectorKind kind, float *at)
{
	MrenVectorBranch branch = mren_net_vector_branch(&net->shape, &net->layout, kind);
	MrenNetVector *vector = &net->vectors[kind];

	if (branch.dim == 0)
		return at;
	at = pack_inverse(net, &vector->inverse, branch.std, at);
	at = pack_dense(net, &vector->units, branch.weight, branch.bias, at);
	if (branch.product == 0)
		return at;
	at = pack_dense(net, &vector->text, branch.text_weight, branch.text_bias, at);
	return pack_dense(net, &vector->factor, branch.factor_weight, branch.factor_bias, at);
}

/* Floats of the layers of grid attention and boxes. */
static size_t
grid_branch_size(const MrenNet *net)
{
	size_t text_dim = mren_net_shape_text_dim(&net->shape);
	size_t channels = net->shape.grid.channels;
	size_t size = net->shape.boxes ? panels(MREN_BOX_GEOMETRY) : 0;

	if (!mren_net_shape_attends(&net->shape))
		return size;
	size +=
		panels(channels) + dense_size(text_dim, channels) + dense_size(channels, MREN_IMAGE_UNITS);
	if (net->shape.product > 0)
		size += dense_size(text_dim, net->shape.product) + dense_size(channels, net->shape.product);
	return size + (net->shape.boxes ? dense_size(channels, MREN_REGION_UNITS) : 0);
}

static float *
pack_grid_branch(MrenNet *net, float *at)
{
	const MrenNetIds *ids = &net->layout.ids;

	if (net->shape.boxes)
		at = pack_inverse(net, &net->box_inverse, ids->box_std, at);
	if (!mren_net_shape_attends(&net->shape))
		return at;
	at = pack_inverse(net, &net->grid_inverse, ids->grid_std, at);
	at = pack_dense(net, &net->query, ids->query_weight, ids->query_bias, at);
	at = pack_dense(net, &net->attended, ids->attended_weight, ids->attended_bias, at);
	if (net->shape.product > 0)
	{
		at = pack_dense(net, &net->factor_text, ids->factor_text_weight, ids->factor_text_bias, at);
		at = pack_dense(net, &net->factor_attended, ids->factor_attended_weight,
						ids->factor_attended_bias, at);
	}
	if (net->shape.boxes)
		at = pack_dense(net, &net->region, ids->region_weight, ids->region_bias, at);
	return at;
}

/* Floats of the first layer: the parts of the text, their start, zeros, the rest. */
static size_t
first_layer_size(const MrenNet *net)
{
	const MrenParameter *w = &net->layout.table.items[net->layout.ids.weight[0]];
	size_t parts = mren_net_shape_n_parts(&net->shape);

	return parts * mren_dense_packed_size(net->shape.embedding_dim, w->cols) + 2 * panels(w->cols) +
		   mren_dense_packed_size(w->rows - mren_net_part_columns(&net->shape), w->cols);
}

/* start (m) = bias - the means of the parts' columns times their weights, which are scaled. */
static void
pack_text_start(const MrenNet *net, const float *w, float *start)
{
	const MrenNetIds *ids = &net->layout.ids;
	const float *mean = mren_parameter_at(&net->layout.table, net->values, ids->text_mean);
	const float *bias = mren_parameter_at(&net->layout.table, net->values, ids->bias[0]);
	size_t m = net->layers[0].out;

	memcpy(start, bias, m * sizeof(float));
	for (size_t i = 0; i < mren_net_part_columns(&net->shape); i++)
		mren_axpy(start, w + i * m, -mean[i] * net->text_inverse[i], m);
}

/* w (embedding_dim, m): the weights of a part; inverse (embedding_dim): what scales its columns. */
static void
pack_text_part(const MrenNet *net, const float *w, const float *inverse, float *scaled, float *at)
{
	size_t dim = net->shape.embedding_dim;
	size_t m = net->layers[0].out;

	for (size_t i = 0; i < dim * m; i++)
		scaled[i] = w[i] * inverse[i / m];
	mren_dense_pack(at, scaled, dim, m);
}

static MrenStatus
pack_text_parts(const MrenNet *net, const float *w, float *at, MrenError *err)
{
	size_t size = net->shape.embedding_dim * net->layers[0].out;
	float *scaled;

	MREN_TRY(mren_allocate(&net->env, size, sizeof(float), &scaled, err));
	for (size_t p = 0; p < mren_net_shape_n_parts(&net->shape); p++)
		pack_text_part(net, w + p * size, net->text_inverse + p * net->shape.embedding_dim, scaled,
					   at + p * net->text_part_size);
	mren_release(&net->env, scaled);
	return MREN_OK;
}

static MrenStatus
pack_first_layer(MrenNet *net, float **packed, MrenError *err)
{
	const MrenParameter *tensor = &net->layout.table.items[net->layout.ids.weight[0]];
	const float *w = net->values + tensor->at;
	size_t columns = mren_net_part_columns(&net->shape);
	size_t rest = tensor->rows - columns;
	size_t m = tensor->cols;
	float *parts = *packed;
	float *start;

	net->text_part_size = mren_dense_packed_size(net->shape.embedding_dim, m);
	net->text_parts = parts;
	start = parts + mren_net_shape_n_parts(&net->shape) * net->text_part_size;
	net->text_start = start;
	net->text_bias = start + panels(m);
	*packed = start + 2 * panels(m);
	net->layers[0] = (MrenPackedDense){rest, m, *packed, net->text_bias};
	if (!net->filled)
	{
		MREN_TRY(pack_text_parts(net, w, parts, err));
		pack_text_start(net, w, start);
		mren_dense_pack(*packed, w + columns * m, rest, m);
	}
	*packed += mren_dense_packed_size(rest, m);
	return MREN_OK;
}

static size_t
packed_size(const MrenNet *net)
{
	const MrenNetLayout *layout = &net->layout;
	const MrenParameter *tensors = layout->table.items;
	size_t size = panels(tensors[layout->ids.text_std].cols);

	for (int kind = 0; kind < MREN_N_VECTORS; kind++)
		size += vector_branch_size(net, (MrenVectorKind) kind);
	size += grid_branch_size(net);
	for (size_t i = 0; net->shape.filters > 0 && i < MREN_CONV_WIDTHS; i++)
		size += conv_size(net, i);
	size += first_layer_size(net);
	for (size_t i = 1; i <= net->shape.n_hidden; i++)
		size +=
			dense_size(tensors[layout->ids.weight[i]].rows, tensors[layout->ids.weight[i]].cols);
	return size;
}

static MrenStatus
pack_all(MrenNet *net, MrenError *err)
{
	const MrenNetIds *ids = &net->layout.ids;
	float *at = net->packed;

	at = pack_inverse(net, &net->text_inverse, ids->text_std, at);
	for (int kind = 0; kind < MREN_N_VECTORS; kind++)
		at = pack_vector_branch(net, (MrenVectorKind) kind, at);
	at = pack_grid_branch(net, at);
	for (size_t i = 0; net->shape.filters > 0 && i < MREN_CONV_WIDTHS; i++)
		at = pack_conv(net, i, at);
	MREN_TRY(pack_first_layer(net, &at, err));
	for (size_t i = 1; i <= net->shape.n_hidden; i++)
	{
		MREN_TRY(mren_check_interrupts(&net->env, err));
		at = pack_dense(net, &net->layers[i], ids->weight[i], ids->bias[i], at);
	}
	return MREN_OK;
}

MrenStatus
mren_net_pack(MrenNet *net, MrenError *err)
{
	bool filled;

	net->n_packed = packed_size(net);
	mren_release(&net->env, net->packed);
	net->packed = NULL;
	MREN_TRY(mren_allocate_weights_zero(&net->env, net->n_packed, sizeof(float), &net->packed,
										&filled, err));
	return pack_all(net, err);
}
