/*
 * tokenizer_json.h
 *	  The parts of tokenizer.json, each read into a tokenizer or refused by its name.
 *
 * Errors: MREN_EFORMAT for a part that is not what it should be, MREN_EUNSUPPORTED for one
 * that would do something that is not supported here, MREN_ELIMIT for sizes out of bounds.
 */
#ifndef MREN_TRANSFORMER_TOKENIZER_TOKENIZER_JSON_H
#define MREN_TRANSFORMER_TOKENIZER_TOKENIZER_JSON_H

#include "transformer/json.h"
#include "transformer/tokenizer/subword_parts.h"

#define MREN_MAX_PIECE_BYTES 65536

/* The "type" of a part, "" if it has none. */
extern const char *mren_subword_part_type(const json_t *part);
extern bool mren_subword_part_is(const json_t *part, const char *type);

/* MREN_EUNSUPPORTED: `what` and the part's type. */
extern MrenStatus mren_subword_refuse(const char *what, const json_t *part, MrenError *err);

/* A value that may be missing or null, which gives `missing`. */
extern MrenStatus mren_subword_read_bool(const json_t *part, const char *key, bool missing,
										 bool *value, MrenError *err);
extern MrenStatus mren_subword_read_id(const json_t *value, const char *what, uint32_t *id,
									   MrenError *err);

/* normalizer_json.c */
extern MrenStatus mren_subword_read_normalizers(const MrenEnv *env, const json_t *part,
												MrenNormalizers *normalizers, MrenError *err);

/* pre_tokenizer_json.c */
extern MrenStatus mren_subword_read_pre_tokenizers(const json_t *part,
												   MrenSubwordTokenizer *tokenizer, MrenError *err);
extern MrenStatus mren_subword_read_post_processor(const json_t *part,
												   MrenSubwordTokenizer *tokenizer, MrenError *err);

/*
 * subword_weights.c: pieces as weights (base/weights.h).
 *
 * record: adds a tokenizer's to env's weights that are being recorded; root: its file, NULL:
 * vocab.txt.  take_settings, take: the file without its pieces, and the pieces, of env's weights
 * that are ready; take does nothing otherwise.  take_added: the id of an added token.  MREN_EFORMAT
 * for a damaged file.
 */
extern MrenStatus mren_subword_record(const MrenEnv *env, const json_t *root,
									  MrenSubwordTokenizer *tokenizer, MrenError *err);
extern MrenStatus mren_subword_take_settings(const MrenEnv *env, const void **bytes, size_t *n,
											 MrenError *err);
extern MrenStatus mren_subword_take(const MrenEnv *env, MrenSubwordTokenizer *tokenizer,
									MrenError *err);
extern MrenStatus mren_subword_take_added(const MrenSubwordTokenizer *tokenizer, size_t i,
										  uint32_t *id, MrenError *err);

/* One special piece before or after the sentence. */
extern MrenStatus mren_subword_add_around(MrenSubwordTokenizer *tokenizer, bool after, uint32_t id,
										  MrenError *err);

/* model_json.c: whether the model is supported; then its vocabulary and options. */
extern MrenStatus mren_subword_read_model_type(const json_t *model, MrenSubwordTokenizer *tokenizer,
											   MrenError *err);
extern MrenStatus mren_subword_read_model(const MrenEnv *env, const json_t *model,
										  MrenSubwordTokenizer *tokenizer, MrenError *err);

#endif
