/*
 * common_options.c
 *	  The table of the options that all trainings have.
 */
#include "training/common_options.h"

#define AT(field) offsetof(MrenCommonOptions, field)

static const MrenOption rows[] = {
	{"activation", MREN_OPTION_CHOICE, AT(activation), 0, 0, {"relu", "tanh"}},
	{"batch_size", MREN_OPTION_SIZE, AT(batch_size), 1, 4096, {NULL}},
	{"dropout", MREN_OPTION_REAL, AT(dropout), 0, 0.95, {NULL}},
	{"epochs", MREN_OPTION_SIZE, AT(epochs), 1, 10000, {NULL}},
	{"hidden", MREN_OPTION_SIZES, AT(n_hidden), 1, MREN_MAX_HIDDEN_SIZE, {NULL}},
	{"hidden_dropout", MREN_OPTION_REAL, AT(hidden_dropout), 0, 0.95, {NULL}},
	{"learning_rate", MREN_OPTION_REAL, AT(learning_rate), 1e-8, 10, {NULL}},
	{"patience", MREN_OPTION_SIZE, AT(patience), 0, 10000, {NULL}},
	{"refit", MREN_OPTION_BOOL, AT(refit), 0, 0, {NULL}},
	{"seed", MREN_OPTION_SEED, AT(seed), 0, 0, {NULL}},
	{"validation_share", MREN_OPTION_REAL, AT(validation_share), 0, 0.5, {NULL}},
	{"weight_decay", MREN_OPTION_REAL, AT(weight_decay), 0, 100, {NULL}},
	{"weight_ema", MREN_OPTION_REAL, AT(weight_ema), 0, 0.9999, {NULL}},
	{"word_dropout", MREN_OPTION_REAL, AT(word_dropout), 0, 0.95, {NULL}},
};

const MrenOptionTable mren_common_options_table = {.options = rows,
												   .n = sizeof(rows) / sizeof(rows[0])};

_Static_assert(AT(hidden) == AT(n_hidden) + offsetof(MrenSizes, at) &&
				   sizeof(((MrenCommonOptions *) NULL)->hidden) == sizeof(((MrenSizes *) NULL)->at),
			   "n_hidden and hidden are set as MrenSizes");
