/*
 * text_span.h
 *	  A run of bytes of text that somebody else owns.
 */
#ifndef MREN_BASE_TEXT_SPAN_H
#define MREN_BASE_TEXT_SPAN_H

#include <stdbool.h>
#include <stddef.h>

/* Not zero-terminated; data NULL: absent. */
typedef struct MrenTextSpan
{
	const char *data;
	size_t len;
} MrenTextSpan;

/* Bytewise order; a prefix comes first. */
extern int mren_text_span_compare(MrenTextSpan a, MrenTextSpan b);

extern bool mren_text_span_equal(MrenTextSpan a, MrenTextSpan b);

#endif
