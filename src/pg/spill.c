/*
 * spill.c
 *	  Encoded rows of a large training on disk.
 *
 * Two files: records in canonical order, and the vectors of distinct pictures
 * in the order of their arrival, found by hash.  Sorting is tuplesort's, by
 * hash and then by bytes, which is the core's canonical order.
 */
#include "pg/spill.h"

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

#include "net/example.h"
#include "pg/env.h"

/* Of pg_operator.dat: "<" of int8 and of bytea. */
#define INT8_LESS_OPERATOR 412
#define BYTEA_LESS_OPERATOR 1957

typedef struct PictureEntry
{
	MrenHash128 hash;
	int64 number; /* in the file of vectors */
} PictureEntry;

struct MrenSpill
{
	MemoryContext context;
	size_t limit;
	int image_dim;
	Tuplesortstate *sort; /* until finish */
	TupleTableSlot *slot;
	BufFile *records;
	BufFile *vectors;
	HTAB *pictures;
	int64 *offsets; /* of each record; one more for the end */
	int64 n;
	int64 n_pictures;
	int64 capacity;
	uint8 *record; /* the one read last */
	size_t record_size;
	MemoryContextCallback callback;
};

static void
close_files(void *arg)
{
	MrenSpill *spill = arg;

	if (spill->records != NULL)
		BufFileClose(spill->records);
	if (spill->vectors != NULL)
		BufFileClose(spill->vectors);
}

static void
check_limit(const MrenSpill *spill)
{
	size_t bytes = spill->n * sizeof(int64) + spill->n_pictures * 40;

	if (bytes > spill->limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the index of %lld rows and %lld pictures takes more than %zu kB",
						(long long) spill->n, (long long) spill->n_pictures, spill->limit / 1024),
				 errhint("Raise mren.train_memory.")));
}

static void
begin_sort(MrenSpill *spill)
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

MrenSpill *
mren_spill_create(int image_dim, size_t limit)
{
	MrenSpill *spill = palloc0(sizeof(MrenSpill));
	HASHCTL control = {.keysize = sizeof(MrenHash128),
					   .entrysize = sizeof(PictureEntry),
					   .hcxt = CurrentMemoryContext};

	spill->context = CurrentMemoryContext;
	spill->limit = limit;
	spill->image_dim = image_dim;
	spill->callback = (MemoryContextCallback){.func = close_files, .arg = spill};
	MemoryContextRegisterResetCallback(spill->context, &spill->callback);
	spill->pictures =
		hash_create("mren pictures", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	spill->vectors = BufFileCreateTemp(true);
	begin_sort(spill);
	return spill;
}

/* Keeps the vector of a picture that is new. */
static void
add_picture(MrenSpill *spill, const MrenHash128 *hash, const uint8 *vector)
{
	bool found;
	PictureEntry *entry = hash_search(spill->pictures, hash, HASH_ENTER, &found);

	if (found)
		return;
	entry->number = spill->n_pictures++;
	BufFileWrite(spill->vectors, (void *) vector, spill->image_dim * sizeof(float4));
}

void
mren_spill_record(MrenSpill *spill, uint64 hash, const void *record, size_t size)
{
	MemoryContext old = MemoryContextSwitchTo(spill->context);
	text *value = cstring_to_text_with_len(record, size);

	ExecClearTuple(spill->slot);
	/* Records are ordered by an unsigned hash; int8 is signed. */
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

void
mren_spill_add(MrenSpill *spill, const bytea *row, MrenSpillFilter keep, void *state)
{
	MemoryContext old = MemoryContextSwitchTo(spill->context);
	size_t len = VARSIZE_ANY_EXHDR(row);
	uint8 *aligned = palloc(len);
	MrenExample example;
	MrenError err;
	size_t size;

	/* A record is read in place, and it wants an 8-byte address. */
	memcpy(aligned, VARDATA_ANY(row), len);
	MREN_PG_TRY(mren_example_read(aligned, len, &example, &size, &err));
	if (len - size != (example.has_image ? spill->image_dim * sizeof(float4) : 0))
		elog(ERROR, "an encoded row has %zu bytes behind its record", len - size);
	if (keep != NULL && !keep(state, &example))
	{
		pfree(aligned);
		MemoryContextSwitchTo(old);
		return;
	}
	if (example.has_image)
		add_picture(spill, &example.image, aligned + size);
	mren_spill_record(spill, example.hash, aligned, size);
	pfree(aligned);
	MemoryContextSwitchTo(old);
}

int64
mren_spill_rows(const MrenSpill *spill)
{
	return spill->n;
}

static void
seek(BufFile *file, int64 offset)
{
	/* A BufFile is a row of segments of 1 GB, which its own seek goes through. */
	if (BufFileSeek(file, 0, offset, SEEK_SET) != 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not seek in a temporary file of a training")));
}

static void
read_exactly(BufFile *file, void *out, size_t size)
{
	if (BufFileRead(file, out, size) != size)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not read a temporary file of a training: %m")));
}

static MrenStatus
read_record(void *state, size_t index, const uint8_t **record, size_t *len, MrenError *err)
{
	MrenSpill *spill = state;
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
	MrenSpill *spill = state;
	size_t size = spill->image_dim * sizeof(float4);
	PictureEntry *entry = hash_search(spill->pictures, hash, HASH_FIND, NULL);

	if (entry == NULL)
		return mren_fail(err, MREN_EDATA, "a row's picture is missing");
	seek(spill->vectors, entry->number * size);
	read_exactly(spill->vectors, vector, size);
	return MREN_OK;
}

void
mren_spill_finish(MrenSpill *spill, MrenSource *source)
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
	*source = (MrenSource){.state = spill, .n = spill->n, .read = read_record, .image = read_image};
	MemoryContextSwitchTo(old);
}
