/* trunk/service.h - numbers that nobody should dial by program: emergency, premium, satellite. Pure.
 *
 * Owner, owns: nothing. Thread: any.
 */
#pragma once

#include "base/base.h"

/* A short number for help that is the same nearly everywhere: 112, 911, 999... What else helps
 * somewhere (100, 101) is an extension elsewhere. */
bool service_is_help(const char *digits);

/* 118 and up to three digits, as dialled at home: all over Europe a directory service, dearer than any call. */
bool service_is_directory(const char *digits);

/* Why a number is never dialled, as the middle of a sentence ("an emergency number"), or NULL.
 * `number` is digits with or without '+'. */
const char *service_blocked(const char *number);
