/*
 * stored_query.c
 *	  Running a stored query as its owner.
 */
#include "pg/support/stored_query.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"

void
mren_stored_here(MrenStoredQuery *query, const char *text)
{
	query->text = pstrdup(text);
	query->search_path = pstrdup(namespace_search_path);
	namestrcpy(&query->owner, GetUserNameFromId(GetUserId(), false));
}

static Oid
owner_oid(const MrenStoredQuery *query)
{
	Oid role = get_role_oid(NameStr(query->owner), true);

	if (!OidIsValid(role))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("role \"%s\", which owns the stored query, does not exist",
							   NameStr(query->owner)),
						errhint("Train once with a query of your own: CALL mren.train.")));
	return role;
}

void
mren_stored_require(const MrenStoredQuery *query)
{
	if (has_privs_of_role(GetUserId(), owner_oid(query)))
		return;
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					errmsg("permission denied to run a stored query of role \"%s\"",
						   NameStr(query->owner)),
					errdetail("A stored query runs as its owner, and only members of that role may "
							  "run it."),
					errhint("Train once with a query of your own: CALL mren.train.")));
}

/*
 * Temporary tables belong to the session, not to the query's owner: unless the
 * path names their schema it is searched last, so that they cannot replace others.
 */
static char *
path_with_temp_last(const char *path)
{
	if (strstr(path, "pg_temp") != NULL)
		return pstrdup(path);
	return psprintf("%s%spg_temp", path, path[strspn(path, " ")] != '\0' ? ", " : "");
}

void
mren_stored_enter(const MrenStoredQuery *query, MrenStoredScope *scope)
{
	const char *path = query->search_path != NULL ? query->search_path : namespace_search_path;

	GetUserIdAndSecContext(&scope->userid, &scope->sec_context);
	scope->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", path_with_temp_last(path), PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	SetUserIdAndSecContext(owner_oid(query), scope->sec_context | SECURITY_LOCAL_USERID_CHANGE |
												 SECURITY_RESTRICTED_OPERATION);
}

void
mren_stored_leave(const MrenStoredScope *scope)
{
	AtEOXact_GUC(false, scope->guc_level);
	SetUserIdAndSecContext(scope->userid, scope->sec_context);
}
