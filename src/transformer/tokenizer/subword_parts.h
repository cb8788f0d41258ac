/*
 * subword_parts.h
 *	  What the files of the tokenizer share: its parts, and the state of an encoding.
 *
 * A text goes through added tokens, normalizers, pre-tokenizers and the model in this order;
 * the pieces are written down as they come, so that no step keeps more than its own text.
 */
#ifndef MREN_TRANSFORMER_TOKENIZER_SUBWORD_PARTS_H
#define MREN_TRANSFORMER_TOKENIZER_SUBWORD_PARTS_H

#include "base/buffer.h"
#include "transformer/tokenizer/normalizer.h"
#include "transformer/tokenizer/subword.h"
#include "transformer/tokenizer/trie.h"

#define MREN_MAX_ADDED_TOKENS 65536
#define MREN_MAX_PRE_TOKENIZERS 16
#define MREN_N_BYTES 256

typedef enum MrenPreTokenizerKind
{
	MREN_PRE_BERT,
	MREN_PRE_WHITESPACE,
	MREN_PRE_WHITESPACE_SPLIT,
	MREN_PRE_PUNCTUATION,
	MREN_PRE_DIGITS,
	MREN_PRE_METASPACE,
	MREN_PRE_BYTE_LEVEL,
} MrenPreTokenizerKind;

/* What becomes of the characters at which a text is split. */
typedef enum MrenSplitBehavior
{
	MREN_SPLIT_REMOVED,
	MREN_SPLIT_ISOLATED,
	MREN_SPLIT_CONTIGUOUS,
	MREN_SPLIT_MERGED_WITH_PREVIOUS,
	MREN_SPLIT_MERGED_WITH_NEXT,
} MrenSplitBehavior;

typedef enum MrenPrepend
{
	MREN_PREPEND_NEVER,
	MREN_PREPEND_FIRST, /* only where a part begins at 0 */
	MREN_PREPEND_ALWAYS,
} MrenPrepend;

typedef struct MrenPreTokenizer
{
	MrenPreTokenizerKind kind;
	MrenSplitBehavior behavior; /* Punctuation, Digits */
	uint32_t replacement;		/* Metaspace */
	MrenPrepend prepend;		/* Metaspace, ByteLevel */
	bool split;					/* Metaspace: at its replacement; ByteLevel: by GPT-2's pattern */
} MrenPreTokenizer;

typedef enum MrenSubwordModel
{
	MREN_MODEL_WORDPIECE,
	MREN_MODEL_BPE,
	MREN_MODEL_UNIGRAM,
} MrenSubwordModel;

typedef struct MrenAddedToken
{
	uint32_t id;
	bool single_word;
	bool lstrip;
	bool rstrip;
	bool normalized;
	bool special;
	MrenSubwordChars content; /* as it is sought: normalized if `normalized` */
} MrenAddedToken;

typedef struct MrenVocabEntry
{
	size_t offset; /* in the tokenizer's bytes */
	uint32_t len;
	uint32_t id;
} MrenVocabEntry;

/* A slot of the table of merges, by the two ids. */
typedef struct MrenMerge
{
	uint32_t left;
	uint32_t right;
	uint32_t rank; /* lower ones are done first */
	uint32_t id;   /* of both together; MREN_NO_PIECE: the slot is empty */
} MrenMerge;

typedef struct MrenBpe
{
	MrenMerge *merges; /* (n_slots), a hash table */
	size_t n_slots;	   /* a power of two */
	bool fuse_unknown;
	bool byte_fallback;
	bool ignore_merges;	  /* a word of the vocabulary is one piece whatever the merges say */
	bool unknown_missing; /* the vocabulary lacks the file's "unk_token" */
} MrenBpe;

typedef struct MrenUnigram
{
	double *score; /* (n_vocabulary) */
	double unknown_score;
	MrenTrie trie; /* its values are ids */
	bool byte_fallback;
} MrenUnigram;

struct MrenSubwordTokenizer
{
	MrenBuffer bytes; /* the texts of all pieces */
	MrenVocabEntry *entry;
	size_t n_entries;
	size_t entry_capacity;
	size_t n_vocabulary; /* entries of the model; added tokens follow */
	uint32_t *slot;		 /* hash table of entry numbers + 1; 0 is empty */
	size_t n_slots;		 /* a power of two */
	uint32_t *by_id;	 /* entry number + 1 of each id; 0: none */
	size_t n_ids;
	size_t longest; /* bytes of the longest piece */

	MrenNormalizers normalizers;
	MrenPreTokenizer pre_tokenizer[MREN_MAX_PRE_TOKENIZERS];
	size_t n_pre_tokenizers;

	MrenSubwordModel model;
	uint32_t unknown; /* MREN_NO_PIECE: none */
	char prefix[64];  /* WordPiece's continuing_subword_prefix */
	size_t prefix_len;
	size_t max_chars;			 /* WordPiece's max_input_chars_per_word */
	uint32_t byte[MREN_N_BYTES]; /* ids of <0x00> to <0xFF>, MREN_NO_PIECE: none */
	MrenBpe bpe;
	MrenUnigram unigram;

	MrenAddedToken *added;
	size_t n_added;
	MrenTrie added_raw; /* values are numbers of added tokens */
	MrenTrie added_normalized;
	bool shared;		 /* pieces, merges and scores are those of a file of weights */
	uint64_t counted;	 /* n_vocabulary, for such a file */
	MrenBuffer settings; /* what such a file has beside them */
	uint32_t *added_ids; /* (n_added_ids) of such a file */
	size_t n_added_ids;
	bool trim_offsets;
	bool trim_keeps_space; /* with add_prefix_space of the post-processor */
	size_t trim_index;	   /* special pieces that are there before it trims */
	uint32_t before[MREN_MAX_SPECIAL_AROUND];
	uint32_t after[MREN_MAX_SPECIAL_AROUND];
	size_t n_before;
	size_t n_after;
};

/* A place that the best segmentation reaches, and how. */
typedef struct MrenUnigramNode
{
	double score;
	uint32_t start; /* of the last piece */
	uint32_t id;	/* of the last piece */
} MrenUnigramNode;

/* A symbol of a word that BPE merges. */
typedef struct MrenBpeSymbol
{
	uint32_t id;
	uint32_t bytes; /* 0: it has been merged into one before */
	uint32_t previous;
	uint32_t next;
} MrenBpeSymbol;

typedef struct MrenBpeCandidate
{
	uint32_t rank;
	uint32_t at; /* the symbol on the left */
	uint32_t id;
} MrenBpeCandidate;

/* The state and scratch memory of one encoding. */
typedef struct MrenEncoding
{
	const MrenEnv *env;
	const MrenSubwordTokenizer *tokenizer;
	int flags;
	size_t work; /* since the last check for interrupts */
	MrenSubwordChars text;
	MrenSubwordChars normal;
	MrenSubwordChars written[MREN_MAX_PRE_TOKENIZERS]; /* by steps that put characters in */
	MrenSubwordChars prefixed;						   /* of ByteLevel, which is there once */

	char *bytes; /* of a word in UTF-8, after a prefix's room */
	size_t bytes_capacity;
	uint32_t *offset; /* of the word's characters in bytes */
	size_t offset_capacity;
	MrenBpeSymbol *symbols;
	size_t symbol_capacity;
	size_t n_symbols;
	MrenBpeCandidate *heap;
	size_t heap_capacity;
	size_t n_heap;
	MrenUnigramNode *nodes;
	size_t node_capacity;

	MrenPieces *pieces;
	MrenError *err;
} MrenEncoding;

/* subword.c */
extern MrenStatus mren_subword_add_entry(const MrenEnv *env, MrenSubwordTokenizer *tokenizer,
										 const char *text, size_t len, uint32_t id, MrenError *err);
extern MrenStatus mren_subword_index(const MrenEnv *env, MrenSubwordTokenizer *tokenizer,
									 MrenError *err);

/* The id of a piece of the model's vocabulary; MREN_NO_PIECE if there is none. */
extern uint32_t mren_subword_model_lookup(const MrenSubwordTokenizer *tokenizer, const char *text,
										  size_t len);

/* added_tokens.c: the tries over them. */
extern MrenStatus mren_added_tokens_index(const MrenEnv *env, MrenSubwordTokenizer *tokenizer,
										  MrenError *err);

/* Cuts the added tokens out of e->text and encodes what lies between. */
extern MrenStatus mren_added_tokens_encode(MrenEncoding *e);

/* pre_tokenizer.c: splits n characters by the steps from `step` on and encodes the words. */
extern MrenStatus mren_pre_tokenize(MrenEncoding *e, size_t step, const MrenSubwordChar *at,
									size_t n);

/* byte_level.c */
extern MrenStatus mren_byte_level(MrenEncoding *e, size_t step, const MrenSubwordChar *at,
								  size_t n);

/*
 * The models: n > 0 characters to pieces.
 */
extern MrenStatus mren_wordpiece_encode(MrenEncoding *e, const MrenSubwordChar *word, size_t n);
extern MrenStatus mren_bpe_encode(MrenEncoding *e, const MrenSubwordChar *word, size_t n);
extern MrenStatus mren_unigram_encode(MrenEncoding *e, const MrenSubwordChar *at, size_t n);

/* bpe.c: an empty table for so many merges; of merges of the same pair, the last counts. */
extern MrenStatus mren_bpe_create(const MrenEnv *env, MrenBpe *bpe, size_t n_merges,
								  MrenError *err);
extern void mren_bpe_add_merge(MrenBpe *bpe, const MrenMerge *merge);

/* unigram.c: the trie over the vocabulary, whose scores are there. */
extern MrenStatus mren_unigram_index(const MrenEnv *env, MrenSubwordTokenizer *tokenizer,
									 MrenError *err);

/*
 * encode.c: a piece, whose own text decides what trim_offsets takes off its span: that of the
 * id, or the n characters from `text` on.
 */
extern MrenStatus mren_encoding_add(MrenEncoding *e, uint32_t id, uint32_t start, uint32_t end);
extern MrenStatus mren_encoding_add_text(MrenEncoding *e, uint32_t id, const MrenSubwordChar *text,
										 size_t n);

/* Counts work, about one step an element; checks for interrupts now and then. */
static inline MrenStatus
mren_encoding_work(MrenEncoding *e, size_t n)
{
	e->work += n;
	if (e->work < 65536)
		return MREN_OK;
	e->work = 0;
	return mren_check_interrupts(e->env, e->err);
}

/* mren_grow for the scratch memory of an encoding, whose content need not be kept. */
static inline MrenStatus
mren_encoding_room(MrenEncoding *e, void *array, size_t *capacity, size_t needed, size_t size)
{
	return mren_grow(e->env, array, capacity, 0, needed, size, e->err);
}

#endif
