/* cli/cli.h - tmp */
#pragma once
#include "base/base.h"
int cli_serve(int argc, char **argv);
int cli_simulate(int argc, char **argv);
