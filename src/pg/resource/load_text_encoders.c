/*
 * load_text_encoders.c
 *	  mren.load_text_encoder, drop_text_encoder.
 *
 * What is stored, and hashed to the encoder's identity, is the canonical form of
 * transformer/file/stored_encoder.h.  It is made twice, once for the hash and once for the
 * table, so that it is never in memory as a whole beside the files.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/catalog/catalog.h"
#include "pg/catalog/catalog_parts.h"
#include "pg/model/models.h"
#include "pg/resource/content.h"
#include "pg/support/args.h"
#include "pg/support/digest.h"
#include "pg/support/load_input.h"
#include "pg/support/pg_env.h"
#include "pg/support/settings.h"
#include "pg/support/shared_files.h"
#include "transformer/file/encoder_tokenizer.h"
#include "transformer/file/stored_encoder.h"

typedef struct Loading
{
	const char *name;
	MrenEnv env; /* of a context that goes with the call's */
	MrenTransformerFiles files;
	MrenTransformerSource source;
	int64 size;
	uint8 sha256[MREN_SHA256_LENGTH];
} Loading;

static size_t
limit(void)
{
	return (size_t) mren_max_encoder_memory * 1024;
}

/* The names that the option text_encoder has for what it was before. */
static void
check_name(const char *name)
{
	mren_check_name("name", name);
	if (strcmp(name, "pool") == 0 || strcmp(name, "conv") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("text encoder name \"%s\" is reserved", name),
				 errdetail("The option \"text_encoder\" gives \"pool\" and \"conv\" a meaning of "
						   "their own.")));
}

/* A file of a directory, whose name is known to be that of a file of an encoder. */
static void
read_file(Loading *loading, const char *path, const char *name, size_t *total)
{
	MrenLoadInput *input;
	MrenTransformerFile *file;
	struct stat status;
	size_t done = 0;
	size_t n;
	MrenError err;

	if (stat(path, &status) != 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not stat file \"%s\": %m", path)));
	/* Opening a pipe would wait for whoever writes to it. */
	if (!S_ISREG(status.st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a regular file", path)));
	*total += status.st_size;
	if (*total > limit())
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the files of the encoder exceed the maximum size of %zu bytes", limit()),
				 errhint("The maximum size is set by %s.", "mren.max_encoder_memory")));
	MREN_PG_CALL(err, mren_transformer_files_add(&loading->env, &loading->files, name,
												 status.st_size, &file, &err));
	input = mren_load_input_file(path);
	while (done < file->len &&
		   (n = mren_load_input_read(input, file->bytes + done,
									 Min(file->len - done, MREN_PART_BYTES))) > 0)
		done += n;
	file->len = done;
	mren_load_input_close(input);
}

/* Links are followed, as those of a download's cache must be. */
static void
read_directory(Loading *loading, const char *path)
{
	DIR *dir = AllocateDir(path);
	struct dirent *entry;
	size_t total = 0;
	bool whole = false;

	while ((entry = ReadDir(dir, path)) != NULL)
		whole |= strcmp(entry->d_name, "model.safetensors") == 0;
	FreeDir(dir);
	dir = AllocateDir(path);
	while ((entry = ReadDir(dir, path)) != NULL)
	{
		/* Where the weights are in one file, those in parts are not read. */
		if (mren_transformer_file_wanted(entry->d_name) &&
			!(whole && strncmp(entry->d_name, "model-", 6) == 0))
			read_file(loading, psprintf("%s/%s", path, entry->d_name), entry->d_name, &total);
	}
	FreeDir(dir);
}

static void
read_archive(Loading *loading, MrenLoadInput *input)
{
	size_t len;
	uint8 *bytes = mren_load_input_all(input, limit(), "mren.max_encoder_memory", &len);
	MrenError err;

	mren_load_input_close(input);
	if (mren_transformer_archive_read(&loading->env, bytes, len, limit(), &loading->files, &err) !=
		MREN_OK)
	{
		if (err.status == MREN_ELIMIT)
			mren_error_hint(&err, "The maximum size is set by mren.max_encoder_memory.");
		mren_pg_raise(&err);
	}
	pfree(bytes);
}

static MrenStatus
hash_bytes(void *state, const void *bytes, size_t n, MrenError *err)
{
	mren_digest_add(state, bytes, n);
	return MREN_OK;
}

static MrenStatus
count_bytes(void *state, const void *bytes, size_t n, MrenError *err)
{
	*(int64 *) state += n;
	return MREN_OK;
}

static void
store(Loading *loading, MrenStatus (*put)(void *, const void *, size_t, MrenError *), void *state)
{
	MrenByteSink sink = {state, put};
	MrenError err;

	MREN_PG_CALL(err, mren_transformer_store(&loading->env, &loading->source, &sink, &err));
}

/* An encoder whose tokenizer cannot be used, or does not fit, is not loaded. */
static void
check_tokenizer(Loading *loading)
{
	const MrenTransformerSource *source = &loading->source;
	MrenTokenizerFile file = {source->tokenizer, &source->vocab, source->tokenizer_file->bytes,
							  source->tokenizer_file->len};
	MrenSubwordTokenizer *tokenizer;
	MrenError err;

	MREN_PG_CALL(
		err, mren_transformer_tokenizer(&loading->env, &file, &source->config, &tokenizer, &err));
	mren_subword_free(&loading->env, tokenizer);
}

/* Checks the files and computes what identifies them. */
static void
inspect(Loading *loading)
{
	pg_cryptohash_ctx *digest;
	MrenError err;

	MREN_PG_CALL(
		err, mren_transformer_source_open(&loading->env, &loading->files, &loading->source, &err));
	if (loading->source.warning[0] != '\0')
		ereport(WARNING, (errmsg("%s", loading->source.warning),
						  errdetail("The text encoder is used as tokenizer.json says.")));
	check_tokenizer(loading);
	store(loading, count_bytes, &loading->size);
	digest = mren_digest_begin();
	store(loading, hash_bytes, digest);
	mren_digest_end(digest, loading->sha256);
}

static int64
insert_encoder(const Loading *loading)
{
	const MrenTransformerConfig *config = &loading->source.config;
	Oid types[] = {TEXTOID, NAMEOID, TEXTOID, INT4OID, INT4OID, INT4OID,
				   INT8OID, INT4OID, INT4OID, TEXTOID, INT8OID, BYTEAOID};
	Datum values[12];

	values[0] = CStringGetTextDatum(loading->name);
	values[1] = mren_current_user_name();
	values[2] = CStringGetTextDatum(mren_transformer_architecture_name(config->architecture));
	values[3] = Int32GetDatum(config->layers);
	values[4] = Int32GetDatum(config->width);
	values[5] = Int32GetDatum(config->heads);
	values[6] = Int64GetDatum(mren_transformer_parameters(config));
	values[7] = Int32GetDatum(mren_transformer_max_tokens(config));
	values[8] = Int32GetDatum(config->vocabulary);
	values[9] = CStringGetTextDatum(loading->source.tokenizer_file->name);
	values[10] = Int64GetDatum(loading->size);
	values[11] = PointerGetDatum(mren_digest_bytea(loading->sha256));
	return mren_content_insert(
		&mren_content_text_encoder, loading->name,
		"INSERT INTO mren.text_encoder (name, owner, architecture, layers, width, heads, "
		"parameters, positions, vocabulary, tokenizer, size, sha256, loaded_at) "
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, pg_catalog.now())",
		12, types, values);
}

/* The part that is being filled. */
typedef struct Parts
{
	int64 encoder;
	int32 part;
	bytea *bytes; /* of MREN_PART_BYTES */
	size_t used;
} Parts;

static void
insert_part(Parts *parts)
{
	SET_VARSIZE(parts->bytes, VARHDRSZ + parts->used);
	mren_part_write("text_encoder", parts->encoder, parts->part++, parts->bytes);
	parts->used = 0;
}

static MrenStatus
put_bytes(void *state, const void *bytes, size_t n, MrenError *err)
{
	Parts *parts = state;

	while (n > 0)
	{
		size_t m = Min(n, MREN_PART_BYTES - parts->used);

		memcpy(VARDATA(parts->bytes) + parts->used, bytes, m);
		parts->used += m;
		bytes = (const char *) bytes + m;
		n -= m;
		if (parts->used == MREN_PART_BYTES)
		{
			CHECK_FOR_INTERRUPTS();
			insert_part(parts);
		}
	}
	return MREN_OK;
}

static void
insert(Loading *loading)
{
	Parts parts = {.bytes = palloc(VARHDRSZ + MREN_PART_BYTES)};

	parts.encoder = insert_encoder(loading);
	store(loading, put_bytes, &parts);
	if (parts.used > 0)
		insert_part(&parts);
}

static void
read_source(Loading *loading, FunctionCallInfo fcinfo, MrenLoadKind kind)
{
	if (kind == MREN_LOAD_PATH)
	{
		const char *path = mren_arg_text(fcinfo, 1, "path");

		if (mren_load_is_directory(path))
		{
			read_directory(loading, path);
			return;
		}
	}
	read_archive(loading, mren_load_input_arg(fcinfo, 1, kind));
}

/* Arguments: name, source.  Returns the dimension. */
static Datum
load(FunctionCallInfo fcinfo, MrenLoadKind kind)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "mren text encoder", ALLOCSET_DEFAULT_SIZES);
	Loading loading = {.name = mren_arg_text(fcinfo, 0, "name"), .env = mren_pg_env(context)};
	MrenTextEncoderRow row;

	check_name(loading.name);
	if (mren_catalog_text_encoder(loading.name, &row))
		mren_content_exists(&mren_content_text_encoder, loading.name);
	read_source(&loading, fcinfo, kind);
	inspect(&loading);
	mren_models_begin("mren.load_text_encoder()");
	insert(&loading);
	mren_models_end();
	MemoryContextDelete(context);
	PG_RETURN_INT32((int32) loading.source.config.width);
}

PG_FUNCTION_INFO_V1(mren_load_text_encoder);
/* mren.load_text_encoder(name, path) → int */
Datum
mren_load_text_encoder(PG_FUNCTION_ARGS)
{
	return load(fcinfo, MREN_LOAD_PATH);
}

PG_FUNCTION_INFO_V1(mren_load_text_encoder_bytea);
/* mren.load_text_encoder(name, contents bytea) → int */
Datum
mren_load_text_encoder_bytea(PG_FUNCTION_ARGS)
{
	return load(fcinfo, MREN_LOAD_CONTENTS);
}

PG_FUNCTION_INFO_V1(mren_load_text_encoder_large_object);
/* mren.load_text_encoder(name, large_object oid) → int */
Datum
mren_load_text_encoder_large_object(PG_FUNCTION_ARGS)
{
	return load(fcinfo, MREN_LOAD_LARGE_OBJECT);
}

PG_FUNCTION_INFO_V1(mren_drop_text_encoder);
/* mren.drop_text_encoder(name) → void */
Datum
mren_drop_text_encoder(PG_FUNCTION_ARGS)
{
	char *name = mren_arg_text(fcinfo, 0, "name");
	MrenTextEncoderRow row;

	mren_catalog_need_text_encoder(name, &row);
	mren_content_drop(&mren_content_text_encoder, name, row.id, NameStr(row.owner), row.sha256);
	mren_shared_drop(MREN_SHARED_TEXT_ENCODER, row.sha256);
	mren_shared_drop(MREN_SHARED_TOKENIZER, row.sha256);
	PG_RETURN_VOID();
}
