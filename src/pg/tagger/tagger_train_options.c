/*
 * tagger_train_options.c
 *	  The options object of mren.train_tagger.
 */
#include "pg/tagger/tagger_train_options.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "pg/support/pg_env.h"
#include "pg/train/train_options.h"

static void
unknown_key(const char *key)
{
	char known[1024];

	mren_tag_options_list(known, sizeof(known));
	mren_option_unknown(key, psprintf("embeddings, lexicons, deploy, %s", known));
}

static void
set_option(MrenTaggerOptions *options, const char *key, const JsonbValue *value,
		   bool *no_embeddings)
{
	MrenOptionValue core;
	MrenError err;

	if (strcmp(key, "embeddings") == 0)
	{
		options->embeddings = mren_option_name(key, value);
		*no_embeddings = options->embeddings == NULL;
	}
	else if (strcmp(key, "lexicons") == 0)
		mren_lexicon_list_set(&options->lexicons, value);
	else if (strcmp(key, "deploy") == 0)
		options->deploy = mren_option_bool(key, value);
	else if (!mren_tag_options_known(key))
		unknown_key(key);
	else if (strcmp(key, "seed") != 0 || !mren_option_seed(value, &options->core.common.seed))
	{
		core = mren_option_value(value);
		MREN_PG_CALL(err, mren_tag_options_set(&options->core, key, &core, &err));
	}
}

/* Without a word, the only set of embeddings is meant, or none where none is loaded. */
static void
resolve(MrenTaggerOptions *options, bool no_embeddings)
{
	char *name;
	int n;

	if (options->embeddings == NULL && !no_embeddings)
	{
		n = mren_catalog_count_embeddings(&name);
		if (n > 1)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("option \"embeddings\" is missing, and %d sets are loaded", n),
							errhint("Name one, or give null; mren.embeddings lists them.")));
		if (n == 1)
			options->embeddings = name;
	}
	if (options->embeddings != NULL)
		mren_catalog_need_embedding(options->embeddings, &options->embedding_row);
	mren_lexicon_list_resolve(&options->lexicons);
}

void
mren_tagger_options(const Jsonb *object, MrenTaggerOptions *options)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue item;
	char *key = NULL;
	bool no_embeddings = false;

	memset(options, 0, sizeof(*options));
	mren_tag_options_init(&options->core);
	if (object != NULL && !JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("options are not a JSON object"),
				 errhint("Give an object, such as {\"epochs\": 50}.")));
	if (object != NULL)
	{
		iterator = JsonbIteratorInit((JsonbContainer *) &object->root);
		while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
		{
			if (token == WJB_KEY)
				key = pnstrdup(item.val.string.val, item.val.string.len);
			else if (token == WJB_VALUE)
				set_option(options, key, &item, &no_embeddings);
		}
	}
	resolve(options, no_embeddings);
}

char *
mren_tagger_options_json(const MrenTaggerOptions *options)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	StringInfoData json;
	MrenError err;
	char *core;

	MREN_PG_CALL(err, mren_tag_options_json(&env, &options->core, &core, &err));
	initStringInfo(&json);
	appendBinaryStringInfo(&json, core, strlen(core) - 1);
	mren_option_append(&json, "embeddings", options->embeddings);
	mren_lexicon_list_append(&json, &options->lexicons);
	appendStringInfo(&json, ", \"deploy\": %s}", options->deploy ? "true" : "false");
	mren_release(&env, core);
	return json.data;
}
