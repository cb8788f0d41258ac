/*
 * test_base_library.c
 *	  Libraries that are loaded when they are first needed.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "base/library.h"

#define FUNCTIONS(F) F(cos) F(sin)

typedef struct Functions
{
	FUNCTIONS(MREN_LIBRARY_MEMBER)
} Functions;

static const char *const names[] = {FUNCTIONS(MREN_LIBRARY_NAME)};

static void
test_functions_are_found(void **state)
{
	Functions found = {NULL};
	Functions first;
	MrenError err;

	(void) state;
	assert_int_equal(mren_library_load("libm.so.6", names, 2, &found, &err), MREN_OK);
	assert_true(found.cos(0) == 1 && found.sin(0) == 0);
	first = found;
	/* not again: this file is not there */
	assert_int_equal(mren_library_load("libmren-absent.so", names, 2, &found, &err), MREN_OK);
	assert_memory_equal(&first, &found, sizeof(first));
}

static void
test_absence_is_an_error(void **state)
{
	static const char *const absent[] = {"cos", "mren_absent_function"};
	static const Functions none = {NULL};
	Functions found = {NULL};
	MrenError err = {0};

	(void) state;
	assert_int_equal(mren_library_load("libmren-absent.so", names, 2, &found, &err),
					 MREN_EUNSUPPORTED);
	assert_string_equal(err.message, "library \"libmren-absent.so\" cannot be loaded");
	assert_non_null(strstr(err.detail, "libmren-absent.so"));
	assert_memory_equal(&none, &found, sizeof(none));
	assert_int_equal(mren_library_load("libm.so.6", absent, 2, &found, &err), MREN_EUNSUPPORTED);
	assert_non_null(strstr(err.detail, "mren_absent_function"));
	assert_memory_equal(&none, &found, sizeof(none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions_are_found),
		cmocka_unit_test(test_absence_is_an_error),
	};

	return cmocka_run_group_tests_name("libraries", tests, NULL, NULL);
}
