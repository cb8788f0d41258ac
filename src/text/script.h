/*
 * script.h
 *	  Scripts that are written without spaces between words.
 */
#ifndef MREN_TEXT_SCRIPT_H
#define MREN_TEXT_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar: how they are segmented
 * depends on the context, so any border between two of their characters counts
 * as one between words.
 */
extern bool mren_script_is_spaceless(uint32_t code);

/* Whether the character belongs to the one before it: a combining mark and its like. */
extern bool mren_script_extends(uint32_t code);

#endif
