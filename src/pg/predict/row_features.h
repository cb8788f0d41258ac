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

/* Lexicons whose types are features, too. */
typedef struct MrenRowLexicons
{
	int n;
	const MrenLexicon *items[MREN_MAX_LEXICON_LIST];
} MrenRowLexicons;

/*
 * mren_row_features
 *	  With those of the boxes, unless that is NULL.  Without the tokens inside bytes
 *	  without.start .. without.end - 1, as if a mention or word were not known; valid
 *	  until the next call.
 */
extern const MrenFeatures *mren_row_features(const MrenPair *pair, const MrenEncoded *row,
											 const MrenRowLexicons *lexicons, MrenToken without,
											 const MrenPairBoxes *boxes);

#endif
