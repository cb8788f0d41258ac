/*
 * chars_map.c
 *	  SentencePiece's precompiled character map, as Hugging Face's library applies it.
 *
 * The library looks a whole grapheme cluster of fewer than six bytes up, by the shortest
 * prefix that the map has, and drops the rest; longer clusters and clusters without such a
 * prefix go code point by code point.
 */
#include <string.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "transformer/tokenizer/normalizer.h"

#define LONGEST_CLUSTER 5 /* bytes of a grapheme cluster that is looked up whole */

/* A unit of the double array (Yata's darts-clone): label, offset to the children, a value. */
static uint32_t
unit_label(uint32_t unit)
{
	return unit & (UINT32_C(1) << 31 | 0xFF);
}

static size_t
unit_offset(uint32_t unit)
{
	return (size_t) (unit >> 10) << ((unit & UINT32_C(1) << 9) >> 6);
}

static bool
unit_has_value(uint32_t unit)
{
	return unit >> 8 & 1;
}

static bool
unit_is_value(uint32_t unit)
{
	return unit >> 31;
}

static int
base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = c == '\0' ? NULL : strchr(digits, c);

	return found == NULL ? -1 : (int) (found - digits);
}

/* n characters of base64 to *len bytes in out, which has room for 3 n / 4. */
static MrenStatus
decode_base64(const char *text, size_t n, uint8_t *out, size_t *len, MrenError *err)
{
	size_t padding = n > 0 && text[n - 1] == '=' ? 1 + (n > 1 && text[n - 2] == '=') : 0;
	uint32_t bits = 0;

	*len = 0;
	for (size_t i = 0; i < n; i++)
	{
		int digit = i + padding >= n ? 0 : base64_digit(text[i]);

		if (digit < 0 || n % 4 != 0)
			return mren_fail(err, MREN_EFORMAT,
							 "\"precompiled_charsmap\" in tokenizer.json is not base64");
		bits = bits << 6 | (uint32_t) digit;
		if (i % 4 != 3)
			continue;
		for (int shift = 16; shift >= 0; shift -= 8)
			out[(*len)++] = (uint8_t) (bits >> shift);
	}
	*len -= padding;
	return MREN_OK;
}

/* The value after a unit that has one must be in the array, and begin a text of the map. */
static bool
value_valid(const MrenCharsMap *map, size_t at)
{
	size_t value_at = at ^ unit_offset(map->unit[at]);
	size_t start;

	if (value_at >= map->n_units || !unit_is_value(map->unit[value_at]))
		return false;
	start = map->unit[value_at] & INT32_MAX;
	return start < map->text_len && !mren_utf8_continues(map->text[start]);
}

static bool
map_valid(const MrenCharsMap *map)
{
	if (map->n_units == 0 || !mren_utf8_valid(map->text, map->text_len, NULL) ||
		(map->text_len > 0 && map->text[map->text_len - 1] != '\0'))
		return false;
	for (size_t i = 0; i < map->n_units; i++)
		if (!unit_is_value(map->unit[i]) && unit_has_value(map->unit[i]) && !value_valid(map, i))
			return false;
	return true;
}

static MrenStatus
read_blob(const MrenEnv *env, const uint8_t *blob, size_t len, MrenCharsMap *map, MrenError *err)
{
	MrenCursor cursor = {.at = blob, .end = blob + len};
	size_t size = mren_cursor_u32(&cursor);

	if (cursor.failed || size > mren_cursor_left(&cursor) || size % 4 != 0)
		return mren_fail(err, MREN_EFORMAT,
						 "\"precompiled_charsmap\" in tokenizer.json ends early");
	map->n_units = size / 4;
	MREN_TRY(mren_allocate(env, map->n_units, sizeof(uint32_t), &map->unit, err));
	for (size_t i = 0; i < map->n_units; i++)
		map->unit[i] = mren_cursor_u32(&cursor);
	map->text_len = mren_cursor_left(&cursor);
	MREN_TRY(mren_allocate(env, map->text_len, 1, &map->text, err));
	memcpy(map->text, cursor.at, map->text_len);
	if (!map_valid(map))
		return mren_fail(err, MREN_EFORMAT,
						 "\"precompiled_charsmap\" in tokenizer.json is not a valid character map");
	return MREN_OK;
}

MrenStatus
mren_chars_map_read(const MrenEnv *env, const char *base64, size_t n, MrenCharsMap *map,
					MrenError *err)
{
	uint8_t *blob;
	size_t len;
	MrenStatus status;

	MREN_TRY(mren_allocate(env, n / 4 * 3 + 3, 1, &blob, err));
	status = decode_base64(base64, n, blob, &len, err);
	if (status == MREN_OK)
		status = read_blob(env, blob, len, map, err);
	mren_release(env, blob);
	return status;
}

/* What replaces the shortest prefix of these bytes that the map has; NULL: none. */
static const char *
look_up(const MrenCharsMap *map, const char *bytes, size_t n)
{
	size_t at = unit_offset(map->unit[0]);

	for (size_t i = 0; i < n && bytes[i] != '\0'; i++)
	{
		uint32_t unit;

		at ^= (uint8_t) bytes[i];
		if (at >= map->n_units)
			return NULL;
		unit = map->unit[at];
		if (unit_label(unit) != (uint8_t) bytes[i])
			return NULL;
		at ^= unit_offset(unit);
		if (unit_has_value(unit))
			return map->text + (map->unit[at] & INT32_MAX);
	}
	return NULL;
}

/* Edits that replace n_old characters. */
static MrenStatus
add_replacement(const MrenEnv *env, MrenCharEdits *edits, const char *text, size_t n_old,
				MrenError *err)
{
	size_t len = strlen(text);
	size_t n_new = 0;
	uint32_t code;

	for (size_t at = 0; at < len; n_new++)
	{
		at += mren_utf8_decode(text + at, len - at, &code);
		MREN_TRY(mren_edits_add(env, edits, code, n_new >= n_old, err));
	}
	/* The last one, which may be of an earlier replacement, removes what is left. */
	if (n_new < n_old && edits->n > 0)
		edits->at[edits->n - 1].change -= (int32_t) (n_old - n_new);
	return MREN_OK;
}

static MrenStatus
edit_cluster(const MrenEnv *env, const MrenCharsMap *map, const MrenSubwordChar *at, size_t n,
			 MrenCharEdits *edits, MrenError *err)
{
	char bytes[LONGEST_CLUSTER + 4];
	const char *text = NULL;
	size_t len = 0;

	for (size_t i = 0; i < n && len <= LONGEST_CLUSTER; i++)
		len += mren_utf8_encode(at[i].code, bytes + len);
	if (len <= LONGEST_CLUSTER)
		text = look_up(map, bytes, len);
	if (text != NULL)
		return add_replacement(env, edits, text, n, err);
	for (size_t i = 0; i < n; i++)
	{
		len = mren_utf8_encode(at[i].code, bytes);
		text = look_up(map, bytes, len);
		if (text != NULL)
			MREN_TRY(add_replacement(env, edits, text, 1, err));
		else
			MREN_TRY(mren_edits_add(env, edits, at[i].code, 0, err));
	}
	return MREN_OK;
}

MrenStatus
mren_chars_map_apply(const MrenEnv *env, const MrenCharsMap *map, const MrenSubwordChars *in,
					 MrenSubwordChars *out, MrenError *err)
{
	MrenCharEdits edits = {0};
	MrenStatus status = MREN_OK;

	for (size_t i = 0, n, checked = 0; i < in->n && status == MREN_OK; i += n)
	{
		n = mren_grapheme_length(in->at + i, in->n - i);
		if (i + n >= checked)
		{
			status = mren_check_interrupts(env, err);
			checked = i + n + 65536;
		}
		if (status == MREN_OK)
			status = edit_cluster(env, map, in->at + i, n, &edits, err);
	}
	if (status == MREN_OK)
		status = mren_chars_edit(env, in->at, in->n, &edits, out, err);
	mren_release(env, edits.at);
	return status;
}
