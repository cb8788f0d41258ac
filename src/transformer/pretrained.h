/*
 * pretrained.h
 *	  A pretrained encoder that is read when it is needed, wherever it is stored.
 */
#ifndef MREN_TRANSFORMER_PRETRAINED_H
#define MREN_TRANSFORMER_PRETRAINED_H

#include "base/env.h"
#include "transformer/config.h"

typedef struct MrenEncoderSource
{
	MrenTransformerConfig config;
	void *state;
	/* Copies the weights of all tensors, one after the other. */
	MrenStatus (*read)(void *state, float *weights, MrenError *err);
} MrenEncoderSource;

#endif
