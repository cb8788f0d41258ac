/*
 * test_relation_courses.c
 *	  Courses of a training, trained by several trainers: the network is the one that a single
 *	  trainer makes.
 *
 * Each trainer is in a thread, and they take turns: the libraries that they use, a serial BLAS
 * among them, are made for one thread at a time.  The turn passes at each call of a course.
 */
#include "relation_set.h"

#include <pthread.h>

#include "training/courses.h"

#define MAX_SERVERS 3
#define N_COURSES (MREN_N_COURSE_KINDS * 8)

/* What connects the trainers of a training. */
typedef struct Board
{
	pthread_mutex_t mutex;	/* held by whose turn it is */
	pthread_cond_t changed; /* the turn has passed */
	int turn;				/* 0: the trainer that leads, then the servers */
	bool here[MAX_SERVERS + 1];
	int n_servers;
	bool claimed[N_COURSES];
	int n_elsewhere; /* courses that servers have claimed */
	MrenCourseStatus status[N_COURSES];
	uint8_t *results[N_COURSES];
	size_t lengths[N_COURSES];
	int n_reported;
} Board;

typedef struct Server
{
	Board *board;
	int seat; /* its turn */
	const Set *set;
	const MrenOptions *options;
	size_t image_dim;
	int n_told; /* epochs that the leader has trained */
	TestEnv test;
	MrenStatus status;
	MrenError err;
} Server;

/* The turn of this thread. */
static _Thread_local int seat;

static void
next_turn(Board *board)
{
	do
		board->turn = (board->turn + 1) % (board->n_servers + 1);
	while (!board->here[board->turn]);
	pthread_cond_broadcast(&board->changed);
}

static void
await_turn(Board *board)
{
	while (board->turn != seat)
		pthread_cond_wait(&board->changed, &board->mutex);
}

static void
pass_turn(Board *board)
{
	next_turn(board);
	await_turn(board);
}

static void
take_seat(Board *board, int number)
{
	seat = number;
	pthread_mutex_lock(&board->mutex);
	await_turn(board);
}

static void
leave_seat(Board *board)
{
	bool others = false;

	board->here[seat] = false;
	for (int i = 0; i <= board->n_servers; i++)
		others = others || board->here[i];
	if (others)
		next_turn(board);
	pthread_mutex_unlock(&board->mutex);
}

static int
number(const MrenCourse *course)
{
	return (int) course->kind * 8 + (int) course->member;
}

static bool
claim(Board *board, const MrenCourse *course, bool elsewhere)
{
	bool mine;

	pass_turn(board);
	mine = !board->claimed[number(course)];
	board->claimed[number(course)] = true;
	board->n_elsewhere += mine && elsewhere;
	return mine;
}

static bool
lead_claim(void *state, const MrenCourse *course)
{
	return claim(state, course, false);
}

static bool
serve_claim(void *state, const MrenCourse *course)
{
	return claim(state, course, true);
}

static void
tell(void *state, const MrenCourse *fit, const MrenCourseStatus *status)
{
	Board *board = state;
	const MrenCourseStatus *before = &board->status[number(fit)];

	pass_turn(board);
	assert_true(status->best >= before->best && status->linear_best >= before->linear_best);
	board->status[number(fit)] = *status;
}

static void
look(void *state, const MrenCourse *fit, MrenCourseStatus *status)
{
	Board *board = state;

	pass_turn(board);
	*status = board->status[number(fit)];
}

/* It may return without anything new. */
static MrenStatus
await(void *state, MrenError *err)
{
	(void) err;
	pass_turn(state);
	return MREN_OK;
}

static MrenStatus
collect(void *state, const MrenCourse *course, const uint8_t **bytes, size_t *len, MrenError *err)
{
	Board *board = state;

	(void) err;
	pass_turn(board);
	*bytes = board->results[number(course)];
	*len = board->lengths[number(course)];
	return MREN_OK;
}

static MrenStatus
report(void *state, const MrenProgress *progress, MrenError *err)
{
	Board *board = state;

	(void) progress;
	(void) err;
	pass_turn(board);
	board->n_reported++;
	return MREN_OK;
}

static MrenStatus
done(void *state, const MrenCourse *course, const uint8_t *bytes, size_t len, MrenError *err)
{
	Board *board = state;

	(void) err;
	pass_turn(board);
	assert_null(board->results[number(course)]);
	board->results[number(course)] = malloc(len);
	board->lengths[number(course)] = len;
	memcpy(board->results[number(course)], bytes, len);
	return MREN_OK;
}

static MrenStatus
make_trainer(const MrenEnv *env, const Server *server, MrenExamples **examples,
			 MrenTrainer **trainer, MrenError *err)
{
	MrenTrainerInputs inputs;
	MrenStatus status;

	MREN_TRY(gather(env, server->set, server->image_dim, examples, err));
	status = fixture_inputs(&server->set->fixture, *examples, &inputs, err);
	if (status == MREN_OK)
		status = mren_trainer_create(env, server->options, &inputs, trainer, err);
	if (status != MREN_OK)
		mren_examples_free(*examples);
	return status;
}

static MrenStatus
serve_on(const MrenEnv *env, MrenError *err, void *arg)
{
	Server *server = arg;
	MrenCourses courses = {.state = server->board,
						   .claim = serve_claim,
						   .tell = tell,
						   .look = look,
						   .wait = await,
						   .report = report,
						   .done = done};
	MrenExamples *examples;
	MrenTrainer *trainer;
	MrenStatus status;

	MREN_TRY(make_trainer(env, server, &examples, &trainer, err));
	status = mren_trainer_serve(trainer, &courses, err);
	mren_trainer_free(trainer);
	mren_examples_free(examples);
	return status;
}

static void *
serve(void *arg)
{
	Server *server = arg;

	take_seat(server->board, server->seat);
	server->status = serve_on(&server->test.env, &server->err, server);
	leave_seat(server->board);
	return NULL;
}

static MrenNet *
lead(TestEnv *test, Server *like, int stop_after, MrenTrainReport *report_out)
{
	MrenCourses courses = {.state = like->board,
						   .claim = lead_claim,
						   .tell = tell,
						   .look = look,
						   .wait = await,
						   .collect = collect};
	MrenExamples *examples;
	MrenTrainer *trainer;
	MrenProgress progress;
	MrenError err = {0};
	MrenNet *net;
	int n = 0;

	assert_int_equal(make_trainer(&test->env, like, &examples, &trainer, &err), MREN_OK);
	mren_trainer_lead(trainer, &courses);
	do
	{
		if (mren_trainer_step(trainer, &progress, &err) != MREN_OK)
			fail_msg("%s", err.message);
		if (progress.event == MREN_TRAIN_EPOCH && ++n == stop_after)
			mren_trainer_stop(trainer);
	} while (progress.event != MREN_TRAIN_DONE);
	assert_int_equal(mren_trainer_finish(trainer, &net, &err), MREN_OK);
	mren_trainer_report(trainer, report_out);
	like->n_told = n;
	mren_trainer_free(trainer);
	mren_examples_free(examples);
	return net;
}

static void
free_results(Board *board)
{
	for (int i = 0; i < N_COURSES; i++)
	{
		free(board->results[i]);
		board->results[i] = NULL;
	}
}

/* Trains with so many trainers beside the one that leads. */
static MrenNet *
train_together(TestEnv *test, Server *like, int n, int stop_after, MrenTrainReport *report_out)
{
	Board board = {.n_servers = n};
	Server servers[MAX_SERVERS];
	pthread_t threads[MAX_SERVERS];
	MrenNet *net;

	pthread_mutex_init(&board.mutex, NULL);
	pthread_cond_init(&board.changed, NULL);
	like->board = &board;
	for (int i = 0; i <= n; i++)
		board.here[i] = true;
	for (int i = 0; i < n; i++)
	{
		servers[i] = *like;
		servers[i].seat = i + 1;
		test_env_init(&servers[i].test);
		assert_int_equal(pthread_create(&threads[i], NULL, serve, &servers[i]), 0);
	}
	take_seat(&board, 0);
	net = lead(test, like, stop_after, report_out);
	leave_seat(&board);
	for (int i = 0; i < n; i++)
	{
		pthread_join(threads[i], NULL);
		if (servers[i].status != MREN_OK)
			fail_msg("%s", servers[i].err.message);
		assert_int_equal(servers[i].test.n_live, 0);
	}
	assert_true(board.n_elsewhere > 0);
	/* The linear branch tells nothing of epochs of its own; a member may be refitted in vain. */
	if (stop_after == 0 && like->image_dim == 0)
		assert_true(like->n_told + board.n_reported <=
					report_out->epochs_run + report_out->refit_epochs);
	free_results(&board);
	return net;
}

static void
assert_same(TestEnv *test, const MrenNet *a, const MrenNet *b)
{
	uint8_t *bytes[2];
	size_t lengths[2];
	MrenError err = {0};

	assert_int_equal(mren_net_serialize(a, &test->env, &bytes[0], &lengths[0], &err), MREN_OK);
	assert_int_equal(mren_net_serialize(b, &test->env, &bytes[1], &lengths[1], &err), MREN_OK);
	assert_int_equal(lengths[0], lengths[1]);
	assert_memory_equal(bytes[0], bytes[1], lengths[0]);
	mren_release(&test->env, bytes[0]);
	mren_release(&test->env, bytes[1]);
}

/* Features of the linear branch: what head and tail are. */
static uint32_t codes[MAX_ROWS][2];

static void
add_features(Set *set)
{
	for (size_t i = 0; i < set->n; i++)
	{
		codes[i][0] = (uint32_t) set->rows[i].pieces[1];
		codes[i][1] = 64 + (uint32_t) set->rows[i].pieces[4];
		set->rows[i].example.features = codes[i];
		set->rows[i].example.n_features = 2;
	}
}

static void
assert_same_reports(const MrenTrainReport *a, const MrenTrainReport *b)
{
	assert_int_equal(a->epochs_run, b->epochs_run);
	assert_int_equal(a->refit_epochs, b->refit_epochs);
	assert_int_equal(a->best_epoch, b->best_epoch);
	assert_int_equal(a->linear_epoch, b->linear_epoch);
	assert_true(a->train_loss == b->train_loss && a->validation_loss == b->validation_loss &&
				a->validation_f1 == b->validation_f1 && a->linear_share == b->linear_share);
}

static void
must_be_same(Server *like)
{
	TestEnv test;
	MrenTrainReport alone_report;
	MrenNet *alone;

	test_env_init(&test);
	alone = train_set(&test.env, like->set, like->options, like->image_dim, &alone_report);
	for (int n = 1; n <= MAX_SERVERS; n++)
	{
		MrenTrainReport together_report;
		MrenNet *together = train_together(&test, like, n, 0, &together_report);

		assert_same(&test, alone, together);
		assert_same_reports(&alone_report, &together_report);
		mren_net_free(&test.env, together);
	}
	mren_net_free(&test.env, alone);
	assert_int_equal(test.n_live, 0);
}

static void
text_options(MrenOptions *options)
{
	small_options(options);
	options->common.epochs = 14;
	options->common.patience = 3;
	options->hash_bits = 8;
}

/* Refits of member and linear branch follow their fit at whatever pace each is trained. */
static void
test_text(void **state)
{
	Set *set = new_set();
	MrenOptions options;
	Server like = {.set = set, .options = &options};

	(void) state;
	make_xor(set, 200);
	add_features(set);
	text_options(&options);
	must_be_same(&like);
	options.common.learning_rate = 0.05; /* the member soon improves no more, the branch does */
	must_be_same(&like);
	options.common.patience = 0;
	must_be_same(&like);
	options.common.refit = false;
	options.ensemble = 3;
	must_be_same(&like);
	options.common.validation_share = 0;
	must_be_same(&like);
	free(set);
}

static void
test_images(void **state)
{
	Set *set = new_set();
	MrenOptions options;
	Server like = {.set = set, .options = &options, .image_dim = FIXTURE_IMAGE};

	(void) state;
	make_images(set, 160);
	add_features(set);
	text_options(&options);
	options.common.epochs = 8;
	options.ensemble = 2;
	must_be_same(&like);
	options.hash_bits = 0;
	must_be_same(&like);
	free(set);
}

/* A stop ends the courses elsewhere, and the network has what was best. */
static void
test_stop(void **state)
{
	Set *set = new_set();
	MrenOptions options;
	MrenTrainReport stopped;
	Server like = {.set = set, .options = &options};
	TestEnv test;

	(void) state;
	make_xor(set, 200);
	add_features(set);
	text_options(&options);
	options.common.epochs = 10000;
	options.common.patience = 0;
	test_env_init(&test);
	for (int epoch = 1; epoch <= 4; epoch += 3)
	{
		MrenNet *net = train_together(&test, &like, 2, epoch, &stopped);

		assert_true(stopped.validated && stopped.refit_epochs == 0);
		assert_true(stopped.epochs_run >= epoch && stopped.epochs_run <= epoch + 1);
		mren_net_free(&test.env, net);
	}
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* A fit that has ended, so that a trainer serves alone, its courses once each. */
static MrenStatus
serve_alone(const MrenEnv *env, MrenError *err, void *arg)
{
	Server *server = arg;
	Board board = {.n_servers = 1, .here = {true}};
	MrenStatus status;

	pthread_mutex_init(&board.mutex, NULL);
	pthread_cond_init(&board.changed, NULL);
	board.status[number(&(MrenCourse){MREN_COURSE_FIT, 0})] =
		(MrenCourseStatus){.best = 2, .linear_best = 1, .final = true};
	server->board = &board;
	status = serve_on(env, err, server);
	if (status == MREN_OK)
		assert_int_equal(board.n_elsewhere, 4);
	free_results(&board);
	return status;
}

static void
test_serving_fails_cleanly(void **state)
{
	Set *set = new_set();
	MrenOptions options;
	Server server = {.set = set, .options = &options};

	(void) state;
	make_xor(set, 40);
	add_features(set);
	text_options(&options);
	options.common.epochs = 2;
	options.ensemble = 2;
	test_allocation_sweep(serve_alone, &server);
	test_interrupt_sweep(serve_alone, &server);
	free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_serving_fails_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
