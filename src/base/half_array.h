/*
 * half_array.h
 *	  Arrays of halves, in which grids are kept.
 */
#ifndef MREN_BASE_HALF_ARRAY_H
#define MREN_BASE_HALF_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MREN_HALF_MAX 65504.0f

/* n finite floats to the nearest halves; beyond MREN_HALF_MAX, that with their sign. */
extern void mren_half_from_floats(uint16_t *out, const float *in, size_t n);

/* n finite halves to floats, exactly. */
extern void mren_half_to_floats(float *out, const uint16_t *in, size_t n);

/* False if one of n halves is NaN or infinite. */
extern bool mren_half_all_finite(const uint16_t *in, size_t n);

#endif
