/*
 * jpeg_codec.c
 *	  JPEG through libjpeg-turbo.
 *
 * libjpeg reports errors through error_exit, which here jumps to the setjmp in
 * read_jpeg; between the two lie only libjpeg's frames and callbacks of this
 * file that own nothing.  What must survive a jump lives in JpegReader.
 */
#include "image/jpeg_codec.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "base/library.h"
#include "image/decode_work.h"

/* What is called of libjpeg. */
#define FUNCTIONS(F)                                                                               \
	F(jpeg_CreateDecompress)                                                                       \
	F(jpeg_destroy_decompress)                                                                     \
	F(jpeg_finish_decompress)                                                                      \
	F(jpeg_has_multiple_scans)                                                                     \
	F(jpeg_read_header)                                                                            \
	F(jpeg_read_scanlines)                                                                         \
	F(jpeg_resync_to_restart)                                                                      \
	F(jpeg_start_decompress)                                                                       \
	F(jpeg_std_error)

MREN_LIBRARY(FUNCTIONS);

/* Rows decoded before they are placed in the bitmap, when they cannot be decoded there. */
#define BAND_ROWS 16

/* Bytes given to libjpeg at a time, between two checks for interrupts. */
#define WINDOW 65536

typedef struct JpegReader
{
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	struct jpeg_source_mgr source;
	struct jpeg_progress_mgr progress;
	jmp_buf jump;
	const MrenEnv *env;
	MrenError *err;
	MrenStatus status; /* the first failure; err is then filled */
	const uint8_t *bytes;
	size_t len;
	size_t given; /* bytes handed to libjpeg so far */
	const MrenImageInfo *info;
	size_t max_bytes; /* of the result and the coefficients */
	MrenImageWork work;
	bool scans;							  /* the image comes in several scans */
	int scan;							  /* the last one whose work was added */
	uint32_t enough_width, enough_height; /* as stored; 0: all */
	MrenBitmap *out;
	uint32_t width, height; /* as stored; then of what is decoded */
	uint8_t *band;			/* NULL: rows are decoded in place */
} JpegReader;

/* The version of libjpeg whose interface libjpeg-turbo has names its file: 62, 7 or 8. */
static MrenStatus
load(MrenError *err)
{
	char file[32];

	snprintf(file, sizeof(file), "libjpeg.so.%d",
			 JPEG_LIB_VERSION < 70 ? JPEG_LIB_VERSION : JPEG_LIB_VERSION / 10);
	return MREN_LIBRARY_LOAD(file, err);
}

static void
fail(JpegReader *reader, MrenStatus status)
{
	reader->status = status;
	longjmp(reader->jump, 1);
}

/* ---- errors ---- */

static MrenStatus
status_of(int code)
{
	switch (code)
	{
		case JERR_OUT_OF_MEMORY:
		case JERR_NO_BACKING_STORE:
			return MREN_ENOMEM;
		case JERR_ARITH_NOTIMPL:
		case JERR_BAD_PRECISION:
		case JERR_CCIR601_NOTIMPL:
		case JERR_CONVERSION_NOTIMPL:
		case JERR_FRACT_SAMPLE_NOTIMPL:
		case JERR_NOT_COMPILED:
		case JERR_SOF_UNSUPPORTED:
			return MREN_EUNSUPPORTED;
		default:
			return MREN_EFORMAT;
	}
}

static void
on_error(j_common_ptr common)
{
	JpegReader *reader = common->client_data;
	MrenStatus status = status_of(common->err->msg_code);
	char text[JMSG_LENGTH_MAX];

	if (status == MREN_ENOMEM)
		fail(reader, mren_fail_nomem(reader->err));
	common->err->format_message(common, text);
	mren_fail(reader->err, status,
			  status == MREN_EUNSUPPORTED ? "JPEG image is of an unsupported kind"
										  : "JPEG image is corrupt");
	mren_error_detail(reader->err, "libjpeg reports \"%s\".", text);
	fail(reader, status);
}

/*
 * libjpeg warns where it would go on with invented pixels, and also about
 * oddities that cost no pixel: an unknown version or color transform, needless
 * bytes between segments, scan parameters that a sequential file ignores.
 */
static bool
is_harmless(int code)
{
	return code == JWRN_ADOBE_XFORM || code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR ||
		   code == JWRN_NOT_SEQUENTIAL;
}

static void
on_message(j_common_ptr common, int level)
{
	if (level < 0 && !is_harmless(common->err->msg_code))
		on_error(common);
}

static void
discard_message(j_common_ptr common)
{
	(void) common;
}

/* ---- input: the caller's bytes, window by window ---- */

static void
add_work(JpegReader *reader, uint64_t n, uint64_t each)
{
	MrenStatus status = mren_image_work_add(&reader->work, n, each, reader->err);

	if (status != MREN_OK)
		fail(reader, status);
}

static void
start_input(j_decompress_ptr jpeg)
{
	(void) jpeg;
}

/*
 * The next window follows the one before in memory.  At the end of the bytes
 * libjpeg still wants more, which never happens with a complete file.
 */
static boolean
fill_input(j_decompress_ptr jpeg)
{
	JpegReader *reader = jpeg->client_data;
	MrenStatus status = mren_check_interrupts(reader->env, reader->err);
	size_t n = reader->len - reader->given;

	if (status != MREN_OK)
		fail(reader, status);
	if (n == 0)
		fail(reader, mren_fail(reader->err, MREN_EFORMAT, "JPEG image is truncated after %zu bytes",
							   reader->len));
	if (n > WINDOW)
		n = WINDOW;
	add_work(reader, n, reader->scans ? MREN_WORK_JPEG_FILE_SCANS : MREN_WORK_JPEG_FILE);
	reader->source.next_input_byte = reader->bytes + reader->given;
	reader->source.bytes_in_buffer = n;
	reader->given += n;
	return TRUE;
}

static void
skip_input(j_decompress_ptr jpeg, long n)
{
	JpegReader *reader = jpeg->client_data;

	while (n > 0 && (size_t) n > reader->source.bytes_in_buffer)
	{
		n -= (long) reader->source.bytes_in_buffer;
		fill_input(jpeg);
	}
	if (n > 0)
	{
		reader->source.next_input_byte += n;
		reader->source.bytes_in_buffer -= (size_t) n;
	}
}

static void
end_input(j_decompress_ptr jpeg)
{
	(void) jpeg;
}

/* The work of a scan over its blocks, whatever they hold. */
static void
add_scan(JpegReader *reader)
{
	j_decompress_ptr jpeg = &reader->jpeg;
	uint64_t blocks = 0;

	if (!reader->scans || jpeg->input_scan_number <= reader->scan)
		return;
	reader->scan = jpeg->input_scan_number;
	for (int c = 0; c < jpeg->comps_in_scan; c++)
		blocks += (uint64_t) jpeg->cur_comp_info[c]->width_in_blocks *
				  jpeg->cur_comp_info[c]->height_in_blocks;
	add_work(reader, blocks, MREN_WORK_JPEG_BLOCK);
}

/* libjpeg calls it for each row of blocks read, and each row put out. */
static void
on_progress(j_common_ptr common)
{
	JpegReader *reader = common->client_data;
	MrenStatus status = mren_check_interrupts(reader->env, reader->err);

	if (status == MREN_OK && reader->jpeg.input_scan_number > MREN_JPEG_MAX_SCANS)
		status = mren_fail(reader->err, MREN_ELIMIT, "JPEG image has more than %d scans",
						   MREN_JPEG_MAX_SCANS);
	if (status != MREN_OK)
		fail(reader, status);
	add_scan(reader);
}

/* ---- decoding ---- */

/*
 * libjpeg's own bound holds for arrays of the whole image together with what it
 * took before them: tables, and a few rows of blocks of each component.
 */
#define TABLE_BYTES (1 << 20)
#define WORK_ROWS 128

static size_t
round_up(size_t n, int multiple)
{
	size_t m = (size_t) multiple;

	return (n + m - 1) / m * m;
}

/*
 * The coefficients that libjpeg keeps of the whole image: none if all
 * components come in one scan.  A dimension is at most 65535, so that the sum
 * cannot overflow.
 */
static size_t
coefficient_bytes(j_decompress_ptr jpeg)
{
	size_t n_blocks = 0;

	if (!library.jpeg_has_multiple_scans(jpeg))
		return 0;
	for (int c = 0; c < jpeg->num_components; c++)
	{
		const jpeg_component_info *component = &jpeg->comp_info[c];

		n_blocks += round_up(component->width_in_blocks, component->h_samp_factor) *
					round_up(component->height_in_blocks, component->v_samp_factor);
	}
	return n_blocks * sizeof(JBLOCK);
}

/* Between the header and the first allocation that depends on the size. */
static void
limit_memory(JpegReader *reader)
{
	j_decompress_ptr jpeg = &reader->jpeg;
	size_t coefficients = coefficient_bytes(jpeg);
	size_t result = (size_t) reader->width * reader->height * MREN_RGB;
	size_t rows = (size_t) reader->width * (size_t) jpeg->num_components * WORK_ROWS;

	if (coefficients != 0 && coefficients + result > reader->max_bytes)
	{
		mren_fail(
			reader->err, MREN_ELIMIT,
			"decoding the image of %u x %u pixels takes %zu bytes, but at most %zu are allowed",
			reader->info->width, reader->info->height, coefficients + result, reader->max_bytes);
		mren_error_detail(reader->err, "A JPEG image of several scans is held as coefficients of "
									   "two bytes for each sample until its last scan is read.");
		fail(reader, MREN_ELIMIT);
	}
	jpeg->mem->max_memory_to_use = (long) (coefficients + rows + TABLE_BYTES);
}

/* Samples as stored, of which colors may have fewer than pixels. */
static void
add_samples(JpegReader *reader)
{
	j_decompress_ptr jpeg = &reader->jpeg;
	uint64_t blocks = 0;

	reader->scans = library.jpeg_has_multiple_scans(jpeg);
	for (int c = 0; c < jpeg->num_components; c++)
		blocks +=
			(uint64_t) jpeg->comp_info[c].width_in_blocks * jpeg->comp_info[c].height_in_blocks;
	add_work(reader, blocks * DCTSIZE2,
			 reader->scans ? MREN_WORK_JPEG_SAMPLE_SCANS : MREN_WORK_JPEG_SAMPLE);
}

static void
set_up(JpegReader *reader)
{
	reader->source.init_source = start_input;
	reader->source.fill_input_buffer = fill_input;
	reader->source.skip_input_data = skip_input;
	reader->source.resync_to_restart = library.jpeg_resync_to_restart;
	reader->source.term_source = end_input;
	reader->progress.progress_monitor = on_progress;
	reader->jpeg.src = &reader->source;
	reader->jpeg.progress = &reader->progress;
}

/* The largest of libjpeg's divisors that leaves as many pixels as are enough. */
static unsigned int
divisor_for(const JpegReader *reader)
{
	uint32_t divisor = 1;

	if (reader->enough_width == 0 || reader->enough_height == 0)
		return 1;
	while (divisor < DCTSIZE && reader->width >= 2 * divisor * (uint64_t) reader->enough_width &&
		   reader->height >= 2 * divisor * (uint64_t) reader->enough_height)
		divisor *= 2;
	return divisor;
}

static void
read_header(JpegReader *reader)
{
	j_decompress_ptr jpeg = &reader->jpeg;

	library.jpeg_read_header(jpeg, TRUE);
	if (jpeg->image_width != reader->width || jpeg->image_height != reader->height ||
		jpeg->num_components != reader->info->channels)
		fail(reader, mren_fail(reader->err, MREN_EFORMAT,
							   "JPEG image has a second frame header that differs"));
	jpeg->out_color_space = jpeg->num_components == 4 ? JCS_CMYK : JCS_RGB;
	limit_memory(reader);
	add_samples(reader);
	jpeg->scale_num = 1;
	jpeg->scale_denom = divisor_for(reader);
	library.jpeg_start_decompress(jpeg);
	reader->width = jpeg->output_width;
	reader->height = jpeg->output_height;
}

/*
 * A file of several scans may end before each component had one, and libjpeg
 * would show that as gray.  It keeps a component's quantization table from its
 * first scan on; an image in one scan has them all by now, too.
 */
static void
check_components(JpegReader *reader)
{
	for (int c = 0; c < reader->jpeg.num_components; c++)
	{
		if (reader->jpeg.comp_info[c].quant_table == NULL)
			fail(reader, mren_fail(reader->err, MREN_EFORMAT,
								   "JPEG image ends without the data of component %d of %d", c + 1,
								   reader->jpeg.num_components));
	}
}

/* Rows go straight into the bitmap when they need neither converting nor placing. */
static MrenStatus
prepare_band(JpegReader *reader)
{
	size_t row_bytes = (size_t) reader->width * (size_t) reader->jpeg.output_components;
	bool transposed = mren_orientation_transposes(reader->info->orientation);

	MREN_TRY(mren_bitmap_create(reader->env, transposed ? reader->height : reader->width,
								transposed ? reader->width : reader->height, reader->out,
								reader->err));
	if (reader->jpeg.out_color_space == JCS_RGB && reader->info->orientation == 1)
		return MREN_OK;
	return mren_allocate(reader->env, BAND_ROWS, row_bytes, &reader->band, reader->err);
}

/* CMYK to RGB in place; the result is never ahead of its source. */
static void
convert_cmyk(uint8_t *pixels, size_t n_pixels, bool inverted)
{
	uint8_t *to = pixels;
	uint8_t flip = inverted ? 0 : 255;

	for (size_t i = 0; i < n_pixels; i++, pixels += 4, to += MREN_RGB)
	{
		uint32_t light = pixels[3] ^ flip;

		for (int c = 0; c < MREN_RGB; c++)
		{
			/* round(x / 255) for 0 <= x <= 65025 */
			uint32_t x = (uint32_t) (pixels[c] ^ flip) * light + 128;

			to[c] = (uint8_t) ((x + (x >> 8)) >> 8);
		}
	}
}

static void
read_rows(JpegReader *reader)
{
	j_decompress_ptr jpeg = &reader->jpeg;
	size_t row_bytes = (size_t) reader->width * (size_t) jpeg->output_components;
	uint32_t n;

	for (uint32_t first = 0; first < reader->height; first += n)
	{
		uint8_t *rows =
			reader->band != NULL ? reader->band : reader->out->rgb + (size_t) first * row_bytes;

		n = reader->height - first < BAND_ROWS ? reader->height - first : BAND_ROWS;
		for (uint32_t i = 0; i < n;)
		{
			JSAMPROW pointers[BAND_ROWS];

			for (uint32_t k = i; k < n; k++)
				pointers[k - i] = rows + k * row_bytes;
			i += library.jpeg_read_scanlines(jpeg, pointers, n - i);
		}
		if (jpeg->output_components == 4)
			convert_cmyk(rows, (size_t) n * reader->width, jpeg->saw_Adobe_marker);
		if (reader->band != NULL)
			mren_bitmap_place_rows(reader->out, reader->info->orientation, first, n, rows);
	}
}

/* The steps that may jump; status tells how they ended. */
static void
read_jpeg(JpegReader *reader)
{
	if (setjmp(reader->jump) != 0)
		return;
	library.jpeg_CreateDecompress(&reader->jpeg, JPEG_LIB_VERSION, sizeof(reader->jpeg));
	set_up(reader);
	read_header(reader);
	check_components(reader);
	reader->status = prepare_band(reader);
	if (reader->status != MREN_OK)
		return;
	read_rows(reader);
	library.jpeg_finish_decompress(&reader->jpeg);
}

MrenStatus
mren_jpeg_decode(const MrenEnv *env, const uint8_t *bytes, size_t len, const MrenImageInfo *info,
				 const MrenImageLimits *limits, MrenBitmap *out, MrenError *err)
{
	JpegReader reader = {0};
	bool transposed = mren_orientation_transposes(info->orientation);

	memset(out, 0, sizeof(*out));
	MREN_TRY(load(err));
	reader.env = env;
	reader.err = err;
	reader.bytes = bytes;
	reader.len = len;
	reader.info = info;
	reader.max_bytes = limits->max_bytes;
	reader.work = (MrenImageWork){.info = info, .limit = limits->max_work};
	reader.out = out;
	reader.width = transposed ? info->height : info->width;
	reader.height = transposed ? info->width : info->height;
	reader.enough_width = transposed ? limits->enough_height : limits->enough_width;
	reader.enough_height = transposed ? limits->enough_width : limits->enough_height;
	reader.jpeg.err = library.jpeg_std_error(&reader.errors);
	reader.jpeg.client_data = &reader;
	reader.errors.error_exit = on_error;
	reader.errors.emit_message = on_message;
	reader.errors.output_message = discard_message;
	read_jpeg(&reader);
	library.jpeg_destroy_decompress(&reader.jpeg);
	mren_release(env, reader.band);
	if (reader.status != MREN_OK)
		mren_bitmap_free(env, out);
	return reader.status;
}
