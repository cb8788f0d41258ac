/*
 * layout.h
 *	  The dimensions of a network, and the registry of its named tensors.
 *
 * Everything else follows from an MrenNetShape: the fused vector's layout, the
 * tensors, their order and their places in one array of floats.  Trained
 * tensors come first, so an optimiser walks one run.  A branch that is added
 * registers its tensors here and nowhere else.
 */
#ifndef MREN_RELATION_LAYOUT_H
#define MREN_RELATION_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/env.h"
#include "data/example.h"
#include "data/grid.h"
#include "nn/activation.h"
#include "nn/parameters.h"
#include "relation/options.h"

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
	size_t hash_bits;	 /* of a feature's slot; 0: no linear branch */
	size_t linear_rows;	 /* slots that have weights */
	MrenGridShape grid;	 /* all 0: none */
	size_t fusion;		 /* MrenFusion, auto excepted: parallel without a grid */
	size_t boxes;		 /* 1: the mentions' boxes count; 0 without an image branch */
	size_t filters;		 /* of each width of the convolutions; 0: pooling alone */
	size_t position_dim; /* of a distance's vector; 0 without filters */
	size_t n_fine_tuned; /* words whose vectors the convolutions see tuned; 0 without filters */
	size_t image_units;	 /* of the image's projection where the product reads it; 0: see below */
} MrenNetShape;

#define MREN_MAX_TYPES 1024 /* distinct entity types */
#define MREN_MAX_RELATIONS 65536
#define MREN_MAX_IMAGE_UNITS 1024
#define MREN_IMAGE_UNITS 64	 /* of the projection of what was looked at */
#define MREN_REGION_UNITS 32 /* of the projection of a box's cells */
#define MREN_MAX_FILTERS 1024
#define MREN_MAX_POSITION 64

/* MREN_EFORMAT unless every field is in its range and the tensors fit a size. */
extern MrenStatus mren_net_shape_check(const MrenNetShape *shape, MrenError *err);

/*
 * The fused vector: text; of the image's vector projection, presence, product; of
 * what was looked at the same; of the boxes geometry and regions.  The text
 * is what is pooled (text_pool.h), then what is convolved (conv_text.h): for each width,
 * segment and filter its largest output.
 */
extern size_t mren_net_shape_n_parts(const MrenNetShape *shape);
extern size_t mren_net_shape_pool_dim(const MrenNetShape *shape);
extern size_t mren_net_shape_conv_dim(const MrenNetShape *shape);
/* Of a word's row in the convolutions. */
extern size_t mren_net_shape_row_dim(const MrenNetShape *shape);
extern size_t mren_net_shape_text_dim(const MrenNetShape *shape);
extern size_t mren_net_shape_vector_dim(const MrenNetShape *shape);
extern size_t mren_net_shape_attended_dim(const MrenNetShape *shape);
extern size_t mren_net_shape_box_dim(const MrenNetShape *shape);
extern size_t mren_net_shape_features_dim(const MrenNetShape *shape);
/* What prediction keeps of a row: the fused vector, then the linear branch's scores. */
extern size_t mren_net_shape_scored_dim(const MrenNetShape *shape);

/*
 * With image_units the image's vector is projected once: units and product both come
 * from the outputs of one layer, which reads signed square roots of the vector's
 * elements.  Without, as in version 0.1, MREN_IMAGE_UNITS units and the product each
 * have a projection of the vector as it is.
 */
static inline size_t
mren_net_shape_units(const MrenNetShape *shape)
{
	return shape->image_units > 0 ? shape->image_units : MREN_IMAGE_UNITS;
}

/* What the product's factor of the image is projected from. */
static inline size_t
mren_net_shape_factor_in(const MrenNetShape *shape)
{
	return shape->image_units > 0 ? shape->image_units : shape->image_dim;
}

/* Whether the image's vector counts, and whether the text looks at its grid. */
static inline bool
mren_net_shape_has_vector(const MrenNetShape *shape)
{
	return shape->image_dim > 0 && shape->fusion != MREN_FUSION_SEQUENTIAL;
}

static inline bool
mren_net_shape_attends(const MrenNetShape *shape)
{
	return shape->image_dim > 0 && shape->fusion != MREN_FUSION_PARALLEL;
}

/* The shape of a network that never sees an image, only where in it the mentions are; without
 * the linear branch. */
extern MrenNetShape mren_net_shape_text_only(const MrenNetShape *shape);

/* Numbers of the tensors every network has, and of those of single branches. */
typedef struct MrenNetIds
{
	size_t shapes;							 /* (MREN_MAX_SHAPES, embedding_dim) */
	size_t image_weight, image_bias, absent; /* (image_dim, units), (1, units) twice */
	size_t product_text_weight, product_text_bias;
	size_t product_image_weight, product_image_bias;
	size_t weight[MREN_MAX_HIDDEN + 1]; /* hidden layers and output: (in, out) */
	size_t bias[MREN_MAX_HIDDEN + 1];
	size_t places[2];			/* (MREN_CONV_PLACES, position_dim) of head and tail */
	size_t fine_tuned;			/* (n_tuned, embedding_dim); none if n_tuned is 0 */
	size_t conv_weight[3];		/* (filters, width * row_dim) of each width */
	size_t conv_bias[3];		/* (1, filters) */
	size_t text_mean, text_std; /* (1, pool_dim) */
	size_t image_mean, image_std;
	size_t linear;						   /* (wide_rows, n_relations); SIZE_MAX: none */
	size_t query_weight, query_bias;	   /* (text_dim, channels) */
	size_t none;						   /* (1, channels) */
	size_t attended_weight, attended_bias; /* (channels, units) */
	size_t factor_text_weight, factor_text_bias;
	size_t factor_attended_weight, factor_attended_bias;
	size_t region_weight, region_bias; /* (channels, MREN_REGION_UNITS) */
	size_t grid_mean, grid_std;		   /* (1, channels) */
	size_t box_mean, box_std;		   /* (1, MREN_BOX_GEOMETRY) */
} MrenNetIds;

typedef struct MrenNetLayout
{
	MrenParameterTable table;
	MrenNetIds ids;
} MrenNetLayout;

/* shape has passed mren_net_shape_check. */
extern void mren_net_layout_build(const MrenNetShape *shape, MrenNetLayout *layout);

#endif
