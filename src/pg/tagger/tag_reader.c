/*
 * tag_reader.c
 *	  From a text to the input of a tagger's network.
 */
#include "pg/tagger/tag_reader.h"

#include "pg/resource/tokenizer.h"

void
mren_tag_reader_init(MrenTagReader *reader, MemoryContext context)
{
	memset(reader, 0, sizeof(*reader));
	reader->env = mren_pg_env(context);
}

/* The bits of a word that an entry from word `first` to `end` covers (tag_input.h). */
static uint64_t
mark_of(size_t w, size_t first, size_t end)
{
	if (end == first + 1)
		return 8;
	return w == first ? 1 : w + 1 == end ? 4 : 2;
}

/* The first word, from `from` on, that ends after this byte. */
static size_t
word_at(const MrenTagWords *words, size_t from, uint32_t byte)
{
	while (from < words->n_words && words->spans[from].end <= byte)
		from++;
	return from;
}

/* Marks the words that an entry of the lexicon covers, wholly or in part. */
static void
mark_lexicon(MrenTagReader *reader, int lexicon)
{
	const MrenTagWords *words = &reader->found;
	size_t at = 0;
	MrenError err;

	MREN_PG_CALL(err, mren_lexicon_match(reader->lexicons[lexicon], &reader->env, &reader->folded,
										 &reader->matches, &err));
	for (size_t i = 0; i < reader->matches.n; i++)
	{
		const MrenLexiconMatch *match = &reader->matches.items[i];
		uint32_t start = reader->folded.words[match->first].start;
		uint32_t end = reader->folded.words[match->end - 1].end;
		size_t first = word_at(words, at, start);
		size_t last = first;

		while (last < words->n_words && words->spans[last].start < end)
			last++;
		for (size_t w = first; w < last; w++)
			reader->marks[w] |= mark_of(w, first, last) << (4 * lexicon);
		at = first;
	}
}

static void
mark_words(MrenTagReader *reader, const char *text, size_t len)
{
	size_t n = reader->found.n_words;
	MrenError err;

	MREN_PG_CALL(err, mren_grow(&reader->env, &reader->marks, &reader->marks_capacity, 0, n + 1,
								sizeof(uint64_t), &err));
	memset(reader->marks, 0, n * sizeof(uint64_t));
	MREN_PG_CALL(err,
				 mren_fold(mren_pg_tokenizer(), &reader->env, text, len, &reader->folded, &err));
	for (int i = 0; i < reader->n_lexicons; i++)
		mark_lexicon(reader, i);
}

/* The tokens of the text encoder, and each word's first one. */
static void
read_tokens(MrenTagReader *reader, const char *text, size_t len, MrenTagTokens *tokens)
{
	const MrenOpenTokenizer *opened = reader->tokenizer;
	const MrenTagWords *words = &reader->found;
	MrenTagPieces pieces = {.tokenizer = opened->tokenizer,
							.pieces = &reader->pieces,
							.n_words = words->n_words,
							.max_tokens = mren_transformer_max_tokens(&opened->config)};
	MrenError err;

	MREN_PG_CALL(err, mren_subword_encode(&reader->env, opened->tokenizer, text, len, 0,
										  &reader->pieces, &err));
	MREN_PG_CALL(err, mren_grow(&reader->env, &reader->spans, &reader->spans_capacity, 0,
								words->n_words + 1, sizeof(*reader->spans), &err));
	for (size_t w = 0; w < words->n_words; w++)
		reader->spans[w] = (MrenTagWordSpan){words->spans[w].char_start, words->spans[w].char_end};
	pieces.words = reader->spans;
	MREN_PG_CALL(err, mren_tag_tokens(&reader->env, &pieces, &reader->tokens, tokens, &err));
}

void
mren_tag_reader_read(MrenTagReader *reader, const char *text, size_t len, const uint32_t *borders,
					 size_t n_borders, MrenTagInput *input)
{
	MrenTagWords *found = &reader->found;
	MrenError err;

	if (reader->words != NULL)
		mren_words_begin(reader->words);
	MREN_PG_CALL(err, mren_tag_words(mren_pg_tokenizer(), &reader->env,
									 reader->words != NULL ? &reader->vocabulary : NULL,
									 &(MrenTagText){{text, len}, borders, n_borders}, found, &err));
	if (reader->n_lexicons > 0)
		mark_words(reader, text, len);
	*input = (MrenTagInput){
		.n_words = found->n_words,
		.words = found->words,
		.shapes = found->shapes,
		.starts = found->starts,
		.features = found->features,
		.lexicons = reader->n_lexicons > 0 ? reader->marks : NULL,
	};
	if (reader->tokenizer != NULL)
		read_tokens(reader, text, len, &input->tokens);
}
