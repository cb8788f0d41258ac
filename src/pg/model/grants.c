/*
 * grants.c
 *	  Granting, revoking and checking privileges on models; changing a model's owner.
 *
 * Roles are stored by name, since a dump must not contain OIDs.  "public" stands
 * for all roles; no role can have that name.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "pg/model/models.h"
#include "pg/support/args.h"

PG_FUNCTION_INFO_V1(mren_grant_model);
PG_FUNCTION_INFO_V1(mren_revoke_model);
PG_FUNCTION_INFO_V1(mren_alter_model_owner);
PG_FUNCTION_INFO_V1(mren_has_model_privilege);

/* A privilege's name, in any case and with spaces around it. */
static MrenPrivilege
parse_privilege(const char *text, size_t len)
{
	static const struct
	{
		const char *name;
		MrenPrivilege privilege;
	} known[] = {{"predict", MREN_PRIVILEGE_PREDICT},
				 {"train", MREN_PRIVILEGE_TRAIN},
				 {"admin", MREN_PRIVILEGE_ADMIN}};

	while (len > 0 && text[0] == ' ')
		text++, len--;
	while (len > 0 && text[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < lengthof(known); i++)
	{
		if (strlen(known[i].name) == len && pg_strncasecmp(text, known[i].name, len) == 0)
			return known[i].privilege;
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("unrecognized privilege \"%.*s\"", pg_mbcliplen(text, len, 40), text),
					errhint("The privileges on a model are predict, train and admin.")));
	pg_unreachable();
}

/* The canonical name of a privilege, as the table keeps it. */
static const char *
privilege_name(const char *text)
{
	switch (parse_privilege(text, strlen(text)))
	{
		case MREN_PRIVILEGE_PREDICT:
			return "predict";
		case MREN_PRIVILEGE_TRAIN:
			return "train";
		case MREN_PRIVILEGE_ADMIN:
			break;
	}
	return "admin";
}

static const char *
name_argument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	mren_arg_required(fcinfo, arg, name);
	return NameStr(*PG_GETARG_NAME(arg));
}

Datum
mren_grant_model(PG_FUNCTION_ARGS)
{
	char *model = mren_arg_text(fcinfo, 0, "model");
	const char *grantee = name_argument(fcinfo, 1, "grantee");
	const char *privilege = privilege_name(mren_arg_text(fcinfo, 2, "privilege"));
	Oid types[] = {INT8OID, NAMEOID, TEXTOID, NAMEOID};
	Datum values[lengthof(types)];
	MrenModelRow row;

	mren_models_begin("mren.grant_model()");
	mren_models_lock(model, MREN_PRIVILEGE_ADMIN, &row);
	if (strcmp(grantee, "public") != 0)
		(void) get_role_oid(grantee, false);
	values[0] = Int64GetDatum(row.id);
	values[1] = NameGetDatum(PG_GETARG_NAME(1));
	values[2] = CStringGetTextDatum(privilege);
	values[3] = mren_current_user_name();
	mren_models_run("INSERT INTO mren.model_grant (model, grantee, privilege, granted_by)"
					" VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
					lengthof(types), types, values);
	mren_models_end();
	PG_RETURN_VOID();
}

/* The role may have been dropped. */
Datum
mren_revoke_model(PG_FUNCTION_ARGS)
{
	char *model = mren_arg_text(fcinfo, 0, "model");
	const char *grantee = name_argument(fcinfo, 1, "grantee");
	const char *privilege = privilege_name(mren_arg_text(fcinfo, 2, "privilege"));
	Oid types[] = {INT8OID, NAMEOID, TEXTOID};
	Datum values[lengthof(types)];
	MrenModelRow row;

	mren_models_begin("mren.revoke_model()");
	mren_models_lock(model, MREN_PRIVILEGE_ADMIN, &row);
	values[0] = Int64GetDatum(row.id);
	values[1] = NameGetDatum(PG_GETARG_NAME(1));
	values[2] = CStringGetTextDatum(privilege);
	if (mren_models_run("DELETE FROM mren.model_grant WHERE model OPERATOR(pg_catalog.=) $1"
						" AND grantee OPERATOR(pg_catalog.=) $2"
						" AND privilege OPERATOR(pg_catalog.=) $3",
						lengthof(types), types, values) == 0)
		ereport(NOTICE, (errmsg("\"%s\" does not hold the privilege \"%s\" on model \"%s\"",
								grantee, privilege, model)));
	mren_models_end();
	PG_RETURN_VOID();
}

/* The user must be a member of both the old and the new owner. */
Datum
mren_alter_model_owner(PG_FUNCTION_ARGS)
{
	char *model = mren_arg_text(fcinfo, 0, "model");
	const char *owner = name_argument(fcinfo, 1, "new_owner");
	Oid types[] = {INT8OID, NAMEOID};
	Datum values[lengthof(types)];
	MrenModelRow row;

	mren_models_begin("mren.alter_model_owner()");
	mren_models_lock(model, MREN_PRIVILEGE_ADMIN, &row);
	if (!mren_catalog_is_owner(NameStr(row.owner)))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be owner of model \"%s\"", model),
						errdetail("Its owner is \"%s\".", NameStr(row.owner))));
	(void) get_role_oid(owner, false);
	if (!mren_catalog_is_owner(owner))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be member of role \"%s\"", owner)));
	values[0] = Int64GetDatum(row.id);
	values[1] = NameGetDatum(PG_GETARG_NAME(1));
	mren_models_run("UPDATE mren.model SET owner = $2 WHERE id OPERATOR(pg_catalog.=) $1",
					lengthof(types), types, values);
	mren_models_end();
	PG_RETURN_VOID();
}

/* True if the user holds any privilege of a list such as 'predict, train'. */
Datum
mren_has_model_privilege(PG_FUNCTION_ARGS)
{
	char *model = mren_arg_text(fcinfo, 0, "model");
	char *list = mren_arg_text(fcinfo, 1, "privilege");
	MrenModelRow row;
	int wanted = 0;

	for (;;)
	{
		char *comma = strchr(list, ',');

		wanted |= parse_privilege(list, comma != NULL ? (size_t) (comma - list) : strlen(list));
		if (comma == NULL)
			break;
		list = comma + 1;
	}
	if (!mren_catalog_model(model, &row))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("model \"%s\" does not exist", model),
				 errhint("mren.models lists the models that you may use.")));
	PG_RETURN_BOOL(mren_catalog_allowed(&row, wanted));
}
