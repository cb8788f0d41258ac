/*
 * row_features.h
 *	  The lexical features of a pair that was just encoded.
 */
#ifndef MREN_PG_PREDICT_ROW_FEATURES_H
#define MREN_PG_PREDICT_ROW_FEATURES_H

#include "postgres.h"

#include "pg/predict/encode_pair.h"
#include "pg/resource/lexicon_list.h"
#include "text/encode.h"
#include "text/features/features.h"
#include "text/lexicon/lexicon.h"

/* Lexicons whose types are features. */
typedef struct MrenRowLexicons
{
	int n;
	const MrenLexicon *items[MREN_MAX_LEXICON_LIST];
} MrenRowLexicons;

/*
 * mren_pair_features
 *	  The features of a pair, with those of its boxes unless boxes is NULL.  The
 *	  tokens inside bytes without.start .. without.end - 1 are left out, as if that
 *	  mention or word were unknown.  Valid until the next call.
 */
extern const MrenFeatures *mren_pair_features(const MrenPair *pair, const MrenEncoded *row,
											  const MrenRowLexicons *lexicons, MrenToken without,
											  const MrenPairBoxes *boxes);

#endif
