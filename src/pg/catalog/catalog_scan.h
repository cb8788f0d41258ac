/*
 * catalog_scan.h
 *	  Scanning mren's tables: what the files of this folder share.
 */
#ifndef MREN_PG_CATALOG_CATALOG_SCAN_H
#define MREN_PG_CATALOG_CATALOG_SCAN_H

#include "postgres.h"

#include "access/genam.h"
#include "storage/lockdefs.h"
#include "utils/rel.h"

/* An open table and an index or sequential scan of it. */
typedef struct MrenTableScan
{
	Relation rel;
	SysScanDesc scan;
	ScanKeyData keys[3];
	int n_keys;
} MrenTableScan;

/* A table or index of the schema mren; 42P01 if it does not exist. */
extern Oid mren_table_oid(const char *name);
extern Relation mren_table_open(const char *name, LOCKMODE lock);

extern void mren_scan_open(MrenTableScan *scan, const char *table);
extern void mren_scan_key(MrenTableScan *scan, AttrNumber attno, RegProcedure equal, Datum value);
/* A text key; its column has collation "C", and so has the comparison. */
extern void mren_scan_key_text(MrenTableScan *scan, AttrNumber attno, Datum value);
/* Under the active snapshot; index NULL: a sequential scan. */
extern void mren_scan_begin(MrenTableScan *scan, const char *index);
extern HeapTuple mren_scan_next(MrenTableScan *scan);
extern void mren_scan_end(MrenTableScan *scan);

/* A column that the table declares NOT NULL. */
extern Datum mren_scan_column(MrenTableScan *scan, HeapTuple tuple, AttrNumber attno);
/* A stored content hash, of exactly 32 bytes. */
extern void mren_scan_hash(MrenTableScan *scan, Datum value, uint8 *hash);
/* A stored real[] of exactly n elements, none NULL. */
extern void mren_scan_floats(MrenTableScan *scan, Datum value, int n, float4 *out);

/* The number of rows of a table, and the name in the first of them. */
extern int mren_scan_count(const char *table, AttrNumber name_attno, char **name);

#endif
