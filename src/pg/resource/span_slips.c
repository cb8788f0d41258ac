/*
 * span_slips.c
 *	  Counting spans that cut words.
 *
 * Training goes on with such spans, since a mention may be a part of a word; but if
 * they are many, the offsets are wrong, and the model would learn from
 * pieces of words.
 */
#include "pg/resource/span_slips.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "pg/resource/tokenizer.h"
#include "pg/support/pg_env.h"

#define LISTED 3

void
mren_slips_row(MrenSpanSlips *slips, MrenTextSpan sentence)
{
	MrenEnv env = mren_pg_env(slips->context);
	MrenError err;

	slips->sentence = sentence;
	MREN_PG_CALL(err, mren_tokenize(mren_pg_tokenizer(), &env, sentence.data, sentence.len,
									&slips->tokens, &err));
}

static char *
in_server(MrenTextSpan text)
{
	/* Words may be of any length. */
	uint32 len = pg_encoding_mbcliplen(PG_UTF8, text.data, text.len, 100);

	return pg_any_to_server(pnstrdup(text.data, len), len, PG_UTF8);
}

static void
list(MrenSpanSlips *slips, const MrenSpanSlip *slip, MrenTextSpan name, const char *id,
	 int64 number)
{
	MemoryContext old = MemoryContextSwitchTo(slips->context);
	StringInfo out = &slips->list;

	if (slips->n == 0)
		initStringInfo(out);
	else
		appendStringInfoChar(out, '\n');
	if (id != NULL)
		appendStringInfo(out, "row with id \"%s\": ", id);
	else
		appendStringInfo(out, "row %lld: ", (long long) number);
	if (slip->word.data != NULL)
		appendStringInfo(out, "span \"%s\" cuts the word \"%s\"", in_server(slip->span),
						 in_server(slip->word));
	else
		appendStringInfo(out, "span \"%s\" is not \"%s\"", in_server(slip->span), in_server(name));
	MemoryContextSwitchTo(old);
}

void
mren_slips_add(MrenSpanSlips *slips, int32 lower, int32 upper, MrenTextSpan name, const char *id,
			   int64 number)
{
	const MrenTextWithSpan with = {slips->sentence, &slips->tokens, lower, upper, name};
	MrenSpanSlip slip;

	/* Each span is looked for in the whole sentence. */
	CHECK_FOR_INTERRUPTS();
	slips->n_spans++;
	if (!mren_span_slip(&with, &slip))
		return;
	if (slips->n < LISTED)
		list(slips, &slip, name, id, number);
	for (int i = 0; i < MREN_SPAN_READINGS; i++)
		slips->fits[i] += slip.fits[i];
	slips->n++;
}

void
mren_slips_pair(MrenSpanSlips *slips, const MrenPair *pair, const char *id, int64 number)
{
	const MrenTextSpan unnamed = {NULL, 0};

	mren_slips_row(slips, pair->sentence);
	mren_slips_add(slips, pair->head.lower, pair->head.upper, unnamed, id, number);
	mren_slips_add(slips, pair->tail.lower, pair->tail.upper, unnamed, id, number);
}

/* The reading under which nine tenths of the slips are none; -1: there is none. */
static int
best_reading(const MrenSpanSlips *slips)
{
	int best = 0;

	for (int i = 1; i < MREN_SPAN_READINGS; i++)
	{
		if (slips->fits[i] > slips->fits[best])
			best = i;
	}
	return slips->fits[best] * 10 >= slips->n * 9 ? best : -1;
}

static int
hint(const MrenSpanSlips *slips)
{
	int reading = best_reading(slips);
	long long n = reading < 0 ? 0 : (long long) slips->fits[reading];

	switch (reading)
	{
		case MREN_SPAN_INCLUSIVE:
			return errhint("%lld of them would fit if the end were the last character: use "
						   "int4range(first, last, '[]').",
						   n);
		case MREN_SPAN_ONE_BASED:
			return errhint("%lld of them would fit if offsets began at 1: subtract 1 from both.",
						   n);
		case MREN_SPAN_ONE_BASED_INCLUSIVE:
			return errhint("%lld of them would fit if offsets began at 1 and the end were the last "
						   "character: use int4range(first - 1, last).",
						   n);
		case MREN_SPAN_UTF16:
			return errhint(
				"%lld of them would fit if offsets counted UTF-16 code units.  The reference, "
				"section \"Spans\", shows how to convert them.",
				n);
		case MREN_SPAN_BYTES:
			return errhint(
				"%lld of them would fit if offsets counted bytes.  The reference, section "
				"\"Spans\", shows how to convert them.",
				n);
		default:
			return errhint("Spans count characters from 0, and exclude their end.");
	}
}

void
mren_slips_warn(const MrenSpanSlips *slips)
{
	if (slips->n == 0)
		return;
	ereport(
		WARNING,
		(errmsg_plural("%lld of %lld spans of mentions does not begin and end between words",
					   "%lld of %lld spans of mentions do not begin and end between words",
					   (unsigned long) slips->n, (long long) slips->n, (long long) slips->n_spans),
		 errdetail_internal("%s%s", slips->list.data, slips->n > LISTED ? "\n..." : ""),
		 hint(slips)));
}
