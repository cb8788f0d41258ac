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

static const char *const marks[MREN_DATASET_MARKS] = {"[[ ", " ]]", "<< ", " >>"};

/* The sentence is the text without its marks; at[] are their places in it. */
static MrenStatus
strip_marks(MrenDataset *dataset, const char *text, size_t len, int32_t *at, MrenError *err)
{
	size_t from = 0;

	mren_dataset_start_sentence(dataset);
	for (size_t i = 0; i < len;)
	{
		int mark = mren_dataset_mark_at(marks, text + i, len - i);

		if (i % 65536 == 65535)
			MREN_TRY(mren_check_interrupts(&dataset->env, err));
		if (mark == MREN_DATASET_MARKS || (mark % 2 == 1 && (at[mark - 1] < 0 || at[mark] >= 0)))
		{
			i++;
			continue;
		}
		if (at[mark] >= 0)
			return mren_dataset_fail(dataset, err, "mark \"%s\" occurs twice", marks[mark]);
		MREN_TRY(mren_dataset_append(dataset, text + from, i - from, err));
		at[mark] = dataset->n_chars;
		i += strlen(marks[mark]);
		from = i;
	}
	return mren_dataset_append(dataset, text + from, len - from, err);
}

MrenStatus
mren_marked_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more, MrenError *err)
{
	const MrenLiteral *literal = &dataset->literal;
	const MrenLiteralNode *object = literal->nodes;
	const MrenLiteralNode *text;
	int32_t at[MREN_DATASET_MARKS] = {-1, -1, -1, -1};

	if (dataset->n_left == 0)
		return MREN_OK;
	dataset->n_left = 0;
	text = mren_literal_get(literal, object, "text");
	if (text == NULL || text->kind != MREN_LITERAL_STRING)
		return mren_dataset_fail(dataset, err, "\"text\" is %s",
								 text == NULL ? "missing" : "not a string");
	MREN_TRY(strip_marks(dataset, text->text, text->len, at, err));
	MREN_TRY(mren_dataset_fill_marked(dataset, marks, at, "\"text\"", row, err));
	MREN_TRY(mren_dataset_id(dataset, object, "id", &row->id, err));
	MREN_TRY(mren_dataset_relation(dataset, mren_literal_get(literal, object, "label"), "label",
								   NULL, &row->relation, err));
	*more = true;
	return MREN_OK;
}
