/*
 * catalog_audio_encoders.c
 *	  Audio encoders in the catalog, and the ONNX file of each in parts.
 */
#include "pg/catalog/catalog.h"

#include "access/htup_details.h"
#include "utils/builtins.h"

#include "pg/catalog/catalog_parts.h"
#include "pg/catalog/catalog_scan.h"
#include "pg/support/args.h"

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
static void
read_audio_encoder(MrenTableScan *scan, HeapTuple tuple, void *out)
{
	MrenAudioEncoderRow *row = out;

	row->id = DatumGetInt64(mren_scan_column(scan, tuple, AUDIO_ID));
	row->owner = *DatumGetName(mren_scan_column(scan, tuple, AUDIO_OWNER));
	row->output = TextDatumGetCString(mren_scan_column(scan, tuple, AUDIO_OUTPUT));
	row->sample_rate = DatumGetInt32(mren_scan_column(scan, tuple, AUDIO_SAMPLE_RATE));
	row->window_samples = DatumGetInt32(mren_scan_column(scan, tuple, AUDIO_WINDOW_SAMPLES));
	row->hop_samples = DatumGetInt32(mren_scan_column(scan, tuple, AUDIO_HOP_SAMPLES));
	row->dimension = DatumGetInt32(mren_scan_column(scan, tuple, AUDIO_DIMENSION));
	row->size = DatumGetInt64(mren_scan_column(scan, tuple, AUDIO_SIZE));
	mren_scan_hash(scan, mren_scan_column(scan, tuple, AUDIO_IDENTITY), row->identity);
}

bool
mren_catalog_audio_encoder(const char *name, MrenAudioEncoderRow *row)
{
	return mren_scan_row_named("audio_encoder", AUDIO_NAME, name, read_audio_encoder, row);
}

void
mren_catalog_need_audio_encoder(const char *name, MrenAudioEncoderRow *row)
{
	mren_check_name_length(name);
	if (!mren_catalog_audio_encoder(name, row))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("audio encoder \"%s\" does not exist", name),
						errhint("Load it with mren.load_audio_encoder; mren.audio_encoders lists "
								"what is loaded. \"logmel\" needs no loading.")));
}

bool
mren_catalog_audio_encoder_by_hash(const uint8 *identity, MrenAudioEncoderRow *row, char **name)
{
	return mren_scan_row_hashed("audio_encoder", AUDIO_NAME, AUDIO_IDENTITY, identity,
								read_audio_encoder, row, name);
}

void
mren_catalog_audio_encoder_bytes(const MrenAudioEncoderRow *row, uint8 **bytes, size_t *len)
{
	*bytes = mren_parts_read("audio_encoder", "audio encoder", row->id, row->size);
	*len = (size_t) row->size;
}
