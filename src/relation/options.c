/*
 * options.c
 *	  The table of options: names, types, ranges, defaults.
 *
 * One row a key, in alphabetical order, which is also the order of the JSON.
 */
#include "relation/options.h"

#include <math.h>
#include <string.h>

#include "relation/branch_linear.h"
#include "training/option_table.h"

#define AT(field) offsetof(MrenOptions, field)

static const MrenOption rows[] = {
	{"activation", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"adapter_rank", MREN_OPTION_SIZE, AT(adapter_rank), 1, 1024, {NULL}},
	{"batch_size", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"class_weights", MREN_OPTION_CHOICE, AT(class_weights), 0, 0, {"none", "balanced"}},
	{"decide", MREN_OPTION_AIM, AT(decide), 0.01, 1, {"argmax", "f1", "precision"}},
	{"dropout", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"encoder_batch_size", MREN_OPTION_SIZE, AT(encoder_batch_size), 1, 1024, {NULL}},
	{"encoder_epochs", MREN_OPTION_SIZE, AT(encoder_epochs), 1, 1000, {NULL}},
	{"encoder_int8", MREN_OPTION_BOOL, AT(encoder_int8), 0, 0, {NULL}},
	{"encoder_learning_rate", MREN_OPTION_REAL, AT(encoder_rate), 1e-8, 1, {NULL}},
	{"encoder_refit", MREN_OPTION_BOOL, AT(encoder_refit), 0, 0, {NULL}},
	{"ensemble", MREN_OPTION_SIZE, AT(ensemble), 1, MREN_MAX_MEMBERS, {NULL}},
	{"epochs", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"filters", MREN_OPTION_SIZE, AT(filters), 1, 1024, {NULL}},
	{"fine_tuned_layers", MREN_OPTION_SIZE, AT(fine_tuned_layers), 1, 256, {NULL}},
	{"fine_tuning",
	 MREN_OPTION_CHOICE,
	 AT(fine_tuning),
	 0,
	 0,
	 {"frozen", "all", "last_layers", "adapters"}},
	{"fusion", MREN_OPTION_CHOICE, AT(fusion), 0, 0, {"parallel", "sequential", "hybrid", "auto"}},
	{"hash_bits", MREN_OPTION_SIZE, AT(hash_bits), 0, MREN_MAX_HASH_BITS, {NULL}},
	{"hidden", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"hidden_dropout", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"image_dropout", MREN_OPTION_REAL, AT(image_dropout), 0, 0.95, {NULL}},
	{"image_units", MREN_OPTION_SIZE, AT(image_units), 0, 1024, {NULL}},
	{"learning_rate", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"loss", MREN_OPTION_CHOICE, AT(loss), 0, 0, {"cross_entropy", "mse", "ranking"}},
	{"margin_right", MREN_OPTION_REAL, AT(margin_right), 0, 100, {NULL}},
	{"margin_wrong", MREN_OPTION_REAL, AT(margin_wrong), 0, 100, {NULL}},
	{"markers", MREN_OPTION_CHOICE, AT(markers), 0, 0, {"levitated", "solid"}},
	{"momentum", MREN_OPTION_REAL, AT(momentum), 0, 0.999, {NULL}},
	{"negative", MREN_OPTION_NAME, AT(negative), 1, MREN_MAX_NEGATIVE, {NULL}},
	{"negative_logit", MREN_OPTION_CHOICE, AT(negative_logit), 0, 0, {"learned", "fixed"}},
	{"optimizer", MREN_OPTION_CHOICE, AT(optimizer), 0, 0, {"adam", "sgd"}},
	{"patience", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"product", MREN_OPTION_SIZE, AT(product), 0, 1024, {NULL}},
	{"ranking_scale", MREN_OPTION_REAL, AT(ranking_scale), 0.01, 100, {NULL}},
	{"refit", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"seed", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"text_encoder", MREN_OPTION_CHOICE, AT(text_encoder), 0, 0, {"pool", "conv"}},
	{"text_only_member", MREN_OPTION_BOOL, AT(text_only_member), 0, 0, {NULL}},
	{"threshold", MREN_OPTION_REAL, AT(threshold), 0, 1, {NULL}},
	{"validation_share", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"weak", MREN_OPTION_CHOICE, AT(weak), 0, 0, {"first", "mixed", "only"}},
	{"weight_decay", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"weight_ema", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"window", MREN_OPTION_SIZE, AT(window), 0, 64, {NULL}},
	{"word_dropout", MREN_OPTION_SHARED, 0, 0, 0, {NULL}},
	{"word_vectors", MREN_OPTION_CHOICE, AT(word_vectors), 0, 0, {"frozen", "fine_tuned"}},
};

/* Names before version 0.3.0. */
static const MrenRenamedOption renamed[] = {
	{"average", "weight_ema"}, {"image_gate", "text_only_member"},
	{"l2", "weight_decay"},	   {"vectors", "word_vectors"},
	{"wide", "hash_bits"},
};

static const MrenOptionTable options_table = {.options = rows,
											  .n = sizeof(rows) / sizeof(rows[0]),
											  .base = &mren_common_options_table,
											  .renamed = renamed,
											  .n_renamed = sizeof(renamed) / sizeof(renamed[0])};

_Static_assert(AT(common) == 0, "the common options are where their table expects them");

void
mren_options_init(MrenOptions *options)
{
	memset(options, 0, sizeof(*options));
	options->common.n_hidden = 2;
	options->common.hidden[0] = 128;
	options->common.hidden[1] = 64;
	options->common.activation = MREN_ACTIVATION_RELU;
	options->fusion = MREN_FUSION_PARALLEL;
	options->image_units = 256;
	options->product = 128;
	options->text_encoder = MREN_TEXT_CONV;
	options->fine_tuning = MREN_FINE_TUNING_ADAPTERS;
	options->fine_tuned_layers = 3;
	options->adapter_rank = 16;
	options->encoder_rate = MREN_MARKER_RATE_AUTO;
	options->encoder_epochs = MREN_MARKER_EPOCHS_AUTO;
	options->encoder_batch_size = 16;
	options->encoder_int8 = false;
	options->encoder_refit = false;
	options->filters = 100;
	options->hash_bits = 18;
	options->window = MREN_WINDOW_AUTO;
	options->loss = MREN_LOSS_CROSS_ENTROPY;
	options->ranking_scale = 2;
	options->margin_right = 2.5;
	options->margin_wrong = 0.5;
	options->negative_logit = MREN_NEGATIVE_LOGIT_LEARNED;
	options->optimizer = MREN_OPTIMIZER_ADAM;
	options->common.learning_rate = 0.001;
	options->momentum = 0.9;
	options->common.weight_decay = MREN_WEIGHT_DECAY_AUTO;
	options->common.dropout = 0.5;
	options->common.hidden_dropout = 0.3;
	options->image_dropout = 0.25;
	options->common.word_dropout = 0.25;
	options->common.batch_size = 32;
	options->common.epochs = 100;
	options->common.patience = 8;
	options->class_weights = MREN_CLASS_WEIGHTS_NONE;
	options->weak = MREN_WEAK_FIRST;
	options->common.validation_share = MREN_VALIDATION_SHARE_AUTO;
	options->common.refit = true;
	options->text_only_member = true;
	options->common.weight_ema = MREN_WEIGHT_EMA_AUTO;
	options->ensemble = 1;
	options->common.seed = 1;
	options->negative = NULL;
	options->threshold = -1;
}

/*
 * A tenth of few rows decides nothing.  The numbers were chosen on SemEval with 50 to 640 gold
 * rows, of sentences that are no part of the published figures.
 */
#define USUAL_VALIDATION_SHARE 0.1
#define LARGEST_VALIDATION_SHARE 0.3
#define ENOUGH_VALIDATION_ROWS 200

double
mren_options_validation_share(const MrenOptions *options, size_t n_gold)
{
	double enough = n_gold > 0 ? ENOUGH_VALIDATION_ROWS / (double) n_gold : 0;

	if (options->common.validation_share >= 0)
		return options->common.validation_share;
	if (options->pretrained != NULL)
		return USUAL_VALIDATION_SHARE;
	return fmax(USUAL_VALIDATION_SHARE, fmin(enough, LARGEST_VALIDATION_SHARE));
}

size_t
mren_options_window(const MrenOptions *options)
{
	if (options->window != MREN_WINDOW_AUTO)
		return options->window;
	return options->text_encoder == MREN_TEXT_CONV ? 0 : 2;
}

double
mren_options_weight_ema(const MrenOptions *options, bool images)
{
	if (options->common.weight_ema >= 0)
		return options->common.weight_ema;
	return images ? MREN_IMAGE_WEIGHT_EMA : 0;
}

double
mren_options_weight_decay(const MrenOptions *options, bool images)
{
	if (options->common.weight_decay >= 0)
		return options->common.weight_decay;
	return images ? MREN_IMAGE_WEIGHT_DECAY : MREN_TEXT_WEIGHT_DECAY;
}

MrenOptimizerConfig
mren_options_optimizer(const MrenOptions *options, bool images)
{
	return (MrenOptimizerConfig){.kind = options->optimizer,
								 .learning_rate = options->common.learning_rate,
								 .momentum = options->momentum,
								 .weight_decay = mren_options_weight_decay(options, images)};
}

MrenObjective
mren_options_objective(const MrenOptions *options, int32_t negative)
{
	return (MrenObjective){
		.loss = options->loss,
		.fixed = options->negative_logit == MREN_NEGATIVE_LOGIT_FIXED ? negative : -1,
		.ranking_scale = options->ranking_scale,
		.margin_right = options->margin_right,
		.margin_wrong = options->margin_wrong,
	};
}

const char *
mren_options_renamed(const char *old_key)
{
	return mren_option_renamed(&options_table, old_key);
}

bool
mren_options_known(const char *key)
{
	return mren_option_find(&options_table, key) != NULL;
}

void
mren_options_list(char *buffer, size_t size)
{
	mren_option_list(&options_table, buffer, size);
}

/* Whether the value of text_encoder names a pretrained one. */
static bool
is_name(const MrenOptionValue *value)
{
	return value->kind == MREN_VALUE_STRING && value->string[0] != '\0' &&
		   strcmp(value->string, "pool") != 0 && strcmp(value->string, "conv") != 0;
}

MrenStatus
mren_options_set(MrenOptions *options, const char *key, const MrenOptionValue *value,
				 MrenError *err)
{
	MrenOptions defaults;

	mren_options_init(&defaults);
	if (strcmp(key, "text_encoder") == 0)
	{
		options->pretrained = is_name(value) ? value->string : NULL;
		options->text_encoder = defaults.text_encoder;
		if (options->pretrained != NULL)
			return MREN_OK;
	}
	return mren_option_set(&options_table, options, &defaults, key, value, err);
}

/* Left out where it has its default, as in the options of networks before version 0.3.0. */
static bool
is_left_out(const MrenOption *option, const MrenOptions *options)
{
	return option->kind != MREN_OPTION_SHARED && option->offset == AT(weak) &&
		   options->weak == MREN_WEAK_FIRST;
}

/* Whether the option has an effect only with a pretrained text encoder. */
static bool
is_of_pretrained(const MrenOption *option)
{
	return option->kind != MREN_OPTION_SHARED && option->offset > AT(pretrained) &&
		   option->offset <= AT(encoder_refit);
}

MrenStatus
mren_options_json(const MrenEnv *env, const MrenOptions *options, char **json, MrenError *err)
{
	MrenOptions effective = *options;
	MrenOptionTable table = options_table;
	MrenOption shown[sizeof(rows) / sizeof(rows[0])];

	effective.window = mren_options_window(options);
	table.options = shown;
	table.n = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		if ((options->pretrained == NULL && is_of_pretrained(&rows[i])) ||
			is_left_out(&rows[i], options))
			continue;
		shown[table.n] = rows[i];
		if (options->pretrained != NULL && rows[i].offset == AT(text_encoder))
			shown[table.n] =
				(MrenOption){rows[i].key, MREN_OPTION_NAME, AT(pretrained), 1, 255, {NULL}};
		table.n++;
	}
	return mren_option_json(env, &table, &effective, json, err);
}
