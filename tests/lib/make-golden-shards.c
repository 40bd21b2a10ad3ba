/* SPDX-License-Identifier: Apache-2.0 */
/* make-golden-shards.c - writes the shards of tests/golden, and their table.
 *
 *	make-golden-shards DIR >DIR/shards.tsv
 *
 * Only for a new format: what was released is never made again.
 */
#include "config.h"

#include "golden-shard.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"

static void write_all(int dirfd, const struct golden *g, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP_BUF struct buf out = { 0 };
		struct err err = { 0 };

		buf_init(&out, 1u << 20);
		g[i].make(&g[i], &out);
		GOLDEN_MUST(buf_ok(&out));
		GOLDEN_MUST(!io_replace(dirfd, g[i].name, out.p, out.len, 0644,
					&err));
		printf("%s\t%s\t%s\n", g[i].name, g[i].rc, g[i].what);
	}
}

int main(int argc, char **argv)
{
	int dirfd;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIR >shards.tsv\n", argv[0]);
		return 2;
	}
	dirfd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	GOLDEN_MUST(dirfd >= 0);
	puts("# file, result of reading all of it (base/rc.def), reason");
	write_all(dirfd, golden_good, golden_n_good);
	write_all(dirfd, golden_bad, golden_n_bad);
	close(dirfd);
	return 0;
}
