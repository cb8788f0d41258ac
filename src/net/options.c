/*
 * options.c
 *	  The table of options: names, types, ranges, defaults.
 *
 * One row a key, in alphabetical order, which is also the order of the JSON.
 */
#include "net/options.h"

#include <string.h>

#include "net/branch_wide.h"
#include "net/option_table.h"

#define AT(field) offsetof(MrenOptions, field)

static const MrenOption rows[] = {
	{"activation", MREN_OPTION_CHOICE, AT(activation), 0, 0, {"relu", "tanh"}},
	{"average", MREN_OPTION_REAL, AT(average), 0, 0.9999, {NULL}},
	{"batch_size", MREN_OPTION_SIZE, AT(batch_size), 1, 4096, {NULL}},
	{"class_weights", MREN_OPTION_CHOICE, AT(class_weights), 0, 0, {"none", "balanced"}},
	{"dropout", MREN_OPTION_REAL, AT(dropout), 0, 0.95, {NULL}},
	{"ensemble", MREN_OPTION_SIZE, AT(ensemble), 1, MREN_MAX_MEMBERS, {NULL}},
	{"epochs", MREN_OPTION_SIZE, AT(epochs), 1, 10000, {NULL}},
	{"filters", MREN_OPTION_SIZE, AT(filters), 1, 1024, {NULL}},
	{"fusion", MREN_OPTION_CHOICE, AT(fusion), 0, 0, {"parallel", "sequential", "hybrid", "auto"}},
	{"hidden", MREN_OPTION_SIZES, AT(n_hidden), 1, MREN_MAX_HIDDEN_SIZE, {NULL}},
	{"hidden_dropout", MREN_OPTION_REAL, AT(hidden_dropout), 0, 0.95, {NULL}},
	{"image_dropout", MREN_OPTION_REAL, AT(image_dropout), 0, 0.95, {NULL}},
	{"image_gate", MREN_OPTION_BOOL, AT(image_gate), 0, 0, {NULL}},
	{"image_units", MREN_OPTION_SIZE, AT(image_units), 0, 1024, {NULL}},
	{"l2", MREN_OPTION_REAL, AT(l2), 0, 1, {NULL}},
	{"learning_rate", MREN_OPTION_REAL, AT(learning_rate), 1e-8, 10, {NULL}},
	{"loss", MREN_OPTION_CHOICE, AT(loss), 0, 0, {"cross_entropy", "mse", "ranking"}},
	{"margin_right", MREN_OPTION_REAL, AT(margin_right), 0, 100, {NULL}},
	{"margin_wrong", MREN_OPTION_REAL, AT(margin_wrong), 0, 100, {NULL}},
	{"momentum", MREN_OPTION_REAL, AT(momentum), 0, 0.999, {NULL}},
	{"negative", MREN_OPTION_NAME, AT(negative), 1, MREN_MAX_NEGATIVE, {NULL}},
	{"negative_logit", MREN_OPTION_CHOICE, AT(negative_logit), 0, 0, {"learned", "fixed"}},
	{"optimizer", MREN_OPTION_CHOICE, AT(optimizer), 0, 0, {"adam", "sgd"}},
	{"patience", MREN_OPTION_SIZE, AT(patience), 0, 10000, {NULL}},
	{"product", MREN_OPTION_SIZE, AT(product), 0, 1024, {NULL}},
	{"ranking_scale", MREN_OPTION_REAL, AT(ranking_scale), 0.01, 100, {NULL}},
	{"refit", MREN_OPTION_BOOL, AT(refit), 0, 0, {NULL}},
	{"seed", MREN_OPTION_SEED, AT(seed), 0, 0, {NULL}},
	{"text_encoder", MREN_OPTION_CHOICE, AT(text_encoder), 0, 0, {"pool", "conv"}},
	{"threshold", MREN_OPTION_REAL, AT(threshold), 0, 1, {NULL}},
	{"validation_share", MREN_OPTION_REAL, AT(validation_share), 0, 0.5, {NULL}},
	{"vectors", MREN_OPTION_CHOICE, AT(vectors), 0, 0, {"frozen", "tuned"}},
	{"wide", MREN_OPTION_SIZE, AT(wide), 0, MREN_MAX_WIDE_BITS, {NULL}},
	{"window", MREN_OPTION_SIZE, AT(window), 0, 64, {NULL}},
	{"word_dropout", MREN_OPTION_REAL, AT(word_dropout), 0, 0.95, {NULL}},
};

const MrenOptionTable mren_options_table = {rows, sizeof(rows) / sizeof(rows[0]), NULL};

_Static_assert(AT(hidden) == AT(n_hidden) + offsetof(MrenSizes, at) &&
				   sizeof(((MrenOptions *) NULL)->hidden) == sizeof(((MrenSizes *) NULL)->at),
			   "n_hidden and hidden are set as MrenSizes");

void
mren_options_init(MrenOptions *options)
{
	memset(options, 0, sizeof(*options));
	options->n_hidden = 2;
	options->hidden[0] = 128;
	options->hidden[1] = 64;
	options->activation = MREN_ACTIVATION_RELU;
	options->fusion = MREN_FUSION_PARALLEL;
	options->image_units = 256;
	options->product = 128;
	options->text_encoder = MREN_TEXT_CONV;
	options->filters = 100;
	options->wide = 18;
	options->window = MREN_WINDOW_AUTO;
	options->loss = MREN_LOSS_CROSS_ENTROPY;
	options->ranking_scale = 2;
	options->margin_right = 2.5;
	options->margin_wrong = 0.5;
	options->negative_logit = MREN_NEGATIVE_LOGIT_LEARNED;
	options->optimizer = MREN_OPTIMIZER_ADAM;
	options->learning_rate = 0.001;
	options->momentum = 0.9;
	options->l2 = 0.01;
	options->dropout = 0.5;
	options->hidden_dropout = 0.3;
	options->image_dropout = 0.25;
	options->word_dropout = 0.25;
	options->batch_size = 32;
	options->epochs = 100;
	options->patience = 8;
	options->class_weights = MREN_CLASS_WEIGHTS_NONE;
	options->validation_share = 0.1;
	options->refit = true;
	options->image_gate = true;
	options->average = MREN_AVERAGE_AUTO;
	options->ensemble = 1;
	options->seed = 1;
	options->negative = NULL;
	options->threshold = -1;
}

size_t
mren_options_window(const MrenOptions *options)
{
	if (options->window != MREN_WINDOW_AUTO)
		return options->window;
	return options->text_encoder == MREN_TEXT_CONV ? 0 : 2;
}

double
mren_options_average(const MrenOptions *options, bool pictures)
{
	if (options->average >= 0)
		return options->average;
	return pictures ? MREN_PICTURE_AVERAGE : 0;
}

void
mren_options_set_seed(MrenOptions *options, int64_t seed)
{
	options->seed = seed;
}

bool
mren_options_known(const char *key)
{
	return mren_option_find(&mren_options_table, key) != NULL;
}

void
mren_options_list(char *buffer, size_t size)
{
	mren_option_list(&mren_options_table, buffer, size);
}

MrenStatus
mren_options_set(MrenOptions *options, const char *key, const MrenValue *value, MrenError *err)
{
	MrenOptions defaults;

	mren_options_init(&defaults);
	return mren_option_set(&mren_options_table, options, &defaults, key, value, err);
}

MrenStatus
mren_options_json(const MrenEnv *env, const MrenOptions *options, char **json, MrenError *err)
{
	MrenOptions effective = *options;

	effective.window = mren_options_window(options);
	return mren_option_json(env, &mren_options_table, &effective, json, err);
}
