/*
 * norm.h
 *	  Batch normalization as what it is at inference: a factor and an addend
 *	  for each channel, ready to be folded into a convolution.
 */
#ifndef MREN_ONNX_OPS_NORM_H
#define MREN_ONNX_OPS_NORM_H

#include "onnx/model/model.h"

typedef struct MrenOnnxAffine
{
	float *scale;
	float *shift;
	size_t n;
} MrenOnnxAffine;

#endif
