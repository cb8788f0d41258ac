/*
 * trainer_warm.c
 *	  Starting a training from the weights of an earlier network.
 *
 * Means and deviations of the inputs are not taken over: they are measured
 * again, on rows that are mostly the same.  Nor is the linear branch, which
 * needs only one or two epochs.
 */
#include "relation/train/trainer_internal.h"

#include <stdio.h>
#include <string.h>

#include "relation/net_internal.h"

void
mren_trainer_warm(MrenTrainer *trainer, const MrenNet *net)
{
	trainer->warm = net;
}

static bool
same_types(const MrenNames *a, const MrenNames *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
	{
		if (mren_text_span_compare(mren_names_get(a, i), mren_names_get(b, i)) != 0)
			return false;
	}
	return true;
}

static bool
is_output(const MrenMember *member, size_t id)
{
	const MrenNetIds *ids = &member->layout.ids;
	size_t last = member->shape.n_hidden;

	return id == ids->weight[last] || id == ids->bias[last];
}

/* The name without the member in front, which those of further members have. */
static const char *
bare_name(const MrenParameter *tensor)
{
	const char *slash = strchr(tensor->name, '/');

	return slash == NULL ? tensor->name : slash + 1;
}

/* Whether tensor `id` of both, which are laid out in the same order, is the same one. */
static bool
fits(const MrenMember *member, const MrenNet *source, size_t id)
{
	const MrenParameter *mine = &member->layout.table.items[id];
	const MrenParameter *theirs = &source->layout.table.items[id];

	return strcmp(mine->name, bare_name(theirs)) == 0 && theirs->rows == mine->rows &&
		   (theirs->cols == mine->cols || is_output(member, id));
}

/* Why the weights cannot be taken over; empty if they can. */
static void
find_difference(MrenTrainer *trainer, const MrenNet *source, char *why, size_t size)
{
	const MrenMember *member = mren_trainer_member(trainer);
	const MrenNet *net = trainer->warm;

	why[0] = '\0';
	if (memcmp(net->embeddings_sha256, trainer->embeddings_sha256, 32) != 0)
		snprintf(why, size, "it uses different word embeddings");
	else if (memcmp(net->encoder_sha256, trainer->encoder_sha256, 32) != 0)
		snprintf(why, size, "it uses a different image encoder");
	else if (net->audio_encoder.len > 0 && trainer->shape.audio_dim > 0 &&
			 memcmp(net->audio_encoder.data, trainer->audio_sha256, 32) != 0)
		snprintf(why, size, "it uses a different audio encoder");
	else if (!same_types(&net->types, &trainer->scan.types))
		snprintf(why, size, "its entity types are different");
	else if (net->shape.activation != trainer->shape.activation)
		snprintf(why, size, "its activation is different");
	else if (source->layout.table.n_trained != member->layout.table.n_trained)
		snprintf(why, size, "it has %zu trained tensors instead of %zu",
				 source->layout.table.n_trained, member->layout.table.n_trained);
	for (size_t id = 0; id < member->layout.table.n_trained && why[0] == '\0'; id++)
	{
		if (!fits(member, source, id))
			snprintf(why, size, "its weights \"%s\" have a different shape",
					 member->layout.table.items[id].name);
	}
}

/* Copies the columns of the relations that both networks have. */
static void
copy_output(MrenTrainer *trainer, size_t id, const MrenParameter *from, const float *values)
{
	MrenMember *member = mren_trainer_member(trainer);
	const MrenParameter *to = &member->layout.table.items[id];
	const MrenNet *net = trainer->warm;

	for (size_t col = 0; col < to->cols; col++)
	{
		size_t rank;

		if (!mren_names_find(&net->relations, mren_names_get(&trainer->scan.relations, col), &rank))
			continue;
		for (size_t row = 0; row < to->rows; row++)
			member->values[to->at + row * to->cols + col] =
				values[from->at + row * from->cols + rank];
	}
}

/* The member of the warm network whose weights the current one starts from; NULL: none. */
static const MrenNet *
source_of(MrenTrainer *trainer)
{
	const MrenNet *net = trainer->warm;

	if (net == NULL)
		return NULL;
	if (mren_trainer_member(trainer)->text_only)
		return net->text_only > 0 ? net->members[net->n_members - 2] : NULL;
	if (trainer->current >= net->n_members - net->text_only)
		return NULL;
	return trainer->current == 0 ? net : net->members[trainer->current - 1];
}

void
mren_trainer_take_warm(MrenTrainer *trainer)
{
	MrenMember *member = mren_trainer_member(trainer);
	const MrenNet *source = source_of(trainer);

	if (source == NULL)
		return;
	find_difference(trainer, source, trainer->report.cold, sizeof(trainer->report.cold));
	trainer->report.warm = trainer->report.cold[0] == '\0';
	if (!trainer->report.warm)
		return;
	for (size_t id = 0; id < member->layout.table.n_trained; id++)
	{
		const MrenParameter *from = &source->layout.table.items[id];

		if (is_output(member, id))
			copy_output(trainer, id, from, source->values);
		else
			memcpy(member->values + member->layout.table.items[id].at, source->values + from->at,
				   from->rows * from->cols * sizeof(float));
	}
}
