/*
 * node.h
 *	  What operators read of their node, attributes and constant inputs, and
 *	  errors that name the node.
 */
#ifndef MREN_ONNX_MODEL_NODE_H
#define MREN_ONNX_MODEL_NODE_H

#include "onnx/model/model.h"

/* "Conv" node "conv1" (opset 11): <message> */
extern MrenStatus mren_onnx_node_fail(const MrenOnnxNode *node, MrenStatus status, MrenError *err,
									  const char *fmt, ...) MREN_PRINTF(4, 5);

/* Each leaves *out untouched where the attribute is absent: set defaults before. */
extern MrenStatus mren_onnx_node_int(const MrenOnnxNode *node, const char *name, int64_t *out,
									 MrenError *err);
extern MrenStatus mren_onnx_node_float(const MrenOnnxNode *node, const char *name, float *out,
									   MrenError *err);
/* *n is 0 where absent */
extern MrenStatus mren_onnx_node_ints(const MrenOnnxNode *node, const char *name,
									  const int64_t **out, size_t *n, MrenError *err);
/* true if the string attribute equals text; an absent one equals nothing */
extern bool mren_onnx_node_string_is(const MrenOnnxNode *node, const char *name, const char *text);
/* NULL where absent */
extern const Mren__Onnx__AttributeProto *mren_onnx_node_attribute(const MrenOnnxNode *node,
																  const char *name);

/* NULL for an input that is omitted */
extern MrenOnnxValue *mren_onnx_node_input(const MrenOnnxNode *node, size_t i);

/*
 * The input's constant elements: MREN_EUNSUPPORTED if it is computed at run
 * time.  An omitted input leaves *out NULL.
 */
extern MrenStatus mren_onnx_node_constant(const MrenOnnxNode *node, size_t i,
										  const MrenOnnxTensor **out, MrenError *err);

/* axis in -rank .. rank-1 to 0 .. rank-1 */
extern MrenStatus mren_onnx_node_axis(const MrenOnnxNode *node, int64_t axis, int rank, int *out,
									  MrenError *err);

/*
 * MREN_EUNSUPPORTED if the node has an attribute that opset `since` replaced by
 * an input: taking the input's default instead would give another result.
 */
extern MrenStatus mren_onnx_node_no_attribute(const MrenOnnxNode *node, const char *name,
											  int64_t since, MrenError *err);

/*
 * Integers from the input `i` from opset `since` on, from the attribute before;
 * *n is 0 and *out NULL where neither is there.
 */
extern MrenStatus mren_onnx_node_ints_or_input(const MrenOnnxNode *node, const char *name, size_t i,
											   int64_t since, const int64_t **out, size_t *n,
											   MrenError *err);

/* MREN_EDATA unless the input is there and of a floating-point type. */
extern MrenStatus mren_onnx_node_need_float(const MrenOnnxNode *node, size_t i, MrenError *err);

#endif
