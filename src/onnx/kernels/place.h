/*
 * place.h
 *	  A value's elements in the layout that a step reads.
 */
#ifndef MREN_ONNX_KERNELS_PLACE_H
#define MREN_ONNX_KERNELS_PLACE_H

#include "onnx/model/plan.h"

/*
 * mren_onnx_layout_place
 *	  Where the value's elements are in that layout.  Where they are only in the
 *	  other layout, emits a step that copies them; a constant is copied at once.
 *	  MREN_EFORMAT if no step before computes the value.
 */
extern MrenStatus mren_onnx_layout_place(MrenOnnxPlan *plan, MrenOnnxValue *value,
										 MrenOnnxLayout layout, MrenOnnxPlace *place,
										 MrenError *err);

#endif
