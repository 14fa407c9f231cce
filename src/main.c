<<<<<<< HEAD
/* main.c - hands the command line to cli/; nothing else. */
=======
/* main.c - hands over to the command line; nothing else. */
>>>>>>> api
#include "cli/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
