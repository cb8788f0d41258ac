/*
 * audio_encoders.h
 *	  Loaded audio encoders, and recordings turned into feature vectors by them.
 *
 * Beside what is loaded there is always "logmel", log-mel statistics (audio/logmel.h).
 */
#ifndef MREN_PG_RESOURCE_AUDIO_ENCODERS_H
#define MREN_PG_RESOURCE_AUDIO_ENCODERS_H

#include "postgres.h"

#include "base/hash.h"
#include "pg/catalog/catalog.h"

#define MREN_LOGMEL_NAME "logmel"

typedef struct MrenAudioEncoder MrenAudioEncoder;

/* The encoder of that name, loaded if necessary; valid until the current memory context is reset. */
extern MrenAudioEncoder *mren_audio_encoder_open(const char *name);

/* The encoder that a model names by its hash; 55000 if it is not in the catalog. */
extern MrenAudioEncoder *mren_audio_encoder_open_by_hash(const uint8 *identity, const char *model);

/* By which models name it (MREN_SHA256_LENGTH). */
extern const uint8 *mren_audio_encoder_identity(const MrenAudioEncoder *encoder);
extern int32 mren_audio_encoder_dimension(const MrenAudioEncoder *encoder);

/* The hash of a recording's bytes, which identifies it. */
extern MrenHash128 mren_audio_encoder_hash(const bytea *audio);

/*
 * mren_audio_encoder_features
 *	  The feature vector of a recording: out (dimension).  Decoding limits are the settings'.
 *	  A recent recording's vector is taken from the cache.
 */
extern void mren_audio_encoder_features(MrenAudioEncoder *encoder, const bytea *audio, float4 *out);

#endif
