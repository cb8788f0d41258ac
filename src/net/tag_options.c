/*
 * tag_options.c
 *	  The options of a tagger: those it shares with relation networks, and its
 *	  own few.
 */
#include "net/tag_options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "net/buffer.h"

typedef enum Kind
{
	KIND_SHARED, /* of options.h */
	KIND_SIZE,
	KIND_REAL,
	KIND_BOOL,
} Kind;

typedef struct Option
{
	const char *key;
	Kind kind;
	size_t offset; /* in MrenTagOptions */
	double low;
	double high;
} Option;

#define AT(field) offsetof(MrenTagOptions, field)
#define BASE(field) offsetof(MrenTagOptions, base.field)

/* In alphabetical order, which is also that of the JSON. */
static const Option table[] = {
	{"activation", KIND_SHARED, BASE(activation), 0, 0},
	{"anneal", KIND_REAL, AT(anneal), 0, 1},
	{"average", KIND_REAL, AT(average), 0, 0.9999},
	{"batch_size", KIND_SHARED, BASE(batch_size), 0, 0},
	{"context", KIND_SIZE, AT(context), 0, 8},
	{"direct", KIND_BOOL, AT(direct), 0, 0},
	{"direct_dropout", KIND_REAL, AT(direct_dropout), 0, 0.95},
	{"dropout", KIND_SHARED, BASE(dropout), 0, 0},
	{"epochs", KIND_SHARED, BASE(epochs), 0, 0},
	{"feature_dim", KIND_SIZE, AT(feature_dim), 0, 1024},
	{"hidden", KIND_SHARED, BASE(hidden), 0, 0},
	{"hidden_dropout", KIND_SHARED, BASE(hidden_dropout), 0, 0},
	{"l2", KIND_SHARED, BASE(l2), 0, 0},
	{"learning_rate", KIND_SHARED, BASE(learning_rate), 0, 0},
	{"patience", KIND_SHARED, BASE(patience), 0, 0},
	{"refit", KIND_SHARED, BASE(refit), 0, 0},
	{"seed", KIND_SHARED, BASE(seed), 0, 0},
	{"validation_share", KIND_SHARED, BASE(validation_share), 0, 0},
	{"window", KIND_SIZE, BASE(window), 0, 8},
	{"word_dropout", KIND_REAL, AT(word_dropout), 0, 0.95},
};

#define N_OPTIONS (sizeof(table) / sizeof(table[0]))

void
mren_tag_options_init(MrenTagOptions *options)
{
	memset(options, 0, sizeof(*options));
	mren_options_init(&options->base);
	options->base.n_hidden = 2;
	options->base.hidden[0] = 128;
	options->base.hidden[1] = 128;
	options->base.window = 2;
	options->base.dropout = 0.3;
	options->base.hidden_dropout = 0.3;
	options->base.epochs = 40;
	options->base.learning_rate = 0.002;
	options->context = 1;
	options->anneal = 0;
	options->feature_dim = 64;
	options->direct = true;
	options->direct_dropout = 0.3;
	options->word_dropout = 0.05;
	options->average = 0.99;
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
mren_tag_options_known(const char *key)
{
	return find_option(key) != NULL;
}

void
mren_tag_options_list(char *buffer, size_t size)
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

static MrenStatus
fail_value(const Option *option, const MrenValue *value, MrenError *err)
{
	if (value->kind == MREN_VALUE_NUMBER)
		mren_fail(err, MREN_EPARAM, "invalid value for option \"%s\": %.15g", option->key,
				  value->number);
	else if (value->kind == MREN_VALUE_STRING)
		mren_fail(err, MREN_EPARAM, "invalid value for option \"%s\": \"%.100s\"", option->key,
				  value->string);
	else
		mren_fail(err, MREN_EPARAM, "invalid value for option \"%s\"", option->key);
	if (option->kind == KIND_SIZE)
		mren_error_hint(err, "\"%s\" is an integer from %.0f to %.0f.", option->key, option->low,
						option->high);
	else if (option->kind == KIND_REAL)
		mren_error_hint(err, "\"%s\" is a number from %g to %g.", option->key, option->low,
						option->high);
	else
		mren_error_hint(err, "\"%s\" is true or false.", option->key);
	return MREN_EPARAM;
}

static MrenStatus
set_own(const Option *option, void *field, const MrenValue *value, MrenError *err)
{
	size_t size;

	if (option->kind == KIND_BOOL)
	{
		if (value->kind != MREN_VALUE_BOOL)
			return fail_value(option, value, err);
		memcpy(field, &value->boolean, sizeof(bool));
		return MREN_OK;
	}
	if (value->kind != MREN_VALUE_NUMBER ||
		!(value->number >= option->low && value->number <= option->high))
		return fail_value(option, value, err);
	if (option->kind == KIND_REAL)
	{
		memcpy(field, &value->number, sizeof(double));
		return MREN_OK;
	}
	if (floor(value->number) != value->number)
		return fail_value(option, value, err);
	size = (size_t) value->number;
	memcpy(field, &size, sizeof(size));
	return MREN_OK;
}

MrenStatus
mren_tag_options_set(MrenTagOptions *options, const char *key, const MrenValue *value,
					 MrenError *err)
{
	const Option *option = find_option(key);

	if (option == NULL)
	{
		char keys[480];

		mren_tag_options_list(keys, sizeof(keys));
		mren_fail(err, MREN_EPARAM, "unknown option \"%.100s\"", key);
		mren_error_hint(err, "Options are %s.", keys);
		return MREN_EPARAM;
	}
	/* A key occurs once: what it has until then is its default. */
	if (value->kind == MREN_VALUE_NULL)
		return MREN_OK;
	if (option->kind == KIND_SHARED)
		return mren_options_set(&options->base, key, value, err);
	return set_own(option, (char *) options + option->offset, value, err);
}

/*
 * As JSON
 */

static int
format_number(char *text, size_t size, double number)
{
	double back;
	int len = 0;

	for (int digits = 6; digits <= 17; digits++)
	{
		len = snprintf(text, size, "%.*g", digits, number);
		if (sscanf(text, "%lf", &back) == 1 && back == number)
			break;
	}
	return len;
}

static int
format_hidden(char *text, size_t size, const MrenOptions *options)
{
	int len = snprintf(text, size, "[");

	for (size_t i = 0; i < options->n_hidden; i++)
		len += snprintf(text + len, size - (size_t) len, "%s%zu", i > 0 ? ", " : "",
						options->hidden[i]);
	return len + snprintf(text + len, size - (size_t) len, "]");
}

/* The value of an option; some 100 characters at most. */
static int
format_value(char *text, size_t size, const MrenTagOptions *options, const Option *option)
{
	const char *field = (const char *) options + option->offset;
	const MrenOptions *base = &options->base;

	if (option->kind == KIND_BOOL || strcmp(option->key, "refit") == 0)
		return snprintf(text, size, "%s", *(const bool *) field ? "true" : "false");
	if (option->kind == KIND_SIZE || strcmp(option->key, "batch_size") == 0 ||
		strcmp(option->key, "epochs") == 0 || strcmp(option->key, "patience") == 0)
		return snprintf(text, size, "%zu", *(const size_t *) field);
	if (strcmp(option->key, "activation") == 0)
		return snprintf(text, size, "\"%s\"",
						base->activation == MREN_ACTIVATION_RELU ? "relu" : "tanh");
	if (strcmp(option->key, "hidden") == 0)
		return format_hidden(text, size, base);
	if (strcmp(option->key, "seed") == 0)
		return snprintf(text, size, "%lld", (long long) base->seed);
	return format_number(text, size, *(const double *) field);
}

MrenStatus
mren_tag_options_json(const MrenEnv *env, const MrenTagOptions *options, char **json,
					  MrenError *err)
{
	MrenBuffer out = {0};
	MrenStatus status = MREN_OK;

	for (size_t i = 0; i < N_OPTIONS && status == MREN_OK; i++)
	{
		char text[256];
		int len = snprintf(text, sizeof(text), "%s\"%s\": ", i == 0 ? "{" : ", ", table[i].key);

		len += format_value(text + len, sizeof(text) - (size_t) len, options, &table[i]);
		status = mren_buffer_append(env, &out, text, (size_t) len, err);
	}
	if (status == MREN_OK)
		status = mren_buffer_append(env, &out, "}", 2, err);
	if (status != MREN_OK)
	{
		mren_buffer_free(env, &out);
		return status;
	}
	*json = (char *) out.data;
	return MREN_OK;
}
