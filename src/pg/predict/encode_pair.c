/*
 * encode_pair.c
 *	  From the arguments that make a pair to what the core reads.
 */
#include "pg/predict/encode_pair.h"

#include "utils/memutils.h"

#include "data/boxes.h"
#include "evaluation/holdout.h"
#include "image/image.h"
#include "pg/resource/tokenizer.h"
#include "pg/support/pg_env.h"
#include "text/normal.h"

/* The buffers of the row at hand. */
static MrenEncoded encoded;

/* Buffers that a long text made larger than this are freed before the next row. */
#define KEEP_TEXT_BYTES (1024 * 1024)

const MrenEncoded *
mren_encode_pair(const MrenVocabulary *vocabulary, const MrenPair *pair)
{
	MrenTokenizer *tokenizer = mren_pg_tokenizer();
	MemoryContext context = mren_pg_text_context();
	MrenEnv env = mren_pg_env(context);
	MrenError err;

	if (MemoryContextMemAllocated(context, true) > KEEP_TEXT_BYTES)
		mren_encoded_free(&env, &encoded);
	MREN_PG_CALL(err, mren_encode(tokenizer, &env, vocabulary,
								  &(MrenMentionPair){pair->sentence, pair->head, pair->tail},
								  &encoded, &err));
	return &encoded;
}

/* Width and height of an image as displayed, from its header. */
static void
image_size(const bytea *image, float8 *width, float8 *height)
{
	MrenImageInfo info;
	MrenError err;

	MREN_PG_CALL(err, mren_image_info((const uint8_t *) VARDATA_ANY(image),
									  VARSIZE_ANY_EXHDR(image), &info, &err));
	*width = info.width;
	*height = info.height;
}

static const float4 *
clip_box(const MrenPair *pair, const char *name, const double *corners, float4 *box)
{
	float8 width = 1;
	float8 height = 1;
	MrenError err;

	if (pair->image != NULL)
		image_size(pair->image, &width, &height);
	if (mren_box_clip(name, corners, width, height, box, &err) == MREN_OK)
		return box;
	if (pair->image == NULL)
		mren_error_hint(&err, "With image_vector, boxes are shares of the image's width and "
							  "height, from 0 to 1.");
	mren_pg_raise(&err);
}

void
mren_pair_boxes(const MrenPair *pair, MrenPairBoxes *boxes)
{
	*boxes = (MrenPairBoxes){NULL, NULL};
	if (pair->has_head_box)
		boxes->head = clip_box(pair, "head_box", pair->head_box, boxes->values);
	if (pair->has_tail_box)
		boxes->tail = clip_box(pair, "tail_box", pair->tail_box, boxes->values + 4);
}

static void
set_boxes(const MrenPair *pair, MrenExample *example)
{
	MrenPairBoxes boxes;

	mren_pair_boxes(pair, &boxes);
	example->has_head_box = boxes.head != NULL;
	example->has_tail_box = boxes.tail != NULL;
	if (boxes.head != NULL)
		memcpy(example->head_box, boxes.head, sizeof(example->head_box));
	if (boxes.tail != NULL)
		memcpy(example->tail_box, boxes.tail, sizeof(example->tail_box));
}

/* What rows that validate or are held out together share: an image, else a recording, or NULL. */
static const MrenHash128 *
shared_thing(const MrenExample *example)
{
	if (example->has_image)
		return &example->image;
	return example->has_audio ? &example->audio : NULL;
}

void
mren_encode_example(MrenExample *example, const MrenSentence *sentence, const MrenPair *pair,
					MrenTextSpan relation, const MrenPairVectors *vectors)
{
	memset(example, 0, sizeof(*example));
	example->sentence = *sentence;
	example->relation = relation;
	example->head_type = pair->head_type;
	example->tail_type = pair->tail_type;
	example->has_image = vectors->image != NULL;
	if (vectors->image != NULL)
		example->image = mren_hash128(vectors->image, vectors->n_image * sizeof(float4));
	example->has_audio = vectors->audio != NULL;
	if (vectors->audio != NULL)
		example->audio = mren_hash128(vectors->audio, vectors->n_audio * sizeof(float4));
	set_boxes(pair, example);
	example->weight = 1;
	example->group =
		mren_example_group(pair->sentence.data, pair->sentence.len, shared_thing(example));
}

uint64
mren_encode_holdout_key(const MrenPair *pair, const MrenExample *example)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenError err;
	char *normal;
	size_t len;
	uint64 key;

	MREN_PG_CALL(err, mren_text_normalize(&env, pair->sentence.data, pair->sentence.len, &normal,
										  &len, &err));
	key = mren_holdout_key(normal, len, shared_thing(example));
	mren_release(&env, normal);
	return key;
}
