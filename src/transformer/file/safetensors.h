/*
 * safetensors.h
 *	  The tensors of a safetensors file.
 *
 * A file is the length of a header (8 bytes, little-endian), the header in JSON, which
 * gives each tensor's type, shape and place, and the numbers.  Format:
 * https://github.com/huggingface/safetensors.  Everything that the header says is
 * checked before a tensor can be had, so that what is found lies in the file.
 */
#ifndef MREN_TRANSFORMER_FILE_SAFETENSORS_H
#define MREN_TRANSFORMER_FILE_SAFETENSORS_H

#include <stdint.h>

#include "base/env.h"

/* Bytes of a header; that of a file with 10,000 tensors has about one million. */
#define MREN_SAFETENSORS_MAX_HEADER ((size_t) 4 << 20)
/* Dimensions of a tensor whose sizes are kept. */
#define MREN_SAFETENSORS_DIMS 4

/* How the numbers of a tensor are stored.  The values are part of stored encoders. */
typedef enum MrenNumberType
{
	MREN_NUMBER_F32 = 0,
	MREN_NUMBER_F16 = 1,
	MREN_NUMBER_BF16 = 2,
	MREN_NUMBER_OTHER = 3, /* a type that is known, but not used for weights here */
} MrenNumberType;

typedef struct MrenSafetensor
{
	char *name;
	char type_name[12]; /* as the file has it */
	MrenNumberType type;
	int n_dims;							 /* may exceed MREN_SAFETENSORS_DIMS */
	size_t shape[MREN_SAFETENSORS_DIMS]; /* the first dimensions */
	size_t n;							 /* elements */
	const uint8_t *data;				 /* in the file, not aligned */
	size_t bytes;
} MrenSafetensor;

typedef struct MrenSafetensors
{
	MrenSafetensor *items; /* by name, bytewise */
	size_t n;
	size_t capacity;
} MrenSafetensors;

/*
 * mren_safetensors_add
 *	  Adds the tensors of a file to a set, which is {0} at first.  The set points into
 *	  the file.  file_name is for messages.  MREN_EFORMAT if the file is not what it
 *	  claims to be: a header or tensor beyond the end, tensors that overlap or leave
 *	  bytes between them or at the end, a shape that does not match its bytes, a name
 *	  that occurs twice (also in two files).  On failure the set must be closed, too.
 */
extern MrenStatus mren_safetensors_add(const MrenEnv *env, MrenSafetensors *set,
									   const char *file_name, const uint8_t *data, size_t len,
									   MrenError *err);

extern void mren_safetensors_close(const MrenEnv *env, MrenSafetensors *set);

/* NULL if there is none. */
extern const MrenSafetensor *mren_safetensors_find(const MrenSafetensors *set, const char *name);

#endif
