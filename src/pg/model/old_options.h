/*
 * old_options.h
 *	  Options and metrics of networks that mren 0.1.0 and 0.2.0 trained, under
 *	  their present names.
 */
#ifndef MREN_PG_MODEL_OLD_OPTIONS_H
#define MREN_PG_MODEL_OLD_OPTIONS_H

#include "postgres.h"

#include "pg/model/network_type.h"

/*
 * mren_network_rename_options
 *	  Gives options and metrics of 0.1.0 and 0.2.0 the names of 0.3.0, and
 *	  weight_decay the value that was applied.  Later ones stay as they are.
 *	  What is new is allocated in the context.
 */
extern void mren_network_rename_options(MemoryContext context, MrenNetwork *network);

#endif
