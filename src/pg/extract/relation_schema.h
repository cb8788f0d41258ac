/*
 * relation_schema.h
 *	  A user's table of relations, and of the types of entities that each connects.
 *
 * Its columns are found by name: relation and, if they exist, head_type, tail_type
 * (NULL: any type), symmetric, inverse_of and functional.  Other columns are ignored.
 */
#ifndef MREN_PG_EXTRACT_RELATION_SCHEMA_H
#define MREN_PG_EXTRACT_RELATION_SCHEMA_H

#include "postgres.h"

#include "fmgr.h"

#include "pg/extract/mentions.h"

typedef struct MrenRelationRule
{
	char *relation;
	char *head_type; /* NULL: any */
	char *tail_type;
	char *inverse_of; /* another relation, which the model predicts, or NULL */
	bool symmetric;
	bool functional;
} MrenRelationRule;

typedef struct MrenRelationSchema
{
	int n;
	MrenRelationRule *rules;
} MrenRelationSchema;

/*
 * mren_relation_schema_read
 *	  Reads the table as the current user into the context.  The caller must be connected
 *	  to SPI.  Errors: 42P01 or 42703 if the table or its column relation does not exist,
 *	  22004 or 22023 for a relation that is null or empty, 22023 for what is no boolean.
 */
extern void mren_relation_schema_read(Oid table, MemoryContext context, MrenRelationSchema *schema);

/*
 * mren_relation_schema
 *	  The schema that argument `arg` (regclass) names, read with the caller's
 *	  rights and kept for the statement; NULL if the argument is.
 */
extern const MrenRelationSchema *mren_relation_schema(FunctionCallInfo fcinfo, int arg);

/*
 * mren_relation_schema_notice
 *	  Once a statement, a NOTICE for each name in the schema that matches nothing: a
 *	  type that neither the lexicons nor the tagger give, and a relation that the
 *	  model (NULL: none) does not have.  `relations` are the n names of the model's
 *	  relations, without a direction at their end.
 */
extern void mren_relation_schema_notice(FunctionCallInfo fcinfo, const MrenFinder *finder,
										const char *model, const char *const *relations, int n);

/*
 * mren_relation_allowed
 *	  Whether the relation (NULL: some relation) may hold from an entity of one
 *	  type to one of another.  A symmetric relation holds between types in
 *	  either order, but only from the mention that comes first in the text,
 *	  so that each pair comes once.  A NULL schema allows everything.
 */
extern bool mren_relation_allowed(const MrenRelationSchema *schema, const char *relation,
								  const char *head_type, const char *tail_type, bool head_first);

#endif
