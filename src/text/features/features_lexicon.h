/*
 * features_lexicon.h
 *	  The types that lexicons give to a sentence's tokens and mentions, as
 *	  features.h takes them.
 *
 * A mention has the types of the longest phrase that ends with it; a token
 * outside those of the longest phrase that ends with it.  The most confident
 * types of each lexicon count, in the lexicon's own order.
 */
#ifndef MREN_TEXT_FEATURES_FEATURES_LEXICON_H
#define MREN_TEXT_FEATURES_FEATURES_LEXICON_H

#include "text/features/features.h"
#include "text/lexicon/lexicon.h"

#define MREN_MAX_LEXICONS 16
#define MREN_MAX_MENTION_TYPES 8 /* of one mention in one lexicon */
#define MREN_MAX_TOKEN_TYPES 4	 /* of one token in one lexicon */

/* Zero-initialized before its first use, then reused from row to row. */
typedef struct MrenLexiconTypes
{
	MrenFolded folded;
	MrenLexiconMatches matches;
	uint32_t *starts;
	uint64_t *types;
	size_t starts_capacity, types_capacity;
	uint64_t head[MREN_MAX_LEXICONS * MREN_MAX_MENTION_TYPES];
	uint64_t tail[MREN_MAX_LEXICONS * MREN_MAX_MENTION_TYPES];
} MrenLexiconTypes;

/*
 * mren_lexicon_types
 *	  Sets row->lexicon from n lexicons (at most MREN_MAX_LEXICONS), valid until
 *	  the next call.
 */
extern MrenStatus mren_lexicon_types(const MrenEnv *env, MrenTokenizer *tokenizer,
									 const MrenLexicon *const *lexicons, size_t n,
									 MrenFeatureRow *row, MrenLexiconTypes *types, MrenError *err);
extern void mren_lexicon_types_free(const MrenEnv *env, MrenLexiconTypes *types);

/* The hash of a type's name in a feature. */
extern uint64_t mren_feature_type(const char *name, size_t len);

#endif
