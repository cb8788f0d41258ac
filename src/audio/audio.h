/*
 * audio.h
 *	  Recordings: all that the rest of the program uses, in one include.
 */
#ifndef MREN_AUDIO_AUDIO_H
#define MREN_AUDIO_AUDIO_H

#include "audio/logmel.h"
#include "audio/audio_info.h"
#include "audio/reader.h"
#include "audio/resample.h"
#include "audio/stream.h"
#include "audio/windows.h"

#endif
