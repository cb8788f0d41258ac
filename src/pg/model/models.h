/*
 * models.h
 *	  A model's life: versions saved, deployed, taken back, dropped, moved.
 *
 * Every change of a model happens under a lock on its row in mren.model, so
 * version numbers have no gaps within a transaction and two sessions never see
 * each other's half-done work.
 */
#ifndef MREN_PG_MODEL_MODELS_H
#define MREN_PG_MODEL_MODELS_H

#include "postgres.h"

#include "pg/catalog/catalog.h"
#include "pg/model/network_type.h"
#include "pg/support/compat.h"
#include "pg/support/stored_query.h"
#include "tagger/tagger.h"

/*
 * A training in progress holds the advisory lock of these two keys, class and
 * (int32) mren.run.id, until after its row says that it ended; a row that says
 * "running" without the lock is of a run that died.
 */
#define MREN_RUN_LOCK_CLASS 0x6d72656e /* "mren" */

/* One retraining of a model at a time: class and (int32) mren.model.id. */
#define MREN_RETRAIN_LOCK_CLASS 0x6d726572 /* "mrer" */

typedef struct MrenSaveExtra
{
	bool deploy;				  /* deploy the version even if it is not the model's first */
	double seconds;				  /* that training took; negative: unknown */
	const MrenStoredQuery *query; /* it was trained on; NULL: none is known */
	Datum given;				  /* jsonb, the options as given; with query only */
} MrenSaveExtra;

/*
 * mren_models_check_save
 *	  Raises the error that mren_models_save would raise for the name of the
 *	  model or for missing rights: for use before a long training.
 */
extern void mren_models_check_save(const char *model, bool deploy);

/* The same for a model of either kind; the above is for one of relations. */
extern void mren_models_check_save_kind(const char *model, MrenModelKind kind, bool deploy);

/*
 * mren_models_save
 *	  Adds a version to a model, which is created, owned by the current user, if
 *	  there is none; else the user needs the privilege "train" on it.  A first
 *	  version is deployed.  Returns the version's number.
 *	  Warns if the embeddings or the image encoder that it needs are not loaded.
 */
extern int32 mren_models_save(const char *model, const MrenNetwork *network,
							  const MrenSaveExtra *extra);

/* The network of a version, put together from the catalog in the context. */
extern MrenNet *mren_models_load(const MrenVersionRow *version, MemoryContext context);
/* A tagger's. */
extern MrenTagger *mren_models_load_tagger(const MrenVersionRow *version, MemoryContext context);

/*
 * mren_models_using
 *	  The models with a version v that names content $1 by its hash, which
 *	  `used` (MrenContent) is the condition for: up to five, quoted, as in '"a", "b" and 3 more'; NULL if none.
 *	  Sees what was committed until now, whatever the caller's snapshot.
 */
extern char *mren_models_using(const uint8 *sha256, const char *used);

/*
 * What a function that changes a model begins and ends with: refuses a
 * read-only transaction and connects to SPI.
 */
extern void mren_models_begin(const char *function);
extern void mren_models_end(void);

/*
 * mren_models_lock
 *	  Locks the row of a model, on which the current user must hold the
 *	  privilege, until the end of the transaction.  The row is what was last
 *	  committed, whatever the statement's snapshot.
 */
extern void mren_models_lock(const char *model, MrenPrivilege privilege, MrenModelRow *row);

/*
 * mren_models_lock_or_create
 *	  The same for saving a version of this kind, making the row first if there
 *	  is none.  Whoever creates the same model at the same time is waited for;
 *	  then theirs is found, on which the privilege must be held.  A model dropped
 *	  between the two statements is made anew.
 */
extern void mren_models_lock_or_create(const char *model, MrenModelKind kind, bool deploy,
									   MrenModelRow *row);

/* One statement by mren_catalog_write, no argument NULL; the number of rows. */
extern uint64 mren_models_run(const char *sql, int n, const Oid *types, const Datum *values);
/* A column of the first row that the last statement gave. */
extern Datum mren_models_result(int attno, bool *isnull);

/* Deploys a version of a model whose row is locked (both by id). */
extern void mren_models_deploy(int64 model, int64 version);

/*
 * mren_models_prune
 *	  Of a model whose row is locked drops the oldest versions until `keep` are
 *	  left; never the deployed one, nor the one that rollback would go back to,
 *	  nor the one with the id `newest`.  Returns how many were dropped.
 */
extern int mren_models_prune(int64 model, int keep, int64 newest);

/* Warns if embeddings or image encoder of a version (by id) are not loaded. */
extern void mren_models_check_needs(const char *model, int64 version);

/* The error that a model lacks a version, with those that it has. */
extern void mren_models_no_version(const char *model, int64 id, int32 version) MREN_NORETURN;

#endif
