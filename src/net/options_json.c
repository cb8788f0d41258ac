/*
 * options_json.c
 *	  The effective options as JSON text.
 */
#include "net/options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "net/buffer.h"

/* A JSON text in the making; the first failure stays. */
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
put_key(Writer *w, const char *key)
{
	put_text(w, w->buffer.len > 1 ? ", " : "");
	put_string(w, key);
	put_text(w, ": ");
}

/* The shortest of the usual forms that reads back as the same number. */
static void
put_number(Writer *w, const char *key, double number)
{
	char text[40];
	double back;

	put_key(w, key);
	for (int digits = 6; digits <= 17; digits++)
	{
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (sscanf(text, "%lf", &back) == 1 && back == number)
			break;
	}
	put_text(w, text);
}

static void
put_word(Writer *w, const char *key, const char *word)
{
	put_key(w, key);
	if (word != NULL)
		put_string(w, word);
	else
		put_text(w, "null");
}

static void
put_integer(Writer *w, const char *key, int64_t number)
{
	char text[32];

	put_key(w, key);
	snprintf(text, sizeof(text), "%lld", (long long) number);
	put_text(w, text);
}

static void
put_hidden(Writer *w, const MrenOptions *options)
{
	char text[32];

	put_key(w, "hidden");
	put_text(w, "[");
	for (size_t i = 0; i < options->n_hidden; i++)
	{
		snprintf(text, sizeof(text), "%s%zu", i > 0 ? ", " : "", options->hidden[i]);
		put_text(w, text);
	}
	put_text(w, "]");
}

static void
put_bool(Writer *w, const char *key, bool value)
{
	put_key(w, key);
	put_text(w, value ? "true" : "false");
}

static void
put_options(Writer *w, const MrenOptions *o)
{
	static const char *const fusions[] = {"parallel", "sequential", "hybrid", "auto"};

	put_text(w, "{");
	put_word(w, "activation", o->activation == MREN_ACTIVATION_RELU ? "relu" : "tanh");
	if (o->average >= 0)
		put_number(w, "average", o->average);
	else
		put_word(w, "average", NULL);
	put_integer(w, "batch_size", (int64_t) o->batch_size);
	put_word(w, "class_weights",
			 o->class_weights == MREN_CLASS_WEIGHTS_BALANCED ? "balanced" : "none");
	put_number(w, "dropout", o->dropout);
	if (o->ensemble != MREN_ENSEMBLE_AUTO)
		put_integer(w, "ensemble", (int64_t) o->ensemble);
	else
		put_word(w, "ensemble", NULL);
	put_integer(w, "epochs", (int64_t) o->epochs);
	put_integer(w, "filters", (int64_t) o->filters);
	put_word(w, "fusion", fusions[o->fusion]);
	put_hidden(w, o);
	put_number(w, "hidden_dropout", o->hidden_dropout);
	put_number(w, "image_dropout", o->image_dropout);
	put_bool(w, "image_gate", o->image_gate);
	put_integer(w, "image_units", (int64_t) o->image_units);
	put_number(w, "l2", o->l2);
	put_number(w, "learning_rate", o->learning_rate);
	put_word(w, "loss",
			 o->loss == MREN_LOSS_RANKING ? "ranking"
			 : o->loss == MREN_LOSS_MSE	  ? "mse"
										  : "cross_entropy");
	put_number(w, "margin_right", o->margin_right);
	put_number(w, "margin_wrong", o->margin_wrong);
	put_number(w, "momentum", o->momentum);
	put_word(w, "negative", o->negative);
	put_word(w, "negative_logit",
			 o->negative_logit == MREN_NEGATIVE_LOGIT_FIXED ? "fixed" : "learned");
	put_word(w, "optimizer", o->optimizer == MREN_OPTIMIZER_SGD ? "sgd" : "adam");
	put_integer(w, "patience", (int64_t) o->patience);
	put_integer(w, "product", (int64_t) o->product);
	put_number(w, "ranking_scale", o->ranking_scale);
	put_bool(w, "refit", o->refit);
	put_integer(w, "seed", o->seed);
	put_word(w, "text_encoder", o->text_encoder == MREN_TEXT_CONV ? "conv" : "pool");
	if (o->threshold >= 0)
		put_number(w, "threshold", o->threshold);
	else
		put_word(w, "threshold", NULL);
	put_number(w, "validation_share", o->validation_share);
	put_word(w, "vectors", o->vectors == MREN_WORDS_TUNED ? "tuned" : "frozen");
	put_integer(w, "wide", (int64_t) o->wide);
	put_integer(w, "window", (int64_t) mren_options_window(o));
	put_number(w, "word_dropout", o->word_dropout);
	put(w, "}", 2); /* with its zero byte */
}

MrenStatus
mren_options_json(const MrenEnv *env, const MrenOptions *options, char **json, MrenError *err)
{
	Writer w = {env, {0}, MREN_OK, err};

	put_options(&w, options);
	if (w.status != MREN_OK)
	{
		mren_buffer_free(env, &w.buffer);
		return w.status;
	}
	*json = (char *) w.buffer.data;
	return MREN_OK;
}
