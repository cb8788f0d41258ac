/*
 * stored_query.h
 *	  A query that was kept to be run again: its text, the search_path it was
 *	  given under, and whose it is.
 *
 * It runs as its owner and no one else, as a security-restricted operation,
 * with the path it was stored with; only a member of that role may ask for it.
 * Otherwise whoever stores a query would borrow the rights of whoever runs it.
 */
#ifndef MREN_PG_SUPPORT_STORED_QUERY_H
#define MREN_PG_SUPPORT_STORED_QUERY_H

#include "postgres.h"

typedef struct MrenStoredQuery
{
	char *text;
	char *search_path; /* NULL: unknown, that of the caller is taken */
	NameData owner;
} MrenStoredQuery;

/* The query as the current user gives it here; palloc'd. */
extern void mren_stored_here(MrenStoredQuery *query, const char *text);

/* 42704 if the owner's role is gone, 42501 if the current user is no member of it. */
extern void mren_stored_require(const MrenStoredQuery *query);

/* What was in effect before. */
typedef struct MrenStoredScope
{
	Oid userid;
	int sec_context;
	int guc_level;
} MrenStoredScope;

/*
 * mren_stored_enter, mren_stored_leave
 *	  In between, statements run as the query's owner, read-only or not as they
 *	  say.  An error in between undoes it with its (sub)transaction.
 */
extern void mren_stored_enter(const MrenStoredQuery *query, MrenStoredScope *scope);
extern void mren_stored_leave(const MrenStoredScope *scope);

#endif
