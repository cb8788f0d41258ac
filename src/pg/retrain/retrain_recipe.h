/*
 * retrain_recipe.h
 *	  What a model is retrained from: the query and the options that were stored
 *	  with one of its versions.
 */
#ifndef MREN_PG_TRAIN_RETRAIN_RECIPE_H
#define MREN_PG_TRAIN_RETRAIN_RECIPE_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "pg/catalog/catalog.h"
#include "pg/support/stored_query.h"

/* The holdout_share of a retraining if the model was trained without hold-out rows. */
#define MREN_RECIPE_HOLDOUT_SHARE "0.2"

typedef struct MrenRecipe
{
	MrenStoredQuery query;
	Jsonb *options; /* see mren_recipe_find */
} MrenRecipe;

/*
 * mren_recipe_find
 *	  The query of the deployed version, else of the model's newest version that
 *	  has one, else of its newest successful run, as 0.1.0 recorded it.  The
 *	  options are those given then, replaced by the overrides, without "deploy",
 *	  with a holdout_share above 0, and with the names of the champion's
 *	  embeddings and image encoder if none were given.
 *	  55000 if no query is stored; 42501 unless the current user is a member of
 *	  the query's owner; 22023 for an override of "deploy".
 *	  Runs inside an SPI connection and a snapshot of the caller's; everything is
 *	  allocated in the current context.
 */
extern void mren_recipe_find(const char *model, const MrenModelRow *row,
							 const MrenVersionRow *champion, Jsonb *overrides, MrenRecipe *recipe);

#endif
