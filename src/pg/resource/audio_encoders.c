/*
 * audio_encoders.c
 *	  Loaded audio encoders and the feature vectors of recordings.
 *
 * A recording is decoded, resampled and cut into windows as a stream; the network runs on each
 * window, and the vector is the mean.  The libraries that decode allocate by malloc, so the
 * stream is closed on every path, errors included.
 *
 * An encoder is the parsed network with its arena; one run at a time uses it, because nothing
 * between a run's start and its end calls back into SQL.
 */
#include "pg/resource/audio_encoders.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "audio/audio.h"
#include "onnx/onnx_graph.h"
#include "pg/resource/recent_vectors.h"
#include "pg/support/lru_cache.h"
#include "pg/support/pg_env.h"
#include "pg/support/settings.h"
#include "pg/support/shared_files.h"

/* Samples of a step of log-mel statistics: a second. */
#define PIECE_SAMPLES MREN_MEL_RATE

struct MrenAudioEncoder
{
	MrenCacheEntry base; /* key: the identity */
	MrenEnv env;		 /* of the entry's context: graph and logmel keep a pointer to it */
	int32 dimension;
	uint32 sample_rate;
	MrenLogmel *logmel; /* NULL: a network */
	MrenOnnxGraph *graph;
	MrenOnnxGraphRun *run;
	size_t window_samples;
	size_t hop_samples;
};

static MrenCache cache = MREN_CACHE_INIT(cache, &mren_audio_encoder_cache, NULL);

static MrenCache recordings = MREN_CACHE_INIT(recordings, &mren_audio_cache, NULL);

/* ---- opening ---- */

static MrenAudioEncoder *
new_encoder(void)
{
	MrenAudioEncoder *encoder = mren_cache_entry("audio encoder", sizeof(MrenAudioEncoder));

	encoder->env = mren_pg_env(encoder->base.context);
	return encoder;
}

static void *
load_logmel(const void *what)
{
	MrenAudioEncoder *encoder = new_encoder();
	MrenError err;

	(void) what;
	MREN_PG_CALL(err, mren_logmel_create(&encoder->env, &encoder->logmel, &err));
	encoder->dimension = MREN_LOGMEL_SIZE;
	encoder->sample_rate = MREN_MEL_RATE;
	return encoder;
}

/* What opens the network, for mren_shared_open. */
static MrenStatus
open_graph(void *state, const MrenEnv *env, void **opened, MrenError *err)
{
	const MrenAudioEncoderRow *row = state;
	MrenOnnxGraph *graph;
	uint8 *bytes = NULL;
	size_t len = 0;

	if (!mren_weights_ready(env))
		mren_catalog_audio_encoder_bytes(row, &bytes, &len);
	MREN_TRY(mren_onnx_graph_load_waveform(env, bytes, len, row->output, row->window_samples,
										   (size_t) mren_max_encoder_memory * 1024, &graph, err));
	if (bytes != NULL)
		pfree(bytes);
	*opened = graph;
	return MREN_OK;
}

static void *
load_network(const void *what)
{
	const MrenAudioEncoderRow *row = what;
	MrenAudioEncoder *encoder = new_encoder();
	MrenOnnxGraphInfo info;
	MrenError err;
	float4 *silence;

	encoder->dimension = row->dimension;
	encoder->sample_rate = row->sample_rate;
	encoder->window_samples = row->window_samples;
	encoder->hop_samples = row->hop_samples;
	encoder->graph = mren_shared_open(MREN_SHARED_AUDIO_ENCODER, row->identity,
									  encoder->base.context, open_graph, (void *) row);
	mren_onnx_graph_info(encoder->graph, &info);
	if (info.features != (size_t) row->dimension)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("audio encoder %lld returns %zu features instead of %d",
							   (long long) row->id, info.features, row->dimension)));
	silence = palloc0(encoder->window_samples * sizeof(float4));
	MREN_PG_CALL(
		err, mren_onnx_graph_start(&encoder->env, encoder->graph, silence, &encoder->run, &err));
	pfree(silence);
	return encoder;
}

static MrenAudioEncoder *
open_logmel(void)
{
	return mren_cache_open(&cache, 0, mren_logmel_identity, load_logmel, NULL);
}

static MrenAudioEncoder *
open_network(const MrenAudioEncoderRow *row)
{
	return mren_cache_open(&cache, 0, row->identity, load_network, row);
}

MrenAudioEncoder *
mren_audio_encoder_open(const char *name)
{
	MrenAudioEncoderRow row;

	if (strcmp(name, MREN_LOGMEL_NAME) == 0)
		return open_logmel();
	mren_catalog_need_audio_encoder(name, &row);
	return open_network(&row);
}

void
mren_audio_encoder_find(const char *name, uint8 *identity, int32 *dimension)
{
	MrenAudioEncoderRow row;

	if (strcmp(name, MREN_LOGMEL_NAME) == 0)
	{
		memcpy(identity, mren_logmel_identity, MREN_SHA256_LENGTH);
		*dimension = MREN_LOGMEL_SIZE;
		return;
	}
	mren_catalog_need_audio_encoder(name, &row);
	memcpy(identity, row.identity, MREN_SHA256_LENGTH);
	*dimension = row.dimension;
}

MrenAudioEncoder *
mren_audio_encoder_open_by_hash(const uint8 *identity, const char *model)
{
	MrenAudioEncoder *encoder = mren_cache_reopen(&cache, 0, identity);
	MrenAudioEncoderRow row;

	if (encoder != NULL)
		return encoder;
	if (memcmp(identity, mren_logmel_identity, MREN_SHA256_LENGTH) == 0)
		return open_logmel();
	if (!mren_catalog_audio_encoder_by_hash(identity, &row, NULL))
		ereport(
			ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the audio encoder of model \"%s\" is not loaded", model),
			 errhint("Load the same network with mren.load_audio_encoder, with the same output, "
					 "sample rate and windows, under any name.")));
	return open_network(&row);
}

int32
mren_audio_encoder_dimension(const MrenAudioEncoder *encoder)
{
	return encoder->dimension;
}

/* ---- encoding ---- */

static void
run_window(MrenAudioEncoder *encoder, const float4 *window, float4 *out)
{
	MrenError err;
	bool done = false;

	mren_onnx_graph_restart(encoder->run, window);
	while (!done)
	{
		CHECK_FOR_INTERRUPTS();
		MREN_PG_CALL(err, mren_onnx_graph_step(encoder->run, &done, &err));
	}
	MREN_PG_CALL(err, mren_onnx_graph_output(encoder->run, out, &err));
}

/* The mean of the windows' vectors; out serves for each of them. */
static void
run_network(MrenAudioEncoder *encoder, const MrenEnv *env, MrenAudioStream *stream, float4 *out)
{
	double *sums = palloc0(encoder->dimension * sizeof(double));
	MrenAudioWindows *windows;
	const float4 *window;
	uint64 start;
	int64 n = 0;
	MrenError err;

	MREN_PG_CALL(err, mren_audio_windows_open(env, stream, encoder->window_samples,
											  encoder->hop_samples, &windows, &err));
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		MREN_PG_CALL(err, mren_audio_windows_next(windows, &window, &start, &err));
		if (window == NULL)
			break;
		run_window(encoder, window, out);
		for (int32 i = 0; i < encoder->dimension; i++)
			sums[i] += out[i];
		n++;
	}
	for (int32 i = 0; i < encoder->dimension; i++)
		out[i] = (float4) (sums[i] / n);
}

static void
run_logmel(MrenAudioEncoder *encoder, MrenAudioStream *stream, float4 *out)
{
	float4 *piece = palloc(PIECE_SAMPLES * sizeof(float4));
	size_t n;
	MrenError err;

	mren_logmel_restart(encoder->logmel);
	do
	{
		CHECK_FOR_INTERRUPTS();
		MREN_PG_CALL(err, mren_audio_stream_read(stream, piece, PIECE_SAMPLES, &n, &err));
		MREN_PG_CALL(err, mren_logmel_add(encoder->logmel, piece, n, &err));
	} while (n == PIECE_SAMPLES);
	MREN_PG_CALL(err, mren_logmel_finish(encoder->logmel, out, &err));
}

/* What is done with a stream. */
typedef struct Encoding
{
	MrenAudioEncoder *encoder;
	uint64 mute_from, mute_to; /* samples */
	float4 *out;			   /* NULL: count samples only */
	uint64 n_samples;
} Encoding;

static void
count_samples(Encoding *encoding, MrenAudioStream *stream)
{
	float4 *piece = palloc(PIECE_SAMPLES * sizeof(float4));
	size_t n;
	MrenError err;

	do
	{
		CHECK_FOR_INTERRUPTS();
		MREN_PG_CALL(err, mren_audio_stream_read(stream, piece, PIECE_SAMPLES, &n, &err));
		encoding->n_samples += n;
	} while (n == PIECE_SAMPLES);
}

/* Allocates in the current context. */
static void
encode(Encoding *encoding, const bytea *audio)
{
	MrenAudioEncoder *encoder = encoding->encoder;
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenAudioLimits limits = {mren_max_audio_seconds, mren_max_audio_channels, mren_max_audio_rate};
	MrenAudioStream *stream;
	MrenError err;

	MREN_PG_CALL(err, mren_audio_stream_open(&env, (const uint8_t *) VARDATA_ANY(audio),
											 VARSIZE_ANY_EXHDR(audio), &limits,
											 encoder->sample_rate, &stream, &err));
	mren_audio_stream_mute(stream, encoding->mute_from, encoding->mute_to);
	PG_TRY();
	{
		if (encoding->out == NULL)
			count_samples(encoding, stream);
		else if (encoder->logmel != NULL)
			run_logmel(encoder, stream, encoding->out);
		else
			run_network(encoder, &env, stream, encoding->out);
	}
	PG_FINALLY();
	{
		mren_audio_stream_close(stream);
	}
	PG_END_TRY();
}

/* The same in a context of its own. */
static void
encode_apart(Encoding *encoding, const bytea *audio)
{
	MemoryContext work =
		AllocSetContextCreate(CurrentMemoryContext, "mren recording", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(work);

	encode(encoding, audio);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
}

uint64
mren_audio_encoder_length(const MrenAudioEncoder *encoder, const bytea *audio)
{
	Encoding encoding = {.encoder = (MrenAudioEncoder *) encoder};

	encode_apart(&encoding, audio);
	return encoding.n_samples;
}

double
mren_audio_encoder_seconds(const MrenAudioEncoder *encoder, uint64 samples)
{
	return (double) samples / encoder->sample_rate;
}

void
mren_audio_encoder_muted(MrenAudioEncoder *encoder, const bytea *audio, uint64 from, uint64 to,
						 float4 *out)
{
	Encoding encoding = {encoder, from, to, out, 0};

	encode_apart(&encoding, audio);
}

/* ---- vectors, kept for recent recordings ---- */

void
mren_audio_encoder_features(MrenAudioEncoder *encoder, const bytea *audio, float4 *out)
{
	MrenCacheKey key = mren_recent_key(encoder->base.key.content, audio);
	Size size = encoder->dimension * sizeof(float4);
	const void *recent = mren_recent_find(&recordings, &key);
	Encoding encoding = {.encoder = encoder, .out = out};
	void *kept;

	if (recent != NULL)
	{
		memcpy(out, recent, size);
		return;
	}
	encode_apart(&encoding, audio);
	kept = mren_recent_add(&recordings, &key, size);
	if (kept != NULL)
		memcpy(kept, out, size);
}
