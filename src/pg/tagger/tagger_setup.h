/*
 * tagger_setup.h
 *	  The options of mren.train_tagger with what they name in the database: word
 *	  embeddings, lexicons and a pretrained text encoder.
 */
#ifndef MREN_PG_TAGGER_TAGGER_SETUP_H
#define MREN_PG_TAGGER_TAGGER_SETUP_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "pg/catalog/catalog.h"
#include "pg/resource/lexicon_list.h"
#include "tagger/tag_options.h"

typedef struct MrenTaggerSetup
{
	MrenTagOptions core;
	char *embeddings; /* name; NULL: none.  Where not given, the only set loaded, or none */
	MrenLexiconList lexicons;
	bool deploy;
	MrenEmbeddingRow embedding_row;		 /* only with embeddings */
	MrenTextEncoderRow text_encoder_row; /* only with core.text_encoder */
} MrenTaggerSetup;

/* As mren_train_setup_read and mren_train_setup_json. */
extern void mren_tagger_setup_read(const Jsonb *object, MrenTaggerSetup *setup);
extern char *mren_tagger_setup_json(const MrenTaggerSetup *setup);

#endif
