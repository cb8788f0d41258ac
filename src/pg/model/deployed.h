/*
 * deployed.h
 *	  Which version of a model answers a call: the deployed one, or one by its
 *	  number.
 *
 * The answer is remembered for one snapshot and one user, so that a query that
 * classifies many rows reads the catalog once.
 */
#ifndef MREN_PG_MODEL_DEPLOYED_H
#define MREN_PG_MODEL_DEPLOYED_H

#include "postgres.h"

#include "pg/catalog/catalog.h"

/* What a snapshot sees: two equal stamps see the same rows. */
typedef struct MrenSnapshotStamp
{
	TransactionId xmin, xmax;
	uint32 xcnt;
	int32 subxcnt;
	CommandId curcid;
	Oid userid;
} MrenSnapshotStamp;

typedef struct MrenDeployed
{
	char *name;
	int32 requested; /* number of the version, 0: the deployed one */
	MrenSnapshotStamp stamp;
	MrenModelRow model;
	MrenVersionRow version;		/* head and icu are NULL */
	MrenEmbeddingRow embedding; /* id 0: the version needs none */
} MrenDeployed;

/* Registers the callbacks that clear the memo; once, when the library is loaded. */
extern void mren_deployed_init(void);

/*
 * mren_deployed_find
 *	  The model of this name and its version, 0 for the deployed one, under the
 *	  active snapshot.  42704 if there is none, 42501 if the current user may not
 *	  predict with the model, 42809 if the model is of another kind, 55000 if no
 *	  version is deployed or the version's embeddings are not loaded.  Valid until
 *	  the next call.
 */
extern const MrenDeployed *mren_deployed_find(const char *model, int len, int32 version,
											  MrenModelKind kind);

/* Warns if the version's training rows were segmented by another version of ICU. */
extern void mren_deployed_check(const MrenDeployed *deployed);

#endif
