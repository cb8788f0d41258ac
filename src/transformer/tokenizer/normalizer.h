/*
 * normalizer.h
 *	  The normalizers of tokenizer.json, which run one after the other.
 */
#ifndef MREN_TRANSFORMER_TOKENIZER_NORMALIZER_H
#define MREN_TRANSFORMER_TOKENIZER_NORMALIZER_H

#include "transformer/tokenizer/chars.h"

#define MREN_MAX_NORMALIZERS 32

typedef enum MrenNormalizerKind
{
	MREN_NORMALIZER_BERT,
	MREN_NORMALIZER_NFC,
	MREN_NORMALIZER_NFD,
	MREN_NORMALIZER_NFKC,
	MREN_NORMALIZER_NFKD,
	MREN_NORMALIZER_LOWERCASE,
	MREN_NORMALIZER_STRIP_ACCENTS,
	MREN_NORMALIZER_STRIP,
	MREN_NORMALIZER_REPLACE,
	MREN_NORMALIZER_PREPEND,
	MREN_NORMALIZER_NMT,
	MREN_NORMALIZER_PRECOMPILED,
} MrenNormalizerKind;

typedef struct MrenBertNormalizer
{
	bool clean_text;
	bool chinese_chars;
	bool strip_accents;
	bool lowercase;
} MrenBertNormalizer;

/* What Replace looks for: a text, or a run of one character or of white space. */
typedef struct MrenCharPattern
{
	MrenSubwordChars text; /* of a run, its character */
	bool run;
	bool space;	  /* a run of any white space; text is empty */
	size_t least; /* of a run: characters at least */
	size_t most;  /* of a run: SIZE_MAX: any number */
} MrenCharPattern;

/*
 * SentencePiece's precompiled character map: a double array, whose values are places in a
 * text of replacements that end with NUL.
 */
typedef struct MrenCharsMap
{
	uint32_t *unit; /* (n_units) */
	size_t n_units;
	char *text; /* (text_len), valid UTF-8 */
	size_t text_len;
} MrenCharsMap;

typedef struct MrenNormalizer
{
	MrenNormalizerKind kind;
	MrenBertNormalizer bert;
	bool strip_left;
	bool strip_right;
	MrenCharPattern pattern;  /* Replace */
	MrenSubwordChars content; /* Replace, Prepend */
	MrenCharsMap map;		  /* Precompiled */
} MrenNormalizer;

typedef struct MrenNormalizers
{
	MrenNormalizer at[MREN_MAX_NORMALIZERS];
	size_t n;
} MrenNormalizers;

extern void mren_normalizers_free(const MrenEnv *env, MrenNormalizers *normalizers);

/*
 * mren_normalize
 *	  out = the n characters from `in` on, normalized; in must not be out's.  Takes time in
 *	  proportion to n and to what it becomes, and checks for interrupts.  MREN_ELIMIT if that
 *	  is more than 64 n + 1024 characters.
 */
extern MrenStatus mren_normalize(const MrenEnv *env, const MrenNormalizers *normalizers,
								 const MrenSubwordChar *in, size_t n, MrenSubwordChars *out,
								 MrenError *err);

/* bert_normalizer.c; both give out = in, normalized. */
extern MrenStatus mren_bert_normalize(const MrenEnv *env, const MrenBertNormalizer *normalizer,
									  const MrenSubwordChars *in, MrenSubwordChars *out,
									  MrenError *err);
extern MrenStatus mren_chars_lower(const MrenEnv *env, const MrenSubwordChars *in,
								   MrenSubwordChars *out, MrenError *err);

/* unicode_normalizer.c: a normalization form of Unicode 9. */
extern MrenStatus mren_unicode_normalize(const MrenEnv *env, MrenNormalizerKind form,
										 const MrenSubwordChars *in, MrenSubwordChars *out,
										 MrenError *err);

/*
 * chars_map.c: reading checks the map as a whole (MREN_EFORMAT); base64 is n bytes.
 */
extern MrenStatus mren_chars_map_read(const MrenEnv *env, const char *base64, size_t n,
									  MrenCharsMap *map, MrenError *err);
extern MrenStatus mren_chars_map_apply(const MrenEnv *env, const MrenCharsMap *map,
									   const MrenSubwordChars *in, MrenSubwordChars *out,
									   MrenError *err);

/* graphemes.c: how many of the n characters the first extended grapheme cluster has. */
extern size_t mren_grapheme_length(const MrenSubwordChar *at, size_t n);

#endif
