/*
 * encoder_files.h
 *	  The files of a pretrained encoder: which ones are read, and those of an archive.
 */
#ifndef MREN_TRANSFORMER_FILE_ENCODER_FILES_H
#define MREN_TRANSFORMER_FILE_ENCODER_FILES_H

#include <stdint.h>

#include "base/env.h"

typedef struct MrenTransformerFile
{
	char *name; /* without a folder */
	uint8_t *bytes;
	size_t len;
} MrenTransformerFile;

/* {0} at first.  Owns names and bytes. */
typedef struct MrenTransformerFiles
{
	MrenTransformerFile *items;
	size_t n;
	size_t capacity;
} MrenTransformerFiles;

/*
 * Whether a file of this name may be part of an encoder: config.json, tokenizer.json,
 * tokenizer_config.json, vocab.txt, model.safetensors, model.safetensors.index.json, or
 * model-N-of-M.safetensors.
 */
extern bool mren_transformer_file_wanted(const char *name);

/*
 * mren_transformer_files_add
 *	  Adds an empty file of `len` bytes, which the caller fills.  The pointer is valid
 *	  until the next call.  MREN_EFORMAT for a second file of the same name.
 */
extern MrenStatus mren_transformer_files_add(const MrenEnv *env, MrenTransformerFiles *files,
											 const char *name, size_t len,
											 MrenTransformerFile **file, MrenError *err);

/* NULL if there is none. */
extern const MrenTransformerFile *mren_transformer_files_find(const MrenTransformerFiles *files,
															  const char *name);

extern void mren_transformer_files_close(const MrenEnv *env, MrenTransformerFiles *files);

/*
 * mren_transformer_archive_read
 *	  Adds the wanted files of a zip or tar archive (tar also compressed by gzip).  They
 *	  are those of the folder that holds both config.json and weights, which must be
 *	  only one; other folders and files are skipped.  Links are not followed.
 *	  MREN_ELIMIT if the files together exceed limit bytes, MREN_EFORMAT if it is no
 *	  such archive or damaged, MREN_EDATA if no folder, or more than one, holds an
 *	  encoder.
 */
extern MrenStatus mren_transformer_archive_read(const MrenEnv *env, const uint8_t *bytes,
												size_t len, size_t limit,
												MrenTransformerFiles *files, MrenError *err);

#endif
