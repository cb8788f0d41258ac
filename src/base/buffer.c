/*
 * buffer.c
 *	  Growing bytes and little-endian numbers.
 */
#include "base/buffer.h"

#include <string.h>

#include "base/size.h"

MrenStatus
mren_buffer_reserve(const MrenEnv *env, MrenBuffer *buffer, size_t n, MrenError *err)
{
	size_t needed;

	if (!mren_size_add(buffer->len, n, &needed))
		return mren_fail_nomem(err);
	return mren_grow(env, &buffer->data, &buffer->capacity, buffer->len, needed, 1, err);
}

MrenStatus
mren_buffer_append(const MrenEnv *env, MrenBuffer *buffer, const void *bytes, size_t n,
				   MrenError *err)
{
	MREN_TRY(mren_buffer_reserve(env, buffer, n, err));
	mren_buffer_put_bytes(buffer, bytes, n);
	return MREN_OK;
}

void
mren_buffer_free(const MrenEnv *env, MrenBuffer *buffer)
{
	mren_release(env, buffer->data);
	memset(buffer, 0, sizeof(*buffer));
}

void
mren_buffer_put_u8(MrenBuffer *buffer, uint8_t value)
{
	buffer->data[buffer->len++] = value;
}

void
mren_buffer_put_u32(MrenBuffer *buffer, uint32_t value)
{
	for (int shift = 0; shift < 32; shift += 8)
		mren_buffer_put_u8(buffer, (uint8_t) (value >> shift));
}

void
mren_buffer_put_u64(MrenBuffer *buffer, uint64_t value)
{
	for (int shift = 0; shift < 64; shift += 8)
		mren_buffer_put_u8(buffer, (uint8_t) (value >> shift));
}

void
mren_buffer_put_f32(MrenBuffer *buffer, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	mren_buffer_put_u32(buffer, bits);
}

void
mren_buffer_put_f64(MrenBuffer *buffer, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	mren_buffer_put_u64(buffer, bits);
}

void
mren_buffer_put_bytes(MrenBuffer *buffer, const void *bytes, size_t n)
{
	if (n > 0)
		memcpy(buffer->data + buffer->len, bytes, n);
	buffer->len += n;
}

void
mren_buffer_put_zeros(MrenBuffer *buffer, size_t n)
{
	if (n > 0)
		memset(buffer->data + buffer->len, 0, n);
	buffer->len += n;
}

void
mren_buffer_put_floats(MrenBuffer *buffer, const float *values, size_t n)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	mren_buffer_put_bytes(buffer, values, n * sizeof(float));
#else
	for (size_t i = 0; i < n; i++)
		mren_buffer_put_f32(buffer, values[i]);
#endif
}

size_t
mren_cursor_left(const MrenCursor *cursor)
{
	return cursor->failed ? 0 : (size_t) (cursor->end - cursor->at);
}

const uint8_t *
mren_cursor_bytes(MrenCursor *cursor, size_t n)
{
	const uint8_t *bytes = cursor->at;

	if (mren_cursor_left(cursor) < n)
	{
		cursor->failed = true;
		return NULL;
	}
	cursor->at += n;
	return bytes;
}

uint8_t
mren_cursor_u8(MrenCursor *cursor)
{
	const uint8_t *b = mren_cursor_bytes(cursor, 1);

	return b != NULL ? b[0] : 0;
}

uint32_t
mren_cursor_u32(MrenCursor *cursor)
{
	const uint8_t *b = mren_cursor_bytes(cursor, 4);

	if (b == NULL)
		return 0;
	return (uint32_t) b[0] | (uint32_t) b[1] << 8 | (uint32_t) b[2] << 16 | (uint32_t) b[3] << 24;
}

uint64_t
mren_cursor_u64(MrenCursor *cursor)
{
	uint64_t low = mren_cursor_u32(cursor);
	uint64_t high = mren_cursor_u32(cursor);

	return cursor->failed ? 0 : low | high << 32;
}

float
mren_cursor_f32(MrenCursor *cursor)
{
	uint32_t bits = mren_cursor_u32(cursor);
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

double
mren_cursor_f64(MrenCursor *cursor)
{
	uint64_t bits = mren_cursor_u64(cursor);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

bool
mren_cursor_floats(MrenCursor *cursor, float *out, size_t n)
{
	if (mren_cursor_left(cursor) / sizeof(float) < n)
	{
		cursor->failed = true;
		return false;
	}
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (n > 0)
		memcpy(out, cursor->at, n * sizeof(float));
	cursor->at += n * sizeof(float);
#else
	for (size_t i = 0; i < n; i++)
		out[i] = mren_cursor_f32(cursor);
#endif
	return true;
}
