/*
 * graphemes.c
 *	  Extended grapheme clusters (Unicode Standard Annex 29).
 *
 * Without the rule for Indic conjuncts: it joins clusters to such of six bytes and more, in
 * which the only user, the precompiled character map, takes code points one by one.
 */
#include <unicode/uchar.h>

#include "transformer/tokenizer/normalizer.h"

static UGraphemeClusterBreak
break_property(uint32_t code)
{
	return (UGraphemeClusterBreak) u_getIntPropertyValue((UChar32) code,
														 UCHAR_GRAPHEME_CLUSTER_BREAK);
}

static bool
is_pictograph(uint32_t code)
{
	return u_hasBinaryProperty((UChar32) code, UCHAR_EXTENDED_PICTOGRAPHIC);
}

static bool
is_control(UGraphemeClusterBreak property)
{
	return property == U_GCB_CONTROL || property == U_GCB_CR || property == U_GCB_LF;
}

/* Hangul syllables stay together. */
static bool
joins_hangul(UGraphemeClusterBreak left, UGraphemeClusterBreak right)
{
	switch (left)
	{
		case U_GCB_L:
			return right == U_GCB_L || right == U_GCB_V || right == U_GCB_LV || right == U_GCB_LVT;
		case U_GCB_LV:
		case U_GCB_V:
			return right == U_GCB_V || right == U_GCB_T;
		case U_GCB_LVT:
		case U_GCB_T:
			return right == U_GCB_T;
		default:
			return false;
	}
}

size_t
mren_grapheme_length(const MrenSubwordChar *at, size_t n)
{
	UGraphemeClusterBreak left;
	bool pictograph;	 /* a pictograph and what extends it, nothing else, up to here */
	size_t regional = 0; /* regional indicators up to here */
	size_t i;

	/* The usual case; no character below 0x300 but LF after CR extends another. */
	if (n < 2 || (at[0].code < 0x300 && at[0].code != '\r' && at[1].code < 0x300))
		return n < 2 ? n : 1;
	left = break_property(at[0].code);
	pictograph = is_pictograph(at[0].code);
	regional = left == U_GCB_REGIONAL_INDICATOR;
	for (i = 1; i < n; i++)
	{
		UGraphemeClusterBreak right = break_property(at[i].code);
		bool next_pictograph = is_pictograph(at[i].code);

		if (left == U_GCB_CR && right == U_GCB_LF)
			return i + 1;
		if (is_control(left) || is_control(right))
			return i;
		if (!joins_hangul(left, right) && right != U_GCB_EXTEND && right != U_GCB_ZWJ &&
			right != U_GCB_SPACING_MARK && left != U_GCB_PREPEND &&
			!(left == U_GCB_ZWJ && pictograph && next_pictograph) &&
			!(right == U_GCB_REGIONAL_INDICATOR && left == U_GCB_REGIONAL_INDICATOR &&
			  regional % 2 == 1))
			return i;
		regional = right == U_GCB_REGIONAL_INDICATOR ? regional + 1 : 0;
		pictograph =
			next_pictograph || (pictograph && (right == U_GCB_EXTEND || right == U_GCB_ZWJ));
		left = right;
	}
	return n;
}
