/*
 * literal.h
 *	  Values written as JSON or as Python literals, parsed into a flat array.
 *
 * Nothing recurses: nesting is bounded, and a value's nodes follow it.  Strings
 * are unescaped, valid UTF-8 and without zero characters.  JSON is RFC 8259;
 * Python literals are what repr() prints for dictionaries, lists, tuples,
 * strings, numbers, True, False and None.
 */
#ifndef MREN_TEXT_DATASET_LITERAL_H
#define MREN_TEXT_DATASET_LITERAL_H

#include <stdint.h>

#include "base/env.h"

#define MREN_LITERAL_DEPTH 32

typedef enum MrenSyntax
{
	MREN_SYNTAX_JSON,
	MREN_SYNTAX_PYTHON,
} MrenSyntax;

typedef enum MrenLiteralKind
{
	MREN_LITERAL_NULL,
	MREN_LITERAL_FALSE,
	MREN_LITERAL_TRUE,
	MREN_LITERAL_NUMBER, /* text is as written */
	MREN_LITERAL_STRING,
	MREN_LITERAL_LIST, /* n elements follow */
	MREN_LITERAL_MAP,  /* n pairs follow: a string, then its value */
} MrenLiteralKind;

typedef struct MrenLiteralNode
{
	MrenLiteralKind kind;
	uint32_t n;
	uint32_t next; /* number of the first node after this value */
	const char *text;
	size_t len;
} MrenLiteralNode;

/* Zero-initialized; node 0 is the whole value. */
typedef struct MrenLiteral
{
	MrenLiteralNode *nodes;
	size_t n_nodes, capacity;
	char *strings; /* the unescaped ones */
} MrenLiteral;

/*
 * mren_literal_parse
 *	  Replaces out's contents.  Nodes may point into text, which must stay.
 *	  MREN_EFORMAT, with the character's number, for what is malformed;
 *	  MREN_ELIMIT for deeper nesting than MREN_LITERAL_DEPTH.
 */
extern MrenStatus mren_literal_parse(const MrenEnv *env, MrenSyntax syntax, const char *text,
									 size_t len, MrenLiteral *out, MrenError *err);

/* The value under a key of the map at node `map`, NULL if there is none. */
extern const MrenLiteralNode *mren_literal_get(const MrenLiteral *literal,
											   const MrenLiteralNode *map, const char *key);

extern void mren_literal_free(const MrenEnv *env, MrenLiteral *literal);

#endif
