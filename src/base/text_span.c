/*
 * text_span.c
 *	  Comparing runs of text.
 */
#include "base/text_span.h"

#include <string.h>

int
mren_text_span_compare(MrenTextSpan a, MrenTextSpan b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

	if (order != 0)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

bool
mren_text_span_equal(MrenTextSpan a, MrenTextSpan b)
{
	return a.len == b.len && mren_text_span_compare(a, b) == 0;
}
