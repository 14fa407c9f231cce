/* cli/cli.h - the command line: `ringdown serve`, `ringdown sip outbound create FILE` and so on.
 *
 * Owner:   main(). Owns: nothing between commands. Thread: the main thread.
 * Words:   exit status 0 = done, 1 = it failed (the server or the network says why), 2 = not understood.
 */
#pragma once

#include "base/base.h"

enum { CLI_OK, CLI_FAILED, CLI_USAGE };

int cli_main(int argc, char **argv);

/* argv[0] is the command's last word; each answers an exit status. */
int cli_serve(int argc, char **argv);    /* cli/serve.c */
int cli_simulate(int argc, char **argv); /* cli/simulate.c */
int cli_doctor(int argc, char **argv);   /* cli/doctor.c; exit status 3: nothing could be examined */
int cli_outbound_create(int argc, char **argv);
int cli_outbound_list(int argc, char **argv);
int cli_outbound_update(int argc, char **argv);
int cli_outbound_delete(int argc, char **argv);
int cli_participant_create(int argc, char **argv);
int cli_calls_list(int argc, char **argv);
int cli_calls_show(int argc, char **argv);
int cli_policy_check(int argc, char **argv);
int cli_token_create(int argc, char **argv);
int cli_generate_keys(int argc, char **argv);
