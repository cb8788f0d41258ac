/*
 * dataset_conll04.c
 *	  CoNLL04 in JSON, and ADE: every ordered pair of a sentence's entities is a row.
 *
 * First come the pairs that have a relation, in the file's order; then, with
 * negatives, the others as "None".
 */
#include <stdio.h>
#include <string.h>

#include "text/dataset/dataset_parts.h"
#include "base/utf8.h"

static MrenStatus
add_entity(MrenDataset *dataset, int32_t first, int32_t end, MrenTextSpan type, MrenError *err)
{
	MrenEntity entity = {first, end, {0, 0}, type};

	MREN_TRY(mren_dataset_token_range(dataset, "entity", first, end, &entity.chars, err));
	MREN_TRY(mren_grow(&dataset->env, &dataset->entities, &dataset->entities_capacity,
					   dataset->n_entities, dataset->n_entities + 1, sizeof(*dataset->entities),
					   err));
	dataset->entities[dataset->n_entities++] = entity;
	return MREN_OK;
}

/* The entity whose tags are being read. */
typedef struct OpenEntity
{
	bool open;
	int32_t first;
	MrenTextSpan type;
} OpenEntity;

static MrenStatus
close_entity(MrenDataset *dataset, OpenEntity *entity, int32_t end, MrenError *err)
{
	if (!entity->open)
		return MREN_OK;
	entity->open = false;
	return add_entity(dataset, entity->first, end, entity->type, err);
}

/* One tag of BILOU (begin, inside, last, outside, unit) or BIO. */
static MrenStatus
take_tag(MrenDataset *dataset, const MrenLiteralNode *node, int32_t number, OpenEntity *entity,
		 MrenError *err)
{
	char kind = node->kind == MREN_LITERAL_STRING && node->len > 0 ? node->text[0] : '\0';
	MrenTextSpan type;

	if (kind == 'O' && node->len == 1)
		return close_entity(dataset, entity, number, err);
	if (kind == '\0' || strchr("BILU", kind) == NULL || node->len < 3 || node->text[1] != '-')
		return mren_dataset_fail(dataset, err, "tag %d (\"%s\") is not of BILOU", number + 1,
								 kind == '\0' ? "" : mren_utf8_excerpt(node->text, node->len).text);
	type = (MrenTextSpan){node->text + 2, node->len - 2};
	if (kind == 'B' || kind == 'U')
	{
		MREN_TRY(close_entity(dataset, entity, number, err));
		*entity = (OpenEntity){true, number, type};
	}
	else if (!entity->open || !mren_text_span_equal(entity->type, type))
		return mren_dataset_fail(dataset, err, "tag %d (\"%s\") continues no entity", number + 1,
								 mren_utf8_excerpt(node->text, node->len).text);
	if (kind == 'U' || kind == 'L')
		return close_entity(dataset, entity, number + 1, err);
	return MREN_OK;
}

static MrenStatus
take_tags(MrenDataset *dataset, const MrenLiteralNode *tags, MrenError *err)
{
	const MrenLiteralNode *nodes = dataset->literal.nodes;
	OpenEntity entity = {false, 0, {NULL, 0}};
	size_t at = (size_t) (tags - nodes) + 1;

	if (tags->kind != MREN_LITERAL_LIST || tags->n != dataset->n_tokens)
		return mren_dataset_fail(dataset, err, "\"tags\" is not a list of %zu, one for each token",
								 dataset->n_tokens);
	for (uint32_t i = 0; i < tags->n; i++)
	{
		if (i % 4096 == 4095)
			MREN_TRY(mren_check_interrupts(&dataset->env, err));
		MREN_TRY(take_tag(dataset, &nodes[at], (int32_t) i, &entity, err));
		at = nodes[at].next;
	}
	return close_entity(dataset, &entity, (int32_t) tags->n, err);
}

/*
 * A member of an entity or a relation, which is an object with keys, or a list
 * of numbers and strings, whose nodes follow each other.
 */
static const MrenLiteralNode *
member(const MrenLiteral *literal, const MrenLiteralNode *node, const char *key, uint32_t place)
{
	if (node->kind != MREN_LITERAL_LIST)
		return mren_literal_get(literal, node, key);
	for (uint32_t i = 1; i <= place + 1; i++)
	{
		if (place >= node->n || node[i].kind == MREN_LITERAL_LIST ||
			node[i].kind == MREN_LITERAL_MAP)
			return NULL;
	}
	return node + 1 + place;
}

/* "entities": [{"type", "start", "end"}], as SpERT's files have them, or
 * [[start, end, type]], as ADE's. */
static MrenStatus
take_listed(MrenDataset *dataset, const MrenLiteralNode *list, MrenError *err)
{
	const MrenLiteral *literal = &dataset->literal;
	size_t at;

	if (list == NULL || list->kind != MREN_LITERAL_LIST)
		return mren_dataset_fail(dataset, err, "neither \"tags\" nor \"entities\" is a list");
	at = (size_t) (list - literal->nodes) + 1;
	for (uint32_t i = 0; i < list->n; i++)
	{
		const MrenLiteralNode *node = &literal->nodes[at];
		int32_t first;
		int32_t end;

		if (i % 4096 == 4095)
			MREN_TRY(mren_check_interrupts(&dataset->env, err));
		if (!mren_dataset_int(member(literal, node, "start", 0), &first) ||
			!mren_dataset_int(member(literal, node, "end", 1), &end))
			return mren_dataset_fail(dataset, err, "entity %u lacks a whole \"start\" and \"end\"",
									 i);
		MREN_TRY(add_entity(dataset, first, end,
							mren_dataset_text(member(literal, node, "type", 2)), err));
		at = node->next;
	}
	return MREN_OK;
}

static MrenStatus
take_entities(MrenDataset *dataset, const MrenLiteralNode *object, MrenError *err)
{
	const MrenLiteral *literal = &dataset->literal;
	const MrenLiteralNode *tags = mren_literal_get(literal, object, "tags");

	dataset->n_entities = 0;
	if (tags != NULL)
		return take_tags(dataset, tags, err);
	return take_listed(dataset, mren_literal_get(literal, object, "entities"), err);
}

/* Number of the entity at the tokens that a relation's list names. */
static MrenStatus
entity_at(const MrenDataset *dataset, const MrenLiteralNode *relation, const char *role,
		  size_t *number, MrenError *err)
{
	uint32_t place = strcmp(role, "head") == 0 ? 0 : 2;
	int32_t first;
	int32_t end;

	if (!mren_dataset_int(member(&dataset->literal, relation, "", place), &first) ||
		!mren_dataset_int(member(&dataset->literal, relation, "", place + 1), &end))
		return mren_dataset_fail(dataset, err, "a relation's %s is not two whole numbers", role);
	for (*number = 0; *number < dataset->n_entities; ++*number)
	{
		if (dataset->entities[*number].first == first && dataset->entities[*number].end == end)
			return MREN_OK;
	}
	return mren_dataset_fail(dataset, err, "a relation's %s at tokens [%d,%d) is not an entity",
							 role, first, end);
}

/* Number of the entity that a relation names as its head or tail. */
static MrenStatus
entity_of(const MrenDataset *dataset, const MrenLiteralNode *relation, const char *role,
		  size_t *number, MrenError *err)
{
	int32_t value;

	if (relation->kind == MREN_LITERAL_LIST)
		return entity_at(dataset, relation, role, number, err);
	if (!mren_dataset_int(mren_literal_get(&dataset->literal, relation, role), &value))
		return mren_dataset_fail(dataset, err, "a relation's \"%s\" is not a whole number", role);
	if (value < 0 || (size_t) value >= dataset->n_entities)
		return mren_dataset_fail(dataset, err, "a relation's \"%s\" is entity %d of %zu", role,
								 value, dataset->n_entities);
	*number = (size_t) value;
	return MREN_OK;
}

static MrenStatus
enter_sentence(MrenDataset *dataset, MrenError *err)
{
	const MrenLiteral *literal = &dataset->literal;
	const MrenLiteralNode *object = &literal->nodes[dataset->node];
	MrenTextSpan id;

	dataset->node = object->next;
	dataset->n_left--;
	dataset->number++;
	snprintf(dataset->place, sizeof(dataset->place), "element %u", dataset->number);
	if (object->kind != MREN_LITERAL_MAP)
		return mren_dataset_fail(dataset, err, "sentence is not an object");
	MREN_TRY(
		mren_dataset_join(dataset, mren_literal_get(literal, object, "tokens"), "tokens", err));
	MREN_TRY(take_entities(dataset, object, err));
	dataset->relations = mren_literal_get(literal, object, "relations");
	if (dataset->relations != NULL && dataset->relations->kind != MREN_LITERAL_LIST)
		return mren_dataset_fail(dataset, err, "\"relations\" is not a list");
	id = mren_dataset_text(mren_literal_get(literal, object, "orig_id"));
	if (id.data != NULL)
		snprintf(dataset->id, sizeof(dataset->id), "%s", mren_utf8_excerpt(id.data, id.len).text);
	else
		snprintf(dataset->id, sizeof(dataset->id), "%u", dataset->number);
	dataset->n_relations_left = dataset->relations != NULL ? dataset->relations->n : 0;
	dataset->relation_node =
		dataset->relations != NULL ? (uint32_t) (dataset->relations - literal->nodes) + 1 : 0;
	dataset->head = 0;
	dataset->tail = 0;
	dataset->in_sentence = true;
	return MREN_OK;
}

static void
fill_row(const MrenDataset *dataset, size_t head, size_t tail, MrenTextSpan relation,
		 MrenDatasetRow *row)
{
	const MrenEntity *h = &dataset->entities[head];
	const MrenEntity *t = &dataset->entities[tail];

	row->id = (MrenTextSpan){dataset->id, strlen(dataset->id)};
	row->relation = relation;
	row->head_type = h->type;
	row->tail_type = t->type;
	mren_dataset_fill_sentence(dataset, h->chars, t->chars, row);
}

static MrenStatus
next_relation(MrenDataset *dataset, MrenDatasetRow *row, MrenError *err)
{
	const MrenLiteralNode *node = &dataset->literal.nodes[dataset->relation_node];
	MrenTextSpan type = mren_dataset_text(member(&dataset->literal, node, "type", 4));
	size_t head = 0;
	size_t tail = 0;

	if (type.data == NULL)
		return mren_dataset_fail(dataset, err, "a relation lacks its \"type\"");
	MREN_TRY(entity_of(dataset, node, "head", &head, err));
	MREN_TRY(entity_of(dataset, node, "tail", &tail, err));
	dataset->relation_node = node->next;
	dataset->n_relations_left--;
	fill_row(dataset, head, tail, type, row);
	return MREN_OK;
}

/* Whether the current pair has a relation; the relations were all read before. */
static MrenStatus
is_related(const MrenDataset *dataset, bool *related, MrenError *err)
{
	size_t at;

	*related = false;
	if (dataset->relations == NULL)
		return MREN_OK;
	at = (size_t) (dataset->relations - dataset->literal.nodes) + 1;
	for (uint32_t i = 0; i < dataset->relations->n && !*related; i++)
	{
		const MrenLiteralNode *node = &dataset->literal.nodes[at];
		size_t head = 0;
		size_t tail = 0;

		MREN_TRY(entity_of(dataset, node, "head", &head, err));
		MREN_TRY(entity_of(dataset, node, "tail", &tail, err));
		*related = head == dataset->head && tail == dataset->tail;
		at = node->next;
	}
	return MREN_OK;
}

/* Moves on to the next ordered pair of different entities; false at the end. */
static bool
next_pair(MrenDataset *dataset)
{
	do
	{
		dataset->tail++;
		if (dataset->tail >= dataset->n_entities)
		{
			dataset->tail = 0;
			dataset->head++;
		}
	} while (dataset->head == dataset->tail && dataset->head < dataset->n_entities);
	return dataset->head < dataset->n_entities;
}

static MrenStatus
next_negative(MrenDataset *dataset, MrenDatasetRow *row, bool *found, MrenError *err)
{
	*found = false;
	while (dataset->negatives && next_pair(dataset))
	{
		bool related = false;

		MREN_TRY(mren_check_interrupts(&dataset->env, err));
		MREN_TRY(is_related(dataset, &related, err));
		if (related)
			continue;
		fill_row(dataset, dataset->head, dataset->tail, (MrenTextSpan){"None", 4}, row);
		*found = true;
		break;
	}
	return MREN_OK;
}

MrenStatus
mren_conll04_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more, MrenError *err)
{
	for (;;)
	{
		if (!dataset->in_sentence)
		{
			if (dataset->n_left == 0)
				return MREN_OK;
			MREN_TRY(enter_sentence(dataset, err));
		}
		if (dataset->n_relations_left > 0)
		{
			*more = true;
			return next_relation(dataset, row, err);
		}
		MREN_TRY(next_negative(dataset, row, more, err));
		if (*more)
			return MREN_OK;
		dataset->in_sentence = false;
		MREN_TRY(mren_check_interrupts(&dataset->env, err));
	}
}
