/*
 * option_table.h
 *	  Options of any kind as a table: one row a key, with the field that it sets and what it
 *	  allows.  Reading from JSON, writing as JSON, lists and hints all follow from the table.
 */
#ifndef MREN_TRAINING_OPTION_TABLE_H
#define MREN_TRAINING_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "nn/dense.h"

typedef enum MrenOptionValueKind
{
	MREN_VALUE_NUMBER,
	MREN_VALUE_STRING,
	MREN_VALUE_BOOL,
	MREN_VALUE_NUMBERS, /* an array of numbers only */
	MREN_VALUE_MEMBER,	/* an object of one member, whose value is a number */
	MREN_VALUE_NULL,
	MREN_VALUE_OTHER,
} MrenOptionValueKind;

typedef struct MrenOptionValue
{
	MrenOptionValueKind kind;
	double number;
	const char *string; /* zero-terminated UTF-8; of a member, its key */
	bool boolean;
	const double *numbers;
	size_t n_numbers;
} MrenOptionValue;

typedef enum MrenOptionKind
{
	MREN_OPTION_SIZE,	/* size_t, an integer within low .. high */
	MREN_OPTION_REAL,	/* double, within low .. high */
	MREN_OPTION_CHOICE, /* an enum (int), one of the words */
	MREN_OPTION_BOOL,
	MREN_OPTION_NAME,	/* const char *, of low to high bytes; may be NULL */
	MREN_OPTION_SIZES,	/* MrenSizes, each number within low .. high */
	MREN_OPTION_SEED,	/* int64_t */
	MREN_OPTION_AIM,	/* MrenAimOption: one of the words, the last of them with a number */
	MREN_OPTION_SHARED, /* the option of the same key in the base table */
} MrenOptionKind;

typedef struct MrenSizes
{
	size_t n;
	size_t at[MREN_MAX_HIDDEN];
} MrenSizes;

/*
 * A word or, as {"word": number}, the last of the option's words with a number within low .. high.
 */
typedef struct MrenAimOption
{
	int word;
	double number; /* 0 with any other word */
} MrenAimOption;

/*
 * A default of a SIZE or REAL may lie outside its range: the value then depends
 * on the data, and is null as JSON.
 */
typedef struct MrenOption
{
	const char *key;
	MrenOptionKind kind;
	size_t offset; /* of the field in its struct */
	double low;
	double high;
	const char *words[4]; /* of a choice, in the order of its enum */
} MrenOption;

/* An option's name in an earlier version. */
typedef struct MrenRenamedOption
{
	const char *old_key;
	const char *key;
} MrenRenamedOption;

typedef struct MrenOptionTable
{
	const MrenOption *options; /* (n) in alphabetical order, which is also that of the JSON */
	size_t n;
	/* table of the struct that this one's struct begins with; or NULL */
	const struct MrenOptionTable *base;
	const MrenRenamedOption *renamed; /* (n_renamed) */
	size_t n_renamed;
} MrenOptionTable;

/* NULL for an unknown key. */
extern const MrenOption *mren_option_find(const MrenOptionTable *table, const char *key);

/* The present name of an option that was renamed; NULL for any other key. */
extern const char *mren_option_renamed(const MrenOptionTable *table, const char *old_key);

/* "activation, batch_size, ..."; cut at a key's border if size is short. */
extern void mren_option_list(const MrenOptionTable *table, char *buffer, size_t size);

/*
 * mren_option_set
 *	  Sets the key's field of fields; null takes it from defaults, which is of the same type.
 *	  Errors as of mren_options_set.
 */
extern MrenStatus mren_option_set(const MrenOptionTable *table, void *fields, const void *defaults,
								  const char *key, const MrenOptionValue *value, MrenError *err);

/* As mren_options_json. */
extern MrenStatus mren_option_json(const MrenEnv *env, const MrenOptionTable *table,
								   const void *fields, char **json, MrenError *err);

#endif
