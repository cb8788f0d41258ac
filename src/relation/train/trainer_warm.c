/*
 * trainer_warm.c
 *	  Starting a training from the weights of an earlier network.
 *
 * Means and deviations of the inputs are not taken over: they are measured
 * again, on rows that are mostly the same.  Nor is the linear branch, which
 * needs only one or two epochs.
 */
#include "relation/train/trainer_members.h"

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

/*
 * Copies the columns of the relations that both networks have, from `source`, which is that of
 * the network, to `values`.
 */
static void
copy_output(const MrenTrainer *trainer, const MrenParameter *from, const float *source,
			const MrenParameter *to, float *values)
{
	const MrenNet *net = trainer->warm;

	for (size_t col = 0; col < to->cols; col++)
	{
		size_t rank;

		if (!mren_names_find(&net->relations, mren_names_get(&trainer->scan.relations, col), &rank))
			continue;
		for (size_t row = 0; row < to->rows; row++)
			values[to->at + row * to->cols + col] = source[from->at + row * from->cols + rank];
	}
}

/*
 * The member of the warm network whose weights the current one starts from; NULL: none.
 *
 * Beside a text encoder the members start afresh: a refit has trained those of the network on
 * its validation rows too, most of which validate again.  The members would then seem better than
 * the encoder, which has not seen these rows, and take its share of the answer.
 */
static const MrenNet *
source_of(MrenTrainer *trainer)
{
	const MrenNet *net = trainer->warm;

	if (net == NULL || trainer->inputs.encoder != NULL)
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
			copy_output(trainer, from, source->values, &member->layout.table.items[id],
						member->values);
		else
			memcpy(member->values + member->layout.table.items[id].at, source->values + from->at,
				   from->rows * from->cols * sizeof(float));
	}
}

/*
 * The text encoder
 */

/* Why the fine-tuning of the text encoder cannot start from the network; NULL if it can. */
static const char *
marker_difference(const MrenTrainer *trainer)
{
	const MrenNet *net = trainer->warm;
	const MrenMarkerShape *mine = &trainer->marker.shape;
	const MrenMarkerShape *theirs = &net->marker_shape;

	if (net->marker == NULL)
		return "it has no text encoder";
	if (net->text_encoder.len != 32 ||
		memcmp(net->text_encoder.data, trainer->inputs.text_encoder_sha256, 32) != 0)
		return "its text encoder is a different one";
	if (!same_types(&net->types, &trainer->scan.types))
		return "its entity types are different";
	if (theirs->solid != mine->solid)
		return "its markers are of the other kind";
	if (!mren_tuning_shape_equal(&theirs->tuning, &mine->tuning))
		return "another part of its text encoder is fine-tuned";
	if (trainer->options.encoder_refit)
		return "encoder_refit trained its text encoder on the validation rows, too";
	return NULL;
}

void
mren_trainer_marker_warm(MrenTrainer *trainer)
{
	MrenMarkerTraining *marker = &trainer->marker;
	MrenTrainReport *report = &trainer->report;
	const MrenMarkerClassifier *from;
	const char *difference;
	size_t words;

	if (trainer->warm == NULL)
		return;
	difference = marker_difference(trainer);
	report->encoder_warm = difference == NULL;
	if (difference != NULL)
	{
		snprintf(report->encoder_cold, sizeof(report->encoder_cold), "%s", difference);
		return;
	}
	from = trainer->warm->marker;
	words = trainer->inputs.encoder->config.vocabulary * marker->shape.embedding_width;
	memcpy(marker->fine_tuning.weights + words,
		   mren_parameter_at(&from->table, from->values, MREN_MARKER_EMBEDDINGS),
		   mren_marker_kinds(&marker->shape) * marker->shape.embedding_width * sizeof(float));
	marker->warm = from;
	mren_transformer_tuning_start(
		&marker->fine_tuning,
		marker->shape.tuning.n == 0
			? from->values
			: mren_parameter_at(&from->table, from->values, MREN_MARKER_TUNED));
}

void
mren_trainer_marker_warm_head(MrenTrainer *trainer)
{
	MrenMarkerTraining *marker = &trainer->marker;
	const MrenMarkerClassifier *from = marker->warm;

	if (from == NULL || trainer->report.encoder_restarts > 0)
		return;
	copy_output(trainer, &from->table.items[MREN_MARKER_HEAD_WEIGHT], from->values,
				&marker->head.items[MREN_HEAD_WEIGHT], marker->head_values);
	copy_output(trainer, &from->table.items[MREN_MARKER_HEAD_BIAS], from->values,
				&marker->head.items[MREN_HEAD_BIAS], marker->head_values);
}
