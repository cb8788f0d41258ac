/*
 * simd.c
 *	  Asking the CPU.
 */
#include "onnx/simd.h"

const MrenSimd *
mren_simd_find(MrenCpu cpu)
{
#if defined(__x86_64__) && defined(__GNUC__)
	__builtin_cpu_init();
	if ((cpu == MREN_CPU_BEST || cpu == MREN_CPU_AVX512) && __builtin_cpu_supports("avx512f"))
		return &mren_simd_avx512;
	if ((cpu == MREN_CPU_BEST || cpu == MREN_CPU_AVX2) && __builtin_cpu_supports("avx2") &&
		__builtin_cpu_supports("fma"))
		return &mren_simd_avx2;
#endif
	(void) cpu;
	return NULL;
}

const char *
mren_simd_name(void)
{
	const MrenSimd *simd = mren_simd_find(MREN_CPU_BEST);

	return simd != NULL ? simd->name : "portable";
}
