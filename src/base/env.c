/*
 * env.c
 *	  Checked allocation over the caller's environment.
 */
#include "base/env.h"

#include <stdint.h>
#include <string.h>

#include "base/size.h"
#include "base/weights.h"

/* Bytes cleared between two checks for interrupts: fresh pages cost far more than writing. */
#define ZERO_PIECE ((size_t) 4 << 20)

/*
 * `out` is the address of a pointer of any object type.  memcpy stores through
 * it because a void ** may not alias, say, a float **.
 */
MrenStatus
mren_allocate(const MrenEnv *env, size_t n, size_t size, void *out, MrenError *err)
{
	size_t bytes;
	void *ptr = NULL;

	if (mren_size_mul(n, size, &bytes))
		ptr = env->allocate(env->state, bytes > 0 ? bytes : 1);
	memcpy(out, &ptr, sizeof(ptr));
	return ptr != NULL ? MREN_OK : mren_fail_nomem(err);
}

MrenStatus
mren_allocate_zero(const MrenEnv *env, size_t n, size_t size, void *out, MrenError *err)
{
	uint8_t *ptr = NULL;
	size_t bytes = n * size;

	MREN_TRY(mren_allocate(env, n, size, out, err));
	memcpy(&ptr, out, sizeof(ptr));
	for (size_t at = 0; at < bytes; at += ZERO_PIECE)
	{
		if (at > 0 && env->interrupted(env->state))
		{
			env->release(env->state, ptr);
			ptr = NULL;
			memcpy(out, &ptr, sizeof(ptr));
			return mren_fail_canceled(err);
		}
		memset(ptr + at, 0, bytes - at < ZERO_PIECE ? bytes - at : ZERO_PIECE);
	}
	return MREN_OK;
}

MrenStatus
mren_resize(const MrenEnv *env, void *array, size_t used, size_t n, size_t size, MrenError *err)
{
	void *old = NULL;
	void *fresh = NULL;

	memcpy(&old, array, sizeof(old));
	MREN_TRY(mren_allocate(env, n, size, &fresh, err));
	if (used > 0)
		memcpy(fresh, old, used * size);
	env->release(env->state, old);
	memcpy(array, &fresh, sizeof(fresh));
	return MREN_OK;
}

MrenStatus
mren_grow(const MrenEnv *env, void *array, size_t *capacity, size_t used, size_t needed,
		  size_t size, MrenError *err)
{
	size_t grown = *capacity < 16 ? 16 : *capacity;

	if (needed <= *capacity)
		return MREN_OK;
	while (grown < needed)
	{
		if (!mren_size_mul(grown, 2, &grown))
			return mren_fail_nomem(err);
	}
	MREN_TRY(mren_resize(env, array, used, grown, size, err));
	*capacity = grown;
	return MREN_OK;
}

void
mren_release(const MrenEnv *env, void *ptr)
{
	if (ptr != NULL && !mren_weights_have(env->weights, ptr))
		env->release(env->state, ptr);
}

MrenStatus
mren_check_interrupts(const MrenEnv *env, MrenError *err)
{
	return env->interrupted(env->state) ? mren_fail_canceled(err) : MREN_OK;
}
