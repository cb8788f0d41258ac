/*
 * load_image_encoders.c
 *	  mren.load_image_encoder, drop_image_encoder, image_features, image_info.
 *
 * A model depends not only on the file, but also on the tensor that is read and on
 * the normalization of pixels; an encoder's identity is a hash of all three.
 */
#include "postgres.h"

#include <math.h>

#include "access/detoast.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "onnx/onnx_graph.h"
#include "pg/catalog/catalog.h"
#include "pg/catalog/catalog_parts.h"
#include "pg/model/models.h"
#include "pg/resource/drop_content.h"
#include "pg/resource/image_encoders.h"
#include "pg/support/args.h"
#include "pg/support/digest.h"
#include "pg/support/load_input.h"
#include "pg/support/pg_env.h"
#include "pg/support/settings.h"
#include "pg/support/shared_files.h"

/* The customary statistics of ImageNet (Deng et al. 2009), in pixel units. */
static const float4 imagenet_mean[3] = {123.675f, 116.28f, 103.53f};
static const float4 imagenet_std[3] = {58.395f, 57.12f, 57.375f};

typedef struct Loading
{
	const char *name;
	uint8 *bytes;
	size_t len;
	float4 mean[3];
	float4 std[3];
	char *output;
	MrenOnnxGraphInfo info;
	uint8 sha256[MREN_SHA256_LENGTH];
	uint8 identity[MREN_SHA256_LENGTH];
} Loading;

/* Three numbers, one for each channel, or their default. */
static void
channel_arg(FunctionCallInfo fcinfo, int arg, const char *name, const float4 *standard, float4 *out)
{
	const float4 *values;
	int n;

	memcpy(out, standard, 3 * sizeof(float4));
	if (PG_ARGISNULL(arg))
		return;
	values = mren_array_floats(PG_GETARG_ARRAYTYPE_P(arg), name, &n);
	if (n != 3 && n != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" must have 3 elements or 1, not %d", name, n),
				 errhint("Specify one number for each channel (red, green, blue), or one for "
						 "all of them, in pixel units from 0 to 255.")));
	for (int i = 0; i < 3; i++)
		out[i] = values[n == 1 ? 0 : i];
}

static void
check_std(const float4 *std)
{
	for (int i = 0; i < 3; i++)
	{
		if (std[i] <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("standard deviation %d must be positive, not %g", i + 1, std[i])));
	}
}

/*
 * Deviations below 1, or means that all lie between 0 and 1, are those of values from 0 to 1, as
 * torchvision gives them; no network was trained on pixels that were spread so far.
 */
static void
check_units(const float4 *mean, const float4 *std)
{
	bool shares = std[0] < 1 && std[1] < 1 && std[2] < 1;
	bool means = true;

	for (int i = 0; i < 3; i++)
		means = means && mean[i] > 0 && mean[i] < 1 && std[i] <= 1;
	if (shares || means)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("mean {%g,%g,%g} and std {%g,%g,%g} are in units from 0 to 1",
							   mean[0], mean[1], mean[2], std[0], std[1], std[2]),
						errhint("They must be in pixel units from 0 to 255: multiply them by "
								"255.")));
}

/* Loads the graph once, to validate it and to read its shapes. */
static void
inspect(Loading *loading, const char *output)
{
	MemoryContext work =
		AllocSetContextCreate(CurrentMemoryContext, "mren encoder", ALLOCSET_DEFAULT_SIZES);
	MrenEnv env = mren_pg_env(work);
	MrenOnnxGraph *graph;
	MrenError err;

	MREN_PG_CALL(err, mren_onnx_graph_load(&env, loading->bytes, loading->len, output,
										   (size_t) mren_max_encoder_memory * 1024, &graph, &err));
	mren_onnx_graph_info(graph, &loading->info);
	loading->output = pstrdup(loading->info.output);
	mren_onnx_graph_free(&env, graph);
	MemoryContextDelete(work);
	if (loading->info.channels != 3)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("image encoder expects %d-channel input", loading->info.channels),
						errhint("Only encoders of RGB images are supported.")));
	if (loading->info.features > MaxAllocSize / sizeof(float4))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("output \"%s\" of %zu elements exceeds the maximum size of a value",
							   loading->output, loading->info.features)));
}

static void
hash_encoder(Loading *loading)
{
	pg_cryptohash_ctx *digest = mren_digest_begin();

	mren_digest_add(digest, loading->bytes, loading->len);
	mren_digest_end(digest, loading->sha256);
	digest = mren_digest_begin();
	mren_digest_add(digest, loading->sha256, MREN_SHA256_LENGTH);
	for (int i = 0; i < 6; i++)
	{
		/* As text, so that the hash is the same on every machine. */
		char *number = psprintf("%.9g,", i < 3 ? loading->mean[i] : loading->std[i - 3]);

		mren_digest_add(digest, number, strlen(number));
	}
	mren_digest_add(digest, loading->output, strlen(loading->output));
	mren_digest_end(digest, loading->identity);
}

static int64
insert_encoder(const Loading *loading)
{
	Oid types[] = {TEXTOID, NAMEOID, TEXTOID, FLOAT4ARRAYOID, FLOAT4ARRAYOID, INT4OID,
				   INT4OID, INT4OID, INT8OID, BYTEAOID,		  BYTEAOID};
	Datum values[11];
	bool isnull;

	values[0] = CStringGetTextDatum(loading->name);
	values[1] = mren_current_user_name();
	values[2] = CStringGetTextDatum(loading->output);
	values[3] = PointerGetDatum(mren_real_array(loading->mean, 3));
	values[4] = PointerGetDatum(mren_real_array(loading->std, 3));
	values[5] = Int32GetDatum(loading->info.width);
	values[6] = Int32GetDatum(loading->info.height);
	values[7] = Int32GetDatum(loading->info.features);
	values[8] = Int64GetDatum(loading->len);
	values[9] = PointerGetDatum(mren_digest_bytea(loading->sha256));
	values[10] = PointerGetDatum(mren_digest_bytea(loading->identity));
	mren_catalog_write(
		"INSERT INTO mren.encoder (name, owner, output, mean, std, width, height, dimension, size, "
		"sha256, identity, loaded_at) "
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, pg_catalog.now()) RETURNING id",
		11, types, values, NULL);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/* Arguments: name, source, output, mean, std.  Returns the dimension. */
static Datum
load(FunctionCallInfo fcinfo, MrenLoadKind kind)
{
	Loading loading = {.name = mren_arg_text(fcinfo, 0, "name")};
	MrenLoadInput *input = mren_load_input_arg(fcinfo, 1, kind);
	MrenImageEncoderRow row;

	mren_check_name("name", loading.name);
	channel_arg(fcinfo, 3, "mean", imagenet_mean, loading.mean);
	channel_arg(fcinfo, 4, "std", imagenet_std, loading.std);
	check_std(loading.std);
	check_units(loading.mean, loading.std);
	if (mren_catalog_image_encoder(loading.name, &row))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("image encoder \"%s\" already exists", loading.name),
				 errhint("Drop it with mren.drop_image_encoder, or load under another name.")));
	loading.bytes = mren_load_input_all(input, (size_t) mren_max_encoder_memory * 1024,
										"mren.max_encoder_memory", &loading.len);
	mren_load_input_close(input);
	inspect(&loading, PG_ARGISNULL(2) ? NULL : mren_arg_text(fcinfo, 2, "output"));
	hash_encoder(&loading);
	mren_models_begin("mren.load_image_encoder()");
	mren_parts_write("encoder", insert_encoder(&loading), loading.bytes, loading.len);
	mren_models_end();
	PG_RETURN_INT32((int32) loading.info.features);
}

PG_FUNCTION_INFO_V1(mren_load_image_encoder);
/* mren.load_image_encoder(name, path, output, mean, std) → int */
Datum
mren_load_image_encoder(PG_FUNCTION_ARGS)
{
	return load(fcinfo, MREN_LOAD_PATH);
}

PG_FUNCTION_INFO_V1(mren_load_image_encoder_bytea);
/* mren.load_image_encoder(name, contents bytea, output, mean, std) → int */
Datum
mren_load_image_encoder_bytea(PG_FUNCTION_ARGS)
{
	return load(fcinfo, MREN_LOAD_CONTENTS);
}

PG_FUNCTION_INFO_V1(mren_load_image_encoder_large_object);
/* mren.load_image_encoder(name, large_object oid, output, mean, std) → int */
Datum
mren_load_image_encoder_large_object(PG_FUNCTION_ARGS)
{
	return load(fcinfo, MREN_LOAD_LARGE_OBJECT);
}

PG_FUNCTION_INFO_V1(mren_drop_image_encoder);
/* mren.drop_image_encoder(name) → void */
Datum
mren_drop_image_encoder(PG_FUNCTION_ARGS)
{
	char *name = mren_arg_text(fcinfo, 0, "name");
	MrenImageEncoderRow row;

	mren_catalog_need_image_encoder(name, &row);
	mren_content_drop(&mren_content_image_encoder, name, row.id, NameStr(row.owner), row.identity);
	mren_shared_drop(MREN_SHARED_IMAGE_ENCODER, row.identity);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(mren_image_features);
/* mren.image_features(encoder, image) → real[] */
Datum
mren_image_features(PG_FUNCTION_ARGS)
{
	char *name = mren_arg_text(fcinfo, 0, "encoder");
	MrenImageEncoderRow row;
	MrenImageEncoder *encoder;
	float4 *features;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	mren_catalog_need_image_encoder(name, &row);
	encoder = mren_image_encoder_open(&row);
	features = palloc(mren_image_encoder_dimension(encoder) * sizeof(float4));
	mren_image_encoder_features(encoder, PG_GETARG_BYTEA_PP(1), features);
	PG_RETURN_ARRAYTYPE_P(mren_real_array(features, mren_image_encoder_dimension(encoder)));
}

/*
 * Reads the header, however long the metadata before it are: more of the value is
 * detoasted only while the header is incomplete.
 */
static void
probe(Datum image, MrenImageInfo *info)
{
	Size whole = toast_raw_datum_size(image) - VARHDRSZ;
	MrenError err;

	for (Size size = 4096;; size *= 8)
	{
		bytea *slice = DatumGetByteaPSlice(image, 0, Min(size, whole));

		if (mren_image_info((const uint8_t *) VARDATA_ANY(slice), VARSIZE_ANY_EXHDR(slice), info,
							&err) == MREN_OK)
			return;
		if (size >= whole)
			mren_pg_raise(&err);
		pfree(slice);
	}
}

PG_FUNCTION_INFO_V1(mren_image_info_sql);
/* mren.image_info(image) → (format text, width int, height int, channels int) */
Datum
mren_image_info_sql(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	MrenImageInfo info;
	Datum values[4];
	bool nulls[4] = {false, false, false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	probe(PG_GETARG_DATUM(0), &info);
	values[0] = CStringGetTextDatum(mren_image_format_name(info.format));
	values[1] = Int32GetDatum(info.width);
	values[2] = Int32GetDatum(info.height);
	values[3] = Int32GetDatum(info.channels);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
