/*
 * answer_scan.c
 *	  A step of a plan that answers rows in batches.
 *
 * A function is called for each row and must return its answer at once.  So where a plan has
 * mren.predict_row among the columns of a step, that step is made to return the function's
 * arguments, as further columns behind its own, and above it comes a custom scan, which reads a
 * batch of rows, answers them together and returns the columns as they were.  Whatever is above
 * it, such as the Gather of a parallel plan, stays as it is.
 */
#include "pg/predict/answer_scan.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "pg/predict/predict_row.h"

extern Datum mren_predict_row(PG_FUNCTION_ARGS);
extern Datum mren_predict_row_range(PG_FUNCTION_ARGS);

/*
 * Execution
 */

typedef struct AnswerScanState
{
	CustomScanState base;
	int n_columns; /* that are returned; those of the step below, without the arguments */
	int answer;	   /* which of them is the answer */
	bool ranges;
	bool images;
	bool recordings;

	MemoryContext rows; /* columns and answers of a batch */
	MemoryContext work; /* of one row */
	MrenAnswers answers;
	bool open; /* answers are */
	int next;  /* row of the batch */
	bool ended;
	Datum *values; /* (MREN_BATCH_ROWS, n_columns) */
	bool *nulls;
} AnswerScanState;

/* The row at hand. */
typedef struct Row
{
	const AnswerScanState *scan;
	TupleTableSlot *slot;
} Row;

static Datum
get_argument(void *state, MrenColumn column, bool *isnull)
{
	const Row *row = state;

	return slot_getattr(row->slot, row->scan->n_columns + 1 + mren_answer_argument(column), isnull);
}

/* The model and version are the same in each row. */
static void
open_answers(AnswerScanState *scan, TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(scan->base.ss.ps.state->es_query_cxt);
	bool isnull[2];
	Datum model = slot_getattr(slot, scan->n_columns + 1 + MREN_ANSWER_MODEL, &isnull[0]);
	Datum version = slot_getattr(slot, scan->n_columns + 1 + MREN_ANSWER_VERSION, &isnull[1]);
	text *name;

	if (isnull[0] || isnull[1])
		elog(ERROR, "rows are answered without a model");
	name = DatumGetTextPP(model);
	mren_predictor_open(&scan->answers.predictor, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name),
						DatumGetInt32(version));
	mren_predictor_begin_rows(&scan->answers.predictor, scan->images, scan->recordings);
	mren_answers_create(&scan->answers, MREN_BATCH_ROWS, scan->ranges);
	scan->answers.context = scan->rows;
	scan->open = true;
	MemoryContextSwitchTo(old);
}

static void
add_row(AnswerScanState *scan, TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(scan->rows);
	size_t at = (size_t) scan->answers.n * scan->n_columns;
	Row row = {scan, slot};

	for (int i = 0; i < scan->n_columns; i++)
	{
		const FormData_pg_attribute *attribute = TupleDescAttr(slot->tts_tupleDescriptor, i);
		Datum value = slot_getattr(slot, i + 1, &scan->nulls[at + i]);

		if (!scan->nulls[at + i])
			scan->values[at + i] = datumCopy(value, attribute->attbyval, attribute->attlen);
	}
	MemoryContextSwitchTo(scan->work);
	mren_answers_add(&scan->answers, get_argument, &row);
	MemoryContextSwitchTo(old);
	MemoryContextReset(scan->work);
}

static void
read_batch(AnswerScanState *scan)
{
	PlanState *below = outerPlanState(scan);

	MemoryContextReset(scan->rows);
	scan->next = scan->answers.n = 0;
	while (!scan->ended && scan->answers.n < MREN_BATCH_ROWS &&
		   MemoryContextMemAllocated(scan->rows, false) < MREN_BATCH_BYTES)
	{
		TupleTableSlot *slot = ExecProcNode(below);

		CHECK_FOR_INTERRUPTS();
		scan->ended = TupIsNull(slot);
		if (scan->ended)
			break;
		if (!scan->open)
			open_answers(scan, slot);
		add_row(scan, slot);
	}
	if (scan->answers.n > 0)
		mren_answers_finish(&scan->answers);
}

static TupleTableSlot *
answer_scan_next(CustomScanState *state)
{
	AnswerScanState *scan = (AnswerScanState *) state;
	TupleTableSlot *slot = state->ss.ss_ScanTupleSlot;
	size_t at;

	ExecClearTuple(slot);
	if (scan->next == scan->answers.n)
		read_batch(scan);
	if (scan->next == scan->answers.n)
		return slot;
	at = (size_t) scan->next * scan->n_columns;
	memcpy(slot->tts_values, scan->values + at, scan->n_columns * sizeof(Datum));
	memcpy(slot->tts_isnull, scan->nulls + at, scan->n_columns * sizeof(bool));
	slot->tts_values[scan->answer] = PointerGetDatum(scan->answers.values[scan->next]);
	slot->tts_isnull[scan->answer] = scan->answers.values[scan->next] == NULL;
	scan->next++;
	return ExecStoreVirtualTuple(slot);
}

static void
answer_scan_begin(CustomScanState *state, EState *estate, int eflags)
{
	AnswerScanState *scan = (AnswerScanState *) state;
	CustomScan *plan = (CustomScan *) state->ss.ps.plan;

	outerPlanState(state) = ExecInitNode(outerPlan(plan), estate, eflags);
	scan->n_columns = list_length(plan->custom_scan_tlist);
	scan->answer = linitial_int(plan->custom_private);
	scan->ranges = lsecond_int(plan->custom_private) != 0;
	scan->images = lthird_int(plan->custom_private) != 0;
	scan->recordings = lfourth_int(plan->custom_private) != 0;
	scan->rows = AllocSetContextCreate(estate->es_query_cxt, "mren batch", ALLOCSET_DEFAULT_SIZES);
	scan->work = AllocSetContextCreate(estate->es_query_cxt, "mren row", ALLOCSET_DEFAULT_SIZES);
	scan->values = palloc0(MREN_BATCH_ROWS * scan->n_columns * sizeof(Datum));
	scan->nulls = palloc0(MREN_BATCH_ROWS * scan->n_columns * sizeof(bool));
}

static void
answer_scan_end(CustomScanState *state)
{
	ExecEndNode(outerPlanState(state));
}

static void
answer_scan_rescan(CustomScanState *state)
{
	AnswerScanState *scan = (AnswerScanState *) state;

	scan->next = scan->answers.n = 0;
	scan->ended = false;
	/* Where parameters have changed, it begins again by itself. */
	if (outerPlanState(state)->chgParam == NULL)
		ExecReScan(outerPlanState(state));
}

static const CustomExecMethods execution = {
	.CustomName = "mren answers",
	.BeginCustomScan = answer_scan_begin,
	.ExecCustomScan = answer_scan_next,
	.EndCustomScan = answer_scan_end,
	.ReScanCustomScan = answer_scan_rescan,
};

static Node *
create_state(CustomScan *plan)
{
	AnswerScanState *scan = palloc0(sizeof(AnswerScanState));

	NodeSetTag(scan, T_CustomScanState);
	scan->base.methods = &execution;
	return (Node *) scan;
}

static const CustomScanMethods methods = {
	.CustomName = "mren answers",
	.CreateCustomScanState = create_state,
};

void
mren_answer_scan_init(void)
{
	RegisterCustomScanMethods(&methods);
}

/*
 * Planning
 */

/* Whether the argument is the same in each row. */
static bool
is_fixed(const FuncExpr *call, int argument)
{
	const Node *value = list_nth(call->args, argument);

	if (IsA(value, Param))
		return ((const Param *) value)->paramkind == PARAM_EXTERN;
	return IsA(value, Const) && !((const Const *) value)->constisnull;
}

/* Whether the expression calls mren.predict_row of one version, for either kind of mentions. */
static bool
answers_row(const Expr *expr, bool *ranges)
{
	const FuncExpr *call = (const FuncExpr *) expr;
	FmgrInfo function;

	if (!IsA(expr, FuncExpr))
		return false;
	fmgr_info(call->funcid, &function);
	*ranges = function.fn_addr == mren_predict_row_range;
	return (*ranges || function.fn_addr == mren_predict_row) && is_fixed(call, MREN_ANSWER_MODEL) &&
		   is_fixed(call, MREN_ANSWER_VERSION);
}

/* Whether rows may have a value of the argument. */
static bool
has_argument(const FuncExpr *call, MrenColumn column)
{
	const Node *argument = list_nth(call->args, mren_answer_argument(column));

	return !IsA(argument, Const) || !((const Const *) argument)->constisnull;
}

/* The columns of a step, as those of `varno`. */
static List *
columns_of(const Plan *step, int varno)
{
	List *columns = NIL;
	ListCell *cell;

	foreach (cell, step->targetlist)
	{
		TargetEntry *column = lfirst_node(TargetEntry, cell);
		Expr *var = (Expr *) makeVar(varno, column->resno, exprType((Node *) column->expr),
									 exprTypmod((Node *) column->expr),
									 exprCollation((Node *) column->expr), 0);

		columns =
			lappend(columns, makeTargetEntry(var, column->resno, column->resname, column->resjunk));
	}
	return columns;
}

/* Puts the step above `below`, whose column `answer` (from 0) is the call. */
static Plan *
answer_above(Plan *below, int answer, bool ranges)
{
	TargetEntry *entry = list_nth(below->targetlist, answer);
	FuncExpr *call = (FuncExpr *) entry->expr;
	CustomScan *scan = makeNode(CustomScan);
	int n = list_length(below->targetlist);
	ListCell *cell;

	scan->scan.plan = (Plan){
		.type = T_CustomScan,
		.startup_cost = below->startup_cost,
		.total_cost = below->total_cost,
		.plan_rows = below->plan_rows,
		.plan_width = below->plan_width,
		.targetlist = columns_of(below, INDEX_VAR),
		.lefttree = below,
		.parallel_safe = below->parallel_safe,
		/* There is at most one such step above each. */
		.plan_node_id = (1 << 20) + below->plan_node_id,
		.extParam = bms_copy(below->extParam),
		.allParam = bms_copy(below->allParam),
	};
	scan->custom_scan_tlist = columns_of(below, OUTER_VAR);
	scan->custom_private = list_make4_int(answer, ranges, has_argument(call, MREN_COLUMN_IMAGE),
										  has_argument(call, MREN_COLUMN_AUDIO));
	scan->methods = &methods;

	entry->expr = (Expr *) makeNullConst(BYTEAOID, -1, InvalidOid);
	foreach (cell, call->args)
		below->targetlist =
			lappend(below->targetlist, makeTargetEntry(lfirst(cell), ++n, NULL, false));
	return (Plan *) scan;
}

static Plan *answer_in_batches(Plan *plan);

static void
answer_in_list(List *plans)
{
	ListCell *cell;

	foreach (cell, plans)
		lfirst(cell) = answer_in_batches(lfirst(cell));
}

/* The plan, with the step wherever rows are answered. */
static Plan *
answer_in_batches(Plan *plan)
{
	int i = 0;
	bool ranges;
	ListCell *cell;

	if (plan == NULL)
		return NULL;
	plan->lefttree = answer_in_batches(plan->lefttree);
	plan->righttree = answer_in_batches(plan->righttree);
	if (IsA(plan, Append))
		answer_in_list(((Append *) plan)->appendplans);
	else if (IsA(plan, MergeAppend))
		answer_in_list(((MergeAppend *) plan)->mergeplans);
	else if (IsA(plan, SubqueryScan))
		((SubqueryScan *) plan)->subplan = answer_in_batches(((SubqueryScan *) plan)->subplan);
	foreach (cell, plan->targetlist)
	{
		if (answers_row(lfirst_node(TargetEntry, cell)->expr, &ranges))
			return answer_above(plan, i, ranges);
		i++;
	}
	return plan;
}

static planner_hook_type next_planner;

static PlannedStmt *
plan_answers(Query *query, const char *text, int options, ParamListInfo params)
{
	PlannedStmt *statement;

	/* What the query calls plans statements of its own. */
	planner_hook = next_planner;
	statement = planner(query, text, options, params);
	statement->planTree = answer_in_batches(statement->planTree);
	return statement;
}

void
mren_answers_run(const char *statement, int n, const Oid *types, const Datum *values,
				 MrenRowVisitor visit, void *state)
{
	next_planner = planner_hook;
	planner_hook = plan_answers;
	PG_TRY();
	{
		mren_query_run(statement, n, types, values, visit, state);
	}
	PG_FINALLY();
	{
		/* It never came to planning. */
		if (planner_hook == plan_answers)
			planner_hook = next_planner;
	}
	PG_END_TRY();
}
