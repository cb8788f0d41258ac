/*
 * tagger_model.h
 *	  A trained tagger, ready to find the mentions in a sentence: its network
 *	  (cached by version and content), its embeddings and its lexicons.
 *
 * A tagger is a model of kind "tagger": versions, deployment and rights are
 * those of mren.model.
 */
#ifndef MREN_PG_TAGGER_TAGGER_MODEL_H
#define MREN_PG_TAGGER_TAGGER_MODEL_H

#include "postgres.h"

typedef struct MrenMentionTagger MrenMentionTagger;

typedef struct MrenTaggedMention
{
	int32 start, end;			/* bytes of the UTF-8 text, half open */
	int32 char_start, char_end; /* characters, half open, 0-based */
	const char *type;			/* in the database's encoding; lives as long as the tagger */
	float4 confidence;			/* posterior probability of exactly this mention and type */
} MrenTaggedMention;

/*
 * mren_mention_tagger_open
 *	  Checks the right to predict; version 0 is the deployed one.  42809 for a
 *	  model that is not a tagger.  Valid until the current memory context is
 *	  reset.
 */
extern MrenMentionTagger *mren_mention_tagger_open(const char *tagger, int len, int32 version);

/*
 * mren_mention_tagger_tag
 *	  The mentions in one sentence (UTF-8), in order, not overlapping; palloc'd.
 *	  The result does not depend on what was tagged before, bit for bit.
 */
extern MrenTaggedMention *mren_mention_tagger_tag(MrenMentionTagger *tagger, const char *text,
												  int len, int *n);

/* Whether a sentence of this group (mren_gold_group) was trained on. */
extern bool mren_mention_tagger_trained_on(const MrenMentionTagger *tagger, uint64 group);

/* The types that it gives to mentions, in the database's encoding. */
extern int mren_mention_tagger_n_types(const MrenMentionTagger *tagger);
extern const char *mren_mention_tagger_type(const MrenMentionTagger *tagger, int i);

/* The number of the version that is open. */
extern int32 mren_mention_tagger_version(const MrenMentionTagger *tagger);

#endif
