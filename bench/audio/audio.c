/*
 * audio.c
 *	  From the bytes of a recording to its vector, for bench/audio/run.
 *
 * audio NETWORK SECONDS FILE...: one core; processor time in milliseconds for each second of sound,
 * medians: decoding alone, with resampling to 16 kHz, log-mel statistics of that, and the whole
 * way through NETWORK, an ONNX file that reads a waveform of 16 kHz, with half a window's hop.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audio/audio.h"
#include "onnx/onnx_graph.h"

#define RATE 16000
#define PIECE 4096
#define MAX_RUNS 4096

static void *
bench_allocate(void *state, size_t size)
{
	(void) state;
	return aligned_alloc(MREN_ALIGNMENT,
						 (size + MREN_ALIGNMENT - 1) / MREN_ALIGNMENT * MREN_ALIGNMENT);
}

static void
bench_release(void *state, void *ptr)
{
	(void) state;
	free(ptr);
}

static bool
bench_interrupted(void *state)
{
	(void) state;
	return false;
}

static const MrenEnv env = {NULL, bench_allocate, bench_release, bench_interrupted};
static const MrenAudioLimits limits = {3600, 64, 192000};
static MrenError err;

typedef struct
{
	uint8_t *data;
	size_t len;
} Bytes;

typedef struct
{
	MrenOnnxGraph *graph;
	MrenOnnxGraphRun *run;
	MrenOnnxGraphInfo info;
	MrenLogmel *logmel;
	float *features;
} Encoder;

static void
must(MrenStatus status)
{
	if (status == MREN_OK)
		return;
	fprintf(stderr, "audio: %s\n", err.message);
	exit(1);
}

static Bytes
read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	Bytes bytes;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0)
	{
		perror(path);
		exit(1);
	}
	bytes.len = (size_t) ftell(file);
	bytes.data = malloc(bytes.len + 1);
	rewind(file);
	if (fread(bytes.data, 1, bytes.len, file) != bytes.len)
		exit(1);
	fclose(file);
	return bytes;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

static void
to_samples(MrenAudioStream *stream, MrenLogmel *logmel)
{
	float piece[PIECE];
	size_t n;

	if (logmel != NULL)
		mren_logmel_restart(logmel);
	do
	{
		must(mren_audio_stream_read(stream, piece, PIECE, &n, &err));
		if (logmel != NULL)
			must(mren_logmel_add(logmel, piece, n, &err));
	} while (n == PIECE);
}

static void
to_vectors(MrenAudioStream *stream, const Encoder *encoder)
{
	MrenAudioWindows *windows;
	const float *window;
	uint64_t start;

	must(mren_audio_windows_open(&env, stream, encoder->info.samples, encoder->info.samples / 2,
								 &windows, &err));
	for (;;)
	{
		bool done = false;

		must(mren_audio_windows_next(windows, &window, &start, &err));
		if (window == NULL)
			break;
		mren_onnx_graph_restart(encoder->run, window);
		while (!done)
			must(mren_onnx_graph_step(encoder->run, &done, &err));
		must(mren_onnx_graph_output(encoder->run, encoder->features, &err));
	}
	mren_audio_windows_close(windows);
}

typedef enum
{
	DECODE,
	RESAMPLE,
	LOGMEL,
	NETWORK,
	N_STEPS
} Step;

/* Median milliseconds of processor time for each second of the recording. */
static double
measure(const Bytes *bytes, const Encoder *encoder, Step step, double seconds)
{
	static double times[MAX_RUNS];
	MrenAudioInfo info;
	double begin = now();
	double length;
	int n = 0;

	must(mren_audio_info(&env, bytes->data, bytes->len, &info, &err));
	length = (double) info.n_frames / info.rate;
	while (n < MAX_RUNS && (n < 3 || now() - begin < seconds))
	{
		double from = now();
		MrenAudioStream *stream;

		must(mren_audio_stream_open(&env, bytes->data, bytes->len, &limits,
									step == DECODE ? info.rate : RATE, &stream, &err));
		if (step == NETWORK)
			to_vectors(stream, encoder);
		else
			to_samples(stream, step == LOGMEL ? encoder->logmel : NULL);
		mren_audio_stream_close(stream);
		times[n++] = 1e3 * (now() - from);
	}
	qsort(times, (size_t) n, sizeof(double), compare);
	return times[n / 2] / length;
}

int
main(int argc, char **argv)
{
	Encoder encoder;
	Bytes network;

	if (argc < 4)
	{
		fprintf(stderr, "usage: audio NETWORK SECONDS FILE...\n");
		return 2;
	}
	network = read_file(argv[1]);
	must(mren_onnx_graph_load_waveform(&env, network.data, network.len, NULL, 0, (size_t) 1 << 30,
									   &encoder.graph, &err));
	mren_onnx_graph_info(encoder.graph, &encoder.info);
	encoder.features = bench_allocate(NULL, encoder.info.features * sizeof(float));
	float *silence = calloc(encoder.info.samples, sizeof(float));
	must(mren_onnx_graph_start(&env, encoder.graph, silence, &encoder.run, &err));
	must(mren_logmel_create(&env, &encoder.logmel, &err));
	printf("%-24s %10s %12s %10s %10s\n", "ms a second of sound", "decode", "and resample",
		   "log-mel", "network");
	for (int i = 3; i < argc; i++)
	{
		const char *name = strrchr(argv[i], '/');
		Bytes bytes = read_file(argv[i]);

		printf("%-24s", name != NULL ? name + 1 : argv[i]);
		for (Step step = DECODE; step < N_STEPS; step++)
			printf(step == RESAMPLE ? " %12.2f" : " %10.2f",
				   measure(&bytes, &encoder, step, strtod(argv[2], NULL)));
		printf("\n");
		free(bytes.data);
	}
	return 0;
}
