/*
 * onnx_build.h
 *	  Small ONNX models made in the test itself, so that the suite means
 *	  something without any file.
 *
 * Everything a Build makes belongs to it and ends with build_free.
 */
#ifndef MREN_TEST_ONNX_BUILD_H
#define MREN_TEST_ONNX_BUILD_H

#include <stdlib.h>
#include <string.h>

#include "onnx/model/onnx.pb-c.h"
#include "onnx/model/tensor.h"

#define BUILD_MAX 128

typedef struct Build
{
	Mren__Onnx__ModelProto model;
	Mren__Onnx__GraphProto graph;
	Mren__Onnx__OperatorSetIdProto opset;
	Mren__Onnx__OperatorSetIdProto *opsets[1];
	Mren__Onnx__NodeProto *nodes[BUILD_MAX];
	Mren__Onnx__TensorProto *weights[BUILD_MAX];
	Mren__Onnx__ValueInfoProto *inputs[BUILD_MAX];
	Mren__Onnx__ValueInfoProto *outputs[BUILD_MAX];
	void *blocks[16 * BUILD_MAX];
	size_t n_blocks;
} Build;

static inline void *
build_get(Build *b, size_t size)
{
	void *block = calloc(1, size);

	assert_non_null(block);
	assert_true(b->n_blocks < sizeof(b->blocks) / sizeof(b->blocks[0]));
	b->blocks[b->n_blocks++] = block;
	return block;
}

static inline char *
build_text(Build *b, const char *text)
{
	char *copy = build_get(b, strlen(text) + 1);

	strcpy(copy, text);
	return copy;
}

static inline void
build_init(Build *b, int64_t opset)
{
	memset(b, 0, sizeof(*b));
	mren__onnx__model_proto__init(&b->model);
	mren__onnx__graph_proto__init(&b->graph);
	mren__onnx__operator_set_id_proto__init(&b->opset);
	b->opset.has_version = 1;
	b->opset.version = opset;
	b->opsets[0] = &b->opset;
	b->model.n_opset_import = 1;
	b->model.opset_import = b->opsets;
	b->model.graph = &b->graph;
	b->graph.node = b->nodes;
	b->graph.initializer = b->weights;
	b->graph.input = b->inputs;
	b->graph.output = b->outputs;
}

static inline void
build_free(Build *b)
{
	while (b->n_blocks > 0)
		free(b->blocks[--b->n_blocks]);
}

/* Dimensions of -1 are written as the symbol "N". */
static inline Mren__Onnx__ValueInfoProto *
build_value(Build *b, const char *name, int type, const int64_t *dims, size_t n)
{
	Mren__Onnx__ValueInfoProto *value = build_get(b, sizeof(*value));
	Mren__Onnx__TypeProto *of = build_get(b, sizeof(*of));
	Mren__Onnx__TypeProto__Tensor *tensor = build_get(b, sizeof(*tensor));
	Mren__Onnx__TensorShapeProto *shape = build_get(b, sizeof(*shape));

	mren__onnx__value_info_proto__init(value);
	mren__onnx__type_proto__init(of);
	mren__onnx__type_proto__tensor__init(tensor);
	mren__onnx__tensor_shape_proto__init(shape);
	shape->dim = build_get(b, (n + 1) * sizeof(*shape->dim));
	shape->n_dim = n;
	for (size_t i = 0; i < n; i++)
	{
		shape->dim[i] = build_get(b, sizeof(**shape->dim));
		mren__onnx__tensor_shape_proto__dimension__init(shape->dim[i]);
		if (dims[i] == -1)
			shape->dim[i]->dim_param = build_text(b, "N");
		shape->dim[i]->has_dim_value = dims[i] != -1;
		shape->dim[i]->dim_value = dims[i];
	}
	value->name = build_text(b, name);
	value->type = of;
	of->tensor_type = tensor;
	tensor->has_elem_type = 1;
	tensor->elem_type = type;
	tensor->shape = shape;
	return value;
}

#define BUILD_DIMS(...)                                                                            \
	(const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)

static inline void
build_input(Build *b, const char *name, const int64_t *dims, size_t n)
{
	b->inputs[b->graph.n_input++] = build_value(b, name, MREN_ONNX_FLOAT, dims, n);
}

static inline void
build_output(Build *b, const char *name)
{
	b->outputs[b->graph.n_output++] = build_value(b, name, MREN_ONNX_FLOAT, NULL, 0);
}

static inline Mren__Onnx__TensorProto *
build_tensor(Build *b, const char *name, int type, const int64_t *dims, size_t n)
{
	Mren__Onnx__TensorProto *tensor = build_get(b, sizeof(*tensor));

	mren__onnx__tensor_proto__init(tensor);
	tensor->name = build_text(b, name);
	tensor->has_data_type = 1;
	tensor->data_type = type;
	tensor->dims = build_get(b, (n + 1) * sizeof(int64_t));
	if (n > 0)
		memcpy(tensor->dims, dims, n * sizeof(int64_t));
	tensor->n_dims = n;
	return tensor;
}

/* An initializer, in raw form; the values are copied. */
static inline Mren__Onnx__TensorProto *
build_floats(Build *b, const char *name, const float *values, const int64_t *dims, size_t n)
{
	Mren__Onnx__TensorProto *tensor = build_tensor(b, name, MREN_ONNX_FLOAT, dims, n);
	size_t count = 1;

	for (size_t i = 0; i < n; i++)
		count *= (size_t) dims[i];
	tensor->has_raw_data = 1;
	tensor->raw_data.len = count * sizeof(float);
	tensor->raw_data.data = build_get(b, count * sizeof(float) + 1);
	memcpy(tensor->raw_data.data, values, count * sizeof(float));
	b->weights[b->graph.n_initializer++] = tensor;
	return tensor;
}

/* A one-dimensional initializer of int64. */
static inline Mren__Onnx__TensorProto *
build_ints(Build *b, const char *name, const int64_t *values, size_t n)
{
	int64_t dim = (int64_t) n;
	Mren__Onnx__TensorProto *tensor = build_tensor(b, name, MREN_ONNX_INT64, &dim, 1);

	tensor->int64_data = build_get(b, (n + 1) * sizeof(int64_t));
	memcpy(tensor->int64_data, values, n * sizeof(int64_t));
	tensor->n_int64_data = n;
	b->weights[b->graph.n_initializer++] = tensor;
	return tensor;
}

static inline size_t
build_names(Build *b, const char *list, char ***names)
{
	char *copy = build_text(b, list);
	size_t n = 0;

	*names = build_get(b, 16 * sizeof(char *));
	for (char *name = strtok(copy, " "); name != NULL; name = strtok(NULL, " "))
		(*names)[n++] = name;
	return n;
}

/* Names separated by blanks. */
static inline Mren__Onnx__NodeProto *
build_node(Build *b, const char *op, const char *inputs, const char *outputs)
{
	Mren__Onnx__NodeProto *node = build_get(b, sizeof(*node));

	mren__onnx__node_proto__init(node);
	node->op_type = build_text(b, op);
	node->n_input = build_names(b, inputs, &node->input);
	node->n_output = build_names(b, outputs, &node->output);
	node->attribute = build_get(b, 16 * sizeof(*node->attribute));
	b->nodes[b->graph.n_node++] = node;
	return node;
}

static inline Mren__Onnx__AttributeProto *
build_attribute(Build *b, Mren__Onnx__NodeProto *node, const char *name, int type)
{
	Mren__Onnx__AttributeProto *attribute = build_get(b, sizeof(*attribute));

	mren__onnx__attribute_proto__init(attribute);
	attribute->name = build_text(b, name);
	attribute->has_type = 1;
	attribute->type = type;
	node->attribute[node->n_attribute++] = attribute;
	return attribute;
}

static inline void
build_int(Build *b, Mren__Onnx__NodeProto *node, const char *name, int64_t value)
{
	Mren__Onnx__AttributeProto *attribute = build_attribute(b, node, name, 2);

	attribute->has_i = 1;
	attribute->i = value;
}

static inline void
build_float(Build *b, Mren__Onnx__NodeProto *node, const char *name, float value)
{
	Mren__Onnx__AttributeProto *attribute = build_attribute(b, node, name, 1);

	attribute->has_f = 1;
	attribute->f = value;
}

static inline void
build_list(Build *b, Mren__Onnx__NodeProto *node, const char *name, const int64_t *values, size_t n)
{
	Mren__Onnx__AttributeProto *attribute = build_attribute(b, node, name, 7);

	attribute->ints = build_get(b, (n + 1) * sizeof(int64_t));
	memcpy(attribute->ints, values, n * sizeof(int64_t));
	attribute->n_ints = n;
}

static inline void
build_string(Build *b, Mren__Onnx__NodeProto *node, const char *name, const char *value)
{
	Mren__Onnx__AttributeProto *attribute = build_attribute(b, node, name, 3);

	attribute->has_s = 1;
	attribute->s.len = strlen(value);
	attribute->s.data = (uint8_t *) build_text(b, value);
}

/* The file; belongs to the Build. */
static inline uint8_t *
build_pack(Build *b, size_t *len)
{
	uint8_t *bytes;

	*len = mren__onnx__model_proto__get_packed_size(&b->model);
	bytes = build_get(b, *len + 1);
	mren__onnx__model_proto__pack(&b->model, bytes);
	return bytes;
}

#endif
