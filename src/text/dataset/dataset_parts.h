/*
 * dataset_parts.h
 *	  What the readers of the dataset_*.c files share.
 */
#ifndef MREN_TEXT_DATASET_DATASET_PARTS_H
#define MREN_TEXT_DATASET_DATASET_PARTS_H

#include "text/dataset/dataset.h"
#include "text/dataset/literal.h"
#include "text/mention_tags.h"
#include "text/tokens.h"
#include "base/sort.h"

/* Half open, in characters of the sentence. */
typedef struct MrenChars
{
	int32_t lower, upper;
} MrenChars;

typedef struct MrenPlacedToken
{
	MrenChars chars;
	bool blank; /* white space only */
} MrenPlacedToken;

typedef struct MrenEntity
{
	int32_t first, end; /* tokens */
	MrenChars chars;
	MrenTextSpan type;
	size_t same; /* number of the first entity at these tokens, as a rule its own */
} MrenEntity;

/* brat: a mention. */
typedef struct MrenMark
{
	uint32_t number; /* in its identifier */
	uint32_t entity; /* another mention of the entity, itself if it is the first */
	MrenChars chars;
	MrenTextSpan type;
} MrenMark;

struct MrenDataset
{
	MrenEnv env;
	MrenDatasetKind kind;
	bool negatives;
	const char *content;
	size_t len;

	/* "line 3" or "element 3": where the reader is, for messages; may be "". */
	char place[160];
	char id[128];

	/* The sentence being made. */
	char *sentence;
	size_t n_sentence, sentence_capacity;
	int32_t n_chars;
	MrenPlacedToken *tokens;
	size_t n_tokens, tokens_capacity;

	/* SemEval: the next line. */
	size_t at;
	int64_t line;

	/* JSON: the next nodes. */
	MrenLiteral literal;
	uint32_t node;		/* the next element, or relation's list */
	uint32_t n_left;	/* elements left in the current list */
	uint32_t n_groups;	/* FewRel: relations left */
	uint32_t number;	/* of the current element, from 1 */
	MrenTextSpan group; /* FewRel: the current relation */

	/* CoNLL04: the current sentence's entities and how far their pairs are. */
	MrenEntity *entities;
	size_t n_entities, entities_capacity;
	MrenTextSpan *tags; /* (n_tokens) */
	size_t tags_capacity;
	MrenTokenMention *tagged; /* (n_tokens) */
	size_t tagged_capacity;
	const MrenLiteralNode *relations;
	uint32_t n_relations_left;
	uint32_t relation_node;
	size_t head, tail;
	bool in_sentence;

	/* DocRED, brat: the parts of the document that were given, and its sentences. */
	MrenPart part;
	size_t next_sentence;
	MrenTokens sentences; /* DocRED: start and end count tokens */

	/* DocRED: the next mention, and the number of its entity. */
	uint32_t mention_node;
	uint32_t n_mentions_left;
	int32_t entity;

	/* brat: annotations, mentions in their order and by number, triggers by event. */
	const char *annotations;
	size_t n_annotations;
	MrenMark *marks;
	size_t n_marks, marks_capacity, mark;
	MrenKeyed *by_number;
	size_t by_number_capacity;
	MrenKeyed *events;
	size_t n_events, events_capacity;
};

/* MREN_EFORMAT: the place and what is wrong there. */
extern MrenStatus mren_dataset_fail(const MrenDataset *dataset, MrenError *err, const char *fmt,
									...) MREN_PRINTF(3, 4);

/* Sentence and tokens start over; then pieces of text are appended. */
extern void mren_dataset_start_sentence(MrenDataset *dataset);
extern MrenStatus mren_dataset_append(MrenDataset *dataset, const char *text, size_t len,
									  MrenError *err);

/* The sentence from a list of tokens at `node`; their places in dataset->tokens. */
extern MrenStatus mren_dataset_join(MrenDataset *dataset, const MrenLiteralNode *node,
									const char *key, MrenError *err);

/* The same after what is there already, which a caller has parted with a space. */
extern MrenStatus mren_dataset_join_more(MrenDataset *dataset, const MrenLiteralNode *node,
										 const char *key, MrenError *err);

/* The document's own row, then those of its sentences; false after them. */
extern bool mren_dataset_next_text(MrenDataset *dataset, MrenDatasetRow *row);

/*
 * The place of a mention, by tokens (after join) or by characters: within the
 * sentence, and neither empty nor white space only.  `what` names it in messages.
 */
extern MrenStatus mren_dataset_token_range(const MrenDataset *dataset, const char *what,
										   int32_t lower, int32_t upper, MrenChars *chars,
										   MrenError *err);
extern MrenStatus mren_dataset_char_range(const MrenDataset *dataset, const char *what,
										  int32_t lower, int32_t upper, MrenChars *chars,
										  MrenError *err);

/*
 * A string, and nothing else; NULL data if node is NULL, as for a key that is
 * missing.  `owner` names what the key belongs to, NULL: the row itself.
 */
extern MrenStatus mren_dataset_string(const MrenDataset *dataset, const MrenLiteralNode *node,
									  const char *key, const char *owner, MrenTextSpan *text,
									  MrenError *err);

/* The same of a member of the row; an identifier may be a number, which is taken as written. */
extern MrenStatus mren_dataset_id(const MrenDataset *dataset, const MrenLiteralNode *row,
								  const char *key, MrenTextSpan *text, MrenError *err);

/* The same for a relation, which must not be blank. */
extern MrenStatus mren_dataset_relation(const MrenDataset *dataset, const MrenLiteralNode *node,
										const char *key, const char *owner, MrenTextSpan *text,
										MrenError *err);

/* A whole number of at most nine digits; false if the node is none. */
extern bool mren_dataset_int(const MrenLiteralNode *node, int32_t *value);

extern MrenTextSpan mren_dataset_sentence(const MrenDataset *dataset);

/* The row's sentence and the ranges of its mentions. */
extern void mren_dataset_fill_sentence(const MrenDataset *dataset, MrenChars head, MrenChars tail,
									   MrenDatasetRow *row);

/*
 * Marks around the two mentions in a text: before and after the head, before
 * and after the tail, each with its place in the sentence without marks, or -1.
 */
#define MREN_DATASET_MARKS 4

/* Number of the mark that begins at text, MREN_DATASET_MARKS if there is none. */
extern int mren_dataset_mark_at(const char *const names[MREN_DATASET_MARKS], const char *text,
								size_t len);

/* The row's sentence and ranges; MREN_EFORMAT if `where` lacks a mark or a mention is empty. */
extern MrenStatus mren_dataset_fill_marked(const MrenDataset *dataset,
										   const char *const names[MREN_DATASET_MARKS],
										   const int32_t at[MREN_DATASET_MARKS], const char *where,
										   MrenDatasetRow *row, MrenError *err);

/* The readers, one a file. */
extern MrenStatus mren_semeval_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more,
									MrenError *err);
extern MrenStatus mren_opennre_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more,
									MrenError *err);
extern MrenStatus mren_fewrel_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more,
								   MrenError *err);
extern MrenStatus mren_conll04_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more,
									MrenError *err);
extern MrenStatus mren_tacred_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more,
								   MrenError *err);
extern MrenStatus mren_docred_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more,
								   MrenError *err);
extern MrenStatus mren_brat_start(MrenDataset *dataset, MrenError *err);
extern MrenStatus mren_brat_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more,
								 MrenError *err);
extern MrenStatus mren_marked_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more,
								   MrenError *err);

#endif
