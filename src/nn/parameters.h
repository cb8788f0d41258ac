/*
 * parameters.h
 *	  The registry of a network's named tensors, and their places in one array of floats.
 *
 * Trained tensors come first, so that an optimizer steps over one contiguous
 * range; tensors that are measured once or trained by other means follow.  Each
 * begins at a multiple of 16 floats.
 */
#ifndef MREN_NN_PARAMETERS_H
#define MREN_NN_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>

#define MREN_MAX_PARAMETERS 96
#define MREN_PARAMETER_NAME_SIZE 64 /* with the final NUL */

typedef struct MrenParameter
{
	char name[MREN_PARAMETER_NAME_SIZE];
	size_t rows;
	size_t cols;
	size_t at;	  /* first float, a multiple of 16 */
	bool trained; /* by the optimizer */
	float decay;  /* multiplies the weight decay; 0: none */
	float rate;	  /* multiplies the learning rate */
} MrenParameter;

typedef struct MrenParameterTable
{
	MrenParameter items[MREN_MAX_PARAMETERS];
	size_t n;
	size_t n_trained;	 /* tensors, the first ones */
	size_t size;		 /* floats in all */
	size_t trained_size; /* floats of the trained ones */
	size_t n_parameters; /* trained numbers, without padding */
} MrenParameterTable;

/* The trained tensors as an optimizer sees them, of a table or of any number. */
typedef struct MrenParameterList
{
	const MrenParameter *items;
	size_t n;
	size_t size; /* floats, which their places are in */
} MrenParameterList;

static inline MrenParameterList
mren_parameters_trained(const MrenParameterTable *table)
{
	return (MrenParameterList){table->items, table->n_trained, table->trained_size};
}

/*
 * mren_parameters_add
 *	  Registers a trained tensor (rows, cols) and returns its number.  The
 *	  caller registers at most MREN_MAX_PARAMETERS, whose sizes and their sum
 *	  fit a size_t.
 */
extern size_t mren_parameters_add(MrenParameterTable *table, const char *name, size_t rows,
								  size_t cols, bool decay);

/*
 * mren_parameters_add_layer
 *	  Registers weight (rows, out) and bias (1, out) of dense layer number `layer` from 0:
 *	  "hidden1", ..., or "output" for the last; sets their numbers.
 */
extern void mren_parameters_add_layer(MrenParameterTable *table, size_t layer, bool last,
									  size_t rows, size_t out, size_t *weight, size_t *bias);

/* Ends the trained tensors: those added later are not trained by the optimizer. */
extern void mren_parameters_end_trained(MrenParameterTable *table);

/* Registers a tensor that the optimizer does not train; its numbers do not count as parameters. */
extern size_t mren_parameters_add_constant(MrenParameterTable *table, const char *name, size_t rows,
										   size_t cols);

/* A tensor as it is saved and loaded; data is (rows, cols) row-major. */
typedef struct MrenTensorView
{
	const char *name;
	size_t rows;
	size_t cols;
	const float *data;
} MrenTensorView;

static inline float *
mren_parameter_at(const MrenParameterTable *table, float *values, size_t id)
{
	return values + table->items[id].at;
}

#endif
