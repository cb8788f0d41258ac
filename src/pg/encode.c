/*
 * encode.c
 *	  From a pair and its label to the core's example.
 */
#include "pg/encode.h"

void
mren_encode_example(MrenExample *example, const MrenSentence *sentence, const MrenPair *pair,
					MrenText relation, const float4 *image, int n_image)
{
	memset(example, 0, sizeof(*example));
	example->sentence = *sentence;
	example->relation = relation;
	example->head_type = pair->head_type;
	example->tail_type = pair->tail_type;
	example->has_image = image != NULL;
	if (image != NULL)
		example->image = mren_hash128(image, n_image * sizeof(float4));
	example->has_head_box = pair->has_head_box;
	example->has_tail_box = pair->has_tail_box;
	memcpy(example->head_box, pair->head_box, sizeof(example->head_box));
	memcpy(example->tail_box, pair->tail_box, sizeof(example->tail_box));
	example->weight = 1;
	example->group = mren_example_group(pair->sentence.data, pair->sentence.len,
										image != NULL ? &example->image : NULL);
}
