/*
 * vector_line.h
 *	  One line of a text file of word vectors.
 */
#ifndef MREN_TEXT_VECTORS_VECTOR_LINE_H
#define MREN_TEXT_VECTORS_VECTOR_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct MrenVectorLine
{
	const char *word;
	size_t len;
} MrenVectorLine;

/*
 * mren_vector_line_parse
 *	  Splits text (a line without its end) into a word and exactly dim numbers.
 *
 * Fields are separated by spaces or tabs.  The numbers are the last fields, so
 * that a word may contain spaces; the word's last part must then be no number
 * itself.  vector (dim).  number is the line's, for messages.  MREN_EFORMAT.
 */
extern MrenStatus mren_vector_line_parse(const char *text, size_t len, int64_t number, size_t dim,
										 MrenVectorLine *line, float *vector, MrenError *err);

/* How many numbers end the line, the first field not counted. */
extern size_t mren_vector_line_dim(const char *text, size_t len);

#endif
