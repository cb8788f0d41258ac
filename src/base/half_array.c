/*
 * half_array.c
 *	  Arrays of floats to halves and back.
 */
#include "base/half_array.h"

#include <string.h>

#include "base/dispatch.h"
#include "base/half.h"

void
mren_half_from_floats(uint16_t *out, const float *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		float value = in[i] > MREN_HALF_MAX ? MREN_HALF_MAX : in[i];

		out[i] = mren_half_from_float(value < -MREN_HALF_MAX ? -MREN_HALF_MAX : value);
	}
}

/*
 * The bits become those of a float that is 2^112 times too small; the product
 * corrects that for subnormal halves, too.  half.c has the plain form.
 */
MREN_INLINE float
widen(uint16_t half)
{
	uint32_t bits = (uint32_t) (half & 0x7FFF) << 13;
	uint32_t sign = (uint32_t) (half & 0x8000) << 16;
	float size;

	memcpy(&size, &bits, sizeof(size));
	size *= 0x1p112f;
	memcpy(&bits, &size, sizeof(bits));
	bits |= sign;
	memcpy(&size, &bits, sizeof(size));
	return size;
}

MREN_KERNEL(mren_half_to_floats, (float *out, const uint16_t *in, size_t n), (out, in, n))
{
	for (size_t i = 0; i < n; i++)
		out[i] = widen(in[i]);
}

bool
mren_half_all_finite(const uint16_t *in, size_t n)
{
	uint32_t wrong = 0;

	for (size_t i = 0; i < n; i++)
		wrong |= (in[i] & 0x7C00) == 0x7C00;
	return wrong == 0;
}
