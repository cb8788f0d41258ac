/*
 * model.c
 *	  From protobuf messages to linked nodes and values, in topological order.
 */
#include "onnx/model/model.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "onnx/model/node.h"

/* Nodes or values between two checks for interrupts. */
#define CHECK_EVERY 1024

static MrenStatus
table_init(MrenOnnxModel *model, MrenError *err)
{
	const Mren__Onnx__GraphProto *graph = model->proto;
	size_t n = graph->n_initializer + graph->n_input + graph->n_output;
	size_t size = 64;

	for (size_t i = 0; i < graph->n_node; i++)
		n += graph->node[i]->n_input + graph->node[i]->n_output;
	/* room for values that rewriting adds, at a load of at most one half */
	while (size < 2 * (n + 64))
		size *= 2;
	model->table_size = size;
	return mren_onnx_pool_get(model->pool, size, sizeof(MrenOnnxValue *), &model->table, err);
}

static MrenOnnxValue **
table_slot(const MrenOnnxModel *model, const char *name)
{
	size_t i = (size_t) mren_hash64(name, strlen(name), 0) & (model->table_size - 1);

	while (model->table[i] != NULL && strcmp(model->table[i]->name, name) != 0)
		i = (i + 1) & (model->table_size - 1);
	return &model->table[i];
}

MrenOnnxValue *
mren_onnx_model_value(const MrenOnnxModel *model, const char *name)
{
	return *table_slot(model, name);
}

MrenStatus
mren_onnx_model_no_value(const MrenOnnxModel *model, const char *name, MrenError *err)
{
	char last[160] = "";
	size_t len = 0;

	mren_fail(err, MREN_EPARAM, "network has no tensor \"%s\"", name);
	for (size_t i = model->n_nodes; i-- > 0 && i + 6 > model->n_nodes;)
	{
		const MrenOnnxNode *node = model->nodes[i];
		int n = node->n_outputs == 0 || node->outputs[0] == NULL
					? 0
					: snprintf(last + len, sizeof(last) - len, "%s\"%s\"", len > 0 ? ", " : "",
							   node->outputs[0]->name);

		if (n < 0 || (size_t) n >= sizeof(last) - len)
		{
			last[len] = 0;
			break;
		}
		len += n;
	}
	if (len > 0)
		mren_error_hint(err, "Its last tensors are %s.", last);
	return MREN_EPARAM;
}

/* The value of that name, created if it is new. */
static MrenStatus
intern(MrenOnnxModel *model, const char *name, MrenOnnxValue **value, MrenError *err)
{
	MrenOnnxValue **slot = table_slot(model, name);

	if (*slot == NULL)
	{
		MREN_TRY(mren_onnx_read_name(name, "a tensor", err));
		MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(MrenOnnxValue), slot, err));
		(*slot)->name = name;
		model->n_values++;
		if (model->n_values % CHECK_EVERY == 0)
			MREN_TRY(mren_check_interrupts(model->pool->env, err));
	}
	*value = *slot;
	return MREN_OK;
}

MrenStatus
mren_onnx_model_new_value(MrenOnnxModel *model, const char *name, MrenOnnxValue **value,
						  MrenError *err)
{
	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(MrenOnnxValue), value, err));
	(*value)->name = name;
	return MREN_OK;
}

static MrenStatus
read_initializers(MrenOnnxModel *model, MrenError *err)
{
	for (size_t i = 0; i < model->proto->n_initializer; i++)
	{
		const Mren__Onnx__TensorProto *proto = model->proto->initializer[i];
		const char *name = proto->name != NULL ? proto->name : "";
		char what[256];
		MrenOnnxValue *value;
		MrenOnnxTensor *tensor;

		MREN_TRY(intern(model, name, &value, err));
		if (value->constant != NULL)
			return mren_fail(err, MREN_EFORMAT, "initializer \"%s\" occurs twice in the ONNX file",
							 name);
		snprintf(what, sizeof(what), "initializer \"%.200s\"", name);
		MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(MrenOnnxTensor), &tensor, err));
		MREN_TRY(mren_onnx_read_weights(model->pool, proto, what, tensor, err));
		value->constant = tensor;
		value->type = tensor->type;
		value->shape = tensor->shape;
		value->n = tensor->n;
		value->known = true;
	}
	return MREN_OK;
}

/* A declared dimension; open ones ("N", 0, negative, nothing) take a default. */
static MrenStatus
read_input(MrenOnnxValue *value, const Mren__Onnx__ValueInfoProto *proto, size_t open_size,
		   MrenError *err)
{
	const Mren__Onnx__TypeProto__Tensor *type =
		proto->type != NULL ? proto->type->tensor_type : NULL;
	const Mren__Onnx__TensorShapeProto *shape = type != NULL ? type->shape : NULL;

	if (type == NULL || !type->has_elem_type)
		return mren_fail(err, MREN_EUNSUPPORTED, "input \"%s\" of the network is not a tensor",
						 value->name);
	value->type = (MrenOnnxType) type->elem_type;
	if (shape == NULL)
		return MREN_OK;
	if (shape->n_dim > MREN_ONNX_MAX_RANK)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "input \"%s\" has %zu dimensions, but at most %d are supported",
						 value->name, shape->n_dim, MREN_ONNX_MAX_RANK);
	value->shape.rank = (int) shape->n_dim;
	for (size_t d = 0; d < shape->n_dim; d++)
	{
		const Mren__Onnx__TensorShapeProto__Dimension *dim = shape->dim[d];

		if (dim->has_dim_value && dim->dim_value > 0)
			value->shape.dims[d] = (size_t) dim->dim_value;
		else
			value->shape.dims[d] = d == 0 ? 1 : open_size;
	}
	if (!mren_onnx_shape_size(&value->shape, &value->n) || value->n > INT_MAX)
	{
		char text[128];

		return mren_fail(err, MREN_ELIMIT, "input \"%s\" is too large: its shape is %s",
						 value->name, mren_onnx_shape_text(&value->shape, text, sizeof(text)));
	}
	value->known = true;
	return MREN_OK;
}

static MrenStatus
read_borders(MrenOnnxModel *model, size_t open_size, MrenError *err)
{
	const Mren__Onnx__GraphProto *graph = model->proto;

	MREN_TRY(mren_onnx_pool_get(model->pool, graph->n_input, sizeof(MrenOnnxValue *),
								&model->inputs, err));
	MREN_TRY(mren_onnx_pool_get(model->pool, graph->n_output, sizeof(MrenOnnxValue *),
								&model->outputs, err));
	for (size_t i = 0; i < graph->n_input; i++)
	{
		const char *name = graph->input[i]->name != NULL ? graph->input[i]->name : "";
		MrenOnnxValue *value;

		MREN_TRY(intern(model, name, &value, err));
		/* Files of before IR version 4 list initializers as inputs, too. */
		if (value->constant != NULL)
			continue;
		if (value->is_input)
			return mren_fail(err, MREN_EFORMAT, "input \"%s\" occurs twice in the ONNX file", name);
		value->is_input = true;
		MREN_TRY(read_input(value, graph->input[i], open_size, err));
		model->inputs[model->n_inputs++] = value;
	}
	for (size_t i = 0; i < graph->n_output; i++)
	{
		const char *name = graph->output[i]->name != NULL ? graph->output[i]->name : "";

		MREN_TRY(intern(model, name, &model->outputs[model->n_outputs++], err));
	}
	return MREN_OK;
}

static MrenStatus
link_node(MrenOnnxModel *model, const Mren__Onnx__NodeProto *proto, MrenOnnxNode **out,
		  MrenError *err)
{
	MrenOnnxNode *node;

	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(MrenOnnxNode), &node, err));
	node->proto = proto;
	node->model = model;
	if (proto->op_type == NULL)
		return mren_fail(err, MREN_EFORMAT, "ONNX file has a node without an operator");
	MREN_TRY(mren_onnx_read_name(proto->op_type, "an operator", err));
	if (proto->name != NULL)
		MREN_TRY(mren_onnx_read_name(proto->name, "a node", err));
	MREN_TRY(mren_onnx_pool_get(model->pool, proto->n_input, sizeof(MrenOnnxValue *), &node->inputs,
								err));
	MREN_TRY(mren_onnx_pool_get(model->pool, proto->n_output, sizeof(MrenOnnxValue *),
								&node->outputs, err));
	for (size_t i = 0; i < proto->n_input; i++)
	{
		if (proto->input[i][0] != '\0')
			MREN_TRY(intern(model, proto->input[i], &node->inputs[i], err));
	}
	node->n_inputs = proto->n_input;
	for (size_t i = 0; i < proto->n_output; i++)
	{
		MrenOnnxValue *value;

		if (proto->output[i][0] == '\0')
			continue;
		MREN_TRY(intern(model, proto->output[i], &value, err));
		if (value->producer != NULL || value->constant != NULL || value->is_input)
			return mren_fail(err, MREN_EFORMAT, "tensor \"%s\" occurs twice in the ONNX file",
							 value->name);
		value->producer = node;
		node->outputs[i] = value;
	}
	node->n_outputs = proto->n_output;
	*out = node;
	return MREN_OK;
}

/* Kahn's algorithm (1962): nodes whose inputs have all been computed, in file order. */
typedef struct Sort
{
	size_t *waiting; /* by node: inputs not yet computed */
	size_t *first;	 /* by node: its readers are readers[first[i] .. first[i+1]-1] */
	size_t *readers;
} Sort;

static size_t
node_index(MrenOnnxNode *node)
{
	return (size_t) node->data;
}

static bool
is_sorted(const MrenOnnxModel *model, MrenOnnxNode **nodes)
{
	for (size_t i = 0; i < model->n_nodes; i++)
	{
		for (size_t k = 0; k < nodes[i]->n_inputs; k++)
		{
			const MrenOnnxValue *value = nodes[i]->inputs[k];

			if (value != NULL && value->producer != NULL && node_index(value->producer) >= i)
				return false;
		}
	}
	return true;
}

static MrenStatus
sort_edges(MrenOnnxModel *model, MrenOnnxNode **nodes, Sort *sort, MrenError *err)
{
	size_t n = model->n_nodes;
	size_t n_edges = 0;

	MREN_TRY(mren_onnx_pool_block(model->pool, n, sizeof(size_t), &sort->waiting, err));
	MREN_TRY(mren_onnx_pool_block(model->pool, n + 2, sizeof(size_t), &sort->first, err));
	memset(sort->waiting, 0, n * sizeof(size_t));
	memset(sort->first, 0, (n + 2) * sizeof(size_t));
	for (size_t i = 0; i < n; i++)
	{
		for (size_t k = 0; k < nodes[i]->n_inputs; k++)
		{
			MrenOnnxValue *value = nodes[i]->inputs[k];

			if (value == NULL || value->producer == NULL)
				continue;
			sort->waiting[i]++;
			sort->first[node_index(value->producer) + 2]++;
			n_edges++;
		}
	}
	for (size_t i = 2; i < n + 2; i++)
		sort->first[i] += sort->first[i - 1];
	MREN_TRY(mren_onnx_pool_block(model->pool, n_edges, sizeof(size_t), &sort->readers, err));
	for (size_t i = 0; i < n; i++)
	{
		for (size_t k = 0; k < nodes[i]->n_inputs; k++)
		{
			MrenOnnxValue *value = nodes[i]->inputs[k];

			if (value != NULL && value->producer != NULL)
				sort->readers[sort->first[node_index(value->producer) + 1]++] = i;
		}
	}
	return MREN_OK;
}

static MrenStatus
sort_nodes(MrenOnnxModel *model, MrenOnnxNode **nodes, MrenError *err)
{
	Sort sort;
	size_t n_sorted = 0;

	for (size_t i = 0; i < model->n_nodes; i++)
		nodes[i]->data = (void *) i;
	/* The format requires sorted nodes; their order is also the best for memory. */
	if (is_sorted(model, nodes))
	{
		model->nodes = nodes;
		for (size_t i = 0; i < model->n_nodes; i++)
			nodes[i]->data = NULL;
		return MREN_OK;
	}
	MREN_TRY(sort_edges(model, nodes, &sort, err));
	MREN_TRY(mren_onnx_pool_get(model->pool, model->n_nodes, sizeof(MrenOnnxNode *), &model->nodes,
								err));
	for (size_t i = 0; i < model->n_nodes; i++)
	{
		if (sort.waiting[i] == 0)
			model->nodes[n_sorted++] = nodes[i];
	}
	for (size_t done = 0; done < n_sorted; done++)
	{
		size_t i = node_index(model->nodes[done]);

		for (size_t k = sort.first[i]; k < sort.first[i + 1]; k++)
		{
			if (--sort.waiting[sort.readers[k]] == 0)
				model->nodes[n_sorted++] = nodes[sort.readers[k]];
		}
		if (done % CHECK_EVERY == 0)
			MREN_TRY(mren_check_interrupts(model->pool->env, err));
	}
	for (size_t i = 0; i < model->n_nodes; i++)
	{
		if (sort.waiting[i] != 0)
			return mren_onnx_node_fail(nodes[i], MREN_EFORMAT, err, "the graph has a cycle");
		nodes[i]->data = NULL;
	}
	return MREN_OK;
}

static int64_t
read_opset(const Mren__Onnx__ModelProto *proto)
{
	int64_t opset = 0;

	for (size_t i = 0; i < proto->n_opset_import; i++)
	{
		const char *domain = proto->opset_import[i]->domain;

		if (domain == NULL || domain[0] == '\0' || strcmp(domain, "ai.onnx") == 0)
			opset = proto->opset_import[i]->version;
	}
	/* A file of IR version 1 or 2 has no opset and means the first. */
	return opset == 0 ? 1 : opset;
}

MrenStatus
mren_onnx_model_load(MrenOnnxPool *pool, const uint8_t *bytes, size_t len, size_t open_size,
					 MrenOnnxModel **out, MrenError *err)
{
	Mren__Onnx__ModelProto *proto;
	MrenOnnxModel *model;
	MrenOnnxNode **nodes;

	MREN_TRY(mren_onnx_read_model(pool, bytes, len, &proto, err));
	MREN_TRY(mren_onnx_pool_get(pool, 1, sizeof(MrenOnnxModel), &model, err));
	model->pool = pool;
	model->proto = proto->graph;
	model->opset = read_opset(proto);
	MREN_TRY(table_init(model, err));
	MREN_TRY(read_initializers(model, err));
	MREN_TRY(read_borders(model, open_size, err));
	model->n_nodes = proto->graph->n_node;
	MREN_TRY(mren_onnx_pool_get(pool, model->n_nodes, sizeof(MrenOnnxNode *), &nodes, err));
	for (size_t i = 0; i < model->n_nodes; i++)
		MREN_TRY(link_node(model, proto->graph->node[i], &nodes[i], err));
	MREN_TRY(sort_nodes(model, nodes, err));
	for (size_t i = 0; i < model->n_nodes; i++)
		model->nodes[i]->index = i;
	*out = model;
	return MREN_OK;
}

MrenStatus
mren_onnx_model_mark(MrenOnnxModel *model, MrenOnnxValue *const *targets, size_t n, MrenError *err)
{
	for (size_t i = 0; i < model->table_size; i++)
	{
		if (model->table[i] != NULL)
			model->table[i]->n_uses = 0;
	}
	for (size_t i = 0; i < n; i++)
		targets[i]->n_uses++;
	for (size_t i = model->n_nodes; i-- > 0;)
	{
		MrenOnnxNode *node = model->nodes[i];

		node->live = false;
		for (size_t k = 0; k < node->n_outputs; k++)
		{
			const MrenOnnxValue *value = node->outputs[k];

			if (value != NULL && value->n_uses > 0 && value->constant == NULL)
				node->live = true;
		}
		for (size_t k = 0; node->live && k < node->n_inputs; k++)
		{
			if (node->inputs[k] != NULL)
				node->inputs[k]->n_uses++;
		}
		if (i % CHECK_EVERY == 0)
			MREN_TRY(mren_check_interrupts(model->pool->env, err));
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_value_set(MrenOnnxNode *node, MrenOnnxValue *value, MrenOnnxType type,
					const MrenOnnxShape *shape, MrenError *err)
{
	if (value == NULL)
		return MREN_OK;
	if (!mren_onnx_shape_size(shape, &value->n) || value->n > INT_MAX)
	{
		char text[128];

		return mren_onnx_node_fail(node, MREN_ELIMIT, err, "result of shape %s is too large",
								   mren_onnx_shape_text(shape, text, sizeof(text)));
	}
	value->type = type;
	value->shape = *shape;
	value->known = true;
	return MREN_OK;
}

MrenStatus
mren_onnx_model_tensor(MrenOnnxModel *model, MrenOnnxType type, const MrenOnnxShape *shape,
					   MrenOnnxTensor **tensor, MrenError *err)
{
	bool is_float = mren_onnx_type_is_float(type);
	void *data;

	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(MrenOnnxTensor), tensor, err));
	(*tensor)->type = type;
	(*tensor)->shape = *shape;
	if (!mren_onnx_shape_size(shape, &(*tensor)->n))
		return mren_fail_nomem(err);
	MREN_TRY(mren_onnx_pool_get(model->pool, (*tensor)->n,
								is_float ? sizeof(float) : sizeof(int64_t), &data, err));
	(*tensor)->floats = is_float ? data : NULL;
	(*tensor)->ints = is_float ? NULL : data;
	return MREN_OK;
}

MrenStatus
mren_onnx_value_set_constant(MrenOnnxModel *model, MrenOnnxNode *node, MrenOnnxValue *value,
							 const MrenOnnxTensor *tensor, MrenError *err)
{
	(void) model;
	if (value == NULL)
		return MREN_OK;
	MREN_TRY(mren_onnx_value_set(node, value, tensor->type, &tensor->shape, err));
	value->constant = tensor;
	return MREN_OK;
}
