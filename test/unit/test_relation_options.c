/*
 * test_relation_options.c
 *	  Options: defaults, ranges, messages, and the JSON they make.
 */
#include "relation_fixture.h"

#include <math.h>
#include <stdio.h>

#include "relation/options.h"

static MrenStatus
set_number(MrenOptions *options, const char *key, double number, MrenError *err)
{
	MrenOptionValue value = {.kind = MREN_VALUE_NUMBER, .number = number};

	return mren_options_set(options, key, &value, err);
}

static MrenStatus
set_string(MrenOptions *options, const char *key, const char *string, MrenError *err)
{
	MrenOptionValue value = {.kind = MREN_VALUE_STRING, .string = string};

	return mren_options_set(options, key, &value, err);
}

static void
test_few_rows_validate_more(void **state)
{
	MrenOptions options;

	(void) state;
	mren_options_init(&options);
	assert_true(mren_options_validation_share(&options, 0) == 0.1);
	assert_true(mren_options_validation_share(&options, 50) == 0.3);
	assert_true(mren_options_validation_share(&options, 1000) == 0.2);
	assert_true(mren_options_validation_share(&options, 5000) == 0.1);
	options.pretrained = "tiny";
	assert_true(mren_options_validation_share(&options, 50) == 0.1);
	options.common.validation_share = 0.05;
	assert_true(mren_options_validation_share(&options, 50) == 0.05);
}

static void
test_defaults_are_the_recipe(void **state)
{
	TestEnv test;
	MrenOptions options;
	MrenError err = {0};
	char *json;

	(void) state;
	test_env_init(&test);
	mren_options_init(&options);
	assert_int_equal(mren_options_json(&test.env, &options, &json, &err), MREN_OK);
	assert_string_equal(
		json, "{\"activation\": \"relu\", \"batch_size\": 32, \"class_weights\": "
			  "\"none\", "
			  "\"decide\": \"argmax\", \"dropout\": 0.5, \"ensemble\": 1, \"epochs\": 100, "
			  "\"filters\": 100, \"fusion\": "
			  "\"parallel\", "
			  "\"hash_bits\": 18, \"hidden\": [128, 64], "
			  "\"hidden_dropout\": 0.3, \"image_dropout\": 0.25, \"image_units\": "
			  "256, "
			  "\"learning_rate\": 0.001, "
			  "\"loss\": \"cross_entropy\", \"margin_right\": 2.5, \"margin_wrong\": 0.5, "
			  "\"momentum\": 0.9, \"negative\": null, \"negative_logit\": \"learned\", "
			  "\"optimizer\": \"adam\", \"patience\": 8, \"product\": 128, \"ranking_scale\": 2, "
			  "\"refit\": true, \"seed\": 1, "
			  "\"text_encoder\": \"conv\", \"text_only_member\": true, \"threshold\": null, "
			  "\"validation_share\": null, \"weight_decay\": null, \"weight_ema\": null, "
			  "\"window\": 0, \"word_dropout\": 0.25, \"word_vectors\": \"frozen\"}");
	mren_release(&test.env, json);
	assert_int_equal(test.n_live, 0);
}

static void
test_values_are_taken(void **state)
{
	TestEnv test;
	MrenOptions options;
	MrenError err = {0};
	const double sizes[3] = {1, 20, 8192};
	MrenOptionValue hidden = {.kind = MREN_VALUE_NUMBERS, .numbers = sizes, .n_numbers = 3};
	MrenOptionValue refit = {.kind = MREN_VALUE_BOOL, .boolean = false};
	MrenOptionValue null = {.kind = MREN_VALUE_NULL};
	char *json;

	(void) state;
	test_env_init(&test);
	mren_options_init(&options);
	assert_int_equal(mren_options_set(&options, "hidden", &hidden, &err), MREN_OK);
	assert_int_equal(mren_options_set(&options, "refit", &refit, &err), MREN_OK);
	assert_int_equal(set_string(&options, "activation", "tanh", &err), MREN_OK);
	assert_int_equal(set_string(&options, "loss", "mse", &err), MREN_OK);
	assert_int_equal(set_string(&options, "loss", "ranking", &err), MREN_OK);
	assert_int_equal(set_string(&options, "negative_logit", "fixed", &err), MREN_OK);
	assert_int_equal(set_string(&options, "optimizer", "sgd", &err), MREN_OK);
	assert_int_equal(set_string(&options, "class_weights", "balanced", &err), MREN_OK);
	assert_int_equal(set_string(&options, "negative", "a \"b\"\n", &err), MREN_OK);
	assert_int_equal(set_string(&options, "fusion", "parallel", &err), MREN_OK);
	assert_int_equal(set_number(&options, "learning_rate", 0.1, &err), MREN_OK);
	assert_int_equal(set_number(&options, "threshold", 0.5, &err), MREN_OK);
	assert_int_equal(set_number(&options, "seed", -7, &err), MREN_OK);
	assert_int_equal(options.common.n_hidden, 3);
	assert_int_equal(options.common.hidden[2], 8192);
	assert_int_equal(options.common.seed, -7);
	options.common.seed = INT64_MIN;
	assert_int_equal(mren_options_json(&test.env, &options, &json, &err), MREN_OK);
	assert_non_null(strstr(json, "\"hidden\": [1, 20, 8192]"));
	assert_non_null(strstr(json, "\"learning_rate\": 0.1,"));
	assert_non_null(strstr(json, "\"loss\": \"ranking\","));
	assert_non_null(strstr(json, "\"negative_logit\": \"fixed\","));
	assert_non_null(strstr(json, "\"negative\": \"a \\\"b\\\"\\u000a\""));
	assert_non_null(strstr(json, "\"seed\": -9223372036854775808"));
	mren_release(&test.env, json);
	/* null is the default again. */
	assert_int_equal(mren_options_set(&options, "hidden", &null, &err), MREN_OK);
	assert_int_equal(mren_options_set(&options, "threshold", &null, &err), MREN_OK);
	assert_int_equal(options.common.n_hidden, 2);
	assert_true(options.threshold < 0);
}

static void
expect_number(const char *key, double number, const char *message, const char *hint)
{
	MrenOptions options;
	MrenOptions before;
	MrenError err = {0};

	mren_options_init(&options);
	before = options;
	assert_int_equal(set_number(&options, key, number, &err), MREN_EPARAM);
	assert_string_equal(err.message, message);
	assert_string_equal(err.hint, hint);
	assert_memory_equal(&options, &before, sizeof(options));
}

static MrenStatus
set_member(MrenOptions *options, const char *key, const char *member, double number, MrenError *err)
{
	MrenOptionValue value = {.kind = MREN_VALUE_MEMBER, .string = member, .number = number};

	return mren_options_set(options, key, &value, err);
}

static void
test_aims(void **state)
{
	static const char hint[] =
		"Allowed values of \"decide\": \"argmax\", \"f1\", {\"precision\": number from 0.01 to 1}.";
	TestEnv test;
	MrenOptions options;
	MrenError err = {0};
	char *json;

	(void) state;
	test_env_init(&test);
	mren_options_init(&options);
	assert_int_equal(set_string(&options, "decide", "f1", &err), MREN_OK);
	assert_int_equal(options.decide.word, MREN_AIM_F1);
	assert_int_equal(mren_options_json(&test.env, &options, &json, &err), MREN_OK);
	assert_non_null(strstr(json, "\"decide\": \"f1\","));
	mren_release(&test.env, json);
	assert_int_equal(set_member(&options, "decide", "precision", 0.9, &err), MREN_OK);
	assert_int_equal(options.decide.word, MREN_AIM_PRECISION);
	assert_true(options.decide.number == 0.9);
	assert_int_equal(mren_options_json(&test.env, &options, &json, &err), MREN_OK);
	assert_non_null(strstr(json, "\"decide\": {\"precision\": 0.9},"));
	mren_release(&test.env, json);
	/* A word that needs its number, a number beside a word that has none, one out of range. */
	assert_int_equal(set_string(&options, "decide", "precision", &err), MREN_EPARAM);
	assert_string_equal(err.message, "invalid value for option \"decide\": \"precision\"");
	assert_string_equal(err.hint, hint);
	assert_int_equal(set_member(&options, "decide", "f1", 1, &err), MREN_EPARAM);
	assert_int_equal(set_member(&options, "decide", "precision", 1.5, &err), MREN_EPARAM);
	assert_string_equal(err.message, "invalid value for option \"decide\": {\"precision\": 1.5}");
	assert_int_equal(set_number(&options, "decide", 0.9, &err), MREN_EPARAM);
	assert_int_equal(set_member(&options, "epochs", "precision", 1, &err), MREN_EPARAM);
	assert_int_equal(options.decide.word, MREN_AIM_PRECISION);
}

static void
test_impossible_numbers(void **state)
{
	(void) state;
	expect_number("batch_size", 0, "invalid value for option \"batch_size\": 0",
				  "\"batch_size\" is an integer from 1 to 4096.");
	expect_number("batch_size", 32.5, "invalid value for option \"batch_size\": 32.5",
				  "\"batch_size\" is an integer from 1 to 4096.");
	expect_number("epochs", 1e300, "invalid value for option \"epochs\": 1e+300",
				  "\"epochs\" is an integer from 1 to 10000.");
	expect_number("dropout", 1, "invalid value for option \"dropout\": 1",
				  "\"dropout\" is a number from 0 to 0.95.");
	expect_number("learning_rate", NAN, "invalid value for option \"learning_rate\": nan",
				  "\"learning_rate\" is a number from 1e-08 to 10.");
	expect_number("refit", 1, "invalid value for option \"refit\": 1",
				  "\"refit\" is true or false.");
	expect_number("hidden", 128, "invalid value for option \"hidden\": 128",
				  "\"hidden\" is an array of 1 to 8 integers from 1 to 8192.");
	expect_number("activation", 1, "invalid value for option \"activation\": 1",
				  "Allowed values of \"activation\": \"relu\", \"tanh\".");
	expect_number("seed", 0x1p60, "invalid value for option \"seed\": 1.15292150460685e+18",
				  "\"seed\" is an integer of 64 bits.");
}

static void
test_impossible_words_and_arrays(void **state)
{
	MrenOptions options;
	MrenError err = {0};
	const double sizes[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
	MrenOptionValue hidden = {.kind = MREN_VALUE_NUMBERS, .numbers = sizes, .n_numbers = 9};
	MrenOptionValue other = {.kind = MREN_VALUE_OTHER};

	(void) state;
	mren_options_init(&options);
	assert_int_equal(set_string(&options, "loss", "hinge", &err), MREN_EPARAM);
	assert_string_equal(err.message, "invalid value for option \"loss\": \"hinge\"");
	assert_string_equal(err.hint,
						"Allowed values of \"loss\": \"cross_entropy\", \"mse\", \"ranking\".");
	assert_int_equal(mren_options_set(&options, "hidden", &hidden, &err), MREN_EPARAM);
	hidden.n_numbers = 0;
	assert_int_equal(mren_options_set(&options, "hidden", &hidden, &err), MREN_EPARAM);
	assert_string_equal(err.message, "invalid value for option \"hidden\": []");
	assert_int_equal(mren_options_set(&options, "window", &other, &err), MREN_EPARAM);
	assert_int_equal(set_string(&options, "negative", "", &err), MREN_EPARAM);
	/* Any other name is that of a pretrained one. */
	assert_int_equal(set_string(&options, "text_encoder", "lstm", &err), MREN_OK);
	assert_string_equal(options.pretrained, "lstm");
	assert_int_equal(set_string(&options, "text_encoder", "pool", &err), MREN_OK);
	assert_null(options.pretrained);
	assert_int_equal(set_number(&options, "text_encoder", 1, &err), MREN_EPARAM);
	assert_string_equal(err.hint, "Allowed values of \"text_encoder\": \"pool\", \"conv\".");
	assert_int_equal(set_string(&options, "fusion", "hyb", &err), MREN_EPARAM);
	assert_int_equal(set_string(&options, "fusion", "", &err), MREN_EPARAM);
	assert_int_equal(set_string(&options, "fusion", "sequential,hybrid", &err), MREN_EPARAM);
}

static void
test_unknown_options_list_the_known(void **state)
{
	MrenOptions options;
	MrenError err = {0};
	char brief[28];

	(void) state;
	mren_options_init(&options);
	assert_int_equal(set_number(&options, "epoch", 3, &err), MREN_EPARAM);
	assert_string_equal(err.message, "unknown option \"epoch\"");
	assert_non_null(
		strstr(err.hint, "Options are activation, adapter_rank, batch_size, class_weights, "));
	assert_non_null(strstr(err.hint, ", word_dropout, word_vectors."));
	assert_true(mren_options_known("epochs"));
	assert_false(mren_options_known("embeddings"));
	mren_options_list(brief, sizeof(brief));
	assert_string_equal(brief, "activation, adapter_rank");
}

static void
test_old_names_are_errors_that_give_the_new_ones(void **state)
{
	static const char *const names[][2] = {{"average", "weight_ema"},
										   {"image_gate", "text_only_member"},
										   {"l2", "weight_decay"},
										   {"vectors", "word_vectors"},
										   {"wide", "hash_bits"}};
	MrenOptions options;
	MrenError err = {0};

	(void) state;
	mren_options_init(&options);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		char hint[100];

		snprintf(hint, sizeof(hint), "Option \"%s\" is now called \"%s\".", names[i][0],
				 names[i][1]);
		assert_int_equal(set_number(&options, names[i][0], 0, &err), MREN_EPARAM);
		assert_string_equal(err.hint, hint);
		assert_true(mren_options_known(names[i][1]));
	}
}

/* The value that is given is the one that is applied; only the default depends on the data. */
static void
test_weight_decay(void **state)
{
	MrenOptions options;
	MrenError err = {0};

	(void) state;
	mren_options_init(&options);
	assert_true(mren_options_weight_decay(&options, false) == 0.01);
	assert_true(mren_options_weight_decay(&options, true) == 1);
	assert_int_equal(set_number(&options, "weight_decay", 0.5, &err), MREN_OK);
	assert_true(mren_options_weight_decay(&options, false) == 0.5);
	assert_true(mren_options_weight_decay(&options, true) == 0.5);
}

static MrenStatus
make_json(const MrenEnv *env, MrenError *err, void *arg)
{
	MrenOptions options;
	char *json = NULL;
	MrenStatus status;

	(void) arg;
	mren_options_init(&options);
	status = mren_options_json(env, &options, &json, err);
	mren_release(env, json);
	return status;
}

static void
test_json_survives_failed_allocations(void **state)
{
	(void) state;
	test_allocation_sweep(make_json, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few_rows_validate_more),
		cmocka_unit_test(test_defaults_are_the_recipe),
		cmocka_unit_test(test_values_are_taken),
		cmocka_unit_test(test_aims),
		cmocka_unit_test(test_impossible_numbers),
		cmocka_unit_test(test_impossible_words_and_arrays),
		cmocka_unit_test(test_unknown_options_list_the_known),
		cmocka_unit_test(test_old_names_are_errors_that_give_the_new_ones),
		cmocka_unit_test(test_weight_decay),
		cmocka_unit_test(test_json_survives_failed_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
