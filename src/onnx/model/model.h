/*
 * model.h
 *	  The network between file and plan: nodes in topological order, the
 *	  values that connect them, shapes and constants.  Internal to src/onnx.
 *
 * Everything here lives in the model's pool and ends with loading.  Once
 * mren_onnx_model_infer (compile.h) has passed a node, its outputs have type and shape, and
 * those that depend on constants only are constants themselves.
 */
#ifndef MREN_ONNX_MODEL_MODEL_H
#define MREN_ONNX_MODEL_MODEL_H

#include "onnx/simd/unary.h"
#include "onnx/model/read.h"

typedef struct MrenOnnxModel MrenOnnxModel;
typedef struct MrenOnnxNode MrenOnnxNode;
typedef struct MrenOnnxOp MrenOnnxOp;
typedef struct MrenOnnxPlan MrenOnnxPlan;

/* How the elements of a value lie in memory. */
typedef enum MrenOnnxLayout
{
	MREN_ONNX_PLAIN,		 /* row-major in the tensor's own order */
	MREN_ONNX_CHANNELS_LAST, /* dimension 1 moved after all others; rank >= 3 */
} MrenOnnxLayout;

typedef struct MrenOnnxPlace
{
	int buffer;	   /* of the plan, or -1: data is a constant */
	size_t offset; /* bytes from the buffer's start */
	char *data;	   /* the constant */
	size_t pitch;  /* elements from pixel to pixel, channels-last only */
	MrenOnnxLayout layout;
	bool set;
} MrenOnnxPlace;

typedef struct MrenOnnxValue
{
	const char *name;
	MrenOnnxType type;
	MrenOnnxShape shape;
	size_t n;						/* elements */
	const MrenOnnxTensor *constant; /* or NULL: known only at run time */
	MrenOnnxNode *producer;			/* or NULL: a graph input or an initializer */
	size_t n_uses;					/* by live nodes; the chosen outputs count one each */
	bool is_input;					/* to be given at each run */
	bool known;						/* type and shape are */
	MrenOnnxPlace place;			/* set by the plan */
	MrenOnnxPlace other;			/* the same elements in the other layout */
	struct MrenOnnxValue *slot_of;	/* written straight into this concatenation ... */
	size_t slot;					/* ... from this channel on */
} MrenOnnxValue;

struct MrenOnnxNode
{
	const Mren__Onnx__NodeProto *proto;
	const MrenOnnxModel *model;
	const MrenOnnxOp *op;
	MrenOnnxValue **inputs; /* NULL: an omitted optional one */
	size_t n_inputs;
	MrenOnnxValue **outputs;
	size_t n_outputs;
	size_t index; /* among the model's nodes */
	bool live;
	void *data; /* what infer found out for emit */
	/* what fusion folded into this node, applied in this order */
	float *scale; /* per output channel, NULL: 1 */
	float *shift; /* per output channel, NULL: 0 */
	MrenOnnxValue *residual;
	MrenOnnxActivation activation;
};

struct MrenOnnxModel
{
	MrenOnnxPool *pool;
	const Mren__Onnx__GraphProto *proto;
	int64_t opset;
	MrenOnnxNode **nodes; /* topological order */
	size_t n_nodes;
	MrenOnnxValue **table; /* by name, open addressing */
	size_t table_size;
	size_t n_values;
	MrenOnnxValue **inputs; /* graph inputs that are no initializers, in file order */
	size_t n_inputs;
	MrenOnnxValue **outputs; /* graph outputs, in file order */
	size_t n_outputs;
};

/* Rules of old definitions that no attribute shows, as bits. */
typedef enum MrenOnnxRules
{
	MREN_ONNX_PRESENT_RULES = 0,
	MREN_ONNX_EQUAL_SHAPES = 1,	  /* no broadcasting between inputs */
	MREN_ONNX_TEST_MODE = 2,	  /* it trains unless attribute is_test is set */
	MREN_ONNX_CHANNEL_SLOPE = 4,  /* PRelu: one slope for all channels, or one for each */
	MREN_ONNX_NO_SIZES_INPUT = 8, /* Split: sizes as an input are refused */
} MrenOnnxRules;

/*
 * An operator as a range of opsets defines it: what its outputs look like, and
 * the steps that compute them.
 */
struct MrenOnnxOp
{
	const char *name;
	int since; /* first and last opset */
	int until;
	int min_inputs;
	int max_inputs; /* -1: any number */
	int max_outputs;
	MrenStatus (*infer)(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err);
	MrenStatus (*emit)(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err);
	int kind;			 /* which of a family's functions */
	MrenOnnxRules rules; /* that differ from the present ones */
};

/*
 * mren_onnx_model_load
 *	  The model of a parsed file: checks names, links nodes and values, reads
 *	  initializers and sorts.  Inputs' declared shapes are taken with the
 *	  batch open as 1 and other open dimensions as `open_size`.
 */
extern MrenStatus mren_onnx_model_load(MrenOnnxPool *pool, const uint8_t *bytes, size_t len,
									   size_t open_size, MrenOnnxModel **model, MrenError *err);

extern MrenOnnxValue *mren_onnx_model_value(const MrenOnnxModel *model, const char *name);

/* MREN_EPARAM: there is no value of this name; the hint has the names of the last ones. */
extern MrenStatus mren_onnx_model_no_value(const MrenOnnxModel *model, const char *name,
										   MrenError *err);

/* A value without a name of its own, for rewritten graphs. */
extern MrenStatus mren_onnx_model_new_value(MrenOnnxModel *model, const char *name,
											MrenOnnxValue **value, MrenError *err);

/*
 * Marks as live what the targets need, and nothing else; counts uses.  Once
 * inferred, nodes whose results are constants are needed no more.
 */
extern MrenStatus mren_onnx_model_mark(MrenOnnxModel *model, MrenOnnxValue *const *targets,
									   size_t n, MrenError *err);

/*
 * For operators: an output's type and shape; MREN_ELIMIT beyond INT_MAX
 * elements.  A constant output is set at once.
 */
extern MrenStatus mren_onnx_value_set(MrenOnnxNode *node, MrenOnnxValue *value, MrenOnnxType type,
									  const MrenOnnxShape *shape, MrenError *err);
extern MrenStatus mren_onnx_value_set_constant(MrenOnnxModel *model, MrenOnnxNode *node,
											   MrenOnnxValue *value, const MrenOnnxTensor *tensor,
											   MrenError *err);

/* A zeroed constant tensor in the model's pool, elements to be filled in. */
extern MrenStatus mren_onnx_model_tensor(MrenOnnxModel *model, MrenOnnxType type,
										 const MrenOnnxShape *shape, MrenOnnxTensor **tensor,
										 MrenError *err);

#endif
