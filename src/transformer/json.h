/*
 * json.h
 *	  JSON of the files of a pretrained encoder, read by jansson.
 *
 * jansson allocates with malloc, so each document is bounded in bytes and values before it
 * is parsed, and freed on every path out.  Its parser recurses at most 2,048 levels.
 */
#ifndef MREN_TRANSFORMER_JSON_H
#define MREN_TRANSFORMER_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "base/status.h"

/*
 * mren_transformer_json
 *	  Parses len bytes as a JSON object.  what names them in messages.  A key that
 *	  occurs twice in an object is an error, since readers differ in which of the two
 *	  they take.  MREN_ELIMIT for more than limit bytes or two million
 *	  values, MREN_EFORMAT for anything
 *	  that is not an object in JSON.  The caller frees the result with json_decref.
 */
extern MrenStatus mren_transformer_json(const char *what, const uint8_t *bytes, size_t len,
										size_t limit, json_t **object, MrenError *err);

/*
 * An empty object; NULL without memory.  jansson's json_object() must not be called: the
 * server has a function of that name, which is found first.
 */
extern json_t *mren_transformer_json_new(void);

#endif
