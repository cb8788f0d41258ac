/*
 * encode_pair.h
 *	  From the arguments that make a pair to what the core reads: its sentence
 *	  in words, its boxes, and the example by which training keeps it.
 *
 * Predicting and training both encode a row here, so that a row that a network
 * was trained on is recognized by its example.
 */
#ifndef MREN_PG_PREDICT_ENCODE_PAIR_H
#define MREN_PG_PREDICT_ENCODE_PAIR_H

#include "postgres.h"

#include "data/example.h"
#include "pg/support/args.h"
#include "text/encode.h"

/*
 * mren_encode_pair
 *	  Words and mentions of a pair under a vocabulary, by the backend's one
 *	  tokenizer; valid until its next call.
 */
extern const MrenEncoded *mren_encode_pair(const MrenVocabulary *vocabulary, const MrenPair *pair);

/* A pair's boxes as the network takes them (data/boxes.h); NULL: none. */
typedef struct MrenPairBoxes
{
	const float4 *head; /* into values, or NULL */
	const float4 *tail;
	float4 values[8];
} MrenPairBoxes;

/*
 * mren_pair_boxes
 *	  The pair's boxes as shares of its image's width and height.  They are given
 *	  in pixels of the image as displayed or, with an image_vector, whose image's
 *	  size is not known, in such shares.  22000 for a box that covers nothing of
 *	  the image.
 */
extern void mren_pair_boxes(const MrenPair *pair, MrenPairBoxes *boxes);

/* The feature vectors of a row's image and recording; NULL: it has none. */
typedef struct MrenPairVectors
{
	const float4 *image;
	int n_image;
	const float4 *audio;
	int n_audio;
} MrenPairVectors;

/*
 * mren_encode_example
 *	  An example of weight 1, without split and features.  The sentence's words
 *	  must be numbered by the embeddings' table.  An image is known by the hash of its
 *	  vector, so it does not matter whether a row gave the image or the vector; so is a
 *	  recording.
 */
extern void mren_encode_example(MrenExample *example, const MrenSentence *sentence,
								const MrenPair *pair, MrenTextSpan relation,
								const MrenPairVectors *vectors);

/*
 * mren_encode_holdout_key
 *	  The key that decides whether a row is held out of training:
 *	  mren_holdout_key of its normalized sentence and the hash of its image, or without one of its
 *	  recording.
 */
extern uint64 mren_encode_holdout_key(const MrenPair *pair, const MrenExample *example);

#endif
