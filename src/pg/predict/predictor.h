/*
 * predictor.h
 *	  A model that is ready to classify rows: its network, words and lexicons, and
 *	  its image encoder from the first image on.
 */
#ifndef MREN_PG_PREDICT_PREDICTOR_H
#define MREN_PG_PREDICT_PREDICTOR_H

#include "postgres.h"

#include "pg/predict/row_features.h"
#include "pg/resource/audio_encoders.h"
#include "pg/resource/image_encoders.h"
#include "pg/resource/text_tokenizers.h"
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
	MrenImageEncoder *encoder;			/* NULL until a row has an image */
	const MrenOpenTokenizer *tokenizer; /* of a pretrained text encoder, or NULL */
	float4 *image;						/* (image_dim) of the row at hand */
	uint16 *grid;						/* (info.grid) halves of the row at hand */
	MrenAudioEncoder *audio_encoder;	/* NULL until a row has a recording */
	float4 *audio;						/* (audio_dim) of the row at hand */
	MrenPairBoxes boxes;				/* of the row at hand */
	MrenNetCache *cache;				/* of the model's earlier rows */
	MrenMarkerQueue *queue; /* rows whose features are not complete; NULL: they always are */
} MrenPredictor;

/*
 * mren_predictor_open
 *	  Rights are checked; version 0 is the deployed one.  Valid until the
 *	  current memory context is reset.
 */
extern void mren_predictor_open(MrenPredictor *predictor, const char *model, int len,
								int32 version);

/* The same for the SQL arguments model (22004 if it is NULL) and version. */
extern void mren_predictor_open_args(MrenPredictor *predictor, FunctionCallInfo fcinfo,
									 int model_arg, int version_arg);

/*
 * Gives a network that was loaded into `context` the text encoder that it reads with, if it has
 * one; 55000 if that is not loaded.
 */
extern void mren_predictor_attach(MrenNet *net, const char *model, MemoryContext context);

/* Opens the encoder of the model's images; 22023 if it was trained without images. */
extern MrenImageEncoder *mren_predictor_image_encoder(MrenPredictor *predictor);

/* The same of the model's recordings. */
extern MrenAudioEncoder *mren_predictor_audio_encoder(MrenPredictor *predictor);

/*
 * Allocates the buffers of rows' images and recordings in the current context, which must outlive
 * the rows.
 */
extern void mren_predictor_reserve(MrenPredictor *predictor);

/*
 * mren_predictor_row
 *	  Encodes a pair into the network's input; returns its words and their places.
 *	  Valid until the next row of any predictor.
 */
extern const MrenEncoded *mren_predictor_row(MrenPredictor *predictor, const MrenPair *pair,
											 MrenInput *input);

/*
 * For rows that have an image in common: the first is encoded with the image, the
 * others without it and then share that of the first.  It is valid as long as the
 * first row's arguments and the predictor are.
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

/*
 * From now on, the features of a row are complete when probabilities are asked for at the latest,
 * and stay where they are until then: rows of one sentence are read together.
 */
extern void mren_predictor_queue(MrenPredictor *predictor);

/* Writes the row's features, and what follows from them, to features (info.row_dim). */
extern void mren_predictor_features(MrenPredictor *predictor, const MrenInput *input,
									float4 *features);

/* From n such rows to n distributions (n, info.n_relations). */
extern void mren_predictor_probabilities(MrenPredictor *predictor, const float4 *features, int n,
										 float4 *probabilities);

/* A relation's name as text in the database's encoding, palloc'd. */
extern text *mren_predictor_relation(const MrenPredictor *predictor, int i);

#endif
