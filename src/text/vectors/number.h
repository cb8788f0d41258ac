/*
 * number.h
 *	  Decimal numbers to float: correctly rounded, whatever the locale.
 */
#ifndef MREN_TEXT_VECTORS_NUMBER_H
#define MREN_TEXT_VECTORS_NUMBER_H

#include <stddef.h>

typedef enum MrenNumber
{
	MREN_NUMBER_OK,
	MREN_NUMBER_MALFORMED,
	MREN_NUMBER_NOT_FINITE, /* nan, inf, or beyond float's range */
} MrenNumber;

/*
 * mren_number_parse
 *	  Reads [+-] digits [. digits] [e [+-] digits] from text[0 .. len), as far
 *	  as it goes, and sets *end to where it stops.  Words for NaN and infinity
 *	  are recognized as such.  *value is set only for MREN_NUMBER_OK.
 */
extern MrenNumber mren_number_parse(const char *text, size_t len, float *value, const char **end);

#endif
