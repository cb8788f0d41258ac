/*
 * dataset_docred.c
 *	  DocRED's JSON, and Re-DocRED's: documents with entities that have several
 *	  mentions, and relations between entities.
 *
 * The text of a document is its sentences, and theirs their tokens, joined by
 * spaces.  Rows of a document: itself, its sentences, its mentions by entity, its
 * facts.  A file without "labels", such as a test set, has no facts.
 */
#include <stdio.h>
#include <string.h>

#include "text/dataset/dataset_parts.h"
#include "base/utf8.h"

/* The list under a key; its elements follow it. */
static MrenStatus
take_list(const MrenDataset *dataset, const MrenLiteralNode *object, const char *key,
		  const MrenLiteralNode **list, MrenError *err)
{
	*list = mren_literal_get(&dataset->literal, object, key);
	if (*list == NULL)
		return mren_dataset_fail(dataset, err, "\"%s\" is missing", key);
	if ((*list)->kind != MREN_LITERAL_LIST)
		return mren_dataset_fail(dataset, err, "\"%s\" is not a list", key);
	return MREN_OK;
}

static uint32_t
number_of(const MrenDataset *dataset, const MrenLiteralNode *node)
{
	return (uint32_t) (node - dataset->literal.nodes);
}

/* One sentence after the others. */
static MrenStatus
add_sentence(MrenDataset *dataset, const MrenLiteralNode *list, MrenError *err)
{
	MrenTokens *sentences = &dataset->sentences;
	MrenToken sentence = {.start = (uint32_t) dataset->n_tokens};

	if (dataset->n_tokens > 0)
		MREN_TRY(mren_dataset_append(dataset, " ", 1, err));
	sentence.char_start = (uint32_t) dataset->n_chars;
	MREN_TRY(mren_dataset_join_more(dataset, list, "sents", err));
	sentence.end = (uint32_t) dataset->n_tokens;
	sentence.char_end = (uint32_t) dataset->n_chars;
	MREN_TRY(mren_grow(&dataset->env, &sentences->items, &sentences->capacity, sentences->n,
					   sentences->n + 1, sizeof(*sentences->items), err));
	sentences->items[sentences->n++] = sentence;
	return MREN_OK;
}

static MrenStatus
take_text(MrenDataset *dataset, const MrenLiteralNode *object, MrenError *err)
{
	const MrenLiteralNode *list;
	uint32_t at;

	mren_dataset_start_sentence(dataset);
	dataset->sentences.n = 0;
	MREN_TRY(take_list(dataset, object, "sents", &list, err));
	at = number_of(dataset, list) + 1;
	for (uint32_t i = 0; i < list->n; i++)
	{
		MREN_TRY(add_sentence(dataset, &dataset->literal.nodes[at], err));
		at = dataset->literal.nodes[at].next;
	}
	return MREN_OK;
}

static MrenStatus
enter_document(MrenDataset *dataset, MrenError *err)
{
	const MrenLiteralNode *object = &dataset->literal.nodes[dataset->node];
	const MrenLiteralNode *list;
	MrenTextSpan title;

	dataset->node = object->next;
	dataset->n_left--;
	dataset->number++;
	snprintf(dataset->place, sizeof(dataset->place), "element %u", dataset->number);
	if (object->kind != MREN_LITERAL_MAP)
		return mren_dataset_fail(dataset, err, "document is not an object");
	MREN_TRY(mren_dataset_string(dataset, mren_literal_get(&dataset->literal, object, "title"),
								 "title", NULL, &title, err));
	snprintf(dataset->id, sizeof(dataset->id), "%u", dataset->number);
	dataset->group = title.data != NULL ? title : (MrenTextSpan){dataset->id, strlen(dataset->id)};
	MREN_TRY(take_text(dataset, object, err));
	MREN_TRY(take_list(dataset, object, "vertexSet", &list, err));
	dataset->n_groups = list->n;
	dataset->entity = 0;
	dataset->mention_node = number_of(dataset, list) + 1;
	dataset->n_mentions_left = 0;
	dataset->relations = mren_literal_get(&dataset->literal, object, "labels");
	if (dataset->relations != NULL)
		MREN_TRY(take_list(dataset, object, "labels", &dataset->relations, err));
	dataset->n_relations_left = dataset->relations != NULL ? dataset->relations->n : 0;
	dataset->relation_node =
		dataset->relations != NULL ? number_of(dataset, dataset->relations) + 1 : 0;
	dataset->part = MREN_PART_DOCUMENT;
	dataset->in_sentence = true;
	return MREN_OK;
}

/* Tokens of one sentence, "pos", as characters of the document. */
static MrenStatus
place_mention(const MrenDataset *dataset, const MrenLiteralNode *object, MrenChars *chars,
			  MrenError *err)
{
	const MrenLiteral *literal = &dataset->literal;
	const MrenLiteralNode *pos = mren_literal_get(literal, object, "pos");
	const MrenToken *sentence;
	int32_t number;
	int32_t first;
	int32_t end;
	char what[64];

	if (!mren_dataset_int(mren_literal_get(literal, object, "sent_id"), &number))
		return mren_dataset_fail(dataset, err, "\"sent_id\" of entity %d is not a whole number",
								 dataset->entity);
	if (number < 0 || (size_t) number >= dataset->sentences.n)
		return mren_dataset_fail(dataset, err, "\"sent_id\" of entity %d is sentence %d of %zu",
								 dataset->entity, number, dataset->sentences.n);
	sentence = &dataset->sentences.items[number];
	if (pos == NULL || pos->kind != MREN_LITERAL_LIST || pos->n != 2 ||
		!mren_dataset_int(pos + 1, &first) || !mren_dataset_int(pos + 2, &end))
		return mren_dataset_fail(dataset, err, "\"pos\" of entity %d is not two whole numbers",
								 dataset->entity);
	snprintf(what, sizeof(what), "entity %d", dataset->entity);
	if (first < 0 || end > (int32_t) (sentence->end - sentence->start))
		return mren_dataset_fail(dataset, err, "%s at tokens [%d,%d) is not in a sentence of %u",
								 what, first, end, sentence->end - sentence->start);
	return mren_dataset_token_range(dataset, what, (int32_t) sentence->start + first,
									(int32_t) sentence->start + end, chars, err);
}

static MrenStatus
next_mention(MrenDataset *dataset, MrenDatasetRow *row, bool *more, MrenError *err)
{
	const MrenLiteralNode *node;
	MrenChars chars = {0, 0};

	while (dataset->n_mentions_left == 0)
	{
		if (dataset->n_groups == 0)
			return MREN_OK;
		node = &dataset->literal.nodes[dataset->mention_node];
		if (node->kind != MREN_LITERAL_LIST)
			return mren_dataset_fail(dataset, err, "entity %d is not a list of mentions",
									 dataset->entity);
		dataset->n_groups--;
		dataset->n_mentions_left = node->n;
		dataset->mention_node++;
		dataset->entity++;
	}
	node = &dataset->literal.nodes[dataset->mention_node];
	dataset->entity--;
	if (node->kind != MREN_LITERAL_MAP)
		return mren_dataset_fail(dataset, err, "a mention of entity %d is not an object",
								 dataset->entity);
	MREN_TRY(place_mention(dataset, node, &chars, err));
	MREN_TRY(mren_dataset_string(dataset, mren_literal_get(&dataset->literal, node, "type"), "type",
								 "a mention", &row->head_type, err));
	row->part = MREN_PART_MENTION;
	row->entity = dataset->entity;
	mren_dataset_fill_sentence(dataset, chars, (MrenChars){0, 0}, row);
	dataset->entity++;
	dataset->mention_node = node->next;
	dataset->n_mentions_left--;
	*more = true;
	return MREN_OK;
}

static MrenStatus
entity_of(const MrenDataset *dataset, const MrenLiteralNode *label, const char *key,
		  int32_t *entity, MrenError *err)
{
	if (!mren_dataset_int(mren_literal_get(&dataset->literal, label, key), entity))
		return mren_dataset_fail(dataset, err, "\"%s\" of a label is not a whole number", key);
	if (*entity < 0 || *entity >= dataset->entity)
		return mren_dataset_fail(dataset, err, "\"%s\" of a label is entity %d of %d", key, *entity,
								 dataset->entity);
	return MREN_OK;
}

static MrenStatus
next_fact(MrenDataset *dataset, MrenDatasetRow *row, bool *more, MrenError *err)
{
	const MrenLiteralNode *node = &dataset->literal.nodes[dataset->relation_node];

	if (dataset->n_relations_left == 0)
		return MREN_OK;
	if (node->kind != MREN_LITERAL_MAP)
		return mren_dataset_fail(dataset, err, "a label is not an object");
	MREN_TRY(entity_of(dataset, node, "h", &row->head, err));
	MREN_TRY(entity_of(dataset, node, "t", &row->tail, err));
	MREN_TRY(mren_dataset_relation(dataset, mren_literal_get(&dataset->literal, node, "r"), "r",
								   "a label", &row->relation, err));
	if (row->relation.data == NULL)
		return mren_dataset_fail(dataset, err, "a label lacks its relation \"r\"");
	row->part = MREN_PART_FACT;
	dataset->relation_node = node->next;
	dataset->n_relations_left--;
	*more = true;
	return MREN_OK;
}

MrenStatus
mren_docred_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more, MrenError *err)
{
	for (;;)
	{
		if (!dataset->in_sentence)
		{
			if (dataset->n_left == 0)
				return MREN_OK;
			MREN_TRY(enter_document(dataset, err));
		}
		row->id = dataset->group;
		if (mren_dataset_next_text(dataset, row))
			*more = true;
		if (!*more)
			MREN_TRY(next_mention(dataset, row, more, err));
		if (!*more)
			MREN_TRY(next_fact(dataset, row, more, err));
		if (*more)
			return MREN_OK;
		dataset->in_sentence = false;
		MREN_TRY(mren_check_interrupts(&dataset->env, err));
	}
}
