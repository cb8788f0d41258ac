/*
 * args.c
 *	  Arguments of SQL functions as the core wants them.
 */
#include "pg/support/args.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/geo_decls.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#define MAX_NAME 255
#define MAX_TEXT 4096 /* bytes of a path, or of a list of words */

void
mren_arg_required(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("argument \"%s\" must not be null", name)));
}

/*
 * What is longer than any name or path is refused before it is looked up, copied into messages and
 * sent.
 */
static text *
short_argument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	text *value;

	mren_arg_required(fcinfo, arg, name);
	value = PG_GETARG_TEXT_PP(arg);
	if (VARSIZE_ANY_EXHDR(value) > MAX_TEXT)
		ereport(ERROR, (errcode(ERRCODE_NAME_TOO_LONG),
						errmsg("argument \"%s\" has %zu bytes, more than %d", name,
							   (size_t) VARSIZE_ANY_EXHDR(value), MAX_TEXT),
						errdetail("It begins with \"%.*s\".",
								  pg_mbcliplen(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), 40),
								  VARDATA_ANY(value))));
	return value;
}

char *
mren_arg_text(FunctionCallInfo fcinfo, int arg, const char *name)
{
	return text_to_cstring(short_argument(fcinfo, arg, name));
}

MrenTextSpan
mren_arg_span(FunctionCallInfo fcinfo, int arg, const char *name)
{
	text *value = short_argument(fcinfo, arg, name);

	return (MrenTextSpan){VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

char *
mren_arg_query(FunctionCallInfo fcinfo, int arg, const char *name)
{
	mren_arg_required(fcinfo, arg, name);
	return text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

int32
mren_arg_positive(FunctionCallInfo fcinfo, int arg, const char *name)
{
	mren_arg_required(fcinfo, arg, name);
	if (PG_GETARG_INT32(arg) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be at least 1, not %d", name, PG_GETARG_INT32(arg))));
	return PG_GETARG_INT32(arg);
}

int32
mren_arg_version(FunctionCallInfo fcinfo, int arg)
{
	if (PG_ARGISNULL(arg))
		return 0;
	if (PG_GETARG_INT32(arg) < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("version must be at least 1, not %d", PG_GETARG_INT32(arg)),
						errhint("Versions are numbered from 1; NULL means the deployed one.")));
	return PG_GETARG_INT32(arg);
}

void
mren_check_name(const char *argument, const char *name)
{
	if (name[0] == '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_NAME),
						errmsg("argument \"%s\" must not be empty", argument)));
	mren_check_name_length(name);
}

void
mren_check_name_length(const char *name)
{
	if (strlen(name) > MAX_NAME)
		ereport(ERROR, (errcode(ERRCODE_NAME_TOO_LONG),
						errmsg("name \"%.*s...\" is longer than %d bytes",
							   pg_mbcliplen(name, strlen(name), 40), name, MAX_NAME)));
}

Datum
mren_current_user_name(void)
{
	return DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(GetUserId(), false)));
}

Datum
mren_int4range(int32 lower, int32 upper)
{
	TypeCacheEntry *type = lookup_type_cache(INT4RANGEOID, TYPECACHE_RANGE_INFO);
	RangeBound from = {.val = Int32GetDatum(lower), .inclusive = true, .lower = true};
	RangeBound to = {.val = Int32GetDatum(upper)};

	return RangeTypePGetDatum(mren_make_range(type, &from, &to));
}

ArrayType *
mren_real_array(const float4 *values, int n)
{
	Size size = ARR_OVERHEAD_NONULLS(1) + sizeof(float4) * n;
	ArrayType *array = palloc0(size);

	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = FLOAT4OID;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	memcpy(ARR_DATA_PTR(array), values, sizeof(float4) * n);
	return array;
}

const float4 *
mren_array_floats(ArrayType *array, const char *name, int *n)
{
	const float4 *values = (const float4 *) ARR_DATA_PTR(array);

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array \"%s\" must have one dimension, not %d", name, ARR_NDIM(array))));
	if (ARR_HASNULL(array) && array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("array \"%s\" must not contain nulls", name)));
	*n = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	for (int i = 0; i < *n; i++)
	{
		if (!isfinite(values[i]))
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
							errmsg("element %d of array \"%s\" must be finite, not %g", i + 1, name,
								   values[i])));
	}
	return values;
}

void
mren_pair_sentence(MrenPair *pair, Datum sentence)
{
	pair->sentence = mren_datum_utf8(sentence);
}

bool
mren_int4range_bounds(Datum range, int32 *lower, int32 *upper)
{
	RangeType *value = DatumGetRangeTypeP(range);
	TypeCacheEntry *type = lookup_type_cache(RangeTypeGetOid(value), TYPECACHE_RANGE_INFO);
	RangeBound first;
	RangeBound end;
	bool empty;

	range_deserialize(type, value, &first, &end, &empty);
	if (empty || first.infinite || end.infinite)
		return false;
	/* int4range is canonical: lower inclusive, upper exclusive. */
	*lower = DatumGetInt32(first.val);
	*upper = DatumGetInt32(end.val);
	return true;
}

static MrenMention
mention_of_text(Datum value)
{
	MrenTextSpan mention = mren_datum_utf8(value);

	return (MrenMention){.text = mention.data, .len = mention.len};
}

static MrenMention
mention_of_range(Datum value, const char *role)
{
	MrenMention mention = {.is_range = true};

	if (!mren_int4range_bounds(value, &mention.lower, &mention.upper))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s range must not be %s", role,
							   RangeIsEmpty(DatumGetRangeTypeP(value)) ? "empty" : "unbounded"),
						errhint("Give the characters of the mention, half open and 0-based, as in "
								"int4range(3, 5).")));
	return mention;
}

void
mren_pair_mentions(MrenPair *pair, Datum head, Datum tail, bool ranges)
{
	pair->head = ranges ? mention_of_range(head, "head") : mention_of_text(head);
	pair->tail = ranges ? mention_of_range(tail, "tail") : mention_of_text(tail);
}

void
mren_pair_image_vector(MrenPair *pair, Datum vector)
{
	pair->image_vector =
		mren_array_floats(DatumGetArrayTypeP(vector), "image_vector", &pair->n_image_vector);
}

void
mren_pair_audio_vector(MrenPair *pair, Datum vector)
{
	pair->audio_vector =
		mren_array_floats(DatumGetArrayTypeP(vector), "audio_vector", &pair->n_audio_vector);
}

static void
box_corners(Datum value, double *corners)
{
	BOX *box = DatumGetBoxP(value);

	corners[0] = box->low.x;
	corners[1] = box->low.y;
	corners[2] = box->high.x;
	corners[3] = box->high.y;
}

void
mren_pair_head_box(MrenPair *pair, Datum box)
{
	pair->has_head_box = true;
	box_corners(box, pair->head_box);
}

void
mren_pair_tail_box(MrenPair *pair, Datum box)
{
	pair->has_tail_box = true;
	box_corners(box, pair->tail_box);
}

static MrenTextSpan
copy_span(MrenTextSpan span)
{
	return span.data == NULL ? span : (MrenTextSpan){pnstrdup(span.data, span.len), span.len};
}

static void
copy_mention(MrenMention *mention)
{
	if (!mention->is_range)
		mention->text = pnstrdup(mention->text, mention->len);
}

MrenPair *
mren_pair_copy(const MrenPair *pair)
{
	MrenPair *copy = palloc(sizeof(MrenPair));

	*copy = *pair;
	copy->sentence = copy_span(pair->sentence);
	copy->head_type = copy_span(pair->head_type);
	copy->tail_type = copy_span(pair->tail_type);
	copy_mention(&copy->head);
	copy_mention(&copy->tail);
	if (pair->image != NULL)
		copy->image = DatumGetByteaPCopy(PointerGetDatum(pair->image));
	if (pair->image_vector != NULL)
	{
		float4 *vector = palloc(pair->n_image_vector * sizeof(float4));

		memcpy(vector, pair->image_vector, pair->n_image_vector * sizeof(float4));
		copy->image_vector = vector;
	}
	if (pair->audio != NULL)
		copy->audio = DatumGetByteaPCopy(PointerGetDatum(pair->audio));
	if (pair->audio_vector != NULL)
	{
		float4 *vector = palloc(pair->n_audio_vector * sizeof(float4));

		memcpy(vector, pair->audio_vector, pair->n_audio_vector * sizeof(float4));
		copy->audio_vector = vector;
	}
	return copy;
}

void
mren_pair_check(const MrenPair *pair)
{
	if (pair->image != NULL && pair->image_vector != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"image\" and \"image_vector\" cannot both be specified"),
						errhint("Specify either the image or the vector that mren.image_features "
								"returns for it.")));
	if (pair->audio != NULL && pair->audio_vector != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"audio\" and \"audio_vector\" cannot both be specified"),
						errhint("Specify either the recording or the vector that "
								"mren.audio_features returns for it.")));
	if ((pair->has_head_box || pair->has_tail_box) && pair->image == NULL &&
		pair->image_vector == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" requires an image", pair->has_head_box ? "head_box" : "tail_box"),
				 errhint("A box is a part of an image: specify image or image_vector, too.")));
}

bool
mren_pair_args(FunctionCallInfo fcinfo, int first, bool ranges, MrenPair *pair)
{
	enum
	{
		SENTENCE,
		HEAD,
		TAIL,
		IMAGE,
		HEAD_TYPE,
		TAIL_TYPE,
		HEAD_BOX,
		TAIL_BOX,
		IMAGE_VECTOR,
		VERSION,
		AUDIO,
		AUDIO_VECTOR
	};

	memset(pair, 0, sizeof(*pair));
	if (PG_ARGISNULL(first + SENTENCE) || PG_ARGISNULL(first + HEAD) || PG_ARGISNULL(first + TAIL))
		return false;
	mren_pair_sentence(pair, PG_GETARG_DATUM(first + SENTENCE));
	mren_pair_mentions(pair, PG_GETARG_DATUM(first + HEAD), PG_GETARG_DATUM(first + TAIL), ranges);
	if (!PG_ARGISNULL(first + IMAGE))
		pair->image = PG_GETARG_BYTEA_PP(first + IMAGE);
	if (!PG_ARGISNULL(first + IMAGE_VECTOR))
		mren_pair_image_vector(pair, PG_GETARG_DATUM(first + IMAGE_VECTOR));
	if (!PG_ARGISNULL(first + HEAD_TYPE))
		pair->head_type = mren_datum_utf8(PG_GETARG_DATUM(first + HEAD_TYPE));
	if (!PG_ARGISNULL(first + TAIL_TYPE))
		pair->tail_type = mren_datum_utf8(PG_GETARG_DATUM(first + TAIL_TYPE));
	if (!PG_ARGISNULL(first + HEAD_BOX))
		mren_pair_head_box(pair, PG_GETARG_DATUM(first + HEAD_BOX));
	if (!PG_ARGISNULL(first + TAIL_BOX))
		mren_pair_tail_box(pair, PG_GETARG_DATUM(first + TAIL_BOX));
	/* An extension of an earlier version calls with fewer arguments. */
	if (PG_NARGS() > first + AUDIO_VECTOR)
	{
		if (!PG_ARGISNULL(first + AUDIO))
			pair->audio = PG_GETARG_BYTEA_PP(first + AUDIO);
		if (!PG_ARGISNULL(first + AUDIO_VECTOR))
			mren_pair_audio_vector(pair, PG_GETARG_DATUM(first + AUDIO_VECTOR));
	}
	mren_pair_check(pair);
	return true;
}
