/*
 * encoders.h
 *	  Loaded image encoders, and pictures turned into feature vectors by them.
 */
#ifndef MREN_PG_ENCODERS_H
#define MREN_PG_ENCODERS_H

#include "postgres.h"

#include "base/hash.h"
#include "image/image.h"
#include "net/grid.h"
#include "pg/cache.h"

typedef struct MrenEncoder MrenEncoder;

/* The encoder, loaded if it is not; stays until the current memory context goes. */
extern MrenEncoder *mren_encoder_open(const MrenEncoderRow *row);

/* The encoder that a model names, or an error that says what to load. */
extern MrenEncoder *mren_encoder_open_by_hash(const uint8 *identity, const char *model);

extern int32 mren_encoder_dimension(const MrenEncoder *encoder);

/* The hash by which a picture is told from others. */
extern MrenHash128 mren_picture_hash(const bytea *image);

/*
 * mren_encoder_features
 *	  The feature vector of a picture: out (dimension).  Decoding limits are the
 *	  settings'.  A picture seen lately is not run again.
 */
extern void mren_encoder_features(MrenEncoder *encoder, const bytea *image, float4 *out);

/* The grid of this encoder's pictures as the network takes it; all 0: it has none. */
extern MrenGridShape mren_encoder_grid_shape(const MrenEncoder *encoder);

/*
 * mren_encoder_picture
 *	  Feature vector and grid of a picture; grid (mren_grid_size halves) may be
 *	  NULL.
 */
extern void mren_encoder_picture(MrenEncoder *encoder, const bytea *image, float4 *out,
								 uint16 *grid);

/* The same for a decoded picture, without remembering it. */
extern void mren_encoder_run(MrenEncoder *encoder, const MrenBitmap *bitmap, float4 *out,
							 uint16 *grid);

/* Width and height of a picture as displayed, from its header. */
extern void mren_picture_size(const bytea *image, float8 *width, float8 *height);

/* Decodes under the settings' limits; freed with the current context. */
extern void mren_picture_decode(const bytea *image, MrenBitmap *bitmap);

#endif
