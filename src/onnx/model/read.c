/*
 * read.c
 *	  protobuf-c over a pool, and the many forms of a TensorProto.
 */
#include "onnx/model/read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/half.h"
#include "base/path.h"
#include "base/size.h"
#include "base/utf8.h"

/* protobuf-c's allocator, which remembers why it failed. */
typedef struct Source
{
	MrenOnnxPool *pool;
	MrenError *err;
	MrenStatus status;
} Source;

static void *
source_alloc(void *state, size_t size)
{
	Source *source = state;
	void *ptr = NULL;

	if (source->status == MREN_OK)
		source->status = mren_check_interrupts(source->pool->env, source->err);
	if (source->status == MREN_OK)
		source->status = mren_onnx_pool_block(source->pool, 1, size, &ptr, source->err);
	return source->status == MREN_OK ? ptr : NULL;
}

static void
source_free(void *state, void *ptr)
{
	Source *source = state;

	mren_onnx_pool_release(source->pool, ptr);
}

/* So many characters at the beginning are hardly ever a network. */
#define TEXT 8

/* What was probably given instead. */
static MrenStatus
fail_foreign(const uint8_t *bytes, size_t len, MrenError *err)
{
	if (mren_fail_path("a network", bytes, len, err))
		return MREN_EFORMAT;
	mren_fail(err, MREN_EFORMAT, "data of %zu bytes is not an ONNX file", len);
	if (len >= TEXT && mren_ascii_printable(bytes, TEXT))
		mren_error_detail(err, "It begins with \"%s\".",
						  mren_utf8_excerpt((const char *) bytes, len).text);
	else
		mren_error_hint(err, "A file that was downloaded may be incomplete.");
	return MREN_EFORMAT;
}

static MrenStatus
unpack(MrenOnnxPool *pool, const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
	   size_t len, ProtobufCMessage **message, MrenError *err)
{
	Source source = {pool, err, MREN_OK};
	ProtobufCAllocator allocator = {source_alloc, source_free, &source};

	*message = protobuf_c_message_unpack(descriptor, &allocator, len, bytes);
	if (source.status != MREN_OK)
		return source.status;
	if (*message == NULL)
		return fail_foreign(bytes, len, err);
	return MREN_OK;
}

MrenStatus
mren_onnx_read_model(MrenOnnxPool *pool, const uint8_t *bytes, size_t len,
					 Mren__Onnx__ModelProto **model, MrenError *err)
{
	ProtobufCMessage *message;

	if (len == 0)
		return mren_fail(err, MREN_EFORMAT, "data of 0 bytes is not an ONNX file");
	MREN_TRY(unpack(pool, &mren__onnx__model_proto__descriptor, bytes, len, &message, err));
	*model = (Mren__Onnx__ModelProto *) message;
	if ((*model)->graph == NULL)
	{
		mren_fail(err, MREN_EFORMAT, "data of %zu bytes is not an ONNX file", len);
		mren_error_detail(err, "It contains no graph.");
		return MREN_EFORMAT;
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_read_name(const char *name, const char *what, MrenError *err)
{
	size_t len = strlen(name);
	size_t n;

	for (size_t at = 0; at < len; at += n)
	{
		uint32_t code;

		n = mren_utf8_decode(name + at, len - at, &code);
		if (n == 0 || code < 0x20 || code == 0x7F)
			return mren_fail(err, MREN_EFORMAT,
							 "name of %s in the ONNX file has an invalid byte 0x%02x", what,
							 (unsigned) (unsigned char) name[at]);
	}
	return MREN_OK;
}

/*
 * The forms in which elements may come.  Integers narrower than 64 bits and
 * halves travel in int32_data, 32-bit unsigned in uint64_data.
 */
typedef struct Elements
{
	const Mren__Onnx__TensorProto *proto;
	MrenOnnxType type;
	bool raw;
} Elements;

static size_t
raw_size(MrenOnnxType type)
{
	switch (type)
	{
		case MREN_ONNX_UINT8:
		case MREN_ONNX_INT8:
		case MREN_ONNX_BOOL:
			return 1;
		case MREN_ONNX_UINT16:
		case MREN_ONNX_INT16:
		case MREN_ONNX_FLOAT16:
		case MREN_ONNX_BFLOAT16:
			return 2;
		case MREN_ONNX_FLOAT:
		case MREN_ONNX_INT32:
		case MREN_ONNX_UINT32:
			return 4;
		default:
			return 8;
	}
}

static size_t
element_count(const Elements *elements)
{
	const Mren__Onnx__TensorProto *proto = elements->proto;

	if (elements->raw)
		return proto->raw_data.len / raw_size(elements->type);
	switch (elements->type)
	{
		case MREN_ONNX_FLOAT:
			return proto->n_float_data;
		case MREN_ONNX_DOUBLE:
			return proto->n_double_data;
		case MREN_ONNX_INT64:
			return proto->n_int64_data;
		case MREN_ONNX_UINT32:
		case MREN_ONNX_UINT64:
			return proto->n_uint64_data;
		default:
			return proto->n_int32_data;
	}
}

/* The i-th raw element's bits: the format is little-endian. */
static uint64_t
raw_bits(const Elements *elements, size_t i)
{
	size_t size = raw_size(elements->type);
	const uint8_t *p = elements->proto->raw_data.data + i * size;
	uint64_t bits = 0;

	for (size_t b = 0; b < size; b++)
		bits |= (uint64_t) p[b] << (8 * b);
	return bits;
}

static float
float_from_bits(MrenOnnxType type, uint64_t bits)
{
	uint32_t word = (uint32_t) bits;
	float single;
	double wide;

	switch (type)
	{
		case MREN_ONNX_FLOAT16:
			return mren_half_to_float((uint16_t) bits);
		case MREN_ONNX_BFLOAT16:
			word = (uint32_t) bits << 16;
			memcpy(&single, &word, sizeof(single));
			return single;
		case MREN_ONNX_DOUBLE:
			memcpy(&wide, &bits, sizeof(wide));
			return (float) wide;
		default:
			memcpy(&single, &word, sizeof(single));
			return single;
	}
}

static float
float_element(const Elements *elements, size_t i)
{
	const Mren__Onnx__TensorProto *proto = elements->proto;

	if (elements->raw)
		return float_from_bits(elements->type, raw_bits(elements, i));
	switch (elements->type)
	{
		case MREN_ONNX_FLOAT:
			return proto->float_data[i];
		case MREN_ONNX_DOUBLE:
			return (float) proto->double_data[i];
		default:
			return float_from_bits(elements->type, (uint16_t) proto->int32_data[i]);
	}
}

static int64_t
int_element(const Elements *elements, size_t i)
{
	const Mren__Onnx__TensorProto *proto = elements->proto;

	if (elements->raw)
		return (int64_t) raw_bits(elements, i);
	switch (elements->type)
	{
		case MREN_ONNX_INT64:
			return proto->int64_data[i];
		case MREN_ONNX_UINT32:
		case MREN_ONNX_UINT64:
			return (int64_t) proto->uint64_data[i];
		default:
			return proto->int32_data[i];
	}
}

static MrenStatus
read_shape(const Mren__Onnx__TensorProto *proto, const char *what, bool is_weights,
		   MrenOnnxTensor *tensor, MrenError *err)
{
	tensor->type = (MrenOnnxType) proto->data_type;
	if (!mren_onnx_type_is_float(tensor->type) && !mren_onnx_type_is_int(tensor->type))
		return mren_fail(err, MREN_EUNSUPPORTED, "element type %d (%s) of %s is not supported",
						 (int) proto->data_type, mren_onnx_type_name(tensor->type), what);
	if (proto->data_location == 1 && !is_weights)
	{
		mren_fail(err, MREN_EUNSUPPORTED, "%s is stored outside the ONNX file", what);
		mren_error_hint(err, "Save the network as one file, without external data.");
		return MREN_EUNSUPPORTED;
	}
	if (proto->n_dims > MREN_ONNX_MAX_RANK)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "%s has %zu dimensions, but at most %d are supported", what, proto->n_dims,
						 MREN_ONNX_MAX_RANK);
	tensor->shape.rank = (int) proto->n_dims;
	for (size_t d = 0; d < proto->n_dims; d++)
	{
		if (proto->dims[d] < 0)
			return mren_fail(err, MREN_EFORMAT, "%s has a negative dimension of %lld", what,
							 (long long) proto->dims[d]);
		tensor->shape.dims[d] = (size_t) proto->dims[d];
	}
	if (!mren_onnx_shape_size(&tensor->shape, &tensor->n) ||
		tensor->n > SIZE_MAX / sizeof(int64_t) / 2)
	{
		char text[128];

		return mren_fail(err, MREN_ELIMIT, "%s is too large: its shape is %s", what,
						 mren_onnx_shape_text(&tensor->shape, text, sizeof(text)));
	}
	return MREN_OK;
}

static MrenStatus
read_floats(MrenOnnxPool *pool, const Elements *elements, MrenOnnxTensor *tensor, MrenError *err)
{
	bool in_place = elements->type == MREN_ONNX_FLOAT && elements->raw &&
					(uintptr_t) elements->proto->raw_data.data % sizeof(float) == 0 &&
					__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	if (in_place && tensor->n > 0)
		tensor->floats = (float *) (void *) elements->proto->raw_data.data;
	else
	{
		MREN_TRY(mren_onnx_pool_block(pool, tensor->n, sizeof(float), &tensor->floats, err));
		for (size_t i = 0; i < tensor->n; i++)
			tensor->floats[i] = float_element(elements, i);
	}
	return MREN_OK;
}

/*
 * Floats that mren_onnx_set_aside has taken out: the raw data is the number of their block.  No
 * file that somebody else made is read with weights that are ready.
 */
static MrenStatus
find_floats(const MrenOnnxPool *pool, const Mren__Onnx__TensorProto *proto, MrenOnnxTensor *tensor,
			MrenError *err)
{
	MrenWeightsBlock block;
	uint32_t number;

	if (proto->raw_data.len != sizeof(number))
		return mren_fail(err, MREN_EFORMAT, "invalid file of weights: a tensor has no block");
	memcpy(&number, proto->raw_data.data, sizeof(number));
	MREN_TRY(mren_weights_block(pool->env->weights, number, &block, err));
	if (tensor->type != MREN_ONNX_FLOAT || block.len != tensor->n * sizeof(float))
		return mren_fail(err, MREN_EFORMAT, "invalid file of weights: a tensor has another size");
	tensor->floats = (float *) (uintptr_t) block.data;
	return MREN_OK;
}

/* Smaller tensors stay in the message: what depends on them is computed again. */
#define LEAST_SET_ASIDE 1024

MrenStatus
mren_onnx_set_aside(Mren__Onnx__TensorProto *proto, MrenOnnxPool *pool, MrenWeights *weights,
					MrenError *err)
{
	uint32_t number = (uint32_t) weights->n;
	size_t n = proto->has_raw_data ? proto->raw_data.len / sizeof(float) : proto->n_float_data;
	uint8_t *reference;

	if (proto->data_type != MREN_ONNX_FLOAT || proto->data_location != 0 || n < LEAST_SET_ASIDE)
		return MREN_OK;
	MREN_TRY(mren_onnx_pool_get(pool, 1, sizeof(number), &reference, err));
	memcpy(reference, &number, sizeof(number));
	MREN_TRY(mren_weights_add(
		weights, proto->has_raw_data ? (void *) proto->raw_data.data : (void *) proto->float_data,
		n * sizeof(float), err));
	proto->n_float_data = 0;
	proto->has_raw_data = true;
	proto->raw_data = (ProtobufCBinaryData){sizeof(number), reference};
	proto->has_data_location = true;
	proto->data_location = 1;
	return MREN_OK;
}

static MrenStatus
read_tensor(MrenOnnxPool *pool, const Mren__Onnx__TensorProto *proto, const char *what,
			MrenOnnxTensor *tensor, MrenError *err)
{
	Elements elements = {proto, (MrenOnnxType) proto->data_type, proto->has_raw_data};
	bool is_weights = proto->data_location == 1 && mren_weights_ready(pool->env);
	size_t got;

	memset(tensor, 0, sizeof(*tensor));
	MREN_TRY(read_shape(proto, what, is_weights, tensor, err));
	MREN_TRY(mren_check_interrupts(pool->env, err));
	if (is_weights)
		return find_floats(pool, proto, tensor, err);
	got = element_count(&elements);
	if (got != tensor->n ||
		(elements.raw && proto->raw_data.len != tensor->n * raw_size(elements.type)))
	{
		char text[128];

		return mren_fail(err, MREN_EFORMAT, "%s of shape %s has data for %zu elements", what,
						 mren_onnx_shape_text(&tensor->shape, text, sizeof(text)), got);
	}
	if (mren_onnx_type_is_float(tensor->type))
		return read_floats(pool, &elements, tensor, err);
	MREN_TRY(mren_onnx_pool_block(pool, tensor->n, sizeof(int64_t), &tensor->ints, err));
	for (size_t i = 0; i < tensor->n; i++)
	{
		int64_t value = int_element(&elements, i);

		if (tensor->type == MREN_ONNX_UINT64 && value < 0)
			return mren_fail(err, MREN_EUNSUPPORTED,
							 "%s has an element above 2^63 - 1, which is not supported", what);
		tensor->ints[i] = mren_onnx_type_wrap(tensor->type, value);
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_read_weights(MrenOnnxPool *pool, const Mren__Onnx__TensorProto *proto, const char *what,
					   MrenOnnxTensor *tensor, MrenError *err)
{
	MREN_TRY(read_tensor(pool, proto, what, tensor, err));
	if (proto->data_location == 1)
		return MREN_OK; /* checked when it was set aside; nothing of it need be read now */
	for (size_t i = 0; tensor->floats != NULL && i < tensor->n; i++)
	{
		if (isnan(tensor->floats[i]))
			return mren_fail(err, MREN_ENUMERIC, "%s is NaN at element %zu", what, i);
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_tensor_parse(const MrenEnv *env, const uint8_t *bytes, size_t len, MrenOnnxTensor *tensor,
					   MrenError *err)
{
	MrenOnnxBudget budget = {0, 0};
	MrenOnnxPool pool;
	ProtobufCMessage *message;
	MrenOnnxTensor found = {0};
	MrenStatus status;
	size_t size;
	void *copy = NULL;

	memset(tensor, 0, sizeof(*tensor));
	mren_onnx_pool_init(&pool, env, &budget);
	status = unpack(&pool, &mren__onnx__tensor_proto__descriptor, bytes, len, &message, err);
	if (status == MREN_OK)
		status = read_tensor(&pool, (Mren__Onnx__TensorProto *) message, "tensor", &found, err);
	size = found.floats != NULL ? sizeof(float) : sizeof(int64_t);
	if (status == MREN_OK)
		status = mren_allocate(env, found.n, size, &copy, err);
	if (status == MREN_OK)
	{
		*tensor = found;
		memcpy(copy, found.floats != NULL ? (void *) found.floats : (void *) found.ints,
			   found.n * size);
		tensor->floats = found.floats != NULL ? copy : NULL;
		tensor->ints = found.floats != NULL ? NULL : copy;
	}
	mren_onnx_pool_free(&pool);
	return status;
}

void
mren_onnx_tensor_free(const MrenEnv *env, MrenOnnxTensor *tensor)
{
	mren_release(env, tensor->floats);
	mren_release(env, tensor->ints);
	memset(tensor, 0, sizeof(*tensor));
}
