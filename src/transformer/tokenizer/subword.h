/*
 * subword.h
 *	  The pieces of a text, as the tokenizer.json of a pretrained encoder cuts it.
 *
 * WordPiece, BPE and Unigram with the normalizers, pre-tokenizers and post-processors that
 * encoders' files use (see README.md).  Every other part is refused by its name
 * (MREN_EUNSUPPORTED).  Truncation and padding are not applied.
 *
 * A tokenizer is read-only after parsing: several callers may encode with it at once, each
 * with an environment of its own.
 */
#ifndef MREN_TRANSFORMER_TOKENIZER_SUBWORD_H
#define MREN_TRANSFORMER_TOKENIZER_SUBWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

#define MREN_NO_PIECE UINT32_MAX
#define MREN_MAX_VOCABULARY (1u << 20)
#define MREN_MAX_TOKENIZER_BYTES ((size_t) 64 << 20)
#define MREN_MAX_SPECIAL_AROUND 8

typedef struct MrenSubwordTokenizer MrenSubwordTokenizer;

typedef enum MrenSubwordFlags
{
	/* Special tokens typed in the text become special; else they are ordinary text. */
	MREN_SPECIAL_TOKENS = 1,
} MrenSubwordFlags;

/* Positions are code points of the text, half-open. */
typedef struct MrenPiece
{
	uint32_t id;
	uint32_t start; /* the published span, with the habits of Hugging Face's library */
	uint32_t end;
	uint32_t cover_end; /* end, moved past combining marks and removed characters that follow */
} MrenPiece;

typedef struct MrenPieces
{
	MrenPiece *piece;
	size_t n;
	size_t capacity;
} MrenPieces;

/* How a vocab.txt without tokenizer.json is used (tokenizer_config.json's options). */
typedef struct MrenVocabOptions
{
	bool lower_case;		 /* do_lower_case */
	int strip_accents;		 /* 1, 0, or -1: as lower_case */
	bool chinese_characters; /* tokenize_chinese_chars */
} MrenVocabOptions;

/*
 * mren_subword_parse
 *	  Reads a tokenizer.json of n bytes.  MREN_EFORMAT if it is not one, MREN_EUNSUPPORTED
 *	  for parts that are not supported, MREN_ELIMIT for sizes out of bounds.  The pieces are
 *	  weights (base/weights.h): where env's are ready, bytes are not read.
 */
extern MrenStatus mren_subword_parse(const MrenEnv *env, const void *bytes, size_t n,
									 MrenSubwordTokenizer **tokenizer, MrenError *err);

/* The same from BERT's vocab.txt, a piece a line; [UNK], [CLS] and [SEP] must be in it. */
extern MrenStatus mren_subword_parse_vocab(const MrenEnv *env, const void *bytes, size_t n,
										   const MrenVocabOptions *options,
										   MrenSubwordTokenizer **tokenizer, MrenError *err);
extern void mren_subword_free(const MrenEnv *env, MrenSubwordTokenizer *tokenizer);

/*
 * mren_subword_encode
 *	  The pieces of valid UTF-8, without the special ones around a sentence.  *pieces is
 *	  overwritten, keeps its memory, and must be {0} at first.  Takes time in proportion to the
 *	  text, for BPE times the logarithm of a word's length, for Unigram times the length of the
 *	  pieces that match.  MREN_EDATA if the text is not UTF-8, or has a character without a
 *	  piece where the tokenizer has no unknown one; MREN_ELIMIT if it is longer than 256 MB.
 */
extern MrenStatus mren_subword_encode(const MrenEnv *env, const MrenSubwordTokenizer *tokenizer,
									  const char *text, size_t n_bytes, int flags,
									  MrenPieces *pieces, MrenError *err);
extern void mren_pieces_free(const MrenEnv *env, MrenPieces *pieces);

/* The special ids before and after a single sentence; returns their number. */
extern size_t mren_subword_prefix(const MrenSubwordTokenizer *tokenizer, const uint32_t **ids);
extern size_t mren_subword_suffix(const MrenSubwordTokenizer *tokenizer, const uint32_t **ids);

/* One more than the greatest id; ids below it need not all be in use. */
extern size_t mren_subword_n_ids(const MrenSubwordTokenizer *tokenizer);

/* The text of an id, not ended by NUL; NULL if no piece has the id. */
extern const char *mren_subword_piece_text(const MrenSubwordTokenizer *tokenizer, uint32_t id,
										   size_t *len);

/* The id of a piece or added token; MREN_NO_PIECE if there is none. */
extern uint32_t mren_subword_lookup(const MrenSubwordTokenizer *tokenizer, const char *text,
									size_t len);

#endif
