/*
 * piece_windows.h
 *	  A text with more pieces than an encoder reads at once, in windows that overlap by half.
 */
#ifndef MREN_TRANSFORMER_PIECE_WINDOWS_H
#define MREN_TRANSFORMER_PIECE_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Pieces start to start + n of the text, of which those from `from` to `to` count; begins as zeros.
 */
typedef struct MrenWindow
{
	bool begun;
	size_t start;
	size_t n;
	size_t from;
	size_t to;
} MrenWindow;

/*
 * mren_next_window
 *	  The next window over n pieces, of which `room` >= 1 fit in one; false after the last.  Each
 *	  piece counts in the window in whose middle it is nearer; a text without pieces has one window.
 */
extern bool mren_next_window(MrenWindow *window, size_t n, size_t room);

#endif
