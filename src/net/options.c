/*
 * options.c
 *	  The table of options: names, types, ranges, defaults.
 *
 * One row a key, in alphabetical order, which is also the order of the JSON.
 */
#include "net/options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "net/branch_wide.h"
#include "net/buffer.h"

typedef enum Kind
{
	KIND_SIZE,	 /* size_t, an integer within low .. high */
	KIND_REAL,	 /* double, within low .. high */
	KIND_CHOICE, /* an enum (int), one of the words */
	KIND_BOOL,
	KIND_NAME,	/* const char * */
	KIND_SIZES, /* hidden */
	KIND_SEED,	/* int64_t */
	KIND_FIXED, /* no field: words[0] is all there is yet */
} Kind;

typedef struct Option
{
	const char *key;
	Kind kind;
	size_t offset;
	double low;
	double high;
	const char *words[4]; /* of a choice, in the order of its enum */
	const char *promised; /* a choice that is not built yet, comma after each */
} Option;

#define AT(field) offsetof(MrenOptions, field)

static const Option table[] = {
	{"activation", KIND_CHOICE, AT(activation), 0, 0, {"relu", "tanh"}, ""},
	{"average", KIND_REAL, AT(average), 0, 0.9999, {NULL}, ""},
	{"batch_size", KIND_SIZE, AT(batch_size), 1, 4096, {NULL}, ""},
	{"class_weights", KIND_CHOICE, AT(class_weights), 0, 0, {"none", "balanced"}, ""},
	{"dropout", KIND_REAL, AT(dropout), 0, 0.95, {NULL}, ""},
	{"ensemble", KIND_SIZE, AT(ensemble), 1, MREN_MAX_MEMBERS, {NULL}, ""},
	{"epochs", KIND_SIZE, AT(epochs), 1, 10000, {NULL}, ""},
	{"filters", KIND_SIZE, AT(filters), 1, 1024, {NULL}, ""},
	{"fusion", KIND_CHOICE, AT(fusion), 0, 0, {"parallel", "sequential", "hybrid", "auto"}, ""},
	{"hidden", KIND_SIZES, AT(hidden), 1, MREN_MAX_HIDDEN_SIZE, {NULL}, ""},
	{"hidden_dropout", KIND_REAL, AT(hidden_dropout), 0, 0.95, {NULL}, ""},
	{"image_dropout", KIND_REAL, AT(image_dropout), 0, 0.95, {NULL}, ""},
	{"image_gate", KIND_BOOL, AT(image_gate), 0, 0, {NULL}, ""},
	{"image_units", KIND_SIZE, AT(image_units), 0, 1024, {NULL}, ""},
	{"l2", KIND_REAL, AT(l2), 0, 1, {NULL}, ""},
	{"learning_rate", KIND_REAL, AT(learning_rate), 1e-8, 10, {NULL}, ""},
	{"loss", KIND_CHOICE, AT(loss), 0, 0, {"cross_entropy", "mse", "ranking"}, ""},
	{"margin_right", KIND_REAL, AT(margin_right), 0, 100, {NULL}, ""},
	{"margin_wrong", KIND_REAL, AT(margin_wrong), 0, 100, {NULL}, ""},
	{"momentum", KIND_REAL, AT(momentum), 0, 0.999, {NULL}, ""},
	{"negative", KIND_NAME, AT(negative), 0, 0, {NULL}, ""},
	{"negative_logit", KIND_CHOICE, AT(negative_logit), 0, 0, {"learned", "fixed"}, ""},
	{"optimizer", KIND_CHOICE, AT(optimizer), 0, 0, {"adam", "sgd"}, ""},
	{"patience", KIND_SIZE, AT(patience), 0, 10000, {NULL}, ""},
	{"product", KIND_SIZE, AT(product), 0, 1024, {NULL}, ""},
	{"ranking_scale", KIND_REAL, AT(ranking_scale), 0.01, 100, {NULL}, ""},
	{"refit", KIND_BOOL, AT(refit), 0, 0, {NULL}, ""},
	{"seed", KIND_SEED, AT(seed), 0, 0, {NULL}, ""},
	{"text_encoder", KIND_CHOICE, AT(text_encoder), 0, 0, {"pool", "conv"}, ""},
	{"threshold", KIND_REAL, AT(threshold), 0, 1, {NULL}, ""},
	{"validation_share", KIND_REAL, AT(validation_share), 0, 0.5, {NULL}, ""},
	{"vectors", KIND_CHOICE, AT(vectors), 0, 0, {"frozen", "tuned"}, ""},
	{"wide", KIND_SIZE, AT(wide), 0, MREN_MAX_WIDE_BITS, {NULL}, ""},
	{"window", KIND_SIZE, AT(window), 0, 64, {NULL}, ""},
	{"word_dropout", KIND_REAL, AT(word_dropout), 0, 0.95, {NULL}, ""},
};

#define N_OPTIONS (sizeof(table) / sizeof(table[0]))

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
	options->ensemble = MREN_ENSEMBLE_AUTO;
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

size_t
mren_options_ensemble(const MrenOptions *options, bool pictures)
{
	if (options->ensemble != MREN_ENSEMBLE_AUTO)
		return options->ensemble;
	return pictures ? MREN_PICTURE_MEMBERS : 1;
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

static const Option *
find_option(const char *key)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
	{
		if (strcmp(table[i].key, key) == 0)
			return &table[i];
	}
	return NULL;
}

bool
mren_options_known(const char *key)
{
	return find_option(key) != NULL;
}

void
mren_options_list(char *buffer, size_t size)
{
	size_t len = 0;

	if (size > 0)
		buffer[0] = '\0';
	for (size_t i = 0; i < N_OPTIONS; i++)
	{
		size_t need = strlen(table[i].key) + (i > 0 ? 2 : 0);

		if (len + need + 1 > size)
			return;
		snprintf(buffer + len, size - len, "%s%s", i > 0 ? ", " : "", table[i].key);
		len += need;
	}
}

/* What an option allows, as a sentence for the hint. */
static void
hint_allowed(const Option *option, MrenError *err)
{
	char words[128] = "";
	size_t len = 0;

	switch (option->kind)
	{
		case KIND_SIZE:
			mren_error_hint(err, "\"%s\" is an integer from %.0f to %.0f.", option->key,
							option->low, option->high);
			return;
		case KIND_REAL:
			mren_error_hint(err, "\"%s\" is a number from %g to %g.", option->key, option->low,
							option->high);
			return;
		case KIND_SIZES:
			mren_error_hint(err, "\"%s\" is an array of 1 to %d integers from %.0f to %.0f.",
							option->key, MREN_MAX_HIDDEN, option->low, option->high);
			return;
		case KIND_SEED:
			mren_error_hint(err, "\"%s\" is an integer of 64 bits.", option->key);
			return;
		case KIND_BOOL:
			mren_error_hint(err, "\"%s\" is true or false.", option->key);
			return;
		case KIND_NAME:
			mren_error_hint(err, "\"%s\" is the name of a relation.", option->key);
			return;
		case KIND_CHOICE:
		case KIND_FIXED:
			break;
	}
	for (int i = 0; i < 4 && option->words[i] != NULL; i++)
		len += (size_t) snprintf(words + len, sizeof(words) - len, "%s\"%s\"", i > 0 ? ", " : "",
								 option->words[i]);
	mren_error_hint(err, "Allowed values of \"%s\": %s.", option->key, words);
}

/* A value as the message shows it. */
static void
describe(const MrenValue *value, char *text, size_t size)
{
	size_t len = 0;

	switch (value->kind)
	{
		case MREN_VALUE_NUMBER:
			snprintf(text, size, "%.15g", value->number);
			return;
		case MREN_VALUE_STRING:
			snprintf(text, size, "\"%.100s\"", value->string);
			return;
		case MREN_VALUE_BOOL:
			snprintf(text, size, "%s", value->boolean ? "true" : "false");
			return;
		case MREN_VALUE_NULL:
			snprintf(text, size, "null");
			return;
		case MREN_VALUE_OTHER:
			snprintf(text, size, "an object or array");
			return;
		case MREN_VALUE_NUMBERS:
			break;
	}
	len = (size_t) snprintf(text, size, "[");
	for (size_t i = 0; i < value->n_numbers && len + 32 < size; i++)
		len += (size_t) snprintf(text + len, size - len, "%s%.6g", i > 0 ? ", " : "",
								 value->numbers[i]);
	snprintf(text + len, size - len, "]");
}

static MrenStatus
fail_value(const Option *option, const MrenValue *value, MrenError *err)
{
	char text[256];

	describe(value, text, sizeof(text));
	mren_fail(err, MREN_EPARAM, "invalid value for option \"%s\": %s", option->key, text);
	hint_allowed(option, err);
	return MREN_EPARAM;
}

static bool
is_integer_within(double number, double low, double high)
{
	return number >= low && number <= high && floor(number) == number;
}

/* The words of a choice or a fixed option. */
static MrenStatus
set_choice(const Option *option, void *field, const MrenValue *value, MrenError *err)
{
	const char *at;

	if (value->kind != MREN_VALUE_STRING)
		return fail_value(option, value, err);
	for (int i = 0; i < 4 && option->words[i] != NULL; i++)
	{
		if (strcmp(option->words[i], value->string) == 0)
		{
			if (option->kind == KIND_CHOICE)
				memcpy(field, &i, sizeof(i));
			return MREN_OK;
		}
	}
	at = value->string[0] != '\0' && strchr(value->string, ',') == NULL
			 ? strstr(option->promised, value->string)
			 : NULL;
	if (at != NULL && (at == option->promised || at[-1] == ',') && at[strlen(value->string)] == ',')
	{
		mren_fail(err, MREN_EUNSUPPORTED, "option \"%s\" does not support \"%s\" in this version",
				  option->key, value->string);
		hint_allowed(option, err);
		return MREN_EUNSUPPORTED;
	}
	return fail_value(option, value, err);
}

static MrenStatus
set_sizes(const Option *option, MrenOptions *options, const MrenValue *value, MrenError *err)
{
	if (value->kind != MREN_VALUE_NUMBERS || value->n_numbers < 1 ||
		value->n_numbers > MREN_MAX_HIDDEN)
		return fail_value(option, value, err);
	for (size_t i = 0; i < value->n_numbers; i++)
	{
		if (!is_integer_within(value->numbers[i], option->low, option->high))
			return fail_value(option, value, err);
	}
	options->n_hidden = value->n_numbers;
	memset(options->hidden, 0, sizeof(options->hidden));
	for (size_t i = 0; i < value->n_numbers; i++)
		options->hidden[i] = (size_t) value->numbers[i];
	return MREN_OK;
}

static MrenStatus
set_number(const Option *option, void *field, const MrenValue *value, MrenError *err)
{
	double number = value->number;
	size_t size;
	int64_t seed;

	if (value->kind != MREN_VALUE_NUMBER || !isfinite(number))
		return fail_value(option, value, err);
	switch (option->kind)
	{
		case KIND_SIZE:
			if (!is_integer_within(number, option->low, option->high))
				return fail_value(option, value, err);
			size = (size_t) number;
			memcpy(field, &size, sizeof(size));
			return MREN_OK;
		case KIND_SEED:
			if (!is_integer_within(number, -0x1p53, 0x1p53))
				return fail_value(option, value, err);
			seed = (int64_t) number;
			memcpy(field, &seed, sizeof(seed));
			return MREN_OK;
		default:
			if (!(number >= option->low && number <= option->high))
				return fail_value(option, value, err);
			memcpy(field, &number, sizeof(number));
			return MREN_OK;
	}
}

static size_t
field_size(const Option *option)
{
	switch (option->kind)
	{
		case KIND_SIZE:
			return sizeof(size_t);
		case KIND_REAL:
			return sizeof(double);
		case KIND_CHOICE:
			return sizeof(int);
		case KIND_BOOL:
			return sizeof(bool);
		case KIND_NAME:
			return sizeof(char *);
		case KIND_SIZES:
			return sizeof(size_t) * MREN_MAX_HIDDEN;
		case KIND_SEED:
			return sizeof(int64_t);
		case KIND_FIXED:
			break;
	}
	return 0;
}

static void
set_default(const Option *option, MrenOptions *options)
{
	MrenOptions defaults;

	mren_options_init(&defaults);
	memcpy((char *) options + option->offset, (char *) &defaults + option->offset,
		   field_size(option));
	if (option->kind == KIND_SIZES)
		options->n_hidden = defaults.n_hidden;
}

MrenStatus
mren_options_set(MrenOptions *options, const char *key, const MrenValue *value, MrenError *err)
{
	const Option *option = find_option(key);
	void *field;

	if (option == NULL)
	{
		char keys[960];

		mren_options_list(keys, sizeof(keys));
		mren_fail(err, MREN_EPARAM, "unknown option \"%.100s\"", key);
		mren_error_hint(err, "Options are %s.", keys);
		return MREN_EPARAM;
	}
	if (value->kind == MREN_VALUE_NULL)
	{
		set_default(option, options);
		return MREN_OK;
	}
	field = (char *) options + option->offset;
	switch (option->kind)
	{
		case KIND_CHOICE:
		case KIND_FIXED:
			return set_choice(option, field, value, err);
		case KIND_SIZES:
			return set_sizes(option, options, value, err);
		case KIND_BOOL:
			if (value->kind != MREN_VALUE_BOOL)
				return fail_value(option, value, err);
			memcpy(field, &value->boolean, sizeof(bool));
			return MREN_OK;
		case KIND_NAME:
			if (value->kind != MREN_VALUE_STRING || value->string[0] == '\0' ||
				strlen(value->string) > MREN_MAX_NEGATIVE)
				return fail_value(option, value, err);
			memcpy(field, &value->string, sizeof(char *));
			return MREN_OK;
		case KIND_SIZE:
		case KIND_REAL:
		case KIND_SEED:
			break;
	}
	return set_number(option, field, value, err);
}
