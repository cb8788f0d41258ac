/*
 * tag_reader.h
 *	  From a text to the input of a tagger's network: its words, with the
 *	  embeddings, the lexicon entries that cover them, and the tokens of a text encoder.
 */
#ifndef MREN_PG_TAGGER_TAG_READER_H
#define MREN_PG_TAGGER_TAG_READER_H

#include "postgres.h"

#include "pg/resource/text_tokenizers.h"
#include "pg/resource/words.h"
#include "pg/support/pg_env.h"
#include "tagger/tag_tokens.h"
#include "text/lexicon/lexicon.h"
#include "text/tag_words.h"

typedef struct MrenTagReader
{
	MrenEnv env;
	MrenWords *words; /* NULL: without embeddings */
	MrenVocabulary vocabulary;
	int n_lexicons;
	const MrenLexicon *lexicons[MREN_MAX_TAG_LEXICONS];
	const MrenOpenTokenizer *tokenizer; /* NULL: without a text encoder */

	/* Buffers, reused from text to text. */
	MrenTagWords found;
	MrenFolded folded;
	MrenLexiconMatches matches;
	uint64_t *marks;
	size_t marks_capacity;
	MrenPieces pieces;
	MrenTagTokenBuffer tokens;
	MrenTagWordSpan *spans;
	size_t spans_capacity;
} MrenTagReader;

/* An empty reader; its buffers are allocated in the context. */
extern void mren_tag_reader_init(MrenTagReader *reader, MemoryContext context);

/*
 * mren_tag_reader_read
 *	  The words of a UTF-8 text, divided at the borders (byte offsets,
 *	  ascending).  reader->found has their places.  Valid until the next call.
 */
extern void mren_tag_reader_read(MrenTagReader *reader, const char *text, size_t len,
								 const uint32_t *borders, size_t n_borders, MrenTagInput *input);

#endif
