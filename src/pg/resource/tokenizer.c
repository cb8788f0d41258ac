/*
 * tokenizer.c
 *	  The backend's tokenizer and sentence splitter, which are costly to open.
 */
#include "pg/resource/tokenizer.h"

#include "utils/memutils.h"

#include "pg/support/pg_env.h"

static MemoryContext context;
static MrenTokenizer *tokenizer;
static MrenSentencer *sentencer;

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
	MrenEnv env;
	MrenError err;

	if (sentencer == NULL)
	{
		env = mren_pg_env(mren_pg_text_context());
		MREN_PG_CALL(err, mren_sentencer_open(&env, &sentencer, &err));
	}
	return sentencer;
}
