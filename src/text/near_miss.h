/*
 * near_miss.h
 *	  Which characters part two texts that look alike.
 */
#ifndef MREN_TEXT_NEAR_MISS_H
#define MREN_TEXT_NEAR_MISS_H

#include "base/status.h"
#include "base/text_span.h"

/*
 * mren_near_miss_explain
 *	  Adds to the failure in err a detail that names the first characters in which
 *	  the sentence's text and the mention (both valid UTF-8) differ by more than
 *	  their case, by their code points and Unicode's names.
 */
extern void mren_near_miss_explain(MrenTextSpan sentence, MrenTextSpan mention, MrenError *err);

#endif
