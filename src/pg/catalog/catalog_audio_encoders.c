/*
 * catalog_audio_encoders.c
 *	  Audio encoders in the catalog, and the ONNX file of each in parts.
 */
#include "pg/catalog/catalog.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

#include "pg/catalog/catalog_scan.h"

/* Attribute numbers, in the order of sql/parts/28_audio.sql. */
enum
{
	AUDIO_ID = 1,
	AUDIO_NAME,
	AUDIO_OWNER,
	AUDIO_OUTPUT,
	AUDIO_SAMPLE_RATE,
	AUDIO_WINDOW_SAMPLES,
	AUDIO_HOP_SAMPLES,
	AUDIO_DIMENSION,
	AUDIO_SIZE,
	AUDIO_SHA256,
	AUDIO_IDENTITY
};
enum
{
	PART_ENCODER = 1,
	PART_PART,
	PART_BYTES
};

static void
read_audio_encoder(MrenTableScan *scan, HeapTuple tuple, MrenAudioEncoderRow *row, char **name)
{
	row->id = DatumGetInt64(mren_scan_column(scan, tuple, AUDIO_ID));
	row->owner = *DatumGetName(mren_scan_column(scan, tuple, AUDIO_OWNER));
	row->output = TextDatumGetCString(mren_scan_column(scan, tuple, AUDIO_OUTPUT));
	row->sample_rate = DatumGetInt32(mren_scan_column(scan, tuple, AUDIO_SAMPLE_RATE));
	row->window_samples = DatumGetInt32(mren_scan_column(scan, tuple, AUDIO_WINDOW_SAMPLES));
	row->hop_samples = DatumGetInt32(mren_scan_column(scan, tuple, AUDIO_HOP_SAMPLES));
	row->dimension = DatumGetInt32(mren_scan_column(scan, tuple, AUDIO_DIMENSION));
	row->size = DatumGetInt64(mren_scan_column(scan, tuple, AUDIO_SIZE));
	mren_scan_hash(scan, mren_scan_column(scan, tuple, AUDIO_IDENTITY), row->identity);
	if (name != NULL)
		*name = TextDatumGetCString(mren_scan_column(scan, tuple, AUDIO_NAME));
}

bool
mren_catalog_audio_encoder(const char *name, MrenAudioEncoderRow *row)
{
	MrenTableScan scan;
	HeapTuple tuple;

	mren_scan_open(&scan, "audio_encoder");
	mren_scan_key_text(&scan, AUDIO_NAME, CStringGetTextDatum(name));
	mren_scan_begin(&scan, "audio_encoder_name_key");
	tuple = mren_scan_next(&scan);
	if (HeapTupleIsValid(tuple))
		read_audio_encoder(&scan, tuple, row, NULL);
	mren_scan_end(&scan);
	return HeapTupleIsValid(tuple);
}

void
mren_catalog_need_audio_encoder(const char *name, MrenAudioEncoderRow *row)
{
	if (!mren_catalog_audio_encoder(name, row))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("audio encoder \"%s\" does not exist", name),
						errhint("Load it with mren.load_audio_encoder; mren.audio_encoders lists "
								"what is loaded. \"logmel\" needs no loading.")));
}

bool
mren_catalog_audio_encoder_by_hash(const uint8 *identity, MrenAudioEncoderRow *row, char **name)
{
	MrenTableScan scan;
	HeapTuple tuple;
	bool found = false;

	mren_scan_open(&scan, "audio_encoder");
	mren_scan_begin(&scan, NULL);
	while (!found && HeapTupleIsValid(tuple = mren_scan_next(&scan)))
	{
		read_audio_encoder(&scan, tuple, row, name);
		found = memcmp(row->identity, identity, MREN_SHA256_LENGTH) == 0;
	}
	mren_scan_end(&scan);
	return found;
}

void
mren_catalog_audio_encoder_bytes(const MrenAudioEncoderRow *row, uint8 **bytes, size_t *len)
{
	MrenTableScan scan;
	HeapTuple tuple;
	size_t done = 0;

	*bytes = MemoryContextAllocHuge(CurrentMemoryContext, Max(row->size, 1));
	mren_scan_open(&scan, "audio_encoder_part");
	mren_scan_key(&scan, PART_ENCODER, F_INT8EQ, Int64GetDatum(row->id));
	mren_scan_begin(&scan, "audio_encoder_part_pkey");
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
						errmsg("the parts of audio encoder %lld have %zu bytes instead of %lld",
							   (long long) row->id, done, (long long) row->size)));
	*len = done;
}
