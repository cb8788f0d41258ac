/*
 * tensor_names.h
 *	  The names under which exporters write the tensors of an encoder.
 */
#ifndef MREN_TRANSFORMER_FILE_TENSOR_NAMES_H
#define MREN_TRANSFORMER_FILE_TENSOR_NAMES_H

#include "transformer/config.h"
#include "transformer/file/safetensors.h"

#define MREN_EXPORTED_NAME_SIZE 1024

/*
 * mren_exported_tensors
 *	  Finds each tensor of an encoder, tensors[i] for number i of
 *	  mren_transformer_tensor, of which there are n, in a set.  All names have the same
 *	  prefix, whatever it is ("bert.", "model.", none); layer norms may have the old names
 *	  gamma and beta.  Other tensors, such as heads, are ignored, except those that belong
 *	  to the encoder but not to its configuration, such as layers beyond its number.
 *	  MREN_EDATA if a tensor is missing, has another shape, or is one too many;
 *	  MREN_EUNSUPPORTED if its numbers are not F32, F16 or BF16; MREN_ENUMERIC if one is
 *	  NaN or infinite.
 */
extern MrenStatus mren_exported_tensors(const MrenEnv *env, const MrenSafetensors *set,
										const MrenTransformerConfig *config,
										const MrenSafetensor **tensors, size_t n, MrenError *err);

#endif
