/*
 * chars.h
 *	  Characters of a text with the places that they stand for, and how steps change them.
 *
 * Every normalizer and pre-tokenizer keeps, beside each code point, the span of the text from
 * which it comes.  Some describe what they do as edits, as Hugging Face's library does, since
 * the spans that it publishes follow from these.
 */
#ifndef MREN_TRANSFORMER_TOKENIZER_CHARS_H
#define MREN_TRANSFORMER_TOKENIZER_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

/* A code point of the normalized text and the code points of the text it stands for. */
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
	size_t most; /* that it may have; 0: any number */
} MrenSubwordChars;

/*
 * A character of the result.  change 1: it is put in and has the span of the character before
 * it in the source; 0: it replaces the next one of the source; -n: it replaces the next one,
 * and the n after that one are removed.
 */
typedef struct MrenCharEdit
{
	uint32_t code;
	int32_t change;
} MrenCharEdit;

typedef struct MrenCharEdits
{
	MrenCharEdit *at;
	size_t n;
	size_t capacity;
} MrenCharEdits;

/* MREN_ELIMIT beyond chars->most. */
extern MrenStatus mren_chars_add(const MrenEnv *env, MrenSubwordChars *chars, uint32_t code,
								 const MrenSubwordChar *from, MrenError *err);

/* The code points of valid UTF-8, each with its own place; MREN_EDATA for other bytes. */
extern MrenStatus mren_chars_read(const MrenEnv *env, const char *text, size_t len,
								  MrenSubwordChars *chars, MrenError *err);

extern MrenStatus mren_edits_add(const MrenEnv *env, MrenCharEdits *edits, uint32_t code,
								 int32_t change, MrenError *err);

/* out = the n characters from `in` on, edited. */
extern MrenStatus mren_chars_edit(const MrenEnv *env, const MrenSubwordChar *in, size_t n,
								  const MrenCharEdits *edits, MrenSubwordChars *out,
								  MrenError *err);

/* Bytes of UTF-8 that a code point takes. */
static inline size_t
mren_char_bytes(uint32_t code)
{
	return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

#endif
