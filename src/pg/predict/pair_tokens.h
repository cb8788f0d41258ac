/*
 * pair_tokens.h
 *	  A pair as a pretrained text encoder reads it.
 */
#ifndef MREN_PG_PREDICT_PAIR_TOKENS_H
#define MREN_PG_PREDICT_PAIR_TOKENS_H

#include "pg/resource/text_tokenizers.h"
#include "pg/support/args.h"
#include "text/encode.h"

typedef struct MrenPairTokens
{
	MrenMarkedTokens tokens;
	const uint32 *words; /* the pair's word of each token; UINT32_MAX for a special one */
} MrenPairTokens;

/*
 * The tokens of a pair that row is the encoding of, with room for solid markers if these will
 * stand among them; valid until the next call.
 */
extern const MrenPairTokens *mren_pair_tokens(const MrenOpenTokenizer *tokenizer,
											  const MrenPair *pair, const MrenEncoded *row,
											  bool solid_markers);

#endif
