/*
 * net.c
 *	  Making, completing and describing a network.
 */
#include "relation/net_fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/weights.h"
#include "nn/kernels.h"

MrenStatus
mren_net_new(const MrenEnv *env, MrenNet **net, MrenError *err)
{
	MrenNet *fresh;

	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*fresh), &fresh, err));
	fresh->env = *env;
	fresh->negative = -1;
	fresh->threshold = -1;
	fresh->temperature = 1;
	fresh->scale = 1;
	mren_net_fields_init(fresh);
	*net = fresh;
	return MREN_OK;
}

/* The shape of further member i, counted from 0. */
static MrenNetShape
member_shape(const MrenNet *net, size_t i)
{
	MrenNetShape shape = net->shape;

	if (i + 1 == net->n_members - net->text_only)
		return mren_net_shape_text_only(&shape);
	shape.hash_bits = shape.linear_rows = 0;
	return shape;
}

/*
 * Creates further member i, whose tensors' names begin with its number, or with
 * "blind" if it is the text-only member.
 */
static MrenStatus
add_member(const MrenNet *net, size_t i, MrenNet **member, MrenError *err)
{
	MrenParameter *tensors;
	char prefix[16];

	MREN_TRY(mren_net_new(&net->env, member, err));
	(*member)->shape = member_shape(net, i);
	MREN_TRY(mren_net_allocate(*member, SIZE_MAX, err));
	snprintf(prefix, sizeof(prefix), "%zu", i + 2);
	if (i + 1 == net->n_members - net->text_only)
		snprintf(prefix, sizeof(prefix), "blind");
	tensors = (*member)->layout.table.items;
	for (size_t at = 0; at < (*member)->layout.table.n_trained; at++)
	{
		char name[sizeof(tensors[at].name)];

		memcpy(name, tensors[at].name, sizeof(name));
		snprintf(tensors[at].name, sizeof(tensors[at].name), "%.15s/%.23s", prefix, name);
	}
	return MREN_OK;
}

/* Floats of the trained tensors of further members and of the marker classifier. */
static size_t
further_size(const MrenNet *net)
{
	size_t alike = net->n_members - 1 - net->text_only;
	MrenNetShape shape = mren_net_shape_text_only(&net->shape);
	size_t marker = net->marker_shape.width > 0 ? mren_marker_size(&net->marker_shape) : 0;
	MrenNetLayout layout;

	mren_net_layout_build(&shape, &layout);
	return alike * net->layout.table.trained_size + net->text_only * layout.table.trained_size +
		   marker;
}

/* The sizes that a marker classifier has in common with its network, and their check. */
static MrenStatus
check_marker_shape(MrenNet *net, MrenError *err)
{
	if (net->marker_shape.width == 0)
		return MREN_OK;
	net->marker_shape.n_types = net->shape.n_types;
	net->marker_shape.n_relations = net->shape.n_relations;
	if (net->text_encoder.len != 32)
		return mren_fail(err, MREN_EFORMAT, "invalid network: it does not name its text encoder");
	return mren_marker_shape_check(&net->marker_shape, err);
}

MrenStatus
mren_net_allocate(MrenNet *net, size_t limit, MrenError *err)
{
	size_t further = net->n_members - 1;

	mren_net_layout_build(&net->shape, &net->layout);
	MREN_TRY(check_marker_shape(net, err));
	if (net->text_only > 0 && (further == 0 || !mren_net_shape_reads(&net->shape)))
		return mren_fail(err, MREN_EFORMAT, "invalid network: its only member is a text-only one");
	if (net->layout.table.size > limit || further_size(net) > limit - net->layout.table.size)
		return mren_fail(err, MREN_EFORMAT, "invalid network: it is too short for its tensors");
	MREN_TRY(mren_allocate_weights_zero(&net->env, net->layout.table.size, sizeof(float),
										&net->values, &net->filled, err));
	if (net->marker_shape.width > 0)
		MREN_TRY(mren_marker_create(&net->env, &net->marker_shape, &net->marker, err));
	if (further == 0)
		return MREN_OK;
	MREN_TRY(mren_allocate_zero(&net->env, further, sizeof(MrenNet *), &net->members, err));
	for (size_t i = 0; i < further; i++)
		MREN_TRY(add_member(net, i, &net->members[i], err));
	return MREN_OK;
}

void
mren_net_free(const MrenEnv *env, MrenNet *net)
{
	if (net == NULL)
		return;
	for (size_t i = 0; net->members != NULL && i < net->n_members - 1; i++)
		mren_net_free(env, net->members[i]);
	mren_release(env, net->members);
	mren_marker_free(env, net->marker);
	mren_release(env, net->values);
	mren_release(env, net->packed);
	mren_release(env, net->training);
	mren_linear_index_free(env, &net->linear);
	mren_release(env, net->fine_tuned_ids);
	mren_release(env, net->threshold_values);
	mren_names_free(env, &net->relations);
	mren_names_free(env, &net->types);
	mren_net_fields_free(env, net);
	mren_release(env, net);
}

size_t
mren_net_n_tensors(const MrenNet *net)
{
	size_t n = net->layout.table.n;

	for (size_t i = 0; i < net->n_members - 1; i++)
		n += net->members[i]->layout.table.n_trained;
	return n + (net->marker != NULL ? net->marker->table.n : 0);
}

MrenTensorSlot
mren_net_slot(const MrenNet *net, size_t i)
{
	MrenNet *holder = (MrenNet *) net;
	size_t here = net->layout.table.n;
	const MrenParameter *tensor;

	for (size_t next = 0; i >= here; next++)
	{
		i -= here;
		if (next == net->n_members - 1)
		{
			tensor = &net->marker->table.items[i];
			return (MrenTensorSlot){tensor, net->marker->values + tensor->at,
									(bool *) &net->marker_set[i]};
		}
		holder = net->members[next];
		here = holder->layout.table.n_trained;
	}
	tensor = &holder->layout.table.items[i];
	return (MrenTensorSlot){tensor, holder->values + tensor->at, &holder->set[i]};
}

void
mren_net_tensor(const MrenNet *net, size_t i, MrenTensorView *view)
{
	MrenTensorSlot slot = mren_net_slot(net, i);

	*view = (MrenTensorView){slot.tensor->name, slot.tensor->rows, slot.tensor->cols, slot.values};
}

MrenStatus
mren_net_set_tensor(MrenNet *net, const char *name, size_t rows, size_t cols, const float *data,
					MrenError *err)
{
	for (size_t i = 0; i < mren_net_n_tensors(net); i++)
	{
		MrenTensorSlot slot = mren_net_slot(net, i);
		const MrenParameter *tensor = slot.tensor;

		if (strcmp(tensor->name, name) != 0)
			continue;
		if (tensor->rows != rows || tensor->cols != cols)
			return mren_fail(err, MREN_EFORMAT,
							 "tensor \"%s\" is %zu by %zu, but the network needs %zu by %zu", name,
							 rows, cols, tensor->rows, tensor->cols);
		memcpy(slot.values, data, rows * cols * sizeof(float));
		*slot.set = true;
		return MREN_OK;
	}
	return mren_fail(err, MREN_EFORMAT, "the network has no tensor \"%.100s\"", name);
}

/* Whether the tensor is a divisor, which must not be too small. */
static bool
is_deviation(const MrenNet *net, size_t id)
{
	const MrenNetIds *ids = &net->layout.ids;

	return id == ids->text_std ||
		   (mren_net_shape_has_vector(&net->shape) && id == ids->image_std) ||
		   (net->shape.audio_dim > 0 && id == ids->audio_std) ||
		   (mren_net_shape_attends(&net->shape) && id == ids->grid_std) ||
		   (net->shape.boxes && id == ids->box_std);
}

static MrenStatus
check_tensor(const MrenParameter *tensor, const float *values, bool set, bool positive,
			 MrenError *err)
{
	if (!set)
		return mren_fail(err, MREN_EFORMAT, "tensor \"%s\" of the network is missing",
						 tensor->name);
	for (size_t j = 0; j < tensor->rows * tensor->cols; j++)
	{
		if (!isfinite(values[j]))
			return mren_fail(err, MREN_ENUMERIC, "element %zu of tensor \"%s\" is not finite",
							 j + 1, tensor->name);
		if (positive && values[j] < 1e-6f)
			return mren_fail(err, MREN_EFORMAT, "element %zu of tensor \"%s\" is too small", j + 1,
							 tensor->name);
	}
	return MREN_OK;
}

static MrenStatus
check_tensors(const MrenNet *net, MrenError *err)
{
	const MrenParameterTable *table = &net->layout.table;

	for (size_t i = 0; i < table->n && !net->filled; i++)
		MREN_TRY(check_tensor(&table->items[i], net->values + table->items[i].at, net->set[i],
							  is_deviation(net, i), err));
	if (net->marker == NULL || net->marker->filled)
		return MREN_OK;
	table = &net->marker->table;
	for (size_t i = 0; i < table->n; i++)
	{
		MREN_TRY(mren_check_interrupts(&net->env, err));
		MREN_TRY(check_tensor(&table->items[i], net->marker->values + table->items[i].at,
							  net->marker_set[i], false, err));
	}
	return MREN_OK;
}

static MrenStatus
index_linear(MrenNet *net, MrenError *err)
{
	mren_linear_index_free(&net->env, &net->linear);
	if (net->linear_slots.len != 4 * net->shape.linear_rows)
		return mren_fail(err, MREN_EFORMAT, "invalid network: %zu bytes of slots for %zu features",
						 net->linear_slots.len, net->shape.linear_rows);
	if (net->shape.hash_bits == 0)
		return MREN_OK;
	return mren_linear_index_create(&net->env, (unsigned) net->shape.hash_bits,
									(const uint32_t *) net->linear_slots.data,
									net->shape.linear_rows, &net->linear, err);
}

static MrenStatus
read_tuned(MrenNet *net, MrenError *err)
{
	MrenCursor cursor;

	mren_release(&net->env, net->fine_tuned_ids);
	net->fine_tuned_ids = NULL;
	if (net->fine_tuned.len != net->shape.n_fine_tuned * 4)
		return mren_fail(
			err, MREN_EFORMAT,
			"invalid network: its list of fine-tuned words does not have the length given");
	MREN_TRY(mren_allocate(&net->env, net->shape.n_fine_tuned, sizeof(int32_t),
						   &net->fine_tuned_ids, err));
	if (net->fine_tuned.len == 0)
		return MREN_OK;
	cursor = (MrenCursor){net->fine_tuned.data, net->fine_tuned.data + net->fine_tuned.len, false};
	for (size_t i = 0; i < net->shape.n_fine_tuned; i++)
	{
		net->fine_tuned_ids[i] = (int32_t) mren_cursor_u32(&cursor);
		if (net->fine_tuned_ids[i] < 0 ||
			(i > 0 && net->fine_tuned_ids[i] <= net->fine_tuned_ids[i - 1]))
			return mren_fail(err, MREN_EFORMAT,
							 "invalid network: its fine-tuned words are out of order");
	}
	return MREN_OK;
}

static MrenStatus
read_thresholds(MrenNet *net, MrenError *err)
{
	size_t k = net->shape.n_relations;
	MrenCursor cursor;

	mren_release(&net->env, net->threshold_values);
	net->threshold_values = NULL;
	if (net->thresholds.len == 0)
		return MREN_OK;
	if (net->thresholds.len != 4 * k)
		return mren_fail(err, MREN_EFORMAT,
						 "invalid network: %zu bytes of thresholds for %zu relations",
						 net->thresholds.len, k);
	MREN_TRY(mren_allocate(&net->env, k, sizeof(float), &net->threshold_values, err));
	cursor = (MrenCursor){net->thresholds.data, net->thresholds.data + net->thresholds.len, false};
	for (size_t i = 0; i < k; i++)
	{
		net->threshold_values[i] = mren_cursor_f32(&cursor);
		if (!(net->threshold_values[i] > 0 && net->threshold_values[i] <= MREN_NEVER))
			return mren_fail(err, MREN_EFORMAT,
							 "invalid network: threshold of relation %zu is out of range", i + 1);
	}
	return MREN_OK;
}

/* The tensor of that name, which the net has. */
static const MrenParameter *
tensor_named(const MrenNet *net, const char *name)
{
	size_t i = 0;

	while (strcmp(net->layout.table.items[i].name, name) != 0)
		i++;
	return &net->layout.table.items[i];
}

/* Copies what a member has in common with the first one. */
static MrenStatus
complete_member(const MrenNet *net, MrenNet *member, MrenError *err)
{
	const MrenNetLayout *layout = &member->layout;

	for (size_t i = layout->table.n_trained; i < layout->table.n && !member->filled; i++)
	{
		const MrenParameter *tensor = &layout->table.items[i];

		memcpy(member->values + tensor->at, net->values + tensor_named(net, tensor->name)->at,
			   tensor->rows * tensor->cols * sizeof(float));
		member->set[i] = true;
	}
	member->scale = net->scale;
	member->fine_tuned.len = 0;
	MREN_TRY(mren_buffer_append(&net->env, &member->fine_tuned, net->fine_tuned.data,
								net->fine_tuned.len, err));
	return mren_net_complete(member, err);
}

MrenStatus
mren_net_complete(MrenNet *net, MrenError *err)
{
	if (net->complete)
		return MREN_OK;
	MREN_TRY(read_tuned(net, err));
	MREN_TRY(read_thresholds(net, err));
	MREN_TRY(check_tensors(net, err));
	if (net->lexicons.len % 32 != 0)
		return mren_fail(err, MREN_EFORMAT, "invalid network: %zu bytes of lexicons",
						 net->lexicons.len);
	MREN_TRY(index_linear(net, err));
	MREN_TRY(mren_net_pack(net, err));
	for (size_t i = 0; i < net->n_members - 1; i++)
		MREN_TRY(complete_member(net, net->members[i], err));
	if (net->marker != NULL)
		MREN_TRY(mren_marker_complete(&net->env, net->marker, err));
	net->complete = true;
	return MREN_OK;
}

/* Bytes of the tensors, plain and packed. */
static size_t
values_memory(const MrenNet *net)
{
	size_t bytes =
		(net->layout.table.size + net->n_packed) * sizeof(float) + 8 * net->shape.n_fine_tuned;

	for (size_t i = 0; i < net->n_members - 1; i++)
		bytes += sizeof(MrenNet) + values_memory(net->members[i]);
	if (net->marker != NULL)
		bytes += sizeof(*net->marker) + net->marker->table.size * sizeof(float);
	return bytes;
}

MrenStatus
mren_net_attach_encoder(MrenNet *net, const MrenEncoderSource *source, MrenError *err)
{
	if (net->marker == NULL || !net->complete)
		return mren_fail(err, MREN_EPARAM, "the network reads no text encoder");
	return mren_marker_attach(&net->env, net->marker, source, err);
}

void
mren_net_info(const MrenNet *net, MrenNetInfo *info)
{
	memset(info, 0, sizeof(*info));
	info->n_members = net->n_members;
	info->text_only = net->text_only > 0;
	info->embedding_dim = net->shape.embedding_dim;
	info->image_dim = net->shape.image_dim;
	info->audio_dim = net->shape.audio_dim;
	if (net->audio_encoder.len == sizeof(info->audio_sha256))
		memcpy(info->audio_sha256, net->audio_encoder.data, sizeof(info->audio_sha256));
	info->features_dim = mren_net_features_dim(net);
	info->row_dim = mren_net_row_dim(net);
	info->n_relations = net->shape.n_relations;
	info->n_types = net->shape.n_types;
	info->n_parameters = net->layout.table.n_parameters;
	for (size_t i = 0; i < net->n_members - 1; i++)
		info->n_parameters += net->members[i]->layout.table.n_parameters;
	if (net->marker != NULL)
	{
		info->n_parameters += net->marker->table.n_parameters;
		info->text_encoder_sha256 = net->text_encoder.data;
		info->solid_markers = net->marker_shape.solid > 0;
	}
	info->hash_bits = net->shape.hash_bits;
	info->box_features = net->box_features > 0;
	info->memory = sizeof(*net) + values_memory(net) + net->n_training * sizeof(uint64_t) +
				   net->linear_slots.capacity + net->lexicons.capacity + net->thresholds.capacity +
				   (net->threshold_values != NULL ? net->shape.n_relations * sizeof(float) : 0) +
				   mren_linear_index_bytes(&net->linear) + net->relations.bytes.capacity +
				   net->types.bytes.capacity +
				   (net->relations.items_capacity + net->types.items_capacity) *
					   (sizeof(MrenName) + sizeof(uint32_t));
	info->n_training_rows = net->n_training;
	info->negative = net->negative;
	info->threshold = net->threshold;
	info->thresholds = net->threshold_values;
	info->temperature = net->temperature;
	info->lapse = net->lapse;
	info->has_image = net->shape.image_dim > 0;
	info->grid = net->shape.grid;
	info->boxes = net->shape.boxes != 0;
	memcpy(info->embeddings_sha256, net->embeddings_sha256, 32);
	memcpy(info->encoder_sha256, net->encoder_sha256, 32);
	info->lexicons_sha256 = net->lexicons.data;
	info->n_lexicons = net->lexicons.len / 32;
}

MrenTextSpan
mren_net_relation(const MrenNet *net, size_t i)
{
	return mren_names_get(&net->relations, i);
}

static int32_t
find_name(const MrenNames *names, const char *name, size_t len)
{
	size_t rank;

	if (len > MREN_MAX_LABEL)
		return -1;
	return mren_names_find(names, (MrenTextSpan){name, (uint32_t) len}, &rank) ? (int32_t) rank
																			   : -1;
}

int32_t
mren_net_relation_index(const MrenNet *net, const char *name, size_t len)
{
	return find_name(&net->relations, name, len);
}

int32_t
mren_net_type(const MrenNet *net, const char *name, size_t len)
{
	return find_name(&net->types, name, len);
}

bool
mren_net_trained_on(const MrenNet *net, uint64_t identity)
{
	size_t low = 0;
	size_t high = net->n_training;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;

		if (net->training[middle] < identity)
			low = middle + 1;
		else
			high = middle;
	}
	return low < net->n_training && net->training[low] == identity;
}
