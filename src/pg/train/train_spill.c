/*
 * train_spill.c
 *	  Encoded training rows on disk, in the trainer's order.
 *
 * Three files: the records in canonical order, and the vectors and the grids of
 * distinct images in the order of their arrival, found by hash.  tuplesort
 * sorts by hash and then by bytes, which is the core's canonical order.
 */
#include "pg/train/train_spill.h"

#include "access/tupdesc.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/buffile.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"

#include "data/example.h"
#include "pg/support/pg_env.h"

/* The operators < of int8 and of bytea (pg_operator.dat). */
#define INT8_LESS_OPERATOR 412
#define BYTEA_LESS_OPERATOR 1957

typedef struct ImageEntry
{
	MrenHash128 hash;
	int64 number; /* in the file of vectors */
	int64 grid;	  /* in the file of grids; -1: none */
	uint64 grid_hash;
} ImageEntry;

struct MrenTrainSpill
{
	MemoryContext context;
	size_t limit;
	int image_dim;
	MrenGridShape grid_shape;
	size_t grid_bytes;	  /* of one grid; 0: none */
	Tuplesortstate *sort; /* until finish */
	TupleTableSlot *slot;
	BufFile *records;
	BufFile *vectors;
	BufFile *grids;
	int64 n_grids;
	void *other_grid; /* buffer for one grid, to compare with */
	HTAB *images;
	int audio_dim;
	BufFile *audio_vectors; /* vectors of recordings, as `vectors` */
	HTAB *recordings;
	int64 n_recordings;
	int64 *offsets; /* (n + 1) of each record, and of the end */
	int64 n;
	int64 n_images;
	uint8 *record; /* the one read last */
	size_t record_size;
	MemoryContextCallback callback;
};

static void
close_files(void *arg)
{
	MrenTrainSpill *spill = arg;

	if (spill->records != NULL)
		BufFileClose(spill->records);
	if (spill->vectors != NULL)
		BufFileClose(spill->vectors);
	if (spill->grids != NULL)
		BufFileClose(spill->grids);
	if (spill->audio_vectors != NULL)
		BufFileClose(spill->audio_vectors);
}

static void
check_limit(const MrenTrainSpill *spill)
{
	int64 n_images = spill->n_images + spill->n_recordings;
	size_t bytes = spill->n * sizeof(int64) + n_images * 56;

	if (bytes > spill->limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("index of %lld rows and %lld images exceeds mren.train_memory (%zu kB)",
						(long long) spill->n, (long long) n_images, spill->limit / 1024),
				 errhint("Raise mren.train_memory.")));
}

static void
begin_sort(MrenTrainSpill *spill)
{
	TupleDesc desc = CreateTemplateTupleDesc(2);
	AttrNumber attnos[2] = {1, 2};
	Oid operators[2] = {INT8_LESS_OPERATOR, BYTEA_LESS_OPERATOR};
	Oid collations[2] = {InvalidOid, InvalidOid};
	bool nulls_first[2] = {false, false};

	TupleDescInitEntry(desc, 1, "hash", INT8OID, -1, 0);
	TupleDescInitEntry(desc, 2, "record", BYTEAOID, -1, 0);
	spill->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
#if PG_VERSION_NUM >= 150000
	spill->sort = tuplesort_begin_heap(desc, 2, attnos, operators, collations, nulls_first,
									   work_mem, NULL, TUPLESORT_NONE);
#else
	spill->sort = tuplesort_begin_heap(desc, 2, attnos, operators, collations, nulls_first,
									   work_mem, NULL, false);
#endif
}

MrenTrainSpill *
mren_train_spill_create(const MrenSpillShape *shape, size_t limit)
{
	MrenTrainSpill *spill = palloc0(sizeof(MrenTrainSpill));
	HASHCTL control = {.keysize = sizeof(MrenHash128),
					   .entrysize = sizeof(ImageEntry),
					   .hcxt = CurrentMemoryContext};

	spill->context = CurrentMemoryContext;
	spill->limit = limit;
	spill->image_dim = shape->image_dim;
	spill->audio_dim = shape->audio_dim;
	spill->callback = (MemoryContextCallback){.func = close_files, .arg = spill};
	MemoryContextRegisterResetCallback(spill->context, &spill->callback);
	spill->images =
		hash_create("mren images", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	spill->vectors = BufFileCreateTemp(true);
	if (spill->audio_dim > 0)
	{
		spill->recordings =
			hash_create("mren recordings", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		spill->audio_vectors = BufFileCreateTemp(true);
	}
	spill->grid_shape = shape->grid;
	spill->grid_bytes = mren_grid_size(&shape->grid) * sizeof(uint16);
	if (spill->grid_bytes > 0)
	{
		spill->grids = BufFileCreateTemp(true);
		spill->other_grid = palloc(spill->grid_bytes);
	}
	begin_sort(spill);
	return spill;
}

static void
seek(BufFile *file, int64 offset)
{
	/* A BufFile has segments of 1 GB; BufFileSeek finds the right one for offsets beyond that. */
	if (BufFileSeek(file, 0, offset, SEEK_SET) != 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not seek in temporary file of a training")));
}

static void
read_exactly(BufFile *file, void *out, size_t size)
{
	if (BufFileRead(file, out, size) != size)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not read temporary file of a training: %m")));
}

/*
 * Two images with the same vector but different grids hardly ever occur.  Then
 * the grid with the smaller bytes is kept, as in the aggregate's state, so that
 * the order of rows does not matter.
 */
static void
add_grid(MrenTrainSpill *spill, ImageEntry *entry, const uint8 *grid)
{
	uint64 hash = mren_hash64(grid, spill->grid_bytes, 0);

	if (entry->grid < 0)
		entry->grid = spill->n_grids++;
	else if (entry->grid_hash == hash)
		return;
	else
	{
		seek(spill->grids, entry->grid * (int64) spill->grid_bytes);
		read_exactly(spill->grids, spill->other_grid, spill->grid_bytes);
		if (memcmp(spill->other_grid, grid, spill->grid_bytes) <= 0)
			return;
	}
	entry->grid_hash = hash;
	seek(spill->grids, entry->grid * (int64) spill->grid_bytes);
	BufFileWrite(spill->grids, (void *) grid, spill->grid_bytes);
}

/* Writes the vector and the grid of an image that is new. */
static void
add_image(MrenTrainSpill *spill, const MrenExample *example, const uint8 *vector)
{
	size_t size = spill->image_dim * sizeof(float4);
	bool found;
	ImageEntry *entry = hash_search(spill->images, &example->image, HASH_ENTER, &found);

	if (!found)
	{
		entry->number = spill->n_images++;
		entry->grid = -1;
		BufFileWrite(spill->vectors, (void *) vector, size);
	}
	if (example->has_grid)
		add_grid(spill, entry, vector + size);
}

/* Writes the vector of a recording that is new. */
static void
add_recording(MrenTrainSpill *spill, const MrenExample *example, const uint8 *vector)
{
	bool found;
	ImageEntry *entry = hash_search(spill->recordings, &example->audio, HASH_ENTER, &found);

	if (found)
		return;
	entry->number = spill->n_recordings++;
	BufFileWrite(spill->audio_vectors, (void *) vector, spill->audio_dim * sizeof(float4));
}

static size_t
audio_bytes(const MrenTrainSpill *spill, const MrenExample *example)
{
	return example->has_audio ? spill->audio_dim * sizeof(float4) : 0;
}

/* Size of the vector and the grid that follow a record. */
static size_t
image_bytes(const MrenTrainSpill *spill, const MrenExample *example)
{
	return (example->has_image ? spill->image_dim * sizeof(float4) : 0) +
		   (example->has_grid ? spill->grid_bytes : 0);
}

void
mren_train_spill_record(MrenTrainSpill *spill, uint64 hash, const void *record, size_t size)
{
	MemoryContext old = MemoryContextSwitchTo(spill->context);
	text *value = cstring_to_text_with_len(record, size);

	ExecClearTuple(spill->slot);
	/* Hashes are ordered as unsigned numbers; int8 is signed. */
	spill->slot->tts_values[0] = Int64GetDatum((int64) (hash ^ (UINT64CONST(1) << 63)));
	spill->slot->tts_values[1] = PointerGetDatum(value);
	spill->slot->tts_isnull[0] = spill->slot->tts_isnull[1] = false;
	ExecStoreVirtualTuple(spill->slot);
	tuplesort_puttupleslot(spill->sort, spill->slot);
	pfree(value);
	spill->n++;
	check_limit(spill);
	MemoryContextSwitchTo(old);
}

/* The record once more, with the group that the query gives the row, and room for a key. */
static void
regroup(const MrenEnv *env, MrenExample *example, uint64 group, MrenBuffer *record, size_t *size)
{
	MrenError err;

	example->together = group;
	example->has_together = true;
	MREN_PG_CALL(err, mren_example_append(env, record, example, &err));
	MREN_PG_CALL(err, mren_buffer_reserve(env, record, sizeof(uint64), &err));
	MREN_PG_CALL(err, mren_example_read(record->data, record->len, example, size, &err));
}

void
mren_train_spill_add(MrenTrainSpill *spill, const bytea *row, const MrenSpillKeys *keys,
					 MrenTrainSpillFilter keep, void *state)
{
	MemoryContext old = MemoryContextSwitchTo(spill->context);
	size_t len = VARSIZE_ANY_EXHDR(row);
	uint8 *aligned = palloc(len + sizeof(uint64));
	uint8 *record = aligned;
	MrenEnv env = mren_pg_env(spill->context);
	MrenBuffer regrouped = {0};
	MrenExample example;
	MrenError err;
	size_t size;

	/* A record is read in place, so it must be aligned to 8 bytes. */
	memcpy(aligned, VARDATA_ANY(row), len);
	MREN_PG_CALL(err, mren_example_read(aligned, len, &example, &size, &err));
	if (len - size != image_bytes(spill, &example) + audio_bytes(spill, &example) ||
		(example.has_grid && spill->grid_bytes == 0) ||
		(example.has_audio && spill->audio_dim == 0))
		elog(ERROR, "encoded row has %zu bytes after its record", len - size);
	if (keep != NULL && !keep(state, &example))
	{
		pfree(aligned);
		MemoryContextSwitchTo(old);
		return;
	}
	if (example.has_image)
		add_image(spill, &example, aligned + size);
	if (example.has_audio)
		add_recording(spill, &example, aligned + size + image_bytes(spill, &example));
	if (keys->group != NULL)
	{
		regroup(&env, &example, *keys->group, &regrouped, &size);
		record = regrouped.data;
	}
	if (keys->key != NULL)
	{
		memcpy(record + size, keys->key, sizeof(uint64));
		size += sizeof(uint64);
	}
	mren_train_spill_record(spill, example.hash, record, size);
	mren_buffer_free(&env, &regrouped);
	pfree(aligned);
	MemoryContextSwitchTo(old);
}

static MrenStatus
read_record(void *state, size_t index, const uint8_t **record, size_t *len, MrenError *err)
{
	MrenTrainSpill *spill = state;
	size_t size = spill->offsets[index + 1] - spill->offsets[index];

	if (size > spill->record_size)
	{
		spill->record = repalloc_huge(spill->record, size);
		spill->record_size = size;
	}
	seek(spill->records, spill->offsets[index]);
	read_exactly(spill->records, spill->record, size);
	*record = spill->record;
	*len = size;
	return MREN_OK;
}

static MrenStatus
read_image(void *state, const MrenHash128 *hash, float *vector, MrenError *err)
{
	MrenTrainSpill *spill = state;
	size_t size = spill->image_dim * sizeof(float4);
	ImageEntry *entry = hash_search(spill->images, hash, HASH_FIND, NULL);

	if (entry == NULL)
		return mren_fail(err, MREN_EDATA, "the image of a row is missing");
	seek(spill->vectors, entry->number * size);
	read_exactly(spill->vectors, vector, size);
	return MREN_OK;
}

static MrenStatus
read_audio(void *state, const MrenHash128 *hash, float *vector, MrenError *err)
{
	MrenTrainSpill *spill = state;
	size_t size = spill->audio_dim * sizeof(float4);
	ImageEntry *entry =
		spill->recordings == NULL ? NULL : hash_search(spill->recordings, hash, HASH_FIND, NULL);

	if (entry == NULL)
		return mren_fail(err, MREN_EDATA, "the recording of a row is missing");
	seek(spill->audio_vectors, entry->number * size);
	read_exactly(spill->audio_vectors, vector, size);
	return MREN_OK;
}

static MrenStatus
read_grid(void *state, const MrenHash128 *hash, uint16_t *grid, MrenError *err)
{
	MrenTrainSpill *spill = state;
	ImageEntry *entry = hash_search(spill->images, hash, HASH_FIND, NULL);

	if (entry == NULL || entry->grid < 0)
		return mren_fail(err, MREN_EDATA, "the grid of a row's image is missing");
	seek(spill->grids, entry->grid * (int64) spill->grid_bytes);
	read_exactly(spill->grids, grid, spill->grid_bytes);
	return MREN_OK;
}

void
mren_train_spill_finish(MrenTrainSpill *spill, MrenSource *source)
{
	MemoryContext old = MemoryContextSwitchTo(spill->context);
	int64 at = 0;

	spill->records = BufFileCreateTemp(true);
	spill->offsets = palloc_extended((spill->n + 1) * sizeof(int64), MCXT_ALLOC_HUGE);
	tuplesort_performsort(spill->sort);
	for (int64 i = 0; i < spill->n; i++)
	{
		bytea *record;
		bool isnull;

		CHECK_FOR_INTERRUPTS();
		if (!tuplesort_gettupleslot(spill->sort, true, false, spill->slot, NULL))
			elog(ERROR, "the sorted rows of a training are incomplete");
		record = DatumGetByteaPP(slot_getattr(spill->slot, 2, &isnull));
		BufFileWrite(spill->records, VARDATA_ANY(record), VARSIZE_ANY_EXHDR(record));
		spill->offsets[i] = at;
		at += VARSIZE_ANY_EXHDR(record);
	}
	spill->offsets[spill->n] = at;
	tuplesort_end(spill->sort);
	spill->sort = NULL;
	ExecDropSingleTupleTableSlot(spill->slot);
	spill->record_size = 1024;
	spill->record = palloc(spill->record_size);
	*source = (MrenSource){.state = spill,
						   .n = spill->n,
						   .read = read_record,
						   .image = read_image,
						   .audio = spill->n_recordings > 0 ? read_audio : NULL,
						   .grid_shape = spill->grid_shape,
						   .grid = read_grid};
	MemoryContextSwitchTo(old);
}
