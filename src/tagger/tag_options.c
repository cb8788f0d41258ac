/*
 * tag_options.c
 *	  The table of a tagger's options: the common ones and its own.
 */
#include "tagger/tag_options.h"

#include <string.h>

#include "training/option_table.h"

#define EPOCHS 40
#define ENCODER_EPOCHS 20

#define AT(field) offsetof(MrenTagOptions, field)

static const MrenOption rows[] = {
	{"activation", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"adapter_rank", MREN_OPTION_SIZE, AT(adapter_rank), 1, MREN_TUNING_MAX_RANK, {NULL}},
	{"anneal", MREN_OPTION_REAL, AT(anneal), 0, 1, {NULL}},
	{"batch_size", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"context", MREN_OPTION_SIZE, AT(context), 0, 8, {NULL}},
	{"direct", MREN_OPTION_BOOL, AT(direct), 0, 0, {NULL}},
	{"direct_dropout", MREN_OPTION_REAL, AT(direct_dropout), 0, 0.95, {NULL}},
	{"dropout", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"encoder_int8", MREN_OPTION_BOOL, AT(encoder_int8), 0, 0, {NULL}},
	{"encoder_learning_rate", MREN_OPTION_REAL, AT(encoder_rate), 1e-8, 1, {NULL}},
	{"epochs", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"feature_dim", MREN_OPTION_SIZE, AT(feature_dim), 0, 1024, {NULL}},
	{"fine_tuned_layers",
	 MREN_OPTION_SIZE,
	 AT(fine_tuned_layers),
	 1,
	 MREN_TRANSFORMER_MAX_LAYERS,
	 {NULL}},
	{"fine_tuning",
	 MREN_OPTION_CHOICE,
	 AT(fine_tuning),
	 0,
	 0,
	 {"frozen", "all", "last_layers", "adapters"}},
	{"hidden", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"hidden_dropout", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"learning_rate", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"patience", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"refit", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"seed", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"text_encoder", MREN_OPTION_NAME, AT(text_encoder), 1, 255, {NULL}},
	{"validation_share", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"weight_decay", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"weight_ema", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"window", MREN_OPTION_SIZE, AT(window), 0, 8, {NULL}},
	{"word_dropout", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
};

/* Names before version 0.3.0. */
static const MrenRenamedOption renamed[] = {{"average", "weight_ema"}, {"l2", "weight_decay"}};

static const MrenOptionTable table = {.options = rows,
									  .n = sizeof(rows) / sizeof(rows[0]),
									  .base = &mren_common_options_table,
									  .renamed = renamed,
									  .n_renamed = sizeof(renamed) / sizeof(renamed[0])};

_Static_assert(AT(common) == 0, "the common options are where their table expects them");

void
mren_tag_options_init(MrenTagOptions *options)
{
	memset(options, 0, sizeof(*options));
	options->common.activation = MREN_ACTIVATION_RELU;
	options->common.batch_size = 32;
	options->common.patience = 8;
	options->common.validation_share = 0.1;
	options->common.refit = true;
	options->common.seed = 1;
	options->common.n_hidden = 2;
	options->common.hidden[0] = 128;
	options->common.hidden[1] = 128;
	options->window = 2;
	options->common.dropout = 0.3;
	options->common.hidden_dropout = 0.3;
	options->common.epochs = MREN_TAG_EPOCHS_AUTO;
	options->common.learning_rate = 0.002;
	options->common.weight_decay = 0.01;
	options->context = 1;
	options->anneal = 0;
	options->feature_dim = 64;
	options->direct = true;
	options->direct_dropout = 0.3;
	options->common.word_dropout = 0.05;
	options->common.weight_ema = 0.99;
	options->fine_tuning = MREN_TUNING_ADAPTERS;
	options->fine_tuned_layers = 3;
	options->adapter_rank = 16;
	options->encoder_rate = MREN_TAG_ENCODER_RATE_AUTO;
}

size_t
mren_tag_options_epochs(const MrenTagOptions *options)
{
	if (options->common.epochs != MREN_TAG_EPOCHS_AUTO)
		return options->common.epochs;
	return options->text_encoder != NULL ? ENCODER_EPOCHS : EPOCHS;
}

/* Whether the option says something of a text encoder. */
static bool
is_of_encoder(const MrenOption *option)
{
	return option->kind != MREN_OPTION_SHARED && option->offset >= AT(text_encoder) &&
		   option->offset <= AT(encoder_rate);
}

bool
mren_tag_options_known(const char *key)
{
	return mren_option_find(&table, key) != NULL;
}

const char *
mren_tag_options_renamed(const char *old_key)
{
	return mren_option_renamed(&table, old_key);
}

void
mren_tag_options_list(char *buffer, size_t size)
{
	mren_option_list(&table, buffer, size);
}

MrenStatus
mren_tag_options_set(MrenTagOptions *options, const char *key, const MrenOptionValue *value,
					 MrenError *err)
{
	MrenTagOptions defaults;

	mren_tag_options_init(&defaults);
	return mren_option_set(&table, options, &defaults, key, value, err);
}

MrenStatus
mren_tag_options_json(const MrenEnv *env, const MrenTagOptions *options, char **json,
					  MrenError *err)
{
	MrenTagOptions effective = *options;
	MrenOptionTable shown = table;
	MrenOption items[sizeof(rows) / sizeof(rows[0])];

	effective.common.epochs = mren_tag_options_epochs(options);
	shown.options = items;
	shown.n = 0;
	for (size_t i = 0; i < table.n; i++)
	{
		if (options->text_encoder != NULL || !is_of_encoder(&rows[i]))
			items[shown.n++] = rows[i];
	}
	return mren_option_json(env, &shown, &effective, json, err);
}
