/*
 * retrain_input.c
 *	  The hash of what the verdict of a retraining depends on.
 */
#include "pg/retrain/retrain_input.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "pg/model/models.h"
#include "text/tokens.h"

static void
add_text(pg_cryptohash_ctx *digest, const char *text)
{
	mren_digest_add(digest, text, strlen(text) + 1);
}

/* The content that the options name: what is loaded under these names may change. */
static void
add_content(pg_cryptohash_ctx *digest, const MrenTrainSetup *setup)
{
	mren_digest_add(digest, setup->embedding_row.sha256, MREN_SHA256_LENGTH);
	mren_digest_add(digest, setup->encoder_row.identity, MREN_SHA256_LENGTH);
	if (setup->net.pretrained != NULL)
		mren_digest_add(digest, setup->text_encoder_row.sha256, MREN_SHA256_LENGTH);
	for (int i = 0; i < setup->lexicons.n; i++)
		mren_digest_add(digest, setup->lexicons.rows[i].sha256, MREN_SHA256_LENGTH);
}

/* Deployments and rollbacks: what a rollback has undone is held until it is deployed again. */
static void
add_deployments(pg_cryptohash_ctx *digest, int64 model)
{
	Oid types[] = {INT8OID};
	Datum values[] = {Int64GetDatum(model)};
	bool isnull;
	int64 words[2];

	mren_catalog_read("SELECT COALESCE(pg_catalog.max(id), 0),"
					  " pg_catalog.count(*) FILTER (WHERE undone) FROM mren.deployment"
					  " WHERE model OPERATOR(pg_catalog.=) $1",
					  1, types, values, NULL);
	words[0] = DatumGetInt64(mren_models_result(1, &isnull));
	words[1] = DatumGetInt64(mren_models_result(2, &isnull));
	mren_digest_add(digest, words, sizeof(words));
}

bytea *
mren_retrain_input_hash(const MrenRetrainInput *input)
{
	const MrenRetrainArgs *args = input->args;
	const MrenTrainRows *rows = input->rows;
	const MrenHoldoutScore *recorded = &input->recorded;
	pg_cryptohash_ctx *digest = mren_digest_begin();
	uint8 sha256[MREN_SHA256_LENGTH];

	add_text(digest, MREN_VERSION);
	add_text(digest, mren_icu_version());
	add_text(digest, mren_train_setup_json(input->setup));
	add_content(digest, input->setup);
	mren_digest_add(digest, rows->sum, sizeof(rows->sum));
	mren_digest_add(digest, input->champion->sha256, MREN_SHA256_LENGTH);
	add_deployments(digest, input->champion->model);
	add_text(digest, psprintf("%lld rows, %lld held out, champion %lld: %s %lld %.17g %.17g",
							  (long long) rows->n_read, (long long) rows->n_holdout,
							  (long long) input->champion->id, recorded->measure,
							  (long long) recorded->rows, recorded->score, recorded->lower));
	add_text(digest, psprintf("promote %d, margin %.17g, budget %.17g, warm %d", args->promote,
							  args->margin, args->budget, args->warm));
	mren_digest_end(digest, sha256);
	return mren_digest_bytea(sha256);
}

bool
mren_retrain_input_judged(int64 model, const bytea *hash, bool kept, MrenJudgedRun *run)
{
	Oid types[] = {INT8OID, BYTEAOID, BOOLOID};
	Datum values[] = {Int64GetDatum(model), PointerGetDatum(hash), BoolGetDatum(kept)};
	MemoryContext context = CurrentMemoryContext;
	MemoryContext old;
	bool isnull;

	if (mren_catalog_read("SELECT r.id, r.version, r.verdict FROM mren.run r"
						  " WHERE r.model_id OPERATOR(pg_catalog.=) $1"
						  " AND r.input_hash OPERATOR(pg_catalog.=) $2"
						  " AND r.verdict OPERATOR(pg_catalog.=) ANY ('{rejected,held,undecided}')"
						  " AND (NOT $3 OR EXISTS (SELECT FROM mren.model_version v"
						  "  WHERE v.model OPERATOR(pg_catalog.=) r.model_id"
						  "  AND v.version OPERATOR(pg_catalog.=) r.version))"
						  " ORDER BY r.id DESC LIMIT 1",
						  lengthof(types), types, values, NULL) == 0)
		return false;
	run->run = DatumGetInt64(mren_models_result(1, &isnull));
	run->version = DatumGetInt32(mren_models_result(2, &isnull));
	old = MemoryContextSwitchTo(context);
	run->verdict = TextDatumGetCString(mren_models_result(3, &isnull));
	MemoryContextSwitchTo(old);
	return true;
}
