/*
 * picture.c
 *	  Pictures for bench/picture/run: making them, and the way to what a network reads.
 *
 * picture make PHOTO WIDTH HEIGHT OUT: PHOTO resized as a JPEG of quality 90.
 * picture ours FILE SECONDS: milliseconds of processor time from the bytes to 224 x 224 normalized floats, as
 * mren.image_features does it.
 * picture libjpeg FILE SECONDS: the same as a program would do it that uses libjpeg-turbo: scaled decoding to at least
 * 224 x 224, bilinear resizing, normalizing.
 * picture network FILE SECONDS OUT: a run of an ONNX file on such floats, as bench/ort_time.mjs makes them; its features
 * to OUT, a line for each.
 */
#include "../bench.h"

#include <string.h>

#include <jpeglib.h>

#include "image/image.h"
#include "onnx/onnx_graph.h"

#define SIDE 224
#define MAX_RUNS 4096

static const float mean[3] = {123.675f, 116.28f, 103.53f};
static const float std[3] = {58.395f, 57.12f, 57.375f};
static float pixels[3 * SIDE * SIDE];

static void
ours(const uint8_t *bytes, size_t len, uint32_t enough, MrenBitmap *bitmap)
{
	MrenImageLimits limits = {.max_width = 20000,
							  .max_height = 20000,
							  .max_bytes = (size_t) 1 << 30,
							  .enough_width = enough,
							  .enough_height = enough};

	must(mren_image_decode(&env, bytes, len, &limits, bitmap, &err));
}

static void
ours_prepared(const uint8_t *bytes, size_t len)
{
	MrenImagePrep prep = {SIDE, SIDE, {0}, {0}, false, MREN_LAYOUT_NHWC};
	MrenBitmap bitmap;

	memcpy(prep.mean, mean, sizeof(mean));
	memcpy(prep.std, std, sizeof(std));
	/* Half more than the network reads, as mren.image_features asks for. */
	ours(bytes, len, SIDE + SIDE / 2, &bitmap);
	must(mren_image_prepare(&env, &bitmap, &prep, pixels, &err));
	mren_bitmap_free(&env, &bitmap);
}

/* Bilinear between pixel centres, planes of floats, normalized. */
static void
resize(const uint8_t *rgb, unsigned width, unsigned height)
{
	for (unsigned y = 0; y < SIDE; y++)
	{
		float v = ((float) y + 0.5f) * (float) height / SIDE - 0.5f;
		unsigned y0 = v > 0 ? (unsigned) v : 0;
		unsigned y1 = y0 + 1 < height ? y0 + 1 : y0;
		float b = v > 0 ? v - (float) y0 : 0;

		for (unsigned x = 0; x < SIDE; x++)
		{
			float u = ((float) x + 0.5f) * (float) width / SIDE - 0.5f;
			unsigned x0 = u > 0 ? (unsigned) u : 0;
			unsigned x1 = x0 + 1 < width ? x0 + 1 : x0;
			float a = u > 0 ? u - (float) x0 : 0;

			for (unsigned c = 0; c < 3; c++)
			{
				float top =
					(1 - a) * rgb[(y0 * width + x0) * 3 + c] + a * rgb[(y0 * width + x1) * 3 + c];
				float low =
					(1 - a) * rgb[(y1 * width + x0) * 3 + c] + a * rgb[(y1 * width + x1) * 3 + c];

				pixels[(c * SIDE + y) * SIDE + x] = ((1 - b) * top + b * low - mean[c]) / std[c];
			}
		}
	}
}

static void
libjpeg_prepared(const uint8_t *bytes, size_t len)
{
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	uint8_t *rgb;

	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_decompress(&jpeg);
	jpeg_mem_src(&jpeg, bytes, len);
	jpeg_read_header(&jpeg, TRUE);
	jpeg.out_color_space = JCS_RGB;
	jpeg.scale_denom = 8;
	for (jpeg.scale_num = 1; jpeg.scale_num < 8; jpeg.scale_num *= 2)
	{
		if (jpeg.image_width * jpeg.scale_num / 8 >= SIDE &&
			jpeg.image_height * jpeg.scale_num / 8 >= SIDE)
			break;
	}
	jpeg_start_decompress(&jpeg);
	rgb = malloc((size_t) jpeg.output_width * jpeg.output_height * 3);
	while (jpeg.output_scanline < jpeg.output_height)
	{
		uint8_t *row = rgb + (size_t) jpeg.output_scanline * jpeg.output_width * 3;

		jpeg_read_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_decompress(&jpeg);
	resize(rgb, jpeg.output_width, jpeg.output_height);
	free(rgb);
	jpeg_destroy_decompress(&jpeg);
}

static void
make(const char *photo, uint32_t width, uint32_t height, const char *out)
{
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	MrenBitmap small, large;
	size_t len;
	char *bytes = read_file(photo, &len);
	FILE *file = fopen(out, "wb");

	if (file == NULL)
	{
		perror(out);
		exit(1);
	}
	ours((uint8_t *) bytes, len, 0, &small);
	must(mren_image_resize(&env, &small, width, height, &large, &err));
	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_compress(&jpeg);
	jpeg_stdio_dest(&jpeg, file);
	jpeg.image_width = width;
	jpeg.image_height = height;
	jpeg.input_components = 3;
	jpeg.in_color_space = JCS_RGB;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, 90, TRUE);
	jpeg_start_compress(&jpeg, TRUE);
	while (jpeg.next_scanline < height)
	{
		uint8_t *row = large.rgb + (size_t) jpeg.next_scanline * width * 3;

		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	fclose(file);
	mren_bitmap_free(&env, &small);
	mren_bitmap_free(&env, &large);
	free(bytes);
}

static MrenOnnxGraph *graph;
static MrenOnnxGraphRun *run;
static float features[1 << 16];

static void
fill_pixels(void)
{
	for (size_t i = 0; i < 3 * SIDE * SIDE; i++)
		pixels[i % (SIDE * SIDE) * 3 + i / (SIDE * SIDE)] = (float) (i * 37 % 255) / 127.5f - 1;
}

static void
write_features(const char *path)
{
	MrenOnnxGraphInfo info;
	FILE *file = fopen(path, "w");

	if (file == NULL)
	{
		perror(path);
		exit(1);
	}
	mren_onnx_graph_info(graph, &info);
	for (size_t i = 0; i < info.features; i++)
		fprintf(file, "%.9g\n", (double) features[i]);
	fclose(file);
}

static void
run_network(const uint8_t *bytes, size_t len)
{
	bool done = false;

	if (graph == NULL)
	{
		must(mren_onnx_graph_load(&env, bytes, len, NULL, 0, &graph, &err));
		must(mren_onnx_graph_start(&env, graph, pixels, &run, &err));
	}
	else
		mren_onnx_graph_restart(run, pixels);
	while (!done)
		must(mren_onnx_graph_step(run, &done, &err));
	must(mren_onnx_graph_output(run, features, &err));
}

/* The median of a call's time, after one that does not count. */
static double
measure(void (*call)(const uint8_t *bytes, size_t len), const char *path, double seconds)
{
	static double times[MAX_RUNS];
	size_t len, n = 0;
	char *bytes = read_file(path, &len);
	double middle;

	call((uint8_t *) bytes, len);
	for (double end = now() + seconds; n < MAX_RUNS && (n < 5 || now() < end); n++)
	{
		double start = now();

		call((uint8_t *) bytes, len);
		times[n] = now() - start;
	}
	middle = median(times, n);
	free(bytes);
	return 1000 * middle;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 6 && strcmp(what, "make") == 0)
		make(argv[2], (uint32_t) atoi(argv[3]), (uint32_t) atoi(argv[4]), argv[5]);
	else if (argc == 4 && strcmp(what, "ours") == 0)
		printf("%.4f\n", measure(ours_prepared, argv[2], atof(argv[3])));
	else if (argc == 4 && strcmp(what, "libjpeg") == 0)
		printf("%.4f\n", measure(libjpeg_prepared, argv[2], atof(argv[3])));
	else if (argc == 5 && strcmp(what, "network") == 0)
	{
		fill_pixels();
		printf("%.4f\n", measure(run_network, argv[2], atof(argv[3])));
		write_features(argv[4]);
	}
	else
	{
		fprintf(stderr, "usage: picture make PHOTO WIDTH HEIGHT OUT, or picture "
						"ours|libjpeg FILE SECONDS, or picture network FILE SECONDS OUT\n");
		return 2;
	}
	return 0;
}
