/*
 * predictor.h
 *	  A model ready to answer: its network, its words, and its image encoder
 *	  once an image is seen.
 */
#ifndef MREN_PG_PREDICT_PREDICTOR_H
#define MREN_PG_PREDICT_PREDICTOR_H

#include "postgres.h"

#include "pg/predict/row_features.h"
#include "pg/resource/image_encoders.h"
#include "pg/resource/words.h"
#include "pg/support/args.h"
#include "relation/net.h"
#include "text/encode.h"

typedef struct MrenPredictor
{
	const MrenNet *net;
	MrenNetInfo info;
	char *model; /* name */
	int32 version;
	MrenWords *words;
	MrenRowLexicons lexicons;
	MrenVocabulary vocabulary;
	MrenWordVectors vectors;
	uint8 encoder_hash[MREN_SHA256_LENGTH];
	MrenEncoder *encoder; /* NULL until mren_predictor_row sees an image */
	float4 *image;		  /* (image_dim) of the row at hand */
	uint16 *grid;		  /* (info.grid) halves of the row at hand */
	MrenPairBoxes boxes;  /* of the row at hand */
} MrenPredictor;

/*
 * mren_predictor_open
 *	  Rights are checked; version 0 is the deployed one.  Valid until the
 *	  current memory context is reset.
 */
extern void mren_predictor_open(MrenPredictor *predictor, const char *model, int len,
								int32 version);

/* The encoder for a model's images, opened; an error for a model without. */
extern MrenEncoder *mren_predictor_encoder(MrenPredictor *predictor);

/* Makes the room for rows' images in the current context, where it is to live on. */
extern void mren_predictor_reserve(MrenPredictor *predictor);

/*
 * mren_predictor_row
 *	  Encodes a pair: the network's input and where its words stand, valid until
 *	  the next row of any predictor.
 */
extern const MrenEncoded *mren_predictor_row(MrenPredictor *predictor, const MrenPair *pair,
											 MrenInput *input);

/*
 * Rows of one image: the first is encoded with it, the others without and
 * then share it.  It stays valid while the first row's arguments and the
 * predictor do.
 */
static inline void
mren_input_share_image(MrenInput *input, const MrenInput *first)
{
	input->image = first->image;
}

static inline void
mren_input_drop_image(MrenInput *input)
{
	input->image = NULL;
}

/* The row's fused vector into features (info.features_dim). */
extern void mren_predictor_features(MrenPredictor *predictor, const MrenInput *input,
									float4 *features);

/* n fused vectors to n distributions (info.n_relations each). */
extern void mren_predictor_probabilities(MrenPredictor *predictor, const float4 *features, int n,
										 float4 *probabilities);

/* A relation's name as text in the database's encoding, palloc'd. */
extern text *mren_predictor_relation(const MrenPredictor *predictor, int i);

#endif
