/*
 * audio.c
 *	  From the bytes of a recording to its vector, for bench/audio/run.
 *
 * audio NETWORK SECONDS FILE...: one core; processor time in milliseconds for each second of sound,
 * medians: decoding alone, with resampling to 16 kHz, log-mel statistics of that, and the whole
 * way through NETWORK, an ONNX file that reads a waveform of 16 kHz, with half a window's hop.
 */
#include "../bench.h"

#include <string.h>

#include "audio/audio.h"
#include "onnx/onnx_graph.h"

#define RATE 16000
#define PIECE 4096
#define MAX_RUNS 4096

static const MrenAudioLimits limits = {3600, 64, 192000};

typedef struct
{
	MrenOnnxGraph *graph;
	MrenOnnxGraphRun *run;
	MrenOnnxGraphInfo info;
	MrenLogmel *logmel;
	float *features;
} Encoder;

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
measure(const char *bytes, size_t len, const Encoder *encoder, Step step, double seconds)
{
	static double times[MAX_RUNS];
	MrenAudioInfo info;
	double begin = now();
	double length;
	size_t n = 0;

	must(mren_audio_info(&env, (const uint8_t *) bytes, len, &info, &err));
	length = (double) info.n_frames / info.rate;
	while (n < MAX_RUNS && (n < 3 || now() - begin < seconds))
	{
		double from = now();
		MrenAudioStream *stream;

		must(mren_audio_stream_open(&env, (const uint8_t *) bytes, len, &limits,
									step == DECODE ? info.rate : RATE, &stream, &err));
		if (step == NETWORK)
			to_vectors(stream, encoder);
		else
			to_samples(stream, step == LOGMEL ? encoder->logmel : NULL);
		mren_audio_stream_close(stream);
		times[n++] = 1e3 * (now() - from);
	}
	return median(times, n) / length;
}

int
main(int argc, char **argv)
{
	Encoder encoder;
	char *network;
	size_t len;

	if (argc < 4)
	{
		fprintf(stderr, "usage: audio NETWORK SECONDS FILE...\n");
		return 2;
	}
	network = read_file(argv[1], &len);
	const MrenOnnxWaveformSpec spec = {.budget = (size_t) 1 << 30};
	must(mren_onnx_graph_load_waveform(&env, (uint8_t *) network, len, &spec, &encoder.graph, &err));
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
		char *bytes = read_file(argv[i], &len);

		printf("%-24s", name != NULL ? name + 1 : argv[i]);
		for (Step step = DECODE; step < N_STEPS; step++)
			printf(step == RESAMPLE ? " %12.2f" : " %10.2f",
				   measure(bytes, len, &encoder, step, strtod(argv[2], NULL)));
		printf("\n");
		free(bytes);
	}
	return 0;
}
