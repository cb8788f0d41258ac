/*
 * train_answer.h
 *	  The answers of a network to encoded rows, counted for a score: what the
 *	  cross-validation of mren.compare and the hold-out score of mren.train share.
 */
#ifndef MREN_PG_TRAIN_TRAIN_ANSWER_H
#define MREN_PG_TRAIN_TRAIN_ANSWER_H

#include "postgres.h"

#include "data/example.h"
#include "data/source.h"
#include "data/word_vectors.h"
#include "evaluation/bootstrap.h"
#include "relation/net.h"

typedef struct MrenTrainAnswers
{
	const MrenSource *rows; /* of keyed records (train_rows.h) */
	const MrenNet *net;
	MrenNetInfo info;
	MrenWordVectors vectors;
	MrenTextSpan negative; /* data NULL: none */
	float4 *audio;		   /* (audio_dim) */
	float4 *image;		   /* (image_dim) */
	uint16 *grid;		   /* (info.grid) */
	float4 *features;
	float4 *probabilities;
	float4 *scratch;
	int32 *predicted; /* (info.n_relations) */
} MrenTrainAnswers;

/*
 * mren_train_answer_begin
 *	  Allocates the buffers in the current context.  The vectors cover the words
 *	  of the rows; negative (UTF-8; NULL: none) is the relation that does not
 *	  count for micro F1.  rows, net, vectors and negative outlive this.
 */
extern void mren_train_answer_begin(MrenTrainAnswers *answers, const MrenSource *rows,
									const MrenNet *net, const MrenWordVectors *vectors,
									const char *negative);

/*
 * Counts the answer to row i as that of model 1, and 0 for model 0 (bootstrap.h).  With a negative
 * relation, the counts of all rows are then to be settled.
 */
extern void mren_train_answer_count(MrenTrainAnswers *answers, size_t i, MrenPairedCounts *counts);

/*
 * The probabilities of the relations of row i in answers->probabilities; its record and key as
 * mren_train_answer_read gives them.
 */
extern void mren_train_answer_probabilities(MrenTrainAnswers *answers, size_t i,
											MrenExample *example, uint64 *key);

/* Reads a keyed record: the example points into it, and is valid until the next one is read. */
extern void mren_train_answer_read(const MrenSource *rows, size_t i, const uint8_t **record,
								   MrenExample *example, uint64 *key);

#endif
