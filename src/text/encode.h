/*
 * encode.h
 *	  The whole way from a text and two mentions to an MrenSentence.
 *
 * Tokens are split at the mentions' borders and then gathered into words; no
 * word crosses a mention's border.  What is gathered:
 *	- tokens joined by hyphens ("well-known"), and "@name", "#tag": one word.
 *	  If the vocabulary lacks the whole, its pieces are the parts it knows; if
 *	  it knows none, the parts' shapes (the whole's shape for "@" and "#");
 *	- an address ("https://..."): one word;
 *	- an abbreviation and its full stop ("U.S."), a run of one punctuation
 *	  character ("..."): one word where the vocabulary has it.
 * And split: an apostrophe's ending ("dog" + "'s", "do" + "n't") where the
 * vocabulary lacks the whole, as GloVe's tokenizer does.  An apostrophe and its
 * ending that stand alone ("Cosby 's") are one word.
 *
 * Mentions may overlap or be identical: each span covers all words inside its
 * mention, and the words they share belong to both.
 */
#ifndef MREN_TEXT_ENCODE_H
#define MREN_TEXT_ENCODE_H

#include "text/mention.h"
#include "text/sentence.h"

/*
 * Zero-initialized before its first use, then reused from row to row: the
 * sentence and all spans are valid until the next call.
 */
typedef struct MrenEncoded
{
	MrenSentence sentence;
	const MrenToken *words; /* (sentence.n_words): where each word stands */
	MrenToken head, tail;	/* where the mentions stand */

	/* Coverage, in words; their sum is n_words. */
	uint32_t n_exact;	 /* in the vocabulary as written */
	uint32_t n_fallback; /* by another spelling or by a known part */
	uint32_t n_unknown;	 /* shape only */

	/* Buffers, owned. */
	MrenTokens tokens, split, spans;
	int32_t *pieces;
	uint32_t *starts;
	size_t pieces_capacity, starts_capacity;
} MrenEncoded;

/* A text with two mentions, as it is given. */
typedef struct MrenMentionPair
{
	MrenTextSpan text;
	MrenMention head;
	MrenMention tail;
} MrenMentionPair;

/*
 * mren_mentions_place
 *	  Where head and tail of a pair stand in its text, whose tokens are given: if
 *	  they overlap, another occurrence of the tail is taken, or else of the head.
 */
extern MrenStatus mren_mentions_place(const MrenEnv *env, const MrenMentionPair *pair,
									  const MrenTokens *tokens, MrenToken *head, MrenToken *tail,
									  MrenError *err);

/*
 * mren_encode
 *	  Errors: the tokenizer's (text is not UTF-8), the mentions', the
 *	  vocabulary's own.
 */
extern MrenStatus mren_encode(MrenTokenizer *tokenizer, const MrenEnv *env,
							  const MrenVocabulary *vocabulary, const MrenMentionPair *pair,
							  MrenEncoded *out, MrenError *err);

extern void mren_encoded_free(const MrenEnv *env, MrenEncoded *encoded);

#endif
