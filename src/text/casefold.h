/*
 * casefold.h
 *	  The one form in which names and phrases are compared.
 *
 * It is Unicode's NFKC_Casefold (case, compatibility forms, composition,
 * invisible characters), with plain apostrophes and hyphens for typographic
 * ones, and with one letter i: the Turkish dotted capital and dotless small i
 * are both "i", because a name may be written in capitals or by a program that
 * knows no Turkish.
 */
#ifndef MREN_TEXT_CASEFOLD_H
#define MREN_TEXT_CASEFOLD_H

#include <stdint.h>

#include <unicode/utypes.h>

/*
 * Increase it when the form changes, or what names and phrases are equal: graphs
 * that were made with another one are read and merged anew.
 */
#define MREN_CASEFOLD_VERSION 2

/*
 * mren_casefold
 *	  units (n) in that form; returns the number of units, as ICU's functions do:
 *	  with U_BUFFER_OVERFLOW_ERROR that for which there is no room.  Idempotent.
 *	  White space is left as it is.
 */
extern int32_t mren_casefold(const UChar *units, int32_t n, UChar *folded, int32_t room,
							 UErrorCode *status);

#endif
