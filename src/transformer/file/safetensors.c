/*
 * safetensors.c
 *	  The tensors of a safetensors file.
 */
#include "transformer/file/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/size.h"
#include "base/sort.h"
#include "base/utf8.h"
#include "transformer/json.h"

#define MAX_NAME 512

static const struct
{
	const char *name;
	size_t bits;
	MrenNumberType type;
} number_types[] = {
	{"F32", 32, MREN_NUMBER_F32},		   {"F16", 16, MREN_NUMBER_F16},
	{"BF16", 16, MREN_NUMBER_BF16},		   {"F64", 64, MREN_NUMBER_OTHER},
	{"I64", 64, MREN_NUMBER_OTHER},		   {"I32", 32, MREN_NUMBER_OTHER},
	{"I16", 16, MREN_NUMBER_OTHER},		   {"I8", 8, MREN_NUMBER_OTHER},
	{"U64", 64, MREN_NUMBER_OTHER},		   {"U32", 32, MREN_NUMBER_OTHER},
	{"U16", 16, MREN_NUMBER_OTHER},		   {"U8", 8, MREN_NUMBER_OTHER},
	{"BOOL", 8, MREN_NUMBER_OTHER},		   {"F8_E4M3", 8, MREN_NUMBER_OTHER},
	{"F8_E5M2", 8, MREN_NUMBER_OTHER},	   {"F8_E8M0", 8, MREN_NUMBER_OTHER},
	{"F6_E2M3", 6, MREN_NUMBER_OTHER},	   {"F6_E3M2", 6, MREN_NUMBER_OTHER},
	{"F4", 4, MREN_NUMBER_OTHER},		   {"C64", 64, MREN_NUMBER_OTHER},
	{"F8_E4M3FNUZ", 8, MREN_NUMBER_OTHER},
};

/* The file that is being read, for the functions below. */
typedef struct Reading
{
	const MrenEnv *env;
	const char *file;
	const uint8_t *numbers; /* after the header */
	size_t n_bytes;			/* of numbers */
	MrenError *err;
} Reading;

static MrenStatus
fail_tensor(const Reading *reading, const char *name, const char *what)
{
	return mren_fail(reading->err, MREN_EFORMAT, "tensor \"%s\" of \"%s\" %s",
					 mren_utf8_excerpt(name, strlen(name)).text, reading->file, what);
}

/* A size in JSON: an integer that is not negative. */
static bool
json_size(const json_t *value, size_t *size)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*size = (size_t) json_integer_value(value);
	return true;
}

/* Type and shape, and from them the bytes that the tensor must have. */
static MrenStatus
read_shape(const Reading *reading, const json_t *entry, MrenSafetensor *tensor)
{
	const json_t *shape = json_object_get(entry, "shape");
	const char *type = json_string_value(json_object_get(entry, "dtype"));
	size_t bits = 0;

	if (type == NULL || !json_is_array(shape))
		return fail_tensor(reading, tensor->name, "has no type or no shape");
	for (size_t i = 0; i < sizeof(number_types) / sizeof(number_types[0]); i++)
	{
		if (strcmp(type, number_types[i].name) != 0)
			continue;
		bits = number_types[i].bits;
		tensor->type = number_types[i].type;
		memcpy(tensor->type_name, type, strlen(type) + 1);
	}
	if (bits == 0)
		return mren_fail(reading->err, MREN_EUNSUPPORTED,
						 "tensor \"%s\" of \"%s\" has the unknown type \"%s\"",
						 mren_utf8_excerpt(tensor->name, strlen(tensor->name)).text, reading->file,
						 mren_utf8_excerpt(type, strlen(type)).text);
	tensor->n = 1;
	tensor->n_dims = (int) json_array_size(shape);
	for (int i = 0; i < tensor->n_dims; i++)
	{
		size_t size;

		if (!json_size(json_array_get(shape, (size_t) i), &size) ||
			!mren_size_mul(tensor->n, size, &tensor->n))
			return fail_tensor(reading, tensor->name, "has an impossible shape");
		if (i < MREN_SAFETENSORS_DIMS)
			tensor->shape[i] = size;
	}
	if (!mren_size_mul(tensor->n, bits, &tensor->bytes) || tensor->bytes % 8 != 0)
		return fail_tensor(reading, tensor->name, "has an impossible shape");
	tensor->bytes /= 8;
	return MREN_OK;
}

/* The tensor's name is set first: closing the set frees it. */
static MrenStatus
read_tensor(const Reading *reading, const char *name, const json_t *entry, MrenSafetensor *tensor,
			size_t *begin)
{
	const json_t *offsets = json_object_get(entry, "data_offsets");
	size_t len = strlen(name);
	size_t end;

	if (len > MAX_NAME)
		return fail_tensor(reading, name, "has a name that is too long");
	MREN_TRY(mren_allocate(reading->env, len + 1, 1, &tensor->name, reading->err));
	memcpy(tensor->name, name, len + 1);
	MREN_TRY(read_shape(reading, entry, tensor));
	if (json_array_size(offsets) != 2 || !json_size(json_array_get(offsets, 0), begin) ||
		!json_size(json_array_get(offsets, 1), &end))
		return fail_tensor(reading, name, "has no valid offsets");
	if (*begin > end || end > reading->n_bytes)
	{
		fail_tensor(reading, name, "lies outside the file");
		mren_error_detail(reading->err, "It is at bytes %zu to %zu of %zu.", *begin, end,
						  reading->n_bytes);
		return MREN_EFORMAT;
	}
	if (end - *begin != tensor->bytes)
	{
		fail_tensor(reading, name, "has a shape that does not match its size");
		mren_error_detail(reading->err, "Its shape takes %zu bytes, but its offsets give %zu.",
						  tensor->bytes, end - *begin);
		return MREN_EFORMAT;
	}
	tensor->data = reading->numbers + *begin;
	return MREN_OK;
}

/* Empty tensors may share a place with another; they come first there. */
static int
compare_ends(const void *state, uint64_t a, uint64_t b)
{
	const MrenSafetensor *items = state;

	return (items[a].bytes > items[b].bytes) - (items[a].bytes < items[b].bytes);
}

/* The n tensors from items on, whose places are given, fill the numbers without a gap. */
static MrenStatus
check_places(const Reading *reading, const MrenSafetensor *items, MrenKeyed *places, size_t n)
{
	size_t at = 0;

	mren_sort_keyed(places, n, compare_ends, items);
	for (size_t i = 0; i < n; i++)
	{
		const MrenSafetensor *item = &items[places[i].at];

		if (places[i].key < at)
			return fail_tensor(reading, item->name, "overlaps another tensor");
		if (places[i].key > at)
			return fail_tensor(reading, item->name, "follows bytes that belong to no tensor");
		at += item->bytes;
	}
	if (at != reading->n_bytes)
		return mren_fail(reading->err, MREN_EFORMAT, "\"%s\" has %zu bytes behind its last tensor",
						 reading->file, reading->n_bytes - at);
	return MREN_OK;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(((const MrenSafetensor *) a)->name, ((const MrenSafetensor *) b)->name);
}

/* Texts by name, which are not used. */
static MrenStatus
check_metadata(const Reading *reading, json_t *metadata)
{
	const char *name;
	json_t *value;
	bool texts = json_is_object(metadata);

	json_object_foreach(metadata, name, value) texts &= json_is_string(value);
	if (!texts)
		return mren_fail(reading->err, MREN_EFORMAT, "the metadata of \"%s\" are not texts",
						 reading->file);
	return MREN_OK;
}

static MrenStatus
read_tensors(const Reading *reading, json_t *header, MrenSafetensors *set, MrenKeyed *places)
{
	size_t first = set->n;
	const char *name;
	json_t *entry;

	json_object_foreach(header, name, entry)
	{
		size_t begin;

		if (strcmp(name, "__metadata__") == 0)
		{
			MREN_TRY(check_metadata(reading, entry));
			continue;
		}
		if (set->n % 1024 == 0)
			MREN_TRY(mren_check_interrupts(reading->env, reading->err));
		set->items[set->n] = (MrenSafetensor){NULL};
		set->n++;
		MREN_TRY(read_tensor(reading, name, entry, &set->items[set->n - 1], &begin));
		places[set->n - 1 - first] = (MrenKeyed){begin, set->n - 1 - first};
	}
	MREN_TRY(check_places(reading, set->items + first, places, set->n - first));
	qsort(set->items, set->n, sizeof(MrenSafetensor), compare_names);
	for (size_t i = 1; i < set->n; i++)
	{
		if (compare_names(&set->items[i - 1], &set->items[i]) == 0)
			return fail_tensor(reading, set->items[i].name, "also occurs in another file");
	}
	return MREN_OK;
}

/* The header's JSON; reading gets what is after it. */
static MrenStatus
read_header(Reading *reading, const uint8_t *data, size_t len, json_t **header)
{
	uint64_t n = 0;

	if (len >= 8)
	{
		for (int i = 0; i < 8; i++)
			n |= (uint64_t) data[i] << (8 * i);
	}
	if (mren_fail_pointer(reading->file, data, len, reading->err))
		return MREN_EFORMAT;
	if (len < 8 || n > len - 8)
		return mren_fail(reading->err, MREN_EFORMAT,
						 "\"%s\" of %zu bytes is not a whole safetensors file", reading->file, len);
	if (n == 0 || data[8] != '{')
		return mren_fail(reading->err, MREN_EFORMAT, "\"%s\" is not a safetensors file",
						 reading->file);
	reading->numbers = data + 8 + n;
	reading->n_bytes = len - 8 - (size_t) n;
	return mren_transformer_json("the header of the safetensors file", data + 8, (size_t) n,
								 MREN_SAFETENSORS_MAX_HEADER, header, reading->err);
}

MrenStatus
mren_safetensors_add(const MrenEnv *env, MrenSafetensors *set, const char *file_name,
					 const uint8_t *data, size_t len, MrenError *err)
{
	Reading reading = {env, file_name, NULL, 0, err};
	MrenKeyed *places = NULL;
	json_t *header = NULL;
	MrenStatus status = read_header(&reading, data, len, &header);

	if (status == MREN_OK)
		status = mren_grow(env, &set->items, &set->capacity, set->n,
						   set->n + json_object_size(header) + 1, sizeof(MrenSafetensor), err);
	if (status == MREN_OK)
		status = mren_allocate(env, json_object_size(header) + 1, sizeof(MrenKeyed), &places, err);
	if (status == MREN_OK)
		status = read_tensors(&reading, header, set, places);
	mren_release(env, places);
	json_decref(header);
	return status;
}

void
mren_safetensors_close(const MrenEnv *env, MrenSafetensors *set)
{
	for (size_t i = 0; i < set->n; i++)
		mren_release(env, set->items[i].name);
	mren_release(env, set->items);
	*set = (MrenSafetensors){NULL};
}

const MrenSafetensor *
mren_safetensors_find(const MrenSafetensors *set, const char *name)
{
	MrenSafetensor key = {.name = (char *) name};

	if (set->n == 0)
		return NULL;
	return bsearch(&key, set->items, set->n, sizeof(MrenSafetensor), compare_names);
}
