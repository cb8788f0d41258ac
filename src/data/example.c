/*
 * example.c
 *	  The flat record of a training row.
 *
 * Layout, little-endian, offsets in bytes:
 *	 0 u32 size of the record, a multiple of 8      4 u32 flags (below)
 *	 8 u64 hash of everything from byte 16 on, seeded with the flags
 *	16 u64 group         24 f32 weight              28 u32 split
 *	32 u32 n_words       36 u32 n_pieces
 *	40 u32 head first, head end, tail first, tail end
 *	56 u32 lengths of relation, head type, tail type; u32 numbers of features (below)
 *	72 image hash (16 bytes)   88 head box, tail box (8 f32)
 *	120 with a recording its hash (16 bytes); with a group of the query's its number (u64);
 *	    pieces (n_pieces i32), starts (n_words + 1 u32), features (n_features u32); with
 *	    tokens their number and the four marks (u32 each) and the tokens (i32); with targets
 *	    their number n (u32), probabilities (n f32) and ends of names (n u32); the three
 *	    texts, the names of the targets, zeros
 * The numbers of features are n_features + 65536 * n_box_features.
 * Fields that a flag says are absent are zero, so equal rows are equal bytes.
 */
#include "data/example.h"

#include <math.h>
#include <string.h>

/* Records are read in place, so their byte order must be the machine's. */
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "mren needs a little-endian machine"
#endif

enum
{
	FLAG_HEAD_TYPE = 1,
	FLAG_TAIL_TYPE = 2,
	FLAG_IMAGE = 4,
	FLAG_HEAD_BOX = 8,
	FLAG_TAIL_BOX = 16,
	FLAG_GRID = 32,
	FLAG_AUDIO = 64,
	FLAG_TOKENS = 128,
	FLAG_WINDOWED = 256,
	FLAG_TARGETS = 512,
	FLAG_WEAK = 1024,
	FLAG_TOGETHER = 2048,
	ALL_FLAGS = 4095,
};

#define FIXED 120	   /* bytes in front of the pieces, and of the next: */
#define AUDIO_BYTES 16 /* the hash of the recording, in rows that have one */

static uint32_t
get_u32(const uint8_t *bytes)
{
	MrenCursor cursor = {bytes, bytes + 4, false};

	return mren_cursor_u32(&cursor);
}

static uint64_t
get_u64(const uint8_t *bytes)
{
	MrenCursor cursor = {bytes, bytes + 8, false};

	return mren_cursor_u64(&cursor);
}

static bool
finite_box(const float *box)
{
	return isfinite(box[0]) && isfinite(box[1]) && isfinite(box[2]) && isfinite(box[3]);
}

static MrenStatus
check_text(const char *what, const MrenTextSpan *text, MrenError *err)
{
	if (text->data != NULL && text->len > MREN_MAX_LABEL)
		return mren_fail(err, MREN_ELIMIT,
						 "%s \"%.*s...\" has %zu bytes, more than the limit of %d", what, 40,
						 text->data, text->len, MREN_MAX_LABEL);
	return MREN_OK;
}

/* Checks what a user can get wrong in a row. */
static MrenStatus
check_example(const MrenExample *example, MrenError *err)
{
	if (!isfinite(example->weight) || example->weight <= 0)
	{
		mren_fail(err, MREN_EDATA, "invalid weight %g of a training row", (double) example->weight);
		mren_error_hint(err, "A weight is a finite number above zero.");
		return MREN_EDATA;
	}
	if (example->relation.data == NULL || example->relation.len == 0)
		return mren_fail(err, MREN_EDATA, "relation of a training row is empty");
	MREN_TRY(check_text("relation", &example->relation, err));
	MREN_TRY(check_text("head type", &example->head_type, err));
	MREN_TRY(check_text("tail type", &example->tail_type, err));
	if (example->has_head_box && !finite_box(example->head_box))
		return mren_fail(err, MREN_EDATA, "head box of a training row is not finite");
	if (example->has_tail_box && !finite_box(example->tail_box))
		return mren_fail(err, MREN_EDATA, "tail box of a training row is not finite");
	if (example->sentence.n_pieces > MREN_MAX_PIECES || example->sentence.n_words > MREN_MAX_PIECES)
		return mren_fail(err, MREN_ELIMIT, "sentence of %u words is longer than the limit of %u",
						 example->sentence.n_words, MREN_MAX_PIECES);
	if (example->n_features > MREN_MAX_ROW_FEATURES)
		return mren_fail(err, MREN_ELIMIT,
						 "training row has %u features, more than the limit of %d",
						 example->n_features, MREN_MAX_ROW_FEATURES);
	if (example->n_box_features > example->n_features)
		return mren_fail(err, MREN_EPARAM, "training row has more features of boxes than features");
	if (example->targets.n > MREN_MAX_TARGETS)
		return mren_fail(
			err, MREN_ELIMIT,
			"training row has probabilities of %u relations, more than the limit of %d",
			example->targets.n, MREN_MAX_TARGETS);
	if (mren_targets_fault(&example->targets) != NULL)
		return mren_fail(err, MREN_EDATA, "invalid training row: %s",
						 mren_targets_fault(&example->targets));
	if (example->tokens.n > MREN_MAX_ENCODER_TOKENS)
		return mren_fail(err, MREN_ELIMIT, "sentence of %u tokens is longer than the limit of %u",
						 example->tokens.n, MREN_MAX_ENCODER_TOKENS);
	return MREN_OK;
}

/* Bytes of the tokens, their number and their marks. */
static size_t
tokens_size(const MrenMarkedTokens *tokens)
{
	return tokens->n > 0 ? 4 * (1 + MREN_N_MARKS + (size_t) tokens->n) : 0;
}

static size_t
text_size(const MrenTextSpan *text)
{
	return text->data != NULL ? text->len : 0;
}

/* Bytes of the targets, without their names. */
static size_t
targets_size(const MrenTargets *targets)
{
	return targets->n > 0 ? 4 + 8 * (size_t) targets->n : 0;
}

static size_t
record_size(const MrenExample *example)
{
	size_t size = FIXED + (example->has_audio ? AUDIO_BYTES : 0) +
				  (example->has_together ? sizeof(example->together) : 0) +
				  4 * (size_t) example->sentence.n_pieces +
				  4 * ((size_t) example->sentence.n_words + 1) + 4 * (size_t) example->n_features +
				  tokens_size(&example->tokens) + targets_size(&example->targets) +
				  text_size(&example->relation) + text_size(&example->head_type) +
				  text_size(&example->tail_type) + mren_targets_names_size(&example->targets);

	return (size + 7) & ~(size_t) 7;
}

static uint32_t
record_flags(const MrenExample *example)
{
	return (example->head_type.data != NULL ? FLAG_HEAD_TYPE : 0) |
		   (example->tail_type.data != NULL ? FLAG_TAIL_TYPE : 0) |
		   (example->has_image ? FLAG_IMAGE : 0) | (example->has_head_box ? FLAG_HEAD_BOX : 0) |
		   (example->has_tail_box ? FLAG_TAIL_BOX : 0) | (example->has_grid ? FLAG_GRID : 0) |
		   (example->tokens.n > 0 ? FLAG_TOKENS : 0) |
		   (example->tokens.n > 0 && example->tokens.windowed ? FLAG_WINDOWED : 0) |
		   (example->has_audio ? FLAG_AUDIO : 0) | (example->targets.n > 0 ? FLAG_TARGETS : 0) |
		   (example->weak ? FLAG_WEAK : 0) | (example->has_together ? FLAG_TOGETHER : 0);
}

static void
put_box(MrenBuffer *buffer, bool present, const float *box)
{
	if (present)
		mren_buffer_put_floats(buffer, box, 4);
	else
		mren_buffer_put_zeros(buffer, 16);
}

static void
put_tokens(MrenBuffer *buffer, const MrenMarkedTokens *tokens)
{
	if (tokens->n == 0)
		return;
	mren_buffer_put_u32(buffer, tokens->n);
	for (int i = 0; i < MREN_N_MARKS; i++)
		mren_buffer_put_u32(buffer, tokens->marks[i]);
	for (uint32_t i = 0; i < tokens->n; i++)
		mren_buffer_put_u32(buffer, (uint32_t) tokens->ids[i]);
}

static void
put_targets(MrenBuffer *buffer, const MrenTargets *targets)
{
	if (targets->n == 0)
		return;
	mren_buffer_put_u32(buffer, targets->n);
	mren_buffer_put_floats(buffer, targets->probabilities, targets->n);
	for (uint32_t i = 0; i < targets->n; i++)
		mren_buffer_put_u32(buffer, targets->ends[i]);
}

/* Everything from byte 16 to the texts; they and the padding follow. */
static void
put_body(MrenBuffer *buffer, const MrenExample *example)
{
	const MrenSentence *s = &example->sentence;

	mren_buffer_put_u64(buffer, example->group);
	mren_buffer_put_f32(buffer, example->weight);
	mren_buffer_put_u32(buffer, (uint32_t) example->split);
	mren_buffer_put_u32(buffer, s->n_words);
	mren_buffer_put_u32(buffer, s->n_pieces);
	mren_buffer_put_u32(buffer, s->head.first);
	mren_buffer_put_u32(buffer, s->head.end);
	mren_buffer_put_u32(buffer, s->tail.first);
	mren_buffer_put_u32(buffer, s->tail.end);
	mren_buffer_put_u32(buffer, (uint32_t) text_size(&example->relation));
	mren_buffer_put_u32(buffer, (uint32_t) text_size(&example->head_type));
	mren_buffer_put_u32(buffer, (uint32_t) text_size(&example->tail_type));
	mren_buffer_put_u32(buffer, example->n_features | example->n_box_features << 16);
	if (example->has_image)
		mren_buffer_put_bytes(buffer, example->image.bytes, 16);
	else
		mren_buffer_put_zeros(buffer, 16);
	put_box(buffer, example->has_head_box, example->head_box);
	put_box(buffer, example->has_tail_box, example->tail_box);
	if (example->has_audio)
		mren_buffer_put_bytes(buffer, example->audio.bytes, AUDIO_BYTES);
	if (example->has_together)
		mren_buffer_put_u64(buffer, example->together);
	for (uint32_t i = 0; i < s->n_pieces; i++)
		mren_buffer_put_u32(buffer, (uint32_t) s->pieces[i]);
	for (uint32_t i = 0; i <= s->n_words; i++)
		mren_buffer_put_u32(buffer, s->starts[i]);
	for (uint32_t i = 0; i < example->n_features; i++)
		mren_buffer_put_u32(buffer, example->features[i]);
	put_tokens(buffer, &example->tokens);
	put_targets(buffer, &example->targets);
}

MrenStatus
mren_example_append(const MrenEnv *env, MrenBuffer *buffer, const MrenExample *example,
					MrenError *err)
{
	uint32_t flags = record_flags(example);
	size_t start = buffer->len;
	size_t size;
	MrenBuffer hash;

	MREN_TRY(check_example(example, err));
	size = record_size(example);
	MREN_TRY(mren_buffer_reserve(env, buffer, size, err));
	mren_buffer_put_u32(buffer, (uint32_t) size);
	mren_buffer_put_u32(buffer, flags);
	mren_buffer_put_u64(buffer, 0);
	put_body(buffer, example);
	mren_buffer_put_bytes(buffer, example->relation.data, text_size(&example->relation));
	mren_buffer_put_bytes(buffer, example->head_type.data, text_size(&example->head_type));
	mren_buffer_put_bytes(buffer, example->tail_type.data, text_size(&example->tail_type));
	mren_buffer_put_bytes(buffer, example->targets.names,
						  mren_targets_names_size(&example->targets));
	mren_buffer_put_zeros(buffer, start + size - buffer->len);
	hash = (MrenBuffer){buffer->data + start + 8, 0, 8};
	mren_buffer_put_u64(&hash, mren_hash64(buffer->data + start + 16, size - 16, flags));
	return MREN_OK;
}

static MrenStatus
fail_record(MrenError *err, const char *what)
{
	return mren_fail(err, MREN_EFORMAT, "invalid training example: %s", what);
}

static MrenStatus
check_sentence(const MrenSentence *s, MrenError *err)
{
	if (s->head.first >= s->head.end || s->head.end > s->n_words || s->tail.first >= s->tail.end ||
		s->tail.end > s->n_words)
		return fail_record(err, "a mention is outside its sentence");
	if (s->starts[0] != 0 || s->starts[s->n_words] != s->n_pieces)
		return fail_record(err, "words do not cover the pieces");
	for (uint32_t i = 0; i < s->n_words; i++)
	{
		if (s->starts[i] > s->starts[i + 1])
			return fail_record(err, "words are out of order");
	}
	for (uint32_t i = 0; i < s->n_pieces; i++)
	{
		if (s->pieces[i] < -MREN_MAX_SHAPES || s->pieces[i] > MREN_MAX_VECTOR_ID)
			return fail_record(err, "a piece is out of range");
	}
	return MREN_OK;
}

/* The fixed fields; lengths of the texts come back in their len. */
static MrenStatus
read_fixed(MrenCursor *cursor, MrenExample *example, MrenError *err)
{
	MrenSentence *s = &example->sentence;
	const uint8_t *image;
	const uint8_t *audio;
	uint32_t split;
	uint32_t n_features;

	example->group = mren_cursor_u64(cursor);
	example->weight = mren_cursor_f32(cursor);
	split = mren_cursor_u32(cursor);
	s->n_words = mren_cursor_u32(cursor);
	s->n_pieces = mren_cursor_u32(cursor);
	s->head.first = mren_cursor_u32(cursor);
	s->head.end = mren_cursor_u32(cursor);
	s->tail.first = mren_cursor_u32(cursor);
	s->tail.end = mren_cursor_u32(cursor);
	example->relation.len = mren_cursor_u32(cursor);
	example->head_type.len = mren_cursor_u32(cursor);
	example->tail_type.len = mren_cursor_u32(cursor);
	n_features = mren_cursor_u32(cursor);
	example->n_features = n_features & 0xFFFF;
	example->n_box_features = n_features >> 16;
	image = mren_cursor_bytes(cursor, 16);
	if (image != NULL)
		memcpy(example->image.bytes, image, 16);
	mren_cursor_floats(cursor, example->head_box, 4);
	mren_cursor_floats(cursor, example->tail_box, 4);
	audio = example->has_audio ? mren_cursor_bytes(cursor, AUDIO_BYTES) : NULL;
	if (audio != NULL)
		memcpy(example->audio.bytes, audio, AUDIO_BYTES);
	example->together = example->has_together ? mren_cursor_u64(cursor) : example->group;
	if (cursor->failed)
		return fail_record(err, "it is too short");
	if (split > MREN_SPLIT_HOLDOUT)
		return fail_record(err, "its split is unknown");
	example->split = (MrenSplit) split;
	if (!isfinite(example->weight) || example->weight <= 0)
		return fail_record(err, "its weight is not a finite number above zero");
	if (!finite_box(example->head_box) || !finite_box(example->tail_box))
		return fail_record(err, "a box is not finite");
	if (s->n_words > MREN_MAX_PIECES || s->n_pieces > MREN_MAX_PIECES)
		return fail_record(err, "its sentence is too long");
	if (example->n_features > MREN_MAX_ROW_FEATURES ||
		example->n_box_features > example->n_features)
		return fail_record(err, "it has too many features");
	return MREN_OK;
}

static MrenStatus
check_features(const MrenExample *example, MrenError *err)
{
	uint32_t first_box = example->n_features - example->n_box_features;

	for (uint32_t i = 1; i < example->n_features; i++)
	{
		if (example->features[i - 1] >= example->features[i] && i != first_box)
			return fail_record(err, "its features are out of order");
	}
	return MREN_OK;
}

static MrenStatus
read_tokens(MrenCursor *cursor, uint32_t flags, MrenMarkedTokens *tokens, MrenError *err)
{
	*tokens = (MrenMarkedTokens){0};
	if ((flags & FLAG_TOKENS) == 0)
		return (flags & FLAG_WINDOWED) == 0 ? MREN_OK
											: fail_record(err, "it has a window without tokens");
	tokens->windowed = (flags & FLAG_WINDOWED) != 0;
	tokens->n = mren_cursor_u32(cursor);
	for (int i = 0; i < MREN_N_MARKS; i++)
		tokens->marks[i] = mren_cursor_u32(cursor);
	if (cursor->failed || tokens->n == 0 || tokens->n > MREN_MAX_ENCODER_TOKENS)
		return fail_record(err, "it has an impossible number of tokens");
	tokens->ids = (const int32_t *) mren_cursor_bytes(cursor, 4 * (size_t) tokens->n);
	if (cursor->failed)
		return fail_record(err, "it is too short");
	for (int i = 0; i < MREN_N_MARKS; i++)
	{
		if (tokens->marks[i] >= tokens->n)
			return fail_record(err, "a mark is outside its sentence");
	}
	return MREN_OK;
}

/* Reads all of the targets but their names, which follow the texts. */
static MrenStatus
read_targets(MrenCursor *cursor, uint32_t flags, MrenTargets *targets, MrenError *err)
{
	*targets = (MrenTargets){0};
	if ((flags & FLAG_TARGETS) == 0)
		return MREN_OK;
	targets->n = mren_cursor_u32(cursor);
	if (cursor->failed || targets->n == 0 || targets->n > MREN_MAX_TARGETS)
		return fail_record(err, "it has an impossible number of probabilities");
	targets->probabilities = (const float *) mren_cursor_bytes(cursor, 4 * (size_t) targets->n);
	targets->ends = (const uint32_t *) mren_cursor_bytes(cursor, 4 * (size_t) targets->n);
	if (cursor->failed)
		return fail_record(err, "it is too short");
	for (uint32_t i = 1; i < targets->n; i++)
	{
		if (targets->ends[i] < targets->ends[i - 1])
			return fail_record(err, "the names of its probabilities are out of order");
	}
	return MREN_OK;
}

static MrenStatus
read_target_names(MrenCursor *cursor, MrenTargets *targets, MrenError *err)
{
	if (targets->n == 0)
		return MREN_OK;
	targets->names = (const char *) mren_cursor_bytes(cursor, mren_targets_names_size(targets));
	if (cursor->failed)
		return fail_record(err, "it is too short");
	if (mren_targets_fault(targets) != NULL)
		return fail_record(err, mren_targets_fault(targets));
	return MREN_OK;
}

/* Reads the texts, and checks that only padding follows them. */
static MrenStatus
read_texts(MrenCursor *cursor, uint32_t flags, MrenExample *example, MrenError *err)
{
	MrenTextSpan *texts[3] = {&example->relation, &example->head_type, &example->tail_type};
	bool present[3] = {true, (flags & FLAG_HEAD_TYPE) != 0, (flags & FLAG_TAIL_TYPE) != 0};

	for (int i = 0; i < 3; i++)
	{
		uint32_t len = texts[i]->len;

		if (len > MREN_MAX_LABEL || (len > 0 && !present[i]))
			return fail_record(err, "a name has an impossible length");
		texts[i]->data = (const char *) mren_cursor_bytes(cursor, len);
		if (cursor->failed)
			return fail_record(err, "it is too short");
		if (!present[i])
			texts[i]->data = NULL;
	}
	if (example->relation.len == 0)
		return fail_record(err, "its relation is empty");
	MREN_TRY(read_target_names(cursor, &example->targets, err));
	if (mren_cursor_left(cursor) > 7)
		return fail_record(err, "it is too long");
	while (mren_cursor_left(cursor) > 0)
	{
		if (mren_cursor_u8(cursor) != 0)
			return fail_record(err, "its padding is not zero");
	}
	return MREN_OK;
}

size_t
mren_example_size(const uint8_t *bytes, size_t len)
{
	uint32_t size;

	if (len < FIXED)
		return 0;
	size = get_u32(bytes);
	return size % 8 == 0 && size >= FIXED && size <= len ? size : 0;
}

MrenStatus
mren_example_read(const uint8_t *bytes, size_t len, MrenExample *example, size_t *size,
				  MrenError *err)
{
	MrenCursor cursor;
	uint32_t flags;
	MrenSentence *s = &example->sentence;

	*size = mren_example_size(bytes, len);
	if (*size == 0)
		return fail_record(err, "its size is impossible");
	flags = get_u32(bytes + 4);
	example->hash = get_u64(bytes + 8);
	if (flags > ALL_FLAGS)
		return fail_record(err, "a flag is unknown");
	if (mren_hash64(bytes + 16, *size - 16, flags) != example->hash)
		return fail_record(err, "its checksum does not match");
	example->has_image = (flags & FLAG_IMAGE) != 0;
	example->has_grid = (flags & FLAG_GRID) != 0;
	if (example->has_grid && !example->has_image)
		return fail_record(err, "it has a grid without an image");
	example->has_audio = (flags & FLAG_AUDIO) != 0;
	example->has_together = (flags & FLAG_TOGETHER) != 0;
	example->has_head_box = (flags & FLAG_HEAD_BOX) != 0;
	example->has_tail_box = (flags & FLAG_TAIL_BOX) != 0;
	example->weak = (flags & FLAG_WEAK) != 0;
	cursor = (MrenCursor){bytes + 16, bytes + *size, false};
	MREN_TRY(read_fixed(&cursor, example, err));
	s->pieces = (const int32_t *) mren_cursor_bytes(&cursor, 4 * (size_t) s->n_pieces);
	s->starts = (const uint32_t *) mren_cursor_bytes(&cursor, 4 * ((size_t) s->n_words + 1));
	example->features =
		(const uint32_t *) mren_cursor_bytes(&cursor, 4 * (size_t) example->n_features);
	if (cursor.failed)
		return fail_record(err, "it is too short");
	MREN_TRY(check_features(example, err));
	MREN_TRY(read_tokens(&cursor, flags, &example->tokens, err));
	MREN_TRY(read_targets(&cursor, flags, &example->targets, err));
	MREN_TRY(read_texts(&cursor, flags, example, err));
	return check_sentence(s, err);
}

int
mren_example_compare(const uint8_t *a, const uint8_t *b)
{
	uint64_t hash_a = get_u64(a + 8);
	uint64_t hash_b = get_u64(b + 8);
	uint32_t size_a = get_u32(a);
	uint32_t size_b = get_u32(b);
	int order;

	if (hash_a != hash_b)
		return hash_a < hash_b ? -1 : 1;
	order = memcmp(a, b, size_a < size_b ? size_a : size_b);
	if (order != 0)
		return order;
	return size_a < size_b ? -1 : size_a > size_b;
}

uint64_t
mren_example_identity(const MrenExample *example)
{
	const MrenSentence *s = &example->sentence;
	const MrenTextSpan *texts[3] = {&example->relation, &example->head_type, &example->tail_type};
	/*
	 * A row given by image and one given by its stored vector are the same,
	 * with or without a grid, with or without tokens, with or without the
	 * probabilities of other relations, and whatever rows it validates with.
	 */
	uint32_t shape[6] = {
		record_flags(example) &
			~(uint32_t) (FLAG_GRID | FLAG_TOKENS | FLAG_WINDOWED | FLAG_TARGETS | FLAG_TOGETHER),
		s->n_words,
		s->head.first,
		s->head.end,
		s->tail.first,
		s->tail.end};
	uint64_t hash = mren_hash64(shape, sizeof(shape), 0);

	hash = mren_hash64(s->pieces, 4 * (size_t) s->n_pieces, hash);
	hash = mren_hash64(s->starts, 4 * ((size_t) s->n_words + 1), hash);
	for (int i = 0; i < 3; i++)
		hash = mren_hash64(texts[i]->data != NULL ? texts[i]->data : "", text_size(texts[i]), hash);
	/* Sentences that differ only in words without vectors are told apart by their groups. */
	if (example->has_image)
		hash = mren_hash64(example->image.bytes, 16, hash);
	else
		hash = mren_hash64(&example->group, sizeof(example->group), hash);
	if (example->has_audio)
		hash = mren_hash64(example->audio.bytes, AUDIO_BYTES, hash);
	if (example->has_head_box)
		hash = mren_hash64(example->head_box, sizeof(example->head_box), hash);
	if (example->has_tail_box)
		hash = mren_hash64(example->tail_box, sizeof(example->tail_box), hash);
	return hash;
}

uint64_t
mren_example_pair(const MrenExample *example)
{
	MrenExample pair = *example;

	pair.relation = (MrenTextSpan){"", 0};
	return mren_example_identity(&pair);
}

uint64_t
mren_example_group(const char *sentence, size_t len, const MrenHash128 *image)
{
	if (image != NULL)
		return mren_hash64(image->bytes, sizeof(image->bytes), 2);
	return mren_hash64(sentence, len, 1);
}
