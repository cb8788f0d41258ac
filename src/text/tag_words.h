/*
 * tag_words.h
 *	  The words of a text as a tagger reads them, with the features of each.
 *
 * Words are the tokenizer's, except that a full stop belongs to the word
 * before it where that has one inside ("U.S."), is one capital ("J."), or where
 * the vocabulary knows both as one word ("Calif."); an apostrophe's ending is a
 * word of its own ("dog", "'s"); and no word crosses a border that is given.
 * Hyphens part words, so that a mention can be part of a compound.
 */
#ifndef MREN_TEXT_TAG_WORDS_H
#define MREN_TEXT_TAG_WORDS_H

#include "base/text_span.h"
#include "text/sentence.h"
#include "text/tokens.h"

/* Zero-initialized before its first use, then reused: valid until the next call. */
typedef struct MrenTagWords
{
	size_t n_words;
	MrenToken *spans;	/* (n_words) where each word stands */
	int32_t *words;		/* (n_words) number in the vocabulary, or -1 - shape */
	uint8_t *shapes;	/* (n_words) MrenWordShape */
	uint32_t *starts;	/* (n_words + 1) of features */
	uint32_t *features; /* hashes: lower case spelling, case pattern, then prefixes and suffixes of
						   1 to 4 characters, trigrams of characters, place in the sentence, and
						   what a word touches in a text that parts its tokens by blanks */
	size_t n_features;

	/* Buffers, owned. */
	MrenTokens tokens;
	size_t spans_capacity, words_capacity, shapes_capacity, starts_capacity, features_capacity;
} MrenTagWords;

/* Maximum number of features of a word. */
#define MREN_TAG_WORD_FEATURES 64

/* A text and the bytes (n_borders, ascending) at which a word must end. */
typedef struct MrenTagText
{
	MrenTextSpan text;
	const uint32_t *borders;
	size_t n_borders;
} MrenTagText;

/*
 * mren_tag_words
 *	  vocabulary may be NULL: all words are unknown then.  Errors are the
 *	  tokenizer's (text is not UTF-8) and the vocabulary's own.
 */
extern MrenStatus mren_tag_words(MrenTokenizer *tokenizer, const MrenEnv *env,
								 const MrenVocabulary *vocabulary, const MrenTagText *text,
								 MrenTagWords *out, MrenError *err);

extern void mren_tag_words_free(const MrenEnv *env, MrenTagWords *words);

#endif
