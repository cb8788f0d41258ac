/*
 * hex.h
 *	  Input and output of types whose values are bytes: \x and hexadecimal
 *	  digits, whatever bytea_output says, so that equal values have equal text.
 */
#ifndef MREN_PG_SUPPORT_HEX_H
#define MREN_PG_SUPPORT_HEX_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* type is the type's name for messages.  22P02 for what does not begin with \x. */
extern bytea *mren_hex_in(const char *input, const char *type);
/* 54000 for a value whose text would not fit. */
extern char *mren_hex_out(const bytea *value, const char *type);
/* The rest of a binary message. */
extern bytea *mren_hex_recv(StringInfo message);

#endif
