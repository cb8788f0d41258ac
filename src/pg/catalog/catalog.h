/*
 * catalog.h
 *	  Reading mren's tables by index, and writing them as their owner.
 *
 * Reads bypass table privileges on purpose: mren_catalog_require decides who may
 * use a model, not grants on tables that hold the models of all roles.  They use
 * the active snapshot, so a promote that another session committed takes effect
 * at the caller's next statement.
 */
#ifndef MREN_PG_CATALOG_CATALOG_H
#define MREN_PG_CATALOG_CATALOG_H

#include "postgres.h"

#include "access/genam.h"
#include "executor/spi.h"
#include "utils/rel.h"

#include "base/text_span.h"
#include "pg/support/digest.h"

typedef struct MrenEmbeddingRow
{
	int64 id;
	NameData owner;
	int32 dimension;
	int64 words;
	uint8 sha256[MREN_SHA256_LENGTH];
} MrenEmbeddingRow;

typedef struct MrenImageEncoderRow
{
	int64 id;
	NameData owner;
	char *output; /* palloc'd */
	float4 mean[3];
	float4 std[3];
	int32 width;
	int32 height;
	int32 dimension;
	int64 size;
	uint8 identity[MREN_SHA256_LENGTH];
} MrenImageEncoderRow;

typedef struct MrenTextEncoderRow
{
	int64 id;
	NameData owner;
	int32 width;
	int64 size; /* of what is stored */
	uint8 sha256[MREN_SHA256_LENGTH];
} MrenTextEncoderRow;

typedef struct MrenAudioEncoderRow
{
	int64 id;
	NameData owner;
	char *output; /* palloc'd */
	int32 sample_rate;
	int32 window_samples;
	int32 hop_samples;
	int32 dimension;
	int64 size;
	uint8 identity[MREN_SHA256_LENGTH];
} MrenAudioEncoderRow;

typedef struct MrenLexiconRow
{
	int64 id;
	NameData owner;
	uint8 sha256[MREN_SHA256_LENGTH];
} MrenLexiconRow;

typedef enum MrenModelKind
{
	MREN_MODEL_RELATION,
	MREN_MODEL_TAGGER,
} MrenModelKind;

typedef struct MrenModelRow
{
	int64 id;
	MrenModelKind kind;
	NameData owner;
	int64 deployed; /* id of a version; 0: none */
	int32 last_version;
} MrenModelRow;

#define MREN_ICU_LENGTH 16 /* of a version of ICU, with its NUL */

typedef struct MrenVersionRow
{
	int64 id;
	int64 model;
	int32 version;
	uint8 sha256[MREN_SHA256_LENGTH];
	bool has_embeddings; /* false: a tagger without */
	uint8 embeddings[MREN_SHA256_LENGTH];
	bool has_encoder;
	uint8 encoder[MREN_SHA256_LENGTH];
	char icu[MREN_ICU_LENGTH]; /* that segmented its training rows; empty: unknown */
} MrenVersionRow;

/* The privileges on a model; its owner and superusers hold all of them. */
typedef enum MrenPrivilege
{
	MREN_PRIVILEGE_PREDICT = 1, /* read it: predict, evaluate, explain, export */
	MREN_PRIVILEGE_TRAIN = 2,	/* add versions */
	MREN_PRIVILEGE_ADMIN = 4,	/* promote, roll back, drop, grant; includes the others */
} MrenPrivilege;

/* By name; false if there is none. */
extern bool mren_catalog_embedding(const char *name, MrenEmbeddingRow *row);
extern bool mren_catalog_image_encoder(const char *name, MrenImageEncoderRow *row);
extern bool mren_catalog_text_encoder(const char *name, MrenTextEncoderRow *row);
extern bool mren_catalog_audio_encoder(const char *name, MrenAudioEncoderRow *row);
extern bool mren_catalog_model(const char *name, MrenModelRow *row);

/* By the hash of their content; false if none is loaded.  name may be NULL. */
extern bool mren_catalog_embedding_by_hash(const uint8 *sha256, MrenEmbeddingRow *row, char **name);
extern bool mren_catalog_image_encoder_by_hash(const uint8 *identity, MrenImageEncoderRow *row,
											   char **name);
extern bool mren_catalog_text_encoder_by_hash(const uint8 *sha256, MrenTextEncoderRow *row,
											  char **name);
extern bool mren_catalog_audio_encoder_by_hash(const uint8 *identity, MrenAudioEncoderRow *row,
											   char **name);
extern bool mren_catalog_lexicon_by_hash(const uint8 *sha256, MrenLexiconRow *row);

/* The number of sets of embeddings (of encoders), and the name of one. */
extern int mren_catalog_count_embeddings(char **name);
extern int mren_catalog_count_image_encoders(char **name);

/* By name; 42704 with a hint if there is none. */
extern void mren_catalog_need_embedding(const char *name, MrenEmbeddingRow *row);
extern void mren_catalog_need_image_encoder(const char *name, MrenImageEncoderRow *row);
extern void mren_catalog_need_text_encoder(const char *name, MrenTextEncoderRow *row);
extern void mren_catalog_need_audio_encoder(const char *name, MrenAudioEncoderRow *row);
extern void mren_catalog_need_lexicon(const char *name, MrenLexiconRow *row);

/*
 * The model: 42704 if there is none, 42501 if the current user does not hold the
 * privilege on it.  That a model exists is not hidden from those who may not use
 * it.
 */
extern void mren_catalog_require(const char *name, MrenPrivilege privilege, MrenModelRow *row);
extern bool mren_catalog_allowed(const MrenModelRow *row, MrenPrivilege privilege);

/* 42809 if the model is of another kind. */
extern void mren_catalog_require_kind(const char *name, const MrenModelRow *row,
									  MrenModelKind kind);

/* True for a superuser or a member of the owning role. */
extern bool mren_catalog_is_owner(const char *owner);

/* By its id, or by its model and number; false if there is none. */
extern bool mren_catalog_version_by_id(int64 id, MrenVersionRow *row);
extern bool mren_catalog_version(int64 model, int32 version, MrenVersionRow *row);
/* The header of a version's network, palloc'd. */
extern bytea *mren_catalog_version_head(int64 id);

/*
 * A word's number and vector.  vector (dimension floats) may be NULL.
 * An error if the stored vector has another length.
 */
extern bool mren_catalog_word(int64 embedding, int32 dimension, const char *word, int len,
							  int32 *id, float4 *vector);
extern bool mren_catalog_word_by_id(int64 embedding, int32 dimension, int32 id, float4 *vector);

/*
 * Each word of a set of embeddings as UTF-8, with its vector; both are valid until the visitor
 * returns.
 */
typedef void (*MrenWordVisitor)(void *state, const char *word, size_t len, int32 id,
								const float4 *vector);
extern void mren_catalog_words(int64 embedding, int32 dimension, MrenWordVisitor visit,
							   void *state);

/* The whole ONNX file, palloc'd. */
extern void mren_catalog_image_encoder_bytes(const MrenImageEncoderRow *row, uint8 **bytes,
											 size_t *len);
extern void mren_catalog_audio_encoder_bytes(const MrenAudioEncoderRow *row, uint8 **bytes,
											 size_t *len);

/*
 * The stored bytes of a text encoder, in order: read copies up to size of them, fewer only
 * at the end.
 */
typedef struct MrenTextEncoderReader MrenTextEncoderReader;
extern MrenTextEncoderReader *mren_catalog_text_encoder_begin(const MrenTextEncoderRow *row);
extern size_t mren_catalog_text_encoder_read(MrenTextEncoderReader *reader, void *buffer,
											 size_t size);
extern void mren_catalog_text_encoder_end(MrenTextEncoderReader *reader);

/* Each phrase of a lexicon with its type, as UTF-8 that is valid until the visitor returns. */
typedef void (*MrenPhraseVisitor)(void *state, MrenTextSpan phrase, MrenTextSpan type,
								  double confidence);
extern void mren_catalog_phrases(int64 lexicon, MrenPhraseVisitor visit, void *state);

/* Each weight tensor of a version, assembled from its parts, in the order of their numbers. */
typedef void (*MrenWeightVisitor)(void *state, int tensor, const char *name, const int32 *shape,
								  int n_shape, const float4 *data, size_t n);
extern void mren_catalog_weights(int64 version, MrenWeightVisitor visit, void *state);

/*
 * mren_catalog_write
 *	  Runs one statement as the owner of mren's tables.  The caller must be
 *	  connected to SPI.  Arguments are (type, value) with nulls[i] == 'n' for NULL,
 *	  as SPI_execute_with_args takes them.  Returns SPI_processed; rows, if the
 *	  statement returns any, are in SPI_tuptable.
 */
extern uint64 mren_catalog_write(const char *sql, int n, const Oid *types, const Datum *values,
								 const char *nulls);

/* The same for a statement that only reads, under the active snapshot. */
extern uint64 mren_catalog_read(const char *sql, int n, const Oid *types, const Datum *values,
								const char *nulls);

/* Inserts the words of a set of embeddings; the caller must have checked the rights. */
typedef struct MrenWordInsert MrenWordInsert;
extern MrenWordInsert *mren_catalog_words_begin(int64 embedding);
/* False for a word that the database's encoding cannot represent, and so no text contains. */
extern bool mren_catalog_words_add(MrenWordInsert *insert, int32 id, const char *word, int len,
								   const float4 *vector, int n);
extern void mren_catalog_words_end(MrenWordInsert *insert);

/*
 * An error (55000) if the extension's tables are those of a release before this
 * library's.  For functions that write, or that read what earlier releases did not
 * have.
 */
extern void mren_catalog_require_current(void);

#endif
