/*
 * semeval.c
 *	  SemEval-2010 Task 8's official score.
 *
 * (n+1)-way with direction taken into account: a row whose relation is right
 * but whose direction is wrong counts as wrong for that relation, both in
 * precision's and in recall's denominator.  Averaged over the relations of the
 * answer key without Other; relations that are only predicted are left out.
 * Hendrickx et al., SemEval-2010 Task 8, 2010, and its scorer 1.2.
 */
#include "evaluation/metrics.h"

#include <string.h>

#define DIRECTION 7 /* bytes of "(e1,e2)" */

typedef enum Form
{
	FORM_FORWARD,
	FORM_BACKWARD,
	FORM_OTHER,
	FORM_NONE,
} Form;

static Form
label_form(MrenTextSpan name)
{
	const char *end;

	if (name.len == 5 && memcmp(name.data, "Other", 5) == 0)
		return FORM_OTHER;
	if (name.len <= DIRECTION)
		return FORM_NONE;
	end = name.data + name.len - DIRECTION;
	if (name.len == 5 + DIRECTION && memcmp(name.data, "Other", 5) == 0)
		return FORM_NONE;
	if (memcmp(end, "(e1,e2)", DIRECTION) == 0)
		return FORM_FORWARD;
	return memcmp(end, "(e2,e1)", DIRECTION) == 0 ? FORM_BACKWARD : FORM_NONE;
}

/* The number of the label with the other direction; false if it never occurs. */
static bool
find_twin(const MrenConfusion *c, MrenTextSpan name, Form form, size_t *twin)
{
	char text[MREN_MAX_LABEL];

	if (name.len > sizeof(text))
		return false;
	memcpy(text, name.data, name.len - DIRECTION);
	memcpy(text + name.len - DIRECTION, form == FORM_FORWARD ? "(e2,e1)" : "(e1,e2)", DIRECTION);
	return mren_confusion_find(c, (MrenTextSpan){text, name.len}, twin);
}

/*
 * Adds the margins of both directions; false if they are counted with the label
 * of the other direction.
 */
static bool
relation_margins(const MrenConfusion *c, size_t i, MrenMargins *sum)
{
	MrenTextSpan name = mren_confusion_label(c, i);
	Form form = label_form(name);
	MrenMargins other;
	size_t twin;

	if (form != FORM_FORWARD && form != FORM_BACKWARD)
		return false;
	mren_confusion_margins(c, i, sum);
	if (!find_twin(c, name, form, &twin))
		return true;
	mren_confusion_margins(c, twin, &other);
	sum->actual += other.actual;
	sum->predicted += other.predicted;
	sum->correct += other.correct;
	return form == FORM_FORWARD;
}

static bool
all_labels_fit(const MrenConfusion *c)
{
	for (size_t i = 0; i < mren_confusion_n_labels(c); i++)
	{
		if (label_form(mren_confusion_label(c, i)) == FORM_NONE)
			return false;
	}
	return true;
}

bool
mren_confusion_semeval(const MrenConfusion *confusion, MrenScore *score)
{
	MrenScore sum = {0, 0, 0, 0};
	double n = 0;

	if (!all_labels_fit(confusion))
		return false;
	for (size_t i = 0; i < mren_confusion_n_labels(confusion); i++)
	{
		MrenMargins m;
		double p;
		double r;

		if (!relation_margins(confusion, i, &m) || m.actual == 0)
			continue;
		p = m.predicted > 0 ? 100.0 * (double) m.correct / (double) m.predicted : 0;
		r = 100.0 * (double) m.correct / (double) m.actual;
		sum.precision += p;
		sum.recall += r;
		sum.f1 += p + r > 0 ? 2 * p * r / (p + r) : 0;
		sum.support += m.actual;
		n++;
	}
	if (n == 0)
		return false;
	*score =
		(MrenScore){sum.precision / n / 100, sum.recall / n / 100, sum.f1 / n / 100, sum.support};
	return true;
}
