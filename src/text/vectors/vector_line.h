/*
 * vector_line.h
 *	  One line of a text file of word vectors.
 */
#ifndef MREN_TEXT_VECTORS_VECTOR_LINE_H
#define MREN_TEXT_VECTORS_VECTOR_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text_span.h"

typedef struct MrenVectorLine
{
	const char *text; /* (len) without the line's end */
	size_t len;
	int64_t number; /* of the line, for messages */
} MrenVectorLine;

/*
 * mren_vector_line_parse
 *	  Splits a line into its word and exactly dim numbers.
 *
 * Fields are separated by spaces or tabs.  The numbers are the last fields, so
 * that a word may contain spaces.  The word's last part may be a number itself
 * if `stated`, that is, if the file states its dimension; a dimension that was
 * only counted in the first line leaves such a line ambiguous.  word points into
 * the line; vector (dim).  MREN_EFORMAT.
 */
extern MrenStatus mren_vector_line_parse(const MrenVectorLine *line, size_t dim, bool stated,
										 MrenTextSpan *word, float *vector, MrenError *err);

/* How many numbers end the line, the first field not counted. */
extern size_t mren_vector_line_dim(const char *text, size_t len);

#endif
