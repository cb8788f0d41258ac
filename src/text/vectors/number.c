/*
 * number.c
 *	  A decimal parser that is exact without being slow.
 *
 * A significand below 2^53 times or over a power of ten up to 10^22 is one
 * correctly rounded operation in double (Clinger, "How to read floating point
 * numbers accurately", 1990).  Rounding that double to float is right unless it
 * lies exactly between two floats, where the double's own rounding may have hidden on
 * which side the number was; that case, and longer numbers, go to strtof.
 */
#include "text/vectors/number.h"

#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* Longer numbers are refused. */
#define MAX_NUMBER 400

static const double powers[] = {1e0,  1e1,	1e2,  1e3,	1e4,  1e5,	1e6,  1e7,
								1e8,  1e9,	1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
								1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* The parts of a number as they are written. */
typedef struct Decimal
{
	uint64_t digits; /* without sign, point and exponent */
	bool exact;		 /* digits holds all of them */
	bool negative;
	int exponent; /* of ten */
} Decimal;

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits before and after the point; NULL when there is none. */
static const char *
scan_digits(const char *at, const char *stop, Decimal *decimal)
{
	uint64_t digits = 0;
	int n_significant = 0;
	int n_seen = 0;
	int exponent = 0;
	bool point = false;

	for (; at < stop; at++)
	{
		if (is_digit(*at))
		{
			n_seen++;
			exponent -= point;
			if (digits != 0 || *at != '0')
				n_significant++;
			if (n_significant <= 19)
				digits = digits * 10 + (uint64_t) (*at - '0');
		}
		else if (*at == '.' && !point)
			point = true;
		else
			break;
	}
	decimal->digits = digits;
	decimal->exact = n_significant <= 19;
	decimal->exponent = exponent;
	return n_seen > 0 ? at : NULL;
}

/* An exponent is taken only if it is complete; its value saturates. */
static const char *
scan_exponent(const char *at, const char *stop, Decimal *decimal)
{
	const char *mark = at;
	bool negative = false;
	int value = 0;

	if (at == stop || (*at != 'e' && *at != 'E'))
		return mark;
	at++;
	if (at < stop && (*at == '-' || *at == '+'))
		negative = *at++ == '-';
	if (at == stop || !is_digit(*at))
		return mark;
	for (; at < stop && is_digit(*at); at++)
		value = value < 100000 ? value * 10 + (*at - '0') : value;
	decimal->exponent += negative ? -value : value;
	return at;
}

static bool
try_fast(const Decimal *decimal, float *value)
{
	double result = (double) decimal->digits;
	int exponent = decimal->exponent;
	uint64_t bits;

	if (!decimal->exact || decimal->digits > (UINT64_C(1) << 53) || exponent < -22 || exponent > 22)
		return false;
	if (exponent < 0)
		result /= powers[-exponent];
	else
		result *= powers[exponent];
	if (result != 0 && (result < 0x1p-126 || result > 0x1p127))
		return false;
	memcpy(&bits, &result, sizeof(bits));
	if ((bits & 0x1FFFFFFF) == 0x10000000)
		return false;
	*value = (float) (decimal->negative ? -result : result);
	return true;
}

/*
 * strtof in whatever locale is set: the point is written as that locale has it.
 */
static MrenNumber
convert_slowly(const char *start, const char *end, float *value)
{
	const char *point = localeconv()->decimal_point;
	char buffer[MAX_NUMBER + 32];
	size_t used = 0;
	char *stop;
	float result;

	if (end - start > MAX_NUMBER || strlen(point) > 16)
		return MREN_NUMBER_MALFORMED;
	for (const char *at = start; at < end; at++)
	{
		if (*at == '.')
		{
			memcpy(buffer + used, point, strlen(point));
			used += strlen(point);
		}
		else
			buffer[used++] = *at;
	}
	buffer[used] = '\0';
	result = strtof(buffer, &stop);
	if (stop != buffer + used)
		return MREN_NUMBER_MALFORMED;
	if (!isfinite(result))
		return MREN_NUMBER_NOT_FINITE;
	*value = result;
	return MREN_NUMBER_OK;
}

/* "nan", "inf", "infinity", in any case; *end moves past it. */
static bool
is_not_a_finite_word(const char *at, const char *stop, const char **end)
{
	static const char *const words[] = {"infinity", "inf", "nan"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
	{
		size_t n = strlen(words[i]);

		if ((size_t) (stop - at) >= n && mren_ascii_equals(at, words[i], n))
		{
			*end = at + n;
			return true;
		}
	}
	return false;
}

MrenNumber
mren_number_parse(const char *text, size_t len, float *value, const char **end)
{
	const char *stop = text + len;
	const char *at = text;
	const char *digits;
	Decimal decimal = {0};

	*end = text;
	if (at < stop && (*at == '-' || *at == '+'))
		decimal.negative = *at++ == '-';
	if (at == stop)
		return MREN_NUMBER_MALFORMED;
	if (!is_digit(*at) && *at != '.')
		return is_not_a_finite_word(at, stop, end) ? MREN_NUMBER_NOT_FINITE : MREN_NUMBER_MALFORMED;
	digits = scan_digits(at, stop, &decimal);
	if (digits == NULL)
		return MREN_NUMBER_MALFORMED;
	*end = scan_exponent(digits, stop, &decimal);
	if (try_fast(&decimal, value))
		return MREN_NUMBER_OK;
	return convert_slowly(text, *end, value);
}
