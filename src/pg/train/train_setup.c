/*
 * train_setup.c
 *	  The options of a training with what they name in the database.
 *
 * The core knows the options of a network and its training; those that name
 * things of the database are added here.
 */
#include "pg/train/train_setup.h"

#include "pg/resource/audio_encoders.h"
#include "pg/resource/image_encoders.h"
#include "pg/support/json_options.h"
#include "pg/support/pg_env.h"
#include "pg/train/train_option_value.h"

/* beside: as in mren_train_setup_read_beside. */
static void
unknown_key(const char *key, const char *beside)
{
	const char *present =
		strcmp(key, "gate_share") == 0 ? "holdout_share" : mren_options_renamed(key);
	char known[1024];

	if (present != NULL)
		mren_json_option_renamed(key, present);
	mren_options_list(known, sizeof(known));
	mren_json_option_unknown(key, psprintf("%sembeddings, image_encoder, audio_encoder, lexicons, "
										   "deploy, holdout_share, on_error, %s",
										   beside, known));
}

/* Options that are null rule out what would be taken because it is the only one loaded. */
typedef struct SetupReader
{
	MrenTrainSetup *setup;
	const char *beside; /* options that the hint of an unknown one names as well */
	bool no_embeddings;
	bool no_encoder;
} SetupReader;

static const char *const on_error[] = {"fail", "skip"};

static void
set_option(void *state, const char *key, const JsonbValue *value)
{
	SetupReader *reader = state;
	MrenTrainSetup *setup = reader->setup;
	MrenOptionValue core;
	MrenError err;

	if (strcmp(key, "embeddings") == 0)
	{
		setup->embeddings = mren_json_option_name(key, value);
		reader->no_embeddings = setup->embeddings == NULL;
	}
	else if (strcmp(key, "image_encoder") == 0)
	{
		setup->image_encoder = mren_json_option_name(key, value);
		reader->no_encoder = setup->image_encoder == NULL;
		setup->encoder_named = setup->image_encoder != NULL;
	}
	else if (strcmp(key, "audio_encoder") == 0)
	{
		setup->audio_encoder = mren_json_option_name(key, value);
		setup->audio_named = true;
	}
	else if (strcmp(key, "lexicons") == 0)
		mren_lexicon_list_set(&setup->lexicons, value);
	else if (strcmp(key, "deploy") == 0)
		setup->deploy = mren_json_option_bool(key, value, setup->deploy);
	else if (strcmp(key, "on_error") == 0)
		setup->skip_bad = mren_json_option_choice(key, value, on_error, lengthof(on_error)) == 1;
	else if (strcmp(key, "holdout_share") == 0)
		setup->holdout_share = mren_json_option_share(key, value, setup->holdout_share);
	else if (!mren_options_known(key))
		unknown_key(key, reader->beside);
	else if (strcmp(key, "seed") != 0 || !mren_json_option_int64(value, &setup->net.common.seed))
	{
		core = mren_train_option_value(value);
		MREN_PG_CALL(err, mren_options_set(&setup->net, key, &core, &err));
	}
}

/* Only the encoder's network shows the size of its grid, so the encoder is opened. */
static void
resolve_grid(MrenTrainSetup *setup)
{
	setup->grid = mren_image_encoder_grid_shape(mren_image_encoder_open(&setup->encoder_row));
	if (mren_grid_size(&setup->grid) == 0 && setup->net.fusion != MREN_FUSION_AUTO)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("image encoder \"%s\" has no grid, which this fusion needs",
						setup->image_encoder),
				 errhint("Use the fusion \"parallel\", or an output that is pooled from a map.")));
}

/* Its hash and its dimension. */
static void
resolve_audio(MrenTrainSetup *setup)
{
	if (!setup->audio_named)
		setup->audio_encoder = MREN_LOGMEL_NAME;
	if (setup->audio_encoder != NULL)
		mren_audio_encoder_find(setup->audio_encoder, setup->audio_identity,
								&setup->audio_dimension);
}

/*
 * Embeddings and an image encoder that are not named are the only ones loaded.
 * This is settled before the first row, so that it does not depend on the order
 * of rows.
 */
static void
resolve(const SetupReader *reader)
{
	MrenTrainSetup *setup = reader->setup;
	char *name;
	int n;

	if (setup->embeddings == NULL && !reader->no_embeddings)
	{
		n = mren_catalog_count_embeddings(&name);
		if (n > 1 || (n == 0 && setup->net.hash_bits == 0 && setup->net.pretrained == NULL))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 n == 0 ? errmsg("no word embeddings are loaded")
							: errmsg("option \"embeddings\" is missing, and %d sets are loaded", n),
					 n == 0 ? errhint("Load some with mren.load_embeddings.")
							: errhint("Name one; mren.embeddings lists them.")));
		setup->embeddings = n == 1 ? name : NULL;
	}
	if (setup->embeddings != NULL)
		mren_catalog_need_embedding(setup->embeddings, &setup->embedding_row);
	if (setup->image_encoder == NULL && !reader->no_encoder &&
		mren_catalog_count_image_encoders(&name) == 1)
		setup->image_encoder = name;
	resolve_audio(setup);
	mren_lexicon_list_resolve(&setup->lexicons);
	if (setup->net.pretrained != NULL)
		mren_catalog_need_text_encoder(setup->net.pretrained, &setup->text_encoder_row);
	if (setup->image_encoder == NULL)
		return;
	mren_catalog_need_image_encoder(setup->image_encoder, &setup->encoder_row);
	if (setup->net.fusion != MREN_FUSION_PARALLEL)
		resolve_grid(setup);
}

void
mren_train_setup_read(const Jsonb *object, MrenTrainSetup *setup)
{
	mren_train_setup_read_beside(object, "", setup);
}

void
mren_train_setup_read_beside(const Jsonb *object, const char *beside, MrenTrainSetup *setup)
{
	SetupReader reader = {.setup = setup, .beside = beside};

	memset(setup, 0, sizeof(*setup));
	mren_options_init(&setup->net);
	mren_json_options_read(object, set_option, &reader);
	resolve(&reader);
}

char *
mren_train_setup_json(const MrenTrainSetup *setup)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	StringInfoData json;
	MrenError err;
	char *core;
	int end;

	MREN_PG_CALL(err, mren_options_json(&env, &setup->net, &core, &err));
	initStringInfo(&json);
	end = strlen(core);
	while (end > 0 && core[end - 1] != '}')
		end--;
	appendBinaryStringInfo(&json, core, end - 1);
	mren_json_option_append(&json, "embeddings", setup->embeddings);
	mren_json_option_append(&json, "image_encoder", setup->image_encoder);
	/* Not where no row has a recording: a model of text is as it was. */
	if (setup->audio_named)
		mren_json_option_append(&json, "audio_encoder", setup->audio_encoder);
	mren_lexicon_list_append(&json, &setup->lexicons);
	appendStringInfo(&json, ", \"deploy\": %s, \"holdout_share\": %g%s}",
					 setup->deploy ? "true" : "false", setup->holdout_share,
					 setup->skip_bad ? ", \"on_error\": \"skip\"" : "");
	mren_release(&env, core);
	return json.data;
}
