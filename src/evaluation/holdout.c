/*
 * holdout.c
 *	  Choosing hold-out rows by hashes of their contents.
 */
#include "evaluation/holdout.h"

/* Seeds of the hashes; a group and a sentence of the same text have different keys. */
enum
{
	SEED_SENTENCE = 3,
	SEED_GROUP = 4,
	SEED_PLACE = 5,
};

uint64_t
mren_holdout_key(const char *sentence, size_t len, const MrenHash128 *image)
{
	uint64_t key = mren_hash64(sentence, len, SEED_SENTENCE);

	return image != NULL ? mren_hash64(image->bytes, sizeof(image->bytes), key) : key;
}

uint64_t
mren_holdout_group_key(const char *group, size_t len)
{
	return mren_hash64(group, len, SEED_GROUP);
}

bool
mren_holdout_holds(uint64_t key, double share)
{
	uint64_t place = mren_hash64(&key, sizeof(key), SEED_PLACE);

	if (share >= 1)
		return true;
	return share > 0 && place < (uint64_t) (share * 0x1p64);
}
