#include "metrics/process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* Bytes in memory: the second number of /proc/self/statm, in pages. */
static double resident_bytes(void)
{
	unsigned long total, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (!f)
		return 0;
	if (fscanf(f, "%lu %lu", &total, &resident) != 2)
		resident = 0;
	fclose(f);
	return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double cpu_seconds(void)
{
	struct rusage u;
	return getrusage(RUSAGE_SELF, &u) == 0 ? seconds(u.ru_utime) + seconds(u.ru_stime) : 0;
}

static double open_files(void)
{
	double count = 0;
	DIR *d = opendir("/proc/self/fd");
	if (!d)
		return 0;
	while (readdir(d))
		++count;
	closedir(d);
	return count - 3; /* ".", ".." and the folder itself */
}

void process_write(struct exposition *e)
{
	struct rlimit files = {0};
	getrlimit(RLIMIT_NOFILE, &files);
	exposition_one(e, "process_resident_memory_bytes", EXPOSITION_GAUGE, "Memory in use.", resident_bytes());
	exposition_one(e, "process_cpu_seconds_total", EXPOSITION_COUNTER, "CPU time used.", cpu_seconds());
	exposition_one(e, "process_open_fds", EXPOSITION_GAUGE, "Open files and sockets.", open_files());
	exposition_one(e, "process_max_fds", EXPOSITION_GAUGE, "As many as there may be.", (double)files.rlim_cur);
}
