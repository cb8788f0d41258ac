/*
 * short_forms.c
 *	  Short forms by keys: each name that is met puts the keys of the forms that it
 *	  may have into a table, where later mentions look for theirs.
 *
 * A key is the hash of a rule, a type and a text.  A key of two clusters of mentions
 * belongs to neither.
 */
#include "text/names/short_forms.h"

#include <string.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "text/names/name_words.h"

#define AMBIGUOUS UINT32_MAX

/* Bytes between a name and another that it is given. */
#define MAX_BETWEEN 40

typedef enum Rule
{
	RULE_SAME,
	RULE_PART,	   /* words of a longer name */
	RULE_END,	   /* its last words, which an article must introduce */
	RULE_INITIALS, /* of a name */
	RULE_ACRONYM,  /* met before its name */
} Rule;

typedef struct Slot
{
	uint64_t key; /* 0: free */
	uint32_t cluster;
} Slot;

typedef struct Cluster
{
	uint32_t full; /* mention */
	uint32_t n_words;
	uint32_t len;
} Cluster;

typedef struct Forms
{
	const MrenEnv *env;
	const char *text;
	size_t len;
	Slot *slots;
	size_t n_slots; /* a power of two */
	size_t n_keys;
	Cluster *clusters;
	uint32_t *cluster_of; /* of each mention */
	uint32_t n_clusters;
	MrenBuffer key;
} Forms;

/*
 * The table
 */

static uint64_t
hash_key(Forms *forms, Rule rule, const MrenNameWords *name, const MrenTextSpan *parts,
		 size_t n_parts, MrenStatus *status, MrenError *err)
{
	uint8_t head[1 + sizeof(uint32_t)] = {(uint8_t) rule};
	uint32_t n_type = (uint32_t) name->type.len;
	uint64_t hash;

	memcpy(head + 1, &n_type, sizeof(n_type));
	forms->key.len = 0;
	*status = mren_buffer_append(forms->env, &forms->key, head, sizeof(head), err);
	if (*status == MREN_OK)
		*status = mren_buffer_append(forms->env, &forms->key, name->type.data, n_type, err);
	for (size_t i = 0; i < n_parts && *status == MREN_OK; i++)
	{
		if (i > 0)
			*status = mren_buffer_append(forms->env, &forms->key, " ", 1, err);
		if (*status == MREN_OK)
			*status = mren_buffer_append(forms->env, &forms->key, parts[i].data, parts[i].len, err);
	}
	hash = *status == MREN_OK ? mren_hash64(forms->key.data, forms->key.len, 0) : 0;
	return hash == 0 ? 1 : hash;
}

static Slot *
find_slot(Slot *slots, size_t n_slots, uint64_t key)
{
	size_t at = (size_t) key & (n_slots - 1);

	while (slots[at].key != 0 && slots[at].key != key)
		at = (at + 1) & (n_slots - 1);
	return &slots[at];
}

static MrenStatus
grow(Forms *forms, MrenError *err)
{
	size_t n = forms->n_slots == 0 ? 256 : forms->n_slots * 2;
	Slot *slots;

	if (forms->n_keys * 2 < forms->n_slots)
		return MREN_OK;
	MREN_TRY(mren_allocate_zero(forms->env, n, sizeof(*slots), &slots, err));
	for (size_t i = 0; i < forms->n_slots; i++)
	{
		if (forms->slots[i].key != 0)
			*find_slot(slots, n, forms->slots[i].key) = forms->slots[i];
	}
	mren_release(forms->env, forms->slots);
	forms->slots = slots;
	forms->n_slots = n;
	return MREN_OK;
}

static MrenStatus
put(Forms *forms, Rule rule, const MrenNameWords *name, const MrenTextSpan *parts, size_t n_parts,
	uint32_t cluster, MrenError *err)
{
	MrenStatus status;
	uint64_t key = hash_key(forms, rule, name, parts, n_parts, &status, err);
	Slot *slot;

	MREN_TRY(status);
	MREN_TRY(grow(forms, err));
	slot = find_slot(forms->slots, forms->n_slots, key);
	forms->n_keys += slot->key == 0;
	if (slot->key != 0 && slot->cluster != cluster)
		cluster = AMBIGUOUS;
	*slot = (Slot){key, cluster};
	return MREN_OK;
}

/* The cluster of a key; AMBIGUOUS if there is none, or several. */
static MrenStatus
get(Forms *forms, Rule rule, const MrenNameWords *name, const MrenTextSpan *parts, size_t n_parts,
	uint32_t *cluster, MrenError *err)
{
	MrenStatus status;
	uint64_t key = hash_key(forms, rule, name, parts, n_parts, &status, err);
	const Slot *slot;

	*cluster = AMBIGUOUS;
	MREN_TRY(status);
	if (forms->n_slots == 0)
		return MREN_OK;
	slot = find_slot(forms->slots, forms->n_slots, key);
	if (slot->key != 0)
		*cluster = slot->cluster;
	return MREN_OK;
}

/*
 * Rules
 */

static MrenStatus
put_part(Forms *forms, const MrenNameWords *name, const MrenTextSpan *words, size_t n,
		 uint32_t cluster, MrenError *err)
{
	return put(forms, RULE_PART, name, words, n, cluster, err);
}

static MrenTextSpan
initial(MrenTextSpan word)
{
	uint32_t code;

	word.len = mren_utf8_decode(word.data, word.len, &code);
	return word;
}

/* "W. H. Armstrong" and "William H. Armstrong", of n words. */
static MrenStatus
put_initials(Forms *forms, const MrenNameWords *name, size_t n, uint32_t cluster, MrenError *err)
{
	MrenTextSpan words[MREN_NAME_MAX_WORDS];
	bool differs = false;

	memcpy(words, name->words, n * sizeof(*words));
	for (size_t i = 1; i + 1 < n; i++)
	{
		words[i] = initial(words[i]);
		differs |= words[i].len < name->words[i].len;
	}
	if (differs)
		MREN_TRY(put_part(forms, name, words, n, cluster, err));
	words[0] = initial(words[0]);
	/* A name of initials alone is not a longer form of itself. */
	if (!differs && words[0].len == name->words[0].len)
		return MREN_OK;
	return put_part(forms, name, words, n, cluster, err);
}

/* Calls put for each form that a longer name of a person may have. */
static MrenStatus
put_person(Forms *forms, const MrenNameWords *name, uint32_t cluster, MrenError *err)
{
	size_t n = mren_name_proper_words(name);
	MrenTextSpan ends[2];

	if (n < 2)
		return MREN_OK;
	for (size_t k = 1; k < n; k++)
	{
		MREN_TRY(put_part(forms, name, name->words, k, cluster, err));
		MREN_TRY(put_part(forms, name, name->words + k, n - k, cluster, err));
	}
	if (n < name->n_words)
		MREN_TRY(put_part(forms, name, name->words, n, cluster, err));
	ends[0] = name->words[0];
	ends[1] = name->words[n - 1];
	if (n > 2)
		MREN_TRY(put_part(forms, name, ends, 2, cluster, err));
	return put_initials(forms, name, n, cluster, err);
}

/*
 * What kind of organization it is may be left out, and an article may stand for the first words:
 * "Taito" of "Taito Corporation", "the Spurs" of "San Antonio Spurs".
 */
static MrenStatus
put_parts(Forms *forms, const MrenNameWords *name, uint32_t cluster, MrenError *err)
{
	static const char *const kinds[] = {
		"corporation", "inc",		 "incorporated", "corp",   "company", "co",		   "group",
		"limited",	   "ltd",		 "plc",			 "gmbh",   "ag",	  "llc",	   "sa",
		"university",  "college",	 "school",		 "church", "records", "institute", "bank",
		"hotel",	   "foundation", "party",		 "fc",	   NULL};
	const MrenTextSpan *words = name->words;
	size_t n = name->n_words;

	if (n < 2)
		return MREN_OK;
	if (mren_word_is_one_of(words[n - 1], kinds) && !mren_word_is_particle(words[n - 2]))
		MREN_TRY(put_part(forms, name, words, n - 1, cluster, err));
	return mren_word_is_particle(words[n - 1])
			   ? MREN_OK
			   : put(forms, RULE_END, name, words + n - 1, 1, cluster, err);
}

/* "Thailand" of "Kingdom of Thailand". */
static MrenStatus
put_place(Forms *forms, const MrenNameWords *name, uint32_t cluster, MrenError *err)
{
	static const char *const kinds[] = {"republic",		"kingdom", "principality",
										"commonwealth", "duchy",   NULL};
	const MrenTextSpan *words = name->words;

	for (size_t k = 0; k + 2 < name->n_words; k++)
	{
		if (mren_word_is_one_of(words[k], kinds) && mren_word_is(words[k + 1], "of"))
			return put_part(forms, name, words + k + 2, name->n_words - k - 2, cluster, err);
	}
	return MREN_OK;
}

static MrenStatus
find_part(Forms *forms, const MrenNameWords *name, uint32_t *cluster, MrenError *err)
{
	*cluster = AMBIGUOUS;
	/* An initial alone says too little. */
	if (name->n_words == 0 || !(name->person || name->proper) ||
		(name->n_words == 1 && mren_utf8_length(name->words[0].data, name->words[0].len) < 2))
		return MREN_OK;
	MREN_TRY(get(forms, RULE_PART, name, name->words, name->n_words, cluster, err));
	if (*cluster == AMBIGUOUS && name->definite)
		MREN_TRY(get(forms, RULE_END, name, name->words, name->n_words, cluster, err));
	return MREN_OK;
}

/* "Ada Lovelace" met before "Ada King Lovelace". */
static MrenStatus
find_without_middle(Forms *forms, const MrenNameWords *name, uint32_t *cluster, MrenError *err)
{
	size_t n = mren_name_proper_words(name);
	MrenTextSpan ends[2];

	*cluster = AMBIGUOUS;
	if (!name->person || n < 3)
		return MREN_OK;
	ends[0] = name->words[0];
	ends[1] = name->words[n - 1];
	return get(forms, RULE_SAME, name, ends, 2, cluster, err);
}

static MrenStatus
find_acronym(Forms *forms, const MrenNameWords *name, uint32_t *cluster, MrenError *err)
{
	MrenTextSpan letters;

	*cluster = AMBIGUOUS;
	if (name->n_acronym > 0)
	{
		letters = (MrenTextSpan){name->acronym, name->n_acronym};
		MREN_TRY(get(forms, RULE_INITIALS, name, &letters, 1, cluster, err));
	}
	else if (name->n_initials > 1)
	{
		letters = (MrenTextSpan){name->initials, name->n_initials};
		MREN_TRY(get(forms, RULE_ACRONYM, name, &letters, 1, cluster, err));
	}
	return MREN_OK;
}

/*
 * Whether a short name's letters occur in a longer one in their order, the first at its beginning.
 */
static bool
has_letters(MrenTextSpan in, MrenTextSpan letters)
{
	size_t at = 0;
	size_t n = 0;

	for (size_t i = 0; i < letters.len; i++)
	{
		if (!mren_utf8_continues(letters.data[i]) && strchr(" .-", letters.data[i]) != NULL)
			continue;
		while (at < in.len && in.data[at] != letters.data[i])
		{
			if (n == 0)
				return false;
			at++;
		}
		if (at == in.len)
			return false;
		at++;
		n++;
	}
	return n >= 2 && n <= MREN_NAME_MAX_INITIALS;
}

/*
 * What stands between two mentions: without quotation marks, commas and a last "the", in one
 * parenthesis or none.
 */
typedef struct Between
{
	char words[MAX_BETWEEN + 1];
	size_t len;
	bool parenthesis;
} Between;

static bool
read_between(const Forms *forms, size_t from, size_t to, Between *between)
{
	*between = (Between){.len = 0};
	if (to < from || to - from > MAX_BETWEEN)
		return false;
	for (size_t at = from; at < to; at++)
	{
		char c = forms->text[at];
		bool divides = strchr(" ,;\"(", c) != NULL;

		if (c == '(' && (between->parenthesis || between->len > 0))
			return false;
		between->parenthesis |= c == '(';
		if (!divides)
			between->words[between->len++] = c;
		else if (between->len > 0 && between->words[between->len - 1] != ' ')
			between->words[between->len++] = ' ';
	}
	if (between->len >= 4 && memcmp(between->words + between->len - 4, "the ", 4) == 0)
		between->len -= 4;
	while (between->len > 0 && between->words[between->len - 1] == ' ')
		between->len--;
	return true;
}

/* "Name, also known as Other", "Name (now Other)". */
static bool
is_renamed(const Between *between)
{
	static const char *const anywhere[] = {"also known as",
										   "also called",
										   "better known as",
										   "also referred to as",
										   "formerly known as",
										   "or simply",
										   NULL};
	static const char *const parenthesis[] = {"or",	   "now",	   "also",	 "formerly",
											  "today", "known as", "called", NULL};
	MrenTextSpan words = {between->words, between->len};

	return mren_word_is_one_of(words, anywhere) ||
		   (between->parenthesis && mren_word_is_one_of(words, parenthesis));
}

/*
 * "Name (Other)" and the like: the mention before.  Without words, Other is its
 * abbreviation, or its name in another script or, of what is neither a person nor a place,
 * in another language: actors stand before their roles so, and towns before their countries.
 */
static bool
is_defined_by(const Forms *forms, const MrenNamed *before, const MrenNamed *mention,
			  const MrenNameWords *name)
{
	Between between;
	size_t at = mention->end;

	if (before->type.len != mention->type.len ||
		memcmp(before->type.data, mention->type.data, mention->type.len) != 0 ||
		!read_between(forms, before->end, mention->start, &between))
		return false;
	if (between.len > 0)
		return is_renamed(&between);
	while (at < forms->len && strchr(" \"", forms->text[at]) != NULL)
		at++;
	if (!between.parenthesis || at >= forms->len || strchr(");,", forms->text[at]) == NULL)
		return false;
	return has_letters(before->name, mention->name) ||
		   mren_scripts_differ(before->name, mention->name) ||
		   (forms->text[at] == ')' && name->proper && !name->person && !name->place);
}

static MrenStatus
find_cluster(Forms *forms, const MrenNamed *mentions, size_t i, const MrenNameWords *name,
			 uint32_t *cluster, MrenError *err)
{
	*cluster = AMBIGUOUS;
	if (name->n_words > 0)
		MREN_TRY(get(forms, RULE_SAME, name, name->words, name->n_words, cluster, err));
	if (*cluster == AMBIGUOUS)
		MREN_TRY(find_part(forms, name, cluster, err));
	if (*cluster == AMBIGUOUS)
		MREN_TRY(find_without_middle(forms, name, cluster, err));
	if (*cluster == AMBIGUOUS)
		MREN_TRY(find_acronym(forms, name, cluster, err));
	if (*cluster == AMBIGUOUS && i > 0 &&
		is_defined_by(forms, &mentions[i - 1], &mentions[i], name))
		*cluster = forms->cluster_of[i - 1];
	return MREN_OK;
}

static MrenStatus
put_keys(Forms *forms, const MrenNameWords *name, uint32_t cluster, MrenError *err)
{
	MrenTextSpan letters;

	if (name->n_words == 0)
		return MREN_OK;
	MREN_TRY(put(forms, RULE_SAME, name, name->words, name->n_words, cluster, err));
	if (name->person)
		MREN_TRY(put_person(forms, name, cluster, err));
	else if (name->place)
		MREN_TRY(put_place(forms, name, cluster, err));
	else if (name->proper)
		MREN_TRY(put_parts(forms, name, cluster, err));
	letters = (MrenTextSpan){name->initials, name->n_initials};
	if (name->n_initials > 1)
		MREN_TRY(put(forms, RULE_INITIALS, name, &letters, 1, cluster, err));
	letters = (MrenTextSpan){name->acronym, name->n_acronym};
	if (name->n_acronym > 0)
		MREN_TRY(put(forms, RULE_ACRONYM, name, &letters, 1, cluster, err));
	return MREN_OK;
}

static bool
is_longer(const Cluster *a, const Cluster *b)
{
	return a->n_words > b->n_words || (a->n_words == b->n_words && a->len > b->len);
}

static void
join(Forms *forms, uint32_t i, const MrenNameWords *name, uint32_t cluster)
{
	Cluster *joined = &forms->clusters[cluster];
	uint32_t n_words = (uint32_t) name->n_words;
	uint32_t len = 0;

	for (uint32_t k = 0; k < n_words; k++)
		len += (uint32_t) name->words[k].len;
	if (joined->full == AMBIGUOUS || is_longer(&(Cluster){i, n_words, len}, joined))
		*joined = (Cluster){i, n_words, len};
	forms->cluster_of[i] = cluster;
}

static MrenStatus
find_all(Forms *forms, const MrenNamed *mentions, size_t n, MrenError *err)
{
	MrenNameWords name;

	for (size_t i = 0; i < n; i++)
	{
		uint32_t cluster;

		if (i % 64 == 0)
			MREN_TRY(mren_check_interrupts(forms->env, err));
		mren_name_words(forms->text, &mentions[i], &name);
		MREN_TRY(find_cluster(forms, mentions, i, &name, &cluster, err));
		if (cluster == AMBIGUOUS)
		{
			cluster = forms->n_clusters++;
			forms->clusters[cluster] = (Cluster){AMBIGUOUS, 0, 0};
		}
		join(forms, (uint32_t) i, &name, cluster);
		MREN_TRY(put_keys(forms, &name, cluster, err));
	}
	return MREN_OK;
}

/* Of a person, the longer name must have the same surname: "Dmitri" is not yet "Dmitri II". */
static bool
has_surname_of(const MrenNameWords *name, const MrenNameWords *longer)
{
	size_t n = mren_name_proper_words(longer);
	MrenTextSpan last = name->words[name->n_words - 1];

	return n > 0 && last.len == longer->words[n - 1].len &&
		   memcmp(last.data, longer->words[n - 1].data, last.len) == 0;
}

/*
 * Short forms before the name: later[i] is the cluster that i is part of, or AMBIGUOUS.
 * Its name is longer, so there are no circles.
 */
static MrenStatus
find_later(Forms *forms, const MrenNamed *mentions, uint32_t *later, MrenError *err)
{
	MrenNameWords name;
	MrenNameWords longer;

	for (uint32_t i = 0; i < forms->n_clusters; i++)
	{
		if (i % 64 == 0)
			MREN_TRY(mren_check_interrupts(forms->env, err));
		mren_name_words(forms->text, &mentions[forms->clusters[i].full], &name);
		MREN_TRY(find_part(forms, &name, &later[i], err));
		if (later[i] == AMBIGUOUS)
			continue;
		mren_name_words(forms->text, &mentions[forms->clusters[later[i]].full], &longer);
		if (!is_longer(&forms->clusters[later[i]], &forms->clusters[i]) ||
			(name.person && !has_surname_of(&name, &longer)))
			later[i] = AMBIGUOUS;
	}
	return MREN_OK;
}

MrenStatus
mren_short_forms(const MrenEnv *env, const char *text, size_t len, MrenNamed *mentions, size_t n,
				 MrenError *err)
{
	Forms forms = {.env = env, .text = text, .len = len};
	uint32_t *later = NULL;
	MrenStatus status;

	if (n == 0)
		return MREN_OK;
	status = mren_allocate(env, n, sizeof(*forms.clusters), &forms.clusters, err);
	if (status == MREN_OK)
		status = mren_allocate(env, n, sizeof(*forms.cluster_of), &forms.cluster_of, err);
	if (status == MREN_OK)
		status = find_all(&forms, mentions, n, err);
	if (status == MREN_OK)
		status = mren_allocate(env, forms.n_clusters, sizeof(*later), &later, err);
	if (status == MREN_OK)
		status = find_later(&forms, mentions, later, err);
	for (size_t i = 0; i < n && status == MREN_OK; i++)
	{
		uint32_t cluster = forms.cluster_of[i];

		while (later[cluster] != AMBIGUOUS)
			cluster = later[cluster];
		mentions[i].full = forms.clusters[cluster].full;
	}
	mren_release(env, later);
	mren_release(env, forms.slots);
	mren_release(env, forms.clusters);
	mren_release(env, forms.cluster_of);
	mren_buffer_free(env, &forms.key);
	return status;
}
