/*
 * option_table.c
 *	  Setting an option from a value, and saying what it allows.
 */
#include "training/option_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const MrenOption *
find_row(const MrenOptionTable *table, const char *key)
{
	for (size_t i = 0; i < table->n; i++)
	{
		if (strcmp(table->options[i].key, key) == 0)
			return &table->options[i];
	}
	return NULL;
}

const MrenOption *
mren_option_find(const MrenOptionTable *table, const char *key)
{
	const MrenOption *option = find_row(table, key);

	return option != NULL && option->kind == MREN_OPTION_SHARED ? find_row(table->base, key)
																: option;
}

const char *
mren_option_renamed(const MrenOptionTable *table, const char *old_key)
{
	for (size_t i = 0; i < table->n_renamed; i++)
	{
		if (strcmp(table->renamed[i].old_key, old_key) == 0)
			return table->renamed[i].key;
	}
	return NULL;
}

void
mren_option_list(const MrenOptionTable *table, char *buffer, size_t size)
{
	size_t len = 0;

	if (size > 0)
		buffer[0] = '\0';
	for (size_t i = 0; i < table->n; i++)
	{
		const char *key = table->options[i].key;
		size_t need = strlen(key) + (i > 0 ? 2 : 0);

		if (len + need + 1 > size)
			return;
		snprintf(buffer + len, size - len, "%s%s", i > 0 ? ", " : "", key);
		len += need;
	}
}

static int
last_word(const MrenOption *option)
{
	int i = 0;

	while (i < 3 && option->words[i + 1] != NULL)
		i++;
	return i;
}

/* What an option allows, as a sentence for the hint. */
static void
hint_allowed(const MrenOption *option, MrenError *err)
{
	char words[128] = "";
	size_t len = 0;

	switch (option->kind)
	{
		case MREN_OPTION_SIZE:
			mren_error_hint(err, "\"%s\" is an integer from %.0f to %.0f.", option->key,
							option->low, option->high);
			return;
		case MREN_OPTION_REAL:
			mren_error_hint(err, "\"%s\" is a number from %g to %g.", option->key, option->low,
							option->high);
			return;
		case MREN_OPTION_SIZES:
			mren_error_hint(err, "\"%s\" is an array of 1 to %d integers from %.0f to %.0f.",
							option->key, MREN_MAX_HIDDEN, option->low, option->high);
			return;
		case MREN_OPTION_SEED:
			mren_error_hint(err, "\"%s\" is an integer of 64 bits.", option->key);
			return;
		case MREN_OPTION_BOOL:
			mren_error_hint(err, "\"%s\" is true or false.", option->key);
			return;
		case MREN_OPTION_NAME:
			mren_error_hint(err, "\"%s\" is the name of a relation.", option->key);
			return;
		case MREN_OPTION_AIM:
		case MREN_OPTION_CHOICE:
		case MREN_OPTION_SHARED:
			break;
	}
	for (int i = 0; i < 4 && option->words[i] != NULL; i++)
	{
		bool takes_number = option->kind == MREN_OPTION_AIM && i == last_word(option);

		len += (size_t) snprintf(words + len, sizeof(words) - len,
								 takes_number ? "%s{\"%s\": number from %g to %g}" : "%s\"%s\"",
								 i > 0 ? ", " : "", option->words[i], option->low, option->high);
	}
	mren_error_hint(err, "Allowed values of \"%s\": %s.", option->key, words);
}

/* A value as the message shows it. */
static void
describe(const MrenOptionValue *value, char *text, size_t size)
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
		case MREN_VALUE_MEMBER:
			snprintf(text, size, "{\"%.100s\": %.15g}", value->string, value->number);
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
fail_value(const MrenOption *option, const MrenOptionValue *value, MrenError *err)
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

static bool
set_choice(const MrenOption *option, void *field, const MrenOptionValue *value)
{
	for (int i = 0; value->kind == MREN_VALUE_STRING && i < 4 && option->words[i] != NULL; i++)
	{
		if (strcmp(option->words[i], value->string) == 0)
		{
			memcpy(field, &i, sizeof(i));
			return true;
		}
	}
	return false;
}

static bool
set_aim(const MrenOption *option, void *field, const MrenOptionValue *value)
{
	MrenAimOption aim = {last_word(option), value->number};

	if (value->kind == MREN_VALUE_MEMBER)
	{
		if (strcmp(value->string, option->words[aim.word]) != 0 ||
			!(value->number >= option->low && value->number <= option->high))
			return false;
	}
	else
	{
		aim.number = 0;
		if (!set_choice(option, &aim.word, value) || aim.word == last_word(option))
			return false;
	}
	memcpy(field, &aim, sizeof(aim));
	return true;
}

static bool
set_name(const MrenOption *option, void *field, const MrenOptionValue *value)
{
	if (value->kind != MREN_VALUE_STRING || (double) strlen(value->string) < option->low ||
		(double) strlen(value->string) > option->high)
		return false;
	memcpy(field, &value->string, sizeof(char *));
	return true;
}

static bool
set_sizes(const MrenOption *option, void *field, const MrenOptionValue *value)
{
	MrenSizes sizes = {0};

	if (value->kind != MREN_VALUE_NUMBERS || value->n_numbers < 1 ||
		value->n_numbers > MREN_MAX_HIDDEN)
		return false;
	for (; sizes.n < value->n_numbers; sizes.n++)
	{
		if (!is_integer_within(value->numbers[sizes.n], option->low, option->high))
			return false;
		sizes.at[sizes.n] = (size_t) value->numbers[sizes.n];
	}
	memcpy(field, &sizes, sizeof(sizes));
	return true;
}

static bool
set_number(const MrenOption *option, void *field, const MrenOptionValue *value)
{
	double number = value->number;
	size_t size;
	int64_t seed;

	if (value->kind != MREN_VALUE_NUMBER || !isfinite(number))
		return false;
	switch (option->kind)
	{
		case MREN_OPTION_SIZE:
			if (!is_integer_within(number, option->low, option->high))
				return false;
			size = (size_t) number;
			memcpy(field, &size, sizeof(size));
			return true;
		case MREN_OPTION_SEED:
			if (!is_integer_within(number, -0x1p53, 0x1p53))
				return false;
			seed = (int64_t) number;
			memcpy(field, &seed, sizeof(seed));
			return true;
		default:
			if (!(number >= option->low && number <= option->high))
				return false;
			memcpy(field, &number, sizeof(number));
			return true;
	}
}

static bool
set_field(const MrenOption *option, void *field, const MrenOptionValue *value)
{
	switch (option->kind)
	{
		case MREN_OPTION_CHOICE:
			return set_choice(option, field, value);
		case MREN_OPTION_AIM:
			return set_aim(option, field, value);
		case MREN_OPTION_NAME:
			return set_name(option, field, value);
		case MREN_OPTION_SIZES:
			return set_sizes(option, field, value);
		case MREN_OPTION_BOOL:
			if (value->kind != MREN_VALUE_BOOL)
				return false;
			memcpy(field, &value->boolean, sizeof(bool));
			return true;
		case MREN_OPTION_SIZE:
		case MREN_OPTION_REAL:
		case MREN_OPTION_SEED:
		case MREN_OPTION_SHARED:
			break;
	}
	return set_number(option, field, value);
}

static size_t
field_size(const MrenOption *option)
{
	switch (option->kind)
	{
		case MREN_OPTION_SIZE:
			return sizeof(size_t);
		case MREN_OPTION_REAL:
			return sizeof(double);
		case MREN_OPTION_CHOICE:
			return sizeof(int);
		case MREN_OPTION_BOOL:
			return sizeof(bool);
		case MREN_OPTION_NAME:
			return sizeof(char *);
		case MREN_OPTION_SIZES:
			return sizeof(MrenSizes);
		case MREN_OPTION_SEED:
			return sizeof(int64_t);
		case MREN_OPTION_AIM:
			return sizeof(MrenAimOption);
		case MREN_OPTION_SHARED:
			break;
	}
	return 0;
}

static MrenStatus
fail_unknown(const MrenOptionTable *table, const char *key, MrenError *err)
{
	const char *renamed = mren_option_renamed(table, key);
	char keys[960];

	mren_fail(err, MREN_EPARAM, "unknown option \"%.100s\"", key);
	if (renamed != NULL)
	{
		mren_error_hint(err, "Option \"%s\" is now called \"%s\".", key, renamed);
		return MREN_EPARAM;
	}
	mren_option_list(table, keys, sizeof(keys));
	mren_error_hint(err, "Options are %s.", keys);
	return MREN_EPARAM;
}

MrenStatus
mren_option_set(const MrenOptionTable *table, void *fields, const void *defaults, const char *key,
				const MrenOptionValue *value, MrenError *err)
{
	const MrenOption *option = mren_option_find(table, key);
	char *field;

	if (option == NULL)
		return fail_unknown(table, key, err);
	field = (char *) fields + option->offset;
	if (value->kind == MREN_VALUE_NULL)
		memcpy(field, (const char *) defaults + option->offset, field_size(option));
	else if (!set_field(option, field, value))
		return fail_value(option, value, err);
	return MREN_OK;
}
