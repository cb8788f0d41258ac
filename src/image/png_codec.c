/*
 * png_codec.c
 *	  PNG through libpng, version 1.6.
 *
 * libpng reports errors by a longjmp to the place set by setjmp(*jump_buffer()),
 * which is always in a function of this file that stays active; between the
 * two lie only libpng's frames and callbacks of this file that own nothing.
 * What must survive a jump lives in PngReader and PngWriter, not in locals.
 */
#include "image/png_codec.h"

#include <setjmp.h>
#include <string.h>

#include <png.h>

#include "base/library.h"
#include "image/decode_work.h"

/* What is called of libpng. */
#define FUNCTIONS(F)                                                                               \
	F(png_create_info_struct)                                                                      \
	F(png_create_read_struct_2)                                                                    \
	F(png_create_write_struct_2)                                                                   \
	F(png_destroy_read_struct)                                                                     \
	F(png_destroy_write_struct)                                                                    \
	F(png_error)                                                                                   \
	F(png_get_PLTE)                                                                                \
	F(png_get_bit_depth)                                                                           \
	F(png_get_channels)                                                                            \
	F(png_get_color_type)                                                                          \
	F(png_get_error_ptr)                                                                           \
	F(png_get_image_height)                                                                        \
	F(png_get_image_width)                                                                         \
	F(png_get_interlace_type)                                                                      \
	F(png_get_io_ptr)                                                                              \
	F(png_get_mem_ptr)                                                                             \
	F(png_get_rowbytes)                                                                            \
	F(png_get_tRNS)                                                                                \
	F(png_longjmp)                                                                                 \
	F(png_read_end)                                                                                \
	F(png_read_info)                                                                               \
	F(png_read_row)                                                                                \
	F(png_read_update_info)                                                                        \
	F(png_set_IHDR)                                                                                \
	F(png_set_expand)                                                                              \
	F(png_set_gray_to_rgb)                                                                         \
	F(png_set_keep_unknown_chunks)                                                                 \
	F(png_set_longjmp_fn)                                                                          \
	F(png_set_packing)                                                                             \
	F(png_set_read_fn)                                                                             \
	F(png_set_sRGB)                                                                                \
	F(png_set_scale_16)                                                                            \
	F(png_set_user_limits)                                                                         \
	F(png_set_write_fn)                                                                            \
	F(png_write_end)                                                                               \
	F(png_write_info)                                                                              \
	F(png_write_row)

MREN_LIBRARY(FUNCTIONS);

/* Rows decoded before they are placed in the bitmap, when they cannot be decoded there. */
#define BAND_ROWS 16

/* What both directions share; libpng's error, I/O and memory pointers all lead to it. */
typedef struct PngCall
{
	const MrenEnv *env;
	MrenError *err;
	MrenStatus status; /* the first failure; err is then filled */
} PngCall;

static MrenStatus
load(MrenError *err)
{
	return MREN_LIBRARY_LOAD("libpng16.so.16", err);
}

/* As png_jmpbuf, which calls the function by its name. */
static jmp_buf *
jump_buffer(png_structp png)
{
	return library.png_set_longjmp_fn(png, longjmp, sizeof(jmp_buf));
}

/* libpng treats some failed allocations as optional: here none is. */
static png_voidp
png_allocate(png_structp png, png_alloc_size_t size)
{
	PngCall *call = library.png_get_mem_ptr(png);
	void *ptr;

	if (mren_allocate(call->env, size, 1, &ptr, NULL) != MREN_OK)
	{
		if (call->status == MREN_OK)
			call->status = mren_fail_nomem(call->err);
		return NULL;
	}
	return ptr;
}

static void
png_release(png_structp png, png_voidp ptr)
{
	PngCall *call = library.png_get_mem_ptr(png);

	mren_release(call->env, ptr);
}

static void
on_error(png_structp png, png_const_charp message)
{
	PngCall *call = library.png_get_error_ptr(png);

	if (call->status == MREN_OK)
	{
		call->status = mren_fail(call->err, MREN_EFORMAT, "PNG image is corrupt");
		mren_error_detail(call->err, "libpng reports \"%s\".", message);
	}
	library.png_longjmp(png, 1);
}

/*
 * libpng only warns when the pixel data's own checksum is wrong or its stream
 * is damaged after the last pixel, and in newer versions when the checksum of
 * the last chunk is wrong.  A stream that merely goes on is harmless; other
 * warnings are about chunks that no pixel depends on.
 */
static void
on_warning(png_structp png, png_const_charp message)
{
	if (strcmp(message, "IEND: CRC error") == 0)
		on_error(png, message);
	if (strncmp(message, "IDAT: ", 6) != 0 || strstr(message, "Too much") != NULL ||
		strstr(message, "Extra compressed data") != NULL)
		return;
	on_error(png, message);
}

/* ---- reading ---- */

typedef struct PngReader
{
	PngCall call; /* first, because callbacks get a pointer to it */
	const uint8_t *bytes;
	size_t len;
	size_t pos;
	const MrenImageInfo *info;
	MrenImageWork work;
	MrenBitmap *out;
	png_structp png;
	png_infop png_info;
	uint32_t width, height; /* as stored */
	size_t channels;		/* of a row as libpng gives it: 1 (palette), 3, or 4 with alpha */
	bool interlaced;
	uint8_t *raw;  /* rows as libpng gives them; NULL: they are decoded in the bitmap */
	uint8_t *band; /* rows as RGB, to be placed; NULL: not needed */
	uint8_t palette[256][MREN_RGB]; /* blended over white */
	int n_colors;
} PngReader;

/* libpng reads at most a few kilobytes at a time: often enough to check for interrupts. */
static void
read_bytes(png_structp png, png_bytep to, size_t n)
{
	PngReader *reader = library.png_get_io_ptr(png);
	PngCall *call = &reader->call;

	if (call->status == MREN_OK)
		call->status = mren_check_interrupts(call->env, call->err);
	if (call->status == MREN_OK && n > reader->len - reader->pos)
		call->status = mren_fail(call->err, MREN_EFORMAT, "PNG image is truncated after %zu bytes",
								 reader->len);
	if (call->status == MREN_OK)
		call->status = mren_image_work_add(&reader->work, n, MREN_WORK_PNG_FILE, call->err);
	if (call->status != MREN_OK)
		library.png_error(png, "read failed");
	memcpy(to, reader->bytes + reader->pos, n);
	reader->pos += n;
}

static uint8_t
over_white(uint32_t value, uint32_t alpha)
{
	/* round(x / 255) for 0 <= x <= 65025 */
	uint32_t x = value * alpha + (255 - alpha) * 255 + 128;

	return (uint8_t) ((x + (x >> 8)) >> 8);
}

/* The palette's colors, blended once instead of at each pixel. */
static void
read_palette(PngReader *reader)
{
	png_colorp colors = NULL;
	png_bytep alphas = NULL;
	int n_alphas = 0;

	library.png_get_PLTE(reader->png, reader->png_info, &colors, &reader->n_colors);
	library.png_get_tRNS(reader->png, reader->png_info, &alphas, &n_alphas, NULL);
	if (colors == NULL)
		library.png_error(reader->png, "no palette");
	for (int i = 0; i < reader->n_colors && i < 256; i++)
	{
		uint32_t alpha = alphas != NULL && i < n_alphas ? alphas[i] : 255;

		reader->palette[i][0] = over_white(colors[i].red, alpha);
		reader->palette[i][1] = over_white(colors[i].green, alpha);
		reader->palette[i][2] = over_white(colors[i].blue, alpha);
	}
}

/*
 * Everything but a palette's indices becomes 8-bit RGB or RGBA.  Transparent
 * colors are compared at full depth, then 16 bits are rounded to 8: libpng
 * keeps that order.  Indices stay, a byte each, because libpng would show one
 * without a color as black.
 */
static void
set_transformations(PngReader *reader)
{
	png_structp png = reader->png;
	bool indexed = library.png_get_color_type(png, reader->png_info) == PNG_COLOR_TYPE_PALETTE;

	if (indexed)
	{
		read_palette(reader);
		library.png_set_packing(png);
	}
	else
	{
		library.png_set_expand(png);
		library.png_set_scale_16(png);
		library.png_set_gray_to_rgb(png);
	}
	reader->interlaced =
		library.png_get_interlace_type(png, reader->png_info) != PNG_INTERLACE_NONE;
	library.png_read_update_info(png, reader->png_info);
	reader->channels = library.png_get_channels(png, reader->png_info);
	if (library.png_get_bit_depth(png, reader->png_info) != 8 ||
		library.png_get_rowbytes(png, reader->png_info) != reader->width * reader->channels ||
		(indexed ? reader->channels != 1 : reader->channels != 3 && reader->channels != 4))
		library.png_error(png, "unexpected pixel format");
}

/* row_bytes: of a row as it is inflated. */
static void
add_rows(PngReader *reader, size_t row_bytes)
{
	PngCall *call = &reader->call;
	uint64_t n = (uint64_t) row_bytes * reader->height;
	uint64_t n_pixels = (uint64_t) reader->width * reader->height;

	call->status = mren_image_work_add(
		&reader->work, n, reader->interlaced ? MREN_WORK_PNG_ROW_INTERLACED : MREN_WORK_PNG_ROW,
		call->err);
	if (call->status == MREN_OK)
		call->status = mren_image_work_add(
			&reader->work, n_pixels,
			reader->interlaced ? MREN_WORK_PNG_PIXEL_INTERLACED : MREN_WORK_PNG_PIXEL, call->err);
	if (call->status != MREN_OK)
		library.png_error(reader->png, "too much work");
}

static void
read_header(PngReader *reader)
{
	png_structp png = reader->png;
	size_t row_bytes;

	library.png_set_user_limits(png, reader->width, reader->height);
	/* All ancillary chunks but tRNS are skipped. */
	library.png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
	library.png_read_info(png, reader->png_info);
	if (library.png_get_image_width(png, reader->png_info) != reader->width ||
		library.png_get_image_height(png, reader->png_info) != reader->height)
		library.png_error(png, "the size differs from the header's");
	row_bytes = library.png_get_rowbytes(png, reader->png_info);
	set_transformations(reader);
	add_rows(reader, row_bytes);
}

static MrenStatus
allocate_rows(PngReader *reader)
{
	const MrenEnv *env = reader->call.env;
	MrenError *err = reader->call.err;
	size_t n_rows = reader->interlaced ? 1 : BAND_ROWS;
	bool in_place = !reader->interlaced && reader->info->orientation == 1;

	MREN_TRY(mren_bitmap_create(env, reader->info->width, reader->info->height, reader->out, err));
	if (in_place && reader->channels == MREN_RGB)
		return MREN_OK;
	MREN_TRY(mren_allocate(env, n_rows, reader->width * reader->channels, &reader->raw, err));
	if (in_place)
		return MREN_OK;
	return mren_allocate(env, n_rows, (size_t) reader->width * MREN_RGB, &reader->band, err);
}

static void
read_rows(PngReader *reader, uint8_t *rows, uint32_t n_rows)
{
	for (uint32_t i = 0; i < n_rows; i++)
	{
		reader->call.status = mren_check_interrupts(reader->call.env, reader->call.err);
		if (reader->call.status != MREN_OK)
			library.png_error(reader->png, "interrupted");
		library.png_read_row(reader->png, rows + i * (reader->width * reader->channels), NULL);
	}
}

static void
look_up_colors(PngReader *reader, const uint8_t *from, size_t n_pixels, uint8_t *to)
{
	int largest = 0;

	for (size_t i = 0; i < n_pixels; i++, to += MREN_RGB)
	{
		const uint8_t *color = reader->palette[from[i]];

		largest = from[i] > largest ? from[i] : largest;
		memcpy(to, color, MREN_RGB);
	}
	if (largest < reader->n_colors)
		return;
	reader->call.status = mren_fail(reader->call.err, MREN_EFORMAT,
									"PNG image uses color %d, but its palette has only %d", largest,
									reader->n_colors);
	library.png_error(reader->png, "palette index");
}

static void
convert_pixels(PngReader *reader, const uint8_t *from, size_t n_pixels, uint8_t *to)
{
	if (reader->channels == MREN_RGB)
		memcpy(to, from, n_pixels * MREN_RGB);
	else if (reader->channels == 1)
		look_up_colors(reader, from, n_pixels, to);
	else
	{
		for (size_t i = 0; i < n_pixels; i++, from += 4, to += MREN_RGB)
		{
			to[0] = over_white(from[0], from[3]);
			to[1] = over_white(from[1], from[3]);
			to[2] = over_white(from[2], from[3]);
		}
	}
}

/*
 * Each of the seven passes is an image of its own, whose pixels are placed as
 * they come.  libpng could spread them over rows instead, but only if all rows
 * stayed in memory as it gives them, beside the bitmap.
 */
static void
read_passes(PngReader *reader)
{
	for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++)
	{
		uint32_t n = PNG_PASS_COLS(reader->width, pass);
		uint32_t n_rows = n > 0 ? PNG_PASS_ROWS(reader->height, pass) : 0;

		for (uint32_t i = 0; i < n_rows; i++)
		{
			read_rows(reader, reader->raw, 1);
			convert_pixels(reader, reader->raw, n, reader->band);
			mren_bitmap_place_pixels(reader->out, reader->info->orientation,
									 PNG_ROW_FROM_PASS_ROW(i, pass), PNG_PASS_START_COL(pass),
									 1u << PNG_PASS_COL_SHIFT(pass), n, reader->band);
		}
	}
}

/* Called under setjmp; every jump leaves the reader complete enough to free. */
static void
read_pixels(PngReader *reader)
{
	size_t rgb_bytes = (size_t) reader->width * MREN_RGB;
	uint32_t n;

	if (reader->interlaced)
	{
		read_passes(reader);
		return;
	}
	if (reader->raw == NULL)
	{
		read_rows(reader, reader->out->rgb, reader->height);
		return;
	}
	for (uint32_t first = 0; first < reader->height; first += n)
	{
		uint8_t *rgb = reader->band != NULL ? reader->band : reader->out->rgb + first * rgb_bytes;

		n = reader->height - first < BAND_ROWS ? reader->height - first : BAND_ROWS;
		read_rows(reader, reader->raw, n);
		convert_pixels(reader, reader->raw, (size_t) n * reader->width, rgb);
		if (reader->band != NULL)
			mren_bitmap_place_rows(reader->out, reader->info->orientation, first, n, rgb);
	}
}

/* The steps that may jump; call.status tells how they ended. */
static void
read_png(PngReader *reader)
{
	if (setjmp(*jump_buffer(reader->png)) != 0)
		return;
	library.png_set_read_fn(reader->png, reader, read_bytes);
	read_header(reader);
	reader->call.status = allocate_rows(reader);
	if (reader->call.status != MREN_OK)
		return;
	read_pixels(reader);
	library.png_read_end(reader->png, NULL);
}

MrenStatus
mren_png_decode(const MrenEnv *env, const uint8_t *bytes, size_t len, const MrenImageInfo *info,
				uint64_t max_work, MrenBitmap *out, MrenError *err)
{
	PngReader reader = {
		.call = {env, err, MREN_OK}, .bytes = bytes, .len = len, .info = info, .out = out};
	bool transposed = mren_orientation_transposes(info->orientation);

	memset(out, 0, sizeof(*out));
	MREN_TRY(load(err));
	reader.work = (MrenImageWork){.info = info, .limit = max_work};
	reader.width = transposed ? info->height : info->width;
	reader.height = transposed ? info->width : info->height;
	reader.png =
		library.png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &reader.call, on_error, on_warning,
										 &reader.call, png_allocate, png_release);
	if (reader.png != NULL)
		reader.png_info = library.png_create_info_struct(reader.png);
	if (reader.png_info == NULL)
	{
		if (reader.call.status == MREN_OK)
			reader.call.status = mren_fail_nomem(err);
	}
	else
		read_png(&reader);
	library.png_destroy_read_struct(&reader.png, &reader.png_info, NULL);
	mren_release(env, reader.raw);
	mren_release(env, reader.band);
	if (reader.call.status != MREN_OK)
		mren_bitmap_free(env, out);
	return reader.call.status;
}

/* ---- writing ---- */

typedef struct PngWriter
{
	PngCall call;
	const MrenBitmap *in;
	png_structp png;
	png_infop png_info;
	uint8_t *bytes;
	size_t len;
	size_t capacity;
} PngWriter;

static void
write_bytes(png_structp png, png_bytep from, size_t n)
{
	PngWriter *writer = library.png_get_io_ptr(png);
	PngCall *call = &writer->call;

	if (call->status == MREN_OK)
		call->status = mren_grow(call->env, &writer->bytes, &writer->capacity, writer->len,
								 writer->len + n, 1, call->err);
	if (call->status != MREN_OK)
		library.png_error(png, "write failed");
	memcpy(writer->bytes + writer->len, from, n);
	writer->len += n;
}

static void
flush_bytes(png_structp png)
{
	(void) png;
}

static void
write_png(PngWriter *writer)
{
	png_structp png = writer->png;
	const MrenBitmap *in = writer->in;

	if (setjmp(*jump_buffer(png)) != 0)
		return;
	library.png_set_write_fn(png, writer, write_bytes, flush_bytes);
	library.png_set_user_limits(png, in->width, in->height);
	library.png_set_IHDR(png, writer->png_info, in->width, in->height, 8, PNG_COLOR_TYPE_RGB,
						 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	library.png_set_sRGB(png, writer->png_info, PNG_sRGB_INTENT_PERCEPTUAL);
	library.png_write_info(png, writer->png_info);
	for (uint32_t y = 0; y < in->height; y++)
	{
		writer->call.status = mren_check_interrupts(writer->call.env, writer->call.err);
		if (writer->call.status != MREN_OK)
			return;
		library.png_write_row(png, in->rgb + (size_t) y * in->width * MREN_RGB);
	}
	library.png_write_end(png, NULL);
}

MrenStatus
mren_png_encode(const MrenEnv *env, const MrenBitmap *in, uint8_t **bytes, size_t *len,
				MrenError *err)
{
	PngWriter writer = {{env, err, MREN_OK}, in};

	*bytes = NULL;
	*len = 0;
	MREN_TRY(mren_bitmap_check(in, err));
	MREN_TRY(load(err));
	writer.png =
		library.png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &writer.call, on_error, on_warning,
										  &writer.call, png_allocate, png_release);
	if (writer.png != NULL)
		writer.png_info = library.png_create_info_struct(writer.png);
	if (writer.png_info == NULL)
	{
		if (writer.call.status == MREN_OK)
			writer.call.status = mren_fail_nomem(err);
	}
	else
		write_png(&writer);
	library.png_destroy_write_struct(&writer.png, &writer.png_info);
	if (writer.call.status != MREN_OK)
	{
		mren_release(env, writer.bytes);
		return writer.call.status;
	}
	*bytes = writer.bytes;
	*len = writer.len;
	return MREN_OK;
}
