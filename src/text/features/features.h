/*
 * features.h
 *	  Hashed lexical features of a sentence with two mentions.
 *
 * The input of a linear model of relations (GuoDong et al. 2005; Rink and
 * Harabagiu 2010): the mentions' words, heads and affixes, the words between
 * as 1- to 3-grams, as a whole and cut to stems, words around, conjunctions of
 * these, distance and order, entity types, types that a lexicon gives, and where in the
 * image the mentions are.  A feature is its number alone: 32 bits of a hash over a name
 * and the folded words' hashes (Weinberger et al. 2009), so any language works and no
 * dictionary is kept.
 *
 * Words are the tokens, compared in Unicode's NFKC_Casefold; no embeddings
 * take part.  Equal rows give equal numbers on every machine.
 */
#ifndef MREN_TEXT_FEATURES_FEATURES_H
#define MREN_TEXT_FEATURES_FEATURES_H

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/text_span.h"
#include "text/tokens.h"

#define MREN_MAX_FEATURES 1024 /* of a row; what comes later is left out */

/* The names of the features: part of every trained model, so new ones are only appended. */
typedef enum MrenFeature
{
	MREN_FEATURE_BIAS,
	MREN_FEATURE_ORDER,		   /* which mention comes first, or that they overlap */
	MREN_FEATURE_MENTION,	   /* a mention as a whole */
	MREN_FEATURE_MENTION_WORD, /* a word of it */
	MREN_FEATURE_MENTION_HEAD, /* its last word */
	MREN_FEATURE_MENTION_PREFIX,
	MREN_FEATURE_MENTION_SUFFIX,
	MREN_FEATURE_MENTION_SHAPE, /* capitals, digits, number of words */
	MREN_FEATURE_HEADS,			/* both last words */
	MREN_FEATURE_SUFFIXES,		/* their endings */
	MREN_FEATURE_BETWEEN_1,		/* n-grams between, the mentions' borders included */
	MREN_FEATURE_BETWEEN_2,
	MREN_FEATURE_BETWEEN_3,
	MREN_FEATURE_BETWEEN_ALL,
	MREN_FEATURE_STEM_1, /* the same of words cut to their first letters */
	MREN_FEATURE_STEM_2,
	MREN_FEATURE_STEM_ALL,
	MREN_FEATURE_PATTERN,	   /* short words kept, long ones a placeholder */
	MREN_FEATURE_HEAD_FIRST,   /* a mention's last word with the first word between */
	MREN_FEATURE_HEAD_LAST,	   /* and with the last */
	MREN_FEATURE_HEAD_BETWEEN, /* and with the whole between */
	MREN_FEATURE_ENDING_BETWEEN,
	MREN_FEATURE_FIRST_LAST,
	MREN_FEATURE_OUTSIDE_1, /* a word outside, with its place */
	MREN_FEATURE_OUTSIDE_2,
	MREN_FEATURE_OUTSIDE_BAG,
	MREN_FEATURE_DISTANCE,
	MREN_FEATURE_TYPE, /* given entity types */
	MREN_FEATURE_TYPES,
	MREN_FEATURE_TYPES_BETWEEN,
	MREN_FEATURE_TYPES_ALL,
	MREN_FEATURE_LEXICON, /* a lexicon's type of a mention */
	MREN_FEATURE_LEXICONS,
	MREN_FEATURE_LEXICON_BETWEEN,
	MREN_FEATURE_LEXICON_WORD,
	MREN_FEATURE_LEXICON_STEM,
	MREN_FEATURE_LEXICON_FIRST,
	MREN_FEATURE_LEXICONS_ALL,
	MREN_FEATURE_BOX, /* a bin of features_boxes.h, alone and with a last word, both, types */
	MREN_FEATURE_BOX_HEAD,
	MREN_FEATURE_BOX_TAIL,
	MREN_FEATURE_BOX_HEADS,
	MREN_FEATURE_BOX_TYPE,
	MREN_FEATURE_BOX_TYPES,
	MREN_N_FEATURES
} MrenFeature;

/*
 * Types from lexicons: for token i (of all tokens) the hashes
 * types[starts[i]] .. types[starts[i + 1] - 1]; and those of the two mentions.
 */
typedef struct MrenFeatureLexicon
{
	const uint32_t *starts; /* (n_tokens + 1); NULL: no lexicon */
	const uint64_t *types;
	const uint64_t *head;
	size_t n_head;
	const uint64_t *tail;
	size_t n_tail;
} MrenFeatureLexicon;

/* One row: valid UTF-8, tokens in order of which none crosses a mention's border. */
typedef struct MrenFeatureRow
{
	MrenTextSpan text;
	const MrenToken *tokens;
	size_t n_tokens;
	MrenToken head;
	MrenToken tail;
	MrenTextSpan head_type; /* entity types; data NULL: none */
	MrenTextSpan tail_type;
	MrenFeatureLexicon lexicon;
	const float *head_box; /* see features_boxes.h; NULL: none.  One alone is not used. */
	const float *tail_box;
} MrenFeatureRow;

/* Zero-initialized before its first use, then reused from row to row. */
typedef struct MrenFeatures
{
	uint32_t *codes; /* (n) valid until the next row */
	size_t n;
	size_t n_boxes; /* of them, the last ones: those of boxes.  Each part ascending, distinct */

	/* Buffers, owned. */
	size_t codes_capacity;
} MrenFeatures;

/*
 * mren_features_extract
 *	  The features of a row.  Words beyond the 64 next to a mention are not
 *	  used, so a row takes bounded time however long its text is.
 */
extern MrenStatus mren_features_extract(const MrenEnv *env, const MrenFeatureRow *row,
										MrenFeatures *features, MrenError *err);
extern void mren_features_free(const MrenEnv *env, MrenFeatures *features);

/* The hash of a word as it stands in a feature: of its folded form. */
extern uint64_t mren_feature_word(const char *word, size_t len);
/* The number of a feature from its name, variant and the hashes of its (up to three) words. */
extern uint32_t mren_feature_code(MrenFeature name, uint32_t variant, uint64_t a, uint64_t b,
								  uint64_t c);

#endif
