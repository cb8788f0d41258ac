/*
 * dataset_tacred.c
 *	  TACRED's JSON (and Re-TACRED's): tokens, and for subject and object the
 *	  first and the last token.
 *
 * Brackets, which the Penn Treebank's tokens spell -LRB- and the like, become
 * themselves again, so that word vectors know them.
 */
#include <stdio.h>
#include <string.h>

#include "text/dataset/dataset_parts.h"

/* The mention from key_start to key_end; TACRED's end is the last token itself. */
static MrenStatus
take_mention(const MrenDataset *dataset, const MrenLiteralNode *object, const char *role,
			 MrenChars *chars, MrenTextSpan *type, MrenError *err)
{
	const MrenLiteral *literal = &dataset->literal;
	char start[16];
	char end[16];
	char type_key[16];
	int32_t lower;
	int32_t last;

	snprintf(start, sizeof(start), "%s_start", role);
	snprintf(end, sizeof(end), "%s_end", role);
	snprintf(type_key, sizeof(type_key), "%s_type", role);
	if (!mren_dataset_int(mren_literal_get(literal, object, start), &lower))
		return mren_dataset_fail(dataset, err, "\"%s\" is not a whole number", start);
	if (!mren_dataset_int(mren_literal_get(literal, object, end), &last))
		return mren_dataset_fail(dataset, err, "\"%s\" is not a whole number", end);
	MREN_TRY(mren_dataset_string(dataset, mren_literal_get(literal, object, type_key), type_key,
								 NULL, type, err));
	return mren_dataset_token_range(dataset, role, lower, last + 1, chars, err);
}

MrenStatus
mren_tacred_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more, MrenError *err)
{
	const MrenLiteral *literal = &dataset->literal;
	const MrenLiteralNode *object;
	const MrenLiteralNode *tokens;
	MrenChars head = {0, 0};
	MrenChars tail = {0, 0};

	if (dataset->n_left == 0)
		return MREN_OK;
	object = &literal->nodes[dataset->node];
	dataset->node = object->next;
	dataset->n_left--;
	dataset->number++;
	snprintf(dataset->place, sizeof(dataset->place), "element %u", dataset->number);
	if (object->kind != MREN_LITERAL_MAP)
		return mren_dataset_fail(dataset, err, "row is not an object");
	tokens = mren_literal_get(literal, object, "token");
	if (tokens == NULL)
		tokens = mren_literal_get(literal, object, "tokens");
	MREN_TRY(mren_dataset_join(dataset, tokens, "token", err));
	MREN_TRY(take_mention(dataset, object, "subj", &head, &row->head_type, err));
	MREN_TRY(take_mention(dataset, object, "obj", &tail, &row->tail_type, err));
	MREN_TRY(mren_dataset_id(dataset, object, "id", &row->id, err));
	MREN_TRY(mren_dataset_relation(dataset, mren_literal_get(literal, object, "relation"),
								   "relation", NULL, &row->relation, err));
	mren_dataset_fill_sentence(dataset, head, tail, row);
	*more = true;
	return MREN_OK;
}
