/*
 * load_audio_encoders.c
 *	  mren.load_audio_encoder, drop_audio_encoder, audio_features, audio_info.
 *
 * A model depends not only on the file, but also on the tensor that is read, the sample rate and
 * the windows; an encoder's identity is a hash of all of them.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "audio/audio.h"
#include "onnx/onnx_graph.h"
#include "pg/catalog/catalog.h"
#include "pg/catalog/catalog_parts.h"
#include "pg/model/models.h"
#include "pg/resource/audio_encoders.h"
#include "pg/resource/content.h"
#include "pg/support/args.h"
#include "pg/support/digest.h"
#include "pg/support/load_input.h"
#include "pg/support/pg_env.h"
#include "pg/support/settings.h"
#include "pg/support/shared_files.h"

#define LOWEST_RATE 1000
#define HIGHEST_RATE 192000

typedef struct Loading
{
	const char *name;
	uint8 *bytes;
	size_t len;
	int32 sample_rate;
	size_t window_samples;
	size_t hop_samples;
	char *output;
	size_t dimension;
	uint8 sha256[MREN_SHA256_LENGTH];
	uint8 identity[MREN_SHA256_LENGTH];
} Loading;

static void
check_new_name(const char *name)
{
	MrenAudioEncoderRow row;

	mren_check_name("name", name);
	if (strcmp(name, MREN_LOGMEL_NAME) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME), errmsg("audio encoder \"%s\" is built in", name),
				 errhint("Load the network under another name.")));
	if (mren_catalog_audio_encoder(name, &row))
		mren_content_exists(&mren_content_audio_encoder, name);
}

static int32
rate_arg(FunctionCallInfo fcinfo, int arg)
{
	int32 rate;

	mren_arg_required(fcinfo, arg, "sample_rate");
	rate = PG_GETARG_INT32(arg);
	if (rate < LOWEST_RATE || rate > HIGHEST_RATE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"sample_rate\" must be from %d to %d Hz, not %d", LOWEST_RATE,
							   HIGHEST_RATE, rate)));
	return rate;
}

/* Seconds as samples; 0 for NULL. */
static size_t
samples_arg(FunctionCallInfo fcinfo, int arg, const char *name, int32 sample_rate)
{
	float4 seconds;
	double samples;

	if (PG_ARGISNULL(arg))
		return 0;
	seconds = PG_GETARG_FLOAT4(arg);
	samples = rint((double) seconds * sample_rate);
	if (!(samples >= 1) || samples > INT_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" must be a positive number of seconds, not %g", name, seconds)));
	return (size_t) samples;
}

/* Loads the graph once, to validate it and to read its shapes. */
static void
inspect(Loading *loading, const char *output)
{
	MemoryContext work =
		AllocSetContextCreate(CurrentMemoryContext, "mren encoder", ALLOCSET_DEFAULT_SIZES);
	MrenEnv env = mren_pg_env(work);
	const MrenOnnxWaveformSpec spec = {output, loading->window_samples,
									   (size_t) mren_max_encoder_memory * 1024};
	MrenOnnxGraph *graph;
	MrenOnnxGraphInfo info;
	MrenError err;

	if (mren_onnx_graph_load_waveform(&env, loading->bytes, loading->len, &spec, &graph, &err) !=
		MREN_OK)
	{
		if (err.status == MREN_EPARAM && err.hint[0] == '\0' && output == NULL)
			mren_error_hint(&err, "\"window_seconds\" times \"sample_rate\" is the number of "
								  "samples.");
		mren_pg_raise(&err);
	}
	mren_onnx_graph_info(graph, &info);
	loading->output = pstrdup(info.output);
	loading->window_samples = info.samples;
	loading->dimension = info.features;
	mren_onnx_graph_free(&env, graph);
	MemoryContextDelete(work);
	if (loading->dimension > MaxAllocSize / sizeof(float4))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("output \"%s\" of %zu elements exceeds the maximum size of a value",
							   loading->output, loading->dimension)));
}

/* Half a window, unless it was given. */
static void
set_hop(Loading *loading)
{
	if (loading->hop_samples == 0)
		loading->hop_samples = Max(loading->window_samples / 2, 1);
	if (loading->hop_samples > loading->window_samples)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"hop_seconds\" of %zu samples exceeds the window of %zu samples",
							   loading->hop_samples, loading->window_samples),
						errhint("Parts of a recording would not be heard.")));
}

static void
hash_encoder(Loading *loading)
{
	pg_cryptohash_ctx *digest = mren_digest_begin();
	char *numbers = psprintf("audio,%d,%zu,%zu,", loading->sample_rate, loading->window_samples,
							 loading->hop_samples);

	mren_digest_add(digest, loading->bytes, loading->len);
	mren_digest_end(digest, loading->sha256);
	digest = mren_digest_begin();
	mren_digest_add(digest, loading->sha256, MREN_SHA256_LENGTH);
	mren_digest_add(digest, numbers, strlen(numbers));
	mren_digest_add(digest, loading->output, strlen(loading->output));
	mren_digest_end(digest, loading->identity);
}

static int64
insert_encoder(const Loading *loading)
{
	Oid types[] = {TEXTOID, NAMEOID, TEXTOID, INT4OID,	INT4OID,
				   INT4OID, INT4OID, INT8OID, BYTEAOID, BYTEAOID};
	Datum values[10];

	values[0] = CStringGetTextDatum(loading->name);
	values[1] = mren_current_user_name();
	values[2] = CStringGetTextDatum(loading->output);
	values[3] = Int32GetDatum(loading->sample_rate);
	values[4] = Int32GetDatum((int32) loading->window_samples);
	values[5] = Int32GetDatum((int32) loading->hop_samples);
	values[6] = Int32GetDatum((int32) loading->dimension);
	values[7] = Int64GetDatum(loading->len);
	values[8] = PointerGetDatum(mren_digest_bytea(loading->sha256));
	values[9] = PointerGetDatum(mren_digest_bytea(loading->identity));
	return mren_content_insert(
		&mren_content_audio_encoder, loading->name,
		"INSERT INTO mren.audio_encoder (name, owner, output, sample_rate, window_samples, "
		"hop_samples, dimension, size, sha256, identity, loaded_at) "
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, pg_catalog.now())",
		10, types, values);
}

/*
 * Arguments: name, source, output, sample_rate, window_seconds, hop_seconds.  Returns the
 * dimension.
 */
static Datum
load(FunctionCallInfo fcinfo, MrenLoadKind kind)
{
	Loading loading = {.name = mren_arg_text(fcinfo, 0, "name")};
	MrenLoadInput *input = mren_load_input_arg(fcinfo, 1, kind);

	check_new_name(loading.name);
	loading.sample_rate = rate_arg(fcinfo, 3);
	loading.window_samples = samples_arg(fcinfo, 4, "window_seconds", loading.sample_rate);
	loading.hop_samples = samples_arg(fcinfo, 5, "hop_seconds", loading.sample_rate);
	loading.bytes = mren_load_input_all(input, (size_t) mren_max_encoder_memory * 1024,
										"mren.max_encoder_memory", &loading.len);
	mren_load_input_close(input);
	inspect(&loading, PG_ARGISNULL(2) ? NULL : mren_arg_text(fcinfo, 2, "output"));
	set_hop(&loading);
	hash_encoder(&loading);
	mren_models_begin("mren.load_audio_encoder()");
	mren_parts_write("audio_encoder", insert_encoder(&loading), loading.bytes, loading.len);
	mren_models_end();
	PG_RETURN_INT32((int32) loading.dimension);
}

PG_FUNCTION_INFO_V1(mren_load_audio_encoder);
/* mren.load_audio_encoder(name, path, output, sample_rate, window_seconds, hop_seconds) → int */
Datum
mren_load_audio_encoder(PG_FUNCTION_ARGS)
{
	return load(fcinfo, MREN_LOAD_PATH);
}

PG_FUNCTION_INFO_V1(mren_load_audio_encoder_bytea);
/* mren.load_audio_encoder(name, contents bytea, output, ...) → int */
Datum
mren_load_audio_encoder_bytea(PG_FUNCTION_ARGS)
{
	return load(fcinfo, MREN_LOAD_CONTENTS);
}

PG_FUNCTION_INFO_V1(mren_load_audio_encoder_large_object);
/* mren.load_audio_encoder(name, large_object oid, output, ...) → int */
Datum
mren_load_audio_encoder_large_object(PG_FUNCTION_ARGS)
{
	return load(fcinfo, MREN_LOAD_LARGE_OBJECT);
}

PG_FUNCTION_INFO_V1(mren_drop_audio_encoder);
/* mren.drop_audio_encoder(name) → void */
Datum
mren_drop_audio_encoder(PG_FUNCTION_ARGS)
{
	char *name = mren_arg_text(fcinfo, 0, "name");
	MrenAudioEncoderRow row;

	if (strcmp(name, MREN_LOGMEL_NAME) == 0)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("audio encoder \"%s\" is built in and cannot be dropped", name)));
	mren_catalog_need_audio_encoder(name, &row);
	mren_content_drop(&mren_content_audio_encoder, name, row.id, NameStr(row.owner), row.identity);
	mren_shared_drop(MREN_SHARED_AUDIO_ENCODER, row.identity);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(mren_audio_features);
/* mren.audio_features(encoder, audio) → real[] */
Datum
mren_audio_features(PG_FUNCTION_ARGS)
{
	char *name = mren_arg_text(fcinfo, 0, "encoder");
	MrenAudioEncoder *encoder;
	float4 *features;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	encoder = mren_audio_encoder_open(name);
	features = palloc(mren_audio_encoder_dimension(encoder) * sizeof(float4));
	mren_audio_encoder_features(encoder, PG_GETARG_BYTEA_PP(1), features);
	PG_RETURN_ARRAYTYPE_P(mren_real_array(features, mren_audio_encoder_dimension(encoder)));
}

PG_FUNCTION_INFO_V1(mren_audio_info_sql);
/* mren.audio_info(audio) → (format text, sample_rate int, channels int, seconds double precision) */
Datum
mren_audio_info_sql(PG_FUNCTION_ARGS)
{
	bytea *audio = PG_GETARG_BYTEA_PP(0);
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenAudioInfo info;
	MrenError err;
	TupleDesc desc;
	Datum values[4];
	bool nulls[4] = {false, false, false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	MREN_PG_CALL(err, mren_audio_info(&env, (const uint8_t *) VARDATA_ANY(audio),
									  VARSIZE_ANY_EXHDR(audio), &info, &err));
	values[0] = CStringGetTextDatum(mren_audio_format_name(info.format));
	values[1] = Int32GetDatum(info.rate);
	values[2] = Int32GetDatum(info.channels);
	values[3] = Float8GetDatum((double) info.n_frames / info.rate);
	nulls[3] = info.n_frames == 0;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
