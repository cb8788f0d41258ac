/*
 * support.h
 *	  What every core test shares: an environment over malloc that counts,
 *	  fails the Nth allocation, interrupts after the Nth question, and knows
 *	  what is still allocated; and small file helpers.
 */
#ifndef MREN_TEST_SUPPORT_H
#define MREN_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/env.h"

typedef struct TestEnv
{
	MrenEnv env;
	size_t n_allocations; /* so far */
	size_t fail_at;		  /* 1-based; 0: never */
	size_t n_live;		  /* not yet released */
	size_t live_bytes;
	size_t peak_bytes;
	size_t n_checks;	 /* interrupted() calls so far */
	size_t interrupt_at; /* 1-based, and from then on; 0: never */
} TestEnv;

extern void test_env_init(TestEnv *test);

/*
 * Runs call(env, err, arg) with the 1st, 2nd, ... allocation failing until a
 * run passes.  Every failed run must return MREN_ENOMEM and release all it
 * took; so must the one that passes (the call frees its own results).
 */
typedef MrenStatus (*TestCall)(const MrenEnv *env, MrenError *err, void *arg);
extern void test_allocation_sweep(TestCall call, void *arg);

/* The same for interruption: MREN_ECANCELED, and nothing left allocated. */
extern void test_interrupt_sweep(TestCall call, void *arg);

/* n normal deviates in aligned memory that free() releases, with some room after them. */
extern float *test_random_floats(size_t n, uint64_t seed);

/* Whole file into malloc'd memory; NULL when it cannot be read. */
extern uint8_t *test_read_file(const char *path, size_t *len);

/*
 * The folder of shared test data named by MREN_TEST_DATA, or NULL: tests that
 * need it then call skip() after saying so.
 */
extern const char *test_shared_data(void);

#endif
