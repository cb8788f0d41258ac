/*
 * vector_line.c
 *	  A word and its numbers: forward, as nearly all lines are, and from the
 *	  end for words with spaces and for telling what is wrong.
 */
#include "text/vectors/vector_line.h"

#include <stdbool.h>

#include "text/vectors/number.h"
#include "base/utf8.h"

static inline bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static const char *
skip_spaces(const char *at, const char *stop)
{
	while (at < stop && is_space(*at))
		at++;
	return at;
}

static const char *
trim_end(const char *start, const char *stop)
{
	while (stop > start && is_space(stop[-1]))
		stop--;
	return stop;
}

static const char *
field_end(const char *at, const char *stop)
{
	while (at < stop && !is_space(*at))
		at++;
	return at;
}

/* The usual line; false when anything is unusual. */
static bool
parse_forward(const char *text, const char *stop, size_t dim, MrenVectorLine *line, float *vector)
{
	const char *at = field_end(text, stop);

	line->word = text;
	line->len = (size_t) (at - text);
	for (size_t i = 0; i < dim; i++)
	{
		at = skip_spaces(at, stop);
		if (at == stop ||
			mren_number_parse(at, (size_t) (stop - at), &vector[i], &at) != MREN_NUMBER_OK)
			return false;
		if (at < stop && !is_space(*at))
			return false;
	}
	return at == stop;
}

/* Whether the field start..end is a number; NaN and infinity are, though not finite. */
static MrenNumber
parse_field(const char *start, const char *end, float *value)
{
	const char *stop;
	MrenNumber result = mren_number_parse(start, (size_t) (end - start), value, &stop);

	return stop == end ? result : MREN_NUMBER_MALFORMED;
}

/*
 * The field that ends at `end`; the line's first field is the word's, so it is
 * never given.
 */
static const char *
previous_field(const char *first_end, const char *end)
{
	const char *start = end;

	while (start > first_end && !is_space(start[-1]))
		start--;
	return start;
}

size_t
mren_vector_line_dim(const char *text, size_t len)
{
	const char *end = trim_end(text, text + len);
	const char *first_end = field_end(text, end);
	size_t n = 0;

	while (end > first_end)
	{
		const char *start = previous_field(first_end, end);
		float value;

		if (parse_field(start, end, &value) == MREN_NUMBER_MALFORMED)
			break;
		n++;
		end = trim_end(first_end, start);
	}
	return n;
}

/* Says which field of the line is no finite number; the line's first field is its word. */
static MrenStatus
fail_number(const char *text, const char *stop, const char *at, const char *end, bool finite,
			int64_t number, MrenError *err)
{
	MrenExcerpt word = mren_utf8_excerpt(text, (size_t) (field_end(text, stop) - text));

	return mren_fail(err, MREN_EFORMAT, "line %lld (\"%s\"): \"%s\" is not a %snumber",
					 (long long) number, word.text, mren_utf8_excerpt(at, (size_t) (end - at)).text,
					 finite ? "finite " : "");
}

/* Names the first field after the word that is no finite number. */
static MrenStatus
fail_field(const char *text, const char *stop, int64_t number, MrenError *err)
{
	const char *at = skip_spaces(field_end(text, stop), stop);

	while (at < stop)
	{
		const char *end = field_end(at, stop);
		float value;
		MrenNumber result = parse_field(at, end, &value);

		if (result != MREN_NUMBER_OK)
			return fail_number(text, stop, at, end, result == MREN_NUMBER_NOT_FINITE, number, err);
		at = skip_spaces(end, stop);
	}
	return MREN_OK;
}

static MrenStatus
fail_count(const char *text, const char *stop, size_t dim, size_t found, int64_t number,
		   MrenError *err)
{
	MrenExcerpt word = mren_utf8_excerpt(text, (size_t) (field_end(text, stop) - text));

	mren_fail(err, MREN_EFORMAT, "line %lld (\"%s\"): expected %zu number%s, found %zu",
			  (long long) number, word.text, dim, dim == 1 ? "" : "s", found);
	if (found > dim)
		mren_error_hint(err,
						"If the first of them belong to the word, put a first line in front "
						"of the file with the number of its words and %zu.",
						dim);
	return MREN_EFORMAT;
}

static size_t
count_fields(const char *text, const char *stop)
{
	const char *at = skip_spaces(text, stop);
	size_t n = 0;

	while (at < stop)
	{
		n++;
		at = skip_spaces(field_end(at, stop), stop);
	}
	return n;
}

/* At least dim numbers end the line: the last dim are read from the end. */
static MrenStatus
parse_backward(const char *text, const char *stop, int64_t number, size_t dim, MrenVectorLine *line,
			   float *vector, MrenError *err)
{
	const char *first_end = field_end(text, stop);
	const char *end = stop;

	for (size_t i = dim; i > 0; i--)
	{
		const char *start = previous_field(first_end, end);

		if (parse_field(start, end, &vector[i - 1]) != MREN_NUMBER_OK)
			return fail_number(text, stop, start, end, true, number, err);
		end = trim_end(first_end, start);
	}
	line->word = text;
	line->len = (size_t) (end - text);
	return MREN_OK;
}

MrenStatus
mren_vector_line_parse(const char *text, size_t len, int64_t number, size_t dim, bool stated,
					   MrenVectorLine *line, float *vector, MrenError *err)
{
	const char *stop = trim_end(text, text + len);
	size_t n_numbers;
	size_t n_fields;

	if (parse_forward(text, stop, dim, line, vector))
		return MREN_OK;
	if (text < stop && is_space(*text))
		return mren_fail(err, MREN_EFORMAT, "line %lld: word is missing", (long long) number);
	n_fields = count_fields(text, stop);
	n_numbers = mren_vector_line_dim(text, len);
	if (n_fields > dim && (n_numbers == dim || (n_numbers > dim && stated)))
		return parse_backward(text, stop, number, dim, line, vector, err);
	/* Not a word with spaces, then: a field is wrong, or their number. */
	if (n_fields <= dim + 1)
		MREN_TRY(fail_field(text, stop, number, err));
	return fail_count(text, stop, dim, n_numbers, number, err);
}
