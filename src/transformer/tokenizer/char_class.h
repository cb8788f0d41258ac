/*
 * char_class.h
 *	  Classes of characters, each of the Unicode version that Hugging Face's library has for it.
 *
 * ICU's tables are held to these versions by each character's age, and what an older ICU does
 * not know yet is in tables here, so that a newer ICU does not change the pieces of a stored
 * model.
 */
#ifndef MREN_TRANSFORMER_TOKENIZER_CHAR_CLASS_H
#define MREN_TRANSFORMER_TOKENIZER_CHAR_CLASS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a character is assigned in that version of Unicode. */
extern bool mren_char_known_by(uint32_t code, int version);

/* White_Space; \s, \w, \p{L} and \p{N} of regular expressions (Unicode 16). */
extern bool mren_char_space(uint32_t code);
extern bool mren_char_word(uint32_t code);
extern bool mren_char_letter(uint32_t code);
extern bool mren_char_number(uint32_t code);

/* Category P, or any ASCII character that is neither letter, digit nor space (Unicode 8). */
extern bool mren_char_punctuation(uint32_t code);

/* Categories Mn (Unicode 8) and M (Unicode 9). */
extern bool mren_char_nonspacing_mark(uint32_t code);
extern bool mren_char_mark(uint32_t code);

/* What clean_text of BertNormalizer removes (Unicode 8). */
extern bool mren_char_unclean(uint32_t code);

/* The eight blocks that BertNormalizer takes for Chinese. */
extern bool mren_char_chinese(uint32_t code);

/* Whether a character after a piece belongs to it in the eyes of a reader. */
extern bool mren_char_joins_piece(uint32_t code);

/* Simple lower case (Unicode 17); U+0130 alone has two code points and is left as it is. */
extern uint32_t mren_char_lower(uint32_t code);

#endif
