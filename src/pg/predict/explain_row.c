/*
 * explain_row.c
 *	  mren.explain, mren.explain_image and mren.explain_audio: why a row got its answer.
 *
 * All measure how the answer's probability changes when something is left out:
 * a word, a mention, a type, the whole image or the whole recording; or one cell of the image,
 * which is covered by a grey patch; or a part of the recording, which is silenced.
 */
#include "pg/predict/explain_row.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#include "pg/resource/image_encoders.h"
#include "pg/support/args.h"
#include "pg/support/pg_env.h"
#include "relation/explain.h"

/* The number of cells in a row and in a column of the heat map. */
#define GRID 7

/* The colour that covers a cell: the mean of ImageNet. */
static const uint8 cover[3] = {124, 116, 104};

#define ARG_MODEL 0
#define ARG_PAIR 1
#define ARG_VERSION 10

static MrenToken
place_of(const MrenContribution *contribution, const MrenEncoded *row)
{
	switch (contribution->part)
	{
		case MREN_PART_WORD:
			return row->words[contribution->word];
		case MREN_PART_HEAD:
			return row->head;
		case MREN_PART_TAIL:
			return row->tail;
		default:
			return (MrenToken){0};
	}
}

static MrenTextSpan
feature_name(MrenExplainedPart part, const MrenPair *pair, MrenToken place)
{
	switch (part)
	{
		case MREN_PART_WORD:
		case MREN_PART_HEAD:
		case MREN_PART_TAIL:
			return (MrenTextSpan){pair->sentence.data + place.start, place.end - place.start};
		case MREN_PART_HEAD_TYPE:
			return pair->head_type;
		case MREN_PART_TAIL_TYPE:
			return pair->tail_type;
		case MREN_PART_IMAGE:
			return (MrenTextSpan){"image", 5};
		case MREN_PART_AUDIO:
			return (MrenTextSpan){"audio", 5};
	}
	pg_unreachable();
}

static const char *
modality(MrenExplainedPart part)
{
	switch (part)
	{
		case MREN_PART_WORD:
			return "word";
		case MREN_PART_HEAD:
			return "head";
		case MREN_PART_TAIL:
			return "tail";
		case MREN_PART_HEAD_TYPE:
			return "head_type";
		case MREN_PART_TAIL_TYPE:
			return "tail_type";
		case MREN_PART_IMAGE:
			return "image";
		case MREN_PART_AUDIO:
			return "audio";
	}
	pg_unreachable();
}

/* What the features without one part are computed from. */
typedef struct Occluded
{
	MrenPair pair;
	const MrenEncoded *row;
	const MrenRowLexicons *lexicons;
	const MrenPairBoxes *boxes; /* NULL: the model has no features of boxes */
} Occluded;

static MrenStatus
features_without(void *state, const MrenContribution *part, uint32_t *codes, size_t *n,
				 MrenError *err)
{
	const Occluded *occluded = state;
	MrenPair pair = occluded->pair;
	MrenToken without = {0};
	const MrenPairBoxes *boxes = occluded->boxes;
	const MrenFeatures *features;

	if (part->part == MREN_PART_WORD)
		without = occluded->row->words[part->word];
	else if (part->part == MREN_PART_HEAD)
		without = occluded->row->head;
	else if (part->part == MREN_PART_TAIL)
		without = occluded->row->tail;
	else if (part->part == MREN_PART_HEAD_TYPE)
		pair.head_type.data = NULL;
	else if (part->part == MREN_PART_TAIL_TYPE)
		pair.tail_type.data = NULL;
	else if (part->part == MREN_PART_IMAGE)
		boxes = NULL;
	features = mren_pair_features(&pair, occluded->row, occluded->lexicons, without, boxes);
	memcpy(codes, features->codes, features->n * sizeof(uint32_t));
	*n = features->n;
	return MREN_OK;
}

/* Copies the row's own features out of the buffer that features_without writes to. */
static void
keep_features(MrenInput *input)
{
	uint32_t *codes = palloc(Max(input->n_features, 1) * sizeof(uint32_t));

	if (input->n_features > 0)
		memcpy(codes, input->features, input->n_features * sizeof(uint32_t));
	input->features = codes;
}

int
mren_explain_row(MrenPredictor *predictor, const MrenPair *pair, MrenExplained **parts)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenContribution *contributions;
	Occluded occluded;
	MrenVariantFeatures features = {&occluded, features_without};
	const MrenEncoded *row;
	MrenInput input;
	MrenExplainRequest request;
	MrenError err;
	size_t n;

	row = mren_predictor_row(predictor, pair, &input);
	keep_features(&input);
	occluded = (Occluded){*pair, row, &predictor->lexicons,
						  predictor->info.box_features ? &predictor->boxes : NULL};
	request = (MrenExplainRequest){&predictor->vectors, &input, &features, -1};
	MREN_PG_CALL(err, mren_net_explain(predictor->net, &request, &env, &contributions, &n, &err));
	*parts = palloc(Max(n, 1) * sizeof(MrenExplained));
	for (size_t i = 0; i < n; i++)
	{
		MrenToken place = place_of(&contributions[i], row);

		(*parts)[i] = (MrenExplained){modality(contributions[i].part), place,
									  feature_name(contributions[i].part, pair, place),
									  contributions[i].contribution};
	}
	return (int) n;
}

static Datum
explain(FunctionCallInfo fcinfo, bool ranges)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MrenPredictor predictor;
	MrenExplained *parts;
	MrenPair pair;
	int n;

	InitMaterializedSRF(fcinfo, 0);
	mren_predictor_open_args(&predictor, fcinfo, ARG_MODEL, ARG_VERSION);
	if (!mren_pair_args(fcinfo, ARG_PAIR, ranges, &pair))
		return (Datum) 0;
	n = mren_explain_row(&predictor, &pair, &parts);
	for (int i = 0; i < n; i++)
	{
		Datum values[3] = {CStringGetTextDatum(parts[i].modality),
						   PointerGetDatum(mren_server_text(parts[i].feature)),
						   Float8GetDatum(parts[i].contribution)};
		bool nulls[3] = {false, false, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* The probability of *relation or, if that is negative, of the strongest one, which it becomes. */
static float4
probability_of(MrenPredictor *predictor, const MrenInput *input, int *relation)
{
	float4 *features = palloc(predictor->info.row_dim * sizeof(float4));
	float4 *probabilities = palloc(predictor->info.n_relations * sizeof(float4));
	float4 result;

	mren_predictor_features(predictor, input, features);
	mren_predictor_probabilities(predictor, features, 1, probabilities);
	if (*relation < 0)
		*relation = mren_net_answer(&predictor->info, probabilities).strongest;
	result = probabilities[*relation];
	pfree(features);
	pfree(probabilities);
	return result;
}

/* Covers the cell in row r, column c of the image and saves its pixels, or restores them. */
static void
swap_cell(MrenBitmap *bitmap, int r, int c, uint8 *saved, bool restore)
{
	uint32 y0 = (uint64) bitmap->height * r / GRID;
	uint32 y1 = (uint64) bitmap->height * (r + 1) / GRID;
	uint32 x0 = (uint64) bitmap->width * c / GRID;
	uint32 x1 = (uint64) bitmap->width * (c + 1) / GRID;

	for (uint32 y = y0; y < y1; y++)
	{
		uint8 *line = bitmap->rgb + ((size_t) y * bitmap->width + x0) * 3;
		size_t size = (size_t) (x1 - x0) * 3;

		if (restore)
			memcpy(line, saved, size);
		else
		{
			memcpy(saved, line, size);
			for (size_t i = 0; i < size; i++)
				line[i] = cover[i % 3];
		}
		saved += size;
	}
}

/* By how much covering each cell lowers the answer's probability: heat (GRID, GRID). */
static void
heat_map(MrenPredictor *predictor, MrenInput *input, MrenBitmap *bitmap, float4 *heat)
{
	MrenImageEncoder *encoder = mren_predictor_image_encoder(predictor);
	float4 *vector = palloc(predictor->info.image_dim * sizeof(float4));
	size_t n_grid = mren_grid_size(&predictor->info.grid);
	uint16 *grid = n_grid > 0 ? palloc(n_grid * sizeof(uint16)) : NULL;
	uint8 *saved = palloc_extended(((size_t) bitmap->width / GRID + 1) *
									   ((size_t) bitmap->height / GRID + 1) * 3,
								   MCXT_ALLOC_HUGE);
	int relation = -1;
	float4 whole = probability_of(predictor, input, &relation);

	input->image = vector;
	input->grid = grid;
	for (int r = 0; r < GRID; r++)
	{
		for (int c = 0; c < GRID; c++)
		{
			swap_cell(bitmap, r, c, saved, false);
			mren_image_encoder_run(encoder, bitmap, vector, grid);
			swap_cell(bitmap, r, c, saved, true);
			heat[r * GRID + c] = whole - probability_of(predictor, input, &relation);
		}
	}
}

/* Reduces an image to at most max_side pixels in width and height; 0: leaves it as it is. */
static void
reduce(MrenBitmap *bitmap, uint32 max_side)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	uint32 side = Max(bitmap->width, bitmap->height);
	MrenBitmap small;
	MrenError err;

	if (max_side == 0 || side <= max_side)
		return;
	MREN_PG_CALL(
		err, mren_image_resize(&env, bitmap, Max((uint64) bitmap->width * max_side / side, 1),
							   Max((uint64) bitmap->height * max_side / side, 1), &small, &err));
	mren_bitmap_free(&env, bitmap);
	*bitmap = small;
}

static bytea *
encode_png(const MrenBitmap *bitmap)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenError err;
	uint8_t *png;
	size_t len;

	MREN_PG_CALL(err, mren_png_encode(&env, bitmap, &png, &len, &err));
	if (len > MaxAllocSize - VARHDRSZ)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("PNG image of %zu bytes exceeds the maximum size of a value", len)));
	return (bytea *) cstring_to_text_with_len((char *) png, len);
}

bytea *
mren_explain_picture(MrenPredictor *predictor, const MrenPair *pair, uint32 max_side, bytea **plain)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenInput input;
	MrenBitmap bitmap;
	MrenError err;
	float4 heat[GRID * GRID];

	mren_predictor_row(predictor, pair, &input);
	mren_image_encoder_decode(NULL, pair->image, &bitmap);
	heat_map(predictor, &input, &bitmap, heat);
	reduce(&bitmap, max_side);
	if (plain != NULL)
		*plain = encode_png(&bitmap);
	MREN_PG_CALL(err, mren_image_heatmap(&env, &bitmap, heat, GRID, GRID, &err));
	return encode_png(&bitmap);
}

static Datum
explain_image(FunctionCallInfo fcinfo, bool ranges)
{
	MrenPredictor predictor;
	MrenPair pair;

	mren_predictor_open_args(&predictor, fcinfo, ARG_MODEL, ARG_VERSION);
	if (!mren_pair_args(fcinfo, ARG_PAIR, ranges, &pair))
		PG_RETURN_NULL();
	if (pair.image == NULL && pair.image_vector != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("cannot explain an image vector without its image"),
						errhint("Specify the image itself as image.")));
	if (pair.image == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(mren_explain_picture(&predictor, &pair, 0, NULL));
}

/* Parts of a recording that are explained: at most so many, and not shorter than this. */
#define MAX_AUDIO_PARTS 20
#define AUDIO_PART_SECONDS 0.25

static Datum
seconds_range(double from, double to)
{
	TypeCacheEntry *type = lookup_type_cache(NUMRANGEOID, TYPECACHE_RANGE_INFO);
	double seconds[2] = {from, to};
	RangeBound bounds[2];

	for (int i = 0; i < 2; i++)
		bounds[i] = (RangeBound){
			.val = DirectFunctionCall3(numeric_in, CStringGetDatum(psprintf("%.3f", seconds[i])),
									   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)),
			.inclusive = i == 0,
			.lower = i == 0};
	return RangeTypePGetDatum(mren_make_range(type, &bounds[0], &bounds[1]));
}

/* By how much silencing each part lowers the answer's probability. */
static void
explain_parts(MrenPredictor *predictor, MrenInput *input, const bytea *audio, ReturnSetInfo *rsinfo)
{
	MrenAudioEncoder *encoder = mren_predictor_audio_encoder(predictor);
	uint64 length = mren_audio_encoder_length(encoder, audio);
	double seconds = mren_audio_encoder_seconds(encoder, length);
	int n = (int) Max(1, Min(MAX_AUDIO_PARTS, seconds / AUDIO_PART_SECONDS));
	float4 *vector = palloc(predictor->info.audio_dim * sizeof(float4));
	int relation = -1;
	float4 whole = probability_of(predictor, input, &relation);

	input->audio = vector;
	for (int i = 0; i < n; i++)
	{
		uint64 from = length * i / n;
		uint64 to = length * (i + 1) / n;
		Datum values[2];
		bool nulls[2] = {false, false};

		mren_audio_encoder_muted(encoder, audio, from, to, vector);
		values[0] = seconds_range(mren_audio_encoder_seconds(encoder, from),
								  mren_audio_encoder_seconds(encoder, to));
		values[1] = Float8GetDatum((float8) whole - probability_of(predictor, input, &relation));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/* Without a recording there are no rows. */
static Datum
explain_audio(FunctionCallInfo fcinfo, bool ranges)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MrenPredictor predictor;
	MrenInput input;
	MrenPair pair;

	InitMaterializedSRF(fcinfo, 0);
	mren_predictor_open_args(&predictor, fcinfo, ARG_MODEL, ARG_VERSION);
	if (!mren_pair_args(fcinfo, ARG_PAIR, ranges, &pair))
		return (Datum) 0;
	if (pair.audio == NULL && pair.audio_vector != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("cannot explain an audio vector without its recording"),
						errhint("Specify the recording itself as audio.")));
	if (pair.audio == NULL)
		return (Datum) 0;
	mren_predictor_row(&predictor, &pair, &input);
	explain_parts(&predictor, &input, pair.audio, rsinfo);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(mren_explain_audio);
/* mren.explain_audio(PAIR) → TABLE (seconds numrange, contribution double precision) */
Datum
mren_explain_audio(PG_FUNCTION_ARGS)
{
	return explain_audio(fcinfo, false);
}

PG_FUNCTION_INFO_V1(mren_explain_audio_range);
Datum
mren_explain_audio_range(PG_FUNCTION_ARGS)
{
	return explain_audio(fcinfo, true);
}

PG_FUNCTION_INFO_V1(mren_explain);
/* mren.explain(PAIR) → TABLE (modality text, feature text, contribution double precision) */
Datum
mren_explain(PG_FUNCTION_ARGS)
{
	return explain(fcinfo, false);
}

PG_FUNCTION_INFO_V1(mren_explain_range);
Datum
mren_explain_range(PG_FUNCTION_ARGS)
{
	return explain(fcinfo, true);
}

PG_FUNCTION_INFO_V1(mren_explain_image);
/* mren.explain_image(PAIR) → bytea */
Datum
mren_explain_image(PG_FUNCTION_ARGS)
{
	return explain_image(fcinfo, false);
}

PG_FUNCTION_INFO_V1(mren_explain_image_range);
Datum
mren_explain_image_range(PG_FUNCTION_ARGS)
{
	return explain_image(fcinfo, true);
}
