/*
 * catalog_scan.c
 *	  Scanning mren's tables, by index where there is one, without SPI.
 */
#include "pg/catalog/catalog_scan.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "pg/catalog/catalog.h"
#include "pg/support/compat.h"

Oid
mren_table_oid(const char *name)
{
	Oid nsp = get_namespace_oid("mren", false);
	Oid rel = get_relname_relid(name, nsp);

	if (!OidIsValid(rel))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation \"mren.%s\" does not exist", name),
						errhint("Reinstall the extension mren.")));
	return rel;
}

/*
 * While this waits for the lock, the extension may be dropped and created again;
 * the name then means another table.
 */
Relation
mren_table_open(const char *name, LOCKMODE lock)
{
	Oid oid = mren_table_oid(name);
	Oid now;

	LockRelationOid(oid, lock);
	while ((now = mren_table_oid(name)) != oid)
	{
		UnlockRelationOid(oid, lock);
		oid = now;
		LockRelationOid(oid, lock);
	}
	return table_open(oid, NoLock);
}

void
mren_scan_open(MrenTableScan *scan, const char *table)
{
	scan->rel = mren_table_open(table, AccessShareLock);
	scan->n_keys = 0;
}

void
mren_scan_key(MrenTableScan *scan, AttrNumber attno, RegProcedure equal, Datum value)
{
	ScanKeyInit(&scan->keys[scan->n_keys++], attno, BTEqualStrategyNumber, equal, value);
}

void
mren_scan_key_text(MrenTableScan *scan, AttrNumber attno, Datum value)
{
	ScanKeyEntryInitialize(&scan->keys[scan->n_keys++], 0, attno, BTEqualStrategyNumber, InvalidOid,
						   C_COLLATION_OID, F_TEXTEQ, value);
}

void
mren_scan_begin(MrenTableScan *scan, const char *index)
{
	scan->scan = systable_beginscan(scan->rel, index != NULL ? mren_table_oid(index) : InvalidOid,
									index != NULL, GetActiveSnapshot(), scan->n_keys, scan->keys);
}

HeapTuple
mren_scan_next(MrenTableScan *scan)
{
	return systable_getnext(scan->scan);
}

void
mren_scan_end(MrenTableScan *scan)
{
	systable_endscan(scan->scan);
	table_close(scan->rel, AccessShareLock);
}

Datum
mren_scan_column(MrenTableScan *scan, HeapTuple tuple, AttrNumber attno)
{
	bool isnull;
	Datum value = heap_getattr(tuple, attno, RelationGetDescr(scan->rel), &isnull);

	if (isnull)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("unexpected null in column %d of \"mren.%s\"", attno,
							   RelationGetRelationName(scan->rel))));
	return value;
}

void
mren_scan_hash(MrenTableScan *scan, Datum value, uint8 *hash)
{
	bytea *bytes = DatumGetByteaPP(value);

	if (VARSIZE_ANY_EXHDR(bytes) != MREN_SHA256_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a content hash in \"mren.%s\" has %d bytes instead of 32",
						RelationGetRelationName(scan->rel), (int) VARSIZE_ANY_EXHDR(bytes))));
	memcpy(hash, VARDATA_ANY(bytes), MREN_SHA256_LENGTH);
}

void
mren_scan_floats(MrenTableScan *scan, Datum value, int n, float4 *out)
{
	ArrayType *array = DatumGetArrayTypeP(value);

	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != n || ARR_HASNULL(array) ||
		ARR_ELEMTYPE(array) != FLOAT4OID)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("a vector in \"mren.%s\" does not have %d elements",
							   RelationGetRelationName(scan->rel), n)));
	memcpy(out, ARR_DATA_PTR(array), n * sizeof(float4));
	if ((Pointer) array != DatumGetPointer(value))
		pfree(array);
}

int
mren_scan_count(const char *table, AttrNumber name_attno, char **name)
{
	MrenTableScan scan;
	HeapTuple tuple;
	int n = 0;

	mren_scan_open(&scan, table);
	mren_scan_begin(&scan, NULL);
	while (HeapTupleIsValid(tuple = mren_scan_next(&scan)))
	{
		if (n++ == 0)
			*name = TextDatumGetCString(mren_scan_column(&scan, tuple, name_attno));
	}
	mren_scan_end(&scan);
	return n;
}
