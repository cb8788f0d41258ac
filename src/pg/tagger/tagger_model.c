/*
 * tagger_model.c
 *	  Trained taggers, cached in the backend, and mren.tag.
 */
#include "pg/tagger/tagger_model.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#include "pg/model/deployed.h"
#include "pg/model/models.h"
#include "pg/resource/lexicons.h"
#include "pg/resource/text_tokenizers.h"
#include "pg/support/args.h"
#include "pg/support/lru_cache.h"
#include "pg/support/settings.h"
#include "pg/support/shared_files.h"
#include "pg/tagger/tag_reader.h"
#include "tagger/tagger.h"

PG_FUNCTION_INFO_V1(mren_tag);

typedef struct TaggerEntry
{
	MrenCacheEntry base;
	MrenTagger *tagger;
	MrenTaggerInfo info;
	MrenTagCache *words; /* what it made of words */
	const char **types;	 /* in the database's encoding */
} TaggerEntry;

static MrenCache cache = MREN_CACHE_INIT(cache, &mren_model_cache, NULL);

struct MrenMentionTagger
{
	TaggerEntry *entry;
	int32 version;
	MrenTagReader reader;
	MrenWordVectors vectors;
};

static void
name_types(TaggerEntry *entry)
{
	MemoryContext old = MemoryContextSwitchTo(entry->base.context);

	entry->types = palloc(entry->info.n_types * sizeof(char *));
	for (size_t i = 0; i < entry->info.n_types; i++)
	{
		MrenTextSpan type = mren_tagger_type(entry->tagger, i);
		char *utf8 = pnstrdup(type.data, type.len);

		entry->types[i] = pg_any_to_server(utf8, type.len, PG_UTF8);
	}
	MemoryContextSwitchTo(old);
}

/* What opens a tagger, with the text encoder that it was trained from, for mren_shared_open. */
static MrenStatus
open_tagger(void *state, const MrenEnv *env, void **opened, MrenError *err)
{
	const MrenDeployed *deployed = state;
	MrenTagger *tagger;
	MrenTaggerInfo info;
	MrenEncoderSource source;
	MrenTextEncoderRow row;

	MREN_TRY(mren_models_load_tagger(deployed->version.id, env, &tagger, err));
	*opened = tagger;
	mren_tagger_info(tagger, &info);
	if (info.encoder_dim == 0)
		return MREN_OK;
	mren_text_encoder_need(info.text_encoder_sha256, deployed->name, &row);
	mren_text_encoder_source(&row, &source);
	return mren_tagger_attach_encoder(tagger, &source, err);
}

static void *
load_tagger(const void *what)
{
	const MrenDeployed *deployed = what;
	TaggerEntry *entry = mren_cache_entry("tagger", sizeof(TaggerEntry));
	MrenEnv env = mren_pg_env(entry->base.context);
	MrenError err;

	mren_deployed_check(deployed);
	entry->tagger = mren_shared_open(MREN_SHARED_MODEL, deployed->version.sha256,
									 entry->base.context, open_tagger, (void *) deployed);
	mren_tagger_info(entry->tagger, &entry->info);
	name_types(entry);
	MREN_PG_CALL(err, mren_tag_cache_create(&env, mren_cache_share(&cache, MREN_TAG_CACHE_BYTES),
											&entry->words, &err));
	return entry;
}

/* Opens the embeddings, lexicons and tokenizer that the tagger was trained with. */
static void
open_reader(MrenMentionTagger *tagger, const MrenDeployed *deployed)
{
	const MrenTaggerInfo *info = &tagger->entry->info;
	MrenTagReader *reader = &tagger->reader;

	mren_tag_reader_init(reader, CurrentMemoryContext);
	if (info->embedding_dim > 0)
	{
		reader->words = mren_words_open(&deployed->embedding);
		mren_words_slots(reader->words, &reader->vocabulary, &tagger->vectors);
	}
	reader->n_lexicons = info->n_lexicons;
	for (int i = 0; i < reader->n_lexicons; i++)
		reader->lexicons[i] = mren_lexicon_open_by_hash(info->lexicons_sha256[i], deployed->name);
	if (info->encoder_dim > 0)
		reader->tokenizer =
			mren_text_encoder_open_tokenizer_by_hash(info->text_encoder_sha256, deployed->name);
}

MrenMentionTagger *
mren_mention_tagger_open(const char *name, int len, int32 version)
{
	const MrenDeployed *deployed = mren_deployed_find(name, len, version, MREN_MODEL_TAGGER);
	MrenMentionTagger *tagger = palloc0(sizeof(MrenMentionTagger));

	tagger->entry = mren_cache_open(&cache, deployed->version.id, deployed->version.sha256,
									load_tagger, deployed);
	tagger->version = deployed->version.version;
	open_reader(tagger, deployed);
	return tagger;
}

int32
mren_mention_tagger_version(const MrenMentionTagger *tagger)
{
	return tagger->version;
}

int
mren_mention_tagger_n_types(const MrenMentionTagger *tagger)
{
	return (int) tagger->entry->info.n_types;
}

const char *
mren_mention_tagger_type(const MrenMentionTagger *tagger, int i)
{
	return tagger->entry->types[i];
}

bool
mren_mention_tagger_trained_on(const MrenMentionTagger *tagger, uint64 group)
{
	return mren_tagger_trained_on(tagger->entry->tagger, group);
}

MrenTaggedMention *
mren_mention_tagger_tag(MrenMentionTagger *tagger, const char *text, int len, int *n)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	const MrenTagWords *words = &tagger->reader.found;
	MrenTaggedMention *mentions;
	MrenTagInput input;
	MrenTagged *tagged;
	size_t n_tagged;
	MrenError err;

	mren_tag_reader_read(&tagger->reader, text, len, NULL, 0, &input);
	input.cache = tagger->entry->words;
	MREN_PG_CALL(err, mren_tagger_tag(tagger->entry->tagger, &env, &tagger->vectors, &input,
									  &tagged, &n_tagged, &err));
	mentions = palloc((n_tagged + 1) * sizeof(MrenTaggedMention));
	for (size_t i = 0; i < n_tagged; i++)
	{
		const MrenToken *first = &words->spans[tagged[i].first];
		const MrenToken *last = &words->spans[tagged[i].end - 1];

		mentions[i] = (MrenTaggedMention){
			.start = first->start,
			.end = last->end,
			.char_start = first->char_start,
			.char_end = last->char_end,
			.type = tagger->entry->types[tagged[i].type],
			.confidence = tagged[i].confidence,
		};
	}
	mren_release(&env, tagged);
	*n = (int) n_tagged;
	return mentions;
}

/*
 * mren.tag
 */

/* mren.tag(tagger, sentence, version) → TABLE (mention, type, span, confidence) */
Datum
mren_tag(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char *name = mren_arg_text(fcinfo, 0, "tagger");
	int32 version = mren_arg_version(fcinfo, 2);
	MrenTaggedMention *mentions;
	MrenMentionTagger *tagger;
	MrenTextSpan utf8;
	text *sentence;
	int n;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(1))
		return (Datum) 0;
	sentence = PG_GETARG_TEXT_PP(1);
	utf8 = mren_datum_utf8(PointerGetDatum(sentence));
	tagger = mren_mention_tagger_open(name, strlen(name), version);
	mentions = mren_mention_tagger_tag(tagger, utf8.data, utf8.len, &n);
	for (int i = 0; i < n; i++)
	{
		const MrenTaggedMention *mention = &mentions[i];
		char *words = pnstrdup(utf8.data + mention->start, mention->end - mention->start);
		Datum values[] = {
			CStringGetTextDatum(pg_any_to_server(words, mention->end - mention->start, PG_UTF8)),
			CStringGetTextDatum(mention->type),
			mren_int4range(mention->char_start, mention->char_end),
			Float8GetDatum(mention->confidence)};
		bool nulls[4] = {false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
