/*
 * half.h
 *	  Numbers of 16 bits: IEEE 754 binary16.
 *
 * Rounding is done on the bits, so it is the same on every machine and with
 * every compiler.
 */
#ifndef MREN_BASE_HALF_H
#define MREN_BASE_HALF_H

#include <stdint.h>

/* Exact. */
extern float mren_half_to_float(uint16_t half);
/* To nearest, ties to even; 65520 and more become infinite, NaN stays one. */
extern uint16_t mren_half_from_float(float value);

#endif
