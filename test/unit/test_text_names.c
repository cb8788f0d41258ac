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

/* "[PER Ada Lovelace] met [PER Lovelace]": mentions in brackets, after their type. */
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
	/* Initials, whether the longer name stands before or after. */
	assert_string_equal(
		forms_of(
			"[PER W. H. Armstrong] [PER William Hepburn Armstrong] [PER William H. Armstrong]"),
		"William Hepburn Armstrong|William Hepburn Armstrong|William Hepburn Armstrong");
	/* Not one of another type, nor one of several. */
	assert_string_equal(forms_of("[PER Ada Lovelace] [ORG Lovelace]"), "Ada Lovelace|Lovelace");
	assert_string_equal(forms_of("[PER Ann Roe] [PER Bob Roe] [PER Roe] [PER Bob]"),
						"Ann Roe|Bob Roe|Roe|Bob Roe");
	assert_string_equal(forms_of("[PER John Roe] [PER J]"), "John Roe|J");
}

static void
short_forms_of_persons_may_stand_before_the_name(void **state)
{
	(void) state;
	assert_string_equal(forms_of("[PER Lovelace] [PER Ada Lovelace] [PER Lovelace]"),
						"Ada Lovelace|Ada Lovelace|Ada Lovelace");
	assert_string_equal(forms_of("[PER Lovelace] [PER Ada Lovelace] [PER Ada King Lovelace]"),
						"Ada King Lovelace|Ada King Lovelace|Ada King Lovelace");
	/* Their surname alone, and one person's only. */
	assert_string_equal(forms_of("[PER Ada] [PER Ada Lovelace]"), "Ada|Ada Lovelace");
	assert_string_equal(forms_of("[PER Paul Ash] [PER Paul Ash Roe]"), "Paul Ash|Paul Ash Roe");
	assert_string_equal(forms_of("[PER Roe] [PER Ann Roe] [PER Bob Roe]"), "Roe|Ann Roe|Bob Roe");
}

static void
organizations_leave_their_kind_or_their_first_words_out(void **state)
{
	(void) state;
	assert_string_equal(forms_of("[ORG Taito Corporation] [ORG Taito]"),
						"Taito Corporation|Taito Corporation");
	assert_string_equal(forms_of("[ORG San Antonio Spurs] beat the [ORG Spurs]"),
						"San Antonio Spurs|San Antonio Spurs");
	/* Only with an article, and never words in small letters. */
	assert_string_equal(forms_of("[ORG San Antonio Spurs] beat [ORG Spurs]"),
						"San Antonio Spurs|Spurs");
	assert_string_equal(forms_of("[ORG the Bell Company] and the [ORG company]"),
						"the Bell Company|company");
	assert_string_equal(forms_of("[ORG Samsung Electronics] [ORG Samsung]"),
						"Samsung Electronics|Samsung");
}

static void
places_leave_out_what_kind_they_are(void **state)
{
	(void) state;
	assert_string_equal(forms_of("[LOC the Kingdom of Thailand] [LOC Thailand]"),
						"the Kingdom of Thailand|the Kingdom of Thailand");
	/* Any other part of a place's name is another place. */
	assert_string_equal(forms_of("[LOC North Korea] and the [LOC Korea]"), "North Korea|Korea");
	assert_string_equal(forms_of("[GPE Gulf of Mexico] [GPE Mexico]"), "Gulf of Mexico|Mexico");
}

static void
other_names_are_given_beside_the_first(void **state)
{
	(void) state;
	assert_string_equal(forms_of("[LOC Queenstown], also known as the [LOC Cobh]"),
						"Queenstown|Queenstown");
	assert_string_equal(forms_of("[LOC Kristiania] (now [LOC Oslo])"), "Kristiania|Kristiania");
	assert_string_equal(forms_of("[PER Borovkov] ( [PER \xD0\x91\xD0\xBE\xD1\x80] , a singer )"),
						"Borovkov|Borovkov");
	assert_string_equal(forms_of("\" [WORK La Fin du jour] \" (\"[WORK The End]\")"),
						"La Fin du jour|La Fin du jour");
	/* A role, a country, a list, another type. */
	assert_string_equal(forms_of("[PER Ann Roe] ([PER Juliet])"), "Ann Roe|Juliet");
	assert_string_equal(forms_of("[LOC Cobh] ([LOC Ireland])"), "Cobh|Ireland");
	assert_string_equal(forms_of("[WORK Faust], [WORK Hamlet]"), "Faust|Hamlet");
	assert_string_equal(forms_of("[WORK Faust] now [WORK Hamlet]"), "Faust|Hamlet");
	assert_string_equal(forms_of("[WORK Faust] ([PER Hamlet])"), "Faust|Hamlet");
	assert_string_equal(forms_of("[WORK Faust] ([WORK 1808])"), "Faust|1808");
}

static void
spellings_are_one_name(void **state)
{
	(void) state;
	assert_string_equal(forms_of("[ORG Citro\xC3\xABn] [ORG CITROEN] [ORG the Citro\xC3\xABn's]"),
						"Citro\xC3\xABn|Citro\xC3\xABn|Citro\xC3\xABn");
	assert_string_equal(forms_of("[MISC Qur\xCA\xBE\xC4\x81n] [MISC Qur'an] [MISC Quran]"),
						"Qur\xCA\xBE\xC4\x81n|Qur\xCA\xBE\xC4\x81n|Qur\xCA\xBE\xC4\x81n");
	/* The plural, but of persons and of places. */
	assert_string_equal(forms_of("[ORG Muslims] [ORG Muslim]"), "Muslims|Muslims");
	assert_string_equal(forms_of("[PER Peters] [PER Peter] [LOC Romans] [LOC Roman]"),
						"Peters|Peter|Romans|Roman");
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
	assert_string_equal(forms_of("[LOC U.S.] [LOC the United States] [LOC The US]"),
						"the United States|the United States|the United States");
	assert_string_equal(forms_of("[ORG North American Air] [ORG New Amber Age] [ORG NAA]"),
						"North American Air|New Amber Age|NAA");
	/* By its definition, whatever its letters are made of. */
	assert_string_equal(forms_of("[ORG Naval Forces Germany] ( [ORG NavForGer] )"),
						"Naval Forces Germany|Naval Forces Germany");
	assert_string_equal(forms_of("[ORG Naval Forces Germany] and ( [ORG NavForGer] )"),
						"Naval Forces Germany|NavForGer");
	assert_string_equal(forms_of("[LOC Naval Forces Germany] ([LOC Bundeswehr])"),
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
	parse("[ORG European Union] ([ORG EU]) [PER Ada Lovelace] [PER Lovelace] [ORG EU] [PER Roe] "
		  "[PER Ann Roe]",
		  &document);
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
		cmocka_unit_test(short_forms_of_persons_may_stand_before_the_name),
		cmocka_unit_test(organizations_leave_their_kind_or_their_first_words_out),
		cmocka_unit_test(places_leave_out_what_kind_they_are),
		cmocka_unit_test(other_names_are_given_beside_the_first),
		cmocka_unit_test(spellings_are_one_name),
		cmocka_unit_test(abbreviations_are_of_their_names),
		cmocka_unit_test(hostile_names_do_no_harm),
		cmocka_unit_test(failures_release_everything),
		cmocka_unit_test(person_types_are_known_by_name),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
