/*
 * tensor.h
 *	  A tensor in memory, and reading one from ONNX's TensorProto.
 *
 * All floating-point types of the format are held as float, all integer types
 * and bool as int64: networks over pictures compute in float, and integers
 * occur only where shapes are worked out.  `type` keeps what the file said,
 * so that integer results wrap as their type does.  uint64 beyond 2^63 - 1 is
 * refused.
 */
#ifndef MREN_ONNX_TENSOR_H
#define MREN_ONNX_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/status.h"

#define MREN_MAX_RANK 8

/* The numbers are TensorProto.DataType's. */
typedef enum MrenType
{
	MREN_UNDEFINED = 0,
	MREN_FLOAT = 1,
	MREN_UINT8 = 2,
	MREN_INT8 = 3,
	MREN_UINT16 = 4,
	MREN_INT16 = 5,
	MREN_INT32 = 6,
	MREN_INT64 = 7,
	MREN_STRING = 8,
	MREN_BOOL = 9,
	MREN_FLOAT16 = 10,
	MREN_DOUBLE = 11,
	MREN_UINT32 = 12,
	MREN_UINT64 = 13,
	MREN_BFLOAT16 = 16,
} MrenType;

typedef struct MrenShape
{
	int rank; /* 0: a scalar */
	size_t dims[MREN_MAX_RANK];
} MrenShape;

typedef struct MrenTensor
{
	MrenType type;
	MrenShape shape;
	size_t n;	   /* elements: the product of dims */
	float *floats; /* of a floating-point type, else NULL */
	int64_t *ints; /* of an integer type or bool, else NULL */
} MrenTensor;

extern bool mren_type_is_float(MrenType type);
extern bool mren_type_is_int(MrenType type); /* bool included */
extern const char *mren_type_name(MrenType type);

/* What an integer becomes in the width of its type. */
extern int64_t mren_type_wrap(MrenType type, int64_t value);

/* Elements of a shape; false on overflow. */
extern bool mren_shape_size(const MrenShape *shape, size_t *n);
extern bool mren_shape_equal(const MrenShape *a, const MrenShape *b);

/* "(1,3,224,224)" into text of the given size; returns text. */
extern const char *mren_shape_text(const MrenShape *shape, char *text, size_t size);

/*
 * mren_tensor_parse
 *	  Reads a serialised TensorProto, such as the files of ONNX's test data.
 *	  tensor is freed with mren_tensor_free.
 */
extern MrenStatus mren_tensor_parse(const MrenEnv *env, const uint8_t *bytes, size_t len,
									MrenTensor *tensor, MrenError *err);
extern void mren_tensor_free(const MrenEnv *env, MrenTensor *tensor);

#endif
