/* cli/generate_keys.c - `ringdown generate-keys`: a new API key with its secret, as livekit-server's. */
#include "cli/cli.h"
#include "cli/options.h"

#include "base/rng.h"

#include <stdio.h>

enum { SECRET_CHARS = 43 }; /* of 62: more than 256 bits */

int cli_generate_keys(int argc, char **argv)
{
	struct options o = {
		.usage = "ringdown generate-keys",
		.about = "Prints a new API key with its secret, for `keys` or key_file. Nothing is kept.",
	};
	int r = options_read(&o, argc, argv);
	if (r)
		return options_status(r);
	char key[RNG_ID_SIZE], secret[SECRET_CHARS + 1];
	rng_id(key, "API");
	rng_token(secret, sizeof secret);
	printf("API Key:  %s\nAPI Secret:  %s\n", key, secret);
	return CLI_OK;
}
