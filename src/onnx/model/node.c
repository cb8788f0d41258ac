/*
 * node.c
 *	  Attributes and inputs of a node, checked.
 */
#include "onnx/model/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* AttributeProto.AttributeType */
#define ATTRIBUTE_FLOAT 1
#define ATTRIBUTE_INT 2
#define ATTRIBUTE_INTS 7

MrenStatus
mren_onnx_node_fail(const MrenOnnxNode *node, MrenStatus status, MrenError *err, const char *fmt,
					...)
{
	char text[320];
	const char *name = node->proto->name;
	va_list args;

	if (name == NULL || name[0] == '\0')
		name = node->n_outputs > 0 && node->outputs[0] != NULL ? node->outputs[0]->name : "";
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return mren_fail(err, status, "operator %s (opset %lld): %s, at node \"%s\"",
					 node->proto->op_type, (long long) node->model->opset, text, name);
}

const Mren__Onnx__AttributeProto *
mren_onnx_node_attribute(const MrenOnnxNode *node, const char *name)
{
	for (size_t i = 0; i < node->proto->n_attribute; i++)
	{
		const Mren__Onnx__AttributeProto *attribute = node->proto->attribute[i];

		if (attribute->name != NULL && strcmp(attribute->name, name) == 0)
			return attribute;
	}
	return NULL;
}

/* Files of before IR version 2 leave the type out. */
static bool
has_type(const Mren__Onnx__AttributeProto *attribute, int type)
{
	return !attribute->has_type || attribute->type == 0 || attribute->type == type;
}

MrenStatus
mren_onnx_node_int(const MrenOnnxNode *node, const char *name, int64_t *out, MrenError *err)
{
	const Mren__Onnx__AttributeProto *attribute = mren_onnx_node_attribute(node, name);

	if (attribute == NULL)
		return MREN_OK;
	if (!has_type(attribute, ATTRIBUTE_INT))
		return mren_onnx_node_fail(node, MREN_EFORMAT, err, "attribute \"%s\" is not an integer",
								   name);
	*out = attribute->has_i ? attribute->i : 0;
	return MREN_OK;
}

MrenStatus
mren_onnx_node_float(const MrenOnnxNode *node, const char *name, float *out, MrenError *err)
{
	const Mren__Onnx__AttributeProto *attribute = mren_onnx_node_attribute(node, name);

	if (attribute == NULL)
		return MREN_OK;
	if (!has_type(attribute, ATTRIBUTE_FLOAT))
		return mren_onnx_node_fail(node, MREN_EFORMAT, err, "attribute \"%s\" is not a number",
								   name);
	*out = attribute->has_f ? attribute->f : 0;
	return MREN_OK;
}

MrenStatus
mren_onnx_node_ints(const MrenOnnxNode *node, const char *name, const int64_t **out, size_t *n,
					MrenError *err)
{
	const Mren__Onnx__AttributeProto *attribute = mren_onnx_node_attribute(node, name);

	*out = NULL;
	*n = 0;
	if (attribute == NULL)
		return MREN_OK;
	if (!has_type(attribute, ATTRIBUTE_INTS))
		return mren_onnx_node_fail(node, MREN_EFORMAT, err,
								   "attribute \"%s\" is not a list of integers", name);
	*out = attribute->ints;
	*n = attribute->n_ints;
	return MREN_OK;
}

bool
mren_onnx_node_string_is(const MrenOnnxNode *node, const char *name, const char *text)
{
	const Mren__Onnx__AttributeProto *attribute = mren_onnx_node_attribute(node, name);

	return attribute != NULL && attribute->has_s && attribute->s.len == strlen(text) &&
		   memcmp(attribute->s.data, text, attribute->s.len) == 0;
}

MrenOnnxValue *
mren_onnx_node_input(const MrenOnnxNode *node, size_t i)
{
	return i < node->n_inputs ? node->inputs[i] : NULL;
}

MrenStatus
mren_onnx_node_constant(const MrenOnnxNode *node, size_t i, const MrenOnnxTensor **out,
						MrenError *err)
{
	const MrenOnnxValue *value = mren_onnx_node_input(node, i);

	*out = NULL;
	if (value == NULL)
		return MREN_OK;
	if (value->constant == NULL)
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
								   "input \"%s\" is not a constant, which is not supported",
								   value->name);
	*out = value->constant;
	return MREN_OK;
}

MrenStatus
mren_onnx_node_axis(const MrenOnnxNode *node, int64_t axis, int rank, int *out, MrenError *err)
{
	if (axis < -rank || axis >= rank)
		return mren_onnx_node_fail(node, MREN_EDATA, err, "axis %lld is outside %d dimensions",
								   (long long) axis, rank);
	*out = (int) (axis < 0 ? axis + rank : axis);
	return MREN_OK;
}

MrenStatus
mren_onnx_node_no_attribute(const MrenOnnxNode *node, const char *name, int64_t since,
							MrenError *err)
{
	if (mren_onnx_node_attribute(node, name) == NULL)
		return MREN_OK;
	return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
							   "attribute \"%s\" is not supported from opset %lld on", name,
							   (long long) since);
}

MrenStatus
mren_onnx_node_ints_or_input(const MrenOnnxNode *node, const char *name, size_t i, int64_t since,
							 const int64_t **out, size_t *n, MrenError *err)
{
	const MrenOnnxTensor *tensor;

	if (node->model->opset < since)
		return mren_onnx_node_ints(node, name, out, n, err);
	*out = NULL;
	*n = 0;
	MREN_TRY(mren_onnx_node_no_attribute(node, name, since, err));
	MREN_TRY(mren_onnx_node_constant(node, i, &tensor, err));
	if (tensor == NULL)
		return MREN_OK;
	if (tensor->ints == NULL)
		return mren_onnx_node_fail(node, MREN_EDATA, err, "input \"%s\" is not of an integer type",
								   node->inputs[i]->name);
	*out = tensor->ints;
	*n = tensor->n;
	return MREN_OK;
}

MrenStatus
mren_onnx_node_need_float(const MrenOnnxNode *node, size_t i, MrenError *err)
{
	const MrenOnnxValue *value = mren_onnx_node_input(node, i);

	if (value == NULL)
		return mren_onnx_node_fail(node, MREN_EFORMAT, err, "input %zu is missing", i);
	if (!mren_onnx_type_is_float(value->type))
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
								   "element type %s of input \"%s\" is not supported",
								   mren_onnx_type_name(value->type), value->name);
	return MREN_OK;
}
