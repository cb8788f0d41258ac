/*
 * layout.h
 *	  The dimensions of a network, and the registry of its named tensors.
 *
 * Everything else follows from an MrenNetShape: the columns of the fused
 * vector, the tensors, their order and their places in one array of floats.  A
 * new branch registers its tensors here and nowhere else.
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
	size_t linear_rows;	 /* slots that have a row of weights */
	MrenGridShape grid;	 /* all 0: no grids are read */
	size_t fusion;		 /* MrenFusion other than auto; parallel without a grid */
	size_t boxes;		 /* 1: boxes of the mentions are read; 0 without an image branch */
	size_t filters;		 /* of each width of the convolutions; 0: no convolutions */
	size_t position_dim; /* of a distance's vector; 0 without filters */
	size_t n_fine_tuned; /* words with fine-tuned vectors in the convolutions; 0 without filters */
	/* of the projection of the image's vector that units and product share; 0: see below */
	size_t image_units;
	size_t audio_dim;	  /* 0: no audio branch */
	size_t audio_units;	  /* as image_units; 0 without an audio branch only */
	size_t audio_product; /* as product, which is the image's; 0 without an audio branch */
} MrenNetShape;

#define MREN_MAX_TYPES 1024 /* distinct entity types */
#define MREN_MAX_RELATIONS 65536
#define MREN_MAX_IMAGE_UNITS 1024
#define MREN_IMAGE_UNITS 64	 /* of the projection of the attended cells */
#define MREN_REGION_UNITS 32 /* of the projection of the cells under a box */
#define MREN_MAX_FILTERS 1024
#define MREN_MAX_POSITION 64

/* MREN_EFORMAT unless every field is in its range and the tensors fit a size. */
extern MrenStatus mren_net_shape_check(const MrenNetShape *shape, MrenError *err);

/*
 * Columns of the fused vector: text; projection, presence and product of the image's vector; the
 * same of the attended cells; geometry and regions of the boxes; the same of the recording's vector
 * as of the image's.  The text is the pooled part (text_pool.h), then the convolved part
 * (conv_text.h): for each width, segment and filter its largest output.
 */
extern size_t mren_net_shape_n_parts(const MrenNetShape *shape);
extern size_t mren_net_shape_pool_dim(const MrenNetShape *shape);
extern size_t mren_net_shape_conv_dim(const MrenNetShape *shape);
/* Floats of a word's row in the convolutions. */
extern size_t mren_net_shape_row_dim(const MrenNetShape *shape);
extern size_t mren_net_shape_text_dim(const MrenNetShape *shape);
extern size_t mren_net_shape_vector_dim(const MrenNetShape *shape);
extern size_t mren_net_shape_attended_dim(const MrenNetShape *shape);
extern size_t mren_net_shape_box_dim(const MrenNetShape *shape);
extern size_t mren_net_shape_audio_columns(const MrenNetShape *shape);
extern size_t mren_net_shape_features_dim(const MrenNetShape *shape);
/* Floats that prediction keeps of a row: the fused vector, then the scores of the linear branch. */
extern size_t mren_net_shape_scored_dim(const MrenNetShape *shape);

/*
 * With image_units the image's vector is projected once: units and product both
 * use the outputs of one layer, which reads the signed square roots of the
 * vector's elements.  Without image_units, as in version 0.1, the
 * MREN_IMAGE_UNITS units and the product each have a projection of the vector
 * as it is.
 */
static inline size_t
mren_net_shape_units(const MrenNetShape *shape)
{
	return shape->image_units > 0 ? shape->image_units : MREN_IMAGE_UNITS;
}

/* Number of inputs of the image's factor of the product. */
static inline size_t
mren_net_shape_factor_in(const MrenNetShape *shape)
{
	return shape->image_units > 0 ? shape->image_units : shape->image_dim;
}

/* Whether the network reads the image's vector, and whether it has grid attention. */
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

/* Whether the network reads anything beside the text. */
static inline bool
mren_net_shape_reads(const MrenNetShape *shape)
{
	return shape->image_dim > 0 || shape->audio_dim > 0;
}

/*
 * The shape of a text-only member: it reads no image and no recording, only the boxes of the
 * mentions in it; without the linear branch.
 */
extern MrenNetShape mren_net_shape_text_only(const MrenNetShape *shape);

/* Numbers of the tensors: those that every network has, and those of single branches. */
typedef struct MrenNetIds
{
	size_t shapes;							 /* (MREN_MAX_SHAPES, embedding_dim) */
	size_t image_weight, image_bias, absent; /* (image_dim, units), (1, units) twice */
	size_t product_text_weight, product_text_bias;
	size_t product_image_weight, product_image_bias;
	size_t weight[MREN_MAX_HIDDEN + 1]; /* hidden layers and output: (in, out) */
	size_t bias[MREN_MAX_HIDDEN + 1];
	size_t places[2];			/* (MREN_CONV_PLACES, position_dim) of head and tail */
	size_t fine_tuned;			/* (n_fine_tuned, embedding_dim); none if n_fine_tuned is 0 */
	size_t conv_weight[3];		/* (filters, width * row_dim) of each width */
	size_t conv_bias[3];		/* (1, filters) */
	size_t text_mean, text_std; /* (1, pool_dim) */
	size_t image_mean, image_std;
	size_t audio_weight, audio_bias, audio_absent; /* as those of the image */
	size_t audio_text_weight, audio_text_bias;	   /* of the product */
	size_t audio_factor_weight, audio_factor_bias;
	size_t audio_mean, audio_std;
	size_t linear;						   /* (linear_rows, n_relations); SIZE_MAX: none */
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

/*
 * A branch that reads one vector a row, the image's or the recording's, as its code sees it: sizes,
 * columns and tensors.
 */
typedef struct MrenVectorBranch
{
	size_t dim;		  /* of the vector; 0: the network has no such branch */
	size_t units;	  /* outputs of its projection */
	size_t product;	  /* 0: none */
	size_t factor_in; /* inputs of its factor of the product */
	bool shared;	  /* these are the units; and roots of the vector are read */
	size_t at;		  /* its first column of the fused vector */
	size_t weight, bias, absent;
	size_t text_weight, text_bias; /* of the product */
	size_t factor_weight, factor_bias;
	size_t mean, std;
} MrenVectorBranch;

typedef enum MrenVectorKind
{
	MREN_VECTOR_IMAGE,
	MREN_VECTOR_AUDIO,
} MrenVectorKind;

#define MREN_N_VECTORS 2

extern MrenVectorBranch mren_net_vector_branch(const MrenNetShape *shape,
											   const MrenNetLayout *layout, MrenVectorKind kind);

/* shape has passed mren_net_shape_check. */
extern void mren_net_layout_build(const MrenNetShape *shape, MrenNetLayout *layout);

#endif
