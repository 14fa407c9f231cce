/* metrics/process.h - what every Prometheus client tells of its own process: memory, CPU, files,
 * start. Thread: any. */
#pragma once

#include "metrics/exposition.h"

void process_write(struct exposition *e);
