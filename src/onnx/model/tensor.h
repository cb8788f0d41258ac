/*
 * tensor.h
 *	  A tensor in memory, and reading one from ONNX's TensorProto.
 *
 * All floating-point types of the format are held as float, all integer types
 * and bool as int64: networks over images compute in float, and integers
 * occur only where shapes are worked out.  `type` keeps what the file said,
 * so that integer results wrap as their type does.  uint64 beyond 2^63 - 1 is
 * refused.
 */
#ifndef MREN_ONNX_MODEL_TENSOR_H
#define MREN_ONNX_MODEL_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/status.h"

#define MREN_ONNX_MAX_RANK 8

/* The numbers are TensorProto.DataType's. */
typedef enum MrenOnnxType
{
	MREN_ONNX_UNDEFINED = 0,
	MREN_ONNX_FLOAT = 1,
	MREN_ONNX_UINT8 = 2,
	MREN_ONNX_INT8 = 3,
	MREN_ONNX_UINT16 = 4,
	MREN_ONNX_INT16 = 5,
	MREN_ONNX_INT32 = 6,
	MREN_ONNX_INT64 = 7,
	MREN_ONNX_STRING = 8,
	MREN_ONNX_BOOL = 9,
	MREN_ONNX_FLOAT16 = 10,
	MREN_ONNX_DOUBLE = 11,
	MREN_ONNX_UINT32 = 12,
	MREN_ONNX_UINT64 = 13,
	MREN_ONNX_BFLOAT16 = 16,
} MrenOnnxType;

typedef struct MrenOnnxShape
{
	int rank; /* 0: a scalar */
	size_t dims[MREN_ONNX_MAX_RANK];
} MrenOnnxShape;

typedef struct MrenOnnxTensor
{
	MrenOnnxType type;
	MrenOnnxShape shape;
	size_t n;	   /* elements: the product of dims */
	float *floats; /* of a floating-point type, else NULL */
	int64_t *ints; /* of an integer type or bool, else NULL */
} MrenOnnxTensor;

extern bool mren_onnx_type_is_float(MrenOnnxType type);
extern bool mren_onnx_type_is_int(MrenOnnxType type); /* bool included */
extern const char *mren_onnx_type_name(MrenOnnxType type);

/* Bytes of an element in memory: a float or an int64. */
extern size_t mren_onnx_type_size(MrenOnnxType type);

/* What an integer becomes in the width of its type. */
extern int64_t mren_onnx_type_wrap(MrenOnnxType type, int64_t value);

/* Elements of a shape; false on overflow. */
extern bool mren_onnx_shape_size(const MrenOnnxShape *shape, size_t *n);
extern bool mren_onnx_shape_equal(const MrenOnnxShape *a, const MrenOnnxShape *b);

/* "(1,3,224,224)" into text of the given size; returns text. */
extern const char *mren_onnx_shape_text(const MrenOnnxShape *shape, char *text, size_t size);

/*
 * mren_onnx_tensor_parse
 *	  Reads a serialized TensorProto, such as the files of ONNX's test data.
 *	  tensor is freed with mren_onnx_tensor_free.
 */
extern MrenStatus mren_onnx_tensor_parse(const MrenEnv *env, const uint8_t *bytes, size_t len,
										 MrenOnnxTensor *tensor, MrenError *err);
extern void mren_onnx_tensor_free(const MrenEnv *env, MrenOnnxTensor *tensor);

#endif
