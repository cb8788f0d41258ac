/*
 * image_encoders.h
 *	  Loaded image encoders, and images turned into feature vectors by them.
 */
#ifndef MREN_PG_RESOURCE_IMAGE_ENCODERS_H
#define MREN_PG_RESOURCE_IMAGE_ENCODERS_H

#include "postgres.h"

#include "base/hash.h"
#include "data/grid.h"
#include "image/image.h"
#include "pg/catalog/catalog.h"

typedef struct MrenImageEncoder MrenImageEncoder;

/* The encoder, loaded if necessary; valid until the current memory context is reset. */
extern MrenImageEncoder *mren_image_encoder_open(const MrenImageEncoderRow *row);

/* The encoder that a model names by its hash; 55000 if it is not in the catalog. */
extern MrenImageEncoder *mren_image_encoder_open_by_hash(const uint8 *identity, const char *model);

extern int32 mren_image_encoder_dimension(const MrenImageEncoder *encoder);

/* The hash of an image's bytes, which identifies it. */
extern MrenHash128 mren_image_encoder_hash(const bytea *image);

/*
 * mren_image_encoder_features
 *	  The feature vector of an image: out (dimension).  Decoding limits are the
 *	  settings'.  A recent image's vector is taken from the cache.
 */
extern void mren_image_encoder_features(MrenImageEncoder *encoder, const bytea *image, float4 *out);

/* The shape of its images' grids as a network takes them; all 0: it has no grid. */
extern MrenGridShape mren_image_encoder_grid_shape(MrenImageEncoder *encoder);

/*
 * mren_image_encoder_read
 *	  Feature vector and grid of an image; grid (mren_grid_size halves) may be
 *	  NULL.
 */
extern void mren_image_encoder_read(MrenImageEncoder *encoder, const bytea *image, float4 *out,
									uint16 *grid);

/* The same for a decoded image, bypassing the cache. */
extern void mren_image_encoder_run(MrenImageEncoder *encoder, const MrenBitmap *bitmap, float4 *out,
								   uint16 *grid);

/*
 * Decodes under the settings' limits, to as many pixels as the encoder reads at
 * least, or all of them for NULL; freed with the current context.
 */
extern void mren_image_encoder_decode(const MrenImageEncoder *encoder, const bytea *image,
									  MrenBitmap *bitmap);

#endif
