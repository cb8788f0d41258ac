/*
 * dataset.h
 *	  Published relation-extraction sets as training rows, one at a time.
 *
 *	semeval		SemEval-2010 Task 8, a whole file: numbered quoted sentences
 *				with <e1> and <e2> marks, then (if given) the relation and a comment
 *	opennre		one line: a JSON object with "text" or "token", "h", "t", "relation"
 *	fewrel		a whole file: a JSON object of lists of sentences, by relation
 *	mnre		one line: as opennre, but a Python dictionary, with "img_id"
 *	conll04		a whole file, or one sentence: JSON with "tokens", "tags" (see
 *				text/mention_tags.h) or "entities", and "relations"; every ordered pair
 *				of entities, one that is listed twice being one.
 *				Entities and relations may be lists, as ADE's: [first, end, type] and
 *				[head first, head end, tail first, tail end, type], in tokens
 *	tacred		a whole file, or one row: JSON with "token", "subj_start", "subj_end",
 *				"obj_start", "obj_end" (both ends inclusive), their types, "relation"
 *	marked		one line: a JSON object with "text", where the mentions stand between
 *				"[[ " and " ]]" (head), "<< " and " >>" (tail), and "label"
 *	docred		a whole file, or one document: JSON with "title", "sents", "vertexSet"
 *				(entities, each a list of mentions) and "labels"
 *	brat		one document and its annotations in brat's standoff format
 *
 * The last two are of whole documents, whose rows are parts: the document, its
 * sentences, its mentions, its facts.
 *
 * Tokens are joined by single spaces; positions become half-open ranges of
 * characters in the sentence.
 */
#ifndef MREN_TEXT_DATASET_DATASET_H
#define MREN_TEXT_DATASET_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/text_span.h"

typedef enum MrenDatasetKind
{
	MREN_DATASET_SEMEVAL,
	MREN_DATASET_OPENNRE,
	MREN_DATASET_FEWREL,
	MREN_DATASET_MNRE,
	MREN_DATASET_CONLL04,
	MREN_DATASET_TACRED,
	MREN_DATASET_MARKED,
	MREN_DATASET_DOCRED,
	MREN_DATASET_BRAT,
} MrenDatasetKind;

/* What a row of docred or brat is. */
typedef enum MrenPart
{
	MREN_PART_PAIR, /* of other formats: two mentions and a relation */
	MREN_PART_DOCUMENT,
	MREN_PART_SENTENCE, /* at head_lower .. head_upper, as a mention */
	MREN_PART_MENTION,	/* of an entity, of the type head_type */
	MREN_PART_FACT,		/* relation, head and tail */
} MrenPart;

typedef struct MrenDatasetRow
{
	MrenTextSpan id, sentence, relation, comment;
	MrenTextSpan head_name, tail_name, head_type, tail_type;
	MrenTextSpan image_name;
	int32_t head_lower, head_upper, tail_lower, tail_upper;

	/* Parts of a document: sentence is its text; entities are numbers. */
	MrenPart part;
	int32_t entity, head, tail;
} MrenDatasetRow;

typedef struct MrenDataset MrenDataset;

/*
 * mren_dataset_open
 *	  content must stay until close.  negatives: conll04 pairs without a
 *	  relation are rows, too, with the relation "None".  JSON is parsed here.
 */
extern MrenStatus mren_dataset_open(const MrenEnv *env, MrenDatasetKind kind, const char *content,
									size_t len, bool negatives, MrenDataset **dataset,
									MrenError *err);

/*
 * mren_dataset_open_brat
 *	  A text and the annotations of it, both of which must stay until close.  The
 *	  annotations are checked here, but for the relations.
 */
extern MrenStatus mren_dataset_open_brat(const MrenEnv *env, MrenTextSpan text,
										 MrenTextSpan annotations, MrenDataset **dataset,
										 MrenError *err);

/*
 * mren_dataset_next
 *	  *more is false after the last row.  The row's texts are valid until the
 *	  next call.  MREN_EFORMAT names the line or the element that is malformed.
 */
extern MrenStatus mren_dataset_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more,
									MrenError *err);

extern void mren_dataset_close(MrenDataset *dataset);

#endif
