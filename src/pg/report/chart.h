/*
 * chart.h
 *	  Line charts as SVG, in the colours of a page's style.
 */
#ifndef MREN_PG_REPORT_CHART_H
#define MREN_PG_REPORT_CHART_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* One line; a point whose y is NaN interrupts it. */
typedef struct MrenSeries
{
	const char *name;  /* for the legend; NULL: none */
	const char *style; /* class of the page's style: "a", "b" or "c" */
	const double *x;
	const double *y;
	int n;
	bool dots; /* mark each point */
} MrenSeries;

typedef struct MrenChart
{
	const char *title; /* read aloud in place of the chart */
	const char *x_label;
	const char *y_label;
	double x_min, x_max; /* x_min < x_max */
	double y_min, y_max; /* NaN: as the points need */
	bool whole_x;		 /* ticks of x only at integers */
	bool diagonal;		 /* a dashed line where y is x */
	const MrenSeries *series;
	int n_series;
} MrenChart;

extern void mren_chart(StringInfo page, const MrenChart *chart);

#endif
