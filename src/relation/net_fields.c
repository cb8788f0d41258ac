/*
 * net_fields.c
 *	  The table of fields, written and read.
 */
#include "relation/net_fields.h"

#include <math.h>
#include <string.h>

#include "base/weights.h"

typedef enum FieldKind
{
	FIELD_SIZE,	 /* size_t, as u64 */
	FIELD_REAL,	 /* double */
	FIELD_BYTES, /* MrenBuffer; by default empty */
} FieldKind;

typedef struct Field
{
	uint32_t tag;
	FieldKind kind;
	size_t offset;
	double by_default;
	double low; /* of a number, or of the length of bytes */
	double high;
	const char *name;
} Field;

#define AT(member) offsetof(MrenNet, member)

/* By tag, ascending. */
static const Field table[] = {
	{1, FIELD_SIZE, AT(shape.filters), 0, 0, MREN_MAX_FILTERS, "number of filters"},
	{2, FIELD_SIZE, AT(shape.position_dim), 0, 0, MREN_MAX_POSITION, "position dimension"},
	{3, FIELD_SIZE, AT(shape.n_fine_tuned), 0, 0, MREN_MAX_FINE_TUNED,
	 "number of fine-tuned words"},
	{4, FIELD_BYTES, AT(fine_tuned), 0, 4, 4 * MREN_MAX_FINE_TUNED, "list of fine-tuned words"},
	{5, FIELD_SIZE, AT(n_members), 1, 1, MREN_MAX_MEMBERS + 1, "number of members"},
	{6, FIELD_SIZE, AT(text_only), 0, 0, 1, "number of text-only members"},
	{40, FIELD_SIZE, AT(shape.hash_bits), 0, 1, MREN_MAX_HASH_BITS,
	 "hash bits of the linear branch"},
	{41, FIELD_SIZE, AT(shape.linear_rows), 0, 1, (double) MREN_MAX_LINEAR_WEIGHTS,
	 "number of features"},
	{42, FIELD_BYTES, AT(linear_slots), 0, 4, 4.0 * MREN_MAX_LINEAR_WEIGHTS, "slots of features"},
	{43, FIELD_BYTES, AT(lexicons), 0, 32, 32.0 * MREN_MAX_NET_LEXICONS, "lexicons"},
	{44, FIELD_SIZE, AT(box_features), 0, 0, 1, "use of boxes as features"},
	{45, FIELD_BYTES, AT(thresholds), 0, 4, 4.0 * MREN_MAX_RELATIONS, "thresholds of relations"},
	{46, FIELD_REAL, AT(lapse), 0, 0, 1, "lapse rate"},
	{60, FIELD_SIZE, AT(shape.grid.height), 0, 0, MREN_MAX_GRID_CELLS, "grid height"},
	{61, FIELD_SIZE, AT(shape.grid.width), 0, 0, MREN_MAX_GRID_CELLS, "grid width"},
	{62, FIELD_SIZE, AT(shape.grid.channels), 0, 0, MREN_GRID_CHANNELS, "number of grid channels"},
	{63, FIELD_SIZE, AT(shape.fusion), 0, 0, MREN_FUSION_HYBRID, "fusion"},
	{64, FIELD_SIZE, AT(shape.boxes), 0, 0, 1, "use of boxes"},
	{65, FIELD_SIZE, AT(shape.image_units), 0, 0, MREN_MAX_IMAGE_UNITS, "number of image units"},
	{80, FIELD_SIZE, AT(shape.audio_dim), 0, 0, MREN_MAX_DIM, "audio dimension"},
	{81, FIELD_SIZE, AT(shape.audio_units), 0, 0, MREN_MAX_IMAGE_UNITS, "number of audio units"},
	{82, FIELD_SIZE, AT(shape.audio_product), 0, 0, 1024, "product term of audio"},
	{83, FIELD_BYTES, AT(audio_encoder), 0, 32, 32, "audio encoder"},
	{100, FIELD_SIZE, AT(marker_shape.width), 0, 1, MREN_TRANSFORMER_MAX_WIDTH, "encoder width"},
	{101, FIELD_SIZE, AT(marker_shape.embedding_width), 0, 1, MREN_TRANSFORMER_MAX_WIDTH,
	 "encoder embedding width"},
	{102, FIELD_SIZE, AT(marker_shape.tuning.kind), 0, 0, MREN_TUNING_ADAPTERS,
	 "kind of fine-tuning"},
	{103, FIELD_SIZE, AT(marker_shape.tuning.layers), 0, 0, MREN_TRANSFORMER_MAX_LAYERS,
	 "number of fine-tuned layers"},
	{104, FIELD_SIZE, AT(marker_shape.tuning.rank), 0, 0, MREN_TUNING_MAX_RANK, "adapter rank"},
	{105, FIELD_REAL, AT(marker_shape.tuning.alpha), 0, 0, 1e6, "adapter alpha"},
	{106, FIELD_SIZE, AT(marker_shape.tuning.n), 0, 0, 0x1p32, "number of fine-tuned weights"},
	{107, FIELD_BYTES, AT(text_encoder), 0, 32, 32, "hash of the text encoder"},
	{108, FIELD_SIZE, AT(marker_shape.int8), 0, 0, 1, "use of int8"},
	{109, FIELD_SIZE, AT(marker_shape.solid), 0, 0, 1, "use of solid markers"},
};

#define N_FIELDS (sizeof(table) / sizeof(table[0]))

static MrenBuffer *
bytes_of(const MrenNet *net, const Field *field)
{
	return (MrenBuffer *) ((char *) net + field->offset);
}

static double
number_of(const MrenNet *net, const Field *field)
{
	const char *at = (const char *) net + field->offset;
	size_t size;
	double real;

	if (field->kind == FIELD_SIZE)
	{
		memcpy(&size, at, sizeof(size));
		return (double) size;
	}
	memcpy(&real, at, sizeof(real));
	return real;
}

static void
set_number(MrenNet *net, const Field *field, double number)
{
	char *at = (char *) net + field->offset;
	size_t size = (size_t) number;

	if (field->kind == FIELD_SIZE)
		memcpy(at, &size, sizeof(size));
	else
		memcpy(at, &number, sizeof(number));
}

static bool
has_default(const MrenNet *net, const Field *field)
{
	return field->kind == FIELD_BYTES ? bytes_of(net, field)->len == 0
									  : number_of(net, field) == field->by_default;
}

void
mren_net_fields_init(MrenNet *net)
{
	for (size_t i = 0; i < N_FIELDS; i++)
	{
		if (table[i].kind == FIELD_BYTES)
			memset(bytes_of(net, &table[i]), 0, sizeof(MrenBuffer));
		else
			set_number(net, &table[i], table[i].by_default);
	}
}

void
mren_net_fields_free(const MrenEnv *env, MrenNet *net)
{
	for (size_t i = 0; i < N_FIELDS; i++)
	{
		if (table[i].kind == FIELD_BYTES)
			mren_buffer_free(env, bytes_of(net, &table[i]));
	}
}

static MrenStatus
put_field(const MrenNet *net, const Field *field, const MrenEnv *env, MrenBuffer *out,
		  MrenError *err)
{
	const MrenBuffer *bytes = bytes_of(net, field);
	size_t length = field->kind == FIELD_BYTES ? bytes->len : 8;

	MREN_TRY(mren_buffer_reserve(env, out, 8 + length, err));
	mren_buffer_put_u32(out, field->tag);
	mren_buffer_put_u32(out, (uint32_t) length);
	if (field->kind == FIELD_BYTES)
		mren_buffer_put_bytes(out, bytes->data, length);
	else if (field->kind == FIELD_SIZE)
		mren_buffer_put_u64(out, (uint64_t) number_of(net, field));
	else
		mren_buffer_put_f64(out, number_of(net, field));
	return MREN_OK;
}

MrenStatus
mren_net_fields_put(const MrenNet *net, const MrenEnv *env, MrenBuffer *out, MrenError *err)
{
	uint32_t n = 0;

	for (size_t i = 0; i < N_FIELDS; i++)
		n += !has_default(net, &table[i]);
	MREN_TRY(mren_buffer_reserve(env, out, 4, err));
	mren_buffer_put_u32(out, n);
	for (size_t i = 0; i < N_FIELDS; i++)
	{
		if (!has_default(net, &table[i]))
			MREN_TRY(put_field(net, &table[i], env, out, err));
	}
	return MREN_OK;
}

static const Field *
find_field(uint32_t tag)
{
	for (size_t i = 0; i < N_FIELDS; i++)
	{
		if (table[i].tag == tag)
			return &table[i];
	}
	return NULL;
}

static MrenStatus
fail_field(MrenError *err, const Field *field)
{
	return mren_fail(err, MREN_EFORMAT, "invalid network: its %s is out of range", field->name);
}

static MrenStatus
read_field(const MrenEnv *env, MrenCursor *cursor, const Field *field, uint32_t length,
		   MrenNet *net, MrenError *err)
{
	double number;

	if (field->kind == FIELD_BYTES)
	{
		const uint8_t *bytes = mren_cursor_bytes(cursor, length);

		if (bytes == NULL || (double) length < field->low || (double) length > field->high)
			return fail_field(err, field);
		if (!mren_weights_have(env->weights, bytes))
			return mren_buffer_append(env, bytes_of(net, field), bytes, length, err);
		/* The file outlives the network. */
		*bytes_of(net, field) = (MrenBuffer){(uint8_t *) bytes, length, length};
		return MREN_OK;
	}
	if (length != 8)
		return fail_field(err, field);
	number = field->kind == FIELD_SIZE ? (double) mren_cursor_u64(cursor) : mren_cursor_f64(cursor);
	/* The first comparison is also false for NaN. */
	if (cursor->failed || !(number >= field->low && number <= field->high))
		return fail_field(err, field);
	set_number(net, field, number);
	return MREN_OK;
}

MrenStatus
mren_net_fields_read(const MrenEnv *env, MrenCursor *cursor, MrenNet *net, MrenError *err)
{
	uint32_t n = mren_cursor_u32(cursor);
	uint32_t previous = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t tag = mren_cursor_u32(cursor);
		uint32_t length = mren_cursor_u32(cursor);
		const Field *field = find_field(tag);

		if (cursor->failed)
			return mren_fail(err, MREN_EFORMAT, "invalid network: its header is too short");
		if (field == NULL)
		{
			mren_fail(err, MREN_EFORMAT, "invalid network: its field %u is unknown", tag);
			mren_error_hint(err, "It may come from a later version of mren.");
			return MREN_EFORMAT;
		}
		if (tag <= previous)
			return mren_fail(err, MREN_EFORMAT, "invalid network: its fields are out of order");
		MREN_TRY(read_field(env, cursor, field, length, net, err));
		previous = tag;
	}
	return MREN_OK;
}
