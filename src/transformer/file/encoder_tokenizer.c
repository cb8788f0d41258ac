/*
 * encoder_tokenizer.c
 *	  The tokenizer of an encoder.
 */
#include "transformer/file/encoder_tokenizer.h"

static MrenStatus
check_tokenizer(const MrenSubwordTokenizer *tokenizer, const MrenTransformerConfig *config,
				MrenError *err)
{
	const uint32_t *ids;
	size_t n_ids = mren_subword_n_ids(tokenizer);
	size_t special = mren_subword_prefix(tokenizer, &ids) + mren_subword_suffix(tokenizer, &ids);
	size_t positions = mren_transformer_max_tokens(config);

	if (n_ids > config->vocabulary)
		return mren_fail(err, MREN_EDATA,
						 "id %zu of the tokenizer must be less than the encoder's vocabulary size "
						 "%zu",
						 n_ids - 1, config->vocabulary);
	if (special >= positions)
		return mren_fail(err, MREN_EDATA,
						 "the encoder must have more positions than the tokenizer's %zu special "
						 "pieces, not %zu",
						 special, positions);
	return MREN_OK;
}

MrenStatus
mren_transformer_tokenizer(const MrenEnv *env, const MrenTokenizerFile *file,
						   const MrenTransformerConfig *config, MrenSubwordTokenizer **tokenizer,
						   MrenError *err)
{
	MrenStatus status;

	if (file->source == MREN_TOKENIZER_VOCAB)
		MREN_TRY(
			mren_subword_parse_vocab(env, file->bytes, file->len, file->vocab, tokenizer, err));
	else
		MREN_TRY(mren_subword_parse(env, file->bytes, file->len, tokenizer, err));
	status = check_tokenizer(*tokenizer, config, err);
	if (status != MREN_OK)
	{
		mren_subword_free(env, *tokenizer);
		*tokenizer = NULL;
	}
	return status;
}
