/*
 * tag_example.h
 *	  One labelled sentence of a tagger's training as a flat record.
 *
 * As data/example.h: self-delimiting, a multiple of 8 bytes, little-endian, the
 * same bytes on every machine; it begins with its size and a hash of the rest,
 * and records are ordered by that hash.
 */
#ifndef MREN_TAGGER_TAG_EXAMPLE_H
#define MREN_TAGGER_TAG_EXAMPLE_H

#include "tagger/bilou.h"
#include "data/source.h"
#include "tagger/tag_input.h"

/* A mention with the name of its type; half open in words. */
typedef struct MrenTagMention
{
	uint32_t first;
	uint32_t end;
	MrenTextSpan type;
} MrenTagMention;

typedef struct MrenTagExample
{
	MrenTagInput input;
	size_t n_mentions;
	uint64_t group; /* sentences of a group validate together or not at all */
	float weight;	/* of the sentence in the loss, finite, > 0 */
	MrenSplit split;
	uint64_t hash; /* of the record's bytes; set by read */
	/* Set by read: where the mentions are in the record. */
	const uint8_t *mentions;
	const uint8_t *names;
	size_t n_names; /* bytes */
} MrenTagExample;

/*
 * mren_tag_example_append
 *	  One record; its mentions are in order and do not overlap (n_mentions is
 *	  taken from the example).  MREN_EDATA for a weight that is not finite and
 *	  positive or an empty type; MREN_ELIMIT if a limit is exceeded.
 */
extern MrenStatus mren_tag_example_append(const MrenEnv *env, MrenBuffer *buffer,
										  const MrenTagExample *example,
										  const MrenTagMention *mentions, MrenError *err);

/*
 * mren_tag_example_read
 *	  Reads the record at bytes (8-byte aligned), which need not be trusted.
 *	  Pointers point into bytes; *size is the length of the record.
 *	  MREN_EFORMAT if the record is not valid.
 */
extern MrenStatus mren_tag_example_read(const uint8_t *bytes, size_t len, MrenTagExample *example,
										size_t *size, MrenError *err);

/* Mention i of a record that was read. */
extern MrenTagMention mren_tag_example_mention(const MrenTagExample *example, size_t i);

/*
 * mren_tag_source_words
 *	  The distinct vocabulary numbers of all sentences, ascending; *ids is
 *	  allocated.  Reads the source once.
 */
extern MrenStatus mren_tag_source_words(const MrenEnv *env, const MrenSource *source, int32_t **ids,
										size_t *n, MrenError *err);

#endif
