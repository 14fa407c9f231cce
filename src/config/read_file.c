#include "config/read_file.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int read_all(struct buf *b, int fd)
{
	char piece[16384];
	for (;;) {
		ssize_t size = read(fd, piece, sizeof piece);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return errno == EISDIR ? READ_FILE_E_DENIED : err_new(-errno);
		if (size == 0)
			return 0;
		int r = buf_add(b, piece, (size_t)size);
		if (r)
			return r < 0 ? r : READ_FILE_E_FULL;
	}
}

int read_file(struct buf *b, const char *path)
{
	if (!strcmp(path, "-"))
		return read_all(b, STDIN_FILENO);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? READ_FILE_E_MISSING
			: errno == EACCES || errno == EPERM ? READ_FILE_E_DENIED
							    : err_new(-errno);
	int r = read_all(b, fd);
	close(fd);
	return r;
}
