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

/*
 * The encoder of that name, loaded if necessary; valid until the current memory context is reset.
 */
extern MrenAudioEncoder *mren_audio_encoder_open(const char *name);

/* Hash and dimension of the encoder of that name, which need not be loaded for it. */
extern void mren_audio_encoder_find(const char *name, uint8 *identity, int32 *dimension);

/* The encoder that a model names by its hash; 55000 if it is not in the catalog. */
extern MrenAudioEncoder *mren_audio_encoder_open_by_hash(const uint8 *identity, const char *model);

extern int32 mren_audio_encoder_dimension(const MrenAudioEncoder *encoder);

/*
 * mren_audio_encoder_features
 *	  The feature vector of a recording: out (dimension).  Decoding limits are the settings'.
 *	  A recent recording's vector is taken from the cache.
 */
extern void mren_audio_encoder_features(MrenAudioEncoder *encoder, const bytea *audio, float4 *out);

/* The length of a recording in samples at the encoder's rate, found by decoding it. */
extern uint64 mren_audio_encoder_length(const MrenAudioEncoder *encoder, const bytea *audio);

/* Seconds of as many samples. */
extern double mren_audio_encoder_seconds(const MrenAudioEncoder *encoder, uint64 samples);

/*
 * The feature vector of a recording whose samples from .. to - 1 are silence, bypassing the cache.
 */
extern void mren_audio_encoder_muted(MrenAudioEncoder *encoder, const bytea *audio, uint64 from,
									 uint64 to, float4 *out);

#endif
