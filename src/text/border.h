/*
 * border.h
 *	  Where in a text a mention may begin and end (see mention.h), and spans that
 *	  do not keep to that.
 *
 * Offsets of mentions come from other software, which may count bytes or UTF-16
 * code units, begin at 1, or include the last character.  A span that begins or
 * ends inside a word is a slip; it is also told which of these readings would
 * put both its ends between words.
 */
#ifndef MREN_TEXT_BORDER_H
#define MREN_TEXT_BORDER_H

#include <stdbool.h>

#include "base/text_span.h"
#include "text/tokens.h"

/* Number of the last token that begins at or before byte `at`, or tokens->n if none. */
extern size_t mren_token_before(const MrenTokens *tokens, size_t at);

/* The code point that ends before byte `at` of valid text; at > 0. */
extern uint32_t mren_code_before(const char *text, size_t at);

/* Whether a mention may begin, or end, at byte `at` of the text (valid UTF-8). */
extern bool mren_is_border(MrenTextSpan text, const MrenTokens *tokens, size_t at);

/* How offsets may be meant, other than as characters from 0 with an exclusive end. */
typedef enum MrenSpanReading
{
	MREN_SPAN_INCLUSIVE,		   /* from 0, the end is the last character */
	MREN_SPAN_ONE_BASED,		   /* from 1, the end is exclusive */
	MREN_SPAN_ONE_BASED_INCLUSIVE, /* from 1, the end is the last character */
	MREN_SPAN_UTF16,			   /* UTF-16 code units, as JavaScript, Java and C# count */
	MREN_SPAN_BYTES,			   /* bytes of UTF-8, as Go and Rust count */
} MrenSpanReading;

#define MREN_SPAN_READINGS (MREN_SPAN_BYTES + 1)

/* A text (valid UTF-8) with its tokens, and a span of it in characters, half open. */
typedef struct MrenTextWithSpan
{
	MrenTextSpan text;
	const MrenTokens *tokens;
	int32_t lower;
	int32_t upper;
	MrenTextSpan name; /* what the span should cover; data NULL: not known */
} MrenTextWithSpan;

typedef struct MrenSpanSlip
{
	MrenTextSpan span;			   /* what the span covers */
	MrenTextSpan word;			   /* the first word that it cuts; data NULL: it cuts none */
	bool fits[MREN_SPAN_READINGS]; /* by reading: it is then no slip */
} MrenSpanSlip;

/*
 * mren_span_slip
 *	  Whether the span begins or ends inside a word, or covers something else than
 *	  its name although that is in the text.  False for a span that is empty or outside the
 *	  text.  Borders are those of mentions (mention.h), so text in scripts
 *	  without spaces has no slips.
 */
extern bool mren_span_slip(const MrenTextWithSpan *with, MrenSpanSlip *slip);

#endif
