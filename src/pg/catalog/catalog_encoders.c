/*
 * catalog_encoders.c
 *	  Image encoders in the catalog, and the ONNX file of each in parts.
 */
#include "pg/catalog/catalog.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

#include "pg/catalog/catalog_scan.h"
#include "pg/support/args.h"

/* Attribute numbers, in the order of sql/parts/10_tables.sql. */
enum
{
	ENC_ID = 1,
	ENC_NAME,
	ENC_OWNER,
	ENC_OUTPUT,
	ENC_MEAN,
	ENC_STD,
	ENC_WIDTH,
	ENC_HEIGHT,
	ENC_DIMENSION,
	ENC_SIZE,
	ENC_SHA256,
	ENC_IDENTITY
};
enum
{
	PART_ENCODER = 1,
	PART_PART,
	PART_BYTES
};

static void
read_encoder(MrenTableScan *scan, HeapTuple tuple, MrenEncoderRow *row, char **name)
{
	row->id = DatumGetInt64(mren_scan_column(scan, tuple, ENC_ID));
	row->owner = *DatumGetName(mren_scan_column(scan, tuple, ENC_OWNER));
	row->output = TextDatumGetCString(mren_scan_column(scan, tuple, ENC_OUTPUT));
	mren_scan_floats(scan, mren_scan_column(scan, tuple, ENC_MEAN), 3, row->mean);
	mren_scan_floats(scan, mren_scan_column(scan, tuple, ENC_STD), 3, row->std);
	row->width = DatumGetInt32(mren_scan_column(scan, tuple, ENC_WIDTH));
	row->height = DatumGetInt32(mren_scan_column(scan, tuple, ENC_HEIGHT));
	row->dimension = DatumGetInt32(mren_scan_column(scan, tuple, ENC_DIMENSION));
	row->size = DatumGetInt64(mren_scan_column(scan, tuple, ENC_SIZE));
	mren_scan_hash(scan, mren_scan_column(scan, tuple, ENC_IDENTITY), row->identity);
	if (name != NULL)
		*name = TextDatumGetCString(mren_scan_column(scan, tuple, ENC_NAME));
}

bool
mren_catalog_encoder(const char *name, MrenEncoderRow *row)
{
	MrenTableScan scan;
	HeapTuple tuple;

	mren_scan_open(&scan, "encoder");
	mren_scan_key_text(&scan, ENC_NAME, CStringGetTextDatum(name));
	mren_scan_begin(&scan, "encoder_name_key");
	tuple = mren_scan_next(&scan);
	if (HeapTupleIsValid(tuple))
		read_encoder(&scan, tuple, row, NULL);
	mren_scan_end(&scan);
	return HeapTupleIsValid(tuple);
}

void
mren_catalog_need_encoder(const char *name, MrenEncoderRow *row)
{
	mren_check_name_length(name);
	if (!mren_catalog_encoder(name, row))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("image encoder \"%s\" does not exist", name),
						errhint("Load it with mren.load_image_encoder; mren.image_encoders lists "
								"what is loaded.")));
}

bool
mren_catalog_encoder_by_hash(const uint8 *identity, MrenEncoderRow *row, char **name)
{
	MrenTableScan scan;
	HeapTuple tuple;
	bool found = false;

	mren_scan_open(&scan, "encoder");
	mren_scan_begin(&scan, NULL);
	while (!found && HeapTupleIsValid(tuple = mren_scan_next(&scan)))
	{
		read_encoder(&scan, tuple, row, name);
		found = memcmp(row->identity, identity, MREN_SHA256_LENGTH) == 0;
	}
	mren_scan_end(&scan);
	return found;
}

void
mren_catalog_encoder_bytes(const MrenEncoderRow *row, uint8 **bytes, size_t *len)
{
	MrenTableScan scan;
	HeapTuple tuple;
	size_t done = 0;

	*bytes = MemoryContextAllocHuge(CurrentMemoryContext, Max(row->size, 1));
	mren_scan_open(&scan, "encoder_part");
	mren_scan_key(&scan, PART_ENCODER, F_INT8EQ, Int64GetDatum(row->id));
	mren_scan_begin(&scan, "encoder_part_pkey");
	/* The index gives the parts of one encoder in order. */
	while (HeapTupleIsValid(tuple = mren_scan_next(&scan)))
	{
		Datum stored = mren_scan_column(&scan, tuple, PART_BYTES);
		bytea *part = DatumGetByteaPP(stored);
		size_t n = VARSIZE_ANY_EXHDR(part);

		if (n > (size_t) row->size - done)
			break;
		memcpy(*bytes + done, VARDATA_ANY(part), n);
		done += n;
		if ((Pointer) part != DatumGetPointer(stored))
			pfree(part);
	}
	mren_scan_end(&scan);
	if (done != (size_t) row->size)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("the parts of image encoder %lld have %zu bytes instead of %lld",
							   (long long) row->id, done, (long long) row->size)));
	*len = done;
}

int
mren_catalog_count_encoders(char **name)
{
	return mren_scan_count("encoder", ENC_NAME, name);
}
