/*
 * vector_detect.h
 *	  Telling the format of a word-vector file by its first bytes.
 */
#ifndef MREN_TEXT_VECTORS_VECTOR_DETECT_H
#define MREN_TEXT_VECTORS_VECTOR_DETECT_H

#include "text/vectors/vector_file.h"

/*
 * The format is told by so many bytes, or the whole file; they hold any header and,
 * unless there are thousands of dimensions, the first word's numbers.
 */
#define MREN_VECTORS_PROBE 65536

typedef struct MrenVectorHeader
{
	MrenVectorFormat format; /* never AUTO */
	size_t size;			 /* bytes before the first word */
	size_t dim;				 /* 0 for GloVe: as many as the first line has */
	int64_t n_words;		 /* -1 for GloVe */
} MrenVectorHeader;

/*
 * mren_vector_detect
 *	  MREN_EUNSUPPORTED for what is recognized as something else (an archive,
 *	  fastText's own binary), MREN_EFORMAT for what is not recognized or not
 *	  of the requested format, MREN_ELIMIT for too many dimensions.
 */
extern MrenStatus mren_vector_detect(const char *bytes, size_t n, MrenVectorFormat wanted,
									 MrenVectorHeader *header, MrenError *err);

#endif
