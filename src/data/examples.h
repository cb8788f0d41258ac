/*
 * examples.h
 *	  Encoded training rows in memory with their images' vectors, one for
 *	  each distinct image: the state of mren.train_agg.
 *
 * Appending rows and joining two sets commute: the flat form and the source
 * are in canonical order, so a parallel plan trains the same model as a serial
 * one, byte for byte.
 */
#ifndef MREN_DATA_EXAMPLES_H
#define MREN_DATA_EXAMPLES_H

#include "data/example.h"
#include "data/grid.h"
#include "data/source.h"

typedef struct MrenExamples MrenExamples;

/* Two sets can be merged only if these are equal. */
typedef struct MrenExamplesHead
{
	const char *options;	/* the user's options as text (JSON); copied */
	size_t n_options;		/* bytes */
	uint8_t embeddings[32]; /* sha256 */
	size_t dim;				/* of the embeddings */
	bool has_encoder;
	uint8_t encoder[32];	   /* sha256, zero without */
	size_t image_dim;		   /* 0: no image in this training */
	MrenGridShape grid;		   /* all 0: no grids */
	uint8_t audio_encoder[32]; /* sha256, zero without */
	size_t audio_dim;		   /* 0: no recording in this training */
} MrenExamplesHead;

/* The vectors of a row; NULL for what it does not have, or what the set has already. */
typedef struct MrenRowVectors
{
	const float *image; /* (image_dim) */
	const float *audio; /* (audio_dim) */
} MrenRowVectors;

extern MrenStatus mren_examples_create(const MrenEnv *env, const MrenExamplesHead *head,
									   MrenExamples **examples, MrenError *err);
extern void mren_examples_free(MrenExamples *examples);

/* Pointers into the set, valid while it lives. */
extern void mren_examples_head(const MrenExamples *examples, MrenExamplesHead *head);

/*
 * mren_examples_append
 *	  Adds a row; image (image_dim floats) is its image's vector, needed when
 *	  example->has_image and mren_examples_has_image says no.  All or nothing.
 *	  MREN_ENUMERIC if the vector is not finite.
 */
extern MrenStatus mren_examples_append(MrenExamples *examples, const MrenExample *example,
									   const float *image, MrenError *err);

/* The same of a row that may have a recording, whose vector is needed likewise. */
extern MrenStatus mren_examples_append_row(MrenExamples *examples, const MrenExample *example,
										   const MrenRowVectors *vectors, MrenError *err);

/*
 * mren_examples_add_grid
 *	  The grid (mren_grid_size halves) of the image with this hash; before the
 *	  first row that has_grid.  MREN_ENUMERIC if a number is not finite.
 */
extern MrenStatus mren_examples_add_grid(MrenExamples *examples, const MrenHash128 *hash,
										 const uint16_t *grid, MrenError *err);
extern bool mren_examples_has_image(const MrenExamples *examples, const MrenHash128 *hash);

/* Adds all rows of `from`, which stays as it is; MREN_EPARAM if the heads differ. */
extern MrenStatus mren_examples_merge(MrenExamples *into, const MrenExamples *from, MrenError *err);

/* Bytes of memory held, which a setting limits. */
extern size_t mren_examples_bytes(const MrenExamples *examples);
extern size_t mren_examples_count(const MrenExamples *examples);

/*
 * The flat form: canonical, portable, checksummed by the hashes of its records.
 * mren_examples_flatten writes exactly mren_examples_flat_size bytes; both may
 * reorder the rows in memory, which changes no result.
 */
extern size_t mren_examples_flat_size(const MrenExamples *examples);
extern void mren_examples_flatten(MrenExamples *examples, uint8_t *out);
/* bytes need not be trusted nor aligned; MREN_EFORMAT or MREN_ENUMERIC if they are not valid. */
extern MrenStatus mren_examples_parse(const MrenEnv *env, const uint8_t *bytes, size_t len,
									  MrenExamples **examples, MrenError *err);

/* The rows in canonical order; valid until the set changes. */
extern MrenStatus mren_examples_source(MrenExamples *examples, MrenSource *source, MrenError *err);

#endif
