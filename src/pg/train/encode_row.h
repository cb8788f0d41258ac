/*
 * encode_row.h
 *	  From labelled rows to the core's examples, for the functions that gather
 *	  them: what one of their call sites keeps from row to row.
 */
#ifndef MREN_PG_TRAIN_ENCODE_ROW_H
#define MREN_PG_TRAIN_ENCODE_ROW_H

#include "postgres.h"

#include "fmgr.h"

#include "data/example.h"
#include "pg/support/args.h"
#include "pg/support/call_site.h"
#include "pg/support/row_errors.h"
#include "pg/resource/audio_encoders.h"
#include "pg/resource/text_tokenizers.h"
#include "pg/resource/image_encoders.h"
#include "pg/train/train_label.h"
#include "pg/train/train_setup.h"
#include "pg/predict/row_features.h"
#include "pg/resource/span_slips.h"
#include "pg/resource/words.h"

/* What a call site of a function that encodes rows keeps from row to row. */
typedef struct MrenEncodeSite
{
	MrenCallSite base;
	MrenTrainSetup setup;
	char *json; /* the options in effect, which the aggregate's state contains */
	MrenWords *words;
	MrenVocabulary vocabulary;
	MrenImageEncoder *encoder;		 /* opened at the first image */
	MrenAudioEncoder *audio_encoder; /* opened at the first recording */
	MrenRowLexicons lexicons;
	const MrenOpenTokenizer *tokenizer; /* of a pretrained text encoder, or NULL */
	int64 n_rows;						/* that the aggregate has seen here */
	MrenRowErrors errors;				/* those of the aggregate */
	MrenSpanSlips slips;				/* likewise, if mentions are ranges */
} MrenEncodeSite;

/* The site of this call: see mren_call_site. */
extern MrenEncodeSite *mren_encode_site(FunctionCallInfo fcinfo, int options_arg);

/* Vector and grid of the image of an encoded row, and vector of its recording; NULL: none. */
typedef struct MrenRowImage
{
	const float4 *vector; /* (encoder_row.dimension) */
	const uint16 *grid;	  /* (setup.grid) halves, if the fusion attends to grids */
	const float4 *audio;  /* (setup.audio_dimension) */
} MrenRowImage;

/*
 * mren_encode_row
 *	  Encodes a labelled pair, as a row with weight 1; returns its image's vector and grid.  All are
 *	  valid until the next row.
 */
extern MrenRowImage mren_encode_row(MrenEncodeSite *site, const MrenPair *pair,
									const MrenTrainLabel *label, MrenExample *example);

/* Sets the split of a row that is held out by the options, unless it is a test row. */
extern void mren_encode_holdout(const MrenEncodeSite *site, const MrenPair *pair,
								MrenExample *example);

#endif
