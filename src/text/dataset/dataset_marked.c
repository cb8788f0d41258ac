/*
 * dataset_marked.c
 *	  Lines whose text holds the mentions between marks: [[ head ]] and
 *	  << tail >>, as SciBERT's files of SciERC and ChemProt have them.
 *
 * A mark includes the space inside it; brackets and angles without one belong to
 * the text, as in "2-([2,6-dimethoxy]]" or "P<<0.01", and so does a closing mark
 * where no mention is open, as in "94 >> probenecid".
 */
#include <string.h>

#include "text/dataset/dataset_parts.h"

enum
{
	HEAD_LOWER,
	HEAD_UPPER,
	TAIL_LOWER,
	TAIL_UPPER,
	N_MARKS
};

static const char *const mark_names[N_MARKS] = {"[[ ", " ]]", "<< ", " >>"};

/* Which mark stands at text; N_MARKS if none. */
static int
mark_at(const char *text, size_t len)
{
	for (int i = 0; i < N_MARKS; i++)
	{
		size_t n = strlen(mark_names[i]);

		if (len >= n && memcmp(text, mark_names[i], n) == 0)
			return i;
	}
	return N_MARKS;
}

/* The sentence is the text without its marks; at[] are their places in it. */
static MrenStatus
strip_marks(MrenDataset *dataset, const char *text, size_t len, int32_t *at, MrenError *err)
{
	size_t from = 0;

	mren_dataset_start_sentence(dataset);
	for (size_t i = 0; i < len;)
	{
		int mark = mark_at(text + i, len - i);

		if (mark == N_MARKS || (mark % 2 == 1 && (at[mark - 1] < 0 || at[mark] >= 0)))
		{
			i++;
			continue;
		}
		if (at[mark] >= 0)
			return mren_dataset_fail(dataset, err, "mark \"%s\" occurs twice", mark_names[mark]);
		MREN_TRY(mren_dataset_append(dataset, text + from, i - from, err));
		at[mark] = dataset->n_chars;
		i += strlen(mark_names[mark]);
		from = i;
	}
	return mren_dataset_append(dataset, text + from, len - from, err);
}

static MrenStatus
check_marks(const MrenDataset *dataset, const int32_t *at, MrenError *err)
{
	for (int i = 0; i < N_MARKS; i++)
	{
		if (at[i] < 0)
			return mren_dataset_fail(dataset, err, "\"text\" lacks the mark \"%s\"", mark_names[i]);
	}
	for (int i = 0; i < N_MARKS; i += 2)
	{
		if (at[i] >= at[i + 1])
			return mren_dataset_fail(dataset, err, "nothing stands between \"%s\" and \"%s\"",
									 mark_names[i], mark_names[i + 1]);
	}
	return MREN_OK;
}

MrenStatus
mren_marked_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more, MrenError *err)
{
	const MrenLiteral *literal = &dataset->literal;
	const MrenLiteralNode *object = literal->nodes;
	const MrenLiteralNode *text;
	int32_t at[N_MARKS] = {-1, -1, -1, -1};

	if (dataset->n_left == 0)
		return MREN_OK;
	dataset->n_left = 0;
	text = mren_literal_get(literal, object, "text");
	if (text == NULL || text->kind != MREN_LITERAL_STRING)
		return mren_dataset_fail(dataset, err, "\"text\" is %s",
								 text == NULL ? "missing" : "not a string");
	MREN_TRY(strip_marks(dataset, text->text, text->len, at, err));
	MREN_TRY(check_marks(dataset, at, err));
	row->id = mren_dataset_text(mren_literal_get(literal, object, "id"));
	row->relation = mren_dataset_text(mren_literal_get(literal, object, "label"));
	row->sentence = mren_dataset_sentence(dataset);
	row->head_lower = at[HEAD_LOWER];
	row->head_upper = at[HEAD_UPPER];
	row->tail_lower = at[TAIL_LOWER];
	row->tail_upper = at[TAIL_UPPER];
	*more = true;
	return MREN_OK;
}
