/* test/fuzz/replay.c - run a fuzz target over every file of a folder, without libFuzzer: the
 * corpus and every crash ever found stay tests for ever. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return 0;
	/* Exactly as large as the input, so that a sanitizer sees the first byte read past it. */
	fseek(f, 0, SEEK_END);
	long size = ftell(f);
	rewind(f);
	uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
	if (data && size >= 0 && fread(data, 1, (size_t)size, f) == (size_t)size)
		LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	fclose(f);
	return 1;
}

int main(int argc, char **argv)
{
	int count = 0;
	for (int i = 1; i < argc; ++i) {
		DIR *dir = opendir(argv[i]);
		if (!dir) {
			count += replay(argv[i]);
			continue;
		}
		for (struct dirent *e; (e = readdir(dir));) {
			char path[4096];
			if (e->d_name[0] == '.')
				continue;
			snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
			count += replay(path);
		}
		closedir(dir);
	}
	printf("%d inputs\n", count);
	return count == 0; /* an empty corpus proves nothing */
}
