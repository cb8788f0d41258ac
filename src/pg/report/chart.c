/*
 * chart.c
 *	  Line charts as SVG, in the colours of a page's style.
 */
#include "pg/report/chart.h"

#include <math.h>

#include "miscadmin.h"

/* The drawing and the part of it that the lines may use, in SVG units. */
#define WIDTH 480
#define HEIGHT 300
#define LEFT 52
#define RIGHT 462
#define TOP 26
#define BOTTOM 252

typedef struct Scale
{
	double min, max;
	double from, to; /* SVG units of min and max */
} Scale;

static double
place(const Scale *scale, double value)
{
	double share = (value - scale->min) / (scale->max - scale->min);

	return scale->from + share * (scale->to - scale->from);
}

/* A step of 1, 2 or 5 times a power of ten that gives at most n steps. */
static double
tick_step(const Scale *scale, int n, bool whole)
{
	double raw = (scale->max - scale->min) / n;
	double power = pow(10, floor(log10(raw)));
	double factor = raw / power;
	double step = (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10) * power;

	return whole ? Max(1, ceil(step - 1e-9)) : step;
}

static void
y_ticks(StringInfo page, const Scale *y)
{
	double step = tick_step(y, 5, false);
	int decimals = Max(0, (int) ceil(-log10(step) - 1e-9));

	for (double i = ceil(y->min / step - 1e-9) + 0.0; i * step <= y->max + step * 1e-6; i++)
	{
		double at = place(y, i * step);

		appendStringInfo(page,
						 "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
						 "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.*f</text>\n",
						 LEFT, RIGHT, at, at, LEFT - 8, at + 4, decimals, i * step + 0.0);
	}
}

static void
x_ticks(StringInfo page, const Scale *x, bool whole)
{
	double step = tick_step(x, 6, whole);
	int decimals = Max(0, (int) ceil(-log10(step) - 1e-9));

	for (double i = ceil(x->min / step - 1e-9) + 0.0; i * step <= x->max + step * 1e-6; i++)
		appendStringInfo(page, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.*f</text>\n",
						 place(x, i * step), BOTTOM + 18, decimals, i * step + 0.0);
	appendStringInfo(page, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n", LEFT,
					 RIGHT, BOTTOM, BOTTOM);
}

/* The range that holds all points, a little more than they need. */
static Scale
y_scale(const MrenChart *chart)
{
	Scale y = {chart->y_min, chart->y_max, BOTTOM, TOP};
	double least = INFINITY;
	double greatest = -INFINITY;

	for (int s = 0; s < chart->n_series; s++)
	{
		for (int i = 0; i < chart->series[s].n; i++)
		{
			double value = chart->series[s].y[i];

			if (isfinite(value))
			{
				least = Min(least, value);
				greatest = Max(greatest, value);
			}
		}
	}
	if (!(least <= greatest))
		least = greatest = 0;
	if (isnan(y.min))
		y.min = least;
	if (isnan(y.max))
		y.max = greatest + 0.05 * (greatest - y.min);
	if (!(y.max - y.min > 1e-12 * Max(1, fabs(y.max))))
		y.max = y.min + 1;
	return y;
}

static void
draw_series(StringInfo page, const MrenSeries *series, const Scale *x, const Scale *y)
{
	bool drawing = false;

	for (int i = 0; i < series->n; i++)
	{
		if (!isfinite(series->y[i]))
		{
			if (drawing)
				appendStringInfoString(page, "\"/>\n");
			drawing = false;
			continue;
		}
		if (!drawing)
			appendStringInfo(page, "<polyline class=\"%s\" points=\"", series->style);
		appendStringInfo(page, "%s%.1f,%.1f", drawing ? " " : "", place(x, series->x[i]),
						 place(y, series->y[i]));
		drawing = true;
	}
	if (drawing)
		appendStringInfoString(page, "\"/>\n");
	for (int i = 0; i < series->n && series->dots; i++)
	{
		if (isfinite(series->y[i]))
			appendStringInfo(page,
							 "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>%g: "
							 "%.3g</title></circle>\n",
							 series->style, place(x, series->x[i]), place(y, series->y[i]),
							 series->x[i], series->y[i]);
	}
}

static void
legend(StringInfo page, const MrenChart *chart)
{
	appendStringInfoString(page, "<ul class=\"legend\">");
	for (int s = 0; s < chart->n_series; s++)
	{
		if (chart->series[s].name != NULL && chart->series[s].n > 0)
			appendStringInfo(page, "<li><i style=\"background:var(--%s)\"></i>%s</li>",
							 chart->series[s].style, chart->series[s].name);
	}
	appendStringInfoString(page, "</ul>\n");
}

void
mren_chart(StringInfo page, const MrenChart *chart)
{
	Scale x = {chart->x_min, chart->x_max, LEFT, RIGHT};
	Scale y = y_scale(chart);

	CHECK_FOR_INTERRUPTS();
	if (chart->n_series > 1)
		legend(page, chart);
	appendStringInfo(page, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", WIDTH,
					 HEIGHT, chart->title);
	y_ticks(page, &y);
	x_ticks(page, &x, chart->whole_x);
	if (chart->diagonal)
		appendStringInfo(page,
						 "<line class=\"ref\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
						 place(&x, Max(x.min, y.min)), place(&y, Max(x.min, y.min)),
						 place(&x, Min(x.max, y.max)), place(&y, Min(x.max, y.max)));
	for (int s = 0; s < chart->n_series; s++)
		draw_series(page, &chart->series[s], &x, &y);
	appendStringInfo(page,
					 "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n"
					 "<text x=\"4\" y=\"14\">%s</text>\n</svg>\n",
					 RIGHT, HEIGHT - 8, chart->x_label, chart->y_label);
}
