/*
 * half.c
 *	  Floats to halves and back, on their bits.
 */
#include "base/half.h"

#include <string.h>

float
mren_half_to_float(uint16_t half)
{
	uint32_t sign = (uint32_t) (half & 0x8000) << 16;
	uint32_t exponent = (half >> 10) & 0x1F;
	uint32_t mantissa = half & 0x3FF;
	uint32_t bits;
	float value;

	if (exponent == 0x1F)
		bits = sign | 0x7F800000 | mantissa << 13;
	else if (exponent != 0)
		bits = sign | (exponent + 112) << 23 | mantissa << 13;
	else
	{
		/* Zero or subnormal: the mantissa counts units of 2^-24. */
		value = (float) mantissa * 0x1.0p-24f;
		memcpy(&bits, &value, sizeof(bits));
		bits |= sign;
	}
	memcpy(&value, &bits, sizeof(value));
	return value;
}

uint16_t
mren_half_from_float(float value)
{
	uint32_t bits;
	uint32_t sign;
	uint32_t magnitude;

	memcpy(&bits, &value, sizeof(bits));
	sign = bits >> 16 & 0x8000;
	magnitude = bits & 0x7FFFFFFF;
	if (magnitude > 0x7F800000)
		return (uint16_t) (sign | 0x7E00);
	if (magnitude >= 0x477FF000) /* 65520 and more round to infinity */
		return (uint16_t) (sign | 0x7C00);
	if (magnitude < 0x38800000) /* below 2^-14: subnormal, in units of 2^-24 */
	{
		float scaled;
		uint32_t units;
		float rest;

		memcpy(&scaled, &magnitude, sizeof(scaled));
		scaled *= 0x1.0p24f;
		units = (uint32_t) scaled;
		rest = scaled - (float) units;
		if (rest > 0.5f || (rest == 0.5f && (units & 1) != 0))
			units++;
		return (uint16_t) (sign | units);
	}
	magnitude += 0xFFF + (magnitude >> 13 & 1);
	return (uint16_t) (sign | (magnitude - 0x38000000) >> 13);
}
