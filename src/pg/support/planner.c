/*
 * planner.c
 *	  The planner support function of the predicting functions: their cost.
 */
#include "postgres.h"

#include "fmgr.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"

/* In units of cpu_operator_cost; about 4 microseconds and 4 milliseconds. */
#define COST_TEXT 100
#define COST_IMAGE 100000

/* The numbers of the arguments image and audio. */
#define ARG_IMAGE 4
#define ARG_AUDIO 11

/* A call without the argument has its default, a NULL constant. */
static bool
is_null(const List *args, int number)
{
	Node *arg = list_nth(args, number);

	return IsA(arg, Const) && ((Const *) arg)->constisnull;
}

/* Whether an image or a recording may be read. */
static bool
may_read_image(Node *call)
{
	List *args = IsA(call, FuncExpr) ? ((FuncExpr *) call)->args : NIL;

	if (list_length(args) <= ARG_IMAGE || !is_null(args, ARG_IMAGE))
		return true;
	return list_length(args) > ARG_AUDIO && !is_null(args, ARG_AUDIO);
}

PG_FUNCTION_INFO_V1(mren_predict_support);
Datum
mren_predict_support(PG_FUNCTION_ARGS)
{
	Node *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestCost *cost;

	if (!IsA(request, SupportRequestCost))
		PG_RETURN_POINTER(NULL);
	cost = (SupportRequestCost *) request;
	if (cost->node == NULL)
		PG_RETURN_POINTER(NULL);
	cost->startup = 0;
	cost->per_tuple = cpu_operator_cost * (may_read_image(cost->node) ? COST_IMAGE : COST_TEXT);
	PG_RETURN_POINTER(cost);
}
