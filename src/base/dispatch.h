/*
 * dispatch.h
 *	  One body, compiled for the machine's base and for AVX2 with FMA.
 *
 * MREN_KERNEL(name, (parameters), (arguments)) { body } defines the function `name`, which tests
 * the CPU at each call; it is external unless it was declared static before.  target_clones would
 * do it in one word, but chooses FMA only by the names of CPU models.
 */
#ifndef MREN_BASE_DISPATCH_H
#define MREN_BASE_DISPATCH_H

#define MREN_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__) && defined(__GNUC__)
#define MREN_AVX2 __attribute__((target("avx2,fma")))

static inline int
mren_has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/* What any kernel's choice may depend on, as a number to compare. */
static inline unsigned
mren_cpu_features(void)
{
	return (unsigned) mren_has_avx2() | (__builtin_cpu_supports("avx512f") ? 2u : 0u) |
		   (__builtin_cpu_supports("avx512bw") ? 4u : 0u) |
		   (__builtin_cpu_supports("avx512vl") ? 8u : 0u) |
		   (__builtin_cpu_supports("avx512vnni") ? 16u : 0u) |
		   (__builtin_cpu_supports("avx512dq") ? 32u : 0u);
}

#define MREN_KERNEL(name, parameters, arguments)                                                   \
	MREN_INLINE void name##_body parameters;                                                       \
	MREN_AVX2 static void name##_avx2 parameters                                                   \
	{                                                                                              \
		name##_body arguments;                                                                     \
	}                                                                                              \
	static void name##_base parameters                                                             \
	{                                                                                              \
		name##_body arguments;                                                                     \
	}                                                                                              \
	void name parameters                                                                           \
	{                                                                                              \
		if (mren_has_avx2())                                                                       \
			name##_avx2 arguments;                                                                 \
		else                                                                                       \
			name##_base arguments;                                                                 \
	}                                                                                              \
	MREN_INLINE void name##_body parameters
#else
#define MREN_KERNEL(name, parameters, arguments) void name parameters

static inline unsigned
mren_cpu_features(void)
{
	return 0;
}
#endif

#if defined(__GNUC__) && !defined(__clang__)
#define MREN_VECTORIZE _Pragma("GCC optimize(\"O3\", \"no-math-errno\", \"no-trapping-math\")")
#else
#define MREN_VECTORIZE
#endif

#endif
