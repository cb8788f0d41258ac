/*
 * library.c
 *	  Loading a library and finding its functions.
 */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

static MrenStatus
fail_library(const char *file, MrenError *err)
{
	const char *reason = dlerror();

	mren_fail(err, MREN_EUNSUPPORTED, "library \"%s\" cannot be loaded", file);
	if (reason != NULL)
		mren_error_detail(err, "%s.", reason);
	mren_error_hint(err, "Install the library, or an extension that was built for this system.");
	return MREN_EUNSUPPORTED;
}

MrenStatus
mren_library_load(const char *file, const char *const *names, size_t n, void *functions,
				  MrenError *err)
{
	char *at = functions;
	void *symbol;
	void *library;

	memcpy(&symbol, functions, sizeof(symbol));
	if (symbol != NULL)
		return MREN_OK;
	library = dlopen(file, RTLD_LAZY | RTLD_LOCAL);
	if (library == NULL)
		return fail_library(file, err);
	for (size_t i = 0; i < n; i++)
	{
		symbol = dlsym(library, names[i]);
		if (symbol == NULL)
		{
			memset(functions, 0, n * sizeof(symbol));
			fail_library(file, err);
			dlclose(library);
			return MREN_EUNSUPPORTED;
		}
		/* ISO C does not convert a pointer to an object to one to a function. */
		memcpy(at + i * sizeof(symbol), &symbol, sizeof(symbol));
	}
	return MREN_OK;
}
