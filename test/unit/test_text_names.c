/*
 * test_text_names.c
 *	  Short forms of names within a document.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/name.h"
#include "text/names/short_forms.h"

static MrenError err;

#define MAX_MENTIONS 16

typedef struct Document
{
	char text[1024];
	MrenNamed mentions[MAX_MENTIONS];
	size_t n;
} Document;

/* "[PER Ada Lovelace] met [PER Lovelace]": mentions in brackets, behind their type. */
static void
parse(const char *marked, Document *document)
{
	size_t n = 0;

	document->n = 0;
	while (*marked != '\0')
	{
		MrenNamed *mention = &document->mentions[document->n];

		if (*marked == '[')
		{
			const char *type = ++marked;

			marked = strchr(marked, ' ');
			*mention = (MrenNamed){.type = {type, (size_t) (marked - type)}, .start = (uint32_t) n};
			marked++;
			continue;
		}
		if (*marked == ']')
		{
			mention->end = (uint32_t) n;
			document->n++;
			marked++;
			continue;
		}
		document->text[n++] = *marked++;
	}
	document->text[n] = '\0';
}

static MrenStatus
resolve(const MrenEnv *env, MrenError *error, void *arg)
{
	Document *document = arg;
	MrenStatus status = MREN_OK;

	for (size_t i = 0; i < document->n; i++)
		document->mentions[i].name.data = NULL;
	for (size_t i = 0; i < document->n && status == MREN_OK; i++)
	{
		MrenNamed *mention = &document->mentions[i];
		char *name = NULL;

		status =
			mren_name_normalize(env, document->text + mention->start, mention->end - mention->start,
								&name, &mention->name.len, error);
		mention->name.data = name;
	}
	if (status == MREN_OK)
		status = mren_short_forms(env, document->text, strlen(document->text), document->mentions,
								  document->n, error);
	for (size_t i = 0; i < document->n; i++)
		mren_release(env, (void *) document->mentions[i].name.data);
	return status;
}

/* The fullest forms of the mentions, each as in the text, divided by "|". */
static const char *
forms_of(const char *marked)
{
	static char out[1024];
	Document document;
	TestEnv test;
	size_t n = 0;

	parse(marked, &document);
	test_env_init(&test);
	if (resolve(&test.env, &err, &document) != MREN_OK)
		fail_msg("%s", err.message);
	assert_int_equal(test.n_live, 0);
	for (size_t i = 0; i < document.n; i++)
	{
		const MrenNamed *full = &document.mentions[document.mentions[i].full];

		n += (size_t) sprintf(out + n, "%s%.*s", i > 0 ? "|" : "", (int) (full->end - full->start),
							  document.text + full->start);
	}
	out[n] = '\0';
	return out;
}

static void
short_forms_of_persons_find_the_name_before_them(void **state)
{
	(void) state;
	assert_string_equal(
		forms_of("[PER Ada King Lovelace] [PER Lovelace] [PER Ada] [PER Ada Lovelace]"),
		"Ada King Lovelace|Ada King Lovelace|Ada King Lovelace|Ada King Lovelace");
	assert_string_equal(forms_of("[Peop Ludwig van Beethoven] [Peop van Beethoven]"),
						"Ludwig van Beethoven|Ludwig van Beethoven");
	assert_string_equal(forms_of("[PER Paul Ash Jr.] [PER Ash] [PER Paul Ash]"),
						"Paul Ash Jr.|Paul Ash Jr.|Paul Ash Jr.");
	/* Not a name that comes later, nor of another type, nor one of several. */
	assert_string_equal(forms_of("[PER Lovelace] [PER Ada Lovelace]"), "Lovelace|Ada Lovelace");
	assert_string_equal(forms_of("[PER Ada Lovelace] [ORG Lovelace]"), "Ada Lovelace|Lovelace");
	assert_string_equal(forms_of("[PER Ann Roe] [PER Bob Roe] [PER Roe] [PER Bob]"),
						"Ann Roe|Bob Roe|Roe|Bob Roe");
	/* Of other types, a part of a name is another name. */
	assert_string_equal(forms_of("[LOC North Korea] [LOC Korea]"), "North Korea|Korea");
	assert_string_equal(forms_of("[ORG the Bell Company] [ORG the company]"),
						"the Bell Company|the company");
	assert_string_equal(forms_of("[PER John Roe] [PER J]"), "John Roe|J");
}

static void
spellings_are_one_name(void **state)
{
	(void) state;
	assert_string_equal(forms_of("[ORG Citro\xC3\xABn] [ORG CITROEN] [ORG the Citro\xC3\xABn's]"),
						"Citro\xC3\xABn|Citro\xC3\xABn|Citro\xC3\xABn");
	assert_string_equal(forms_of("[LOC Flor-de-lis] [LOC Flor de lis]"), "Flor-de-lis|Flor-de-lis");
	/* Marks of other scripts carry vowels. */
	assert_string_equal(forms_of("[PER \xE0\xA4\x95\xE0\xA4\xBF] [PER \xE0\xA4\x95]"),
						"\xE0\xA4\x95\xE0\xA4\xBF|\xE0\xA4\x95");
}

static void
abbreviations_are_of_their_names(void **state)
{
	(void) state;
	assert_string_equal(forms_of("[ORG Federal Bureau of Investigation] [ORG FBI] [ORG F.B.I.]"),
						"Federal Bureau of Investigation|Federal Bureau of Investigation|"
						"Federal Bureau of Investigation");
	assert_string_equal(forms_of("[LOC U.S.] [LOC the United States] [LOC US]"),
						"the United States|the United States|the United States");
	assert_string_equal(forms_of("[ORG North American Air] [ORG New Amber Age] [ORG NAA]"),
						"North American Air|New Amber Age|NAA");
	/* By its definition, whatever its letters are made of. */
	assert_string_equal(forms_of("[ORG Naval Forces Germany] ( [ORG NavForGer] )"),
						"Naval Forces Germany|Naval Forces Germany");
	assert_string_equal(forms_of("[ORG Naval Forces Germany] and ( [ORG NavForGer] )"),
						"Naval Forces Germany|NavForGer");
	assert_string_equal(forms_of("[ORG Naval Forces Germany] ([ORG Bundeswehr])"),
						"Naval Forces Germany|Bundeswehr");
	assert_string_equal(forms_of("[ORG Naval Forces Germany] ([ORG NavForGer"),
						"Naval Forces Germany");
}

static void
hostile_names_do_no_harm(void **state)
{
	char marked[4096];
	size_t n = 0;

	(void) state;
	n += (size_t) sprintf(marked, "[PER ");
	for (int i = 0; i < 450; i++)
		n += (size_t) sprintf(marked + n, "a ");
	sprintf(marked + n, "b] [PER b]");
	assert_non_null(strstr(forms_of(marked), "b|b"));
	assert_string_equal(forms_of("[PER .] [PER ...] [PER ,]"), ".|...|,");
	assert_string_equal(forms_of(""), "");
}

static void
failures_release_everything(void **state)
{
	Document document;

	(void) state;
	parse("[ORG European Union] ([ORG EU]) [PER Ada Lovelace] [PER Lovelace] [ORG EU]", &document);
	test_allocation_sweep(resolve, &document);
	test_interrupt_sweep(resolve, &document);
}

static void
person_types_are_known_by_name(void **state)
{
	(void) state;
	assert_true(mren_type_is_person((MrenTextSpan){"PERSON", 6}));
	assert_true(mren_type_is_person((MrenTextSpan){"Peop", 4}));
	assert_false(mren_type_is_person((MrenTextSpan){"perso", 5}));
	assert_false(mren_type_is_person((MrenTextSpan){"", 0}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_forms_of_persons_find_the_name_before_them),
		cmocka_unit_test(spellings_are_one_name),
		cmocka_unit_test(abbreviations_are_of_their_names),
		cmocka_unit_test(hostile_names_do_no_harm),
		cmocka_unit_test(failures_release_everything),
		cmocka_unit_test(person_types_are_known_by_name),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
