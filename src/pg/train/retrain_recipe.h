/*
 * retrain_recipe.h
 *	  What a model is retrained by: the query and options that were kept.
 */
#ifndef MREN_PG_TRAIN_RETRAIN_RECIPE_H
#define MREN_PG_TRAIN_RETRAIN_RECIPE_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "pg/catalog/catalog.h"
#include "pg/support/stored_query.h"

/* Held out where a model was trained without a gate. */
#define MREN_RECIPE_HOLDOUT_SHARE "0.2"

typedef struct MrenRecipe
{
	MrenStoredQuery query;
	Jsonb *options; /* as given then, overridden, and complete: see mren_recipe_find */
} MrenRecipe;

/*
 * mren_recipe_find
 *	  Of the deployed version, else of the model's newest version that has one,
 *	  else of its newest successful run, as version 0.1.0 recorded it.  Options:
 *	  those given then under the overrides, without "deploy", with a holdout_share
 *	  above 0, and with the names of the champion's embeddings and image encoder
 *	  where none were given.
 *	  55000 if nothing is kept; 42501 unless the current user is a member of the
 *	  query's owner; 22023 for an override of "deploy".
 *	  Inside an SPI connection and a snapshot of the caller's; all is allocated
 *	  in the current context.
 */
extern void mren_recipe_find(const char *model, const MrenModelRow *row,
							 const MrenVersionRow *champion, Jsonb *overrides, MrenRecipe *recipe);

#endif
