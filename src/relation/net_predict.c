/*
 * net_predict.c
 *	  Prediction: from inputs to fused vectors to probabilities, some rows at a
 *	  time.
 *
 * Every step processes a row on its own and by the same code in every batch, so
 * that its bits do not depend on other rows.
 */
#include "relation/net_internal.h"

#include <math.h>
#include <string.h>

#include "nn/arena.h"
#include "nn/kernels.h"
#include "relation/batch.h"
#include "relation/text_pool.h"

static size_t
widest_layer(const MrenNet *net)
{
	size_t widest = net->shape.n_relations;

	for (size_t i = 0; i < net->shape.n_hidden; i++)
		widest = net->shape.hidden[i] > widest ? net->shape.hidden[i] : widest;
	return widest;
}

/* Whether the logits are a sum over members, or of a member and a marker classifier. */
static bool
sums_logits(const MrenNet *net)
{
	return net->n_members > 1 || net->marker != NULL;
}

static size_t
vector_scratch(const MrenNet *net, MrenVectorKind kind, size_t rows)
{
	MrenVectorBranch branch = mren_net_vector_branch(&net->shape, &net->layout, kind);

	return mren_align_floats(rows * branch.dim) + mren_align_floats(rows * branch.units) +
		   2 * mren_align_floats(rows * branch.product);
}

/* Of the pooled and the convolved part of a row, and of its text sums. */
static size_t
text_scratch(const MrenNet *net)
{
	size_t features = mren_align_floats(mren_net_shape_n_parts(&net->shape) * MREN_MAX_SHAPES) +
					  mren_net_convolve_scratch(net);
	size_t sums = mren_net_text_scratch(net);

	return mren_align_floats(features > sums ? features : sums);
}

size_t
mren_net_scratch(const MrenNet *net, size_t batch)
{
	size_t rows = batch < MREN_INFER_ROWS ? batch : MREN_INFER_ROWS;
	size_t features = text_scratch(net);
	size_t layers = 2 * mren_align_floats(rows * widest_layer(net));

	features += mren_net_grid_scratch(net);
	features += vector_scratch(net, MREN_VECTOR_IMAGE, rows);
	features += vector_scratch(net, MREN_VECTOR_AUDIO, rows);
	features = features > layers ? features : layers;
	return features + (sums_logits(net) ? rows * net->shape.n_relations : 0);
}

/* Whether anything but the first layer reads the pooled columns. */
static bool
reads_pooled(const MrenNet *net)
{
	return mren_net_shape_attends(&net->shape) || net->shape.product > 0 ||
		   net->shape.audio_product > 0;
}

/*
 * The pooled columns (pool_dim) of a row; without those of the parts, which text sums stand for, if
 * nobody reads them.
 */
static void
pooled_features(const MrenNet *net, const MrenWordVectors *vectors, const MrenInput *input,
				float *out, float *unknown)
{
	const MrenNetIds *ids = &net->layout.ids;
	const float *mean = mren_parameter_at(&net->layout.table, net->values, ids->text_mean);
	const MrenTextInput text = {input->sentence, input->head_type, input->tail_type};
	bool parts = input->all_features || reads_pooled(net);
	size_t first = parts ? 0 : mren_net_part_columns(&net->shape);

	if (!parts)
		mren_text_counts(&net->shape, &text, out + first);
	else if (mren_text_pool(&net->shape, vectors, net->scale, &text, out, unknown))
		mren_text_add_unknown(&net->shape,
							  mren_parameter_at(&net->layout.table, net->values, ids->shapes),
							  unknown, out);
	mren_standardize(out + first, out + first, mean + first, net->text_inverse + first,
					 mren_net_shape_pool_dim(&net->shape) - first);
}

static void
text_features(const MrenNet *net, const MrenWordVectors *vectors, const MrenInput *input,
			  const MrenWordParts *words, float *out, float *scratch)
{
	float *rest =
		scratch + mren_align_floats(mren_net_shape_n_parts(&net->shape) * MREN_MAX_SHAPES);

	pooled_features(net, vectors, input, out, scratch);
	if (net->shape.filters > 0)
		mren_net_convolve(net, vectors, input->sentence, &words->conv,
						  out + mren_net_shape_pool_dim(&net->shape), rest);
}

static MrenStatus
check_vector(const float *vector, size_t dim, const char *what, MrenError *err)
{
	if (vector == NULL)
		return MREN_OK;
	if (dim == 0)
		return mren_fail(err, MREN_EPARAM, "the model was trained without %s",
						 strcmp(what, "image") == 0 ? "images" : "recordings");
	for (size_t i = 0; i < dim; i++)
	{
		if (!isfinite(vector[i]))
			return mren_fail(err, MREN_ENUMERIC, "element %zu of an %s vector is not finite", i + 1,
							 what);
	}
	return MREN_OK;
}

/* tanh(text) * tanh(vector) of one row; both projections are given before the tanh. */
static void
product_features(float *out, float *text, float *image, size_t n)
{
	mren_tanh(text, n);
	mren_tanh(image, n);
	mren_multiply(out, text, image, n);
}

/* Fused vectors, dim floats apart. */
typedef struct FeatureRows
{
	float *first;
	size_t dim;
} FeatureRows;

/* The vector of a row that a branch reads; NULL: it has none. */
static const float *
vector_of(const MrenInput *input, MrenVectorKind kind)
{
	return kind == MREN_VECTOR_IMAGE ? input->image : input->audio;
}

/*
 * Writes what rows have without a vector, and gathers the vectors of those that
 * have one; `with` gets their numbers.  Returns how many there are.
 */
static size_t
gather_vectors(const MrenNet *net, MrenVectorKind kind, const MrenInput *inputs, size_t n,
			   FeatureRows features, float *vectors, size_t *with)
{
	MrenVectorBranch branch = mren_net_vector_branch(&net->shape, &net->layout, kind);
	const float *absent = mren_parameter_at(&net->layout.table, net->values, branch.absent);
	const float *mean = mren_parameter_at(&net->layout.table, net->values, branch.mean);
	size_t n_with = 0;

	for (size_t i = 0; i < n; i++)
	{
		float *out = features.first + i * features.dim + branch.at;
		float *vector = vectors + n_with * branch.dim;

		memcpy(out, absent, branch.units * sizeof(float));
		memset(out + branch.units, 0, (1 + branch.product) * sizeof(float));
		if (vector_of(&inputs[i], kind) == NULL)
			continue;
		memcpy(vector, vector_of(&inputs[i], kind), branch.dim * sizeof(float));
		mren_net_vector_root(&branch, vector);
		mren_standardize(vector, vector, mean, net->vectors[kind].inverse, branch.dim);
		with[n_with++] = i;
	}
	return n_with;
}

/*
 * Writes the columns of a branch that reads a vector for up to MREN_INFER_ROWS rows.
 * Only rows with a vector run through its layers.
 */
static void
vector_features(const MrenNet *net, MrenVectorKind kind, const MrenInput *inputs, size_t n,
				float *features, size_t dim, float *scratch)
{
	MrenVectorBranch branch = mren_net_vector_branch(&net->shape, &net->layout, kind);
	const MrenNetVector *layers = &net->vectors[kind];
	size_t product = branch.product;
	float *vectors = scratch;
	float *units = vectors + mren_align_floats(n * branch.dim);
	float *factors = units + mren_align_floats(n * branch.units);
	float *text_factors = factors + mren_align_floats(n * product);
	size_t with[MREN_INFER_ROWS];
	size_t n_with;

	if (branch.dim == 0)
		return;
	n_with = gather_vectors(net, kind, inputs, n, (FeatureRows){features, dim}, vectors, with);
	mren_dense_infer(&layers->units, vectors, branch.dim, n_with, units, branch.units);
	mren_activate(net->shape.activation, units, n_with * branch.units);
	if (product > 0 && n_with > 0)
	{
		mren_dense_infer(&layers->factor, branch.shared ? units : vectors, branch.factor_in, n_with,
						 factors, product);
		mren_dense_infer(&layers->text, features, dim, n, text_factors, product);
	}
	for (size_t i = 0; i < n_with; i++)
	{
		float *out = features + with[i] * dim + branch.at;

		memcpy(out, units + i * branch.units, branch.units * sizeof(float));
		out[branch.units] = 1;
		product_features(out + branch.units + 1, text_factors + with[i] * product,
						 factors + i * product, product);
	}
}

/* The scores of the linear branch, after the fused vector, some features at a time. */
static void
linear_scores(const MrenNet *net, const MrenInput *input, float *features)
{
	const MrenNetShape *shape = &net->shape;
	float *scores = features + mren_net_shape_features_dim(shape);
	uint32_t rows[256];

	if (shape->hash_bits == 0)
		return;
	memset(scores, 0, shape->n_relations * sizeof(float));
	for (size_t i = 0; i < input->n_features && shape->linear_rows > 0; i += 256)
	{
		size_t n = input->n_features - i < 256 ? input->n_features - i : 256;

		n = mren_linear_rows(&net->linear, input->features + i, n, rows);
		mren_linear_add(net->values + net->layout.table.items[net->layout.ids.linear].at,
						shape->n_relations, rows, n, scores);
	}
}

/* What the members read. */
typedef struct Rows
{
	const MrenWordVectors *vectors;
	const MrenInput *inputs; /* (n) */
	size_t n;
	const MrenWordParts *words; /* (n_members) kept of the sentence, or NULL */
	float *features;			/* (n, dim) */
	size_t dim;
} Rows;

/*
 * Where the fused vector of further member i begins in a row: only that of the
 * last member may be shorter.
 */
static size_t
member_at(const MrenNet *net, size_t i)
{
	return mren_net_shape_scored_dim(&net->shape) + i * mren_net_shape_features_dim(&net->shape);
}

/* Where the text sums of member `number` begin in a row. */
static size_t
sums_at(const MrenNet *net, size_t number)
{
	return mren_net_features_dim(net) + number * net->layers[0].out;
}

/* Writes the fused vectors and the text sums of the rows in member `number`, which is `member`. */
static void
member_features(const MrenNet *net, size_t number, const MrenNet *member, const Rows *read,
				float *scratch)
{
	const MrenWordParts none = {0};
	const MrenWordParts *words = read->words != NULL ? read->words + number : &none;
	const MrenInput *inputs = read->inputs;
	size_t n = read->n;
	size_t dim = read->dim;
	float *features = read->features + (number == 0 ? 0 : member_at(net, number - 1));
	float *sums = read->features + sums_at(net, number);
	float *rest = scratch + text_scratch(member);

	for (size_t i = 0; i < n; i++)
	{
		text_features(member, read->vectors, &inputs[i], words, features + i * dim, scratch);
		mren_net_text_sums(member, read->vectors, inputs[i].sentence, &words->text, sums + i * dim,
						   scratch);
		linear_scores(member, &inputs[i], features + i * dim);
		mren_net_grid_features(member, &inputs[i], features + i * dim, rest);
	}
	for (size_t i = 0; i < n && mren_net_shape_reads(&member->shape); i += MREN_INFER_ROWS)
	{
		size_t rows = n - i < MREN_INFER_ROWS ? n - i : MREN_INFER_ROWS;

		for (int kind = 0; kind < MREN_N_VECTORS; kind++)
			vector_features(member, (MrenVectorKind) kind, inputs + i, rows, features + i * dim,
							dim, rest);
	}
}

/* Where the markers' vector begins in a row. */
static size_t
marker_at(const MrenNet *net)
{
	return mren_net_features_dim(net) - mren_marker_dim(&net->marker_shape);
}

static MrenMarkerRow
marker_row(const MrenInput *input)
{
	return (MrenMarkerRow){input->tokens, {input->head_type, input->tail_type}};
}

/* The markers' vectors of n rows, after the fused vectors of all members. */
static MrenStatus
marker_features(const MrenNet *net, const MrenInput *inputs, size_t n, float *features,
				MrenError *err)
{
	size_t dim = mren_net_row_dim(net);
	MrenMarkerRow rows[MREN_INFER_ROWS];

	if (n == 1 && inputs[0].queue != NULL)
	{
		rows[0] = marker_row(&inputs[0]);
		return mren_marker_queue_add(inputs[0].queue, &net->env, net->marker, rows,
									 features + marker_at(net), err);
	}
	for (size_t i = 0; i < n; i += MREN_INFER_ROWS)
	{
		size_t some = n - i < MREN_INFER_ROWS ? n - i : MREN_INFER_ROWS;

		for (size_t j = 0; j < some; j++)
			rows[j] = marker_row(&inputs[i + j]);
		MREN_TRY(mren_marker_vectors(&net->env, net->marker, rows, some,
									 features + i * dim + marker_at(net), dim, err));
	}
	return MREN_OK;
}

MrenStatus
mren_net_features(const MrenNet *net, const MrenWordVectors *vectors, const MrenInput *inputs,
				  size_t n, float *features, float *scratch, MrenError *err)
{
	Rows rows = {vectors, inputs, n, NULL, features, mren_net_row_dim(net)};

	if (n == 1 && inputs[0].cache != NULL)
		MREN_TRY(mren_net_cache_open(inputs[0].cache, net, vectors, inputs[0].sentence, &rows.words,
									 err));
	for (size_t i = 0; i < n; i++)
	{
		MREN_TRY(check_vector(inputs[i].image, net->shape.image_dim, "image", err));
		MREN_TRY(check_vector(inputs[i].audio, net->shape.audio_dim, "audio", err));
	}
	member_features(net, 0, net, &rows, scratch);
	for (size_t i = 0; i < net->n_members - 1; i++)
		member_features(net, i + 1, net->members[i], &rows, scratch);
	return net->marker != NULL ? marker_features(net, inputs, n, features, err) : MREN_OK;
}

MrenStatus
mren_net_features_end(const MrenNet *net, MrenMarkerQueue *queue, MrenError *err)
{
	return net->marker != NULL ? mren_marker_queue_run(queue, &net->env, net->marker, err)
							   : MREN_OK;
}

static void
add_wide(const MrenNet *net, const float *features, size_t dim, size_t n, float *logits)
{
	const MrenNetShape *shape = &net->shape;
	size_t k = shape->n_relations;

	if (shape->linear_rows == 0)
		return;
	for (size_t i = 0; i < n; i++)
		mren_axpy(logits + i * k, features + i * dim + mren_net_shape_features_dim(shape), 1, k);
}

/* A member as it reads rows, dim floats apart: its fused vectors and its text sums. */
typedef struct MemberRows
{
	const MrenNet *net;
	const float *features;
	const float *sums;
	size_t dim;
	size_t n;
} MemberRows;

/* The first hidden layer of a member, before its activation; out (n, layers[0].out). */
static void
run_first(const MemberRows *rows, float *out)
{
	const MrenPackedDense *layer = &rows->net->layers[0];

	mren_dense_infer(layer, rows->features + mren_net_part_columns(&rows->net->shape), rows->dim,
					 rows->n, out, layer->out);
	for (size_t i = 0; i < rows->n; i++)
		mren_axpy(out + i * layer->out, rows->sums + i * rows->dim, 1, layer->out);
}

/* One chunk of rows through a member's hidden layers and output. */
static void
run_layers(const MemberRows *rows, float *logits, float *scratch)
{
	const MrenNet *net = rows->net;
	size_t n = rows->n;
	size_t half = mren_align_floats(n * widest_layer(net));
	size_t width = net->layers[0].out;
	const float *in = scratch;

	run_first(rows, scratch);
	mren_activate(net->shape.activation, scratch, n * width);
	for (size_t i = 1; i < net->shape.n_hidden; i++)
	{
		float *out = scratch + (i % 2) * half;

		mren_dense_infer(&net->layers[i], in, width, n, out, net->layers[i].out);
		width = net->layers[i].out;
		mren_activate(net->shape.activation, out, n * width);
		in = out;
	}
	mren_dense_infer(&net->layers[net->shape.n_hidden], in, width, n, logits,
					 net->shape.n_relations);
	add_wide(net, rows->features, rows->dim, n, logits);
}

/* One chunk through all members. */
static void
run_members(const MrenNet *net, const float *features, size_t n, float *logits, float *scratch)
{
	size_t dim = mren_net_row_dim(net);
	size_t k = net->shape.n_relations;
	MemberRows rows = {net, features, features + sums_at(net, 0), dim, n};
	float *rest = scratch + n * k;

	if (!sums_logits(net))
	{
		run_layers(&rows, logits, scratch);
		return;
	}
	run_layers(&rows, logits, rest);
	for (size_t i = 0; i < net->n_members - 1; i++)
	{
		rows.net = net->members[i];
		rows.features = features + member_at(net, i);
		rows.sums = features + sums_at(net, i + 1);
		run_layers(&rows, scratch, rest);
		mren_axpy(logits, scratch, 1, n * k);
	}
	if (net->marker == NULL)
		return;
	mren_marker_scores(net->marker, features + marker_at(net), dim, n, scratch);
	mren_axpy(logits, scratch, 1, n * k);
}

/* logits (n, n_relations), before the temperature. */
static MrenStatus
find_logits(const MrenNet *net, const float *features, size_t n, float *logits, float *scratch,
			MrenError *err)
{
	size_t dim = mren_net_row_dim(net);
	size_t k = net->shape.n_relations;

	for (size_t i = 0; i < n; i += MREN_INFER_ROWS)
	{
		size_t rows = n - i < MREN_INFER_ROWS ? n - i : MREN_INFER_ROWS;

		run_members(net, features + i * dim, rows, logits + i * k, scratch);
	}
	for (size_t i = 0; i < n * k; i++)
	{
		if (!isfinite(logits[i]))
			return mren_fail(err, MREN_ENUMERIC, "the network's output is not finite");
	}
	return MREN_OK;
}

static void
softmax(float *row, size_t k, double temperature, double lapse)
{
	float top = row[0];
	double sum = 0;

	for (size_t j = 1; j < k; j++)
		top = row[j] > top ? row[j] : top;
	for (size_t j = 0; j < k; j++)
		sum += exp(((double) row[j] - (double) top) / temperature);
	for (size_t j = 0; j < k; j++)
		row[j] =
			(float) ((1 - lapse) * (exp(((double) row[j] - (double) top) / temperature) / sum) +
					 lapse / (double) k);
}

MrenStatus
mren_net_probabilities(const MrenNet *net, const float *features, size_t n, float *probabilities,
					   float *scratch, MrenError *err)
{
	size_t k = net->shape.n_relations;

	MREN_TRY(find_logits(net, features, n, probabilities, scratch, err));
	for (size_t i = 0; i < n; i++)
		softmax(probabilities + i * k, k, net->temperature, net->lapse);
	return MREN_OK;
}

size_t
mren_net_best(const float *probabilities, size_t n_relations)
{
	size_t best = 0;

	for (size_t j = 1; j < n_relations; j++)
	{
		if (probabilities[j] > probabilities[best])
			best = j;
	}
	return best;
}

/* The most likely of the relations that are predicted; -1 if none is. */
static int32_t
best_predicted(const MrenNetInfo *info, const float *probabilities)
{
	int32_t best = -1;

	for (size_t i = 0; i < info->n_relations; i++)
	{
		if (mren_net_predicts(info, i, (double) probabilities[i]) &&
			(best < 0 || probabilities[i] > probabilities[best]))
			best = (int32_t) i;
	}
	return best >= 0 ? best : info->negative;
}

MrenNetAnswer
mren_net_answer(const MrenNetInfo *info, const float *probabilities)
{
	int32_t best = (int32_t) mren_net_best(probabilities, info->n_relations);
	int32_t relation = info->thresholds == NULL ? best : best_predicted(info, probabilities);
	int32_t strongest = relation >= 0 ? relation : best;

	if (relation >= 0 && (double) probabilities[strongest] < info->threshold)
		relation = -1;
	return (MrenNetAnswer){relation, strongest, probabilities[strongest]};
}

size_t
mren_net_predicted(const MrenNetInfo *info, const float *probabilities, int32_t *predicted)
{
	MrenNetAnswer answer = mren_net_answer(info, probabilities);
	size_t n = 0;

	if (answer.relation < 0)
		return 0;
	if (info->thresholds == NULL || answer.relation == info->negative)
	{
		predicted[0] = answer.relation;
		return 1;
	}
	for (size_t i = 0; i < info->n_relations; i++)
	{
		if (mren_net_predicts(info, i, (double) probabilities[i]) &&
			(double) probabilities[i] >= info->threshold)
			predicted[n++] = (int32_t) i;
	}
	return n;
}
