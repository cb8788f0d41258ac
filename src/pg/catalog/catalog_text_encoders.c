/*
 * catalog_text_encoders.c
 *	  Pretrained text encoders in the catalog, and the bytes of each in parts.
 */
#include "pg/catalog/catalog.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

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
enum
{
	PART_ENCODER = 1,
	PART_PART,
	PART_BYTES
};

struct MrenTextEncoderReader
{
	MrenTableScan scan;
	bytea *part; /* NULL: none yet */
	bool own;	 /* part is a copy */
	size_t at;	 /* in the part */
};

static void
read_text_encoder(MrenTableScan *scan, HeapTuple tuple, MrenTextEncoderRow *row, char **name)
{
	row->id = DatumGetInt64(mren_scan_column(scan, tuple, TEXT_ID));
	row->owner = *DatumGetName(mren_scan_column(scan, tuple, TEXT_OWNER));
	row->width = DatumGetInt32(mren_scan_column(scan, tuple, TEXT_WIDTH));
	row->size = DatumGetInt64(mren_scan_column(scan, tuple, TEXT_SIZE));
	mren_scan_hash(scan, mren_scan_column(scan, tuple, TEXT_SHA256), row->sha256);
	if (name != NULL)
		*name = TextDatumGetCString(mren_scan_column(scan, tuple, TEXT_NAME));
}

bool
mren_catalog_text_encoder(const char *name, MrenTextEncoderRow *row)
{
	MrenTableScan scan;
	HeapTuple tuple;

	mren_scan_open(&scan, "text_encoder");
	mren_scan_key_text(&scan, TEXT_NAME, CStringGetTextDatum(name));
	mren_scan_begin(&scan, "text_encoder_name_key");
	tuple = mren_scan_next(&scan);
	if (HeapTupleIsValid(tuple))
		read_text_encoder(&scan, tuple, row, NULL);
	mren_scan_end(&scan);
	return HeapTupleIsValid(tuple);
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
	MrenTableScan scan;
	HeapTuple tuple;
	bool found = false;

	mren_scan_open(&scan, "text_encoder");
	mren_scan_begin(&scan, NULL);
	while (!found && HeapTupleIsValid(tuple = mren_scan_next(&scan)))
	{
		read_text_encoder(&scan, tuple, row, name);
		found = memcmp(row->sha256, sha256, MREN_SHA256_LENGTH) == 0;
	}
	mren_scan_end(&scan);
	return found;
}

MrenTextEncoderReader *
mren_catalog_text_encoder_begin(const MrenTextEncoderRow *row)
{
	MrenTextEncoderReader *reader = palloc0(sizeof(MrenTextEncoderReader));

	mren_scan_open(&reader->scan, "text_encoder_part");
	mren_scan_key(&reader->scan, PART_ENCODER, F_INT8EQ, Int64GetDatum(row->id));
	/* The index gives the parts of one encoder in order. */
	mren_scan_begin(&reader->scan, "text_encoder_part_pkey");
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
	stored = mren_scan_column(&reader->scan, tuple, PART_BYTES);
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
