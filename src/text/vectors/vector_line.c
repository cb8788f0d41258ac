/*
 * vector_line.c
 *	  A word and its numbers: forward, as nearly all lines are, and from the
 *	  end for words with spaces and for telling what is wrong.
 */
#include "text/vectors/vector_line.h"

#include <stdbool.h>

#include "base/utf8.h"
#include "text/vectors/number.h"

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
parse_forward(const char *text, const char *stop, size_t dim, MrenTextSpan *word, float *vector)
{
	const char *at = field_end(text, stop);

	*word = (MrenTextSpan){text, (size_t) (at - text)};
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

/* The line's first field, for a message. */
static MrenExcerpt
first_field(const MrenVectorLine *line)
{
	const char *end = field_end(line->text, line->text + line->len);

	return mren_utf8_excerpt(line->text, (size_t) (end - line->text));
}

/* The field is no number, or with `finite` no finite one. */
static MrenStatus
fail_number(const MrenVectorLine *line, MrenTextSpan field, bool finite, MrenError *err)
{
	return mren_fail(err, MREN_EFORMAT, "line %lld (\"%s\"): \"%s\" is not a %snumber",
					 (long long) line->number, first_field(line).text,
					 mren_utf8_excerpt(field.data, field.len).text, finite ? "finite " : "");
}

/* Names the first field after the word that is no finite number. */
static MrenStatus
fail_field(const MrenVectorLine *line, const char *stop, MrenError *err)
{
	const char *at = skip_spaces(field_end(line->text, stop), stop);

	while (at < stop)
	{
		const char *end = field_end(at, stop);
		float value;
		MrenNumber result = parse_field(at, end, &value);

		if (result != MREN_NUMBER_OK)
			return fail_number(line, (MrenTextSpan){at, (size_t) (end - at)},
							   result == MREN_NUMBER_NOT_FINITE, err);
		at = skip_spaces(end, stop);
	}
	return MREN_OK;
}

static MrenStatus
fail_count(const MrenVectorLine *line, size_t dim, size_t found, MrenError *err)
{
	mren_fail(err, MREN_EFORMAT, "line %lld (\"%s\"): expected %zu number%s, found %zu",
			  (long long) line->number, first_field(line).text, dim, dim == 1 ? "" : "s", found);
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
parse_backward(const MrenVectorLine *line, const char *stop, size_t dim, MrenTextSpan *word,
			   float *vector, MrenError *err)
{
	const char *first_end = field_end(line->text, stop);
	const char *end = stop;

	for (size_t i = dim; i > 0; i--)
	{
		const char *start = previous_field(first_end, end);

		if (parse_field(start, end, &vector[i - 1]) != MREN_NUMBER_OK)
			return fail_number(line, (MrenTextSpan){start, (size_t) (end - start)}, true, err);
		end = trim_end(first_end, start);
	}
	*word = (MrenTextSpan){line->text, (size_t) (end - line->text)};
	return MREN_OK;
}

MrenStatus
mren_vector_line_parse(const MrenVectorLine *line, size_t dim, bool stated, MrenTextSpan *word,
					   float *vector, MrenError *err)
{
	const char *text = line->text;
	const char *stop = trim_end(text, text + line->len);
	size_t n_numbers;
	size_t n_fields;

	if (parse_forward(text, stop, dim, word, vector))
		return MREN_OK;
	if (text < stop && is_space(*text))
		return mren_fail(err, MREN_EFORMAT, "line %lld: word is missing", (long long) line->number);
	n_fields = count_fields(text, stop);
	n_numbers = mren_vector_line_dim(text, line->len);
	if (n_fields > dim && (n_numbers == dim || (n_numbers > dim && stated)))
		return parse_backward(line, stop, dim, word, vector, err);
	/* Not a word with spaces, then: a field is wrong, or their number. */
	if (n_fields <= dim + 1)
		MREN_TRY(fail_field(line, stop, err));
	return fail_count(line, dim, n_numbers, err);
}
