/* media/dtmf_tone.h - the sound of a key (ITU-T Q.23). Pure. Thread: any. */
#pragma once

#include "base/base.h"

/* `count` samples of the sixteen keys of wire/dtmf_event.h, from sample `from` of the tone on. */
void dtmf_tone(int16_t *out, size_t count, uint8_t event, uint32_t from, uint32_t hz);
