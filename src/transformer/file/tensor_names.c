/*
 * tensor_names.c
 *	  The names under which exporters write the tensors of an encoder.
 */
#include "transformer/file/tensor_names.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Numbers that are looked at between two checks for interrupts. */
#define STEP ((size_t) 1 << 20)

/* NULL: the usual name. */
typedef struct Names
{
	const char *canonical;
	const char *usual; /* BERT, RoBERTa, ELECTRA */
	const char *distilbert;
	const char *mpnet;
	const char *deberta;
} Names;

static const Names common[] = {
	{"embeddings.word", "embeddings.word_embeddings", NULL, NULL, NULL},
	{"embeddings.position", "embeddings.position_embeddings", NULL, NULL, NULL},
	{"embeddings.token_type", "embeddings.token_type_embeddings", NULL, NULL, NULL},
	{"embeddings.norm", "embeddings.LayerNorm", NULL, NULL, NULL},
	{"embeddings.project", "embeddings_project", NULL, NULL, "embeddings.embed_proj"},
	{"relative.bias", "encoder.relative_attention_bias", NULL, NULL, NULL},
	{"relative.embeddings", "encoder.rel_embeddings", NULL, NULL, NULL},
	{"relative.norm", "encoder.LayerNorm", NULL, NULL, NULL},
};

static const Names of_layer[] = {
	{"attention.query", "attention.self.query", "attention.q_lin", "attention.attn.q",
	 "attention.self.query_proj"},
	{"attention.key", "attention.self.key", "attention.k_lin", "attention.attn.k",
	 "attention.self.key_proj"},
	{"attention.value", "attention.self.value", "attention.v_lin", "attention.attn.v",
	 "attention.self.value_proj"},
	{"attention.position_key", "attention.self.pos_key_proj", NULL, NULL, NULL},
	{"attention.position_query", "attention.self.pos_query_proj", NULL, NULL, NULL},
	{"attention.output", "attention.output.dense", "attention.out_lin", "attention.attn.o", NULL},
	{"attention.norm", "attention.output.LayerNorm", "sa_layer_norm", "attention.LayerNorm", NULL},
	{"intermediate", "intermediate.dense", "ffn.lin1", NULL, NULL},
	{"output", "output.dense", "ffn.lin2", NULL, NULL},
	{"norm", "output.LayerNorm", "output_layer_norm", NULL, NULL},
};

static const char word_embeddings[] = "embeddings.word_embeddings.weight";

typedef struct Finding
{
	const MrenEnv *env;
	const MrenSafetensors *set;
	const MrenTransformerConfig *config;
	char prefix[MREN_EXPORTED_NAME_SIZE / 2];
	bool *used; /* for each of the set */
	MrenError *err;
} Finding;

static const char *
name_of(const Names *names, MrenTransformerArchitecture architecture)
{
	const char *name = NULL;

	if (architecture == MREN_TRANSFORMER_DISTILBERT)
		name = names->distilbert;
	else if (architecture == MREN_TRANSFORMER_MPNET)
		name = names->mpnet;
	else if (architecture == MREN_TRANSFORMER_DEBERTA)
		name = names->deberta;
	return name == NULL ? names->usual : name;
}

/* The exported name of the first len bytes of a canonical one. */
static const char *
translate(const Names *table, size_t n, const char *canonical, size_t len,
		  MrenTransformerArchitecture architecture)
{
	for (size_t i = 0; i < n; i++)
	{
		if (strlen(table[i].canonical) == len && memcmp(table[i].canonical, canonical, len) == 0)
			return name_of(&table[i], architecture);
	}
	return "";
}

/* An embedding table has no suffix in its canonical name. */
static void
exported_name(const Finding *finding, const char *canonical, char *out)
{
	MrenTransformerArchitecture architecture = finding->config->architecture;
	const char *stem = canonical;
	const char *suffix = strrchr(canonical, '.');
	const char *body = architecture == MREN_TRANSFORMER_DISTILBERT ? "transformer" : "encoder";
	const char *name;

	if (strcmp(suffix, ".weight") != 0 && strcmp(suffix, ".bias") != 0)
		suffix = "";
	if (strcmp(canonical, "relative.bias") == 0)
		suffix = "";
	if (strncmp(canonical, "layer.", 6) == 0)
	{
		stem = strchr(canonical + 6, '.') + 1;
		name = translate(of_layer, sizeof(of_layer) / sizeof(of_layer[0]), stem,
						 strlen(stem) - strlen(suffix), architecture);
		snprintf(out, MREN_EXPORTED_NAME_SIZE, "%s%s.%.*s%s%s", finding->prefix, body,
				 (int) (stem - canonical), canonical, name, suffix);
	}
	else
	{
		name = translate(common, sizeof(common) / sizeof(common[0]), stem,
						 strlen(stem) - strlen(suffix), architecture);
		snprintf(out, MREN_EXPORTED_NAME_SIZE, "%s%s%s", finding->prefix, name,
				 suffix[0] == '\0' ? ".weight" : suffix);
	}
}

/* What stands before the word embeddings stands before all names. */
static MrenStatus
find_prefix(Finding *finding)
{
	const char *found = NULL;
	size_t len = sizeof(word_embeddings) - 1;

	for (size_t i = 0; i < finding->set->n; i++)
	{
		const char *name = finding->set->items[i].name;
		size_t n = strlen(name);

		if (n < len || strcmp(name + n - len, word_embeddings) != 0 ||
			(n > len && name[n - len - 1] != '.') || n - len >= sizeof(finding->prefix))
			continue;
		if (found != NULL)
		{
			mren_fail(finding->err, MREN_EDATA, "the weights are those of more than one encoder");
			mren_error_detail(finding->err, "There are both \"%s\" and \"%s\".",
							  mren_utf8_excerpt(found, strlen(found)).text,
							  mren_utf8_excerpt(name, n).text);
			return MREN_EDATA;
		}
		found = name;
		memcpy(finding->prefix, name, n - len);
		finding->prefix[n - len] = '\0';
	}
	if (found == NULL)
		return mren_fail(finding->err, MREN_EDATA, "the weights have no tensor \"%s\"",
						 word_embeddings);
	return MREN_OK;
}

/* Under its name, or the one that its layer norm had in the first exports. */
static const MrenSafetensor *
find_exported(const Finding *finding, char *name)
{
	const MrenSafetensor *tensor = mren_safetensors_find(finding->set, name);
	char *suffix = strrchr(name, '.');
	bool weight = strcmp(suffix, ".weight") == 0;

	if (tensor != NULL || suffix - name < 9 || strncmp(suffix - 9, "LayerNorm", 9) != 0)
		return tensor;
	strcpy(suffix, weight ? ".gamma" : ".beta");
	tensor = mren_safetensors_find(finding->set, name);
	strcpy(suffix, weight ? ".weight" : ".bias");
	return tensor;
}

static MrenStatus
check_tensor(const Finding *finding, const MrenSafetensor *found,
			 const MrenTransformerTensor *wanted)
{
	MrenExcerpt name = mren_utf8_excerpt(found->name, strlen(found->name));
	int n_dims = wanted->columns == 0 ? 1 : 2;

	if (found->type == MREN_NUMBER_OTHER)
	{
		mren_fail(finding->err, MREN_EUNSUPPORTED, "tensor \"%s\" has the type \"%s\"", name.text,
				  found->type_name);
		mren_error_hint(finding->err, "Weights can be F32, F16 or BF16.");
		return MREN_EUNSUPPORTED;
	}
	if (found->n_dims != n_dims || found->shape[0] != wanted->rows ||
		(n_dims == 2 && found->shape[1] != wanted->columns))
	{
		mren_fail(finding->err, MREN_EDATA, "tensor \"%s\" has another shape than config.json says",
				  name.text);
		if (n_dims == 1)
			mren_error_detail(finding->err, "It has %d dimensions, the first of %zu, not 1 of %zu.",
							  found->n_dims, found->n_dims > 0 ? found->shape[0] : 0, wanted->rows);
		else
			mren_error_detail(finding->err,
							  "It has %d dimensions, the first of %zu and %zu, not 2 of %zu and "
							  "%zu.",
							  found->n_dims, found->n_dims > 0 ? found->shape[0] : 0,
							  found->n_dims > 1 ? found->shape[1] : 0, wanted->rows,
							  wanted->columns);
		return MREN_EDATA;
	}
	return MREN_OK;
}

/* Infinite and NaN are those with all bits of the exponent set. */
static bool
all_finite(const uint8_t *data, size_t n, MrenNumberType type)
{
	uint32_t mask = type == MREN_NUMBER_F16	   ? 0x7C00
					: type == MREN_NUMBER_BF16 ? 0x7F80
											   : 0x7F800000;
	size_t size = type == MREN_NUMBER_F32 ? 4 : 2;
	bool finite = true;

	for (size_t i = 0; i < n; i++)
	{
		const uint8_t *at = data + i * size;
		uint32_t bits = (uint32_t) at[0] | (uint32_t) at[1] << 8;

		if (size == 4)
			bits |= (uint32_t) at[2] << 16 | (uint32_t) at[3] << 24;
		finite &= (bits & mask) != mask;
	}
	return finite;
}

static MrenStatus
check_numbers(const Finding *finding, const MrenSafetensor *tensor)
{
	size_t size = tensor->n > 0 ? tensor->bytes / tensor->n : 0;

	for (size_t at = 0; at < tensor->n; at += STEP)
	{
		size_t n = tensor->n - at < STEP ? tensor->n - at : STEP;

		MREN_TRY(mren_check_interrupts(finding->env, finding->err));
		if (!all_finite(tensor->data + at * size, n, tensor->type))
			return mren_fail(finding->err, MREN_ENUMERIC, "tensor \"%s\" contains NaN or infinity",
							 mren_utf8_excerpt(tensor->name, strlen(tensor->name)).text);
	}
	return MREN_OK;
}

static bool
ends_in(const char *name, const char *end)
{
	return strlen(name) >= strlen(end) && strcmp(name + strlen(name) - strlen(end), end) == 0;
}

/*
 * Buffers that only count positions, and the position embeddings of DeBERTa's pretraining,
 * which its files keep although the encoder does not add them.
 */
static bool
is_harmless(const Finding *finding, const MrenSafetensor *tensor)
{
	return tensor->n == 0 || ends_in(tensor->name, ".position_ids") ||
		   ends_in(tensor->name, ".token_type_ids") ||
		   (!finding->config->absolute_positions &&
			ends_in(tensor->name, "embeddings.position_embeddings.weight"));
}

/*
 * A tensor of the encoder's own parts that its configuration does not know would change
 * what it computes.
 */
static MrenStatus
check_unused(const Finding *finding)
{
	static const char *const parts[] = {"embeddings.", "embeddings_project.", "encoder.",
										"transformer."};
	size_t n_prefix = strlen(finding->prefix);

	for (size_t i = 0; i < finding->set->n; i++)
	{
		const char *name = finding->set->items[i].name;
		bool own = false;

		if (finding->used[i] || strncmp(name, finding->prefix, n_prefix) != 0 ||
			is_harmless(finding, &finding->set->items[i]))
			continue;
		for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++)
			own |= strncmp(name + n_prefix, parts[p], strlen(parts[p])) == 0;
		if (own)
			return mren_fail(
				finding->err, MREN_EDATA,
				"tensor \"%s\" is not part of an encoder of type \"%s\" with %zu layers",
				mren_utf8_excerpt(name, strlen(name)).text,
				mren_transformer_architecture_name(finding->config->architecture),
				finding->config->layers);
	}
	return MREN_OK;
}

static MrenStatus
find_all(Finding *finding, const MrenSafetensor **tensors, size_t n)
{
	MrenTransformerTensor wanted;

	MREN_TRY(find_prefix(finding));
	for (size_t i = 0; i < n && mren_transformer_tensor(finding->config, i, &wanted); i++)
	{
		char name[MREN_EXPORTED_NAME_SIZE];

		exported_name(finding, wanted.name, name);
		tensors[i] = find_exported(finding, name);
		if (tensors[i] == NULL)
			return mren_fail(finding->err, MREN_EDATA, "the weights have no tensor \"%s\"",
							 mren_utf8_excerpt(name, strlen(name)).text);
		finding->used[tensors[i] - finding->set->items] = true;
		MREN_TRY(check_tensor(finding, tensors[i], &wanted));
		MREN_TRY(check_numbers(finding, tensors[i]));
	}
	return check_unused(finding);
}

MrenStatus
mren_exported_tensors(const MrenEnv *env, const MrenSafetensors *set,
					  const MrenTransformerConfig *config, const MrenSafetensor **tensors, size_t n,
					  MrenError *err)
{
	Finding finding = {.env = env, .set = set, .config = config, .err = err};
	MrenStatus status;

	MREN_TRY(mren_allocate_zero(env, set->n, sizeof(bool), &finding.used, err));
	status = find_all(&finding, tensors, n);
	mren_release(env, finding.used);
	return status;
}
