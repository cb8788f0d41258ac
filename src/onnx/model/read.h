/*
 * read.h
 *	  Bytes to protobuf messages and from messages to tensors.
 *
 * protobuf-c allocates through the pool, so that what it holds counts towards
 * the budget, and its failures come back as a status.
 */
#ifndef MREN_ONNX_MODEL_READ_H
#define MREN_ONNX_MODEL_READ_H

#include "base/weights.h"
#include "onnx/model/onnx.pb-c.h"
#include "onnx/model/memory_pool.h"
#include "onnx/model/tensor.h"

/* The message lives in the pool. */
extern MrenStatus mren_onnx_read_model(MrenOnnxPool *pool, const uint8_t *bytes, size_t len,
									   Mren__Onnx__ModelProto **model, MrenError *err);

/*
 * mren_onnx_read_weights
 *	  Checks proto and makes a tensor of it in the pool; MREN_ENUMERIC if an element is NaN.  Float
 *	  data in raw form is not copied: the tensor then points into the message.
 *	  `what` names the tensor in messages: initializer "conv1.weight".
 */
extern MrenStatus mren_onnx_read_weights(MrenOnnxPool *pool, const Mren__Onnx__TensorProto *proto,
										 const char *what, MrenOnnxTensor *tensor, MrenError *err);

/*
 * mren_onnx_set_aside
 *	  Records a tensor of many floats as a block, which the message then names instead; it must
 *	  outlive the weights.  mren_onnx_read_weights finds it where the environment's weights are
 *	  ready.
 */
extern MrenStatus mren_onnx_set_aside(Mren__Onnx__TensorProto *proto, MrenOnnxPool *pool,
									  MrenWeights *weights, MrenError *err);

/* A NUL-terminated string that is valid UTF-8 without control characters. */
extern MrenStatus mren_onnx_read_name(const char *name, const char *what, MrenError *err);

#endif
