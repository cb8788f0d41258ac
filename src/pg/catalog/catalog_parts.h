/*
 * catalog_parts.h
 *	  Files that the catalog stores in parts, and the rows that name them.
 *
 * A file X has a row in mren.X, with its id first, a name and a hash, and parts (encoder, part,
 * bytes) in mren.X_part.
 */
#ifndef MREN_PG_CATALOG_PARTS_H
#define MREN_PG_CATALOG_PARTS_H

#include "postgres.h"

#include "access/attnum.h"
#include "access/htup.h"

#include "pg/catalog/catalog_scan.h"

/* Size of a part; TOAST cuts it further. */
#define MREN_PART_BYTES (1024 * 1024)

/* Copies the columns of a row into a struct of the kind's. */
typedef void (*MrenRowReader)(MrenTableScan *scan, HeapTuple tuple, void *row);

/* Reads the row of this name, by the index <table>_name_key; false: there is none. */
extern bool mren_scan_row_named(const char *table, AttrNumber name_attno, const char *name,
								MrenRowReader read, void *row);
/* Reads the first row whose hash is this; name may be NULL. */
extern bool mren_scan_row_hashed(const char *table, AttrNumber name_attno, AttrNumber hash_attno,
								 const uint8 *hash, MrenRowReader read, void *row, char **name);

/* Starts a scan of the parts of one file in order; mren_part_bytes is a column of each. */
extern void mren_parts_begin(MrenTableScan *scan, const char *table, int64 id);
extern Datum mren_part_bytes(MrenTableScan *scan, HeapTuple tuple);
/*
 * All parts together, size bytes, in the current context.  XX001 if there are fewer or more; what
 * is "image encoder" then.
 */
extern uint8 *mren_parts_read(const char *table, const char *what, int64 id, int64 size);

/* Stores one part, or a file in parts. */
extern void mren_part_write(const char *table, int64 id, int32 part, bytea *bytes);
extern void mren_parts_write(const char *table, int64 id, const uint8 *bytes, size_t len);

#endif
