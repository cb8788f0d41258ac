/*
 * sql_builder.h
 *	  SQL statements composed of templates and typed arguments.
 *
 * A template is text of ours.  A placeholder in it, ${name}, is replaced by the
 * argument of that name, quoted as its type demands.  Each template is read
 * once, from left to right, and what an argument expands to is never read
 * again: a name or a query that contains "${name}" is only a name or a query.
 * Finished text is not edited; a longer statement is built by adding the next
 * template.
 */
#ifndef MREN_PG_SUPPORT_SQL_BUILDER_H
#define MREN_PG_SUPPORT_SQL_BUILDER_H

#include "postgres.h"

#include "lib/stringinfo.h"

typedef enum MrenSqlKind
{
	MREN_SQL_NAME,	   /* an identifier */
	MREN_SQL_RELATION, /* schema and name of a relation */
	MREN_SQL_LITERAL,  /* a string constant */
	MREN_SQL_QUERY,	   /* a query of one statement, in parentheses */
	MREN_SQL_FRAGMENT, /* SQL that was fixed when mren was compiled */
} MrenSqlKind;

typedef struct MrenSqlArg
{
	const char *placeholder;
	MrenSqlKind kind;
	const char *text;
	const char *relation; /* of MREN_SQL_RELATION, whose schema is text */
} MrenSqlArg;

/* The arguments; `placeholder` is a constant. */
static inline MrenSqlArg
mren_sql_name(const char *placeholder, const char *name)
{
	return (MrenSqlArg){.placeholder = placeholder, .kind = MREN_SQL_NAME, .text = name};
}

static inline MrenSqlArg
mren_sql_relation(const char *placeholder, const char *schema, const char *relation)
{
	return (MrenSqlArg){.placeholder = placeholder,
						.kind = MREN_SQL_RELATION,
						.text = schema,
						.relation = relation};
}

static inline MrenSqlArg
mren_sql_literal(const char *placeholder, const char *text)
{
	return (MrenSqlArg){.placeholder = placeholder, .kind = MREN_SQL_LITERAL, .text = text};
}

/*
 * A query that the parser has accepted as one statement (mren_query_text), so
 * that it cannot end the parentheses it is put in.
 */
static inline MrenSqlArg
mren_sql_query(const char *placeholder, const char *query)
{
	return (MrenSqlArg){.placeholder = placeholder, .kind = MREN_SQL_QUERY, .text = query};
}

/* SQL that is part of the program: only a string literal makes one. */
typedef struct MrenSqlFragment
{
	const char *text;
} MrenSqlFragment;

#define MREN_SQL_TEXT(literal) ((MrenSqlFragment){"" literal ""})

static inline MrenSqlArg
mren_sql_fragment(const char *placeholder, MrenSqlFragment fragment)
{
	return (MrenSqlArg){
		.placeholder = placeholder, .kind = MREN_SQL_FRAGMENT, .text = fragment.text};
}

/*
 * mren_sql_add
 *	  Appends a template to `sql`.  An error (XX000) for a placeholder without an
 *	  argument and for an argument that the template does not use, (42622) for
 *	  an identifier that PostgreSQL would cut short.
 */
extern void mren_sql_add(StringInfo sql, const char *template, int n, const MrenSqlArg *args);

/* A statement of one template; palloc'd. */
extern char *mren_sql_build(const char *template, int n, const MrenSqlArg *args);

/* The last two parameters of the above, from a list of arguments. */
#define MREN_SQL_ARGS(...)                                                                         \
	(int) lengthof(((const MrenSqlArg[]){__VA_ARGS__})), (const MrenSqlArg[])                      \
	{                                                                                              \
		__VA_ARGS__                                                                                \
	}

#endif
