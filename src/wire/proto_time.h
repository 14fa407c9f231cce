/* wire/proto_time.h - "3.5s" and RFC 3339, as the proto3 JSON mapping writes and reads them.
 * Pure. Thread: any. */
#pragma once

#include "base/base.h"

enum {
	PROTO_TIME_BYTES = 40
};

/* Seconds and nanoseconds of a duration have the same sign; within 10000 years. */
bool proto_duration_read(int64_t *seconds, int32_t *nanos, const char *text);
bool proto_duration_write(char out[PROTO_TIME_BYTES], int64_t seconds, int32_t nanos);

/* Seconds since 1970; years 1 to 9999. Any offset is read, "Z" is written. */
bool proto_timestamp_read(int64_t *seconds, int32_t *nanos, const char *text);
bool proto_timestamp_write(char out[PROTO_TIME_BYTES], int64_t seconds, int32_t nanos);
