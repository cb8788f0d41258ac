/*
 * models.h
 *	  Saving, loading, deploying and dropping the versions of a model.
 *
 * Every change of a model happens under a lock on its row in mren.model, so
 * version numbers have no gaps within a transaction and no session sees a change
 * that another has half made.
 */
#ifndef MREN_PG_MODEL_MODELS_H
#define MREN_PG_MODEL_MODELS_H

#include "postgres.h"

#include "pg/catalog/catalog.h"
#include "pg/model/network_type.h"
#include "pg/support/compat.h"
#include "pg/support/stored_query.h"
#include "tagger/tagger.h"

typedef struct MrenSaveExtra
{
	bool deploy;				  /* deploy the version even if it is not the model's first */
	bool judged;				  /* the caller says whether and why it is deployed */
	bool trained;				  /* trained here and now: what it needs must still be loaded */
	double seconds;				  /* duration of the training; negative: unknown */
	const MrenStoredQuery *query; /* the query of its training rows; NULL: unknown */
	Datum given;				  /* jsonb, the options as given; only with query */
} MrenSaveExtra;

/*
 * mren_models_check_save
 *	  Raises the error that mren_models_save would raise for the name of the
 *	  model, for missing rights, or for a model of another kind: for use before a
 *	  long training.  Returns the ID of the model whose rights were checked; 0 if
 *	  there is none yet.
 */
extern int64 mren_models_check_save(const char *model, MrenModelKind kind, bool deploy);

/*
 * mren_models_save
 *	  Adds a version to a model and returns its number.  A model that does not
 *	  exist is created, owned by the current user; on one that exists the user
 *	  needs the privilege "train".  The first version is deployed.  If the embeddings,
 *	  image encoder or lexicons that the version needs are not loaded, it is refused
 *	  (55000) where it was trained here or would be deployed over another version;
 *	  otherwise, as for a model imported before its embeddings, this warns.
 */
extern int32 mren_models_save(const char *model, const MrenNetwork *network,
							  const MrenSaveExtra *extra);

/*
 * mren_models_load
 *	  The network of a version, allocated by env: read from the catalog unless env's weights are
 *	  ready (weights.h).  A failed status only with them; all else is raised.
 */
extern MrenStatus mren_models_load(int64 version, const MrenEnv *env, MrenNet **net,
								   MrenError *err);
/* The same for a tagger. */
extern MrenStatus mren_models_load_tagger(int64 version, const MrenEnv *env, MrenTagger **tagger,
										  MrenError *err);

/*
 * mren_models_using
 *	  The models that need the content with this hash, as in '"a", "b" and 3 more':
 *	  up to five are named; NULL if there are none.  `used` (see MrenContent) is
 *	  the condition that a version v needs the content $1.  Sees what has been
 *	  committed, whatever the caller's snapshot.
 */
extern char *mren_models_using(const uint8 *sha256, const char *used);

/*
 * mren_models_notice_graphs
 *	  Tells of the graphs that use a model, a version of it or a lexicon, which is dropped.
 *	  Graphs name what they use, so another one of the same name serves them; dropping it
 *	  is no error.  `used` is the condition that a graph x uses the name $1.
 */
extern void mren_models_notice_graphs(const char *what, const char *name, const char *used);

/*
 * mren_models_begin, mren_models_end
 *	  The first and the last call of a function that changes a model.  In between
 *	  it is connected to SPI.  25006 in a read-only transaction, 55000 if the
 *	  extension was not updated; function is its name for the message.
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
 *	  The same for saving a version of this kind; creates the row if there is none.
 *	  If another session creates the same model at the same time, this waits for
 *	  it and then needs the privilege on that model.  A model that is dropped
 *	  between the two statements is created again.
 */
extern void mren_models_lock_or_create(const char *model, MrenModelKind kind, bool deploy,
									   MrenModelRow *row);

/* mren_catalog_write without NULL arguments. */
extern uint64 mren_models_run(const char *sql, int n, const Oid *types, const Datum *values);
/* A column of the first row that the last statement returned. */
extern Datum mren_models_result(int attno, bool *isnull);

/*
 * mren_models_undone
 *	  Whether mren.rollback has undone the last deployment of the network of this
 *	  version (by id), under whatever number it was deployed.
 */
extern bool mren_models_undone(int64 version);

/* Deploys a version of a model whose row is locked (both by id). */
extern void mren_models_deploy(int64 model, int64 version);

/*
 * mren_models_prune
 *	  Drops the oldest versions of a model whose row is locked until `keep` are
 *	  left, but never the deployed one, the one that rollback would go back to, or
 *	  the one with the id `newest`.  Returns the number of dropped versions.
 */
extern int mren_models_prune(int64 model, int keep, int64 newest);

/*
 * mren_models_check_needs
 *	  Raises an error (55000), or warns if they are not required, if the embeddings,
 *	  image encoder or lexicons of a version (by id) are not loaded.  Those that are
 *	  loaded cannot be dropped or replaced until the transaction ends.
 */
extern void mren_models_check_needs(const char *model, int64 version, bool required);

/* Raises the error that a model has no such version; the detail lists those that it has. */
extern void mren_models_no_version(const char *model, int64 id, int32 version) MREN_NORETURN;

#endif
