/*
 * catalog_words.c
 *	  Embeddings and their words in the catalog.
 */
#include "pg/catalog/catalog.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

#include "pg/catalog/catalog_scan.h"
#include "pg/support/args.h"
#include "pg/support/pg_env.h"

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

static void
read_embedding(MrenTableScan *scan, HeapTuple tuple, MrenEmbeddingRow *row, char **name)
{
	row->id = DatumGetInt64(mren_scan_column(scan, tuple, EMB_ID));
	row->owner = *DatumGetName(mren_scan_column(scan, tuple, EMB_OWNER));
	row->dimension = DatumGetInt32(mren_scan_column(scan, tuple, EMB_DIMENSION));
	row->words = DatumGetInt64(mren_scan_column(scan, tuple, EMB_WORDS));
	mren_scan_hash(scan, mren_scan_column(scan, tuple, EMB_SHA256), row->sha256);
	if (name != NULL)
		*name = TextDatumGetCString(mren_scan_column(scan, tuple, EMB_NAME));
}

bool
mren_catalog_embedding(const char *name, MrenEmbeddingRow *row)
{
	MrenTableScan scan;
	HeapTuple tuple;

	mren_scan_open(&scan, "embedding");
	mren_scan_key_text(&scan, EMB_NAME, CStringGetTextDatum(name));
	mren_scan_begin(&scan, "embedding_name_key");
	tuple = mren_scan_next(&scan);
	if (HeapTupleIsValid(tuple))
		read_embedding(&scan, tuple, row, NULL);
	mren_scan_end(&scan);
	return HeapTupleIsValid(tuple);
}

void
mren_catalog_need_embedding(const char *name, MrenEmbeddingRow *row)
{
	mren_check_name_length(name);
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
	MrenTableScan scan;
	HeapTuple tuple;
	bool found = false;

	mren_scan_open(&scan, "embedding");
	mren_scan_begin(&scan, NULL);
	while (!found && HeapTupleIsValid(tuple = mren_scan_next(&scan)))
	{
		read_embedding(&scan, tuple, row, name);
		found = memcmp(row->sha256, sha256, MREN_SHA256_LENGTH) == 0;
	}
	mren_scan_end(&scan);
	return found;
}

int
mren_catalog_count_embeddings(char **name)
{
	return mren_scan_count("embedding", EMB_NAME, name);
}

bool
mren_catalog_word(int64 embedding, int32 dimension, const char *word, int len, int32 *id,
				  float4 *vector)
{
	MrenTableScan scan;
	HeapTuple tuple;
	char *server = pg_any_to_server(word, len, PG_UTF8);
	text *key = server == word ? cstring_to_text_with_len(word, len) : cstring_to_text(server);

	mren_scan_open(&scan, "embedding_word");
	mren_scan_key(&scan, WORD_EMBEDDING, F_INT8EQ, Int64GetDatum(embedding));
	mren_scan_key_text(&scan, WORD_WORD, PointerGetDatum(key));
	mren_scan_begin(&scan, "embedding_word_word");
	tuple = mren_scan_next(&scan);
	if (HeapTupleIsValid(tuple))
	{
		*id = DatumGetInt32(mren_scan_column(&scan, tuple, WORD_ID));
		if (vector != NULL)
			mren_scan_floats(&scan, mren_scan_column(&scan, tuple, WORD_VECTOR), dimension, vector);
	}
	mren_scan_end(&scan);
	pfree(key);
	return HeapTupleIsValid(tuple);
}

bool
mren_catalog_word_by_id(int64 embedding, int32 dimension, int32 id, float4 *vector)
{
	MrenTableScan scan;
	HeapTuple tuple;

	mren_scan_open(&scan, "embedding_word");
	mren_scan_key(&scan, WORD_EMBEDDING, F_INT8EQ, Int64GetDatum(embedding));
	mren_scan_key(&scan, WORD_ID, F_INT4EQ, Int32GetDatum(id));
	mren_scan_begin(&scan, "embedding_word_id");
	tuple = mren_scan_next(&scan);
	if (HeapTupleIsValid(tuple))
		mren_scan_floats(&scan, mren_scan_column(&scan, tuple, WORD_VECTOR), dimension, vector);
	mren_scan_end(&scan);
	return HeapTupleIsValid(tuple);
}

void
mren_catalog_words(int64 embedding, int32 dimension, MrenWordVisitor visit, void *state)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "mren word", ALLOCSET_DEFAULT_SIZES);
	float4 *vector = palloc(dimension * sizeof(float4));
	MrenTableScan scan;
	HeapTuple tuple;

	mren_scan_open(&scan, "embedding_word");
	mren_scan_key(&scan, WORD_EMBEDDING, F_INT8EQ, Int64GetDatum(embedding));
	mren_scan_begin(&scan, "embedding_word_id");
	while (HeapTupleIsValid(tuple = mren_scan_next(&scan)))
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		MrenTextSpan word = mren_datum_utf8(mren_scan_column(&scan, tuple, WORD_WORD));

		CHECK_FOR_INTERRUPTS();
		mren_scan_floats(&scan, mren_scan_column(&scan, tuple, WORD_VECTOR), dimension, vector);
		visit(state, word.data, word.len, DatumGetInt32(mren_scan_column(&scan, tuple, WORD_ID)),
			  vector);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	}
	mren_scan_end(&scan);
	MemoryContextDelete(context);
	pfree(vector);
}

/*
 * Bulk insertion of words: through the heap and its indexes, without a
 * statement for each row.
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

	insert->rel = mren_table_open("embedding_word", RowExclusiveLock);
	insert->indexes = CatalogOpenIndexes(insert->rel);
	insert->embedding = embedding;
	insert->row_context =
		AllocSetContextCreate(CurrentMemoryContext, "mren word", ALLOCSET_DEFAULT_SIZES);
	return insert;
}

/* In the database's encoding; NULL if it has no such characters. */
static text *
word_text(const char *word, int len)
{
	int encoding = GetDatabaseEncoding();
	char *converted;
	Oid function;

	if (encoding == PG_UTF8)
		return cstring_to_text_with_len(word, len);
	function = FindDefaultConversionProc(PG_UTF8, encoding);
	if (!OidIsValid(function))
		ereport(
			ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("default conversion function for encoding \"UTF8\" to \"%s\" does not exist",
					pg_encoding_to_char(encoding))));
	converted = palloc(len * MAX_CONVERSION_GROWTH + 1);
	if (pg_do_encoding_conversion_buf(function, PG_UTF8, encoding, (unsigned char *) word, len,
									  (unsigned char *) converted, len * MAX_CONVERSION_GROWTH + 1,
									  true) < len)
		return NULL;
	return cstring_to_text(converted);
}

bool
mren_catalog_words_add(MrenWordInsert *insert, int32 id, const char *word, int len,
					   const float4 *vector, int n)
{
	MemoryContext old = MemoryContextSwitchTo(insert->row_context);
	text *word_datum = word_text(word, len);
	Datum values[4];
	bool nulls[4] = {false, false, false, false};

	if (word_datum != NULL)
	{
		values[WORD_EMBEDDING - 1] = Int64GetDatum(insert->embedding);
		values[WORD_ID - 1] = Int32GetDatum(id);
		values[WORD_WORD - 1] = PointerGetDatum(word_datum);
		values[WORD_VECTOR - 1] = PointerGetDatum(mren_real_array(vector, n));
		CatalogTupleInsertWithInfo(insert->rel,
								   heap_form_tuple(RelationGetDescr(insert->rel), values, nulls),
								   insert->indexes);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(insert->row_context);
	return word_datum != NULL;
}

void
mren_catalog_words_end(MrenWordInsert *insert)
{
	CatalogCloseIndexes(insert->indexes);
	table_close(insert->rel, NoLock);
	MemoryContextDelete(insert->row_context);
	pfree(insert);
}
