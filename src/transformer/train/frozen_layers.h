/*
 * frozen_layers.h
 *	  The layers below the first one that is trained.
 *
 * Their output does not change while an encoder is fine-tuned, so it is kept from epoch to epoch
 * as far as memory allows, and is otherwise computed again with the same bits: a sentence's text
 * once, and a group of its markers once.
 */
#ifndef MREN_TRANSFORMER_TRAIN_FROZEN_LAYERS_H
#define MREN_TRANSFORMER_TRAIN_FROZEN_LAYERS_H

#include "transformer/encoder.h"

typedef struct MrenFrozenLayers MrenFrozenLayers;

/*
 * mren_frozen_create
 *	  The first `layers` layers of an encoder.  Their matrices are brought into another order in
 *	  the weights, which must outlive them.  At most `most` bytes are kept.  MREN_ENOMEM,
 *	  MREN_ECANCELED.
 */
extern MrenStatus mren_frozen_create(const MrenEnv *env, const MrenTransformerConfig *config,
									 size_t layers, float *weights, size_t most,
									 MrenFrozenLayers **frozen, MrenError *err);

/* NULL is allowed. */
extern void mren_frozen_free(MrenFrozenLayers *frozen);

/*
 * mren_frozen_read
 *	  out (n_tokens, width): what leaves these layers.  MREN_EDATA as of
 *	  mren_transformer_forward; MREN_ENOMEM, MREN_ECANCELED.
 */
extern MrenStatus mren_frozen_read(MrenFrozenLayers *frozen, const MrenTransformerBatch *batch,
								   float *out, MrenError *err);

/* Tokens that were computed, in all calls. */
extern size_t mren_frozen_computed(const MrenFrozenLayers *frozen);

#endif
