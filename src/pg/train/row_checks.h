/*
 * row_checks.h
 *	  What of encoded training rows is probably a mistake.
 */
#ifndef MREN_PG_TRAIN_ROW_CHECKS_H
#define MREN_PG_TRAIN_ROW_CHECKS_H

#include "postgres.h"

#include "data/source.h"
#include "pg/train/train_setup.h"

/*
 * mren_train_check_rows
 *	  Reads the rows once and warns of relations that differ only in blanks and case, or have
 *	  blanks around them; of embeddings that have hardly any of the words; and of an
 *	  image encoder that the options name although no row has an image.  Returns the number
 *	  of rows that are not gold, whether or not they train.
 */
extern int64 mren_train_check_rows(const MrenTrainSetup *setup, const MrenSource *rows);

/*
 * mren_train_check_vectors
 *	  Warns if less than a twentieth of the running words of the rows have a vector in the
 *	  embeddings.  embeddings is NULL where none are used.
 */
extern void mren_train_check_vectors(const char *embeddings, size_t n_words, size_t n_known);

#endif
