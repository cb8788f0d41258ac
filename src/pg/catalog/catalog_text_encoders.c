/*
 * catalog_text_encoders.c
 *	  Pretrained text encoders in the catalog, and the bytes of each in parts.
 */
#include "pg/catalog/catalog.h"

#include "access/htup_details.h"
#include "utils/builtins.h"

#include "pg/catalog/catalog_parts.h"
#include "pg/catalog/catalog_scan.h"
#include "pg/support/args.h"

/* Attribute numbers, in the order of sql/parts/27_text_encoders.sql. */
enum
{
	TEXT_ID = 1,
	TEXT_NAME,
	TEXT_OWNER,
	TEXT_ARCHITECTURE,
	TEXT_LAYERS,
	TEXT_WIDTH,
	TEXT_HEADS,
	TEXT_PARAMETERS,
	TEXT_POSITIONS,
	TEXT_VOCABULARY,
	TEXT_TOKENIZER,
	TEXT_SIZE,
	TEXT_SHA256
};

struct MrenTextEncoderReader
{
	MrenTableScan scan;
	bytea *part; /* NULL: none yet */
	bool own;	 /* part is a copy */
	size_t at;	 /* in the part */
};

static void
read_text_encoder(MrenTableScan *scan, HeapTuple tuple, void *out)
{
	MrenTextEncoderRow *row = out;

	row->id = DatumGetInt64(mren_scan_column(scan, tuple, TEXT_ID));
	row->owner = *DatumGetName(mren_scan_column(scan, tuple, TEXT_OWNER));
	row->width = DatumGetInt32(mren_scan_column(scan, tuple, TEXT_WIDTH));
	row->size = DatumGetInt64(mren_scan_column(scan, tuple, TEXT_SIZE));
	mren_scan_hash(scan, mren_scan_column(scan, tuple, TEXT_SHA256), row->sha256);
}

bool
mren_catalog_text_encoder(const char *name, MrenTextEncoderRow *row)
{
	return mren_scan_row_named("text_encoder", TEXT_NAME, name, read_text_encoder, row);
}

void
mren_catalog_need_text_encoder(const char *name, MrenTextEncoderRow *row)
{
	mren_check_name_length(name);
	if (!mren_catalog_text_encoder(name, row))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("text encoder \"%s\" does not exist", name),
						errhint("Load it with mren.load_text_encoder; mren.text_encoders lists "
								"what is loaded.")));
}

bool
mren_catalog_text_encoder_by_hash(const uint8 *sha256, MrenTextEncoderRow *row, char **name)
{
	return mren_scan_row_hashed("text_encoder", TEXT_NAME, TEXT_SHA256, sha256, read_text_encoder,
								row, name);
}

MrenTextEncoderReader *
mren_catalog_text_encoder_begin(const MrenTextEncoderRow *row)
{
	MrenTextEncoderReader *reader = palloc0(sizeof(MrenTextEncoderReader));

	mren_parts_begin(&reader->scan, "text_encoder", row->id);
	return reader;
}

static bool
next_part(MrenTextEncoderReader *reader)
{
	HeapTuple tuple = mren_scan_next(&reader->scan);
	Datum stored;

	if (reader->own)
		pfree(reader->part);
	reader->part = NULL;
	reader->own = false;
	reader->at = 0;
	if (!HeapTupleIsValid(tuple))
		return false;
	stored = mren_part_bytes(&reader->scan, tuple);
	reader->part = DatumGetByteaPP(stored);
	reader->own = (Pointer) reader->part != DatumGetPointer(stored);
	return true;
}

size_t
mren_catalog_text_encoder_read(MrenTextEncoderReader *reader, void *buffer, size_t size)
{
	size_t done = 0;

	while (done < size)
	{
		size_t n = reader->part == NULL ? 0 : VARSIZE_ANY_EXHDR(reader->part) - reader->at;

		if (n == 0)
		{
			if (!next_part(reader))
				break;
			continue;
		}
		n = Min(n, size - done);
		memcpy((char *) buffer + done, VARDATA_ANY(reader->part) + reader->at, n);
		reader->at += n;
		done += n;
	}
	return done;
}

void
mren_catalog_text_encoder_end(MrenTextEncoderReader *reader)
{
	if (reader->own)
		pfree(reader->part);
	mren_scan_end(&reader->scan);
	pfree(reader);
}
