/*
 * bilou.c
 *	  Reading and writing numbers of BILOU tags.
 */
#include "tagger/bilou.h"

#include <string.h>

MrenBilou
mren_bilou_letter(uint32_t tag)
{
	return tag == 0 ? MREN_BILOU_O : (MrenBilou) (1 + (tag - 1) % 4);
}

uint32_t
mren_bilou_type(uint32_t tag)
{
	return tag == 0 ? 0 : (tag - 1) / 4;
}

static uint32_t
tag_of(MrenBilou letter, uint32_t type)
{
	return 4 * type + (uint32_t) letter;
}

static bool
may_end(void *state, size_t tag)
{
	MrenBilou letter = mren_bilou_letter((uint32_t) tag);

	(void) state;
	return letter == MREN_BILOU_O || letter == MREN_BILOU_L || letter == MREN_BILOU_U;
}

static bool
may_begin(void *state, size_t tag)
{
	MrenBilou letter = mren_bilou_letter((uint32_t) tag);

	(void) state;
	return letter == MREN_BILOU_O || letter == MREN_BILOU_B || letter == MREN_BILOU_U;
}

static bool
may_follow(void *state, size_t i, size_t j)
{
	if (may_end(state, i))
		return may_begin(state, j);
	return !may_begin(state, j) && mren_bilou_type((uint32_t) i) == mren_bilou_type((uint32_t) j);
}

MrenStatus
mren_bilou_rules(const MrenEnv *env, size_t n_types, MrenCrfRules *rules, MrenError *err)
{
	const MrenCrfGrammar grammar = {NULL, may_follow, may_begin, may_end};

	return mren_crf_rules_create(env, mren_bilou_n_tags(n_types), &grammar, rules, err);
}

void
mren_bilou_write(const MrenTagSpan *spans, size_t n_spans, uint32_t *tags, size_t n)
{
	memset(tags, 0, n * sizeof(*tags));
	for (size_t i = 0; i < n_spans; i++)
	{
		const MrenTagSpan *span = &spans[i];

		if (span->end == span->first + 1)
		{
			tags[span->first] = tag_of(MREN_BILOU_U, span->type);
			continue;
		}
		for (uint32_t t = span->first; t < span->end; t++)
			tags[t] = tag_of(t == span->first	  ? MREN_BILOU_B
							 : t == span->end - 1 ? MREN_BILOU_L
												  : MREN_BILOU_I,
							 span->type);
	}
}

size_t
mren_bilou_read(const uint32_t *tags, size_t n, MrenTagSpan *spans)
{
	size_t n_spans = 0;
	uint32_t first = 0;

	for (size_t t = 0; t < n; t++)
	{
		MrenBilou letter = mren_bilou_letter(tags[t]);

		if (letter == MREN_BILOU_B || letter == MREN_BILOU_U)
			first = (uint32_t) t;
		if (letter == MREN_BILOU_L || letter == MREN_BILOU_U)
			spans[n_spans++] = (MrenTagSpan){first, (uint32_t) t + 1, mren_bilou_type(tags[t])};
	}
	return n_spans;
}
