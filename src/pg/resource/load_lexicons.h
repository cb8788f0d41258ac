/*
 * load_lexicons.h
 *	  Lexicons of the catalog, loaded and kept in the backend.
 *
 * Models name the lexicons they were trained with by the hash of their
 * content, as they do their embeddings.  Anybody may use any lexicon.
 */
#ifndef MREN_PG_RESOURCE_LOAD_LEXICONS_H
#define MREN_PG_RESOURCE_LOAD_LEXICONS_H

#include "postgres.h"

#include "pg/catalog/catalog.h"
#include "text/lexicon/lexicon.h"

typedef struct MrenLexiconRow
{
	int64 id;
	NameData owner;
	uint8 sha256[MREN_SHA256_LENGTH];
} MrenLexiconRow;

/* By name, by content; false when there is none. */
extern bool mren_catalog_lexicon(const char *name, MrenLexiconRow *row);
extern bool mren_catalog_lexicon_by_hash(const uint8 *sha256, MrenLexiconRow *row);

/* By name, or an error "... does not exist" with a hint. */
extern void mren_catalog_need_lexicon(const char *name, MrenLexiconRow *row);

/*
 * mren_lexicon_open
 *	  The lexicon, from the cache or from its rows.  Valid until the current
 *	  memory context is reset.  An error (54000) if it takes more memory than
 *	  mren.lexicon_cache allows.
 */
extern const MrenLexicon *mren_lexicon_open(const MrenLexiconRow *row);

/*
 * mren_lexicon_open_by_hash
 *	  For a model that names it so: an error (55000) if nothing with that
 *	  content is loaded.
 */
extern const MrenLexicon *mren_lexicon_open_by_hash(const uint8 *sha256, const char *model);

#endif
