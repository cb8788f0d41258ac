/*
 * image_samples.h
 *	  Images that the image tests write themselves, with libpng and libjpeg,
 *	  so that they mean something without the shared data.
 *
 * Functions are static and unused ones are fine: each test program takes what
 * it needs.  A failure to write ends the test.
 */
#ifndef IMAGE_SAMPLES_H
#define IMAGE_SAMPLES_H

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

#include "image/image.h"

#define MAYBE_UNUSED __attribute__((unused))

/* Limits that no test image meets unless it is meant to. */
static const MrenImageLimits wide_limits MAYBE_UNUSED = {70000, 70000, (size_t) 1 << 28};

typedef struct Bytes
{
	uint8_t *data; /* malloc'd */
	size_t len;
	size_t capacity;
} Bytes;

static MAYBE_UNUSED void
bytes_add(Bytes *bytes, const void *data, size_t n)
{
	if (bytes->len + n > bytes->capacity)
	{
		bytes->capacity = 2 * (bytes->len + n);
		bytes->data = realloc(bytes->data, bytes->capacity);
		assert_non_null(bytes->data);
	}
	memcpy(bytes->data + bytes->len, data, n);
	bytes->len += n;
}

static MAYBE_UNUSED void
bytes_add_be32(Bytes *bytes, uint32_t n)
{
	uint8_t be[4] = {(uint8_t) (n >> 24), (uint8_t) (n >> 16), (uint8_t) (n >> 8), (uint8_t) n};

	bytes_add(bytes, be, 4);
}

/* Any bytes at all, the same at each call: a multiplicative hash of a position. */
static MAYBE_UNUSED uint32_t
noise(uint32_t x, uint32_t y, uint32_t c)
{
	uint32_t h = x * 0x9E3779B1u ^ y * 0x85EBCA77u ^ (c + 1) * 0xC2B2AE3Du;

	h ^= h >> 15;
	h *= 0x2C1B3C6Du;
	return h ^ h >> 13;
}

static MAYBE_UNUSED MrenBitmap
noise_bitmap(const MrenEnv *env, uint32_t width, uint32_t height)
{
	MrenBitmap bitmap;

	assert_int_equal(mren_bitmap_create(env, width, height, &bitmap, NULL), MREN_OK);
	for (size_t i = 0; i < (size_t) width * height * 3; i++)
		bitmap.rgb[i] = (uint8_t) noise((uint32_t) i, 7, 0);
	return bitmap;
}

/* ---- EXIF ---- */

/* A TIFF structure with one entry before the orientation, and one after it. */
static MAYBE_UNUSED Bytes
make_exif(int orientation, bool big_endian)
{
	static const uint8_t big[] = {'M', 'M',	 0, 42, 0, 0, 0,	8, 0,	3, 1, 0x0F, 0, 2, 0, 0, 0,
								  2,   'A',	 0, 0,	0, 1, 0x12, 0, 3,	0, 0, 0,	1, 0, 0, 0, 0,
								  1,   0x31, 0, 2,	0, 0, 0,	2, 'B', 0, 0, 0,	0, 0, 0, 0};
	static const uint8_t little[] = {'I', 'I', 42, 0,	8, 0,	0, 0, 3,	0,	  0x0F, 1, 2,
									 0,	  2,   0,  0,	0, 'A', 0, 0, 0,	0x12, 1,	3, 0,
									 1,	  0,   0,  0,	0, 0,	0, 0, 0x31, 1,	  2,	0, 2,
									 0,	  0,   0,  'B', 0, 0,	0, 0, 0,	0,	  0};
	Bytes exif = {0};

	bytes_add(&exif, big_endian ? big : little, sizeof(big));
	exif.data[big_endian ? 31 : 30] = (uint8_t) orientation;
	return exif;
}

/* ---- PNG ---- */

typedef struct PngSpec
{
	uint32_t width, height;
	int color_type, depth;
	bool interlaced;
	bool transparent; /* with a tRNS chunk */
	int n_colors;	  /* of the palette; 0: all that the depth allows */
	bool ancillary;	  /* gAMA, tEXt: what a decoder passes over */
	int orientation;  /* 0: no eXIf */
} PngSpec;

static MAYBE_UNUSED int
png_n_channels(int color_type)
{
	static const int n[7] = {1, 0, 3, 1, 2, 0, 4};

	return n[color_type];
}

/* What spec's image holds at a place, as stored: 0 .. 2^depth - 1. */
static MAYBE_UNUSED uint32_t
png_sample(const PngSpec *spec, uint32_t x, uint32_t y, int c)
{
	uint32_t range = spec->depth == 16 ? 65536 : 1u << spec->depth;

	if (spec->color_type == PNG_COLOR_TYPE_PALETTE && spec->n_colors > 0)
		range = (uint32_t) spec->n_colors;
	/* every seventh pixel has the transparent color, see png_trans_sample */
	if (spec->transparent && spec->color_type != PNG_COLOR_TYPE_PALETTE && (x + y) % 7 == 0)
		return (uint32_t) (c + 1) % range;
	return noise(x, y, (uint32_t) c) % range;
}

static MAYBE_UNUSED void
png_palette_color(int i, uint8_t color[4])
{
	for (int c = 0; c < 4; c++)
		color[c] = (uint8_t) noise((uint32_t) i, 99, (uint32_t) c);
	/* the tRNS chunk is shorter than the palette: the rest is opaque */
	if (i >= 100 || i % 4 == 3)
		color[3] = 255;
}

static MAYBE_UNUSED void
png_collect(png_structp png, png_bytep data, size_t n)
{
	bytes_add(png_get_io_ptr(png), data, n);
}

static MAYBE_UNUSED void
png_no_flush(png_structp png)
{
	(void) png;
}

static MAYBE_UNUSED void
png_write_extras(png_structp png, png_infop info, const PngSpec *spec)
{
	png_color colors[256];
	png_byte alphas[256];
	png_color_16 key = {.red = 1, .green = 2, .blue = 3, .gray = 1};
	int n = spec->n_colors > 0 ? spec->n_colors : 1 << (spec->depth < 8 ? spec->depth : 8);
	png_text text = {.compression = PNG_TEXT_COMPRESSION_NONE, .key = "Title", .text = "t"};

	if (spec->color_type == PNG_COLOR_TYPE_PALETTE)
	{
		for (int i = 0; i < n; i++)
		{
			uint8_t color[4];

			png_palette_color(i, color);
			colors[i] = (png_color){color[0], color[1], color[2]};
			alphas[i] = color[3];
		}
		png_set_PLTE(png, info, colors, n);
		if (spec->transparent)
			png_set_tRNS(png, info, alphas, n < 100 ? n : 100, NULL);
	}
	else if (spec->transparent)
	{
		if (spec->depth < 8)
			key.gray = (png_uint_16) (1 % (1 << spec->depth));
		png_set_tRNS(png, info, NULL, 0, &key);
	}
	if (spec->ancillary)
	{
		png_set_gAMA(png, info, 1.0);
		png_set_text(png, info, &text, 1);
	}
}

static MAYBE_UNUSED void
png_write_samples(png_structp png, const PngSpec *spec)
{
	size_t n_channels = (size_t) png_n_channels(spec->color_type);
	size_t row_bytes = (spec->width * n_channels * (size_t) spec->depth + 7) / 8;
	uint8_t *row = malloc(row_bytes);
	int n_passes = png_set_interlace_handling(png);

	for (int pass = 0; pass < n_passes; pass++)
	{
		for (uint32_t y = 0; y < spec->height; y++)
		{
			memset(row, 0, row_bytes);
			for (size_t i = 0; i < spec->width * n_channels; i++)
			{
				uint32_t v =
					png_sample(spec, (uint32_t) (i / n_channels), y, (int) (i % n_channels));
				size_t bit = i * (size_t) spec->depth;

				if (spec->depth == 16)
				{
					row[2 * i] = (uint8_t) (v >> 8);
					row[2 * i + 1] = (uint8_t) v;
				}
				else
					row[bit / 8] |= (uint8_t) (v << (8 - spec->depth - (int) (bit % 8)));
			}
			png_write_row(png, row);
		}
	}
	free(row);
}

static MAYBE_UNUSED Bytes
make_png(const PngSpec *spec)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	Bytes bytes = {0};

	png_set_write_fn(png, &bytes, png_collect, png_no_flush);
	png_set_IHDR(png, info, spec->width, spec->height, spec->depth, spec->color_type,
				 spec->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
	png_write_extras(png, info, spec);
	if (spec->orientation != 0)
	{
		Bytes exif = make_exif(spec->orientation, spec->orientation % 2 == 0);

		png_set_eXIf_1(png, info, (png_uint_32) exif.len, exif.data);
		png_write_info(png, info);
		free(exif.data);
	}
	else
		png_write_info(png, info);
	png_write_samples(png, spec);
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
	return bytes;
}

/* A chunk with its checksum, computed bit by bit (PNG, annex D). */
static MAYBE_UNUSED void
add_chunk(Bytes *bytes, const char *type, const void *data, size_t n)
{
	uint32_t crc = 0xFFFFFFFFu;
	size_t start;

	bytes_add_be32(bytes, (uint32_t) n);
	start = bytes->len;
	bytes_add(bytes, type, 4);
	bytes_add(bytes, data, n);
	for (size_t i = start; i < bytes->len; i++)
	{
		crc ^= bytes->data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
	}
	bytes_add_be32(bytes, ~crc);
}

/* Signature and header of a PNG image. */
static MAYBE_UNUSED Bytes
make_png_header(uint32_t width, uint32_t height, int depth, int color_type)
{
	Bytes bytes = {0};
	Bytes ihdr = {0};
	uint8_t rest[5] = {(uint8_t) depth, (uint8_t) color_type, 0, 0, 0};

	bytes_add(&bytes, "\x89PNG\r\n\x1A\n", 8);
	bytes_add_be32(&ihdr, width);
	bytes_add_be32(&ihdr, height);
	bytes_add(&ihdr, rest, 5);
	add_chunk(&bytes, "IHDR", ihdr.data, ihdr.len);
	free(ihdr.data);
	return bytes;
}

/* ---- JPEG ---- */

typedef struct JpegSpec
{
	uint32_t width, height;
	J_COLOR_SPACE input;  /* of the samples given: JCS_GRAYSCALE, JCS_RGB, JCS_CMYK */
	J_COLOR_SPACE stored; /* in the file */
	int h_samp, v_samp;	  /* of the first component; 0: libjpeg's choice */
	bool progressive, arithmetic, no_adobe;
	bool separate;	 /* sequential, a scan for each component */
	int restart;	 /* MCUs between restart markers; 0: none */
	int orientation; /* 0: no EXIF */
	bool big_endian;
	int quality; /* 0: 90 */
	bool flat;	 /* every sample of channel c is flat_value[c] */
	uint8_t flat_value[4];
} JpegSpec;

/* Smooth enough to survive compression, different in every corner. */
static MAYBE_UNUSED uint8_t
jpeg_sample(const JpegSpec *spec, uint32_t x, uint32_t y, int c)
{
	if (spec->flat)
		return spec->flat_value[c];
	if (c == 0)
		return (uint8_t) (x * 255 / spec->width);
	if (c == 1)
		return (uint8_t) (y * 255 / spec->height);
	return (uint8_t) (c == 2 ? (x * 3 + y * 5) % 256 : 40 + (x + y) % 100);
}

static MAYBE_UNUSED void
jpeg_apply_spec(j_compress_ptr jpeg, const JpegSpec *spec)
{
	jpeg_set_defaults(jpeg);
	jpeg_set_colorspace(jpeg, spec->stored);
	jpeg_set_quality(jpeg, spec->quality > 0 ? spec->quality : 90, TRUE);
	if (spec->h_samp > 0)
	{
		jpeg->comp_info[0].h_samp_factor = spec->h_samp;
		jpeg->comp_info[0].v_samp_factor = spec->v_samp;
	}
	if (spec->no_adobe)
		jpeg->write_Adobe_marker = FALSE;
	jpeg->arith_code = spec->arithmetic;
	jpeg->restart_interval = (unsigned) spec->restart;
	if (spec->progressive)
		jpeg_simple_progression(jpeg);
	if (spec->separate)
	{
		static const jpeg_scan_info scans[3] = {
			{1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};

		jpeg->scan_info = scans;
		jpeg->num_scans = 3;
	}
}

static MAYBE_UNUSED Bytes
make_jpeg(const JpegSpec *spec)
{
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	unsigned char *memory = NULL;
	unsigned long size = 0;
	Bytes bytes = {0};
	uint8_t *row;

	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_compress(&jpeg);
	jpeg_mem_dest(&jpeg, &memory, &size);
	jpeg.image_width = spec->width;
	jpeg.image_height = spec->height;
	jpeg.in_color_space = spec->input;
	jpeg.input_components = spec->input == JCS_GRAYSCALE ? 1 : spec->input == JCS_CMYK ? 4 : 3;
	jpeg_apply_spec(&jpeg, spec);
	jpeg_start_compress(&jpeg, TRUE);
	if (spec->orientation != 0)
	{
		Bytes exif = make_exif(spec->orientation, spec->big_endian);
		Bytes block = {0};

		bytes_add(&block, "Exif\0", 6);
		bytes_add(&block, exif.data, exif.len);
		jpeg_write_marker(&jpeg, JPEG_APP0 + 1, block.data, (unsigned) block.len);
		free(exif.data);
		free(block.data);
	}
	row = malloc(spec->width * (size_t) jpeg.input_components);
	for (uint32_t y = 0; y < spec->height; y++)
	{
		for (uint32_t x = 0; x < spec->width; x++)
		{
			for (int c = 0; c < jpeg.input_components; c++)
				row[x * (uint32_t) jpeg.input_components + (uint32_t) c] =
					jpeg_sample(spec, x, y, c);
		}
		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	free(row);
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	bytes_add(&bytes, memory, size);
	free(memory);
	return bytes;
}

/*
 * The status of decoding bytes in an allocation of just their size; whatever it
 * is, nothing stays allocated and the bitmap is empty after a failure.
 */
static MAYBE_UNUSED MrenStatus
decode_status(const uint8_t *bytes, size_t len, MrenError *err)
{
	TestEnv test;
	MrenBitmap bitmap;
	uint8_t *copy = malloc(len > 0 ? len : 1);
	MrenStatus status;

	if (len > 0)
		memcpy(copy, bytes, len);
	memset(err, 0, sizeof(*err));
	test_env_init(&test);
	status = mren_image_decode(&test.env, copy, len, &wide_limits, &bitmap, err);
	if (status == MREN_OK)
		mren_bitmap_free(&test.env, &bitmap);
	assert_null(bitmap.rgb);
	assert_int_equal(test.n_live, 0);
	free(copy);
	return status;
}

/* ---- orientation ---- */

/*
 * Which stored pixel is shown at (x, y), by EXIF 2.3's table of where the 0th
 * row and the 0th column are: this way round, not the decoder's, on purpose.
 */
static MAYBE_UNUSED void
stored_place(int orientation, uint32_t width, uint32_t height, uint32_t x, uint32_t y,
			 uint32_t *stored_x, uint32_t *stored_y)
{
	/* width, height: as stored */
	uint32_t row_from_top = y, row_from_left = x;
	uint32_t row_from_bottom = height - 1 - y, row_from_right = height - 1 - x;
	uint32_t column_from_left = x, column_from_top = y;
	uint32_t column_from_right = width - 1 - x, column_from_bottom = width - 1 - y;
	const uint32_t rows[9] = {0,
							  row_from_top,
							  row_from_top,
							  row_from_bottom,
							  row_from_bottom,
							  row_from_left,
							  row_from_right,
							  row_from_right,
							  row_from_left};
	const uint32_t columns[9] = {0,
								 column_from_left,
								 column_from_right,
								 column_from_right,
								 column_from_left,
								 column_from_top,
								 column_from_top,
								 column_from_bottom,
								 column_from_bottom};

	*stored_x = columns[orientation];
	*stored_y = rows[orientation];
}

#endif
