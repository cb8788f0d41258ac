/*
 * example.h
 *	  One encoded training row as a flat record: what the training aggregate
 *	  gathers, what a large training spills to disk, and what is hashed.
 *
 * A record is self-delimiting, a multiple of 8 bytes, little-endian, and the
 * same bytes on every machine.  It begins with its size and a hash of the rest,
 * and records are ordered by that hash, so the order of a training set says
 * nothing about how its rows arrived.
 */
#ifndef MREN_DATA_EXAMPLE_H
#define MREN_DATA_EXAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/env.h"
#include "base/hash.h"
#include "base/names.h"
#include "base/text_span.h"
#include "data/marked_tokens.h"
#include "data/split.h"
#include "data/targets.h"
#include "text/sentence.h"

/* Limits of one row, checked when it is appended and when it is read. */
#define MREN_MAX_SHAPES 32			  /* shapes of unknown words: pieces -1 .. -MREN_MAX_SHAPES */
#define MREN_MAX_PIECES (1u << 20)	  /* of a sentence */
#define MREN_MAX_VECTOR_ID 0x7FFFFFFE /* of a piece */
#define MREN_MAX_ROW_FEATURES 1024	  /* hashed features */

typedef struct MrenExample
{
	MrenSentence sentence;
	MrenTextSpan relation; /* never absent nor empty; with targets the most likely of them */
	MrenTargets targets;
	bool weak; /* not labelled by a person: never validates, calibrates nor judges */
	MrenTextSpan head_type;
	MrenTextSpan tail_type;
	bool has_image;
	MrenHash128 image; /* of its content: the key of its vector */
	bool has_grid;	   /* the image's grid is kept; only with an image */
	bool has_audio;
	MrenHash128 audio; /* of the recording's content: the key of its vector */
	bool has_head_box;
	bool has_tail_box;
	float head_box[4]; /* x0, y0, x1, y1 as shares of width and height: see boxes.h */
	float tail_box[4];
	float weight; /* of the row in the loss, finite, > 0; 1 is usual */
	MrenSplit split;
	const uint32_t *features; /* (n_features) lexical features, for the linear branch */
	uint32_t n_features;	  /* 0 .. MREN_MAX_ROW_FEATURES */
	/* the last ones of them are features of boxes; each part is ascending */
	uint32_t n_box_features;
	MrenMarkedTokens tokens; /* for a pretrained text encoder; n 0: none */
	uint64_t group;			 /* mren_example_group */
	uint64_t together; /* rows of the same number validate together or not at all: once read, */
	bool has_together; /* that of the query's column "group", or the group without one */
	uint64_t hash;	   /* of the record's bytes; set by mren_example_read */
} MrenExample;

/*
 * mren_example_append
 *	  Appends one record.  MREN_EDATA if the weight is not finite and positive,
 *	  the relation is empty, a name is too long, a box is not finite, or targets are not as
 *	  MrenTargets says;
 *	  MREN_ELIMIT for a sentence of too many pieces.
 */
extern MrenStatus mren_example_append(const MrenEnv *env, MrenBuffer *buffer,
									  const MrenExample *example, MrenError *err);

/*
 * mren_example_read
 *	  Reads the record at bytes (8-byte aligned), which need not be trusted:
 *	  every size, every span and the hash are checked.  Pointers point into
 *	  bytes; *size is the length of the record.  MREN_EFORMAT if the record is
 *	  not valid.
 */
extern MrenStatus mren_example_read(const uint8_t *bytes, size_t len, MrenExample *example,
									size_t *size, MrenError *err);

/* The length of the record at bytes, from its first field alone; 0 if it cannot be one. */
extern size_t mren_example_size(const uint8_t *bytes, size_t len);

/* Canonical order of two valid records: by stored hash, then by bytes. */
extern int mren_example_compare(const uint8_t *a, const uint8_t *b);

/*
 * mren_example_identity
 *	  Hash of the contents of the row (sentence, mentions, types, boxes, image,
 *	  recording, relation, and whether it is weak), by which a network recognizes rows of its
 *	  training.  Features and tokens, which depend on options, weight, split and the
 *	  probabilities of other relations do not count.
 */
extern uint64_t mren_example_identity(const MrenExample *example);

/* The identity without the relation: the same for rows of one pair, each with a relation of it. */
extern uint64_t mren_example_pair(const MrenExample *example);

/*
 * mren_example_group
 *	  The group of a row: rows of one image, without an image rows of one recording, or
 *	  without either rows of one sentence, validate together or not at all. (If rows were joined by
 *	  sentence and by image, sets that combine a few of each would be a single
 *	  group.) The PostgreSQL layer calls it for every kind of training. image is
 *	  the hash of the image or recording, NULL for a row without either.
 */
extern uint64_t mren_example_group(const char *sentence, size_t len, const MrenHash128 *image);

#endif
