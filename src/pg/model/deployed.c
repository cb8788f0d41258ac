/*
 * deployed.c
 *	  The memo of which version of a model answers.
 *
 * The memo is cleared at the end of every transaction and subtransaction: a
 * promote that was rolled back must be forgotten, and relcache invalidation does
 * not report changed rows.
 */
#include "pg/model/deployed.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "text/tokens.h"

/* Models that one statement uses at a time; more than these only cost look-ups. */
#define N_DEPLOYED 8

static MrenDeployed deployed[N_DEPLOYED];
static int n_deployed;
static MemoryContext deployed_context;

static void
forget_deployed(void)
{
	if (n_deployed == 0)
		return;
	n_deployed = 0;
	MemoryContextReset(deployed_context);
}

static void
on_xact_end(XactEvent event, void *arg)
{
	forget_deployed();
}

static void
on_subxact_end(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	forget_deployed();
}

void
mren_deployed_init(void)
{
	deployed_context =
		AllocSetContextCreate(TopMemoryContext, "mren deployed versions", ALLOCSET_SMALL_SIZES);
	RegisterXactCallback(on_xact_end, NULL);
	RegisterSubXactCallback(on_subxact_end, NULL);
}

/*
 * Within one xmin and xmax, transactions can only leave the list of running
 * ones, so its length tells two snapshots apart; curcid tells a transaction's
 * own changes.
 */
static MrenSnapshotStamp
stamp_now(void)
{
	Snapshot snapshot = GetActiveSnapshot();

	return (MrenSnapshotStamp){
		.xmin = snapshot->xmin,
		.xmax = snapshot->xmax,
		.xcnt = snapshot->xcnt,
		.subxcnt = snapshot->subxcnt,
		.curcid = snapshot->curcid,
		.userid = GetUserId(),
	};
}

static bool
same_stamp(const MrenSnapshotStamp *a, const MrenSnapshotStamp *b)
{
	return a->xmin == b->xmin && a->xmax == b->xmax && a->xcnt == b->xcnt &&
		   a->subxcnt == b->subxcnt && a->curcid == b->curcid && a->userid == b->userid;
}

static void
find_version(const char *name, MrenDeployed *found)
{
	bool exists;

	if (found->requested == 0 && found->model.deployed == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("model \"%s\" has no deployed version", name),
						errhint("Deploy one with mren.promote.")));
	if (found->requested != 0)
		exists = mren_catalog_version(found->model.id, found->requested, &found->version);
	else
		exists = mren_catalog_version_by_id(found->model.deployed, &found->version);
	if (!exists)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("version %d of model \"%s\" does not exist", found->requested, name),
						errhint("mren.models lists the versions of each model.")));
	if (found->version.has_embeddings &&
		!mren_catalog_embedding_by_hash(found->version.embeddings, &found->embedding, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the word embeddings of model \"%s\" are not loaded", name),
				 errhint("Load the same vectors with mren.load_embeddings, under any name.")));
}

const MrenDeployed *
mren_deployed_find(const char *model, int len, int32 version, MrenModelKind kind)
{
	MrenSnapshotStamp stamp = stamp_now();
	MrenDeployed found = {.requested = version, .stamp = stamp};
	char *name;

	for (int i = 0; i < n_deployed; i++)
	{
		if (deployed[i].requested == version && strncmp(deployed[i].name, model, len) == 0 &&
			deployed[i].name[len] == '\0' && deployed[i].model.kind == kind &&
			same_stamp(&deployed[i].stamp, &stamp))
			return &deployed[i];
	}
	name = pnstrdup(model, len);
	mren_catalog_require(name, MREN_PRIVILEGE_PREDICT, &found.model);
	mren_catalog_require_kind(name, &found.model, kind);
	find_version(name, &found);
	/* Stamps change with every statement of a long transaction: start over. */
	if (n_deployed == N_DEPLOYED)
		forget_deployed();
	found.name = MemoryContextStrdup(deployed_context, name);
	pfree(name);
	deployed[n_deployed] = found;
	return &deployed[n_deployed++];
}

void
mren_deployed_check(const MrenDeployed *checked)
{
	const char *icu = checked->version.icu;

	if (icu[0] != '\0' && strcmp(icu, mren_icu_version()) != 0)
		ereport(WARNING,
				(errmsg("model \"%s\" was trained with ICU %s, but this server has ICU %s",
						checked->name, icu, mren_icu_version()),
				 errdetail("Another version of ICU may split a sentence into other words."),
				 errhint("Train the model again if its answers changed.")));
}
