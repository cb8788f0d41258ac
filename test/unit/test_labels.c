/*
 * test_labels.c
 *	  Votes gathered into patterns, their summary, and labels from them.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "labels/label_model.h"

typedef struct TestVote
{
	int row;
	const char *source; /* NULL: the gold relation */
	const char *relation;
} TestVote;

static MrenTextSpan
span(const char *text)
{
	return (MrenTextSpan){text, strlen(text)};
}

/* Votes in the order of their rows, which are numbered from 0; patterns (rows) may be NULL. */
static MrenStatus
gather(MrenVotes *votes, const TestVote *items, size_t n, uint32_t *patterns, MrenError *err)
{
	for (size_t i = 0; i < n; i++)
	{
		uint32_t pattern;

		votes->id = span("id");
		if (items[i].source == NULL)
			MREN_TRY(mren_votes_add_gold(votes, span(items[i].relation), err));
		else
			MREN_TRY(mren_votes_add(votes, span(items[i].source), span(items[i].relation), err));
		if (i + 1 < n && items[i + 1].row == items[i].row)
			continue;
		MREN_TRY(mren_votes_end_row(votes, &pattern, err));
		if (patterns != NULL)
			patterns[items[i].row] = pattern;
	}
	return mren_votes_finish(votes, err);
}

/*
 * Rows: b:x a:x | a:x b:x gold x | a:x b:y gold y | c:y | only gold z | a:x gold w.
 */
static const TestVote few[] = {
	{0, "b", "x"}, {0, "a", "x"},  {1, "a", "x"}, {1, "b", "x"},  {1, NULL, "x"}, {2, "a", "x"},
	{2, "b", "y"}, {2, NULL, "y"}, {3, "c", "y"}, {4, NULL, "z"}, {5, "a", "x"},  {5, NULL, "w"},
};
#define N_FEW (sizeof(few) / sizeof(few[0]))

static void
patterns_of_rows(void **state)
{
	TestEnv test;
	MrenVotes votes = {0};
	uint32_t patterns[6];
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	votes.env = &test.env;
	assert_int_equal(gather(&votes, few, N_FEW, patterns, &err), MREN_OK);
	assert_int_equal(votes.n_patterns, 4);
	assert_int_equal(patterns[0], patterns[1]);
	assert_int_not_equal(patterns[1], patterns[2]);
	assert_int_equal(patterns[4], MREN_NO_PATTERN);
	assert_int_equal(votes.n_rows, 5);
	assert_int_equal(votes.n_cast, 8);
	assert_int_equal(votes.patterns[patterns[0]].rows, 2);
	/* By contents: a:x, a:x b:x, a:x b:y, c:y. */
	assert_int_equal(votes.order[0], patterns[5]);
	assert_int_equal(votes.order[1], patterns[0]);
	assert_int_equal(votes.order[2], patterns[2]);
	assert_int_equal(votes.order[3], patterns[3]);
	/* Relations w x y z; nobody votes for w, and nobody votes on the row of z. */
	assert_int_equal(votes.relations.n, 4);
	assert_int_equal(votes.relation_votes[1], 6);
	assert_int_equal(votes.n_gold_rows, 3);
	assert_int_equal(votes.n_unvoted, 1);
	assert_int_equal(votes.n_unknown, 1);
	assert_int_equal(votes.unknown, 0);
	assert_int_equal(votes.n_gold, 3);
	mren_votes_free(&votes);
	assert_int_equal(test.n_live, 0);
}

static void
summary_by_hand(void **state)
{
	TestEnv test;
	MrenVotes votes = {0};
	MrenVoteSummary summary;
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	votes.env = &test.env;
	assert_int_equal(gather(&votes, few, N_FEW, NULL, &err), MREN_OK);
	assert_int_equal(mren_vote_summarize(&votes, &summary, &err), MREN_OK);
	assert_int_equal(summary.n, 3);
	/* a: rows 0 1 2 5; b: rows 0 1 2; they agree on 0 1. */
	assert_int_equal(summary.sources[0].votes, 4);
	assert_int_equal(summary.sources[0].overlaps, 3);
	assert_int_equal(summary.sources[0].conflicts, 1);
	assert_int_equal(summary.sources[0].gold, 3);
	assert_int_equal(summary.sources[0].correct, 1);
	assert_int_equal(summary.sources[0].nearest, 1);
	assert_int_equal(summary.sources[1].correct, 2);
	assert_int_equal(summary.sources[1].most, 1);
	assert_int_equal(summary.sources[1].most_votes, 2);
	assert_int_equal(summary.sources[2].nearest, MREN_NO_SOURCE);
	assert_float_equal(mren_vote_similarity(&summary, 0, 1), 2.0 / 5, 1e-12);
	assert_float_equal(mren_vote_similarity(&summary, 1, 0), 2.0 / 5, 1e-12);
	assert_float_equal(mren_vote_similarity(&summary, 0, 2), 0, 1e-12);
	/* Wilson, 1 of 3: (1/3 + 1.9207/3 -+ 1.96 sqrt(2/27 + 0.9604/9)) / (1 + 3.8415/3). */
	assert_float_equal(summary.sources[0].accuracy_low, 0.0615, 1e-3);
	assert_float_equal(summary.sources[0].accuracy_high, 0.7923, 1e-3);
	assert_float_equal(summary.sources[2].accuracy_low, 0, 0);
	assert_float_equal(summary.sources[2].accuracy_high, 1, 0);
	mren_vote_summary_free(&test.env, &summary);
	mren_votes_free(&votes);
	assert_int_equal(test.n_live, 0);
}

static void
bad_votes(void **state)
{
	static const TestVote two[] = {{0, "a", "x"}, {0, "a", "y"}};
	static const TestVote gold[] = {{0, NULL, "x"}, {0, "a", "x"}, {0, NULL, "y"}};
	static const TestVote empty[] = {{0, "", "x"}};
	static const TestVote same[] = {{0, "a", "x"}, {0, NULL, "x"}, {0, "a", "x"}, {0, NULL, "x"}};
	TestEnv test;
	MrenVotes votes = {0};
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	votes.env = &test.env;
	assert_int_equal(gather(&votes, two, 2, NULL, &err), MREN_EDATA);
	assert_non_null(strstr(err.message, "\"a\" has two different votes on row \"id\""));
	mren_votes_free(&votes);
	assert_int_equal(gather(&votes, gold, 3, NULL, &err), MREN_EDATA);
	mren_votes_free(&votes);
	assert_int_equal(gather(&votes, empty, 1, NULL, &err), MREN_EDATA);
	mren_votes_free(&votes);
	assert_int_equal(gather(&votes, same, 4, NULL, &err), MREN_OK);
	assert_int_equal(votes.n_cast, 1);
	assert_int_equal(votes.n_gold_rows, 1);
	mren_votes_free(&votes);
	assert_int_equal(test.n_live, 0);
}

static void
majority_of_votes(void **state)
{
	TestEnv test;
	MrenVotes votes = {0};
	MrenLabelModel model;
	uint32_t patterns[6];
	double p[4];
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	votes.env = &test.env;
	assert_int_equal(gather(&votes, few, N_FEW, patterns, &err), MREN_OK);
	assert_int_equal(mren_label_model_fit(&votes, NULL, MREN_LABELS_MAJORITY, &model, &err),
					 MREN_OK);
	assert_int_equal(mren_label_probabilities(&model, patterns[0], p), 1);
	assert_float_equal(p[1], 1, 0);
	/* A tie goes to x, which has 6 votes. */
	assert_int_equal(mren_label_probabilities(&model, patterns[2], p), 1);
	assert_float_equal(p[1], 0.5, 0);
	assert_float_equal(p[2], 0.5, 0);
	assert_int_equal(mren_label_probabilities(&model, patterns[3], p), 2);
	mren_label_model_free(&model);
	mren_votes_free(&votes);
	assert_int_equal(test.n_live, 0);
}

/*
 * Rows of three relations and n_sources sources, the last of which repeats the
 * one before it n_copies times.  Source s is right with the given chance and otherwise says
 * one of the other relations.
 */
typedef struct Simulation
{
	const double *right;
	size_t n_sources;
	size_t n_copies; /* further ones of the last source */
	size_t rows;
	size_t gold;		 /* the first rows */
	uint8_t truth[4000]; /* by row */
	uint32_t patterns[4000];
} Simulation;

static const char *const relations[] = {"x", "y", "z"};

static MrenStatus
simulate(MrenVotes *votes, Simulation *simulation, MrenError *err)
{
	MrenRandom random;

	mren_random_seed(&random, 7, 1);
	for (size_t row = 0; row < simulation->rows; row++)
	{
		uint8_t truth = (uint8_t) (mren_random_uniform(&random) * 3);
		char name[8] = "s0";

		simulation->truth[row] = truth;
		for (size_t s = 0; s < simulation->n_sources; s++)
		{
			bool right = mren_random_uniform(&random) < (float) simulation->right[s];
			int other = 1 + (mren_random_uniform(&random) < 0.5F);
			size_t n = s + 1 == simulation->n_sources ? 1 + simulation->n_copies : 1;

			for (size_t copy = 0; copy < n; copy++)
			{
				name[1] = (char) ('0' + s + copy);
				MREN_TRY(mren_votes_add(votes, span(name),
										span(relations[right ? truth : (truth + other) % 3]), err));
			}
		}
		if (row < simulation->gold)
			MREN_TRY(mren_votes_add_gold(votes, span(relations[truth]), err));
		MREN_TRY(mren_votes_end_row(votes, &simulation->patterns[row], err));
	}
	return mren_votes_finish(votes, err);
}

/* The share of rows after the gold rows whose label is right. */
static double
accuracy_of(const MrenLabelModel *model, const Simulation *simulation)
{
	double correct = 0;
	double p[3];

	for (size_t row = simulation->gold; row < simulation->rows; row++)
		correct +=
			mren_label_probabilities(model, simulation->patterns[row], p) == simulation->truth[row];
	return correct / (double) (simulation->rows - simulation->gold);
}

static double
fitted_accuracy(Simulation *simulation, MrenLabelMethod method, double *weights)
{
	TestEnv test;
	MrenVotes votes = {0};
	MrenVoteSummary summary;
	MrenLabelModel model;
	MrenError err = {0};
	double accuracy;

	test_env_init(&test);
	votes.env = &test.env;
	assert_int_equal(simulate(&votes, simulation, &err), MREN_OK);
	assert_int_equal(mren_vote_summarize(&votes, &summary, &err), MREN_OK);
	assert_int_equal(mren_label_model_fit(&votes, &summary, method, &model, &err), MREN_OK);
	accuracy = accuracy_of(&model, simulation);
	for (size_t s = 0; weights != NULL && s < votes.sources.n; s++)
		weights[s] = model.weights[s];
	mren_label_model_free(&model);
	mren_vote_summary_free(&test.env, &summary);
	mren_votes_free(&votes);
	assert_int_equal(test.n_live, 0);
	return accuracy;
}

/* Five copies of a poor source outvote three good ones in a majority, but not by weights. */
static void
copies_count_once(void **state)
{
	static const double right[] = {0.8, 0.8, 0.8, 0.5};
	static Simulation simulation = {right, 4, 0, 3000, 200, {0}, {0}};
	double once[4];
	double copied[8];
	double plain = fitted_accuracy(&simulation, MREN_LABELS_WEIGHTED, once);
	double weighted;
	double sum = 0;

	(void) state;
	simulation.n_copies = 4;
	weighted = fitted_accuracy(&simulation, MREN_LABELS_WEIGHTED, copied);
	assert_true(plain > 0.87);
	assert_true(weighted > plain - 0.01);
	assert_true(fitted_accuracy(&simulation, MREN_LABELS_MAJORITY, NULL) < 0.6);
	/* The copies have the same weight and together that of the one. */
	for (int s = 3; s < 8; s++)
	{
		sum += copied[s];
		assert_float_equal(copied[s], copied[3], 1e-4);
	}
	assert_true(fabs(sum - once[3]) < 0.5);
}

static void
a_wrong_source_counts_against(void **state)
{
	static const double right[] = {0.7, 0.7, 0.0};
	static Simulation simulation = {right, 3, 0, 3000, 300, {0}, {0}};
	double weights[3];
	double accuracy = fitted_accuracy(&simulation, MREN_LABELS_WEIGHTED, weights);

	(void) state;
	assert_true(weights[0] > 0.5 && weights[1] > 0.5 && weights[2] < -1);
	assert_true(accuracy > fitted_accuracy(&simulation, MREN_LABELS_MAJORITY, NULL) + 0.05);
}

/* A good person among poor ones, without any gold row. */
static void
dawid_skene_finds_who_is_right(void **state)
{
	static const double right[] = {0.95, 0.85, 0.5, 0.45, 0.4};
	static Simulation simulation = {right, 5, 0, 4000, 0, {0}, {0}};
	double dawid_skene = fitted_accuracy(&simulation, MREN_LABELS_DAWID_SKENE, NULL);

	(void) state;
	assert_true(dawid_skene > 0.94);
	assert_true(dawid_skene > fitted_accuracy(&simulation, MREN_LABELS_MAJORITY, NULL) + 0.08);
}

/* The same votes in another order give the same bits. */
static void
order_does_not_matter(void **state)
{
	TestEnv test;
	TestVote turned[N_FEW];
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	for (size_t i = 0; i < N_FEW; i++)
	{
		turned[i] = few[N_FEW - 1 - i];
		turned[i].row = 5 - turned[i].row;
	}
	for (int method = MREN_LABELS_MAJORITY; method <= MREN_LABELS_DAWID_SKENE; method++)
	{
		double p[2][6][4];

		for (int turn = 0; turn < 2; turn++)
		{
			MrenVotes votes = {.env = &test.env};
			MrenVoteSummary summary;
			MrenLabelModel model;
			uint32_t patterns[6];

			assert_int_equal(gather(&votes, turn ? turned : few, N_FEW, patterns, &err), MREN_OK);
			assert_int_equal(mren_vote_summarize(&votes, &summary, &err), MREN_OK);
			assert_int_equal(
				mren_label_model_fit(&votes, &summary, (MrenLabelMethod) method, &model, &err),
				MREN_OK);
			for (int row = 0; row < 6; row++)
			{
				memset(p[turn][row], 0, sizeof(p[turn][row]));
				if (row != 4)
					(void) mren_label_probabilities(&model, patterns[turn ? 5 - row : row],
													p[turn][row]);
			}
			mren_label_model_free(&model);
			mren_vote_summary_free(&test.env, &summary);
			mren_votes_free(&votes);
		}
		assert_memory_equal(p[0], p[1], sizeof(p[0]));
	}
	assert_int_equal(test.n_live, 0);
}

static MrenStatus
fit_all(const MrenEnv *env, MrenError *err, void *arg)
{
	MrenVotes votes = {.env = env};
	MrenVoteSummary summary = {0};
	MrenLabelModel model;
	MrenStatus status = gather(&votes, few, N_FEW, NULL, err);

	(void) arg;
	if (status == MREN_OK)
		status = mren_vote_summarize(&votes, &summary, err);
	for (int method = MREN_LABELS_MAJORITY; status == MREN_OK && method <= MREN_LABELS_DAWID_SKENE;
		 method++)
	{
		status = mren_label_model_fit(&votes, &summary, (MrenLabelMethod) method, &model, err);
		if (status == MREN_OK)
			mren_label_model_free(&model);
	}
	mren_vote_summary_free(env, &summary);
	mren_votes_free(&votes);
	return status;
}

static void
failures_leave_nothing(void **state)
{
	(void) state;
	test_allocation_sweep(fit_all, NULL);
	test_interrupt_sweep(fit_all, NULL);
}

static void
weights_need_gold(void **state)
{
	static const TestVote none[] = {{0, "a", "x"}, {1, NULL, "x"}};
	TestEnv test;
	MrenVotes votes = {0};
	MrenVoteSummary summary;
	MrenLabelModel model;
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	votes.env = &test.env;
	assert_int_equal(gather(&votes, none, 2, NULL, &err), MREN_OK);
	assert_int_equal(mren_vote_summarize(&votes, &summary, &err), MREN_OK);
	assert_int_equal(mren_label_model_fit(&votes, &summary, MREN_LABELS_WEIGHTED, &model, &err),
					 MREN_EDATA);
	mren_vote_summary_free(&test.env, &summary);
	mren_votes_free(&votes);
	assert_int_equal(test.n_live, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_of_rows),
		cmocka_unit_test(summary_by_hand),
		cmocka_unit_test(bad_votes),
		cmocka_unit_test(majority_of_votes),
		cmocka_unit_test(copies_count_once),
		cmocka_unit_test(a_wrong_source_counts_against),
		cmocka_unit_test(dawid_skene_finds_who_is_right),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(failures_leave_nothing),
		cmocka_unit_test(weights_need_gold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
