/*
 * mren.c
 *	  What runs when the library is loaded, and mren.version().
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "base/blas.h"
#include "onnx/simd/simd.h"
#include "pg/model/deployed.h"
#include "pg/predict/answer_scan.h"
#include "pg/support/compat.h"
#include "pg/support/settings.h"
#include "pg/support/shared_files.h"
#include "text/tokens.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	if (!mren_blas_available())
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not find OpenBLAS as \"%s\"", mren_blas_path()),
						errhint("Install the package libopenblas0-serial.")));
	mren_settings_define();
	mren_shared_begin();
	mren_deployed_init();
	mren_answer_scan_init();
}

PG_FUNCTION_INFO_V1(mren_version);
/* mren.version() → TABLE (component text, version text) */
Datum
mren_version(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const char *const rows[][2] = {
		{"mren", MREN_VERSION},		  {"PostgreSQL", PG_VERSION},
		{"BLAS", mren_blas_config()}, {"BLAS kernel", mren_blas_kernel()},
		{"ICU", mren_icu_version()},  {"CPU path", mren_onnx_simd_name()},
	};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < (int) lengthof(rows); i++)
	{
		Datum values[2] = {CStringGetTextDatum(rows[i][0]), CStringGetTextDatum(rows[i][1])};
		bool nulls[2] = {false, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
