/*
 * lexicon.h
 *	  Phrases with types, found in a text in one pass.
 *
 * Phrases and text are compared word by word, folded (fold.h).  A phrase may
 * have several types, each with a confidence.  Types are numbered in bytewise
 * order of their names and a phrase's types are ordered by confidence, so two
 * lexicons of the same entries are equal, whatever the order in which they were added.
 *
 * Built by create, add, finish; from then on immutable, so any number of
 * callers may share one.
 */
#ifndef MREN_TEXT_LEXICON_LEXICON_H
#define MREN_TEXT_LEXICON_LEXICON_H

#include "base/text_span.h"
#include "text/fold.h"

/* Limits of an entry and of a lexicon. */
#define MREN_MAX_PHRASE 1000	   /* bytes */
#define MREN_MAX_LEXICON_TYPE 1000 /* bytes of a type's name */
#define MREN_MAX_LEXICON_TYPES 10000

typedef struct MrenLexicon MrenLexicon;

/* A type that a phrase has. */
typedef struct MrenLexiconEntry
{
	uint32_t type; /* 0 .. mren_lexicon_n_types - 1 */
	double confidence;
} MrenLexiconEntry;

extern MrenStatus mren_lexicon_create(const MrenEnv *env, MrenLexicon **lexicon, MrenError *err);

/*
 * mren_lexicon_add
 *	  One entry; the strings are UTF-8 and copied.  Of entries whose folded
 *	  phrase and type are equal the highest confidence counts.
 *	  MREN_EDATA for a phrase without words, a type that is empty, or a
 *	  confidence not in (0, 1]; MREN_ELIMIT beyond the limits above.
 */
extern MrenStatus mren_lexicon_add(MrenLexicon *lexicon, MrenTokenizer *tokenizer,
								   MrenTextSpan phrase, MrenTextSpan type, double confidence,
								   MrenError *err);

/* Numbers types and orders entries; nothing can be added after it. */
extern MrenStatus mren_lexicon_finish(MrenLexicon *lexicon, MrenError *err);

/* lexicon may be NULL, or not finished. */
extern void mren_lexicon_free(MrenLexicon *lexicon);

/* Distinct folded phrases. */
extern size_t mren_lexicon_n_phrases(const MrenLexicon *lexicon);
extern size_t mren_lexicon_n_types(const MrenLexicon *lexicon);
/* A type's name, zero-terminated. */
extern const char *mren_lexicon_type(const MrenLexicon *lexicon, size_t i, size_t *len);
/* A type's number, or -1. */
extern int32_t mren_lexicon_type_index(const MrenLexicon *lexicon, const char *name, size_t len);

/* Words first .. end-1 of a folded text are a phrase; n_entries >= 1, best first. */
typedef struct MrenLexiconMatch
{
	uint32_t first, end;
	uint32_t n_entries;
	const MrenLexiconEntry *entries; /* of the lexicon */
} MrenLexiconMatch;

/* Zero-initialized before its first use, then reused from text to text. */
typedef struct MrenLexiconMatches
{
	MrenLexiconMatch *items; /* in the order of the text, not overlapping */
	size_t n;
	/* Buffers, owned. */
	size_t capacity;
	uint32_t *ids;
	struct MrenLexiconCandidate *candidates;
	uint32_t *heap;
	size_t ids_capacity, candidates_capacity, heap_capacity;
} MrenLexiconMatches;

/*
 * mren_lexicon_match
 *	  All phrases in the text.  Of overlapping ones the longest (in characters
 *	  of the text) wins, then the first; a phrase that loses leaves room for a
 *	  shorter one that begins with it.  Interruptible.
 */
extern MrenStatus mren_lexicon_match(const MrenLexicon *lexicon, const MrenEnv *env,
									 const MrenFolded *folded, MrenLexiconMatches *matches,
									 MrenError *err);

extern void mren_lexicon_matches_free(const MrenEnv *env, MrenLexiconMatches *matches);

/*
 * mren_lexicon_phrase
 *	  The entries of the phrase that is exactly words first .. end-1; NULL and
 *	  *n = 0 if it is none.
 */
extern const MrenLexiconEntry *mren_lexicon_phrase(const MrenLexicon *lexicon,
												   const MrenFolded *folded, size_t first,
												   size_t end, size_t *n);

/*
 * mren_lexicon_last_words
 *	  The longest phrase that ends where words first .. end-1 end and does not
 *	  begin before them: of a mention "the old steam engine", "steam engine" or
 *	  "engine".  A possessive ending that is not the end of a phrase is skipped.
 *	  False if there is none.
 */
extern bool mren_lexicon_last_words(const MrenLexicon *lexicon, const MrenFolded *folded,
									size_t first, size_t end, MrenLexiconMatch *match);

#endif
