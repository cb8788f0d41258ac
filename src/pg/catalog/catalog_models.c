/*
 * catalog_models.c
 *	  Models, their versions and weights in the catalog, and the rights on them.
 */
#include "pg/catalog/catalog.h"

#include "access/htup_details.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"

#include "pg/catalog/catalog_scan.h"
#include "pg/support/args.h"

/* Attribute numbers, in the order of sql/parts/10_tables.sql. */
enum
{
	MODEL_ID = 1,
	MODEL_NAME,
	MODEL_OWNER,
	MODEL_DEPLOYED,
	MODEL_LAST_VERSION,
	MODEL_CREATED_AT,
	MODEL_KIND
};
enum
{
	VERSION_ID = 1,
	VERSION_MODEL,
	VERSION_VERSION,
	VERSION_CREATED_AT,
	VERSION_CREATED_BY,
	VERSION_HEAD,
	VERSION_SHA256,
	VERSION_EMBEDDINGS,
	VERSION_ENCODER,
	VERSION_RELATIONS,
	VERSION_OPTIONS,
	VERSION_METRICS
};
enum
{
	WEIGHT_VERSION = 1,
	WEIGHT_TENSOR,
	WEIGHT_PART,
	WEIGHT_NAME,
	WEIGHT_SHAPE,
	WEIGHT_DATA
};
enum
{
	GRANT_MODEL = 1,
	GRANT_GRANTEE,
	GRANT_PRIVILEGE
};

/* The catalog of 0.1.0 has no such column; all its models are relation models. */
static MrenModelKind
read_kind(MrenTableScan *scan, HeapTuple tuple)
{
	char *kind;

	if (RelationGetDescr(scan->rel)->natts < MODEL_KIND)
		return MREN_MODEL_RELATION;
	kind = TextDatumGetCString(mren_scan_column(scan, tuple, MODEL_KIND));
	return strcmp(kind, "tagger") == 0 ? MREN_MODEL_TAGGER : MREN_MODEL_RELATION;
}

bool
mren_catalog_model(const char *name, MrenModelRow *row)
{
	MrenTableScan scan;
	HeapTuple tuple;
	bool isnull;

	mren_scan_open(&scan, "model");
	mren_scan_key_text(&scan, MODEL_NAME, CStringGetTextDatum(name));
	mren_scan_begin(&scan, "model_name_key");
	tuple = mren_scan_next(&scan);
	if (HeapTupleIsValid(tuple))
	{
		row->id = DatumGetInt64(mren_scan_column(&scan, tuple, MODEL_ID));
		row->owner = *DatumGetName(mren_scan_column(&scan, tuple, MODEL_OWNER));
		row->deployed =
			DatumGetInt64(heap_getattr(tuple, MODEL_DEPLOYED, RelationGetDescr(scan.rel), &isnull));
		if (isnull)
			row->deployed = 0;
		row->last_version = DatumGetInt32(mren_scan_column(&scan, tuple, MODEL_LAST_VERSION));
		row->kind = read_kind(&scan, tuple);
	}
	mren_scan_end(&scan);
	return HeapTupleIsValid(tuple);
}

bool
mren_catalog_is_owner(const char *owner)
{
	Oid role = get_role_oid(owner, true);

	return superuser() || (OidIsValid(role) && has_privs_of_role(GetUserId(), role));
}

bool
mren_catalog_allowed(const MrenModelRow *row, MrenPrivilege privilege)
{
	MrenTableScan scan;
	HeapTuple tuple;
	bool allowed = false;

	if (mren_catalog_is_owner(NameStr(row->owner)))
		return true;
	mren_scan_open(&scan, "model_grant");
	mren_scan_key(&scan, GRANT_MODEL, F_INT8EQ, Int64GetDatum(row->id));
	mren_scan_begin(&scan, "model_grant_pkey");
	while (!allowed && HeapTupleIsValid(tuple = mren_scan_next(&scan)))
	{
		char *granted = TextDatumGetCString(mren_scan_column(&scan, tuple, GRANT_PRIVILEGE));
		char *grantee = NameStr(*DatumGetName(mren_scan_column(&scan, tuple, GRANT_GRANTEE)));
		Oid role = get_role_oid(grantee, true);
		int held = strcmp(granted, "admin") == 0
					   ? MREN_PRIVILEGE_ADMIN | MREN_PRIVILEGE_TRAIN | MREN_PRIVILEGE_PREDICT
				   : strcmp(granted, "train") == 0 ? MREN_PRIVILEGE_TRAIN
												   : MREN_PRIVILEGE_PREDICT;

		allowed =
			(held & privilege) != 0 && (strcmp(grantee, "public") == 0 ||
										(OidIsValid(role) && has_privs_of_role(GetUserId(), role)));
	}
	mren_scan_end(&scan);
	return allowed;
}

void
mren_catalog_require(const char *name, MrenPrivilege privilege, MrenModelRow *row)
{
	static const char *const words[] = {[MREN_PRIVILEGE_PREDICT] = "predict",
										[MREN_PRIVILEGE_TRAIN] = "train",
										[MREN_PRIVILEGE_ADMIN] = "admin"};

	mren_check_name_length(name);
	if (!mren_catalog_model(name, row))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("model \"%s\" does not exist", name),
				 errhint("mren.models lists the models that you may use.")));
	if (!mren_catalog_allowed(row, privilege))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied for model \"%s\"", name),
						errhint("Its owner can grant it: SELECT mren.grant_model(%s, '%s', '%s').",
								quote_literal_cstr(name), GetUserNameFromId(GetUserId(), false),
								words[privilege])));
}

void
mren_catalog_require_kind(const char *name, const MrenModelRow *row, MrenModelKind kind)
{
	if (row->kind == kind)
		return;
	if (kind == MREN_MODEL_TAGGER)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("model \"%s\" is not a tagger", name),
				 errhint("It is a relation model, which mren.predict and mren.evaluate use. "
						 "mren.train_tagger trains taggers.")));
	ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
					errmsg("model \"%s\" is a tagger, not a relation model", name),
					errhint("mren.tag and mren.evaluate_tagger use it. mren.train trains relation "
							"models.")));
}

/* The member "icu" of a version's metrics; empty if there is none. */
static void
read_icu(Datum metrics, char *icu)
{
	Jsonb *object = DatumGetJsonbP(metrics);
	JsonbValue key = {.type = jbvString};
	JsonbValue *value;

	key.val.string.val = "icu";
	key.val.string.len = strlen("icu");
	value = findJsonbValueFromContainer(&object->root, JB_FOBJECT, &key);
	if (value != NULL && value->type == jbvString && value->val.string.len < MREN_ICU_LENGTH)
		memcpy(icu, value->val.string.val, value->val.string.len);
}

static void
read_version(MrenTableScan *scan, HeapTuple tuple, MrenVersionRow *row)
{
	bool isnull;
	Datum embeddings;
	Datum encoder;
	Datum metrics;

	row->id = DatumGetInt64(mren_scan_column(scan, tuple, VERSION_ID));
	row->model = DatumGetInt64(mren_scan_column(scan, tuple, VERSION_MODEL));
	row->version = DatumGetInt32(mren_scan_column(scan, tuple, VERSION_VERSION));
	mren_scan_hash(scan, mren_scan_column(scan, tuple, VERSION_SHA256), row->sha256);
	embeddings = heap_getattr(tuple, VERSION_EMBEDDINGS, RelationGetDescr(scan->rel), &isnull);
	row->has_embeddings = !isnull;
	if (!isnull)
		mren_scan_hash(scan, embeddings, row->embeddings);
	encoder = heap_getattr(tuple, VERSION_ENCODER, RelationGetDescr(scan->rel), &isnull);
	row->has_encoder = !isnull;
	if (!isnull)
		mren_scan_hash(scan, encoder, row->encoder);
	metrics = heap_getattr(tuple, VERSION_METRICS, RelationGetDescr(scan->rel), &isnull);
	memset(row->icu, 0, sizeof(row->icu));
	if (!isnull)
		read_icu(metrics, row->icu);
}

/* The row of that id, until the scan ends. */
static HeapTuple
find_version(MrenTableScan *scan, int64 id)
{
	mren_scan_open(scan, "model_version");
	mren_scan_key(scan, VERSION_ID, F_INT8EQ, Int64GetDatum(id));
	mren_scan_begin(scan, "model_version_pkey");
	return mren_scan_next(scan);
}

bool
mren_catalog_version_by_id(int64 id, MrenVersionRow *row)
{
	MrenTableScan scan;
	HeapTuple tuple = find_version(&scan, id);

	if (HeapTupleIsValid(tuple))
		read_version(&scan, tuple, row);
	mren_scan_end(&scan);
	return HeapTupleIsValid(tuple);
}

bool
mren_catalog_version(int64 model, int32 version, MrenVersionRow *row)
{
	MrenTableScan scan;
	HeapTuple tuple;

	mren_scan_open(&scan, "model_version");
	mren_scan_key(&scan, VERSION_MODEL, F_INT8EQ, Int64GetDatum(model));
	mren_scan_key(&scan, VERSION_VERSION, F_INT4EQ, Int32GetDatum(version));
	mren_scan_begin(&scan, "model_version_model_version_key");
	tuple = mren_scan_next(&scan);
	if (HeapTupleIsValid(tuple))
		read_version(&scan, tuple, row);
	mren_scan_end(&scan);
	return HeapTupleIsValid(tuple);
}

bytea *
mren_catalog_version_head(int64 id)
{
	MrenTableScan scan;
	HeapTuple tuple = find_version(&scan, id);
	bytea *head;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "version id %lld vanished", (long long) id);
	head = DatumGetByteaPCopy(mren_scan_column(&scan, tuple, VERSION_HEAD));
	mren_scan_end(&scan);
	return head;
}

/* Visits a tensor once all its parts have been read. */
static void
visit_tensor(MrenWeightVisitor visit, void *state, int tensor, const char *name, ArrayType *shape,
			 StringInfo data)
{
	if (tensor >= 0)
		visit(state, tensor, name, (const int32 *) ARR_DATA_PTR(shape),
			  ARR_NDIM(shape) == 1 ? ARR_DIMS(shape)[0] : 0, (const float4 *) data->data,
			  data->len / sizeof(float4));
}

void
mren_catalog_weights(int64 version, MrenWeightVisitor visit, void *state)
{
	MrenTableScan scan;
	HeapTuple tuple;
	StringInfoData data;
	int tensor = -1;
	char *name = NULL;
	ArrayType *shape = NULL;

	initStringInfo(&data);
	mren_scan_open(&scan, "weight");
	mren_scan_key(&scan, WEIGHT_VERSION, F_INT8EQ, Int64GetDatum(version));
	mren_scan_begin(&scan, "weight_pkey");
	while (HeapTupleIsValid(tuple = mren_scan_next(&scan)))
	{
		int number = DatumGetInt32(mren_scan_column(&scan, tuple, WEIGHT_TENSOR));
		Datum stored;
		bytea *part;

		if (number != tensor)
		{
			visit_tensor(visit, state, tensor, name, shape, &data);
			tensor = number;
			name = TextDatumGetCString(mren_scan_column(&scan, tuple, WEIGHT_NAME));
			shape = DatumGetArrayTypePCopy(mren_scan_column(&scan, tuple, WEIGHT_SHAPE));
			resetStringInfo(&data);
		}
		stored = mren_scan_column(&scan, tuple, WEIGHT_DATA);
		part = DatumGetByteaPP(stored);
		appendBinaryStringInfo(&data, VARDATA_ANY(part), VARSIZE_ANY_EXHDR(part));
		if ((Pointer) part != DatumGetPointer(stored))
			pfree(part);
	}
	visit_tensor(visit, state, tensor, name, shape, &data);
	mren_scan_end(&scan);
	pfree(data.data);
}
