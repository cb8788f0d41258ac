/*
 * tagger_setup.c
 *	  The options of mren.train_tagger with what they name in the database.
 */
#include "pg/tagger/tagger_setup.h"

#include "pg/support/json_options.h"
#include "pg/support/pg_env.h"
#include "pg/train/train_option_value.h"

static void
unknown_key(const char *key)
{
	const char *present = mren_tag_options_renamed(key);
	char known[1024];

	if (present != NULL)
		mren_json_option_renamed(key, present);
	mren_tag_options_list(known, sizeof(known));
	mren_json_option_unknown(key, psprintf("embeddings, lexicons, deploy, %s", known));
}

typedef struct SetupReader
{
	MrenTaggerSetup *setup;
	bool no_embeddings; /* null was given */
} SetupReader;

static void
set_option(void *state, const char *key, const JsonbValue *value)
{
	SetupReader *reader = state;
	MrenTaggerSetup *setup = reader->setup;
	MrenOptionValue core;
	MrenError err;

	if (strcmp(key, "embeddings") == 0)
	{
		setup->embeddings = mren_json_option_name(key, value);
		reader->no_embeddings = setup->embeddings == NULL;
	}
	else if (strcmp(key, "lexicons") == 0)
		mren_lexicon_list_set(&setup->lexicons, value);
	else if (strcmp(key, "deploy") == 0)
		setup->deploy = mren_json_option_bool(key, value, setup->deploy);
	else if (!mren_tag_options_known(key))
		unknown_key(key);
	else if (strcmp(key, "seed") != 0 || !mren_json_option_int64(value, &setup->core.common.seed))
	{
		core = mren_train_option_value(value);
		MREN_PG_CALL(err, mren_tag_options_set(&setup->core, key, &core, &err));
	}
}

/* Embeddings that are not named are the only ones loaded; a tagger can do without. */
static void
resolve(const SetupReader *reader)
{
	MrenTaggerSetup *setup = reader->setup;
	char *name;
	int n;

	if (setup->embeddings == NULL && !reader->no_embeddings)
	{
		n = mren_catalog_count_embeddings(&name);
		if (n > 1)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("option \"embeddings\" is missing, and %d sets are loaded", n),
							errhint("Name one, or give null; mren.embeddings lists them.")));
		if (n == 1)
			setup->embeddings = name;
	}
	if (setup->embeddings != NULL)
		mren_catalog_need_embedding(setup->embeddings, &setup->embedding_row);
	mren_lexicon_list_resolve(&setup->lexicons);
	if (setup->core.text_encoder != NULL)
		mren_catalog_need_text_encoder(setup->core.text_encoder, &setup->text_encoder_row);
}

void
mren_tagger_setup_read(const Jsonb *object, MrenTaggerSetup *setup)
{
	SetupReader reader = {.setup = setup};

	memset(setup, 0, sizeof(*setup));
	mren_tag_options_init(&setup->core);
	mren_json_options_read(object, set_option, &reader);
	resolve(&reader);
}

char *
mren_tagger_setup_json(const MrenTaggerSetup *setup)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	StringInfoData json;
	MrenError err;
	char *core;

	MREN_PG_CALL(err, mren_tag_options_json(&env, &setup->core, &core, &err));
	initStringInfo(&json);
	appendBinaryStringInfo(&json, core, strlen(core) - 1);
	mren_json_option_append(&json, "embeddings", setup->embeddings);
	mren_lexicon_list_append(&json, &setup->lexicons);
	appendStringInfo(&json, ", \"deploy\": %s}", setup->deploy ? "true" : "false");
	mren_release(&env, core);
	return json.data;
}
