/*
 * name.h
 *	  Names as a graph compares them: two spellings of a name that differ in
 *	  case, width, composition, the kind of apostrophe or hyphen, or white space
 *	  only are one name, as they are one phrase of a lexicon.
 */
#ifndef MREN_TEXT_NAME_H
#define MREN_TEXT_NAME_H

#include <stddef.h>

#include "base/env.h"

/*
 * mren_name_normalize
 *	  The text (valid UTF-8, len bytes) in the form of casefold.h, runs of white
 *	  space and zero-width spaces as one space, none at the ends, beside a hyphen
 *	  or ampersand, or beside a character of a script that is written without
 *	  spaces; *out (out_len bytes, no NUL) is released by the caller, and is never
 *	  NULL.  Idempotent for one version of
 *	  ICU.  MREN_ELIMIT above 1 MB and for more than 128 combining marks in
 *	  a row, MREN_EFORMAT for text that is not UTF-8.
 */
extern MrenStatus mren_name_normalize(const MrenEnv *env, const char *text, size_t len, char **out,
									  size_t *out_len, MrenError *err);

#endif
