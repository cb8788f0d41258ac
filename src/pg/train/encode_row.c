/*
 * encode_row.c
 *	  From labelled rows to the core's examples, and mren.encode_example, which
 *	  CALL mren.train runs over its query, in parallel workers where it can.
 */
#include "pg/train/encode_row.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "evaluation/holdout.h"
#include "pg/predict/encode_pair.h"
#include "pg/predict/pair_tokens.h"
#include "pg/resource/lexicons.h"
#include "pg/support/pg_env.h"

void
mren_encode_holdout(const MrenEncodeSite *site, const MrenPair *pair, MrenExample *example)
{
	double share = site->setup.holdout_share;

	if (share > 0 && mren_split_trains(example->split) &&
		mren_holdout_holds(mren_encode_holdout_key(pair, example), share))
		example->split = MREN_SPLIT_HOLDOUT;
}

static void
open_site(MrenCallSite *base)
{
	MrenEncodeSite *site = (MrenEncodeSite *) base;
	const MrenLexiconList *lexicons = &site->setup.lexicons;

	mren_train_setup_read(base->object, &site->setup);
	site->json = mren_train_setup_json(&site->setup);
	site->words = mren_words_open(&site->setup.embedding_row);
	mren_words_ids(site->words, &site->vocabulary);
	site->lexicons.n = lexicons->n;
	for (int i = 0; i < lexicons->n; i++)
		site->lexicons.items[i] = mren_lexicon_open(&lexicons->rows[i]);
	if (site->setup.net.pretrained != NULL)
		site->tokenizer = mren_text_encoder_open_tokenizer(&site->setup.text_encoder_row);
}

MrenEncodeSite *
mren_encode_site(FunctionCallInfo fcinfo, int options_arg)
{
	return (MrenEncodeSite *) mren_call_site(fcinfo, options_arg, sizeof(MrenEncodeSite),
											 open_site);
}

static void
fail_no_encoder(void)
{
	char *name;
	int n = mren_catalog_count_image_encoders(&name);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("row has an image, but no image encoder is given"),
			 n > 1	  ? errdetail("%d image encoders are loaded, and the options name none.", n)
			 : n == 1 ? errdetail("The options have \"image_encoder\": null.")
					  : errdetail("No image encoder is loaded."),
			 n > 0 ? errhint("Name one with the option image_encoder; mren.image_encoders lists "
							 "them.")
				   : errhint("Load one with mren.load_image_encoder, or leave out the images.")));
}

/* The vector of the row's image (encoder_row.dimension); NULL without one.  *grid may be NULL. */
static const float4 *
row_image(MrenEncodeSite *site, const MrenPair *pair, uint16 **grid)
{
	int dimension = site->setup.encoder_row.dimension;
	MemoryContext old;
	float4 *vector;

	*grid = NULL;
	if (pair->image == NULL && pair->image_vector == NULL)
		return NULL;
	if (site->setup.image_encoder == NULL)
		fail_no_encoder();
	if (pair->image_vector != NULL)
	{
		if (pair->n_image_vector != dimension)
			ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
							errmsg_plural(
								"image vector has %d element, but image encoder \"%s\" gives %d",
								"image vector has %d elements, but image encoder \"%s\" gives %d",
								pair->n_image_vector, pair->n_image_vector,
								site->setup.image_encoder, dimension),
							errhint("Make it with mren.image_features and this image encoder.")));
		return pair->image_vector;
	}
	if (site->encoder == NULL)
	{
		old = MemoryContextSwitchTo(site->base.site);
		site->encoder = mren_image_encoder_open(&site->setup.encoder_row);
		MemoryContextSwitchTo(old);
	}
	vector = palloc(dimension * sizeof(float4));
	if (mren_grid_size(&site->setup.grid) > 0)
		*grid = palloc(mren_grid_size(&site->setup.grid) * sizeof(uint16));
	mren_image_encoder_read(site->encoder, pair->image, vector, *grid);
	return vector;
}

/* The vector of the row's recording (audio_dimension); NULL without one. */
static const float4 *
row_audio(MrenEncodeSite *site, const MrenPair *pair)
{
	const MrenTrainSetup *setup = &site->setup;
	MemoryContext old;
	float4 *vector;

	if (pair->audio == NULL && pair->audio_vector == NULL)
		return NULL;
	if (setup->audio_encoder == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("row has a recording, but no audio encoder is given"),
						errdetail("The options have \"audio_encoder\": null.")));
	if (pair->audio_vector != NULL)
	{
		if (pair->n_audio_vector != setup->audio_dimension)
			ereport(
				ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg_plural("audio vector has %d element, but audio encoder \"%s\" gives %d",
							   "audio vector has %d elements, but audio encoder \"%s\" gives %d",
							   pair->n_audio_vector, pair->n_audio_vector, setup->audio_encoder,
							   setup->audio_dimension),
				 errhint("Make it with mren.audio_features, and name the same encoder with the "
						 "option audio_encoder.")));
		return pair->audio_vector;
	}
	if (site->audio_encoder == NULL)
	{
		old = MemoryContextSwitchTo(site->base.site);
		site->audio_encoder = mren_audio_encoder_open(setup->audio_encoder);
		MemoryContextSwitchTo(old);
	}
	vector = palloc(setup->audio_dimension * sizeof(float4));
	mren_audio_encoder_features(site->audio_encoder, pair->audio, vector);
	return vector;
}

MrenRowImage
mren_encode_row(MrenEncodeSite *site, const MrenPair *pair, const MrenTrainLabel *label,
				MrenExample *example)
{
	MrenTargets targets;
	MrenTextSpan relation = mren_train_label_name(label, &targets);
	uint16 *grid;
	const float4 *image = row_image(site, pair, &grid);
	const float4 *audio = row_audio(site, pair);
	const MrenEncoded *row;
	MrenPairBoxes boxes;

	mren_words_begin(site->words);
	row = mren_encode_pair(&site->vocabulary, pair);
	mren_encode_example(example, &row->sentence, pair, relation,
						&(MrenPairVectors){image, site->setup.encoder_row.dimension, audio,
										   site->setup.audio_dimension});
	if (site->setup.net.hash_bits > 0)
	{
		const MrenFeatures *features;

		mren_pair_boxes(pair, &boxes);
		features = mren_pair_features(pair, row, &site->lexicons, (MrenToken){0}, &boxes);

		example->features = features->codes;
		example->n_features = (uint32) features->n;
		example->n_box_features = (uint32) features->n_boxes;
	}
	if (site->tokenizer != NULL)
		example->tokens = mren_pair_tokens(site->tokenizer, pair, row,
										   site->setup.net.markers == MREN_MARKERS_SOLID)
							  ->tokens;
	example->has_grid = grid != NULL;
	example->targets = targets;
	example->weak = mren_train_label_weak(label);
	return (MrenRowImage){image, grid, audio};
}

/*
 * mren.encode_example(options, sentence, head, tail, relation, image,
 * image_vector, head_type, tail_type, head_box, tail_box, weight, split, audio,
 * audio_vector, probabilities, gold) → bytea: a record of the core, followed by
 * the image's vector and grid and the recording's vector; or the error of a row
 * that cannot be used (mren_row_error_read).
 */
enum
{
	ARG_OPTIONS,
	ARG_SENTENCE,
	ARG_HEAD,
	ARG_TAIL,
	ARG_RELATION,
	ARG_IMAGE,
	ARG_IMAGE_VECTOR,
	ARG_HEAD_TYPE,
	ARG_TAIL_TYPE,
	ARG_HEAD_BOX,
	ARG_TAIL_BOX,
	ARG_WEIGHT,
	ARG_SPLIT,
	ARG_AUDIO,
	ARG_AUDIO_VECTOR,
	ARG_PROBABILITIES, /* JSON's null: a query with such a column has none here */
	ARG_GOLD
};

/* The function of an earlier version of the extension lacks the last arguments. */
static bool
has_arg(FunctionCallInfo fcinfo, int arg)
{
	return PG_NARGS() > arg && !PG_ARGISNULL(arg);
}

static void
optional_args(FunctionCallInfo fcinfo, MrenPair *pair)
{
	if (!PG_ARGISNULL(ARG_IMAGE))
		pair->image = PG_GETARG_BYTEA_PP(ARG_IMAGE);
	if (!PG_ARGISNULL(ARG_IMAGE_VECTOR))
		mren_pair_image_vector(pair, PG_GETARG_DATUM(ARG_IMAGE_VECTOR));
	if (!PG_ARGISNULL(ARG_HEAD_TYPE))
		pair->head_type = mren_datum_utf8(PG_GETARG_DATUM(ARG_HEAD_TYPE));
	if (!PG_ARGISNULL(ARG_TAIL_TYPE))
		pair->tail_type = mren_datum_utf8(PG_GETARG_DATUM(ARG_TAIL_TYPE));
	if (!PG_ARGISNULL(ARG_HEAD_BOX))
		mren_pair_head_box(pair, PG_GETARG_DATUM(ARG_HEAD_BOX));
	if (!PG_ARGISNULL(ARG_TAIL_BOX))
		mren_pair_tail_box(pair, PG_GETARG_DATUM(ARG_TAIL_BOX));
	if (has_arg(fcinfo, ARG_AUDIO))
		pair->audio = PG_GETARG_BYTEA_PP(ARG_AUDIO);
	if (has_arg(fcinfo, ARG_AUDIO_VECTOR))
		mren_pair_audio_vector(pair, PG_GETARG_DATUM(ARG_AUDIO_VECTOR));
	mren_pair_check(pair);
}

static void
label_args(FunctionCallInfo fcinfo, MrenTrainLabel *label)
{
	*label = (MrenTrainLabel){.has_gold = has_arg(fcinfo, ARG_GOLD)};
	if (!PG_ARGISNULL(ARG_RELATION))
		label->relation = mren_datum_utf8(PG_GETARG_DATUM(ARG_RELATION));
	if (has_arg(fcinfo, ARG_PROBABILITIES))
		label->probabilities = PG_GETARG_JSONB_P(ARG_PROBABILITIES);
	if (label->has_gold)
		label->gold = PG_GETARG_BOOL(ARG_GOLD);
}

static bytea *
encode(FunctionCallInfo fcinfo, MrenEncodeSite *site, bool ranges)
{
	MrenTrainLabel label;
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenBuffer buffer = {0};
	MrenPair pair = {0};
	MrenExample example;
	MrenError err;
	MrenRowImage image;

	mren_pair_sentence(&pair, PG_GETARG_DATUM(ARG_SENTENCE));
	mren_pair_mentions(&pair, PG_GETARG_DATUM(ARG_HEAD), PG_GETARG_DATUM(ARG_TAIL), ranges);
	optional_args(fcinfo, &pair);
	label_args(fcinfo, &label);
	image = mren_encode_row(site, &pair, &label, &example);
	if (!PG_ARGISNULL(ARG_WEIGHT))
		example.weight = PG_GETARG_FLOAT4(ARG_WEIGHT);
	if (!PG_ARGISNULL(ARG_SPLIT))
	{
		text *split = PG_GETARG_TEXT_PP(ARG_SPLIT);

		MREN_PG_CALL(err, mren_split_parse(VARDATA_ANY(split), VARSIZE_ANY_EXHDR(split),
										   &example.split, &err));
	}
	mren_encode_holdout(site, &pair, &example);
	MREN_PG_CALL(err, mren_example_append(&env, &buffer, &example, &err));
	if (image.vector != NULL)
		MREN_PG_CALL(err,
					 mren_buffer_append(&env, &buffer, image.vector,
										site->setup.encoder_row.dimension * sizeof(float4), &err));
	if (image.grid != NULL)
		MREN_PG_CALL(err,
					 mren_buffer_append(&env, &buffer, image.grid,
										mren_grid_size(&site->setup.grid) * sizeof(uint16), &err));
	if (image.audio != NULL)
		MREN_PG_CALL(err, mren_buffer_append(&env, &buffer, image.audio,
											 site->setup.audio_dimension * sizeof(float4), &err));
	return (bytea *) cstring_to_text_with_len((char *) buffer.data, buffer.len);
}

static bytea *
encode_or_bad(FunctionCallInfo fcinfo, MrenEncodeSite *site, bool ranges)
{
	bytea *volatile record = NULL;

	PG_TRY();
	{
		record = encode(fcinfo, site, ranges);
	}
	PG_CATCH();
	{
		MrenRowError error;

		MemoryContextSwitchTo(site->base.row);
		error = mren_row_error_catch();
		record = mren_row_error_bytes(&error);
	}
	PG_END_TRY();
	return record;
}

/* NULL for a row without sentence, mention or label; training skips it. */
static Datum
encode_example(FunctionCallInfo fcinfo, bool ranges)
{
	MrenEncodeSite *site = mren_encode_site(fcinfo, ARG_OPTIONS);
	MemoryContext caller = CurrentMemoryContext;
	bytea *record;
	bytea *result;

	if (PG_ARGISNULL(ARG_SENTENCE) || PG_ARGISNULL(ARG_HEAD) || PG_ARGISNULL(ARG_TAIL) ||
		(PG_ARGISNULL(ARG_RELATION) && !has_arg(fcinfo, ARG_PROBABILITIES)))
		PG_RETURN_NULL();
	MemoryContextReset(site->base.row);
	MemoryContextSwitchTo(site->base.row);
	record = encode_or_bad(fcinfo, site, ranges);
	MemoryContextSwitchTo(caller);
	result = (bytea *) palloc(VARSIZE(record));
	memcpy(result, record, VARSIZE(record));
	PG_RETURN_BYTEA_P(result);
}

PG_FUNCTION_INFO_V1(mren_encode_example_sql);
Datum
mren_encode_example_sql(PG_FUNCTION_ARGS)
{
	return encode_example(fcinfo, false);
}

PG_FUNCTION_INFO_V1(mren_encode_example_range);
Datum
mren_encode_example_range(PG_FUNCTION_ARGS)
{
	return encode_example(fcinfo, true);
}
