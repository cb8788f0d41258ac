/*
 * simd.c
 *	  Which kernels this CPU can run.
 */
#include "onnx/simd/simd.h"

const MrenOnnxSimd *
mren_onnx_simd_find(MrenOnnxCpu cpu)
{
#if defined(__x86_64__) && defined(__GNUC__)
	__builtin_cpu_init();
	if ((cpu == MREN_ONNX_CPU_BEST || cpu == MREN_ONNX_CPU_AVX512) &&
		__builtin_cpu_supports("avx512f"))
		return &mren_onnx_simd_avx512;
	if ((cpu == MREN_ONNX_CPU_BEST || cpu == MREN_ONNX_CPU_AVX2) &&
		__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return &mren_onnx_simd_avx2;
#endif
	(void) cpu;
	return NULL;
}

const char *
mren_onnx_simd_name(void)
{
	const MrenOnnxSimd *simd = mren_onnx_simd_find(MREN_ONNX_CPU_BEST);

	return simd != NULL ? simd->name : "portable";
}
