/*
 * names.c
 *	  Distinct names in one run of bytes, found by binary search.
 */
#include "base/names.h"

#include <string.h>

void
mren_names_free(const MrenEnv *env, MrenNames *names)
{
	mren_buffer_free(env, &names->bytes);
	mren_release(env, names->items);
	mren_release(env, names->sorted);
	memset(names, 0, sizeof(*names));
}

MrenTextSpan
mren_names_arrived(const MrenNames *names, uint32_t number)
{
	const MrenName *name = &names->items[number];

	return (MrenTextSpan){(const char *) names->bytes.data + name->at, name->len};
}

MrenTextSpan
mren_names_get(const MrenNames *names, size_t rank)
{
	return mren_names_arrived(names, names->sorted[rank]);
}

bool
mren_names_find(const MrenNames *names, MrenTextSpan name, size_t *rank)
{
	size_t low = 0;
	size_t high = names->n;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;
		int order = mren_text_span_compare(mren_names_get(names, middle), name);

		if (order == 0)
		{
			*rank = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*rank = low;
	return false;
}

MrenStatus
mren_names_intern(const MrenEnv *env, MrenNames *names, MrenTextSpan name, uint32_t *number,
				  MrenError *err)
{
	size_t rank;

	if (mren_names_find(names, name, &rank))
	{
		*number = names->sorted[rank];
		return MREN_OK;
	}
	if (names->n >= INT32_MAX)
		return mren_fail(err, MREN_ELIMIT, "too many distinct names");
	MREN_TRY(mren_grow(env, &names->items, &names->items_capacity, names->n, names->n + 1,
					   sizeof(MrenName), err));
	MREN_TRY(mren_grow(env, &names->sorted, &names->sorted_capacity, names->n, names->n + 1,
					   sizeof(uint32_t), err));
	/* Room for a byte at least, so that an empty name has an address. */
	MREN_TRY(mren_buffer_reserve(env, &names->bytes, (size_t) name.len + 1, err));
	names->items[names->n] = (MrenName){names->bytes.len, name.len};
	mren_buffer_put_bytes(&names->bytes, name.data, name.len);
	memmove(names->sorted + rank + 1, names->sorted + rank, (names->n - rank) * sizeof(uint32_t));
	names->sorted[rank] = *number = (uint32_t) names->n++;
	return MREN_OK;
}
