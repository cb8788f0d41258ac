/*
 * load_embeddings.c
 *	  mren.load_embeddings, mren.drop_embeddings, mren.word_vector.
 *
 * A set is loaded in one transaction or not at all.  Its SHA-256 is over
 * dimension, words and vectors in order, so the same vectors in word2vec's
 * binary and in text form are the same embeddings.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/catalog/catalog.h"
#include "pg/model/models.h"
#include "pg/resource/content.h"
#include "pg/resource/words.h"
#include "pg/support/args.h"
#include "pg/support/digest.h"
#include "pg/support/load_input.h"
#include "pg/support/pg_env.h"
#include "pg/support/settings.h"
#include "text/spelling.h"
#include "text/vectors/vector_file.h"

#define CHUNK (256 * 1024)

typedef struct Loading
{
	MrenWordInsert *insert;
	pg_cryptohash_ctx *digest;
	int64 n_words;
	int64 n_unwritable; /* of them, words that the database's encoding cannot represent */
} Loading;

/* Words and floats enter the hash in a form that does not depend on the machine. */
static MrenStatus
load_word(void *state, const char *word, size_t len, const float *vector, size_t dim,
		  MrenError *err)
{
	Loading *loading = state;
	uint8 head[8] = {len & 0xFF, (len >> 8) & 0xFF, 0, 0, dim & 0xFF, (dim >> 8) & 0xFF, 0, 0};

	if (loading->n_words >= INT32_MAX)
		return mren_fail(err, MREN_ELIMIT, "embeddings have more than %d words", INT32_MAX);
	mren_digest_add(loading->digest, head, sizeof(head));
	mren_digest_add(loading->digest, word, len);
#ifdef WORDS_BIGENDIAN
	for (size_t i = 0; i < dim; i++)
	{
		uint32 bits;

		memcpy(&bits, &vector[i], sizeof(bits));
		bits = pg_bswap32(bits);
		mren_digest_add(loading->digest, &bits, sizeof(bits));
	}
#else
	mren_digest_add(loading->digest, vector, dim * sizeof(float));
#endif
	if (!mren_catalog_words_add(loading->insert, (int32) loading->n_words, word, len, vector, dim))
		loading->n_unwritable++;
	loading->n_words++;
	return MREN_OK;
}

/* The reader's memory is the current context's, so that an error frees it. */
static void
read_vectors(MrenLoadInput *input, MrenVectorFormat format, int64 max_words, Loading *loading,
			 MrenVectorFileInfo *info)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenVectorSink sink = {loading, load_word};
	MrenVectorReader *reader;
	MrenError err;
	uint8 *chunk = palloc(CHUNK);
	size_t n;

	MREN_PG_CALL(err, mren_vector_reader_open(&env, format, max_words, mren_skip_bad_words, &sink,
											  &reader, &err));
	while (!mren_vector_reader_enough(reader) &&
		   (n = mren_load_input_read(input, chunk, CHUNK)) > 0)
		MREN_PG_CALL(err, mren_vector_reader_feed(reader, chunk, n, &err));
	MREN_PG_CALL(err, mren_vector_reader_finish(reader, info, &err));
	mren_vector_reader_close(reader);
	pfree(chunk);
}

static int64
next_id(void)
{
	bool isnull;

	mren_catalog_write("SELECT pg_catalog.nextval('mren.embedding_id')", 0, NULL, NULL, NULL);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

static void
insert_set(int64 id, const char *name, const Loading *loading, const MrenVectorFileInfo *info,
		   const uint8 *sha256)
{
	Oid types[] = {INT8OID, TEXTOID, NAMEOID, INT4OID, INT8OID, TEXTOID, BYTEAOID};
	Datum values[7];

	values[0] = Int64GetDatum(id);
	values[1] = CStringGetTextDatum(name);
	values[2] = mren_current_user_name();
	values[3] = Int32GetDatum((int32) info->dim);
	values[4] = Int64GetDatum(loading->n_words);
	values[5] = CStringGetTextDatum(mren_vector_format_name(info->format));
	values[6] = PointerGetDatum(mren_digest_bytea(sha256));
	mren_content_insert(
		&mren_content_embeddings, name,
		"INSERT INTO mren.embedding (id, name, owner, dimension, words, format, sha256, loaded_at) "
		"VALUES ($1, $2, $3, $4, $5, $6, $7, pg_catalog.now())",
		7, types, values);
}

/* The words that were not loaded: how many, and the first ones that are bad. */
static void
report_skipped(const MrenVectorFileInfo *info, int64 n_unwritable)
{
	StringInfoData bad;

	if (n_unwritable > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld word was skipped because encoding %s cannot represent it",
							   "%lld words were skipped because encoding %s cannot represent them",
							   (unsigned long) n_unwritable, (long long) n_unwritable,
							   GetDatabaseEncodingName())));
	if (info->n_duplicates > 0)
		ereport(NOTICE, (errmsg_plural(
							"%lld repeated word was skipped", "%lld repeated words were skipped",
							(unsigned long) info->n_duplicates, (long long) info->n_duplicates)));
	if (info->n_bad == 0)
		return;
	initStringInfo(&bad);
	for (int i = 0; i < Min(info->n_bad, MREN_VECTORS_SHOWN); i++)
		appendStringInfo(&bad, "%s%s", i > 0 ? "\n" : "",
						 pg_any_to_server(info->bad[i], strlen(info->bad[i]), PG_UTF8));
	ereport(NOTICE, (errmsg_plural("%lld bad word was skipped", "%lld bad words were skipped",
								   (unsigned long) info->n_bad, (long long) info->n_bad),
					 errdetail_internal("%s", bad.data)));
}

static int64
load_embeddings(const char *name, MrenLoadInput *input, const char *format_name, int64 max_words)
{
	Loading loading = {0};
	MrenVectorFormat format;
	MrenVectorFileInfo info;
	MrenEmbeddingRow row;
	MrenError err;
	uint8 sha256[MREN_SHA256_LENGTH];
	int64 id;

	/* Refuses a database whose encoding is unknown. */
	mren_pg_utf8("", 0);
	MREN_PG_CALL(err, mren_vector_format_parse(format_name, &format, &err));
	if (mren_catalog_embedding(name, &row))
		mren_content_exists(&mren_content_embeddings, name);
	mren_models_begin("mren.load_embeddings()");
	id = next_id();
	loading.insert = mren_catalog_words_begin(id);
	loading.digest = mren_digest_begin();
	read_vectors(input, format, max_words, &loading, &info);
	mren_digest_end(loading.digest, sha256);
	mren_catalog_words_end(loading.insert);
	insert_set(id, name, &loading, &info, sha256);
	mren_models_end();
	report_skipped(&info, loading.n_unwritable);
	return loading.n_words;
}

static char *
name_arg(FunctionCallInfo fcinfo)
{
	char *name = mren_arg_text(fcinfo, 0, "name");

	mren_check_name("name", name);
	return name;
}

static int64
max_words_arg(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(3))
		return -1;
	if (PG_GETARG_INT32(3) < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_words must be at least 1, not %d", PG_GETARG_INT32(3)),
						errhint("Specify the number of words to load, or NULL for all of them.")));
	return PG_GETARG_INT32(3);
}

static Datum
load(FunctionCallInfo fcinfo, MrenLoadKind kind)
{
	MrenLoadInput *input = mren_load_input_arg(fcinfo, 1, kind);
	int64 n = load_embeddings(name_arg(fcinfo), input, mren_arg_text(fcinfo, 2, "format"),
							  max_words_arg(fcinfo));

	mren_load_input_close(input);
	PG_RETURN_INT64(n);
}

PG_FUNCTION_INFO_V1(mren_load_embeddings);
/* mren.load_embeddings(name, path, format, max_words) → bigint */
Datum
mren_load_embeddings(PG_FUNCTION_ARGS)
{
	return load(fcinfo, MREN_LOAD_PATH);
}

PG_FUNCTION_INFO_V1(mren_load_embeddings_bytea);
/* mren.load_embeddings(name, contents bytea, format, max_words) → bigint */
Datum
mren_load_embeddings_bytea(PG_FUNCTION_ARGS)
{
	return load(fcinfo, MREN_LOAD_CONTENTS);
}

PG_FUNCTION_INFO_V1(mren_load_embeddings_large_object);
/* mren.load_embeddings(name, large_object oid, format, max_words) → bigint */
Datum
mren_load_embeddings_large_object(PG_FUNCTION_ARGS)
{
	return load(fcinfo, MREN_LOAD_LARGE_OBJECT);
}

PG_FUNCTION_INFO_V1(mren_drop_embeddings);
/* mren.drop_embeddings(name) → void */
Datum
mren_drop_embeddings(PG_FUNCTION_ARGS)
{
	char *name = mren_arg_text(fcinfo, 0, "name");
	MrenEmbeddingRow row;

	mren_catalog_need_embedding(name, &row);
	mren_content_drop(&mren_content_embeddings, name, row.id, NameStr(row.owner), row.sha256);
	mren_words_dropped(&row);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(mren_word_vector);
/* mren.word_vector(embeddings, word) → real[]: NULL for a word that is not loaded. */
Datum
mren_word_vector(PG_FUNCTION_ARGS)
{
	char *name = mren_arg_text(fcinfo, 0, "embeddings");
	MrenVocabulary vocabulary;
	MrenWordVectors vectors;
	MrenEmbeddingRow row;
	MrenWords *words;
	MrenError err;
	MrenTextSpan word;
	int32 slot;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	mren_catalog_need_embedding(name, &row);
	words = mren_words_open(&row);
	mren_words_begin(words);
	mren_words_slots(words, &vocabulary, &vectors);
	word = mren_pg_utf8(VARDATA_ANY(PG_GETARG_TEXT_PP(1)), VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(1)));
	MREN_PG_CALL(err, mren_vocabulary_lookup(&vocabulary, word.data, word.len, &slot, NULL, &err));
	if (slot < 0)
		PG_RETURN_NULL();
	PG_RETURN_ARRAYTYPE_P(mren_real_array(mren_words_vector(words, slot), row.dimension));
}
