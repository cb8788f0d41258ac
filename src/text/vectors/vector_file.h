/*
 * vector_file.h
 *	  Files of word vectors, fed in chunks of any size.
 *
 * word2vec's binary and text formats, GloVe's text, fastText's .vec (the same
 * as word2vec text).  A file is either read whole or refused: a malformed
 * line, a number that is not finite, a word that is not UTF-8, a count that
 * differs from the header's are errors that name the line (text) or the word
 * (binary).  Bad words may be skipped instead, where the next one can still be
 * found.  A word that occurs again is skipped and counted.
 *
 * The reader keeps a 64-bit hash of each word it has read.
 */
#ifndef MREN_TEXT_VECTORS_VECTOR_FILE_H
#define MREN_TEXT_VECTORS_VECTOR_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"

#define MREN_VECTORS_MAX_DIM 4096

/* Bad words of which the message is kept. */
#define MREN_VECTORS_SHOWN 3

typedef enum MrenVectorFormat
{
	MREN_VECTORS_AUTO,
	MREN_VECTORS_WORD2VEC_BINARY,
	MREN_VECTORS_WORD2VEC_TEXT,
	MREN_VECTORS_GLOVE,
	MREN_VECTORS_FASTTEXT,
} MrenVectorFormat;

/* "auto", "word2vec_binary", "word2vec_text", "glove", "fasttext". */
extern const char *mren_vector_format_name(MrenVectorFormat format);

/* MREN_EPARAM, listing the names, for what is none of them. */
extern MrenStatus mren_vector_format_parse(const char *name, MrenVectorFormat *format,
										   MrenError *err);

typedef struct MrenVectorSink
{
	void *state;
	/* word is valid UTF-8 without NUL, 1..MREN_MAX_WORD bytes, not terminated; vector (dim) */
	MrenStatus (*word)(void *state, const char *word, size_t len, const float *vector, size_t dim,
					   MrenError *err);
} MrenVectorSink;

typedef struct MrenVectorFileInfo
{
	MrenVectorFormat format; /* as read, never AUTO */
	size_t dim;
	int64_t n_words; /* given to the sink */
	int64_t n_duplicates;
	int64_t n_bad; /* skipped; the messages are those of the first MREN_VECTORS_SHOWN */
	char bad[MREN_VECTORS_SHOWN][sizeof(((MrenError *) 0)->message)];
} MrenVectorFileInfo;

typedef struct MrenVectorReader MrenVectorReader;

/*
 * skip_bad: whether bad words are skipped and counted.
 * max_words < 0: all; otherwise reading stops after so many different words
 * (files list the most frequent first), and what follows is not read.
 */
extern MrenStatus mren_vector_reader_open(const MrenEnv *env, MrenVectorFormat format,
										  int64_t max_words, bool skip_bad,
										  const MrenVectorSink *sink, MrenVectorReader **reader,
										  MrenError *err);

/* The next n bytes of the file.  After an error only close may follow. */
extern MrenStatus mren_vector_reader_feed(MrenVectorReader *reader, const void *bytes, size_t n,
										  MrenError *err);

/* True once max_words have been read: the caller may stop feeding. */
extern bool mren_vector_reader_enough(const MrenVectorReader *reader);

/* The end of the file: truncation is found here. */
extern MrenStatus mren_vector_reader_finish(MrenVectorReader *reader, MrenVectorFileInfo *info,
											MrenError *err);

extern void mren_vector_reader_close(MrenVectorReader *reader);

#endif
