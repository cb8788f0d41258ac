/*
 * catalog.c
 *	  Statements on mren's tables, run as the tables' owner.
 */
#include "pg/catalog/catalog.h"

#include "access/table.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "pg/catalog/catalog_scan.h"

static uint64
execute_as_owner(const char *sql, int n, const Oid *types, const Datum *values, const char *nulls,
				 bool read_only)
{
	Relation rel = mren_table_open("model", AccessShareLock);
	Oid owner = rel->rd_rel->relowner;
	Oid save_userid;
	int save_sec_context;
	int ret;

	table_close(rel, AccessShareLock);
	GetUserIdAndSecContext(&save_userid, &save_sec_context);
	/* An error restores both at the end of the (sub)transaction. */
	SetUserIdAndSecContext(owner,
						   save_sec_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	ret = SPI_execute_with_args(sql, n, (Oid *) types, (Datum *) values, nulls, read_only, 0);
	SetUserIdAndSecContext(save_userid, save_sec_context);
	if (ret < 0)
		elog(ERROR, "statement on mren's tables failed: %s", SPI_result_code_string(ret));
	return SPI_processed;
}

uint64
mren_catalog_write(const char *sql, int n, const Oid *types, const Datum *values, const char *nulls)
{
	return execute_as_owner(sql, n, types, values, nulls, false);
}

uint64
mren_catalog_read(const char *sql, int n, const Oid *types, const Datum *values, const char *nulls)
{
	return execute_as_owner(sql, n, types, values, nulls, true);
}

/* Looks for a column that came with the newest change of the tables. */
void
mren_catalog_require_current(void)
{
	if (get_attnum(mren_table_oid("run"), "model_id") != InvalidAttrNumber)
		return;
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("the extension mren is of an older version in this database than in the "
						   "server"),
					errhint("Run ALTER EXTENSION mren UPDATE.")));
}
