/*
 * option_json.c
 *	  Effective options as JSON text.
 */
#include "training/option_table.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"

/* A JSON text that is being written; the first failure is kept. */
typedef struct Writer
{
	const MrenEnv *env;
	MrenBuffer buffer;
	MrenStatus status;
	MrenError *err;
} Writer;

static void
put(Writer *w, const char *bytes, size_t n)
{
	if (w->status == MREN_OK)
		w->status = mren_buffer_append(w->env, &w->buffer, bytes, n, w->err);
}

static void
put_text(Writer *w, const char *text)
{
	put(w, text, strlen(text));
}

static void
put_string(Writer *w, const char *text)
{
	char escape[8];

	put_text(w, "\"");
	for (const char *c = text; *c != '\0'; c++)
	{
		if (*c == '"' || *c == '\\')
		{
			put_text(w, "\\");
			put(w, c, 1);
		}
		else if ((unsigned char) *c < 0x20)
		{
			snprintf(escape, sizeof(escape), "\\u%04x", (unsigned char) *c);
			put_text(w, escape);
		}
		else
			put(w, c, 1);
	}
	put_text(w, "\"");
}

static void
put_size(Writer *w, size_t size)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", size);
	put_text(w, text);
}

static void
put_seed(Writer *w, int64_t seed)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long) seed);
	put_text(w, text);
}

/* The shortest of the usual forms that reads back as the same number. */
static void
put_real(Writer *w, double number)
{
	char text[40];
	double back;

	for (int digits = 6; digits <= 17; digits++)
	{
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (sscanf(text, "%lf", &back) == 1 && back == number)
			break;
	}
	put_text(w, text);
}

static void
put_aim(Writer *w, const MrenOption *option, const MrenAimOption *aim)
{
	bool has_number = aim->word == 3 || option->words[aim->word + 1] == NULL;

	put_text(w, has_number ? "{" : "");
	put_string(w, option->words[aim->word]);
	if (!has_number)
		return;
	put_text(w, ": ");
	put_real(w, aim->number);
	put_text(w, "}");
}

static void
put_sizes(Writer *w, const MrenSizes *sizes)
{
	put_text(w, "[");
	for (size_t i = 0; i < sizes->n; i++)
	{
		put_text(w, i > 0 ? ", " : "");
		put_size(w, sizes->at[i]);
	}
	put_text(w, "]");
}

/*
 * Whether the field is null: a name that is not given, a number whose default
 * depends on the data.
 */
static bool
is_null(const MrenOption *option, const void *field)
{
	double number;

	if (option->kind == MREN_OPTION_NAME)
		return *(const char *const *) field == NULL;
	if (option->kind == MREN_OPTION_SIZE)
		number = (double) *(const size_t *) field;
	else if (option->kind == MREN_OPTION_REAL)
		number = *(const double *) field;
	else
		return false;
	return !(number >= option->low && number <= option->high);
}

static void
put_field(Writer *w, const MrenOption *option, const void *field)
{
	if (is_null(option, field))
	{
		put_text(w, "null");
		return;
	}
	switch (option->kind)
	{
		case MREN_OPTION_SIZE:
			put_size(w, *(const size_t *) field);
			break;
		case MREN_OPTION_REAL:
			put_real(w, *(const double *) field);
			break;
		case MREN_OPTION_CHOICE:
			put_string(w, option->words[*(const int *) field]);
			break;
		case MREN_OPTION_BOOL:
			put_text(w, *(const bool *) field ? "true" : "false");
			break;
		case MREN_OPTION_NAME:
			put_string(w, *(const char *const *) field);
			break;
		case MREN_OPTION_SIZES:
			put_sizes(w, field);
			break;
		case MREN_OPTION_AIM:
			put_aim(w, option, field);
			break;
		case MREN_OPTION_SEED:
			put_seed(w, *(const int64_t *) field);
			break;
		case MREN_OPTION_SHARED:
			break;
	}
}

MrenStatus
mren_option_json(const MrenEnv *env, const MrenOptionTable *table, const void *fields, char **json,
				 MrenError *err)
{
	Writer w = {env, {0}, MREN_OK, err};

	for (size_t i = 0; i < table->n; i++)
	{
		const MrenOption *option = mren_option_find(table, table->options[i].key);

		put_text(&w, i == 0 ? "{" : ", ");
		put_string(&w, option->key);
		put_text(&w, ": ");
		put_field(&w, option, (const char *) fields + option->offset);
	}
	put(&w, "}", 2); /* with its zero byte */
	if (w.status != MREN_OK)
	{
		mren_buffer_free(env, &w.buffer);
		return w.status;
	}
	*json = (char *) w.buffer.data;
	return MREN_OK;
}
