/*
 * names.c
 *	  How well short forms of names are found, for bench/graph/names.
 *
 * names FILE PART [WHAT]: FILE is in DocRED's format, whose mentions are taken as they
 * are.  PART is "train", "dev" (every fifth document) or "all".  An entity with several
 * mentions is split if they are not all of one name and type; a name and type joins
 * if mentions of several entities have it.  WHAT is "split" or "joined": prints each
 * of them as well, its names divided by " | ".
 */
#include "../bench.h"

#include <string.h>

#include "text/dataset/dataset.h"
#include "text/name.h"
#include "text/names/short_forms.h"

#define MAX_MENTIONS 1000

typedef struct Mention
{
	int32_t lower, upper; /* characters, then bytes */
	int32_t entity;
	char type[32];
} Mention;

typedef struct Document
{
	char *text;
	char title[256];
	Mention mentions[MAX_MENTIONS];
	MrenNamed named[MAX_MENTIONS];
	size_t n;
} Document;

typedef struct Counts
{
	long several, split, names, joined;
} Counts;

static int
compare_places(const void *a, const void *b)
{
	const Mention *x = a;
	const Mention *y = b;

	return x->lower != y->lower ? x->lower - y->lower : y->upper - x->upper;
}

static int32_t
byte_of(const char *text, int32_t character)
{
	int32_t at = 0;

	for (; character > 0; character--)
	{
		at++;
		while ((text[at] & 0xC0) == 0x80)
			at++;
	}
	return at;
}

static void
resolve(Document *document)
{
	size_t n = 0;

	qsort(document->mentions, document->n, sizeof(Mention), compare_places);
	for (size_t i = 0; i < document->n; i++)
	{
		Mention *mention = &document->mentions[n];

		*mention = document->mentions[i];
		if (n > 0 && mention->lower < mention[-1].upper)
			continue;
		n++;
	}
	document->n = n;
	for (size_t i = 0; i < n; i++)
	{
		Mention *mention = &document->mentions[i];
		MrenNamed *named = &document->named[i];
		char *name;

		*named = (MrenNamed){.type = {mention->type, strlen(mention->type)},
							 .start = (uint32_t) byte_of(document->text, mention->lower),
							 .end = (uint32_t) byte_of(document->text, mention->upper)};
		must(mren_name_normalize(&env, document->text + named->start, named->end - named->start,
								 &name, &named->name.len, &err));
		named->name.data = name;
	}
	must(mren_short_forms(&env, document->text, strlen(document->text), document->named, n, &err));
}

static bool
same_name(const Document *document, size_t a, size_t b)
{
	const MrenNamed *x = &document->named[document->named[a].full];
	const MrenNamed *y = &document->named[document->named[b].full];

	return x->type.len == y->type.len && memcmp(x->type.data, y->type.data, x->type.len) == 0 &&
		   x->name.len == y->name.len && memcmp(x->name.data, y->name.data, x->name.len) == 0;
}

static void
print(const Document *document, size_t i, const char *divider)
{
	const MrenNamed *named = &document->named[i];

	printf("%s%s %.*s", divider, document->mentions[i].type, (int) (named->end - named->start),
		   document->text + named->start);
}

/* Mentions that i is the first of: of its entity, or of its name. */
static void
count_group(const Document *document, size_t i, bool by_entity, const char *what, Counts *counts)
{
	size_t n = 0;
	bool mixed = false;

	for (size_t j = 0; j < document->n; j++)
	{
		bool one_entity = document->mentions[i].entity == document->mentions[j].entity;
		bool one_name = same_name(document, i, j);

		if (!(by_entity ? one_entity : one_name))
			continue;
		if (j < i)
			return;
		n++;
		mixed |= !(by_entity ? one_name : one_entity);
	}
	counts->several += by_entity && n > 1;
	counts->split += by_entity && mixed;
	counts->names += !by_entity;
	counts->joined += !by_entity && mixed;
	if (!mixed || strcmp(what, by_entity ? "split" : "joined") != 0)
		return;
	printf("%s", document->title);
	for (size_t j = 0; j < document->n; j++)
	{
		if (by_entity ? document->mentions[i].entity == document->mentions[j].entity
					  : same_name(document, i, j))
			print(document, j, " | ");
	}
	printf("\n");
}

static void
judge(Document *document, const char *what, Counts *counts)
{
	resolve(document);
	for (size_t i = 0; i < document->n; i++)
	{
		count_group(document, i, true, what, counts);
		count_group(document, i, false, what, counts);
	}
	for (size_t i = 0; i < document->n; i++)
		free((void *) document->named[i].name.data);
	free(document->text);
	document->text = NULL;
	document->n = 0;
}

static void
take(Document *document, const MrenDatasetRow *row)
{
	Mention *mention = &document->mentions[document->n];

	if (document->n == MAX_MENTIONS || row->head_type.len >= sizeof(mention->type))
	{
		fprintf(stderr, "names: a document has too many mentions or too long a type\n");
		exit(1);
	}
	*mention = (Mention){.lower = row->head_lower, .upper = row->head_upper, .entity = row->entity};
	memcpy(mention->type, row->head_type.data, row->head_type.len);
	document->n++;
}

int
main(int argc, char **argv)
{
	static Document document;
	const char *what = argc > 3 ? argv[3] : "";
	Counts counts = {0};
	MrenDataset *dataset;
	MrenDatasetRow row;
	long n_documents = 0;
	bool more = true;
	size_t len;
	char *content;

	if (argc < 3)
		return 2;
	content = read_file(argv[1], &len);
	must(mren_dataset_open(&env, MREN_DATASET_DOCRED, content, len, false, &dataset, &err));
	for (;;)
	{
		must(mren_dataset_next(dataset, &row, &more, &err));
		if (!more || row.part == MREN_PART_DOCUMENT)
		{
			bool is_dev = n_documents % 5 == 0;

			if (n_documents > 0 &&
				(strcmp(argv[2], "all") == 0 || is_dev == (strcmp(argv[2], "dev") == 0)))
				judge(&document, what, &counts);
			document.n = 0;
			if (!more)
				break;
			free(document.text);
			document.text = strndup(row.sentence.data, row.sentence.len);
			snprintf(document.title, sizeof(document.title), "%.*s", (int) row.id.len, row.id.data);
			n_documents++;
		}
		else if (row.part == MREN_PART_MENTION)
			take(&document, &row);
	}
	mren_dataset_close(dataset);
	free(content);
	printf("%s: %ld entities with several mentions, %ld of them split (%.1f %%); %ld names, %ld of "
		   "several entities (%.2f %%)\n",
		   argv[2], counts.several, counts.split,
		   100.0 * (double) counts.split / (double) counts.several, counts.names, counts.joined,
		   100.0 * (double) counts.joined / (double) counts.names);
	return 0;
}
