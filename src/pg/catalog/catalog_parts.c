/*
 * catalog_parts.c
 *	  Files that the catalog stores in parts, and the rows that name them.
 */
#include "pg/catalog/catalog_parts.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

#include "pg/catalog/catalog.h"
#include "pg/support/compat.h"

enum
{
	PART_FILE = 1,
	PART_PART,
	PART_BYTES
};

bool
mren_scan_row_named(const char *table, AttrNumber name_attno, const char *name, MrenRowReader read,
					void *row)
{
	MrenTableScan scan;
	HeapTuple tuple;

	mren_scan_open(&scan, table);
	mren_scan_key_text(&scan, name_attno, CStringGetTextDatum(name));
	mren_scan_begin(&scan, psprintf("%s_name_key", table));
	tuple = mren_scan_next(&scan);
	if (HeapTupleIsValid(tuple))
		read(&scan, tuple, row);
	mren_scan_end(&scan);
	return HeapTupleIsValid(tuple);
}

bool
mren_scan_row_hashed(const char *table, AttrNumber name_attno, AttrNumber hash_attno,
					 const uint8 *hash, MrenRowReader read, void *row, char **name)
{
	MrenTableScan scan;
	HeapTuple tuple;
	uint8 stored[MREN_SHA256_LENGTH];
	bool found = false;

	mren_scan_open(&scan, table);
	mren_scan_begin(&scan, NULL);
	while (!found && HeapTupleIsValid(tuple = mren_scan_next(&scan)))
	{
		mren_scan_hash(&scan, mren_scan_column(&scan, tuple, hash_attno), stored);
		found = memcmp(stored, hash, MREN_SHA256_LENGTH) == 0;
		if (!found)
			continue;
		read(&scan, tuple, row);
		if (name != NULL)
			*name = TextDatumGetCString(mren_scan_column(&scan, tuple, name_attno));
	}
	mren_scan_end(&scan);
	return found;
}

/* The index gives the parts of one file in order. */
void
mren_parts_begin(MrenTableScan *scan, const char *table, int64 id)
{
	mren_scan_open(scan, psprintf("%s_part", table));
	mren_scan_key(scan, PART_FILE, F_INT8EQ, Int64GetDatum(id));
	mren_scan_begin(scan, psprintf("%s_part_pkey", table));
}

Datum
mren_part_bytes(MrenTableScan *scan, HeapTuple tuple)
{
	return mren_scan_column(scan, tuple, PART_BYTES);
}

uint8 *
mren_parts_read(const char *table, const char *what, int64 id, int64 size)
{
	uint8 *bytes = MemoryContextAllocHuge(CurrentMemoryContext, Max(size, 1));
	MrenTableScan scan;
	HeapTuple tuple;
	size_t done = 0;
	bool fits = true;

	mren_parts_begin(&scan, table, id);
	while (fits && HeapTupleIsValid(tuple = mren_scan_next(&scan)))
	{
		Datum stored = mren_part_bytes(&scan, tuple);
		bytea *part = DatumGetByteaPP(stored);
		size_t n = VARSIZE_ANY_EXHDR(part);

		fits = n <= (size_t) size - done;
		if (fits)
			memcpy(bytes + done, VARDATA_ANY(part), n);
		done += n;
		if ((Pointer) part != DatumGetPointer(stored))
			pfree(part);
	}
	mren_scan_end(&scan);
	if (done != (size_t) size)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("the parts of %s %lld have %zu bytes instead of %lld", what,
							   (long long) id, done, (long long) size)));
	return bytes;
}

void
mren_part_write(const char *table, int64 id, int32 part, bytea *bytes)
{
	Oid types[] = {INT8OID, INT4OID, BYTEAOID};
	Datum values[] = {Int64GetDatum(id), Int32GetDatum(part), PointerGetDatum(bytes)};
	char *insert = psprintf("INSERT INTO mren.%s_part VALUES ($1, $2, $3)", table);

	mren_catalog_write(insert, 3, types, values, NULL);
	pfree(insert);
}

void
mren_parts_write(const char *table, int64 id, const uint8 *bytes, size_t len)
{
	for (size_t at = 0; at < len; at += MREN_PART_BYTES)
	{
		size_t n = Min(MREN_PART_BYTES, len - at);
		bytea *part = (bytea *) cstring_to_text_with_len((const char *) bytes + at, (int) n);

		CHECK_FOR_INTERRUPTS();
		mren_part_write(table, id, (int32) (at / MREN_PART_BYTES), part);
		pfree(part);
	}
}
