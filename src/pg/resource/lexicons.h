/*
 * lexicons.h
 *	  Lexicons ready to be matched against a text, kept in the backend.
 *
 * Models name the lexicons that they were trained with by the hash of their
 * content, as they do their embeddings.  Every role may use every lexicon.
 */
#ifndef MREN_PG_RESOURCE_LEXICONS_H
#define MREN_PG_RESOURCE_LEXICONS_H

#include "postgres.h"

#include "pg/catalog/catalog.h"
#include "text/lexicon/lexicon.h"

/*
 * mren_lexicon_open
 *	  The lexicon, from the cache or from its rows.  Valid until the current
 *	  memory context is reset.  An error (54000) if it takes more memory than
 *	  mren.lexicon_cache allows.
 */
extern const MrenLexicon *mren_lexicon_open(const MrenLexiconRow *row);

/*
 * mren_lexicon_open_by_hash
 *	  The lexicon that a model names by its hash.  An error (55000) if no lexicon
 *	  with that content is loaded.
 */
extern const MrenLexicon *mren_lexicon_open_by_hash(const uint8 *sha256, const char *model);

/*
 * 54000 if a lexicon, which is all that is allocated in the context, takes more
 * memory than mren.lexicon_cache allows.  name, for the message, may be NULL.
 */
extern void mren_lexicon_check_memory(MemoryContext context, const char *name);

#endif
