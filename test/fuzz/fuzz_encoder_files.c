/*
 * fuzz_encoder_files.c
 *	  Any bytes as an archive of an encoder's files, and as an encoder that was stored.
 *
 * The first byte says which.  An archive that holds an encoder is stored and read again.
 */
#include "fuzz.h"

#include <string.h>

#include "base/buffer.h"
#include "transformer/file/stored_encoder.h"

typedef struct Bytes
{
	const MrenEnv *env;
	MrenBuffer buffer;
	MrenCursor cursor;
} Bytes;

static MrenStatus
put(void *state, const void *data, size_t n, MrenError *err)
{
	Bytes *bytes = state;

	return mren_buffer_append(bytes->env, &bytes->buffer, data, n, err);
}

static MrenStatus
get(void *state, void *out, size_t n, MrenError *err)
{
	Bytes *bytes = state;
	const uint8_t *at = mren_cursor_bytes(&bytes->cursor, n);

	if (at == NULL)
		return mren_fail(err, MREN_EFORMAT, "the bytes end");
	if (n > 0)
		memcpy(out, at, n);
	return MREN_OK;
}

static MrenStatus
restore(const MrenEnv *env, Bytes *bytes, MrenError *err)
{
	MrenByteSource source = {bytes, get};
	MrenStoredEncoder encoder;
	MrenStatus status = mren_transformer_restore(env, &source, true, &encoder, err);

	if (status == MREN_OK)
		mren_transformer_stored_close(env, &encoder);
	return status;
}

static MrenStatus
unpack(const MrenEnv *env, const uint8_t *data, size_t size, MrenError *err)
{
	MrenTransformerFiles files = {NULL};
	MrenTransformerSource source;
	Bytes bytes = {.env = env};
	MrenByteSink sink = {&bytes, put};
	MrenStatus status =
		mren_transformer_archive_read(env, data, size, (size_t) 1 << 20, &files, err);

	if (status == MREN_OK)
	{
		status = mren_transformer_source_open(env, &files, &source, err);
		if (status == MREN_OK)
		{
			if (mren_transformer_store(env, &source, &sink, err) != MREN_OK)
				abort();
			bytes.cursor =
				(MrenCursor){bytes.buffer.data, bytes.buffer.data + bytes.buffer.len, false};
			if (restore(env, &bytes, err) != MREN_OK)
				abort();
			mren_transformer_source_close(env, &source);
		}
	}
	mren_buffer_free(env, &bytes.buffer);
	mren_transformer_files_close(env, &files);
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzEnv fuzz;
	const MrenEnv *env = fuzz_env(&fuzz, (size_t) 64 << 20);
	Bytes bytes = {.env = env};
	MrenError err = {0};
	MrenStatus status;

	if (size == 0)
		return 0;
	bytes.cursor.at = data + 1;
	bytes.cursor.end = data + size;
	status = data[0] == 's' ? restore(env, &bytes, &err) : unpack(env, data + 1, size - 1, &err);
	if (status != MREN_OK && strlen(err.message) == 0)
		abort();
	fuzz_done(&fuzz);
	return 0;
}
