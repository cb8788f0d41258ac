/*
 * library.h
 *	  Libraries that are loaded when they are first needed: few processes need them, and each one
 *	  that is linked takes up to a millisecond of every process that loads this one.
 *
 * The file that alone includes a library's header lists the functions that it calls,
 *
 *		#define FUNCTIONS(F) F(first_function) F(second_function)
 *		MREN_LIBRARY(FUNCTIONS);
 *
 * and calls library.first_function once MREN_LIBRARY_LOAD has filled the struct.  It is the one
 * thing that the core keeps: a library is loaded once for a process.
 */
#ifndef MREN_BASE_LIBRARY_H
#define MREN_BASE_LIBRARY_H

#include <stddef.h>

#include "base/status.h"

#define MREN_LIBRARY_MEMBER(name) __typeof__(&(name)) name;
#define MREN_LIBRARY_NAME(name) #name,

/* The functions' pointers, and their names. */
#define MREN_LIBRARY(functions)                                                                    \
	static struct                                                                                  \
	{                                                                                              \
		functions(MREN_LIBRARY_MEMBER)                                                             \
	} library;                                                                                     \
	static const char *const library_names[] = {functions(MREN_LIBRARY_NAME)}

#define MREN_LIBRARY_LOAD(file, err)                                                               \
	mren_library_load(file, library_names, sizeof(library_names) / sizeof(library_names[0]),       \
					  &library, err)

/*
 * mren_library_load
 *	  The n functions of these names into the pointers from `functions` on, unless the first is
 *	  already there.  file: as dlopen takes it.  MREN_EUNSUPPORTED if the library cannot be loaded
 *	  or lacks one of them; all pointers are then NULL.
 */
extern MrenStatus mren_library_load(const char *file, const char *const *names, size_t n,
									void *functions, MrenError *err);

#endif
