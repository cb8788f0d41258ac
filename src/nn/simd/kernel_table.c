/*
 * kernel_table.c
 *	  Which kernels this processor can run.
 */
#include "nn/simd/kernel_table.h"

#include <stdbool.h>

/* Whether a table for `has` may be used. */
static bool
fits(MrenCpu asked, MrenCpu has)
{
	return asked == MREN_CPU_BEST || asked == has;
}

#if defined(__x86_64__) && defined(__GNUC__)

static bool
has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool
has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

const MrenSimd *
mren_simd_find(MrenCpu cpu)
{
	if (fits(cpu, MREN_CPU_AVX512) && has_avx512())
		return &mren_simd_avx512;
	if (fits(cpu, MREN_CPU_AVX2) && has_avx2())
		return &mren_simd_avx2;
	return fits(cpu, MREN_CPU_PORTABLE) ? &mren_simd_portable : NULL;
}

const MrenInt8Simd *
mren_int8_simd_find(MrenCpu cpu)
{
	if (fits(cpu, MREN_CPU_VNNI) && has_avx512() && __builtin_cpu_supports("avx512vnni"))
		return &mren_int8_simd_vnni;
	if (fits(cpu, MREN_CPU_AVX512) && has_avx512())
		return &mren_int8_simd_avx512;
	if (fits(cpu, MREN_CPU_AVX2) && has_avx2())
		return &mren_int8_simd_avx2;
	return fits(cpu, MREN_CPU_PORTABLE) ? &mren_int8_simd_portable : NULL;
}

#else

const MrenSimd *
mren_simd_find(MrenCpu cpu)
{
	return fits(cpu, MREN_CPU_PORTABLE) ? &mren_simd_portable : NULL;
}

const MrenInt8Simd *
mren_int8_simd_find(MrenCpu cpu)
{
	return fits(cpu, MREN_CPU_PORTABLE) ? &mren_int8_simd_portable : NULL;
}

#endif
