/*
 * read_datasets.c
 *	  mren.read_semeval and the like: published data sets as rows to train on.
 *
 * Each call returns one row.  The core's reader is in the memory context of the
 * function's calls, so a query that stops early frees it, too.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#include "pg/resource/span_slips.h"
#include "pg/support/pg_env.h"
#include "base/utf8.h"
#include "text/dataset/dataset.h"

/* id, sentence, head, tail, relation, and at most five more */
#define N_COMMON 5
#define MAX_COLUMNS 10

typedef struct Reader
{
	MrenEnv env; /* which the dataset copies */
	MrenDataset *dataset;
	MrenDatasetKind kind;
	TypeCacheEntry *range_type;
	MrenSpanSlips slips;
	int64 n_rows;
	int64 n_self; /* of them, rows whose mentions are the same span */
	int64 first_self;
} Reader;

/* Malformed content is an invalid argument here, not an invalid binary value. */
static void
raise_content(MrenError *err)
{
	if (err->status == MREN_EFORMAT)
		err->status = MREN_EPARAM;
	mren_pg_raise(err);
}

static Reader *
open_reader(FuncCallContext *context, MrenDatasetKind kind, text *argument, bool negatives)
{
	Reader *reader = palloc0(sizeof(Reader));
	MrenTextSpan content = mren_datum_utf8(PointerGetDatum(argument));
	MrenError err = {0};

	reader->env = mren_pg_env(context->multi_call_memory_ctx);
	reader->slips.context = context->multi_call_memory_ctx;
	reader->kind = kind;
	reader->range_type = lookup_type_cache(INT4RANGEOID, TYPECACHE_RANGE_INFO);
	if (mren_dataset_open(&reader->env, kind, content.data, content.len, negatives,
						  &reader->dataset, &err) != MREN_OK)
		raise_content(&err);
	return reader;
}

static void
set_text(Datum *values, bool *nulls, int column, MrenTextSpan value)
{
	char *converted;

	nulls[column] = value.data == NULL;
	if (nulls[column])
		return;
	/* If nothing is converted, it is the same pointer, without a terminating zero. */
	converted = pg_any_to_server(value.data, value.len, PG_UTF8);
	values[column] =
		PointerGetDatum(converted == value.data ? cstring_to_text_with_len(value.data, value.len)
												: cstring_to_text(converted));
}

static Datum
make_mention(const Reader *reader, int32 lower, int32 upper)
{
	RangeBound from = {.val = Int32GetDatum(lower), .inclusive = true, .lower = true};
	RangeBound to = {.val = Int32GetDatum(upper)};

	return RangeTypePGetDatum(mren_make_range(reader->range_type, &from, &to));
}

/* The columns after the common ones, as the SQL functions declare them. */
static int
set_extras(const Reader *reader, const MrenDatasetRow *row, Datum *values, bool *nulls)
{
	int n = N_COMMON;

	if (reader->kind == MREN_DATASET_SEMEVAL)
		set_text(values, nulls, n++, row->comment);
	if (reader->kind == MREN_DATASET_OPENNRE || reader->kind == MREN_DATASET_MNRE ||
		reader->kind == MREN_DATASET_FEWREL)
	{
		set_text(values, nulls, n++, row->head_name);
		set_text(values, nulls, n++, row->tail_name);
	}
	if (reader->kind == MREN_DATASET_OPENNRE || reader->kind == MREN_DATASET_MNRE ||
		reader->kind == MREN_DATASET_CONLL04 || reader->kind == MREN_DATASET_TACRED)
	{
		set_text(values, nulls, n++, row->head_type);
		set_text(values, nulls, n++, row->tail_type);
	}
	if (reader->kind == MREN_DATASET_MNRE)
		set_text(values, nulls, n++, row->image_name);
	return n;
}

static Datum
make_row(const Reader *reader, TupleDesc desc, const MrenDatasetRow *row)
{
	Datum values[MAX_COLUMNS];
	bool nulls[MAX_COLUMNS] = {false};
	int n;

	set_text(values, nulls, 0, row->id);
	set_text(values, nulls, 1, row->sentence);
	values[2] = make_mention(reader, row->head_lower, row->head_upper);
	values[3] = make_mention(reader, row->tail_lower, row->tail_upper);
	set_text(values, nulls, 4, row->relation);
	n = set_extras(reader, row, values, nulls);
	if (n != desc->natts)
		elog(ERROR, "reader gives %d columns, but %d are declared", n, desc->natts);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

static void
start(FunctionCallInfo fcinfo, MrenDatasetKind kind)
{
	FuncCallContext *context = SRF_FIRSTCALL_INIT();
	MemoryContext old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
	bool negatives = PG_NARGS() > 1 && PG_GETARG_BOOL(1);
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	context->tuple_desc = BlessTupleDesc(desc);
	/* A copy: the argument need not outlive the first call. */
	context->user_fctx = open_reader(context, kind, PG_GETARG_TEXT_P_COPY(0), negatives);
	MemoryContextSwitchTo(old);
}

/* The names of other formats are those of the entity, not of the mention. */
static void
check_spans(Reader *reader, const MrenDatasetRow *row)
{
	bool named = reader->kind == MREN_DATASET_OPENNRE || reader->kind == MREN_DATASET_MNRE;
	MrenTextSpan none = {NULL, 0};

	reader->n_rows++;
	if (row->head_lower == row->tail_lower && row->head_upper == row->tail_upper &&
		reader->n_self++ == 0)
		reader->first_self = reader->n_rows;
	mren_slips_row(&reader->slips, row->sentence);
	mren_slips_add(&reader->slips, row->head_lower, row->head_upper, named ? row->head_name : none,
				   NULL, reader->n_rows);
	mren_slips_add(&reader->slips, row->tail_lower, row->tail_upper, named ? row->tail_name : none,
				   NULL, reader->n_rows);
}

static Datum
next_row(FunctionCallInfo fcinfo, MrenDatasetKind kind)
{
	FuncCallContext *context;
	Reader *reader;
	MrenDatasetRow row;
	MrenError err = {0};
	bool more;

	if (SRF_IS_FIRSTCALL())
		start(fcinfo, kind);
	context = SRF_PERCALL_SETUP();
	reader = context->user_fctx;
	CHECK_FOR_INTERRUPTS();
	if (mren_dataset_next(reader->dataset, &row, &more, &err) != MREN_OK)
		raise_content(&err);
	if (more)
		check_spans(reader, &row);
	if (more)
		SRF_RETURN_NEXT(context, make_row(reader, context->tuple_desc, &row));
	mren_slips_warn(&reader->slips);
	if (reader->n_self > 0)
		ereport(NOTICE, (errmsg("rows whose head and tail are the same span: %lld, the first of "
								"them row %lld",
								(long long) reader->n_self, (long long) reader->first_self),
						 errhint("A model learns nothing from them; leave them out with "
								 "WHERE head <> tail.")));
	mren_dataset_close(reader->dataset);
	SRF_RETURN_DONE(context);
}

PG_FUNCTION_INFO_V1(mren_read_semeval);
Datum
mren_read_semeval(PG_FUNCTION_ARGS)
{
	return next_row(fcinfo, MREN_DATASET_SEMEVAL);
}

PG_FUNCTION_INFO_V1(mren_read_opennre);
Datum
mren_read_opennre(PG_FUNCTION_ARGS)
{
	return next_row(fcinfo, MREN_DATASET_OPENNRE);
}

PG_FUNCTION_INFO_V1(mren_read_fewrel);
Datum
mren_read_fewrel(PG_FUNCTION_ARGS)
{
	return next_row(fcinfo, MREN_DATASET_FEWREL);
}

PG_FUNCTION_INFO_V1(mren_read_mnre);
Datum
mren_read_mnre(PG_FUNCTION_ARGS)
{
	return next_row(fcinfo, MREN_DATASET_MNRE);
}

PG_FUNCTION_INFO_V1(mren_read_conll04);
Datum
mren_read_conll04(PG_FUNCTION_ARGS)
{
	return next_row(fcinfo, MREN_DATASET_CONLL04);
}

PG_FUNCTION_INFO_V1(mren_read_tacred);
Datum
mren_read_tacred(PG_FUNCTION_ARGS)
{
	return next_row(fcinfo, MREN_DATASET_TACRED);
}

PG_FUNCTION_INFO_V1(mren_read_marked);
Datum
mren_read_marked(PG_FUNCTION_ARGS)
{
	return next_row(fcinfo, MREN_DATASET_MARKED);
}

/*
 * Documents with annotations
 */

/* document, part, text, type, entity, span, head, relation, tail */
#define N_PART_COLUMNS 9

static Datum
make_part(const Reader *reader, TupleDesc desc, const MrenDatasetRow *row)
{
	static const char *const names[] = {"pair", "document", "sentence", "mention", "fact"};
	Datum values[N_PART_COLUMNS] = {0};
	bool nulls[N_PART_COLUMNS] = {false};
	bool fact = row->part == MREN_PART_FACT;
	MrenTextSpan text = row->sentence;
	size_t start = mren_utf8_offset(text.data, text.len, row->head_lower);
	size_t end = start + mren_utf8_offset(text.data + start, text.len - start,
										  row->head_upper - row->head_lower);

	set_text(values, nulls, 0, row->id);
	values[1] = CStringGetTextDatum(names[row->part]);
	set_text(values, nulls, 2,
			 fact ? (MrenTextSpan){NULL, 0} : (MrenTextSpan){text.data + start, end - start});
	set_text(values, nulls, 3, row->head_type);
	nulls[4] = row->part != MREN_PART_MENTION;
	values[4] = Int32GetDatum(row->entity);
	nulls[5] = fact;
	if (!fact)
		values[5] = make_mention(reader, row->head_lower, row->head_upper);
	nulls[6] = nulls[8] = !fact;
	values[6] = Int32GetDatum(row->head);
	set_text(values, nulls, 7, row->relation);
	values[8] = Int32GetDatum(row->tail);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

static Datum
next_part(FunctionCallInfo fcinfo, MrenTextSpan *id)
{
	FuncCallContext *context = SRF_PERCALL_SETUP();
	Reader *reader = context->user_fctx;
	MrenDatasetRow row;
	MrenError err = {0};
	bool more;

	CHECK_FOR_INTERRUPTS();
	if (mren_dataset_next(reader->dataset, &row, &more, &err) != MREN_OK)
		raise_content(&err);
	if (id != NULL)
		row.id = *id;
	if (more)
		SRF_RETURN_NEXT(context, make_part(reader, context->tuple_desc, &row));
	mren_dataset_close(reader->dataset);
	SRF_RETURN_DONE(context);
}

PG_FUNCTION_INFO_V1(mren_read_docred);
Datum
mren_read_docred(PG_FUNCTION_ARGS)
{
	if (SRF_IS_FIRSTCALL())
		start(fcinfo, MREN_DATASET_DOCRED);
	return next_part(fcinfo, NULL);
}

/* mren.read_brat(document, text, annotations) */
static void
start_brat(FunctionCallInfo fcinfo)
{
	FuncCallContext *context = SRF_FIRSTCALL_INIT();
	MemoryContext old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
	Reader *reader = palloc0(sizeof(Reader));
	MrenTextSpan content = mren_datum_utf8(PointerGetDatum(PG_GETARG_TEXT_P_COPY(1)));
	MrenTextSpan annotations = mren_datum_utf8(PointerGetDatum(PG_GETARG_TEXT_P_COPY(2)));
	MrenError err = {0};
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	context->tuple_desc = BlessTupleDesc(desc);
	reader->env = mren_pg_env(context->multi_call_memory_ctx);
	reader->kind = MREN_DATASET_BRAT;
	reader->range_type = lookup_type_cache(INT4RANGEOID, TYPECACHE_RANGE_INFO);
	if (mren_dataset_open_brat(&reader->env, content, annotations, &reader->dataset, &err) !=
		MREN_OK)
		raise_content(&err);
	context->user_fctx = reader;
	MemoryContextSwitchTo(old);
}

PG_FUNCTION_INFO_V1(mren_read_brat);
Datum
mren_read_brat(PG_FUNCTION_ARGS)
{
	MrenTextSpan id;

	if (SRF_IS_FIRSTCALL())
		start_brat(fcinfo);
	id = mren_datum_utf8(PG_GETARG_DATUM(0));
	return next_part(fcinfo, &id);
}
