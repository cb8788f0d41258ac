/*
 * model_options.h
 *	  The options with which the deployed version of a model was trained.
 */
#ifndef MREN_PG_EVALUATE_MODEL_OPTIONS_H
#define MREN_PG_EVALUATE_MODEL_OPTIONS_H

#include "postgres.h"

#include "utils/jsonb.h"

/*
 * mren_model_options
 *	  The options that the deployed version was given, with its embeddings and image encoder,
 *	  without "deploy", in the current context.  The caller needs the privilege "train" on the
 *	  model; 55000 if it has no deployed version, 42809 if it is a tagger.
 */
extern Jsonb *mren_model_options(const char *model);

#endif
