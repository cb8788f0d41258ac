/*
 * catalog_image_encoders.c
 *	  Image encoders in the catalog, and the ONNX file of each in parts.
 */
#include "pg/catalog/catalog.h"

#include "access/htup_details.h"
#include "utils/builtins.h"

#include "pg/catalog/catalog_parts.h"
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
static void
read_encoder(MrenTableScan *scan, HeapTuple tuple, void *out)
{
	MrenImageEncoderRow *row = out;

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
}

bool
mren_catalog_image_encoder(const char *name, MrenImageEncoderRow *row)
{
	return mren_scan_row_named("encoder", ENC_NAME, name, read_encoder, row);
}

void
mren_catalog_need_image_encoder(const char *name, MrenImageEncoderRow *row)
{
	mren_check_name_length(name);
	if (!mren_catalog_image_encoder(name, row))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("image encoder \"%s\" does not exist", name),
						errhint("Load it with mren.load_image_encoder; mren.image_encoders lists "
								"what is loaded.")));
}

bool
mren_catalog_image_encoder_by_hash(const uint8 *identity, MrenImageEncoderRow *row, char **name)
{
	return mren_scan_row_hashed("encoder", ENC_NAME, ENC_IDENTITY, identity, read_encoder, row,
								name);
}

void
mren_catalog_image_encoder_bytes(const MrenImageEncoderRow *row, uint8 **bytes, size_t *len)
{
	*bytes = mren_parts_read("encoder", "image encoder", row->id, row->size);
	*len = (size_t) row->size;
}

int
mren_catalog_count_image_encoders(char **name)
{
	return mren_scan_count("encoder", ENC_NAME, name);
}
