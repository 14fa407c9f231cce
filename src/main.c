/* main.c - options, config, signals, wiring; nothing else. */
int main(int argc, char **argv)
{
	return 0;
}
