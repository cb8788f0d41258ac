/*
 * train_network.c
 *	  Training a relation network on encoded rows, step by step.
 */
#include "pg/train/train_network.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/json.h"

#include "pg/resource/text_tokenizers.h"
#include "pg/train/train_vectors.h"
#include "pg/workers/tuning_workers.h"
#include "text/tokens.h"

/* True if any row has an image; otherwise the network reads text alone. */
static bool
has_images(const MrenSource *source)
{
	for (size_t i = 0; i < source->n; i++)
	{
		const uint8_t *record;
		MrenExample example;
		MrenError err;
		size_t len;
		size_t size;

		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		MREN_PG_CALL(err, source->read(source->state, i, &record, &len, &err));
		MREN_PG_CALL(err, mren_example_read(record, len, &example, &size, &err));
		if (example.has_image)
			return true;
	}
	return false;
}

static void
load_vectors(MrenNetworkTraining *training, const MrenSource *source, size_t memory)
{
	const MrenTrainSetup *setup = training->setup;
	MrenError err;
	int32_t *ids;
	size_t n;

	if (setup->embeddings == NULL)
		return;
	MREN_PG_CALL(err, mren_source_words(&training->env, source, &ids, &n, &err));
	training->table = mren_train_vectors(&training->env, &setup->embedding_row, setup->embeddings,
										 ids, n, memory);
	training->n_vectors = n;
	mren_release(&training->env, ids);
}

static void
create_trainer(MrenNetworkTraining *training)
{
	MrenError err;

	MREN_PG_CALL(err, mren_trainer_create(&training->env, &training->net, &training->inputs,
										  &training->trainer, &err));
	if (training->warm != NULL)
		mren_trainer_warm(training->trainer, training->warm);
	training->begun = false;
}

static void
free_trainer(MrenNetworkTraining *training)
{
	mren_train_workers_stop(training->workers);
	training->workers = NULL;
	mren_trainer_free(training->trainer);
	training->trainer = NULL;
}

/*
 * Workers train what can be trained at the same time; the members start afresh beside an encoder.
 */
static void
start_workers(MrenNetworkTraining *training)
{
	MrenWorkersTask task = {
		.options = &training->net,
		.inputs = &training->inputs,
		.table = training->table,
		.n_vectors = training->n_vectors,
		.warm = training->inputs.encoder == NULL ? training->warm : NULL,
	};
	MemoryContext old = MemoryContextSwitchTo((MemoryContext) training->env.state);
	MrenCourses courses;

	training->begun = true;
	training->workers = mren_train_workers_start(&task);
	MemoryContextSwitchTo(old);
	if (training->workers == NULL)
		return;
	mren_train_workers_courses(training->workers, &courses);
	mren_trainer_lead(training->trainer, &courses);
}

void
mren_train_network_begin(MrenNetworkTraining *training, const MrenTrainSetup *setup,
						 const MrenSource *source, size_t memory)
{
	MrenTrainerInputs inputs = {.source = *source, .memory = memory};

	memset(training, 0, sizeof(*training));
	training->env = mren_pg_env(CurrentMemoryContext);
	training->setup = setup;
	memcpy(training->embeddings, setup->embedding_row.sha256, MREN_SHA256_LENGTH);
	load_vectors(training, source, memory);
	if (training->table != NULL)
		mren_vector_table_vectors(training->table, &inputs.vectors);
	inputs.embeddings_sha256 = training->embeddings;
	for (int i = 0; i < setup->lexicons.n; i++)
		memcpy(training->lexicons[i], setup->lexicons.rows[i].sha256, MREN_SHA256_LENGTH);
	inputs.lexicons_sha256 = training->lexicons[0];
	inputs.n_lexicons = setup->lexicons.n;
	if (setup->image_encoder != NULL && has_images(source))
	{
		memcpy(training->encoder, setup->encoder_row.identity, MREN_SHA256_LENGTH);
		inputs.image_dim = setup->encoder_row.dimension;
		inputs.encoder_sha256 = training->encoder;
	}
	if (setup->audio_encoder != NULL && source->audio != NULL)
	{
		memcpy(training->audio, setup->audio_identity, MREN_SHA256_LENGTH);
		inputs.audio_dim = setup->audio_dimension;
		inputs.audio_sha256 = training->audio;
	}
	if (setup->net.pretrained != NULL)
	{
		mren_text_encoder_source(&setup->text_encoder_row, &training->text_encoder);
		inputs.encoder = &training->text_encoder;
		inputs.text_encoder_sha256 = setup->text_encoder_row.sha256;
		inputs.team = mren_pool_tuning_team(CurrentMemoryContext);
	}
	training->inputs = inputs;
	training->net = setup->net;
	if (setup->net.fusion == MREN_FUSION_AUTO)
	{
		bool choice = inputs.image_dim > 0 && mren_grid_size(&source->grid_shape) > 0;

		training->n_fusions = choice ? MREN_FUSION_AUTO : 0;
		training->net.fusion = MREN_FUSION_PARALLEL;
		training->net.common.refit = training->net.common.refit && !choice;
	}
	create_trainer(training);
}

/*
 * After the training of one fusion: begins that of the next, or of the best one
 * once more.  Of equals the earlier wins; without validation rows it is the
 * first.
 */
static void
next_fusion(MrenNetworkTraining *training)
{
	MrenTrainReport report;

	mren_trainer_report(training->trainer, &report);
	if (training->n_tried == 0 || (report.validated && report.validation_loss < training->loss))
	{
		training->loss = report.validation_loss;
		training->best = training->net.fusion;
	}
	training->n_tried = report.validated ? training->n_tried + 1 : training->n_fusions;
	free_trainer(training);
	training->net = training->setup->net;
	if (training->n_tried < training->n_fusions)
	{
		training->net.fusion = (MrenFusion) training->n_tried;
		training->net.common.refit = false;
	}
	else
		training->net.fusion = training->best;
	create_trainer(training);
}

void
mren_train_network_step(MrenNetworkTraining *training, MrenProgress *progress)
{
	MrenError err;

	if (!training->begun)
		start_workers(training);
	MREN_PG_CALL(err, mren_trainer_step(training->trainer, progress, &err));
	/* Fusions that are still to be tried, and the best one again; that one with its refit. */
	if (training->n_tried < training->n_fusions && !training->stopped)
		progress->rows_later += (double) (training->n_fusions - training->n_tried + 1) *
								Max(progress->members, 1) * progress->epochs *
								(double) progress->rows_total;
	/* A training that was stopped keeps the fusion it was training. */
	if (progress->event != MREN_TRAIN_DONE || training->n_tried >= training->n_fusions ||
		training->stopped)
		return;
	next_fusion(training);
	progress->event = MREN_TRAIN_STEP;
}

void
mren_train_network_warm(MrenNetworkTraining *training, const MrenNet *net)
{
	training->warm = net;
	mren_trainer_warm(training->trainer, net);
}

void
mren_train_network_stop(MrenNetworkTraining *training)
{
	training->stopped = true;
	mren_trainer_stop(training->trainer);
}

/* With fewer validation rows, an accuracy above the majority's may be chance. */
#define LEAST_ROWS_TO_JUDGE 30

static size_t
gold_rows(const MrenTrainReport *report)
{
	return report->n_train - report->n_weak + report->n_validation;
}

static void
warn_of_few_gold_rows(const MrenTrainReport *report)
{
	size_t n_gold = gold_rows(report);
	size_t n = report->n_validation > 0 ? report->n_validation : n_gold;

	if (report->n_weak == 0 || n == 0 || n >= MREN_FEWEST_GOLD_ROWS)
		return;
	ereport(WARNING,
			(errmsg_plural("only %zu gold row", "only %zu gold rows", n_gold, n_gold),
			 errdetail_plural("%zu of them validates, which is too few to calibrate by, so the "
							  "model's confidence means little.",
							  "%zu of them validate, which is too few to calibrate by, so the "
							  "model's confidence means little.",
							  report->n_validation, report->n_validation),
			 errhint("Label more rows by hand: 200 tell how good the model is.")));
}

void
mren_train_network_warn(const MrenTrainReport *report)
{
	warn_of_few_gold_rows(report);
	if (!report->validated || report->n_validation < LEAST_ROWS_TO_JUDGE ||
		report->validation_accuracy > report->validation_majority)
		return;
	ereport(
		WARNING,
		(errmsg("the model is no better than always answering the most frequent relation"),
		 errdetail("On %zu validation rows its accuracy is %.3f, and %.3f of them have the same "
				   "relation.",
				   report->n_validation, report->validation_accuracy, report->validation_majority),
		 errhint("Check that the embeddings are of the language of the rows and that the "
				 "relations are right; more rows or another learning_rate may help.")));
}

/* What the option "decide" fitted; null for a relation that is never predicted. */
static void
append_decision(StringInfo json, const MrenNet *net, const MrenTrainReport *report)
{
	const char *separator = "";
	MrenNetInfo info;

	mren_net_info(net, &info);
	if (info.thresholds == NULL)
		return;
	appendStringInfo(json,
					 ", \"decision_precision\": %.9g, \"decision_recall\": %.9g"
					 ", \"decision_f1\": %.9g, \"thresholds\": {",
					 report->decision.precision, report->decision.recall, report->decision.f1);
	for (int i = 0; i < (int) info.n_relations; i++)
	{
		MrenTextSpan name = mren_net_relation(net, i);

		if (i == info.negative)
			continue;
		appendStringInfoString(json, separator);
		escape_json(json, pnstrdup(name.data, name.len));
		if (info.thresholds[i] > 1)
			appendStringInfoString(json, ": null");
		else
			appendStringInfo(json, ": %.3f", info.thresholds[i]);
		separator = ", ";
	}
	appendStringInfoChar(json, '}');
}

/* A training has diverged if its loss is more than this many times that of a uniform guess. */
#define DIVERGED 4.0

static bool
diverged(const MrenTrainReport *report)
{
	double loss = report->validated ? report->validation_loss : report->train_loss;

	return loss > DIVERGED * report->blank_loss;
}

/* Without times and speeds, so that equal trainings have equal metrics. */
static char *
metrics_json(const MrenNetworkTraining *training, const MrenNet *net, const MrenTrainReport *report)
{
	static const char *const fusions[] = {"parallel", "sequential", "hybrid"};
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfo(
		&json,
		"{\"rows\": %zu, \"validation_rows\": %zu, \"relations\": %zu, "
		"\"rows_with_image\": %zu, \"words\": %zu, \"unknown_words\": %zu, \"features\": %zu, "
		"\"parameters\": %zu, \"epochs\": %d, \"best_epoch\": %d, \"refit_epochs\": %d, "
		"\"training_loss\": %.9g, \"temperature\": %.9g, \"negative_bias\": %.9g, \"icu\": \"%s\"",
		report->n_rows, report->n_validation, report->n_relations, report->n_rows_with_image,
		report->n_words, report->n_unknown_words, report->features_dim, report->n_parameters,
		report->epochs_run, report->best_epoch, report->refit_epochs, report->train_loss,
		report->calibration.temperature, report->calibration.bias, mren_icu_version());
	if (report->calibration.lapse > 0)
		appendStringInfo(&json, ", \"lapse_rate\": %.9g", report->calibration.lapse);
	if (report->validated)
		appendStringInfo(
			&json,
			", \"validation_loss\": %.9g, \"validation_accuracy\": %.9g, \"validation_f1\": %.9g",
			report->validation_loss, report->validation_accuracy, report->validation_f1);
	if (report->n_weak + report->n_weak_unused + report->n_targets > 0)
		appendStringInfo(&json,
						 ", \"gold_rows\": %zu, \"weak_rows\": %zu, \"unused_weak_rows\": %zu, "
						 "\"soft_rows\": %zu",
						 gold_rows(report), report->n_weak, report->n_weak_unused,
						 report->n_targets);
	if (report->n_rows_with_audio > 0)
		appendStringInfo(&json, ", \"rows_with_audio\": %zu", report->n_rows_with_audio);
	if (report->n_members > 1)
		appendStringInfo(&json, ", \"members\": %zu", report->n_members);
	if (report->has_text_only)
		appendStringInfo(&json, ", \"multimodal_share\": %.9g", report->multimodal_share);
	if (report->has_linear)
		appendStringInfo(&json, ", \"linear_share\": %.9g, \"linear_epoch\": %d",
						 report->linear_share, report->linear_epoch);
	if (report->encoder_epoch > 0 || report->encoder_share > 0)
		appendStringInfo(&json, ", \"encoder_share\": %.9g, \"encoder_epoch\": %d",
						 report->encoder_share, report->encoder_epoch);
	if (report->encoder_restarts > 0)
		appendStringInfo(&json, ", \"encoder_restarts\": %d", report->encoder_restarts);
	if (report->n_windowed > 0)
		appendStringInfo(&json, ", \"windowed_rows\": %zu", report->n_windowed);
	if (diverged(report))
		appendStringInfoString(&json, ", \"diverged\": true");
	if (training->setup->embeddings != NULL && training->setup->net.pretrained == NULL &&
		report->n_words > 0 && report->n_unknown_words == report->n_words)
		appendStringInfoString(&json, ", \"no_vectors\": true");
	if (training->n_bad > 0)
		appendStringInfo(&json, ", \"skipped_rows\": %lld", (long long) training->n_bad);
	if (training->setup->net.fusion == MREN_FUSION_AUTO)
		appendStringInfo(&json, ", \"fusion\": \"%s\"", fusions[training->net.fusion]);
	append_decision(&json, net, report);
	appendStringInfoChar(&json, '}');
	return json.data;
}

/* The options in effect, with defaults that depend on the rows filled in. */
static char *
effective_json(const MrenNetworkTraining *training, const MrenTrainReport *report)
{
	MrenTrainSetup setup = *training->setup;
	bool reads = training->inputs.image_dim > 0 || report->n_rows_with_audio > 0;

	setup.net.common.validation_share =
		mren_options_validation_share(&setup.net, gold_rows(report));
	setup.net.common.weight_ema = mren_options_weight_ema(&setup.net, reads);
	setup.net.common.weight_decay = mren_options_weight_decay(&setup.net, reads);
	setup.audio_named = setup.audio_named || report->n_rows_with_audio > 0;
	return mren_train_setup_json(&setup);
}

void
mren_train_network_end(MrenNetworkTraining *training, MrenNetwork *network, MrenTrainReport *report)
{
	MrenError err;

	network->tagger = NULL;
	MREN_PG_CALL(err, mren_trainer_finish(training->trainer, &network->net, &err));
	mren_trainer_report(training->trainer, report);
	network->options = effective_json(training, report);
	network->metrics = metrics_json(training, network->net, report);
	free_trainer(training);
	mren_vector_table_free(&training->env, training->table);
}

void
mren_train_network_notice(const char *model, int32 version, const MrenNetwork *network,
						  const MrenTrainReport *report)
{
	MrenNetInfo info;

	mren_net_info(network->net, &info);
	ereport(NOTICE,
			(errmsg_internal(
				"version %d of model \"%s\": %zu rows, %zu relations, %.1f %% of the words "
				"have vectors",
				version, model, info.n_training_rows, report->n_relations,
				report->n_words > 0 ? 100.0 - 100.0 * report->n_unknown_words / report->n_words
									: 100.0)));
}
