/*
 * tensor.c
 *	  Element types and shapes.
 */
#include "onnx/model/tensor.h"

#include <stdio.h>
#include <string.h>

#include "base/size.h"

bool
mren_onnx_type_is_float(MrenOnnxType type)
{
	return type == MREN_ONNX_FLOAT || type == MREN_ONNX_FLOAT16 || type == MREN_ONNX_DOUBLE ||
		   type == MREN_ONNX_BFLOAT16;
}

bool
mren_onnx_type_is_int(MrenOnnxType type)
{
	return (type >= MREN_ONNX_UINT8 && type <= MREN_ONNX_INT64) || type == MREN_ONNX_BOOL ||
		   type == MREN_ONNX_UINT32 || type == MREN_ONNX_UINT64;
}

const char *
mren_onnx_type_name(MrenOnnxType type)
{
	static const char *const names[] = {"undefined",  "float",	 "uint8",  "int8",	 "uint16",
										"int16",	  "int32",	 "int64",  "string", "bool",
										"float16",	  "double",	 "uint32", "uint64", "complex64",
										"complex128", "bfloat16"};

	return (unsigned) type < sizeof(names) / sizeof(names[0]) ? names[type] : "unknown";
}

size_t
mren_onnx_type_size(MrenOnnxType type)
{
	return mren_onnx_type_is_float(type) ? sizeof(float) : sizeof(int64_t);
}

int64_t
mren_onnx_type_wrap(MrenOnnxType type, int64_t value)
{
	switch (type)
	{
		case MREN_ONNX_UINT8:
			return (uint8_t) value;
		case MREN_ONNX_INT8:
			return (int8_t) value;
		case MREN_ONNX_UINT16:
			return (uint16_t) value;
		case MREN_ONNX_INT16:
			return (int16_t) value;
		case MREN_ONNX_INT32:
			return (int32_t) value;
		case MREN_ONNX_UINT32:
			return (uint32_t) value;
		case MREN_ONNX_BOOL:
			return value != 0;
		default:
			return value;
	}
}

bool
mren_onnx_shape_size(const MrenOnnxShape *shape, size_t *n)
{
	size_t size = 1;
	bool zero = false;

	/* A zero anywhere makes the tensor empty, but must not hide an overflow. */
	for (int d = 0; d < shape->rank; d++)
	{
		if (shape->dims[d] == 0)
			zero = true;
		else if (!mren_size_mul(size, shape->dims[d], &size))
			return false;
	}
	*n = zero ? 0 : size;
	return true;
}

bool
mren_onnx_shape_equal(const MrenOnnxShape *a, const MrenOnnxShape *b)
{
	return a->rank == b->rank &&
		   memcmp(a->dims, b->dims, (size_t) a->rank * sizeof(a->dims[0])) == 0;
}

const char *
mren_onnx_shape_text(const MrenOnnxShape *shape, char *text, size_t size)
{
	size_t len = 1;

	snprintf(text, size, "(");
	for (int d = 0; d < shape->rank && len + 1 < size; d++)
	{
		snprintf(text + len, size - len, "%s%zu", d > 0 ? "," : "", shape->dims[d]);
		len += strlen(text + len);
	}
	if (len + 1 < size)
		snprintf(text + len, size - len, ")");
	return text;
}
