/*
 * subword_parts.h
 *	  What the files of the tokenizer share: its parts, and characters with their spans.
 */
#ifndef MREN_TRANSFORMER_TOKENIZER_SUBWORD_PARTS_H
#define MREN_TRANSFORMER_TOKENIZER_SUBWORD_PARTS_H

#include "base/buffer.h"
#include "transformer/tokenizer/subword.h"

#define MREN_MAX_ADDED_TOKENS 1024

/* A code point of the normalised text and the code points of the text it stands for. */
typedef struct MrenSubwordChar
{
	uint32_t code;
	uint32_t start;
	uint32_t end;
} MrenSubwordChar;

typedef struct MrenSubwordChars
{
	MrenSubwordChar *at;
	size_t n;
	size_t capacity;
} MrenSubwordChars;

typedef struct MrenBertNormalizer
{
	bool present;
	bool clean_text;
	bool chinese_chars;
	bool strip_accents;
	bool lowercase;
} MrenBertNormalizer;

typedef struct MrenAddedToken
{
	uint32_t id;
	bool single_word;
	bool lstrip;
	bool rstrip;
	bool normalized;
	bool special;
	MrenSubwordChars content; /* as it is sought: normalised if `normalized` */
} MrenAddedToken;

typedef struct MrenVocabEntry
{
	size_t offset; /* in the tokenizer's bytes */
	uint32_t len;
	uint32_t id;
} MrenVocabEntry;

struct MrenSubwordTokenizer
{
	MrenBuffer bytes; /* the texts of all pieces */
	MrenVocabEntry *entry;
	size_t n_entries;
	size_t entry_capacity;
	uint32_t *slot;	 /* hash table of entry numbers + 1; 0 is empty */
	size_t n_slots;	 /* a power of two */
	uint32_t *by_id; /* entry number + 1 of each id; 0: none */
	size_t n_ids;
	size_t longest; /* bytes of the longest piece */

	MrenBertNormalizer normalizer;
	char prefix[64]; /* continuing_subword_prefix */
	size_t prefix_len;
	size_t max_chars; /* max_input_chars_per_word */
	uint32_t unknown;

	MrenAddedToken *added;
	size_t n_added;
	bool trim_offsets;
	uint32_t before[MREN_MAX_SPECIAL_AROUND];
	uint32_t after[MREN_MAX_SPECIAL_AROUND];
	size_t n_before;
	size_t n_after;
};

/* tokenizer.c */
extern MrenStatus mren_subword_add_entry(const MrenEnv *env, MrenSubwordTokenizer *tokenizer,
										 const char *text, size_t len, uint32_t id, MrenError *err);
extern MrenStatus mren_subword_index(const MrenEnv *env, MrenSubwordTokenizer *tokenizer,
									 MrenError *err);

/* bert_normalizer.c */
extern MrenStatus mren_bert_normalize(const MrenEnv *env, const MrenBertNormalizer *normalizer,
									  const MrenSubwordChar *in, size_t n, MrenSubwordChars *out,
									  MrenError *err);
extern bool mren_bert_punctuation(uint32_t code);
extern bool mren_bert_invisible(uint32_t code);
extern bool mren_subword_space(uint32_t code);
extern bool mren_subword_word(uint32_t code);
extern MrenStatus mren_chars_add(const MrenEnv *env, MrenSubwordChars *chars, uint32_t code,
								 const MrenSubwordChar *from, MrenError *err);
extern MrenStatus mren_chars_read(const MrenEnv *env, const char *text, size_t len,
								  MrenSubwordChars *chars, MrenError *err);

#endif
