/*
 * tokenizer.h
 *	  The backend's one tokenizer.
 */
#ifndef MREN_PG_TOKENIZER_H
#define MREN_PG_TOKENIZER_H

#include "postgres.h"

#include "text/tokens.h"

/* Opened at the first call, for the life of the backend. */
extern MrenTokenizer *mren_pg_tokenizer(void);

/* The context it lives in, for buffers that are reused from row to row. */
extern MemoryContext mren_pg_text_context(void);

#endif
