/*
 * confusion.c
 *	  The type mren.confusion: counts of pairs of actual and predicted relations.
 *
 * The value is expanded while an aggregate runs: rows are counted in place, and
 * the state is flattened only when it leaves the process, as the result of a
 * parallel worker or another node.  Its flat form, all numbers little-endian:
 *
 *		magic "MRENCONF" | has_negative u32 | n_negative u32 | negative
 *		n_labels u32 | for each, in bytewise order: n u32, bytes
 *		n_rows u64 | n_exact u64
 *		n_pairs u32 | for each, ordered: actual u32, predicted u32, count u64
 *
 * n_labels stands for an absent actual or predicted label.  Equal counts give equal
 * bytes.  Anyone can cast to the type, so everything is checked when it is read.
 */
#include "pg/evaluate/confusion.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/buffer.h"
#include "pg/support/compat.h"
#include "pg/support/hex.h"
#include "pg/support/pg_env.h"

#define MAGIC "MRENCONF"
#define MAGIC_LENGTH 8

PG_FUNCTION_INFO_V1(mren_confusion_in);
PG_FUNCTION_INFO_V1(mren_confusion_out);
PG_FUNCTION_INFO_V1(mren_confusion_recv);
PG_FUNCTION_INFO_V1(mren_confusion_send);

/*
 * Counting
 */

void
mren_confusion_check_labels(const MrenConfusion *confusion)
{
	if (mren_confusion_n_labels(confusion) > MREN_MAX_LABELS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("number of distinct relations exceeds %d", MREN_MAX_LABELS),
						errhint("The arguments must be relations, not identifiers or texts.")));
}

void
mren_confusion_check_label(size_t len)
{
	if (len > MREN_MAX_LABEL)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("relation name of %zu bytes exceeds the maximum of %d bytes", len,
							   MREN_MAX_LABEL)));
}

void
mren_confusion_count_row(MrenConfusion *confusion, const char *actual, size_t n_actual,
						 const char *predicted, size_t n_predicted)
{
	MrenError err;

	mren_confusion_check_label(Max(n_actual, n_predicted));
	MREN_PG_CALL(err, mren_confusion_add(confusion, (MrenTextSpan){actual, n_actual},
										 (MrenTextSpan){predicted, n_predicted}, 1, &err));
	mren_confusion_check_labels(confusion);
}

const char *
mren_count_prediction(MrenLabelledPairs *labels, const MrenPrediction *prediction, uint64_t n)
{
	const char *relation = mren_prediction_actual(prediction, n);
	MrenTextSpan actual = {relation, strlen(relation)};
	MrenTextSpan *predicted = palloc((prediction->n_probabilities + 1) * sizeof(MrenTextSpan));
	int32 *numbers = palloc((prediction->n_probabilities + 1) * sizeof(int32));
	size_t n_predicted = mren_prediction_relations(prediction, numbers);
	MrenError err;

	for (size_t i = 0; i < n_predicted; i++)
	{
		const char *name = prediction->names[numbers[i]];

		predicted[i] = (MrenTextSpan){name, strlen(name)};
	}
	mren_confusion_check_label(actual.len);
	/*
	 * Rows of a pair may differ in what the query leaves out, such as the picture: a version of one
	 * answer is judged by each of them.
	 */
	if (prediction->answered && prediction->info->thresholds != NULL)
		MREN_PG_CALL(err, mren_labelled_pairs_add(labels, prediction->same_pair, actual, predicted,
												  n_predicted, &err));
	else
		MREN_PG_CALL(err,
					 mren_labelled_pairs_add_single(labels, actual, predicted, n_predicted, &err));
	pfree(predicted);
	pfree(numbers);
	return relation;
}

/* The loop over predicted labels ends as soon as all rows of the actual label are found. */
void
mren_confusion_pairs(const MrenConfusion *confusion, MrenPairVisitor visit, void *state)
{
	size_t n = mren_confusion_n_labels(confusion);

	for (size_t i = 0; i <= n; i++)
	{
		MrenMargins margins = {.actual = PG_UINT64_MAX};
		uint64_t left;

		CHECK_FOR_INTERRUPTS();
		if (i < n)
			mren_confusion_margins(confusion, i, &margins);
		left = margins.actual;
		for (size_t j = 0; j <= n && left > 0; j++)
		{
			uint64_t count = mren_confusion_count(confusion, i, j);

			if (count > 0)
				visit(state, i, j, count);
			left -= count;
		}
	}
}

/*
 * The state
 */

static Size state_flat_size(ExpandedObjectHeader *hdr);
static void state_flatten(ExpandedObjectHeader *hdr, void *result, Size size);

static const ExpandedObjectMethods state_methods = {
	.get_flat_size = state_flat_size,
	.flatten_into = state_flatten,
};

MrenConfusionState *
mren_confusion_state_create(MemoryContext parent)
{
	MemoryContext context =
		AllocSetContextCreate(parent, "mren confusion", ALLOCSET_START_SMALL_SIZES);
	MrenConfusionState *state = MemoryContextAllocZero(context, sizeof(MrenConfusionState));
	MrenEnv env = mren_pg_env(context);
	MrenError err;

	EOH_init_header(&state->hdr, &state_methods, context);
	MREN_PG_CALL(err, mren_confusion_create(&env, &state->confusion, &err));
	return state;
}

void
mren_confusion_state_set_negative(MrenConfusionState *state, bool has, const char *negative,
								  uint32_t len)
{
	state->has_negative = has;
	state->n_negative = has ? len : 0;
	state->negative = MemoryContextAlloc(state->hdr.eoh_context, (Size) state->n_negative + 1);
	memcpy(state->negative, negative, state->n_negative);
	state->negative[state->n_negative] = '\0';
}

bool
mren_confusion_state_same_negative(const MrenConfusionState *state, bool has, const char *negative,
								   uint32_t len)
{
	return state->has_negative == has &&
		   (!has || (state->n_negative == len && memcmp(state->negative, negative, len) == 0));
}

/*
 * Flat form
 */

typedef struct Writer
{
	const MrenEnv *env;
	MrenBuffer *out;
	uint32_t n_pairs;
} Writer;

static void
write_pair(void *state, size_t actual, size_t predicted, uint64_t count)
{
	Writer *writer = state;
	MrenError err;

	MREN_PG_CALL(err, mren_buffer_reserve(writer->env, writer->out, 16, &err));
	mren_buffer_put_u32(writer->out, (uint32_t) actual);
	mren_buffer_put_u32(writer->out, (uint32_t) predicted);
	mren_buffer_put_u64(writer->out, count);
	writer->n_pairs++;
}

/* Everything after the varlena header. */
static void
write_state(const MrenEnv *env, const MrenConfusionState *state, MrenBuffer *out)
{
	size_t n = mren_confusion_n_labels(state->confusion);
	Writer writer = {env, out, 0};
	MrenBuffer count = {0};
	MrenError err;
	size_t at;

	MREN_PG_CALL(err, mren_buffer_reserve(env, out, MAGIC_LENGTH + 16 + state->n_negative, &err));
	mren_buffer_put_bytes(out, MAGIC, MAGIC_LENGTH);
	mren_buffer_put_u32(out, state->has_negative);
	mren_buffer_put_u32(out, state->n_negative);
	mren_buffer_put_bytes(out, state->negative, state->n_negative);
	mren_buffer_put_u32(out, (uint32_t) n);
	for (size_t i = 0; i < n; i++)
	{
		MrenTextSpan label = mren_confusion_label(state->confusion, i);

		MREN_PG_CALL(err, mren_buffer_reserve(env, out, 4 + (size_t) label.len, &err));
		mren_buffer_put_u32(out, label.len);
		mren_buffer_put_bytes(out, label.data, label.len);
	}
	MREN_PG_CALL(err, mren_buffer_reserve(env, out, 20, &err));
	mren_buffer_put_u64(out, mren_confusion_total(state->confusion));
	mren_buffer_put_u64(out, mren_confusion_exact(state->confusion));
	at = out->len;
	mren_buffer_put_u32(out, 0);
	mren_confusion_pairs(state->confusion, write_pair, &writer);
	count = (MrenBuffer){.data = out->data + at, .capacity = 4};
	mren_buffer_put_u32(&count, writer.n_pairs);
}

static Size
state_flat_size(ExpandedObjectHeader *hdr)
{
	MrenConfusionState *state = (MrenConfusionState *) hdr;
	MrenEnv env = mren_pg_env(hdr->eoh_context);

	mren_buffer_free(&env, &state->flat);
	state->flat = (MrenBuffer){0};
	write_state(&env, state, &state->flat);
	if (state->flat.len > MaxAllocSize - VARHDRSZ)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("confusion matrix of %zu bytes exceeds the maximum size of a value",
							   state->flat.len)));
	return VARHDRSZ + state->flat.len;
}

static void
state_flatten(ExpandedObjectHeader *hdr, void *result, Size size)
{
	MrenConfusionState *state = (MrenConfusionState *) hdr;
	MrenEnv env = mren_pg_env(hdr->eoh_context);

	Assert(size == VARHDRSZ + state->flat.len);
	SET_VARSIZE(result, size);
	memcpy(VARDATA(result), state->flat.data, state->flat.len);
	mren_buffer_free(&env, &state->flat);
	state->flat = (MrenBuffer){0};
}

static void damaged(const char *what) MREN_NORETURN;

static void
damaged(const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					errmsg("invalid confusion matrix: %s", what),
					errhint("Only mren.metrics makes values of type mren.confusion.")));
	pg_unreachable();
}

/* A name in the database's encoding, not longer than a relation's may be. */
static MrenTextSpan
read_name(MrenCursor *in, uint32_t len)
{
	const char *name = (const char *) mren_cursor_bytes(in, len);

	if (name == NULL)
		damaged("it is truncated");
	if (len > MREN_MAX_LABEL)
		damaged("a relation name is too long");
	if (!pg_verifymbstr(name, len, true))
		damaged("a relation name is not valid text");
	return (MrenTextSpan){name, len};
}

static MrenTextSpan *
read_labels(MrenCursor *in, uint32_t *n)
{
	MrenTextSpan *labels;

	*n = mren_cursor_u32(in);
	if (*n > MREN_MAX_LABELS)
		damaged(psprintf("it has %u relations", *n));
	labels = palloc(((Size) *n + 1) * sizeof(MrenTextSpan));
	for (uint32_t i = 0; i < *n; i++)
	{
		labels[i] = read_name(in, mren_cursor_u32(in));
		if (i > 0 && mren_text_span_compare(labels[i - 1], labels[i]) >= 0)
			damaged("its relations are not in order");
	}
	labels[*n] = (MrenTextSpan){NULL, 0};
	return labels;
}

/* Rows, and those with just the right labels; of either there may be as many as int8 holds. */
static void
read_rows(MrenCursor *in, MrenConfusion *confusion)
{
	uint64_t n = mren_cursor_u64(in);
	uint64_t exact = mren_cursor_u64(in);

	if (n == 0)
		damaged("it has no rows");
	if (n > PG_INT64_MAX || exact > n)
		damaged("its number of rows is out of range");
	mren_confusion_add_rows(confusion, n, exact);
}

static void
read_pairs(MrenCursor *in, const MrenTextSpan *labels, uint32_t n_labels, MrenConfusion *confusion)
{
	uint32_t n = mren_cursor_u32(in);
	uint64_t previous = 0;
	uint64_t total = 0;
	MrenError err;

	if (in->failed)
		damaged("it is truncated");
	if (mren_cursor_left(in) != (size_t) n * 16)
		damaged("its length does not match its counts");
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t actual = mren_cursor_u32(in);
		uint32_t predicted = mren_cursor_u32(in);
		uint64_t count = mren_cursor_u64(in);
		uint64_t place = ((uint64_t) actual << 32 | predicted) + 1;

		if (actual > n_labels || predicted > n_labels || place <= previous ||
			(actual == n_labels && predicted == n_labels))
			damaged("its counts are not in order");
		if (count == 0 || count > PG_INT64_MAX - total)
			damaged("a count is out of range");
		previous = place;
		total += count;
		MREN_PG_CALL(err, mren_confusion_add_cell(confusion, labels[actual], labels[predicted],
												  count, &err));
	}
}

/* The expanded form of a flat value, checked. */
static MrenConfusionState *
state_parse(MemoryContext parent, Datum value)
{
	bytea *bytes = DatumGetByteaPP(value);
	const uint8_t *data = (const uint8_t *) VARDATA_ANY(bytes);
	size_t len = VARSIZE_ANY_EXHDR(bytes);
	MrenCursor in = {.at = data, .end = data + len};
	MrenConfusionState *state = mren_confusion_state_create(parent);
	uint32_t has_negative;
	uint32_t n_labels;
	MrenTextSpan negative;
	MrenTextSpan *labels;

	if (len < MAGIC_LENGTH ||
		memcmp(mren_cursor_bytes(&in, MAGIC_LENGTH), MAGIC, MAGIC_LENGTH) != 0)
		damaged("it has no header");
	has_negative = mren_cursor_u32(&in);
	negative = read_name(&in, mren_cursor_u32(&in));
	if (has_negative > 1 || (has_negative == 0 && negative.len > 0))
		damaged("its negative relation is out of range");
	mren_confusion_state_set_negative(state, has_negative == 1, negative.data, negative.len);
	labels = read_labels(&in, &n_labels);
	read_rows(&in, state->confusion);
	read_pairs(&in, labels, n_labels, state->confusion);
	if (mren_confusion_n_labels(state->confusion) != n_labels)
		damaged("it names relations that have no rows");
	pfree(labels);
	if ((Pointer) bytes != DatumGetPointer(value))
		pfree(bytes);
	return state;
}

/* A read-write state is used as it is. */
MrenConfusionState *
mren_confusion_state_argument(FunctionCallInfo fcinfo, int arg, MemoryContext parent)
{
	Datum value = PG_GETARG_DATUM(arg);

	if (VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(value)) &&
		((MrenConfusionState *) DatumGetEOHP(value))->hdr.eoh_methods == &state_methods)
		return (MrenConfusionState *) DatumGetEOHP(value);
	return state_parse(parent, value);
}

const MrenConfusionState *
mren_confusion_state_peek(FunctionCallInfo fcinfo, int arg)
{
	Datum value = PG_GETARG_DATUM(arg);

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)) &&
		((MrenConfusionState *) DatumGetEOHP(value))->hdr.eoh_methods == &state_methods)
		return (MrenConfusionState *) DatumGetEOHP(value);
	return state_parse(CurrentMemoryContext, value);
}

/*
 * The type
 */

/* The value; an error if it is not a valid confusion matrix. */
static Datum
checked(bytea *value)
{
	MrenConfusionState *state = state_parse(CurrentMemoryContext, PointerGetDatum(value));

	MemoryContextDelete(state->hdr.eoh_context);
	PG_RETURN_BYTEA_P(value);
}

Datum
mren_confusion_in(PG_FUNCTION_ARGS)
{
	return checked(mren_hex_in(PG_GETARG_CSTRING(0), "mren.confusion"));
}

Datum
mren_confusion_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(mren_hex_out(PG_GETARG_BYTEA_PP(0), "mren.confusion"));
}

Datum
mren_confusion_recv(PG_FUNCTION_ARGS)
{
	return checked(mren_hex_recv((StringInfo) PG_GETARG_POINTER(0)));
}

Datum
mren_confusion_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P_COPY(0));
}
