/*
 * predictor.c
 *	  Opening a model, and running its network on rows.
 *
 * Networks are cached by version and content.  A predictor itself is cheap:
 * mren.predict opens one for every row, mren.predict_rows one for the query.
 */
#include "pg/predict/predictor.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/model/deployed.h"
#include "pg/model/models.h"
#include "pg/predict/pair_tokens.h"
#include "pg/resource/lexicons.h"
#include "pg/support/lru_cache.h"
#include "pg/support/pg_env.h"
#include "pg/support/settings.h"
#include "pg/support/shared_files.h"

typedef struct ModelEntry
{
	MrenCacheEntry base;
	MrenNet *net;
	MrenNetInfo info;
	MrenNetCache *words; /* what it made of words */
} ModelEntry;

static MrenCache cache = MREN_CACHE_INIT(cache, &mren_model_cache, NULL);

/* Gives the network the text encoder that it reads with, if it has one. */
static MrenStatus
attach_encoder(MrenNet *net, const char *model, MrenError *err)
{
	MrenEncoderSource source;
	MrenTextEncoderRow row;
	MrenNetInfo info;

	mren_net_info(net, &info);
	if (info.text_encoder_sha256 == NULL)
		return MREN_OK;
	mren_text_encoder_need(info.text_encoder_sha256, model, &row);
	mren_text_encoder_source(&row, &source);
	return mren_net_attach_encoder(net, &source, err);
}

void
mren_predictor_attach(MrenNet *net, const char *model, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	MrenError err;

	MREN_PG_CALL(err, attach_encoder(net, model, &err));
	MemoryContextSwitchTo(old);
}

/* What opens the network of a version, for mren_shared_open. */
static MrenStatus
open_net(void *state, const MrenEnv *env, void **opened, MrenError *err)
{
	const MrenDeployed *deployed = state;
	MrenNet *net;

	MREN_TRY(mren_models_load(deployed->version.id, env, &net, err));
	MREN_TRY(attach_encoder(net, deployed->name, err));
	*opened = net;
	return MREN_OK;
}

static void *
load_model(const void *what)
{
	const MrenDeployed *deployed = what;
	ModelEntry *entry = mren_cache_entry("model", sizeof(ModelEntry));
	MrenEnv env = mren_pg_env(entry->base.context);
	MrenError err;

	mren_deployed_check(deployed);
	entry->net = mren_shared_open(MREN_SHARED_MODEL, deployed->version.sha256, entry->base.context,
								  open_net, (void *) deployed);
	mren_net_info(entry->net, &entry->info);
	MREN_PG_CALL(err, mren_net_cache_create(&env, mren_cache_share(&cache, MREN_NET_CACHE_BYTES),
											&entry->words, &err));
	return entry;
}

void
mren_predictor_open(MrenPredictor *predictor, const char *model, int len, int32 version)
{
	const MrenDeployed *deployed = mren_deployed_find(model, len, version, MREN_MODEL_RELATION);
	ModelEntry *entry = mren_cache_open(&cache, deployed->version.id, deployed->version.sha256,
										load_model, deployed);

	memset(predictor, 0, sizeof(*predictor));
	predictor->net = entry->net;
	predictor->info = entry->info;
	predictor->cache = entry->words;
	predictor->model = pstrdup(deployed->name);
	predictor->version = deployed->version.version;
	memcpy(predictor->encoder_hash, deployed->version.encoder, MREN_SHA256_LENGTH);
	predictor->words = mren_words_open(&deployed->embedding);
	mren_words_slots(predictor->words, &predictor->vocabulary, &predictor->vectors);
	predictor->lexicons.n = (int) predictor->info.n_lexicons;
	for (int i = 0; i < predictor->lexicons.n; i++)
		predictor->lexicons.items[i] =
			mren_lexicon_open_by_hash(predictor->info.lexicons_sha256 + 32 * i, predictor->model);
	if (predictor->info.text_encoder_sha256 != NULL)
		predictor->tokenizer = mren_text_encoder_open_tokenizer_by_hash(
			predictor->info.text_encoder_sha256, predictor->model);
}

void
mren_predictor_open_args(MrenPredictor *predictor, FunctionCallInfo fcinfo, int model_arg,
						 int version_arg)
{
	MrenTextSpan model = mren_arg_span(fcinfo, model_arg, "model");

	mren_predictor_open(predictor, model.data, (int) model.len,
						mren_arg_version(fcinfo, version_arg));
}

MrenImageEncoder *
mren_predictor_image_encoder(MrenPredictor *predictor)
{
	if (predictor->info.image_dim == 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("model \"%s\" was trained without images", predictor->model),
			 errhint(
				 "Call it with image => NULL, or train a model with the option image_encoder.")));
	if (predictor->encoder == NULL)
		predictor->encoder =
			mren_image_encoder_open_by_hash(predictor->encoder_hash, predictor->model);
	return predictor->encoder;
}

MrenAudioEncoder *
mren_predictor_audio_encoder(MrenPredictor *predictor)
{
	if (predictor->info.audio_dim == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" was trained without recordings", predictor->model),
				 errhint("Call it with audio => NULL, or train a model on rows that have a column "
						 "\"audio\".")));
	if (predictor->audio_encoder == NULL)
		predictor->audio_encoder =
			mren_audio_encoder_open_by_hash(predictor->info.audio_sha256, predictor->model);
	return predictor->audio_encoder;
}

/* An encoder of the same identity should return grids of the shape that training had. */
static void
check_grid(const MrenPredictor *predictor)
{
	MrenGridShape shape = mren_image_encoder_grid_shape(predictor->encoder);

	if (!mren_grid_equal(&shape, &predictor->info.grid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("image encoder returns a grid of %zu by %zu cells with %zu channels, but "
						"model \"%s\" expects %zu by %zu cells with %zu channels",
						shape.height, shape.width, shape.channels, predictor->model,
						predictor->info.grid.height, predictor->info.grid.width,
						predictor->info.grid.channels)));
}

/* Buffers of the rows' images and recordings. */
static void
reserve(MrenPredictor *predictor)
{
	size_t grid = mren_grid_size(&predictor->info.grid);

	if (predictor->image == NULL)
		predictor->image = palloc(Max(predictor->info.image_dim, 1) * sizeof(float4));
	if (predictor->audio == NULL)
		predictor->audio = palloc(Max(predictor->info.audio_dim, 1) * sizeof(float4));
	if (predictor->grid == NULL && grid > 0)
		predictor->grid = palloc(grid * sizeof(uint16));
}

static void
check_boxes(const MrenPredictor *predictor, const MrenPair *pair)
{
	if (predictor->info.boxes || (!pair->has_head_box && !pair->has_tail_box))
		return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("model \"%s\" was trained without boxes", predictor->model),
					errhint("Call it with %s => NULL, or train a model on rows that have boxes.",
							pair->has_head_box ? "head_box" : "tail_box")));
}

/* The image's vector, computed or as given by image_vector, and its grid. */
static const float4 *
image_of(MrenPredictor *predictor, const MrenPair *pair, const uint16 **grid)
{
	*grid = NULL;
	if (pair->image == NULL && pair->image_vector == NULL)
		return NULL;
	if (predictor->info.image_dim == 0)
		mren_predictor_image_encoder(predictor);
	if (pair->image_vector != NULL)
	{
		if ((size_t) pair->n_image_vector != predictor->info.image_dim)
			ereport(
				ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg_plural("image vector has %d element, but model \"%s\" expects %zu",
							   "image vector has %d elements, but model \"%s\" expects %zu",
							   pair->n_image_vector, pair->n_image_vector, predictor->model,
							   predictor->info.image_dim),
				 errhint("Make it with mren.image_features and the image encoder of this model.")));
		return pair->image_vector;
	}
	reserve(predictor);
	mren_predictor_image_encoder(predictor);
	if (predictor->grid != NULL)
		check_grid(predictor);
	mren_image_encoder_read(predictor->encoder, pair->image, predictor->image, predictor->grid);
	*grid = predictor->grid;
	return predictor->image;
}

/* The recording's vector, computed or as given by audio_vector. */
static const float4 *
audio_of(MrenPredictor *predictor, const MrenPair *pair)
{
	if (pair->audio == NULL && pair->audio_vector == NULL)
		return NULL;
	if (predictor->info.audio_dim == 0)
		mren_predictor_audio_encoder(predictor);
	if (pair->audio_vector != NULL)
	{
		if ((size_t) pair->n_audio_vector != predictor->info.audio_dim)
			ereport(
				ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg_plural("audio vector has %d element, but model \"%s\" expects %zu",
							   "audio vector has %d elements, but model \"%s\" expects %zu",
							   pair->n_audio_vector, pair->n_audio_vector, predictor->model,
							   predictor->info.audio_dim),
				 errhint("Make it with mren.audio_features and the audio encoder of this model.")));
		return pair->audio_vector;
	}
	reserve(predictor);
	mren_audio_encoder_features(mren_predictor_audio_encoder(predictor), pair->audio,
								predictor->audio);
	return predictor->audio;
}

static int32
type_of(const MrenPredictor *predictor, MrenTextSpan type)
{
	return type.data == NULL ? -1 : mren_net_type(predictor->net, type.data, type.len);
}

const MrenEncoded *
mren_predictor_row(MrenPredictor *predictor, const MrenPair *pair, MrenInput *input)
{
	const MrenEncoded *row;
	const uint16 *grid;
	const float4 *image = image_of(predictor, pair, &grid);

	check_boxes(predictor, pair);
	mren_pair_boxes(pair, &predictor->boxes);
	mren_words_begin(predictor->words);
	*input = (MrenInput){
		.image = image,
		.grid = grid,
		.audio = audio_of(predictor, pair),
		.head_box = predictor->boxes.head,
		.tail_box = predictor->boxes.tail,
		.head_type = type_of(predictor, pair->head_type),
		.tail_type = type_of(predictor, pair->tail_type),
	};
	row = mren_encode_pair(&predictor->vocabulary, pair);
	input->sentence = &row->sentence;
	if (predictor->tokenizer != NULL)
	{
		const MrenPairTokens *tokens =
			mren_pair_tokens(predictor->tokenizer, pair, row, predictor->info.solid_markers);

		input->tokens = &tokens->tokens;
		input->token_words = tokens->words;
		input->mask_token = predictor->tokenizer->mask;
	}
	if (predictor->info.hash_bits > 0)
	{
		const MrenFeatures *features =
			mren_pair_features(pair, row, &predictor->lexicons, (MrenToken){0},
							   predictor->info.box_features ? &predictor->boxes : NULL);

		input->features = features->codes;
		input->n_features = features->n;
	}
	return row;
}

void
mren_predictor_begin_rows(MrenPredictor *predictor, bool images, bool recordings)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenError err;

	if (predictor->info.image_dim > 0 || predictor->info.audio_dim > 0)
		reserve(predictor);
	if (images && predictor->info.image_dim > 0)
		mren_predictor_image_encoder(predictor);
	if (recordings && predictor->info.audio_dim > 0)
		mren_predictor_audio_encoder(predictor);
	if (predictor->info.text_encoder_sha256 != NULL)
		MREN_PG_CALL(err, mren_marker_queue_create(&env, &predictor->queue, &err));
}

void
mren_predictor_features(MrenPredictor *predictor, const MrenInput *input, float4 *features)
{
	float4 *scratch = palloc(mren_net_scratch(predictor->net, 1) * sizeof(float4));
	MrenInput row = *input;
	MrenError err;

	row.cache = predictor->cache;
	row.queue = predictor->queue;
	MREN_PG_CALL(err, mren_net_features(predictor->net, &predictor->vectors, &row, 1, features,
										scratch, &err));
	pfree(scratch);
}

void
mren_predictor_probabilities(MrenPredictor *predictor, const float4 *features, int n,
							 float4 *probabilities)
{
	float4 *scratch = palloc(mren_net_scratch(predictor->net, n) * sizeof(float4));
	MrenError err;

	if (predictor->queue != NULL)
		MREN_PG_CALL(err, mren_net_features_end(predictor->net, predictor->queue, &err));
	MREN_PG_CALL(err,
				 mren_net_probabilities(predictor->net, features, n, probabilities, scratch, &err));
	pfree(scratch);
}

text *
mren_predictor_relation(const MrenPredictor *predictor, int i)
{
	return mren_server_text(mren_net_relation(predictor->net, i));
}
