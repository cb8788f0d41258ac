/*
 * norm.h
 *	  Batch normalisation as what it is at inference: a factor and an addend
 *	  for each channel, ready to be folded into a convolution.
 */
#ifndef MREN_ONNX_NORM_H
#define MREN_ONNX_NORM_H

#include "onnx/model.h"

typedef struct MrenAffine
{
	float *scale;
	float *shift;
	size_t n;
} MrenAffine;

extern MrenStatus mren_batchnorm_affine(MrenModel *model, const MrenNode *node, MrenAffine **out,
										MrenError *err);

#endif
