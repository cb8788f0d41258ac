/*
 * drawing.c
 *	  A small directed graph as SVG: where its nodes are put, and their lines.
 */
#include "pg/report/drawing.h"

#include <math.h>

#include "miscadmin.h"

#include "pg/report/page.h"

#define WIDTH 900.0
#define MAX_HEIGHT 640.0
/* Shorter lines have no room for their label; it is in their title. */
#define LABEL_ROOM 125
/* Characters of a label that are shown. */
#define LABEL_LENGTH 22
#define MARGIN_X 90.0
#define MARGIN_Y 34.0
/* From a node's border to the base line of its name above and below it. */
#define NAME_ABOVE 5
#define NAME_BELOW 14
/* Characters of a name that are shown, and about how wide and high one is. */
#define NAME_LENGTH 24
#define LETTER_WIDTH 8.0
#define ROUNDS 400
/* Names are wider than high: distances across count less. */
#define ASPECT 1.6

/* A few nodes need little room. */
static double
height(const MrenDrawing *drawing)
{
	return Min(MAX_HEIGHT, 240.0 + 40.0 * drawing->n_nodes);
}

static void
begin_on_circle(MrenDrawing *drawing)
{
	for (int i = 0; i < drawing->n_nodes; i++)
	{
		double angle = 2 * M_PI * i / Max(drawing->n_nodes - 1, 1);

		drawing->nodes[i].x = i == 0 ? 0 : cos(angle) * 200;
		drawing->nodes[i].y = i == 0 ? 0 : sin(angle) * 200;
	}
}

/* Adds to the forces on a and b what pushes them apart, or pulls them together. */
static void
push(const MrenDrawing *drawing, int a, int b, double ideal, bool apart, double (*force)[2])
{
	double dx = drawing->nodes[a].x - drawing->nodes[b].x;
	double dy = drawing->nodes[a].y - drawing->nodes[b].y;
	double distance = Max(sqrt(dx * dx + dy * dy), 0.01);
	double size = apart ? ideal * ideal / distance : -distance * distance / ideal;

	force[a][0] += dx / distance * size;
	force[a][1] += dy / distance * size;
	force[b][0] -= dx / distance * size;
	force[b][1] -= dy / distance * size;
}

/* One round: moves each node along its force, by no more than `heat`. */
static void
step(MrenDrawing *drawing, double ideal, double heat)
{
	double force[MREN_DRAWING_NODES][2] = {{0}};

	for (int i = 0; i < drawing->n_nodes; i++)
	{
		for (int j = i + 1; j < drawing->n_nodes; j++)
			push(drawing, i, j, ideal, true, force);
		/* Parts that no line joins to the rest stay near. */
		force[i][0] -= drawing->nodes[i].x * 0.05;
		force[i][1] -= drawing->nodes[i].y * 0.05;
	}
	for (int e = 0; e < drawing->n_edges; e++)
		push(drawing, drawing->edges[e].from, drawing->edges[e].to, ideal, false, force);
	for (int i = 1; i < drawing->n_nodes; i++)
	{
		double size = sqrt(force[i][0] * force[i][0] + force[i][1] * force[i][1]);
		double by = size > heat ? heat / size : 1;

		drawing->nodes[i].x += force[i][0] * by;
		drawing->nodes[i].y += force[i][1] * by;
	}
}

/* Stretches the positions to the drawing's size. */
static void
fit(MrenDrawing *drawing)
{
	double low[2] = {INFINITY, INFINITY};
	double high[2] = {-INFINITY, -INFINITY};

	for (int i = 0; i < drawing->n_nodes; i++)
	{
		low[0] = Min(low[0], drawing->nodes[i].x);
		low[1] = Min(low[1], drawing->nodes[i].y);
		high[0] = Max(high[0], drawing->nodes[i].x);
		high[1] = Max(high[1], drawing->nodes[i].y);
	}
	for (int i = 0; i < drawing->n_nodes; i++)
	{
		MrenDrawnNode *node = &drawing->nodes[i];

		node->x = high[0] - low[0] < 1
					  ? WIDTH / 2
					  : MARGIN_X + (node->x - low[0]) / (high[0] - low[0]) * (WIDTH - 2 * MARGIN_X);
		node->y = high[1] - low[1] < 1 ? height(drawing) / 2
									   : MARGIN_Y + (node->y - low[1]) / (high[1] - low[1]) *
														(height(drawing) - 2 * MARGIN_Y);
	}
}

static void
place_nodes(MrenDrawing *drawing)
{
	double ideal = 0.9 * sqrt(WIDTH * height(drawing) / ASPECT / drawing->n_nodes);

	begin_on_circle(drawing);
	for (int i = 0; i < ROUNDS; i++)
	{
		CHECK_FOR_INTERRUPTS();
		step(drawing, ideal, 60.0 * (ROUNDS - i) / ROUNDS);
	}
	fit(drawing);
}

static double
radius(const MrenDrawnNode *node)
{
	return 5 + 2.2 * log2(node->degree);
}

/* How many edges before this one join the same two nodes, and how many do in all. */
static int
siblings(const MrenDrawing *drawing, int edge, int *all)
{
	const MrenDrawnEdge *e = &drawing->edges[edge];
	int before = 0;

	*all = 0;
	for (int i = 0; i < drawing->n_edges; i++)
	{
		const MrenDrawnEdge *other = &drawing->edges[i];

		if ((other->from == e->from && other->to == e->to) ||
			(other->from == e->to && other->to == e->from))
		{
			(*all)++;
			before += i < edge;
		}
	}
	return before;
}

/* How many other nodes a name whose base line is `away` from the node would touch. */
static int
hidden_nodes(const MrenDrawing *drawing, int number, double away)
{
	const MrenDrawnNode *node = &drawing->nodes[number];
	double half = Min(strlen(node->name), NAME_LENGTH) * LETTER_WIDTH / 2;
	int n = 0;

	for (int i = 0; i < drawing->n_nodes; i++)
	{
		const MrenDrawnNode *other = &drawing->nodes[i];

		n += i != number && fabs(other->x - node->x) < half + radius(other) &&
			 fabs(other->y - (node->y + away - LETTER_WIDTH / 2)) < LETTER_WIDTH + radius(other);
	}
	return n;
}

/* Whether there is more room for the node's name below it than above. */
static bool
name_below(const MrenDrawing *drawing, int number)
{
	const MrenDrawnNode *node = &drawing->nodes[number];
	double up = hidden_nodes(drawing, number, -radius(node) - NAME_ABOVE);
	double down = hidden_nodes(drawing, number, radius(node) + NAME_BELOW);
	double line_up = -1; /* cosine of the smallest angle between a line and the way up */
	double line_down = -1;

	for (int e = 0; e < drawing->n_edges; e++)
	{
		const MrenDrawnEdge *edge = &drawing->edges[e];
		const MrenDrawnNode *other;
		double cosine;

		if (edge->from != number && edge->to != number)
			continue;
		other = &drawing->nodes[edge->from == number ? edge->to : edge->from];
		cosine = (other->y - node->y) / Max(hypot(other->x - node->x, other->y - node->y), 1);
		line_down = Max(line_down, cosine);
		line_up = Max(line_up, -cosine);
	}
	return up + line_up > down + line_down;
}

/* The base line of the node's name, below the node's centre. */
static double
name_away(const MrenDrawing *drawing, int number)
{
	double r = radius(&drawing->nodes[number]);

	return name_below(drawing, number) ? r + NAME_BELOW : -r - NAME_ABOVE;
}

/* Whether the label of a line, with its centre at (x, y), would touch a name. */
static bool
touches_name(const MrenDrawing *drawing, const char *label, double x, double y)
{
	double half = Min(strlen(label), LABEL_LENGTH) * LETTER_WIDTH / 2;

	for (int i = 0; i < drawing->n_nodes; i++)
	{
		const MrenDrawnNode *node = &drawing->nodes[i];
		double name = Min(strlen(node->name), NAME_LENGTH) * LETTER_WIDTH / 2;

		if (fabs(node->x - x) < (half + name) * 0.9 &&
			fabs(node->y + name_away(drawing, i) - LETTER_WIDTH / 2 - y) < 1.5 * LETTER_WIDTH)
			return true;
	}
	return false;
}

/* A line that ends at the border of its target, bent if it has siblings. */
static void
draw_edge(StringInfo page, const MrenDrawing *drawing, int edge)
{
	const MrenDrawnEdge *e = &drawing->edges[edge];
	const MrenDrawnNode *from = &drawing->nodes[e->from];
	const MrenDrawnNode *to = &drawing->nodes[e->to];
	int all;
	int before = siblings(drawing, edge, &all);
	double dx = to->x - from->x;
	double dy = to->y - from->y;
	double distance = Max(sqrt(dx * dx + dy * dy), 1);
	double bend = (before - (all - 1) / 2.0) * 44 * (e->from < e->to ? 1 : -1);
	double cx = (from->x + to->x) / 2 - dy / distance * bend;
	double cy = (from->y + to->y) / 2 + dx / distance * bend;
	double tx = to->x - cx;
	double ty = to->y - cy;
	double length = Max(sqrt(tx * tx + ty * ty), 1);
	double stop = radius(to) + 4;
	double x;
	double y;

	appendStringInfo(page,
					 "<path class=\"edge\" marker-end=\"url(#tip)\" d=\"M%.1f %.1fQ%.1f %.1f %.1f "
					 "%.1f\"><title>",
					 from->x, from->y, cx, cy, to->x - tx / length * stop,
					 to->y - ty / length * stop);
	mren_html_text(page, from->name);
	appendStringInfoString(page, " &#x2013; ");
	mren_html_text(page, e->label);
	appendStringInfoString(page, " &#x2192; ");
	mren_html_text(page, to->name);
	appendStringInfo(page, " (%.2f)</title></path>\n", e->confidence);
	x = (from->x + to->x) / 4 + cx / 2;
	y = (from->y + to->y) / 4 + cy / 2;
	if (distance < LABEL_ROOM || touches_name(drawing, e->label, x, y))
		return;
	appendStringInfo(page, "<text class=\"relation\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
					 x, y + 3);
	mren_html_brief(page, e->label, LABEL_LENGTH);
	appendStringInfoString(page, "</text>\n");
}

static void
draw_node(StringInfo page, const MrenDrawing *drawing, int number)
{
	const MrenDrawnNode *node = &drawing->nodes[number];
	double away = name_away(drawing, number);

	appendStringInfo(page,
					 "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" style=\"fill:var(--c%d)\"><title>",
					 node->x, node->y, radius(node), node->color);
	mren_html_text(page, node->name);
	appendStringInfo(page, " (facts: %d)</title></circle>\n", node->degree);
	appendStringInfo(page, "<text class=\"name\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
					 node->x, node->y + away);
	mren_html_brief(page, node->name, NAME_LENGTH);
	appendStringInfoString(page, "</text>\n");
}

/* alone: as a file of its own, with the style that a page has otherwise. */
static void
begin_svg(StringInfo page, const MrenDrawing *drawing, bool alone)
{
	appendStringInfo(
		page, "<svg%s class=\"drawing\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
		alone ? " xmlns=\"http://www.w3.org/2000/svg\"" : "", WIDTH, height(drawing));
	mren_html_text(page, drawing->title);
	appendStringInfoString(page, "\">\n");
	if (alone)
		appendStringInfo(page, "<style>text{font-family:system-ui,sans-serif}%s%s</style>\n",
						 mren_page_colors, mren_page_drawing);
	appendStringInfoString(page,
						   "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
						   "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">"
						   "<path class=\"tip\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\n");
}

void
mren_draw_graph(StringInfo page, MrenDrawing *drawing, bool alone)
{
	place_nodes(drawing);
	begin_svg(page, drawing, alone);
	for (int e = 0; e < drawing->n_edges; e++)
		draw_edge(page, drawing, e);
	for (int i = 0; i < drawing->n_nodes; i++)
		draw_node(page, drawing, i);
	appendStringInfoString(page, "</svg>\n");
}
