/*
 * config_json.h
 *	  config.json, which says what a pretrained encoder is.
 */
#ifndef MREN_TRANSFORMER_FILE_CONFIG_JSON_H
#define MREN_TRANSFORMER_FILE_CONFIG_JSON_H

#include <stdint.h>

#include "base/buffer.h"
#include "transformer/config.h"

/*
 * mren_config_json_read
 *	  The configuration in len bytes of JSON.  model_type may be bert, roberta,
 *	  xlm-roberta, distilbert, electra, mpnet or deberta-v2 (also version 3).
 *	  MREN_EUNSUPPORTED for another, and for a variant that is not computed here, which
 *	  the message names; MREN_EFORMAT for bytes that are not such a file; MREN_EDATA for
 *	  sizes that are missing or impossible.
 */
extern MrenStatus mren_config_json_read(const uint8_t *bytes, size_t len,
										MrenTransformerConfig *config, MrenError *err);

/*
 * Appends a config.json that gives the same configuration.  It is the same for equal
 * configurations, whatever files they were read from.
 */
extern MrenStatus mren_config_json_write(const MrenEnv *env, const MrenTransformerConfig *config,
										 MrenBuffer *buffer, MrenError *err);

#endif
