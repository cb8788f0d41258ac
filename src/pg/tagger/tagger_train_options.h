/*
 * tagger_train_options.h
 *	  The options object of mren.train_tagger, and the embeddings and lexicons
 *	  that it names or implies.
 */
#ifndef MREN_PG_TAGGER_TAGGER_TRAIN_OPTIONS_H
#define MREN_PG_TAGGER_TAGGER_TRAIN_OPTIONS_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "tagger/tag_input.h"
#include "tagger/tag_options.h"
#include "pg/catalog/catalog.h"
#include "pg/resource/lexicon_list.h"

typedef struct MrenTaggerOptions
{
	MrenTagOptions core;
	char *embeddings; /* name; NULL: none.  Where the option is missing, the only set loaded */
	MrenLexiconList lexicons;
	bool deploy;
	MrenEmbeddingRow embedding_row; /* if embeddings */
} MrenTaggerOptions;

/* As mren_train_options. */
extern void mren_tagger_options(const Jsonb *object, MrenTaggerOptions *options);

/* The effective options as a JSON object, UTF-8, palloc'd. */
extern char *mren_tagger_options_json(const MrenTaggerOptions *options);

#endif
