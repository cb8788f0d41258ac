/*
 * common_options.h
 *	  The options that all trainings have, whatever they train.
 *
 * The options of a kind of model begin with them, and its table of options refers to theirs.
 * Defaults differ from kind to kind, so each kind sets its own.
 */
#ifndef MREN_TRAINING_COMMON_OPTIONS_H
#define MREN_TRAINING_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nn/activation.h"
#include "nn/dense.h"
#include "training/option_table.h"

typedef struct MrenCommonOptions
{
	size_t n_hidden; /* 1 .. MREN_MAX_HIDDEN */
	size_t hidden[MREN_MAX_HIDDEN];
	MrenActivation activation;
	double dropout;		   /* of the network's input, 0 .. 0.95 */
	double hidden_dropout; /* of hidden layers' outputs */
	double word_dropout;   /* of words' vectors */
	double learning_rate;
	/* decoupled, multiplied by the learning rate at each step; negative: default */
	double weight_decay;
	/*
	 * decay of the moving mean of the weights, 0 .. 0.9999; 0: no mean;
	 * negative: default
	 */
	double weight_ema;
	size_t batch_size;
	size_t epochs;
	size_t patience;		 /* epochs without improvement before stopping; 0: never stop */
	double validation_share; /* 0: train for all epochs; negative: default */
	bool refit;				 /* train again on all rows, for the best number of epochs */
	int64_t seed;
} MrenCommonOptions;

extern const MrenOptionTable mren_common_options_table;

#endif
