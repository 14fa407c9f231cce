/* call/ringback.h - the tone that a country's telephones ring with (ITU-T E.180, its supplement 2). Pure.
 *
 * Owner, owns: nothing. Thread: any.
 */
#pragma once

#include "media/media.h"

/* Of the country of `number` ('+' and digits); of most of Europe where no other is known. */
const struct media_ringback *ringback_of(const char *number);
