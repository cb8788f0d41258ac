/*
 * mention.h
 *	  Where in a sentence an entity is mentioned.
 *
 * A mention given as text is its first occurrence, byte for byte, as whole
 * tokens.  Besides the tokens' borders these count: the border before an
 * apostrophe's ending ("Cosby" in "Cosby's"), and any border between two
 * characters of a script that is written without spaces (Han, Kana, Thai,
 * Lao, Khmer, Myanmar), whose segmentation depends on the context.  White
 * space around the mention is ignored.  An occurrence that overlaps the other
 * mention counts only if there is no other; but equal texts for head and tail
 * both mean the first occurrence.
 *
 * A mention given as a range is half open, in characters, 0-based; it may
 * begin and end inside tokens, and white space at its ends is ignored.
 */
#ifndef MREN_TEXT_MENTION_H
#define MREN_TEXT_MENTION_H

#include <stdbool.h>

#include "base/text_span.h"
#include "text/tokens.h"

typedef struct MrenMention
{
	bool is_range;
	const char *text; /* UTF-8, when not a range */
	size_t len;
	int32_t lower, upper; /* characters, when a range */
	/* An occurrence of the text that overlaps this place counts only if none is free; or NULL. */
	const MrenToken *apart;
} MrenMention;

/*
 * mren_mention_find
 *	  The mention's place in text (valid UTF-8, whose tokens are given), without
 *	  blanks at its ends, not empty.
 *
 * role names the mention in messages: "head" or "tail".  MREN_EDATA when it
 * cannot be found, with a detail or hint that names a near miss;
 * MREN_EPARAM for a range that is empty or outside the text.
 */
extern MrenStatus mren_mention_find(const MrenEnv *env, const char *role,
									const MrenMention *mention, MrenTextSpan text,
									const MrenTokens *tokens, MrenToken *place, MrenError *err);

#endif
