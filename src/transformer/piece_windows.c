/*
 * piece_windows.c
 *	  Windows that overlap by half.
 */
#include "transformer/piece_windows.h"

static size_t
next_start(const MrenWindow *window, size_t n, size_t room)
{
	size_t start = window->start + (room - room / 2);

	return start < n - room ? start : n - room;
}

bool
mren_next_window(MrenWindow *window, size_t n, size_t room)
{
	if (window->begun)
	{
		if (window->start + window->n == n)
			return false;
		window->from = window->to;
		window->start = next_start(window, n, room);
	}
	window->begun = true;
	window->n = n < room ? n : room;
	window->to = n;
	if (window->start + window->n < n)
		window->to = (window->start + next_start(window, n, room) + room + 1) / 2;
	return true;
}
