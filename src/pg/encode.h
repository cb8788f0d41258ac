/*
 * encode.h
 *	  From a pair and its label to the core's example: what training gathers,
 *	  and by which evaluation knows rows seen in training.
 */
#ifndef MREN_PG_ENCODE_H
#define MREN_PG_ENCODE_H

#include "postgres.h"

#include "net/example.h"
#include "pg/args.h"

/*
 * mren_encode_example
 *	  Puts together an example of weight 1 and no split; its sentence must be
 *	  numbered by the embeddings' table.  image is the picture's feature vector
 *	  or NULL; a picture is known by the hash of that vector, so it does not
 *	  matter whether a row gave the picture or the vector.
 */
extern void mren_encode_example(MrenExample *example, const MrenSentence *sentence,
								const MrenPair *pair, MrenText relation, const float4 *image,
								int n_image);

#endif
