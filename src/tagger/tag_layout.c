/*
 * tag_layout.c
 *	  The tensors of a tagger, and the vectors and direct features of a
 *	  sentence's words.
 */
#include "tagger/tag_net.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "nn/kernels.h"
#include "transformer/config.h"

/* Parts of a word's vector after embedding and features. */
#define N_MARKS 2 /* unknown, outside the sentence */

static MrenStatus
fail_shape(MrenError *err, const char *what, size_t value)
{
	return mren_fail(err, MREN_EFORMAT, "invalid tagger: %s of %zu", what, value);
}

static bool
is_bucket_count(size_t n)
{
	return n > 0 && (n & (n - 1)) == 0 && n <= (size_t) 1 << MREN_TAG_MAX_BUCKETS_LOG;
}

static MrenStatus
check_layers(const MrenTagShape *shape, MrenError *err)
{
	MREN_TRY(
		mren_dense_check_hidden("tagger", shape->hidden, shape->n_hidden, shape->activation, err));
	for (size_t i = 0; i < MREN_MAX_HIDDEN; i++)
	{
		if (shape->window[i] > (i < shape->n_hidden ? MREN_TAG_PAD : 0))
			return fail_shape(err, "window", shape->window[i]);
	}
	return MREN_OK;
}

MrenStatus
mren_tag_shape_check(const MrenTagShape *shape, MrenError *err)
{
	if (shape->embedding_dim > MREN_MAX_DIM)
		return fail_shape(err, "word dimension", shape->embedding_dim);
	if (shape->feature_dim > MREN_TAG_MAX_FEATURE_DIM)
		return fail_shape(err, "feature dimension", shape->feature_dim);
	if (shape->feature_dim > 0 ? !is_bucket_count(shape->n_buckets) : shape->n_buckets != 0)
		return fail_shape(err, "number of buckets", shape->n_buckets);
	if (shape->n_sparse > 0 && !is_bucket_count(shape->n_sparse))
		return fail_shape(err, "number of direct buckets", shape->n_sparse);
	if (shape->n_lexicons > MREN_MAX_TAG_LEXICONS)
		return fail_shape(err, "number of lexicons", shape->n_lexicons);
	if (shape->encoder_dim > MREN_TRANSFORMER_MAX_WIDTH)
		return fail_shape(err, "encoder width", shape->encoder_dim);
	if (shape->n_types < 1 || shape->n_types > MREN_MAX_TAG_TYPES)
		return fail_shape(err, "number of types", shape->n_types);
	return check_layers(shape, err);
}

size_t
mren_tag_shape_dim(const MrenTagShape *shape)
{
	return shape->embedding_dim + shape->feature_dim + N_MARKS + MREN_TAG_SHAPES +
		   4 * shape->n_lexicons + shape->encoder_dim;
}

size_t
mren_tag_encoder_at(const MrenTagShape *shape)
{
	return mren_tag_shape_dim(shape) - shape->encoder_dim;
}

/* Within the checked ranges no product of sizes comes near the limits of size_t. */
static void
add_layers(MrenTagLayout *layout, const MrenTagShape *shape)
{
	size_t in = mren_tag_shape_dim(shape);

	for (size_t i = 0; i <= shape->n_hidden; i++)
	{
		bool last = i == shape->n_hidden;
		size_t rows = in * (last ? 1 : 2 * shape->window[i] + 1);
		size_t out = last ? mren_bilou_n_tags(shape->n_types) : shape->hidden[i];

		mren_parameters_add_layer(&layout->table, i, last, rows, out, &layout->ids.weight[i],
								  &layout->ids.bias[i]);
		in = out;
	}
}

void
mren_tag_layout_build(const MrenTagShape *shape, MrenTagLayout *layout)
{
	MrenParameterTable *table = &layout->table;
	MrenTagIds *ids = &layout->ids;
	size_t n_tags = mren_bilou_n_tags(shape->n_types);

	memset(layout, 0, sizeof(*layout));
	ids->features =
		mren_parameters_add(table, "features", shape->n_buckets, shape->feature_dim, true);
	ids->sparse = mren_parameters_add(table, "direct", shape->n_sparse, n_tags, true);
	add_layers(layout, shape);
	ids->transitions = mren_parameters_add(table, "crf.transitions", n_tags, n_tags, true);
	ids->start = mren_parameters_add(table, "crf.start", 1, n_tags, false);
	ids->end = mren_parameters_add(table, "crf.end", 1, n_tags, false);
	/* Their steps are those of tag_tables.h. */
	table->items[ids->features].rate = table->items[ids->sparse].rate = 0;
	mren_parameters_end_trained(table);
	ids->scale = mren_parameters_add_constant(table, "embeddings.scale", 1, 1);
	if (shape->encoder_dim > 0)
		ids->encoder_scale = mren_parameters_add_constant(table, "encoder.scale", 1, 1);
}

size_t
mren_tag_n_floats(const MrenTagShape *shape)
{
	MrenTagLayout layout;

	mren_tag_layout_build(shape, &layout);
	return layout.table.n_parameters + (shape->encoder_dim > 0 ? 2 : 1);
}

static void
fill_normal(const MrenParameterTable *table, float *values, size_t id, double deviation,
			MrenRandom *random)
{
	const MrenParameter *tensor = &table->items[id];

	for (size_t i = 0; i < tensor->rows * tensor->cols; i++)
		values[tensor->at + i] = (float) deviation * mren_random_normal(random);
}

void
mren_tag_init(const MrenTagShape *shape, const MrenTagLayout *layout, float *values, uint64_t seed)
{
	const MrenParameterTable *table = &layout->table;
	double gain = shape->activation == MREN_ACTIVATION_RELU ? 2 : 1;
	MrenRandom random;

	mren_random_seed(&random, seed, 1);
	memset(values, 0, table->size * sizeof(float));
	/* Large enough that the mean of a dozen vectors still has some size. */
	fill_normal(table, values, layout->ids.features, 0.5, &random);
	for (size_t i = 0; i <= shape->n_hidden; i++)
	{
		const MrenParameter *weight = &table->items[layout->ids.weight[i]];

		fill_normal(table, values, layout->ids.weight[i],
					sqrt((i < shape->n_hidden ? gain : 1) / (double) weight->rows), &random);
	}
	*mren_parameter_at(table, values, layout->ids.scale) = 1;
	if (shape->encoder_dim > 0)
		*mren_parameter_at(table, values, layout->ids.encoder_scale) = 1;
}

/*
 * What the network reads
 */

static void
add_marks(const MrenTagShape *shape, const MrenTagInput *input, size_t w, bool known, float *out)
{
	out[0] = known ? 0 : 1;
	out[N_MARKS + input->shapes[w]] = 1;
	for (size_t l = 0; l < shape->n_lexicons && input->lexicons != NULL; l++)
	{
		for (size_t bit = 0; bit < 4; bit++)
			out[N_MARKS + MREN_TAG_SHAPES + 4 * l + bit] =
				(float) (input->lexicons[w] >> (4 * l + bit) & 1);
	}
}

void
mren_tag_word_vector(const MrenTagWordTables *tables, const MrenTagInput *input, size_t w,
					 bool known, float *out)
{
	const MrenTagShape *shape = tables->shape;
	const MrenTagLayout *layout = tables->layout;
	const float *values = tables->values;
	const MrenWordVectors *vectors = tables->vectors;
	size_t dim = shape->embedding_dim;
	const MrenParameter *table = &layout->table.items[layout->ids.features];
	uint32_t first = input->starts[w];
	uint32_t n = input->starts[w + 1] - first;

	memset(out, 0, mren_tag_shape_dim(shape) * sizeof(float));
	known = known && dim > 0 && input->words[w] >= 0;
	if (known)
		mren_axpy(out, vectors->get(vectors->state, input->words[w]),
				  values[layout->table.items[layout->ids.scale].at], dim);
	for (uint32_t i = 0; i < n && shape->feature_dim > 0; i++)
	{
		size_t bucket = input->features[first + i] & (shape->n_buckets - 1);

		mren_axpy(out + dim, values + table->at + bucket * shape->feature_dim, 1.0f / sqrtf(n),
				  shape->feature_dim);
	}
	add_marks(shape, input, w, known, out + dim + shape->feature_dim);
	if (shape->encoder_dim > 0 && input->encoded != NULL)
		mren_axpy(out + mren_tag_encoder_at(shape), input->encoded + w * shape->encoder_dim,
				  values[layout->table.items[layout->ids.encoder_scale].at], shape->encoder_dim);
}

void
mren_tag_pad_vector(const MrenTagShape *shape, float *out)
{
	memset(out, 0, mren_tag_shape_dim(shape) * sizeof(float));
	out[shape->embedding_dim + shape->feature_dim + 1] = 1;
}

/* A feature of the word at that distance; a constant outside the sentence. */
static uint32_t
neighbour(const MrenTagInput *input, size_t w, int offset, size_t which)
{
	if (offset < 0 ? w < (size_t) -offset : w + (size_t) offset >= input->n_words)
		return 0;
	return input->features[input->starts[w + (size_t) offset] + which];
}

static uint32_t
mix(const MrenTagShape *shape, uint32_t template, uint32_t a, uint32_t b)
{
	const uint32_t key[3] = {template, a, b};

	return (uint32_t) mren_hash64(key, sizeof(key), 0) & (uint32_t) (shape->n_sparse - 1);
}

/* Templates 0 .. 19 are of the context: two times five words, four pairs and one across. */
#define TEMPLATE_OWN 20

size_t
mren_tag_sparse_context(const MrenTagShape *shape, const MrenTagInput *input, size_t w,
						uint32_t *buckets)
{
	size_t n = 0;
	uint32_t template = 0;

	if (shape->n_sparse == 0)
		return 0;
	/* Words and case patterns around the word, single and in pairs. */
	for (size_t which = 0; which < 2; which++)
	{
		for (int offset = -2; offset <= 2; offset++)
			buckets[n++] = mix(shape, template ++, neighbour(input, w, offset, which), 0);
		for (int offset = -2; offset < 2; offset++)
			buckets[n++] = mix(shape, template ++, neighbour(input, w, offset, which),
							   neighbour(input, w, offset + 1, which));
		buckets[n++] =
			mix(shape, template ++, neighbour(input, w, -1, which), neighbour(input, w, 1, which));
	}
	return n;
}

size_t
mren_tag_sparse_own(const MrenTagShape *shape, const MrenTagInput *input, size_t w,
					uint32_t *buckets)
{
	size_t n = 0;

	for (uint32_t i = input->starts[w] + 2; i < input->starts[w + 1] && shape->n_sparse > 0; i++)
		buckets[n++] = mix(shape, TEMPLATE_OWN, input->features[i], 0);
	return n;
}

MrenCrf
mren_tag_crf(const MrenTagLayout *layout, const MrenCrfRules *rules, const float *values)
{
	const MrenParameter *tensors = layout->table.items;

	return (MrenCrf){
		.rules = rules,
		.weights = {.transitions = values + tensors[layout->ids.transitions].at,
					.start = values + tensors[layout->ids.start].at,
					.end = values + tensors[layout->ids.end].at},
	};
}
