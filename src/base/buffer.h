/*
 * buffer.h
 *	  A growing run of bytes, and the little-endian numbers written to and
 *	  read from it: the parts of all byte formats of models and examples.
 *
 * Numbers are put and taken byte by byte, so the formats are the same on every
 * machine and need no alignment.  A cursor never reads past its end: a short
 * read sets `failed` and yields zeros, so a parser checks once for each group.
 */
#ifndef MREN_BASE_BUFFER_H
#define MREN_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

typedef struct MrenBuffer
{
	uint8_t *data;
	size_t len;
	size_t capacity;
} MrenBuffer;

/* Room for n more bytes; an empty buffer is {0}. */
extern MrenStatus mren_buffer_reserve(const MrenEnv *env, MrenBuffer *buffer, size_t n,
									  MrenError *err);
extern MrenStatus mren_buffer_append(const MrenEnv *env, MrenBuffer *buffer, const void *bytes,
									 size_t n, MrenError *err);
extern void mren_buffer_free(const MrenEnv *env, MrenBuffer *buffer);

/* These write into room that mren_buffer_reserve has made. */
extern void mren_buffer_put_u8(MrenBuffer *buffer, uint8_t value);
extern void mren_buffer_put_u32(MrenBuffer *buffer, uint32_t value);
extern void mren_buffer_put_u64(MrenBuffer *buffer, uint64_t value);
extern void mren_buffer_put_f32(MrenBuffer *buffer, float value);
extern void mren_buffer_put_f64(MrenBuffer *buffer, double value);
extern void mren_buffer_put_bytes(MrenBuffer *buffer, const void *bytes, size_t n);
extern void mren_buffer_put_zeros(MrenBuffer *buffer, size_t n);
/* n floats, each as its IEEE bits. */
extern void mren_buffer_put_floats(MrenBuffer *buffer, const float *values, size_t n);

typedef struct MrenCursor
{
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
} MrenCursor;

extern uint8_t mren_cursor_u8(MrenCursor *cursor);
extern uint32_t mren_cursor_u32(MrenCursor *cursor);
extern uint64_t mren_cursor_u64(MrenCursor *cursor);
extern float mren_cursor_f32(MrenCursor *cursor);
extern double mren_cursor_f64(MrenCursor *cursor);
/* A pointer to the next n bytes, or NULL (and failed) if there are fewer. */
extern const uint8_t *mren_cursor_bytes(MrenCursor *cursor, size_t n);
/* n floats into out; false (and failed) if there are fewer. */
extern bool mren_cursor_floats(MrenCursor *cursor, float *out, size_t n);
extern size_t mren_cursor_left(const MrenCursor *cursor);

#endif
