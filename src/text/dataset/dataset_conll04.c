/*
 * dataset_conll04.c
 *	  CoNLL04 in JSON, and ADE: every ordered pair of a sentence's entities is a row.
 *
 * First come the pairs that have a relation, in the file's order; then, with
 * negatives, the others as "None".  An entity that is listed again, at the same
 * tokens, is the same entity: relations may name either, with the type that is
 * given there, but the pairs without a relation know the first alone.
 */
#include <stdio.h>
#include <string.h>

#include "text/dataset/dataset_parts.h"
#include "base/utf8.h"

/*
 * Finds the number of the first entity at these tokens; n_entities if there is
 * none.  Lists may be long, so it checks for interrupts.
 */
static MrenStatus
find_entity(const MrenDataset *dataset, int32_t first, int32_t end, size_t *number, MrenError *err)
{
	for (*number = 0; *number < dataset->n_entities; ++*number)
	{
		const MrenEntity *entity = &dataset->entities[*number];

		if (*number % 65536 == 65535)
			MREN_TRY(mren_check_interrupts(&dataset->env, err));
		if (entity->first == first && entity->end == end)
			break;
	}
	return MREN_OK;
}

static MrenStatus
add_entity(MrenDataset *dataset, int32_t first, int32_t end, MrenTextSpan type, MrenError *err)
{
	MrenEntity entity = {first, end, {0, 0}, type, 0};
	char what[32];

	snprintf(what, sizeof(what), "entity %zu", dataset->n_entities);
	MREN_TRY(mren_dataset_token_range(dataset, what, first, end, &entity.chars, err));
	MREN_TRY(find_entity(dataset, first, end, &entity.same, err));
	MREN_TRY(mren_grow(&dataset->env, &dataset->entities, &dataset->entities_capacity,
					   dataset->n_entities, dataset->n_entities + 1, sizeof(*dataset->entities),
					   err));
	dataset->entities[dataset->n_entities++] = entity;
	return MREN_OK;
}

/* The tags as texts, in dataset->tags. */
static MrenStatus
gather_tags(MrenDataset *dataset, const MrenLiteralNode *tags, MrenError *err)
{
	const MrenLiteralNode *nodes = dataset->literal.nodes;
	size_t at = (size_t) (tags - nodes) + 1;

	if (tags->kind != MREN_LITERAL_LIST || tags->n != dataset->n_tokens)
		return mren_dataset_fail(dataset, err, "\"tags\" is not a list of %zu, one for each token",
								 dataset->n_tokens);
	MREN_TRY(mren_grow(&dataset->env, &dataset->tags, &dataset->tags_capacity, 0, tags->n,
					   sizeof(*dataset->tags), err));
	MREN_TRY(mren_grow(&dataset->env, &dataset->tagged, &dataset->tagged_capacity, 0, tags->n,
					   sizeof(*dataset->tagged), err));
	for (uint32_t i = 0; i < tags->n; i++)
	{
		if (i % 4096 == 4095)
			MREN_TRY(mren_check_interrupts(&dataset->env, err));
		if (nodes[at].kind != MREN_LITERAL_STRING)
			return mren_dataset_fail(dataset, err,
									 "\"tags\" has an element %u that is not a string", i + 1);
		dataset->tags[i] = (MrenTextSpan){nodes[at].text, nodes[at].len};
		at = nodes[at].next;
	}
	return MREN_OK;
}

static MrenStatus
take_tags(MrenDataset *dataset, const MrenLiteralNode *tags, MrenError *err)
{
	MrenError inner = {0};
	size_t n;

	MREN_TRY(gather_tags(dataset, tags, err));
	if (mren_mention_tags_read(dataset->tags, tags->n, dataset->tagged, &n, &inner) != MREN_OK)
	{
		mren_dataset_fail(dataset, err, "%s", inner.message);
		mren_error_hint(err, "%s", inner.hint);
		return MREN_EFORMAT;
	}
	for (size_t i = 0; i < n; i++)
	{
		const MrenTokenMention *mention = &dataset->tagged[i];

		if (i % 4096 == 4095)
			MREN_TRY(mren_check_interrupts(&dataset->env, err));
		MREN_TRY(add_entity(dataset, (int32_t) mention->first, (int32_t) mention->end,
							mention->type, err));
	}
	return MREN_OK;
}

/*
 * A member of an entity or a relation, which is an object with keys, or a list
 * of numbers and strings, whose nodes follow each other.  NULL for what is missing,
 * or stands after a list or an object.
 */
static const MrenLiteralNode *
member(const MrenLiteral *literal, const MrenLiteralNode *node, const char *key, uint32_t place)
{
	if (node->kind != MREN_LITERAL_LIST)
		return mren_literal_get(literal, node, key);
	if (place >= node->n)
		return NULL;
	for (uint32_t i = 1; i <= place; i++)
	{
		if (node[i].kind == MREN_LITERAL_LIST || node[i].kind == MREN_LITERAL_MAP)
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
		MrenTextSpan type;
		int32_t first;
		int32_t end;
		char what[32];

		if (i % 4096 == 4095)
			MREN_TRY(mren_check_interrupts(&dataset->env, err));
		if (!mren_dataset_int(member(literal, node, "start", 0), &first) ||
			!mren_dataset_int(member(literal, node, "end", 1), &end))
			return mren_dataset_fail(dataset, err, "entity %u lacks a whole \"start\" and \"end\"",
									 i);
		snprintf(what, sizeof(what), "entity %u", i);
		MREN_TRY(mren_dataset_string(dataset, member(literal, node, "type", 2), "type", what, &type,
									 err));
		MREN_TRY(add_entity(dataset, first, end, type, err));
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
	MREN_TRY(find_entity(dataset, first, end, number, err));
	if (*number < dataset->n_entities)
		return MREN_OK;
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
	MREN_TRY(mren_dataset_id(dataset, object, "orig_id", &id, err));
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
	uint32_t number = dataset->relations->n - dataset->n_relations_left;
	MrenTextSpan type;
	char what[32];
	size_t head = 0;
	size_t tail = 0;

	snprintf(what, sizeof(what), "relation %u", number);
	MREN_TRY(mren_dataset_relation(dataset, member(&dataset->literal, node, "type", 4), "type",
								   what, &type, err));
	if (type.data == NULL)
		return mren_dataset_fail(dataset, err, "a relation lacks its \"type\"");
	MREN_TRY(entity_of(dataset, node, "head", &head, err));
	MREN_TRY(entity_of(dataset, node, "tail", &tail, err));
	if (dataset->entities[head].same == dataset->entities[tail].same)
		return mren_dataset_fail(dataset, err, "head and tail of %s are the same entity", what);
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
		*related = dataset->entities[head].same == dataset->head &&
				   dataset->entities[tail].same == dataset->tail;
		at = node->next;
	}
	return MREN_OK;
}

/* Whether an entity's tokens were listed before. */
static bool
is_repeated(const MrenDataset *dataset, size_t entity)
{
	return dataset->entities[entity].same != entity;
}

/* Moves on to the next ordered pair of entities, which may be repeated; false at the end. */
static bool
next_pair(MrenDataset *dataset)
{
	dataset->tail++;
	if (dataset->tail >= dataset->n_entities || is_repeated(dataset, dataset->head))
	{
		dataset->tail = 0;
		dataset->head++;
	}
	return dataset->head < dataset->n_entities;
}

/* Whether the current pair is of two different entities, each listed here for the first time. */
static bool
is_pair(const MrenDataset *dataset)
{
	return dataset->head != dataset->tail && !is_repeated(dataset, dataset->head) &&
		   !is_repeated(dataset, dataset->tail);
}

static MrenStatus
next_negative(MrenDataset *dataset, MrenDatasetRow *row, bool *found, MrenError *err)
{
	*found = false;
	while (dataset->negatives && next_pair(dataset))
	{
		bool related = false;

		MREN_TRY(mren_check_interrupts(&dataset->env, err));
		if (!is_pair(dataset))
			continue;
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
