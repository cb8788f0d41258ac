/*
 * stored_query.h
 *	  A query that is stored to be run again: its text, its owner, and the
 *	  search_path that was in effect when it was stored.
 *
 * It always runs as its owner, as a security-restricted operation, with that
 * search_path; only a member of the owner's role may run it.  Otherwise the role
 * that stores a query would borrow the rights of the role that runs it.
 */
#ifndef MREN_PG_SUPPORT_STORED_QUERY_H
#define MREN_PG_SUPPORT_STORED_QUERY_H

#include "postgres.h"

typedef struct MrenStoredQuery
{
	char *text;
	char *search_path; /* NULL: unknown; the caller's is used */
	NameData owner;
} MrenStoredQuery;

/* The query with the current user and search_path; palloc'd. */
extern void mren_stored_here(MrenStoredQuery *query, const char *text);

/* 42704 if the owner's role is gone, 42501 if the current user is not a member of it. */
extern void mren_stored_require(const MrenStoredQuery *query);

/* What mren_stored_leave restores. */
typedef struct MrenStoredScope
{
	Oid userid;
	int sec_context;
	int guc_level;
} MrenStoredScope;

/*
 * mren_stored_enter, mren_stored_leave
 *	  Between the two, statements run as the query's owner.  After an error the end
 *	  of the (sub)transaction restores the user and the search_path.
 */
extern void mren_stored_enter(const MrenStoredQuery *query, MrenStoredScope *scope);
extern void mren_stored_leave(const MrenStoredScope *scope);

#endif
