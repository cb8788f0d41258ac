/*
 * tokenizer.h
 *	  The backend's tokenizer and sentence splitter, one of each.
 */
#ifndef MREN_PG_RESOURCE_TOKENIZER_H
#define MREN_PG_RESOURCE_TOKENIZER_H

#include "postgres.h"

#include "text/sentences.h"
#include "text/tokens.h"

/* Opened at the first call; the sentencer is that of the setting mren.language. */
extern MrenTokenizer *mren_pg_tokenizer(void);
extern MrenSentencer *mren_pg_sentencer(void);

/* Their memory context, also for buffers that are reused from row to row. */
extern MemoryContext mren_pg_text_context(void);

#endif
