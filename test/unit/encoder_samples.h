/*
 * encoder_samples.h
 *	  Tiny pretrained encoders, written as the usual exporters write them.
 *
 * Width 4, one head of 2 for each half, one layer, 8 pieces, 6 positions.  The names of
 * tensors are written out here, not taken from what is tested.
 */
#ifndef MREN_TEST_ENCODER_SAMPLES_H
#define MREN_TEST_ENCODER_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct SampleTensor
{
	const char *name;
	int rows;
	int columns; /* 0: a vector */
} SampleTensor;

static const char sample_config[] =
	"{\"model_type\":\"bert\",\"vocab_size\":8,\"hidden_size\":4,\"num_hidden_layers\":1,"
	"\"num_attention_heads\":2,\"intermediate_size\":6,\"max_position_embeddings\":6,"
	"\"type_vocab_size\":2,\"hidden_act\":\"gelu\",\"layer_norm_eps\":1e-12}";

static const char sample_vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##c\n";

static const SampleTensor sample_tensors[] = {
	{"embeddings.word_embeddings.weight", 8, 4},
	{"embeddings.position_embeddings.weight", 6, 4},
	{"embeddings.token_type_embeddings.weight", 2, 4},
	{"embeddings.LayerNorm.weight", 4, 0},
	{"embeddings.LayerNorm.bias", 4, 0},
	{"encoder.layer.0.attention.self.query.weight", 4, 4},
	{"encoder.layer.0.attention.self.query.bias", 4, 0},
	{"encoder.layer.0.attention.self.key.weight", 4, 4},
	{"encoder.layer.0.attention.self.key.bias", 4, 0},
	{"encoder.layer.0.attention.self.value.weight", 4, 4},
	{"encoder.layer.0.attention.self.value.bias", 4, 0},
	{"encoder.layer.0.attention.output.dense.weight", 4, 4},
	{"encoder.layer.0.attention.output.dense.bias", 4, 0},
	{"encoder.layer.0.attention.output.LayerNorm.weight", 4, 0},
	{"encoder.layer.0.attention.output.LayerNorm.bias", 4, 0},
	{"encoder.layer.0.intermediate.dense.weight", 6, 4},
	{"encoder.layer.0.intermediate.dense.bias", 6, 0},
	{"encoder.layer.0.output.dense.weight", 4, 6},
	{"encoder.layer.0.output.dense.bias", 4, 0},
	{"encoder.layer.0.output.LayerNorm.weight", 4, 0},
	{"encoder.layer.0.output.LayerNorm.bias", 4, 0},
};

#define SAMPLE_TENSORS ((int) (sizeof(sample_tensors) / sizeof(sample_tensors[0])))

/* Bytes being written. */
typedef struct SampleBytes
{
	uint8_t data[65536];
	size_t len;
} SampleBytes;

static inline void
sample_put(SampleBytes *bytes, const void *data, size_t n)
{
	if (n > sizeof(bytes->data) - bytes->len)
		abort();
	memcpy(bytes->data + bytes->len, data, n);
	bytes->len += n;
}

/* A safetensors file of a header, in JSON, and numbers. */
static inline void
sample_file(SampleBytes *out, const char *header, const void *numbers, size_t n)
{
	uint64_t len = strlen(header);
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t) (len >> (8 * i));
	out->len = 0;
	sample_put(out, bytes, 8);
	sample_put(out, header, (size_t) len);
	sample_put(out, numbers, n);
}

/* How the tiny encoder is exported. */
typedef struct SampleExport
{
	const char *prefix; /* of all names */
	const char *type;	/* F32 (NULL), F16 or BF16 */
	bool old_names;		/* gamma and beta */
	bool backwards;		/* the tensors in the opposite order */
	int first;			/* tensors first .. last - 1 only; last 0: all */
	int last;
	const SampleTensor *tensors; /* NULL: those above */
	int n;
	const char *extra; /* more entries of the header, of empty tensors */
} SampleExport;

/* Number i of all, a multiple of 1/8 below 4 in magnitude: exact in each type. */
static inline float
sample_number(int tensor, int i)
{
	return (float) ((tensor * 7 + i * 5) % 63 - 31) / 8;
}

static inline void
sample_put_number(SampleBytes *out, const char *type, float value)
{
	uint32_t bits;
	uint16_t half;

	memcpy(&bits, &value, 4);
	if (strcmp(type, "F32") == 0)
	{
		sample_put(out, &bits, 4);
		return;
	}
	half = (uint16_t) (bits >> 16);
	/* The numbers are zero or normal in both: only the exponent's bias changes. */
	if (strcmp(type, "F16") == 0)
		half = (uint16_t) ((bits >> 16 & 0x8000) |
						   (value == 0
								? 0
								: ((bits >> 23 & 0xFF) - 127 + 15) << 10 | (bits >> 13 & 0x3FF)));
	sample_put(out, &half, 2);
}

static inline void
sample_name(char *out, size_t size, const SampleExport *how, const char *name)
{
	const char *norm = strstr(name, "LayerNorm.");

	if (how->old_names && norm != NULL)
		snprintf(out, size, "%s%.*s%s", how->prefix ? how->prefix : "", (int) (norm + 10 - name),
				 name, strcmp(norm, "LayerNorm.weight") == 0 ? "gamma" : "beta");
	else
		snprintf(out, size, "%s%s", how->prefix ? how->prefix : "", name);
}

/* The weights of the tiny encoder. */
static inline void
sample_weights(SampleBytes *out, const SampleExport *how)
{
	static SampleBytes numbers;
	char header[8192];
	char name[256];
	const char *type = how->type ? how->type : "F32";
	const SampleTensor *tensors = how->tensors ? how->tensors : sample_tensors;
	int last = how->last > 0 ? how->last : how->tensors ? how->n : SAMPLE_TENSORS;
	int at = snprintf(header, sizeof(header), "{\"__metadata__\":{\"format\":\"pt\"}%s",
					  how->extra ? how->extra : "");

	numbers.len = 0;
	for (int k = how->first; k < last; k++)
	{
		int t = how->backwards ? how->first + last - 1 - k : k;
		const SampleTensor *tensor = &tensors[t];
		int n = tensor->rows * (tensor->columns ? tensor->columns : 1);
		size_t begin = numbers.len;
		char shape[32];

		for (int i = 0; i < n; i++)
			sample_put_number(&numbers, type, sample_number(t, i));
		sample_name(name, sizeof(name), how, tensor->name);
		if (tensor->columns)
			snprintf(shape, sizeof(shape), "%d,%d", tensor->rows, tensor->columns);
		else
			snprintf(shape, sizeof(shape), "%d", tensor->rows);
		at += snprintf(header + at, sizeof(header) - (size_t) at,
					   ",\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}", name,
					   type, shape, begin, numbers.len);
	}
	snprintf(header + at, sizeof(header) - (size_t) at, "}");
	sample_file(out, header, numbers.data, numbers.len);
}

#endif
