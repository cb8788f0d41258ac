/*
 * json_options.h
 *	  Reading an options object (jsonb) and writing one: what the options of
 *	  networks, taggers and graphs have in common.
 */
#ifndef MREN_PG_SUPPORT_JSON_OPTIONS_H
#define MREN_PG_SUPPORT_JSON_OPTIONS_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "pg/support/compat.h"

typedef void (*MrenJsonOptionVisitor)(void *state, const char *key, const JsonbValue *value);

/*
 * mren_json_options_read
 *	  Calls visit for each member of the object, nested values undivided.  NULL
 *	  is the empty object; 22023 if it is no object.
 */
extern void mren_json_options_read(const Jsonb *object, MrenJsonOptionVisitor visit, void *state);

/* 22023 if it is no object. */
extern void mren_json_options_check(const Jsonb *object);

/* The value of a member; NULL if there is none. */
extern const JsonbValue *mren_json_options_find(const Jsonb *object, const char *key);

/* True if both objects have the same bytes, or both are NULL. */
extern bool mren_json_options_equal(const Jsonb *a, const Jsonb *b);

/*
 * The value of a member; 22023 with key and value if it is of the wrong kind: a name,
 * NULL for null; a boolean; a share of rows from 0 to 0.5; the index of one of n choices, of
 * which the first is the default.  fallback is the default, which null stands for.
 */
extern char *mren_json_option_name(const char *key, const JsonbValue *value);
extern bool mren_json_option_bool(const char *key, const JsonbValue *value, bool fallback);
extern double mren_json_option_share(const char *key, const JsonbValue *value, double fallback);
extern int mren_json_option_choice(const char *key, const JsonbValue *value,
								   const char *const *choices, int n);

/* The error for any other value: what is allowed completes '"key" is ….' */
extern void mren_json_option_invalid(const char *key, const JsonbValue *value,
									 const char *allowed) MREN_NORETURN;

/* All 64 bits of an integer, as a seed has; false, and *number as it was, for any other value. */
extern bool mren_json_option_int64(const JsonbValue *value, int64_t *number);

/*
 * The error (22023) for a key that is not in the list of known names, with the
 * name in the list that is most like it; and for a name of an earlier version,
 * with the present one.
 */
extern void mren_json_option_unknown(const char *key, const char *known) MREN_NORETURN;
extern void mren_json_option_renamed(const char *key, const char *present) MREN_NORETURN;

/* Appends ', "key": value' as jsonb would print the string; NULL is null. */
extern void mren_json_option_append(StringInfo json, const char *key, const char *value);

#endif
