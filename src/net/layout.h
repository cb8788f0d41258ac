/*
 * layout.h
 *	  The dimensions of a network, and the registry of its named tensors.
 *
 * Everything else follows from an MrenNetShape: the fused vector's layout, the
 * tensors, their order and their places in one array of floats.  Trained
 * tensors come first, so an optimiser walks one run.  A branch that is added
 * registers its tensors here and nowhere else.
 */
#ifndef MREN_NET_LAYOUT_H
#define MREN_NET_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/env.h"
#include "net/example.h"
#include "net/grid.h"
#include "net/options.h"

typedef struct MrenNetShape
{
	size_t embedding_dim; /* .. MREN_MAX_DIM; 0: no word vectors */
	size_t image_dim;	  /* 0: no image branch */
	size_t n_types;
	size_t n_relations; /* >= 2 */
	size_t window;
	size_t product; /* 0 without an image branch */
	size_t n_hidden;
	size_t hidden[MREN_MAX_HIDDEN];
	MrenActivation activation;
	size_t wide_bits;	 /* of a feature's slot; 0: no wide branch */
	size_t wide_rows;	 /* slots that have weights */
	MrenGridShape grid;	 /* all 0: none */
	size_t fusion;		 /* MrenFusion, auto excepted: parallel without a grid */
	size_t boxes;		 /* 1: the mentions' boxes count; 0 without an image branch */
	size_t filters;		 /* of each width of the convolutions; 0: pooling alone */
	size_t position_dim; /* of a distance's vector; 0 without filters */
	size_t n_tuned;		 /* words whose vectors the convolutions see tuned; 0 without filters */
	size_t image_units;	 /* of the image's projection where the product reads it; 0: see below */
} MrenNetShape;

#define MREN_MAX_DIM 16384	/* of a word's or picture's vector */
#define MREN_MAX_TYPES 1024 /* distinct entity types */
#define MREN_MAX_RELATIONS 65536
#define MREN_MAX_IMAGE_UNITS 1024
#define MREN_IMAGE_UNITS 64	 /* of the projection of what was looked at */
#define MREN_REGION_UNITS 32 /* of the projection of a box's cells */
#define MREN_MAX_FILTERS 1024
#define MREN_MAX_POSITION 64

/* MREN_EFORMAT unless every field is in its range and the tensors fit a size. */
extern MrenStatus mren_shape_check(const MrenNetShape *shape, MrenError *err);

/*
 * The fused vector: text; of the picture's vector projection, presence, product; of
 * what was looked at the same; of the boxes geometry and regions.  The text
 * is what is pooled (text_pool.h), then what is convolved (conv_text.h): for each width,
 * segment and filter its largest output.
 */
extern size_t mren_shape_n_parts(const MrenNetShape *shape);
extern size_t mren_shape_pool_dim(const MrenNetShape *shape);
extern size_t mren_shape_conv_dim(const MrenNetShape *shape);
/* Of a word's row in the convolutions. */
extern size_t mren_shape_row_dim(const MrenNetShape *shape);
extern size_t mren_shape_text_dim(const MrenNetShape *shape);
extern size_t mren_shape_vector_dim(const MrenNetShape *shape);
extern size_t mren_shape_look_dim(const MrenNetShape *shape);
extern size_t mren_shape_box_dim(const MrenNetShape *shape);
extern size_t mren_shape_features_dim(const MrenNetShape *shape);
/* What prediction keeps of a row: the fused vector, then the wide branch's scores. */
extern size_t mren_shape_scored_dim(const MrenNetShape *shape);

/*
 * With image_units the picture's vector is projected once: units and product both come
 * from the outputs of one layer, which reads signed square roots of the vector's
 * elements.  Without, as in version 0.1, MREN_IMAGE_UNITS units and the product each
 * have a projection of the vector as it is.
 */
static inline size_t
mren_shape_units(const MrenNetShape *shape)
{
	return shape->image_units > 0 ? shape->image_units : MREN_IMAGE_UNITS;
}

/* What the product's factor of the picture is projected from. */
static inline size_t
mren_shape_factor_in(const MrenNetShape *shape)
{
	return shape->image_units > 0 ? shape->image_units : shape->image_dim;
}

/* Whether the picture's vector counts, and whether the text looks at its grid. */
static inline bool
mren_shape_has_vector(const MrenNetShape *shape)
{
	return shape->image_dim > 0 && shape->fusion != MREN_FUSION_SEQUENTIAL;
}

static inline bool
mren_shape_looks(const MrenNetShape *shape)
{
	return shape->image_dim > 0 && shape->fusion != MREN_FUSION_PARALLEL;
}

/* The shape of a network that never sees a picture, only where in it the mentions are; without
 * the wide branch. */
extern MrenNetShape mren_shape_blind(const MrenNetShape *shape);

/*
 * Weight decay of a network that sees pictures, times that of one that does not.  A picture's
 * vector is long and pictures are few, so that such a network soon knows each picture of its
 * training rows and is then too sure of itself to learn on.
 */
#define MREN_PICTURE_DECAY 100

typedef struct MrenTensor
{
	char name[40];
	size_t rows;
	size_t cols;
	size_t at;	  /* first float, a multiple of 16 */
	bool trained; /* by the optimiser; otherwise measured once */
	float decay;  /* times the weight decay; 0: takes no part in it */
	float rate;	  /* times the learning rate */
} MrenTensor;

/* Numbers of the tensors every network has, and of those of single branches. */
typedef struct MrenTensorIds
{
	size_t shapes;							 /* (MREN_MAX_SHAPES, embedding_dim) */
	size_t image_weight, image_bias, absent; /* (image_dim, units), (1, units) twice */
	size_t product_text_weight, product_text_bias;
	size_t product_image_weight, product_image_bias;
	size_t weight[MREN_MAX_HIDDEN + 1]; /* hidden layers and output: (in, out) */
	size_t bias[MREN_MAX_HIDDEN + 1];
	size_t places[2];			/* (MREN_CONV_PLACES, position_dim) of head and tail */
	size_t tuned;				/* (n_tuned, embedding_dim); none if n_tuned is 0 */
	size_t conv_weight[3];		/* (filters, width * row_dim) of each width */
	size_t conv_bias[3];		/* (1, filters) */
	size_t text_mean, text_std; /* (1, pool_dim) */
	size_t image_mean, image_std;
	size_t wide;					 /* (wide_rows, n_relations); SIZE_MAX: none */
	size_t query_weight, query_bias; /* (text_dim, channels) */
	size_t none;					 /* (1, channels) */
	size_t seen_weight, seen_bias;	 /* (channels, units) */
	size_t factor_text_weight, factor_text_bias;
	size_t factor_seen_weight, factor_seen_bias;
	size_t region_weight, region_bias; /* (channels, MREN_REGION_UNITS) */
	size_t grid_mean, grid_std;		   /* (1, channels) */
	size_t box_mean, box_std;		   /* (1, MREN_BOX_GEOMETRY) */
} MrenTensorIds;

#define MREN_MAX_TENSORS (64 + 2 * (MREN_MAX_HIDDEN + 1))

typedef struct MrenLayout
{
	MrenTensor tensors[MREN_MAX_TENSORS];
	size_t n;
	size_t n_trained;	 /* tensors, the first ones */
	size_t size;		 /* floats in all */
	size_t trained_size; /* floats of the trained ones */
	size_t n_parameters; /* trained numbers, without padding */
	MrenTensorIds ids;
} MrenLayout;

/* shape has passed mren_shape_check. */
extern void mren_layout_build(const MrenNetShape *shape, MrenLayout *layout);

static inline float *
mren_tensor_at(const MrenLayout *layout, float *values, size_t id)
{
	return values + layout->tensors[id].at;
}

#endif
