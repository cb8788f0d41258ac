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

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "base/utf8.h"

/* Longer names have no short forms but their own key. */
#define MAX_WORDS 12
#define MAX_KEY 1024
#define MAX_INITIALS 10
#define AMBIGUOUS UINT32_MAX

typedef enum Rule
{
	RULE_SAME,
	RULE_PERSON,   /* a short form of a longer name */
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

/* A mention's name without what rule 1 ignores, as words. */
typedef struct Name
{
	char text[MAX_KEY];
	size_t len;
	MrenTextSpan words[MAX_WORDS];
	size_t n_words; /* 0 for a name that is too long */
	MrenTextSpan type;
	bool person;
	char initials[4 * MAX_INITIALS]; /* of its capitalised words, if there are several */
	size_t n_initials;				 /* bytes */
	char acronym[4 * MAX_INITIALS];	 /* its letters, if it is one word of capitals */
	size_t n_acronym;
} Name;

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

bool
mren_type_is_person(MrenTextSpan type)
{
	static const char *const names[] = {"per",	  "pers", "person", "persons",
										"people", "peop", "human"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
	{
		if (type.len == strlen(names[i]) && mren_ascii_equals(type.data, names[i], type.len))
			return true;
	}
	return false;
}

/*
 * The table
 */

static uint64_t
hash_key(Forms *forms, Rule rule, const Name *name, const MrenTextSpan *parts, size_t n_parts,
		 MrenStatus *status, MrenError *err)
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
put(Forms *forms, Rule rule, const Name *name, const MrenTextSpan *parts, size_t n_parts,
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
get(Forms *forms, Rule rule, const Name *name, const MrenTextSpan *parts, size_t n_parts,
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
 * Names
 */

static bool
is_ignored(UChar unit)
{
	return unit == '.' || (unit >= 0x0300 && unit <= 0x036F);
}

static bool
is_divider(UChar unit)
{
	return unit == ' ' || unit == '-' || unit == ',' || unit == '"' || unit == '\'' ||
		   (unit >= 0x2013 && unit <= 0x201F);
}

/* Decomposed, without accents and punctuation; leaves the name empty if it is too long. */
static void
simplify(MrenTextSpan text, Name *name)
{
	UChar units[MAX_KEY];
	UChar plain[MAX_KEY];
	UErrorCode status = U_ZERO_ERROR;
	int32_t n = 0;
	int32_t n_plain;
	int32_t to = 0;
	int32_t len = 0;

	name->len = 0;
	if (text.len >= MAX_KEY)
		return;
	u_strFromUTF8(units, MAX_KEY, &n, text.data, (int32_t) text.len, &status);
	n_plain = unorm2_normalize(unorm2_getNFDInstance(&status), units, n, plain, MAX_KEY, &status);
	if (U_FAILURE(status))
		return;
	for (int32_t i = 0; i < n_plain; i++)
	{
		if (!is_ignored(plain[i]))
			plain[to++] = is_divider(plain[i]) ? ' ' : plain[i];
	}
	u_strToUTF8(name->text, MAX_KEY, &len, plain, to, &status);
	if (U_SUCCESS(status))
		name->len = (size_t) len;
}

static bool
is_word(MrenTextSpan word, const char *text)
{
	return word.len == strlen(text) && memcmp(word.data, text, word.len) == 0;
}

static void
take_words(Name *name)
{
	size_t from = 0;

	name->n_words = 0;
	for (size_t i = 0; i <= name->len; i++)
	{
		if (i < name->len && name->text[i] != ' ')
			continue;
		if (i > from && name->n_words == MAX_WORDS)
		{
			name->n_words = 0;
			return;
		}
		if (i > from)
			name->words[name->n_words++] = (MrenTextSpan){name->text + from, i - from};
		from = i + 1;
	}
	if (name->n_words > 1 && is_word(name->words[name->n_words - 1], "s"))
		name->n_words--;
	if (name->n_words > 1 && is_word(name->words[0], "the"))
		memmove(name->words, name->words + 1, --name->n_words * sizeof(*name->words));
}

/* Words that initials pass over. */
static bool
is_particle(MrenTextSpan word)
{
	static const char *const particles[] = {"of", "the", "and", "for", "in",  "on", "to",
											"at", "de",	 "la",	"du",  "des", "a",	"von"};

	for (size_t i = 0; i < sizeof(particles) / sizeof(*particles); i++)
	{
		if (word.len == strlen(particles[i]) &&
			mren_ascii_equals(word.data, particles[i], word.len))
			return true;
	}
	return false;
}

static void
add_letter(char *letters, size_t *n, bool *fits, uint32_t code)
{
	if (*n > 4 * (MAX_INITIALS - 1))
		*fits = false;
	else
		*n += mren_utf8_encode(code, letters + *n);
}

/* The capitals that begin the words of a text, if it has several. */
static void
take_initials(MrenTextSpan text, Name *name)
{
	size_t n_words = 0;
	bool fits = true;

	name->n_initials = 0;
	for (size_t at = 0; at < text.len;)
	{
		size_t end = at;
		uint32_t code = 0;

		while (end < text.len && strchr(" \t\r\n-", text.data[end]) == NULL)
			end++;
		if (end > at && !is_particle((MrenTextSpan){text.data + at, end - at}) &&
			mren_utf8_decode(text.data + at, end - at, &code) > 0 && u_isupper((UChar32) code))
			add_letter(name->initials, &name->n_initials, &fits, code);
		n_words += end > at;
		at = end + 1;
	}
	if (!fits || n_words < 2)
		name->n_initials = 0;
}

/* Two capitals or more, with nothing but full stops between them. */
static void
take_acronym(MrenTextSpan text, Name *name)
{
	bool fits = true;
	size_t n = 0;

	name->n_acronym = 0;
	for (size_t at = 0; at < text.len && fits;)
	{
		uint32_t code = 0;
		size_t len = mren_utf8_decode(text.data + at, text.len - at, &code);

		fits = len > 0 && (u_isupper((UChar32) code) || code == '.');
		if (fits && code != '.')
		{
			add_letter(name->acronym, &name->n_acronym, &fits, code);
			n++;
		}
		at += len;
	}
	if (!fits || n < 2)
		name->n_acronym = 0;
}

static void
read_name(const Forms *forms, const MrenNamed *mention, Name *name)
{
	MrenTextSpan text = {forms->text + mention->start, mention->end - mention->start};

	name->type = mention->type;
	name->person = mren_type_is_person(mention->type);
	simplify(mention->name, name);
	take_words(name);
	take_initials(text, name);
	take_acronym(text, name);
	/* "U.S." is not the word "us": two capitals are kept apart by their case. */
	if (name->n_acronym == 2 && name->n_words == 1)
		name->words[0] = (MrenTextSpan){name->acronym, name->n_acronym};
}

/*
 * Rules
 */

/* Words without "Jr." and the like at the end. */
static size_t
n_proper_words(const Name *name)
{
	static const char *const endings[] = {"jr", "sr", "ii", "iii", "iv"};
	size_t n = name->n_words;

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
	{
		if (n > 1 && is_word(name->words[n - 1], endings[i]))
			return n - 1;
	}
	return n;
}

/* Calls put for each form that a longer name of a person may have. */
static MrenStatus
put_person(Forms *forms, const Name *name, uint32_t cluster, MrenError *err)
{
	size_t n = n_proper_words(name);
	MrenTextSpan ends[2];

	if (!name->person || n < 2)
		return MREN_OK;
	for (size_t k = 1; k < n; k++)
	{
		MREN_TRY(put(forms, RULE_PERSON, name, name->words, k, cluster, err));
		MREN_TRY(put(forms, RULE_PERSON, name, name->words + k, n - k, cluster, err));
	}
	if (n < name->n_words)
		MREN_TRY(put(forms, RULE_PERSON, name, name->words, n, cluster, err));
	ends[0] = name->words[0];
	ends[1] = name->words[n - 1];
	return n > 2 ? put(forms, RULE_PERSON, name, ends, 2, cluster, err) : MREN_OK;
}

static MrenStatus
find_person(Forms *forms, const Name *name, uint32_t *cluster, MrenError *err)
{
	*cluster = AMBIGUOUS;
	/* An initial alone says too little. */
	if (!name->person || name->n_words == 0 ||
		(name->n_words == 1 && mren_utf8_length(name->words[0].data, name->words[0].len) < 2))
		return MREN_OK;
	return get(forms, RULE_PERSON, name, name->words, name->n_words, cluster, err);
}

static MrenStatus
find_acronym(Forms *forms, const Name *name, uint32_t *cluster, MrenError *err)
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

/* Whether a short name's letters occur in a longer one in their order, the first at its beginning. */
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
	return n >= 2 && n <= MAX_INITIALS;
}

/* "Name (N)": the mention before, if it ends where the parenthesis begins. */
static bool
is_defined_by(const Forms *forms, const MrenNamed *before, const MrenNamed *mention)
{
	size_t at = before->end;

	if (before->type.len != mention->type.len ||
		memcmp(before->type.data, mention->type.data, mention->type.len) != 0)
		return false;
	while (at < mention->start && forms->text[at] == ' ')
		at++;
	if (at >= mention->start || forms->text[at] != '(')
		return false;
	for (at++; at < mention->start; at++)
	{
		if (forms->text[at] != ' ')
			return false;
	}
	for (at = mention->end; at < forms->len && forms->text[at] == ' '; at++)
		;
	return at < forms->len && strchr(");,", forms->text[at]) != NULL &&
		   has_letters(before->name, mention->name);
}

static MrenStatus
find_cluster(Forms *forms, const MrenNamed *mentions, size_t i, const Name *name, uint32_t *cluster,
			 MrenError *err)
{
	*cluster = AMBIGUOUS;
	if (name->n_words > 0)
		MREN_TRY(get(forms, RULE_SAME, name, name->words, name->n_words, cluster, err));
	if (*cluster == AMBIGUOUS)
		MREN_TRY(find_person(forms, name, cluster, err));
	if (*cluster == AMBIGUOUS)
		MREN_TRY(find_acronym(forms, name, cluster, err));
	if (*cluster == AMBIGUOUS && i > 0 && is_defined_by(forms, &mentions[i - 1], &mentions[i]))
		*cluster = forms->cluster_of[i - 1];
	return MREN_OK;
}

static MrenStatus
put_keys(Forms *forms, const Name *name, uint32_t cluster, MrenError *err)
{
	MrenTextSpan letters;

	if (name->n_words == 0)
		return MREN_OK;
	MREN_TRY(put(forms, RULE_SAME, name, name->words, name->n_words, cluster, err));
	MREN_TRY(put_person(forms, name, cluster, err));
	letters = (MrenTextSpan){name->initials, name->n_initials};
	if (name->n_initials > 1)
		MREN_TRY(put(forms, RULE_INITIALS, name, &letters, 1, cluster, err));
	letters = (MrenTextSpan){name->acronym, name->n_acronym};
	if (name->n_acronym > 0)
		MREN_TRY(put(forms, RULE_ACRONYM, name, &letters, 1, cluster, err));
	return MREN_OK;
}

static void
join(Forms *forms, uint32_t i, const Name *name, uint32_t cluster)
{
	Cluster *joined = &forms->clusters[cluster];
	uint32_t n_words = (uint32_t) name->n_words;
	uint32_t len = 0;

	for (uint32_t k = 0; k < n_words; k++)
		len += (uint32_t) name->words[k].len;
	if (joined->full == AMBIGUOUS || n_words > joined->n_words ||
		(n_words == joined->n_words && len > joined->len))
		*joined = (Cluster){i, n_words, len};
	forms->cluster_of[i] = cluster;
}

static MrenStatus
find_all(Forms *forms, const MrenNamed *mentions, size_t n, MrenError *err)
{
	Name name;

	for (size_t i = 0; i < n; i++)
	{
		uint32_t cluster;

		if (i % 64 == 0)
			MREN_TRY(mren_check_interrupts(forms->env, err));
		read_name(forms, &mentions[i], &name);
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

MrenStatus
mren_short_forms(const MrenEnv *env, const char *text, size_t len, MrenNamed *mentions, size_t n,
				 MrenError *err)
{
	Forms forms = {.env = env, .text = text, .len = len};
	MrenStatus status;

	if (n == 0)
		return MREN_OK;
	status = mren_allocate(env, n, sizeof(*forms.clusters), &forms.clusters, err);
	if (status == MREN_OK)
		status = mren_allocate(env, n, sizeof(*forms.cluster_of), &forms.cluster_of, err);
	if (status == MREN_OK)
		status = find_all(&forms, mentions, n, err);
	for (size_t i = 0; i < n && status == MREN_OK; i++)
		mentions[i].full = forms.clusters[forms.cluster_of[i]].full;
	mren_release(env, forms.slots);
	mren_release(env, forms.clusters);
	mren_release(env, forms.cluster_of);
	mren_buffer_free(env, &forms.key);
	return status;
}
