/*
 * train_label.c
 *	  What a training row says of its relation.
 */
#include "pg/train/train_label.h"

#include <float.h>
#include <math.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "pg/support/pg_env.h"

typedef struct Target
{
	MrenTextSpan name;
	double probability;
} Target;

static bool
has_probabilities(const MrenTrainLabel *label)
{
	return label->probabilities != NULL && !(JB_ROOT_IS_SCALAR(label->probabilities) &&
											 JBE_ISNULL(label->probabilities->root.children[0]));
}

bool
mren_train_label_weak(const MrenTrainLabel *label)
{
	return label->has_gold ? !label->gold : has_probabilities(label);
}

static double
probability_of(const char *relation, const JsonbValue *value)
{
	Datum number;
	double p;

	if (value->type != jbvNumeric)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("probability of relation \"%s\" is not a number", relation),
						errhint("Probabilities are an object such as {\"born_in\": 0.75, "
								"\"none\": 0.25}.")));
	number = NumericGetDatum(value->val.numeric);
	p = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, number));
	if (!isfinite(p) || p < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid probability %.40s of relation \"%s\"",
							   DatumGetCString(DirectFunctionCall1(numeric_out, number)), relation),
						errhint("A probability is a number from 0 to 1.")));
	return p;
}

/* Those above 0; *n of them, with *sum. */
static Target *
read_targets(const Jsonb *object, int *n, double *sum)
{
	Target *targets;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue item;
	char *key = NULL;

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("probabilities of a training row must be a JSON object"),
						errhint("Its keys are relations, its values their probabilities.")));
	targets = palloc(Max(JB_ROOT_COUNT(object), 1) * sizeof(Target));
	*n = 0;
	*sum = 0;
	iterator = JsonbIteratorInit((JsonbContainer *) &object->root);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		double p;

		if (token == WJB_KEY)
			key = pnstrdup(item.val.string.val, item.val.string.len);
		if (token != WJB_VALUE)
			continue;
		if (key[0] == '\0')
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("a relation in the probabilities of a training row is empty")));
		p = probability_of(key, &item);
		*sum += p;
		if (p > 0)
			targets[(*n)++] = (Target){mren_pg_utf8(key, strlen(key)), p};
	}
	return targets;
}

static int
compare_targets(const void *a, const void *b)
{
	return mren_text_span_compare(((const Target *) a)->name, ((const Target *) b)->name);
}

/* Into the form of the core, with sum 1. */
static void
pack_targets(const Target *from, int n, double sum, MrenTargets *targets)
{
	float *probabilities = palloc(n * sizeof(float));
	uint32_t *ends = palloc(n * sizeof(uint32_t));
	uint32_t at = 0;
	char *names;

	for (int i = 0; i < n; i++)
	{
		probabilities[i] = (float) fmax(from[i].probability / sum, (double) FLT_MIN);
		at += from[i].name.len;
		ends[i] = at;
	}
	names = palloc(at);
	for (int i = 0; i < n; i++)
		memcpy(names + ends[i] - from[i].name.len, from[i].name.data, from[i].name.len);
	*targets = (MrenTargets){(uint32_t) n, probabilities, ends, names};
}

MrenTextSpan
mren_train_label_name(const MrenTrainLabel *label, MrenTargets *targets)
{
	bool soft = has_probabilities(label);
	Target *read;
	double sum;
	int n;

	*targets = (MrenTargets){0};
	if (soft == (label->relation.data != NULL))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						soft ? errmsg("training row has both a relation and probabilities")
							 : errmsg("training row has neither a relation nor probabilities"),
						errhint("Exactly one of \"relation\" and \"probabilities\" must not be "
								"NULL.")));
	if (!soft)
		return label->relation;
	read = read_targets(label->probabilities, &n, &sum);
	if (!(fabs(sum - 1) <= MREN_TARGET_TOLERANCE))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("probabilities of a training row have the sum %g", sum),
						errhint("Their sum must be 1.")));
	qsort(read, n, sizeof(Target), compare_targets);
	pack_targets(read, n, sum, targets);
	return mren_targets_name(targets, mren_targets_best(targets));
}
