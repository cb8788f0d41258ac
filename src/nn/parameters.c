/*
 * parameters.c
 *	  Registering tensors.
 */
#include "nn/parameters.h"

#include <stdio.h>

#include "nn/arena.h"

size_t
mren_parameters_add(MrenParameterTable *table, const char *name, size_t rows, size_t cols,
					bool decay)
{
	MrenParameter *parameter = &table->items[table->n];

	snprintf(parameter->name, sizeof(parameter->name), "%s", name);
	parameter->rows = rows;
	parameter->cols = cols;
	parameter->at = table->size;
	parameter->trained = true;
	parameter->decay = decay ? 1 : 0;
	parameter->rate = 1;
	table->size += mren_align_floats(rows * cols);
	table->n_parameters += rows * cols;
	return table->n++;
}

void
mren_parameters_add_layer(MrenParameterTable *table, size_t layer, bool last, size_t rows,
						  size_t out, size_t *weight, size_t *bias)
{
	char of[24] = "output";
	char name[32];

	if (!last)
		snprintf(of, sizeof(of), "hidden%d", (int) layer + 1);
	snprintf(name, sizeof(name), "%s.weight", of);
	*weight = mren_parameters_add(table, name, rows, out, true);
	snprintf(name, sizeof(name), "%s.bias", of);
	*bias = mren_parameters_add(table, name, 1, out, false);
}

void
mren_parameters_end_trained(MrenParameterTable *table)
{
	table->n_trained = table->n;
	table->trained_size = table->size;
}

size_t
mren_parameters_add_constant(MrenParameterTable *table, const char *name, size_t rows, size_t cols)
{
	size_t id = mren_parameters_add(table, name, rows, cols, false);

	table->items[id].trained = false;
	table->n_parameters -= rows * cols;
	return id;
}
