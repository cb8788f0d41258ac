/*
 * image_encoders.c
 *	  Loaded image encoders and the feature vectors of images.
 *
 * An encoder is the parsed network with its arena; one run at a time uses it,
 * because nothing between a run's start and its end calls back into SQL.
 */
#include "pg/resource/image_encoders.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "onnx/onnx_graph.h"
#include "pg/resource/recent_vectors.h"
#include "pg/support/lru_cache.h"
#include "pg/support/pg_env.h"
#include "pg/support/settings.h"
#include "pg/support/shared_files.h"

struct MrenImageEncoder
{
	MrenCacheEntry base;
	MrenEnv env; /* of the entry's context: the graph keeps a pointer to it */
	MrenOnnxGraph *graph;
	MrenOnnxGraphRun *run;
	MrenOnnxGraphInfo info;
	MrenImagePrep prep;
	float4 *input;					/* (height, width, 3) */
	bool grid_opened;				/* what follows is set, which takes longer than an image */
	MrenGridProjection *projection; /* NULL: no grid */
	MrenGridShape grid;				/* projected */
	float4 *raw_grid;				/* as the network gives it */
};

static MrenCache cache = MREN_CACHE_INIT(cache, &mren_encoder_cache, NULL);

static MrenCache images = MREN_CACHE_INIT(images, &mren_image_cache, NULL);

/* When a grid is requested, which most callers do not do. */
static void
open_grid(MrenImageEncoder *encoder)
{
	MrenGridShape shape = {encoder->info.grid_height, encoder->info.grid_width,
						   encoder->info.grid_channels};
	MrenError err;

	if (encoder->info.grid == NULL || encoder->grid_opened)
		return;
	/* A network whose grid is too large to keep is used without it. */
	if (mren_grid_projection_create(&encoder->env, &shape, &encoder->projection, &err) ==
		MREN_ELIMIT)
	{
		encoder->grid_opened = true;
		return;
	}
	if (encoder->projection == NULL)
		mren_pg_raise(&err);
	encoder->grid = mren_grid_projection_shape(encoder->projection);
	encoder->raw_grid =
		MemoryContextAllocHuge(encoder->base.context, mren_grid_size(&shape) * sizeof(float4));
	encoder->grid_opened = true;
	mren_cache_resize(&cache, &encoder->base,
					  MemoryContextMemAllocated(encoder->base.context, true));
}

/* What opens the network, for mren_shared_open. */
static MrenStatus
open_graph(void *state, const MrenEnv *env, void **opened, MrenError *err)
{
	const MrenImageEncoderRow *row = state;
	MrenOnnxGraph *graph;
	uint8 *bytes = NULL;
	size_t len = 0;

	if (!mren_weights_ready(env))
		mren_catalog_image_encoder_bytes(row, &bytes, &len);
	MREN_TRY(mren_onnx_graph_load(env, bytes, len, row->output,
								  (size_t) mren_max_encoder_memory * 1024, &graph, err));
	if (bytes != NULL)
		pfree(bytes);
	*opened = graph;
	return MREN_OK;
}

static void *
load(const void *what)
{
	const MrenImageEncoderRow *row = what;
	MrenImageEncoder *encoder = mren_cache_entry("image encoder", sizeof(MrenImageEncoder));
	MemoryContext context = encoder->base.context;
	MrenError err;

	encoder->env = mren_pg_env(context);
	encoder->graph = mren_shared_open(MREN_SHARED_IMAGE_ENCODER, row->identity, context, open_graph,
									  (void *) row);
	mren_onnx_graph_info(encoder->graph, &encoder->info);
	if (encoder->info.features != (size_t) row->dimension)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("image encoder %lld returns %zu features instead of %d",
							   (long long) row->id, encoder->info.features, row->dimension)));
	encoder->prep = (MrenImagePrep){
		.width = encoder->info.width, .height = encoder->info.height, .layout = MREN_LAYOUT_NHWC};
	memcpy(encoder->prep.mean, row->mean, sizeof(row->mean));
	memcpy(encoder->prep.std, row->std, sizeof(row->std));
	encoder->input = MemoryContextAllocHuge(context, sizeof(float4) * 3 * encoder->info.width *
														 encoder->info.height);
	memset(encoder->input, 0, sizeof(float4) * 3 * encoder->info.width * encoder->info.height);
	MREN_PG_CALL(err, mren_onnx_graph_start(&encoder->env, encoder->graph, encoder->input,
											&encoder->run, &err));
	return encoder;
}

MrenImageEncoder *
mren_image_encoder_open(const MrenImageEncoderRow *row)
{
	return mren_cache_open(&cache, 0, row->identity, load, row);
}

MrenImageEncoder *
mren_image_encoder_open_by_hash(const uint8 *identity, const char *model)
{
	MrenImageEncoder *encoder = mren_cache_reopen(&cache, 0, identity);
	MrenImageEncoderRow row;

	if (encoder != NULL)
		return encoder;
	if (!mren_catalog_image_encoder_by_hash(identity, &row, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the image encoder of model \"%s\" is not loaded", model),
				 errhint("Load the same network with mren.load_image_encoder, with the same output "
						 "and normalization, under any name.")));
	return mren_image_encoder_open(&row);
}

int32
mren_image_encoder_dimension(const MrenImageEncoder *encoder)
{
	return (int32) encoder->info.features;
}

MrenHash128
mren_image_encoder_hash(const bytea *image)
{
	return mren_hash128(VARDATA_ANY(image), VARSIZE_ANY_EXHDR(image));
}

/*
 * Half more than the encoder reads: a JPEG image that is scaled down to fewer pixels
 * and then resized differs from one resized at once by so much that features of
 * photographs were seen to turn by up to 11 degrees; with half more, by less than 6.
 */
static uint32
enough(uint32 side)
{
	return side + side / 2;
}

void
mren_image_encoder_decode(const MrenImageEncoder *encoder, const bytea *image, MrenBitmap *bitmap)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenImageLimits limits = {.max_width = mren_max_image_width,
							  .max_height = mren_max_image_height,
							  .max_bytes = (size_t) mren_max_image_memory * 1024,
							  .max_work = (uint64_t) mren_max_image_work * 1000000,
							  .enough_width = encoder != NULL ? enough(encoder->prep.width) : 0,
							  .enough_height = encoder != NULL ? enough(encoder->prep.height) : 0};
	MrenError err;

	MREN_PG_CALL(err, mren_image_decode(&env, (const uint8_t *) VARDATA_ANY(image),
										VARSIZE_ANY_EXHDR(image), &limits, bitmap, &err));
}

MrenGridShape
mren_image_encoder_grid_shape(MrenImageEncoder *encoder)
{
	open_grid(encoder);
	return encoder->grid;
}

void
mren_image_encoder_run(MrenImageEncoder *encoder, const MrenBitmap *bitmap, float4 *out,
					   uint16 *grid)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenError err;
	bool done = false;

	MREN_PG_CALL(err, mren_image_prepare(&env, bitmap, &encoder->prep, encoder->input, &err));
	mren_onnx_graph_restart(encoder->run, encoder->input);
	while (!done)
	{
		CHECK_FOR_INTERRUPTS();
		MREN_PG_CALL(err, mren_onnx_graph_step(encoder->run, &done, &err));
	}
	MREN_PG_CALL(err, mren_onnx_graph_output(encoder->run, out, &err));
	if (grid == NULL)
		return;
	open_grid(encoder);
	MREN_PG_CALL(err, mren_onnx_graph_grid(encoder->run, encoder->raw_grid, &err));
	mren_grid_project(encoder->projection, encoder->raw_grid, grid);
}

/*
 * What is kept of an image is its vector, and its grid after it if that was requested: two
 * entries, told apart by the key's id, since a model without grids needs none.
 */
void
mren_image_encoder_read(MrenImageEncoder *encoder, const bytea *image, float4 *out, uint16 *grid)
{
	MrenCacheKey key = mren_recent_key(encoder->base.key.content, image);
	Size size = mren_image_encoder_dimension(encoder) * sizeof(float4);
	MrenGridShape shape =
		grid != NULL ? mren_image_encoder_grid_shape(encoder) : (MrenGridShape){0};
	Size grid_size = grid != NULL ? mren_grid_size(&shape) * sizeof(uint16) : 0;
	const char *recent;
	char *kept;
	MemoryContext work;
	MemoryContext old;
	MrenBitmap bitmap;

	key.id = grid_size > 0;
	recent = mren_recent_find(&images, &key);
	if (recent != NULL)
	{
		memcpy(out, recent, size);
		if (grid_size > 0)
			memcpy(grid, recent + size, grid_size);
		return;
	}
	work = AllocSetContextCreate(CurrentMemoryContext, "mren image", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	mren_image_encoder_decode(encoder, image, &bitmap);
	mren_image_encoder_run(encoder, &bitmap, out, grid_size > 0 ? grid : NULL);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	kept = mren_recent_add(&images, &key, size + grid_size);
	if (kept == NULL)
		return;
	memcpy(kept, out, size);
	if (grid_size > 0)
		memcpy(kept + size, grid, grid_size);
}

void
mren_image_encoder_features(MrenImageEncoder *encoder, const bytea *image, float4 *out)
{
	mren_image_encoder_read(encoder, image, out, NULL);
}
