/*
 * train_vectors.c
 *	  The vectors of the words that occur in training rows.
 */
#include "pg/train/train_vectors.h"

#include "miscadmin.h"

#include "pg/support/pg_env.h"

MrenVectorTable *
mren_train_vectors(const MrenEnv *env, const MrenEmbeddingRow *row, const char *name,
				   const int32 *ids, size_t n, size_t memory)
{
	size_t bytes = n * row->dimension * sizeof(float4);
	MrenVectorTable *table;
	MrenError err;

	if (bytes > memory)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("vectors of %zu words need %zu kB, which exceeds mren.train_memory",
							   n, bytes / 1024),
						errhint("Raise mren.train_memory, or load fewer words (max_words).")));
	MREN_PG_CALL(err, mren_vector_table_create(env, ids, n, row->dimension, &table, &err));
	for (size_t i = 0; i < n; i++)
	{
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (!mren_catalog_word_by_id(row->id, row->dimension, ids[i],
									 mren_vector_table_row(table, i)))
			ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
							errmsg("word %d of embeddings \"%s\" is missing", ids[i], name)));
	}
	return table;
}
