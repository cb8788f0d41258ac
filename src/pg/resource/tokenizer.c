/*
 * tokenizer.c
 *	  The backend's tokenizer and sentence splitter, which are costly to open.
 */
#include "pg/resource/tokenizer.h"

#include "utils/memutils.h"

#include "pg/support/pg_env.h"
#include "pg/support/settings.h"

static MemoryContext context;
static MrenTokenizer *tokenizer;
static MrenSentencer *sentencer;
static char sentencer_language[MREN_LANGUAGE_SIZE];

MemoryContext
mren_pg_text_context(void)
{
	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "mren text", ALLOCSET_DEFAULT_SIZES);
	return context;
}

MrenTokenizer *
mren_pg_tokenizer(void)
{
	MrenEnv env;
	MrenError err;

	if (tokenizer == NULL)
	{
		env = mren_pg_env(mren_pg_text_context());
		MREN_PG_CALL(err, mren_tokenizer_open(&env, &tokenizer, &err));
	}
	return tokenizer;
}

MrenSentencer *
mren_pg_sentencer(void)
{
	MrenSentencer *fresh;
	MrenEnv env;
	MrenError err;

	if (sentencer == NULL || strcmp(sentencer_language, mren_language) != 0)
	{
		env = mren_pg_env(mren_pg_text_context());
		MREN_PG_CALL(err, mren_sentencer_open(&env, mren_language, &fresh, &err));
		mren_sentencer_close(sentencer);
		sentencer = fresh;
		strlcpy(sentencer_language, mren_language, sizeof(sentencer_language));
	}
	return sentencer;
}
