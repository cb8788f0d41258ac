/*
 * catalog.c
 *	  The only access to mren's tables: index scans for reading, one function
 *	  for writing as the tables' owner.
 *
 * Per-row functions come here on a cache miss, so reads are plain scans under
 * the active snapshot, without SPI.
 */
#include "pg/catalog.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Attribute numbers, in the order of sql/parts/10_tables.sql. */
enum
{
	EMB_ID = 1,
	EMB_NAME,
	EMB_OWNER,
	EMB_DIMENSION,
	EMB_WORDS,
	EMB_FORMAT,
	EMB_SHA256
};
enum
{
	WORD_EMBEDDING = 1,
	WORD_ID,
	WORD_WORD,
	WORD_VECTOR
};
enum
{
	ENC_ID = 1,
	ENC_NAME,
	ENC_OWNER,
	ENC_OUTPUT,
	ENC_MEAN,
	ENC_STD,
	ENC_WIDTH,
	ENC_HEIGHT,
	ENC_DIMENSION,
	ENC_SIZE,
	ENC_SHA256,
	ENC_IDENTITY
};
enum
{
	PART_ENCODER = 1,
	PART_PART,
	PART_BYTES
};
enum
{
	MODEL_ID = 1,
	MODEL_NAME,
	MODEL_OWNER,
	MODEL_DEPLOYED,
	MODEL_LAST_VERSION
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
	VERSION_ENCODER
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

/* An open table and a scan of it, by an index or whole. */
typedef struct TableScan
{
	Relation rel;
	SysScanDesc scan;
	ScanKeyData keys[3];
	int n_keys;
} TableScan;

static Oid
table_oid(const char *name)
{
	Oid nsp = get_namespace_oid("mren", false);
	Oid rel = get_relname_relid(name, nsp);

	if (!OidIsValid(rel))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation \"mren.%s\" does not exist", name),
						errhint("Reinstall the extension mren.")));
	return rel;
}

static void
scan_open(TableScan *scan, const char *table)
{
	scan->rel = table_open(table_oid(table), AccessShareLock);
	scan->n_keys = 0;
}

static void
scan_key(TableScan *scan, AttrNumber attno, RegProcedure equal, Datum value)
{
	ScanKeyInit(&scan->keys[scan->n_keys++], attno, BTEqualStrategyNumber, equal, value);
}

/* A text key; its column has collation "C", and so must the comparison. */
static void
scan_key_text(TableScan *scan, AttrNumber attno, Datum value)
{
	ScanKeyEntryInitialize(&scan->keys[scan->n_keys++], 0, attno, BTEqualStrategyNumber, InvalidOid,
						   C_COLLATION_OID, F_TEXTEQ, value);
}

/* index NULL: a sequential scan. */
static void
scan_begin(TableScan *scan, const char *index)
{
	scan->scan = systable_beginscan(scan->rel, index != NULL ? table_oid(index) : InvalidOid,
									index != NULL, GetActiveSnapshot(), scan->n_keys, scan->keys);
}

static HeapTuple
scan_next(TableScan *scan)
{
	return systable_getnext(scan->scan);
}

static void
scan_end(TableScan *scan)
{
	systable_endscan(scan->scan);
	table_close(scan->rel, AccessShareLock);
}

/* A column that the table declares NOT NULL. */
static Datum
column(TableScan *scan, HeapTuple tuple, AttrNumber attno)
{
	bool isnull;
	Datum value = heap_getattr(tuple, attno, RelationGetDescr(scan->rel), &isnull);

	if (isnull)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("unexpected null in column %d of \"mren.%s\"", attno,
							   RelationGetRelationName(scan->rel))));
	return value;
}

static void
copy_hash(TableScan *scan, Datum value, uint8 *hash)
{
	bytea *bytes = DatumGetByteaPP(value);

	if (VARSIZE_ANY_EXHDR(bytes) != MREN_SHA256_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a content hash in \"mren.%s\" has %d bytes instead of 32",
						RelationGetRelationName(scan->rel), (int) VARSIZE_ANY_EXHDR(bytes))));
	memcpy(hash, VARDATA_ANY(bytes), MREN_SHA256_LENGTH);
}

/* A stored real[] of exactly n elements, none NULL. */
static void
copy_floats(TableScan *scan, Datum value, int n, float4 *out)
{
	ArrayType *array = DatumGetArrayTypeP(value);

	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != n || ARR_HASNULL(array) ||
		ARR_ELEMTYPE(array) != FLOAT4OID)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("a vector in \"mren.%s\" does not have %d elements",
							   RelationGetRelationName(scan->rel), n)));
	memcpy(out, ARR_DATA_PTR(array), n * sizeof(float4));
	if ((Pointer) array != DatumGetPointer(value))
		pfree(array);
}

/*
 * Embeddings
 */

static void
read_embedding(TableScan *scan, HeapTuple tuple, MrenEmbeddingRow *row, char **name)
{
	row->id = DatumGetInt64(column(scan, tuple, EMB_ID));
	row->owner = *DatumGetName(column(scan, tuple, EMB_OWNER));
	row->dimension = DatumGetInt32(column(scan, tuple, EMB_DIMENSION));
	row->words = DatumGetInt64(column(scan, tuple, EMB_WORDS));
	copy_hash(scan, column(scan, tuple, EMB_SHA256), row->sha256);
	if (name != NULL)
		*name = TextDatumGetCString(column(scan, tuple, EMB_NAME));
}

bool
mren_catalog_embedding(const char *name, MrenEmbeddingRow *row)
{
	TableScan scan;
	HeapTuple tuple;

	scan_open(&scan, "embedding");
	scan_key_text(&scan, EMB_NAME, CStringGetTextDatum(name));
	scan_begin(&scan, "embedding_name_key");
	tuple = scan_next(&scan);
	if (HeapTupleIsValid(tuple))
		read_embedding(&scan, tuple, row, NULL);
	scan_end(&scan);
	return HeapTupleIsValid(tuple);
}

void
mren_catalog_need_embedding(const char *name, MrenEmbeddingRow *row)
{
	if (!mren_catalog_embedding(name, row))
		ereport(
			ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("embeddings \"%s\" do not exist", name),
			 errhint(
				 "Load them with mren.load_embeddings; mren.embeddings lists what is loaded.")));
}

/* The tables of embeddings and encoders have a handful of rows. */
bool
mren_catalog_embedding_by_hash(const uint8 *sha256, MrenEmbeddingRow *row, char **name)
{
	TableScan scan;
	HeapTuple tuple;
	bool found = false;

	scan_open(&scan, "embedding");
	scan_begin(&scan, NULL);
	while (!found && HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		read_embedding(&scan, tuple, row, name);
		found = memcmp(row->sha256, sha256, MREN_SHA256_LENGTH) == 0;
	}
	scan_end(&scan);
	return found;
}

static int
count_rows(const char *table, AttrNumber name_attno, char **name)
{
	TableScan scan;
	HeapTuple tuple;
	int n = 0;

	scan_open(&scan, table);
	scan_begin(&scan, NULL);
	while (HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		if (n++ == 0)
			*name = TextDatumGetCString(column(&scan, tuple, name_attno));
	}
	scan_end(&scan);
	return n;
}

int
mren_catalog_count_embeddings(char **name)
{
	return count_rows("embedding", EMB_NAME, name);
}

int
mren_catalog_count_encoders(char **name)
{
	return count_rows("encoder", ENC_NAME, name);
}

bool
mren_catalog_word(int64 embedding, int32 dimension, const char *word, int len, int32 *id,
				  float4 *vector)
{
	TableScan scan;
	HeapTuple tuple;
	char *server = pg_any_to_server(word, len, PG_UTF8);
	text *key = server == word ? cstring_to_text_with_len(word, len) : cstring_to_text(server);

	scan_open(&scan, "embedding_word");
	scan_key(&scan, WORD_EMBEDDING, F_INT8EQ, Int64GetDatum(embedding));
	scan_key_text(&scan, WORD_WORD, PointerGetDatum(key));
	scan_begin(&scan, "embedding_word_word");
	tuple = scan_next(&scan);
	if (HeapTupleIsValid(tuple))
	{
		*id = DatumGetInt32(column(&scan, tuple, WORD_ID));
		if (vector != NULL)
			copy_floats(&scan, column(&scan, tuple, WORD_VECTOR), dimension, vector);
	}
	scan_end(&scan);
	pfree(key);
	return HeapTupleIsValid(tuple);
}

bool
mren_catalog_word_by_id(int64 embedding, int32 dimension, int32 id, float4 *vector)
{
	TableScan scan;
	HeapTuple tuple;

	scan_open(&scan, "embedding_word");
	scan_key(&scan, WORD_EMBEDDING, F_INT8EQ, Int64GetDatum(embedding));
	scan_key(&scan, WORD_ID, F_INT4EQ, Int32GetDatum(id));
	scan_begin(&scan, "embedding_word_id");
	tuple = scan_next(&scan);
	if (HeapTupleIsValid(tuple))
		copy_floats(&scan, column(&scan, tuple, WORD_VECTOR), dimension, vector);
	scan_end(&scan);
	return HeapTupleIsValid(tuple);
}

/*
 * Encoders
 */

static void
read_encoder(TableScan *scan, HeapTuple tuple, MrenEncoderRow *row, char **name)
{
	row->id = DatumGetInt64(column(scan, tuple, ENC_ID));
	row->owner = *DatumGetName(column(scan, tuple, ENC_OWNER));
	row->output = TextDatumGetCString(column(scan, tuple, ENC_OUTPUT));
	copy_floats(scan, column(scan, tuple, ENC_MEAN), 3, row->mean);
	copy_floats(scan, column(scan, tuple, ENC_STD), 3, row->std);
	row->width = DatumGetInt32(column(scan, tuple, ENC_WIDTH));
	row->height = DatumGetInt32(column(scan, tuple, ENC_HEIGHT));
	row->dimension = DatumGetInt32(column(scan, tuple, ENC_DIMENSION));
	row->size = DatumGetInt64(column(scan, tuple, ENC_SIZE));
	copy_hash(scan, column(scan, tuple, ENC_IDENTITY), row->identity);
	if (name != NULL)
		*name = TextDatumGetCString(column(scan, tuple, ENC_NAME));
}

bool
mren_catalog_encoder(const char *name, MrenEncoderRow *row)
{
	TableScan scan;
	HeapTuple tuple;

	scan_open(&scan, "encoder");
	scan_key_text(&scan, ENC_NAME, CStringGetTextDatum(name));
	scan_begin(&scan, "encoder_name_key");
	tuple = scan_next(&scan);
	if (HeapTupleIsValid(tuple))
		read_encoder(&scan, tuple, row, NULL);
	scan_end(&scan);
	return HeapTupleIsValid(tuple);
}

void
mren_catalog_need_encoder(const char *name, MrenEncoderRow *row)
{
	if (!mren_catalog_encoder(name, row))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("image encoder \"%s\" does not exist", name),
						errhint("Load it with mren.load_image_encoder; mren.image_encoders lists "
								"what is loaded.")));
}

bool
mren_catalog_encoder_by_hash(const uint8 *identity, MrenEncoderRow *row, char **name)
{
	TableScan scan;
	HeapTuple tuple;
	bool found = false;

	scan_open(&scan, "encoder");
	scan_begin(&scan, NULL);
	while (!found && HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		read_encoder(&scan, tuple, row, name);
		found = memcmp(row->identity, identity, MREN_SHA256_LENGTH) == 0;
	}
	scan_end(&scan);
	return found;
}

void
mren_catalog_encoder_bytes(const MrenEncoderRow *row, uint8 **bytes, size_t *len)
{
	TableScan scan;
	HeapTuple tuple;
	size_t done = 0;

	*bytes = MemoryContextAllocHuge(CurrentMemoryContext, Max(row->size, 1));
	scan_open(&scan, "encoder_part");
	scan_key(&scan, PART_ENCODER, F_INT8EQ, Int64GetDatum(row->id));
	scan_begin(&scan, "encoder_part_pkey");
	/* The index gives the parts of one encoder in order. */
	while (HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		Datum stored = column(&scan, tuple, PART_BYTES);
		bytea *part = DatumGetByteaPP(stored);
		size_t n = VARSIZE_ANY_EXHDR(part);

		if (n > (size_t) row->size - done)
			break;
		memcpy(*bytes + done, VARDATA_ANY(part), n);
		done += n;
		if ((Pointer) part != DatumGetPointer(stored))
			pfree(part);
	}
	scan_end(&scan);
	if (done != (size_t) row->size)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("the parts of image encoder %lld have %zu bytes instead of %lld",
							   (long long) row->id, done, (long long) row->size)));
	*len = done;
}

/*
 * Models, their versions and the rights on them
 */

bool
mren_catalog_model(const char *name, MrenModelRow *row)
{
	TableScan scan;
	HeapTuple tuple;
	bool isnull;

	scan_open(&scan, "model");
	scan_key_text(&scan, MODEL_NAME, CStringGetTextDatum(name));
	scan_begin(&scan, "model_name_key");
	tuple = scan_next(&scan);
	if (HeapTupleIsValid(tuple))
	{
		row->id = DatumGetInt64(column(&scan, tuple, MODEL_ID));
		row->owner = *DatumGetName(column(&scan, tuple, MODEL_OWNER));
		row->deployed =
			DatumGetInt64(heap_getattr(tuple, MODEL_DEPLOYED, RelationGetDescr(scan.rel), &isnull));
		if (isnull)
			row->deployed = 0;
		row->last_version = DatumGetInt32(column(&scan, tuple, MODEL_LAST_VERSION));
	}
	scan_end(&scan);
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
	TableScan scan;
	HeapTuple tuple;
	bool allowed = false;

	if (mren_catalog_is_owner(NameStr(row->owner)))
		return true;
	scan_open(&scan, "model_grant");
	scan_key(&scan, GRANT_MODEL, F_INT8EQ, Int64GetDatum(row->id));
	scan_begin(&scan, "model_grant_pkey");
	while (!allowed && HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		char *granted = TextDatumGetCString(column(&scan, tuple, GRANT_PRIVILEGE));
		char *grantee = NameStr(*DatumGetName(column(&scan, tuple, GRANT_GRANTEE)));
		Oid role = get_role_oid(grantee, true);
		int held = strcmp(granted, "admin") == 0
					   ? MREN_PRIVILEGE_ADMIN | MREN_PRIVILEGE_TRAIN | MREN_PRIVILEGE_PREDICT
				   : strcmp(granted, "train") == 0 ? MREN_PRIVILEGE_TRAIN
												   : MREN_PRIVILEGE_PREDICT;

		allowed =
			(held & privilege) != 0 && (strcmp(grantee, "public") == 0 ||
										(OidIsValid(role) && has_privs_of_role(GetUserId(), role)));
	}
	scan_end(&scan);
	return allowed;
}

void
mren_catalog_require(const char *name, MrenPrivilege privilege, MrenModelRow *row)
{
	static const char *const words[] = {[MREN_PRIVILEGE_PREDICT] = "predict",
										[MREN_PRIVILEGE_TRAIN] = "train",
										[MREN_PRIVILEGE_ADMIN] = "admin"};

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

static void
read_version(TableScan *scan, HeapTuple tuple, MrenVersionRow *row)
{
	bool isnull;
	Datum encoder;

	row->id = DatumGetInt64(column(scan, tuple, VERSION_ID));
	row->model = DatumGetInt64(column(scan, tuple, VERSION_MODEL));
	row->version = DatumGetInt32(column(scan, tuple, VERSION_VERSION));
	copy_hash(scan, column(scan, tuple, VERSION_SHA256), row->sha256);
	copy_hash(scan, column(scan, tuple, VERSION_EMBEDDINGS), row->embeddings);
	encoder = heap_getattr(tuple, VERSION_ENCODER, RelationGetDescr(scan->rel), &isnull);
	row->has_encoder = !isnull;
	if (!isnull)
		copy_hash(scan, encoder, row->encoder);
	row->head = DatumGetByteaPCopy(column(scan, tuple, VERSION_HEAD));
}

bool
mren_catalog_version_by_id(int64 id, MrenVersionRow *row)
{
	TableScan scan;
	HeapTuple tuple;

	scan_open(&scan, "model_version");
	scan_key(&scan, VERSION_ID, F_INT8EQ, Int64GetDatum(id));
	scan_begin(&scan, "model_version_pkey");
	tuple = scan_next(&scan);
	if (HeapTupleIsValid(tuple))
		read_version(&scan, tuple, row);
	scan_end(&scan);
	return HeapTupleIsValid(tuple);
}

bool
mren_catalog_version(int64 model, int32 version, MrenVersionRow *row)
{
	TableScan scan;
	HeapTuple tuple;

	scan_open(&scan, "model_version");
	scan_key(&scan, VERSION_MODEL, F_INT8EQ, Int64GetDatum(model));
	scan_key(&scan, VERSION_VERSION, F_INT4EQ, Int32GetDatum(version));
	scan_begin(&scan, "model_version_model_version_key");
	tuple = scan_next(&scan);
	if (HeapTupleIsValid(tuple))
		read_version(&scan, tuple, row);
	scan_end(&scan);
	return HeapTupleIsValid(tuple);
}

/* Hands a tensor over once all its parts are together. */
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
	TableScan scan;
	HeapTuple tuple;
	StringInfoData data;
	int tensor = -1;
	char *name = NULL;
	ArrayType *shape = NULL;

	initStringInfo(&data);
	scan_open(&scan, "weight");
	scan_key(&scan, WEIGHT_VERSION, F_INT8EQ, Int64GetDatum(version));
	scan_begin(&scan, "weight_pkey");
	while (HeapTupleIsValid(tuple = scan_next(&scan)))
	{
		int number = DatumGetInt32(column(&scan, tuple, WEIGHT_TENSOR));
		Datum stored;
		bytea *part;

		if (number != tensor)
		{
			visit_tensor(visit, state, tensor, name, shape, &data);
			tensor = number;
			name = TextDatumGetCString(column(&scan, tuple, WEIGHT_NAME));
			shape = DatumGetArrayTypePCopy(column(&scan, tuple, WEIGHT_SHAPE));
			resetStringInfo(&data);
		}
		stored = column(&scan, tuple, WEIGHT_DATA);
		part = DatumGetByteaPP(stored);
		appendBinaryStringInfo(&data, VARDATA_ANY(part), VARSIZE_ANY_EXHDR(part));
		if ((Pointer) part != DatumGetPointer(stored))
			pfree(part);
	}
	visit_tensor(visit, state, tensor, name, shape, &data);
	scan_end(&scan);
	pfree(data.data);
}

/*
 * Writing
 */

static uint64
execute_as_owner(const char *sql, int n, const Oid *types, const Datum *values, const char *nulls,
				 bool read_only)
{
	Relation rel = table_open(table_oid("model"), AccessShareLock);
	Oid owner = rel->rd_rel->relowner;
	Oid save_userid;
	int save_sec_context;
	int ret;

	table_close(rel, AccessShareLock);
	GetUserIdAndSecContext(&save_userid, &save_sec_context);
	/* An error restores both at the end of the (sub)transaction. */
	SetUserIdAndSecContext(owner,
						   save_sec_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	ret = SPI_execute_with_args(sql, n, (Oid *) types, (Datum *) values, nulls, read_only, 0);
	SetUserIdAndSecContext(save_userid, save_sec_context);
	if (ret < 0)
		elog(ERROR, "statement on mren's tables failed: %s", SPI_result_code_string(ret));
	return SPI_processed;
}

uint64
mren_catalog_write(const char *sql, int n, const Oid *types, const Datum *values, const char *nulls)
{
	return execute_as_owner(sql, n, types, values, nulls, false);
}

uint64
mren_catalog_read(const char *sql, int n, const Oid *types, const Datum *values, const char *nulls)
{
	return execute_as_owner(sql, n, types, values, nulls, true);
}

/*
 * Bulk insertion of words: through the heap and its indexes, without a
 * statement a row.
 */

struct MrenWordInsert
{
	Relation rel;
	CatalogIndexState indexes;
	int64 embedding;
	int32 dimension;
	MemoryContext row_context;
};

MrenWordInsert *
mren_catalog_words_begin(int64 embedding)
{
	MrenWordInsert *insert = palloc0(sizeof(MrenWordInsert));

	insert->rel = table_open(table_oid("embedding_word"), RowExclusiveLock);
	insert->indexes = CatalogOpenIndexes(insert->rel);
	insert->embedding = embedding;
	insert->row_context =
		AllocSetContextCreate(CurrentMemoryContext, "mren word", ALLOCSET_DEFAULT_SIZES);
	return insert;
}

void
mren_catalog_words_add(MrenWordInsert *insert, int32 id, const char *word, int len,
					   const float4 *vector, int n)
{
	MemoryContext old = MemoryContextSwitchTo(insert->row_context);
	Datum values[4];
	bool nulls[4] = {false, false, false, false};
	Datum *numbers = palloc(n * sizeof(Datum));
	char *server;

	for (int i = 0; i < n; i++)
		numbers[i] = Float4GetDatum(vector[i]);
	values[WORD_EMBEDDING - 1] = Int64GetDatum(insert->embedding);
	values[WORD_ID - 1] = Int32GetDatum(id);
	server = pg_any_to_server(word, len, PG_UTF8);
	values[WORD_WORD - 1] = PointerGetDatum(server == word ? cstring_to_text_with_len(word, len)
														   : cstring_to_text(server));
	values[WORD_VECTOR - 1] =
		PointerGetDatum(construct_array(numbers, n, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT));
	CatalogTupleInsertWithInfo(insert->rel,
							   heap_form_tuple(RelationGetDescr(insert->rel), values, nulls),
							   insert->indexes);
	MemoryContextSwitchTo(old);
	MemoryContextReset(insert->row_context);
}

void
mren_catalog_words_end(MrenWordInsert *insert)
{
	CatalogCloseIndexes(insert->indexes);
	table_close(insert->rel, NoLock);
	MemoryContextDelete(insert->row_context);
	pfree(insert);
}

bytea *
mren_catalog_hash_datum(const uint8 *sha256)
{
	return (bytea *) cstring_to_text_with_len((const char *) sha256, MREN_SHA256_LENGTH);
}
