/*
 * dataset_opennre.c
 *	  OpenNRE's lines, MNRE's (the same in Python's notation), and FewRel.
 */
#include <stdio.h>

#include "text/dataset/dataset_parts.h"
#include "base/utf8.h"

typedef struct Mention
{
	MrenChars chars;
	MrenTextSpan name;
	MrenTextSpan type;
} Mention;

/* The two numbers of "pos". */
static MrenStatus
read_position(const MrenDataset *dataset, const MrenLiteralNode *mention, const char *role,
			  int32_t *lower, int32_t *upper, MrenError *err)
{
	const MrenLiteralNode *position = mren_literal_get(&dataset->literal, mention, "pos");

	/* The two numbers are the nodes right after their list. */
	if (position == NULL || position->kind != MREN_LITERAL_LIST || position->n != 2 ||
		!mren_dataset_int(position + 1, lower) || !mren_dataset_int(position + 2, upper))
		return mren_dataset_fail(dataset, err, "\"pos\" of \"%s\" is not two whole numbers", role);
	return MREN_OK;
}

static MrenStatus
take_mention(const MrenDataset *dataset, const MrenLiteralNode *object, const char *role,
			 bool tokens, Mention *out, MrenError *err)
{
	const MrenLiteralNode *mention = mren_literal_get(&dataset->literal, object, role);
	char what[16];
	int32_t lower = 0;
	int32_t upper = 0;

	if (mention == NULL || mention->kind != MREN_LITERAL_MAP)
		return mren_dataset_fail(dataset, err, "\"%s\" is %s", role,
								 mention == NULL ? "missing" : "not an object");
	snprintf(what, sizeof(what), "\"%s\"", role);
	MREN_TRY(mren_dataset_string(dataset, mren_literal_get(&dataset->literal, mention, "name"),
								 "name", what, &out->name, err));
	MREN_TRY(mren_dataset_string(dataset, mren_literal_get(&dataset->literal, mention, "type"),
								 "type", what, &out->type, err));
	MREN_TRY(read_position(dataset, mention, role, &lower, &upper, err));
	if (tokens)
		return mren_dataset_token_range(dataset, what, lower, upper, &out->chars, err);
	return mren_dataset_char_range(dataset, what, lower, upper, &out->chars, err);
}

/* "text", or "token" (as some files have it, "tokens") joined. */
static MrenStatus
take_sentence(MrenDataset *dataset, const MrenLiteralNode *object, bool *tokens, MrenError *err)
{
	const MrenLiteral *literal = &dataset->literal;
	const MrenLiteralNode *text = mren_literal_get(literal, object, "text");
	const MrenLiteralNode *token = mren_literal_get(literal, object, "token");

	*tokens = text == NULL;
	if (text != NULL)
	{
		if (text->kind != MREN_LITERAL_STRING)
			return mren_dataset_fail(dataset, err, "\"text\" is not a string");
		mren_dataset_start_sentence(dataset);
		return mren_dataset_append(dataset, text->text, text->len, err);
	}
	if (token == NULL)
		token = mren_literal_get(literal, object, "tokens");
	return mren_dataset_join(dataset, token, "token", err);
}

MrenStatus
mren_opennre_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more, MrenError *err)
{
	const MrenLiteral *literal = &dataset->literal;
	const MrenLiteralNode *object = literal->nodes;
	Mention head;
	Mention tail;
	bool tokens;

	if (dataset->n_left == 0)
		return MREN_OK;
	dataset->n_left = 0;
	MREN_TRY(take_sentence(dataset, object, &tokens, err));
	MREN_TRY(take_mention(dataset, object, "h", tokens, &head, err));
	MREN_TRY(take_mention(dataset, object, "t", tokens, &tail, err));
	row->head_name = head.name;
	row->head_type = head.type;
	row->tail_name = tail.name;
	row->tail_type = tail.type;
	MREN_TRY(mren_dataset_id(dataset, object, "id", &row->id, err));
	MREN_TRY(mren_dataset_relation(dataset, mren_literal_get(literal, object, "relation"),
								   "relation", NULL, &row->relation, err));
	MREN_TRY(mren_dataset_id(dataset, object, "img_id", &row->image_name, err));
	mren_dataset_fill_sentence(dataset, head.chars, tail.chars, row);
	*more = true;
	return MREN_OK;
}

/* ---- FewRel ---- */

/*
 * FewRel's mention: a list of name, Wikidata id and the places it occurs at,
 * each a list of token numbers.  The first place counts.
 */
static MrenStatus
take_listed_mention(const MrenDataset *dataset, const MrenLiteralNode *object, const char *role,
					MrenChars *chars, MrenTextSpan *name, MrenError *err)
{
	const MrenLiteralNode *nodes = dataset->literal.nodes;
	const MrenLiteralNode *mention = mren_literal_get(&dataset->literal, object, role);
	const MrenLiteralNode *places;
	const MrenLiteralNode *place;
	int32_t first = 0;
	int32_t last = 0;
	char what[16];

	if (mention == NULL || mention->kind != MREN_LITERAL_LIST || mention->n != 3)
		return mren_dataset_fail(dataset, err, "\"%s\" is not a list of name, id and places", role);
	snprintf(what, sizeof(what), "\"%s\"", role);
	MREN_TRY(mren_dataset_string(dataset, mention + 1, "name", what, name, err));
	places = &nodes[nodes[mention[1].next].next];
	place = places + 1;
	if (places->kind != MREN_LITERAL_LIST || places->n == 0 || place->kind != MREN_LITERAL_LIST ||
		place->n == 0)
		return mren_dataset_fail(dataset, err, "\"%s\" has no place", role);
	for (uint32_t i = 0; i < place->n; i++)
	{
		/* Numbers have no nodes below them, so they follow each other. */
		if (!mren_dataset_int(place + 1 + i, &last) || (i > 0 && last != first + (int32_t) i))
			return mren_dataset_fail(dataset, err, "\"%s\" is not at tokens that follow each other",
									 role);
		if (i == 0)
			first = last;
	}
	return mren_dataset_token_range(dataset, what, first, last + 1, chars, err);
}

/* Enters the next relation that has sentences; false at the end. */
static MrenStatus
next_group(MrenDataset *dataset, bool *found, MrenError *err)
{
	const MrenLiteralNode *nodes = dataset->literal.nodes;

	*found = true;
	while (dataset->n_left == 0)
	{
		const MrenLiteralNode *key;

		if (dataset->n_groups == 0)
		{
			*found = false;
			return MREN_OK;
		}
		key = &nodes[dataset->node];
		dataset->n_groups--;
		dataset->group = (MrenTextSpan){key->text, key->len};
		snprintf(dataset->place, sizeof(dataset->place), "relation \"%s\"",
				 mren_utf8_excerpt(key->text, key->len).text);
		if (key[1].kind != MREN_LITERAL_LIST)
			return mren_dataset_fail(dataset, err, "sentences are not a list");
		dataset->n_left = key[1].n;
		dataset->number = 0;
		dataset->node += 2;
	}
	return MREN_OK;
}

MrenStatus
mren_fewrel_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more, MrenError *err)
{
	const MrenLiteral *literal = &dataset->literal;
	const MrenLiteralNode *object;
	MrenChars head = {0, 0};
	MrenChars tail = {0, 0};
	MrenExcerpt name;

	MREN_TRY(next_group(dataset, more, err));
	if (!*more)
		return MREN_OK;
	object = &literal->nodes[dataset->node];
	dataset->node = object->next;
	dataset->n_left--;
	dataset->number++;
	name = mren_utf8_excerpt(dataset->group.data, dataset->group.len);
	snprintf(dataset->place, sizeof(dataset->place), "relation \"%s\", sentence %u", name.text,
			 dataset->number);
	if (object->kind != MREN_LITERAL_MAP)
		return mren_dataset_fail(dataset, err, "sentence is not an object");
	MREN_TRY(
		mren_dataset_join(dataset, mren_literal_get(literal, object, "tokens"), "tokens", err));
	MREN_TRY(take_listed_mention(dataset, object, "h", &head, &row->head_name, err));
	MREN_TRY(take_listed_mention(dataset, object, "t", &tail, &row->tail_name, err));
	row->id.data = dataset->id;
	row->id.len =
		(size_t) snprintf(dataset->id, sizeof(dataset->id), "%s:%u", name.text, dataset->number);
	row->relation = dataset->group;
	mren_dataset_fill_sentence(dataset, head, tail, row);
	return MREN_OK;
}
