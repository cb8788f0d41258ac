/*
 * mention_tags.h
 *	  Mentions from the tags of a sentence's tokens: BIO, BIOES, BILOU and IOB1.
 *
 * A tag is "O", or a letter, a hyphen and a type: B begins a mention and I
 * continues it; L or E is its last token; U or S is a mention of one token.  A
 * B or I that is not continued ends its mention, so BIO is read by the same
 * rules.  In IOB1 (the CoNLL-2003 files) a mention begins with I, and B stands
 * only where a mention touches one of the same type before it.
 */
#ifndef MREN_TEXT_MENTION_TAGS_H
#define MREN_TEXT_MENTION_TAGS_H

#include <stdint.h>

#include "base/status.h"
#include "base/text_span.h"

/* Tokens first .. end - 1; type points into a tag and is not empty. */
typedef struct MrenTokenMention
{
	uint32_t first, end;
	MrenTextSpan type;
} MrenTokenMention;

/*
 * mren_mention_tags_read
 *	  tags (n), those of one sentence; mentions has room for n.  The mentions are
 *	  in order and do not overlap.  A sentence that is not BIO, BIOES or BILOU is
 *	  read as IOB1 if it can be that.  MREN_EDATA with the tag and the number of
 *	  its token (from 1) for a tag that is none, or that continues no mention.
 */
extern MrenStatus mren_mention_tags_read(const MrenTextSpan *tags, size_t n,
										 MrenTokenMention *mentions, size_t *n_mentions,
										 MrenError *err);

#endif
