/*
 * tag_encode.c
 *	  mren.encode_tags and mren.encode_mentions: encode a labelled sentence as
 *	  the record that the training of a tagger reads.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "pg/resource/lexicons.h"
#include "pg/support/call_site.h"
#include "pg/tagger/tag_gold.h"
#include "pg/tagger/tag_reader.h"
#include "pg/tagger/tagger_setup.h"
#include "tagger/tag_example.h"

PG_FUNCTION_INFO_V1(mren_encode_tags);
PG_FUNCTION_INFO_V1(mren_encode_mentions);

typedef struct Site
{
	MrenCallSite base;
	MrenTaggerSetup setup;
	MrenTagReader reader;
} Site;

static void
open_site(MrenCallSite *base)
{
	Site *site = (Site *) base;
	const MrenLexiconList *lexicons = &site->setup.lexicons;

	mren_tagger_setup_read(base->object, &site->setup);
	mren_tag_reader_init(&site->reader, base->site);
	if (site->setup.embeddings != NULL)
	{
		site->reader.words = mren_words_open(&site->setup.embedding_row);
		mren_words_ids(site->reader.words, &site->reader.vocabulary);
	}
	site->reader.n_lexicons = lexicons->n;
	for (int i = 0; i < lexicons->n; i++)
		site->reader.lexicons[i] = mren_lexicon_open(&lexicons->rows[i]);
	if (site->setup.core.text_encoder != NULL)
		site->reader.tokenizer = mren_text_encoder_open_tokenizer(&site->setup.text_encoder_row);
}

/* The words of each mention; words do not cross borders of mentions. */
static void
find_words(const MrenTagWords *words, const MrenGold *gold, MrenTagMention *mentions)
{
	uint32_t w = 0;

	for (int i = 0; i < gold->n; i++)
	{
		const MrenGoldMention *mention = &gold->mentions[i];

		while (w < words->n_words && words->spans[w].end <= mention->start)
			w++;
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		mentions[i] = (MrenTagMention){w, w, mention->type};
		while (w < words->n_words && words->spans[w].start < mention->end)
			mentions[i].end = ++w;
		if (mentions[i].end == mentions[i].first)
			ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
							errmsg("mention \"%.*s\" contains no word",
								   (int) (mention->end - mention->start),
								   gold->sentence.data + mention->start),
							mention->token > 0 ? errdetail("It begins at element %d of \"tokens\".",
														   mention->token)
											   : 0));
	}
}

/* NULL for a sentence without words. */
static bytea *
encode(Site *site, const MrenGold *gold, MrenTagExample *example)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	uint32_t *borders = palloc((2 * gold->n + 1) * sizeof(uint32_t));
	MrenTagMention *mentions = palloc((gold->n + 1) * sizeof(MrenTagMention));
	MrenBuffer buffer = {0};
	MrenError err;

	for (int i = 0; i < gold->n; i++)
	{
		borders[2 * i] = gold->mentions[i].start;
		borders[2 * i + 1] = gold->mentions[i].end;
	}
	mren_tag_reader_read(&site->reader, gold->sentence.data, gold->sentence.len, borders,
						 2 * gold->n, &example->input);
	find_words(&site->reader.found, gold, mentions);
	if (example->input.n_words == 0)
		return NULL;
	example->n_mentions = gold->n;
	MREN_PG_CALL(err, mren_tag_example_append(&env, &buffer, example, mentions, &err));
	return (bytea *) cstring_to_text_with_len((char *) buffer.data, buffer.len);
}

/* Reads weight, split and group, which are the arguments from `first` on. */
static void
read_extras(FunctionCallInfo fcinfo, int first, const MrenGold *gold, MrenTagExample *example)
{
	MrenError err;

	example->weight = PG_ARGISNULL(first) ? 1 : PG_GETARG_FLOAT4(first);
	if (!PG_ARGISNULL(first + 1))
	{
		text *split = PG_GETARG_TEXT_PP(first + 1);

		MREN_PG_CALL(err, mren_split_parse(VARDATA_ANY(split), VARSIZE_ANY_EXHDR(split),
										   &example->split, &err));
	}
	example->group = mren_gold_group(gold, !PG_ARGISNULL(first + 2), PG_GETARG_DATUM(first + 2));
}

/* NULL for a row without sentence or labels, or without words; training skips it. */
static Datum
encode_row(FunctionCallInfo fcinfo, int n_labels)
{
	Site *site = (Site *) mren_call_site(fcinfo, 0, sizeof(Site), open_site);
	MemoryContext caller = CurrentMemoryContext;
	MrenTagExample example = {0};
	MrenGold gold;
	bytea *record;
	bytea *result;

	for (int arg = 1; arg <= n_labels; arg++)
	{
		if (PG_ARGISNULL(arg))
			PG_RETURN_NULL();
	}
	MemoryContextReset(site->base.row);
	MemoryContextSwitchTo(site->base.row);
	if (n_labels == 2)
		mren_gold_tags(PG_GETARG_DATUM(1), PG_GETARG_DATUM(2), &gold);
	else
		mren_gold_mentions(PG_GETARG_DATUM(1), PG_GETARG_DATUM(2), PG_GETARG_DATUM(3), &gold);
	read_extras(fcinfo, 1 + n_labels, &gold, &example);
	record = encode(site, &gold, &example);
	MemoryContextSwitchTo(caller);
	if (record == NULL)
		PG_RETURN_NULL();
	result = (bytea *) palloc(VARSIZE(record));
	memcpy(result, record, VARSIZE(record));
	PG_RETURN_BYTEA_P(result);
}

/* mren.encode_tags(options, tokens, tags, weight, split, group) → bytea */
Datum
mren_encode_tags(PG_FUNCTION_ARGS)
{
	return encode_row(fcinfo, 2);
}

/* mren.encode_mentions(options, sentence, mentions, types, weight, split, group) → bytea */
Datum
mren_encode_mentions(PG_FUNCTION_ARGS)
{
	return encode_row(fcinfo, 3);
}
