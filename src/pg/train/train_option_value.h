/*
 * train_option_value.h
 *	  The value of an option, as the core takes it.
 */
#ifndef MREN_PG_TRAIN_TRAIN_OPTION_VALUE_H
#define MREN_PG_TRAIN_TRAIN_OPTION_VALUE_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "training/option_table.h"

/* Strings are converted to UTF-8; memory is palloc'd or the value's own. */
extern MrenOptionValue mren_train_option_value(const JsonbValue *value);

#endif
