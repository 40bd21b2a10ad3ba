/* SPDX-License-Identifier: Apache-2.0 */
/* top-terminal.c - a screen that is redrawn, and keys without Enter. */
#include "config.h"

#include "cmd/top-terminal.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* What every terminal of the last decades understands (ECMA-48, xterm). */
#define OTHER_SCREEN "\033[?1049h\033[?25l"
#define FIRST_SCREEN "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"

#define MANY 1000

static struct termios before;
static bool has_keys;

void terminal_begin(void)
{
	struct termios t;

	has_keys = !tcgetattr(STDIN_FILENO, &before);
	if (has_keys) {
		t = before;
		t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		t.c_cc[VMIN] = 0;
		t.c_cc[VTIME] = 0;
		/* Stopped by Ctrl-Z it would leave the screen as it is. */
		t.c_cc[VSUSP] = _POSIX_VDISABLE;
		tcsetattr(STDIN_FILENO, TCSANOW, &t);
	}
	fputs(OTHER_SCREEN, stdout);
	fflush(stdout);
}

void terminal_end(void)
{
	if (has_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	has_keys = false;
	fputs(FIRST_SCREEN, stdout);
	fflush(stdout);
}

void terminal_size(unsigned int *ret_columns, unsigned int *ret_rows)
{
	struct winsize w;
	bool is_known = !ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col;

	*ret_columns = is_known ? w.ws_col : MANY;
	*ret_rows = is_known && w.ws_row ? w.ws_row : MANY;
}

void terminal_show(const struct buf *text)
{
	const char *p = (const char *)text->p;
	const char *end = p + text->len;
	unsigned int columns, rows;

	terminal_size(&columns, &rows);
	fputs(HOME, stdout);
	for (unsigned int row = 0; p < end && row + 1 < rows; row++) {
		const char *line = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((line ? line : end) - p);

		fwrite(p, 1, len < columns ? len : columns, stdout);
		fputs(CLEAR_LINE "\n", stdout);
		p += len + !!line;
	}
	fputs(CLEAR_BELOW, stdout);
	fflush(stdout);
}

char terminal_key(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char c = 0;

	if (!has_keys || poll(&p, 1, 0) <= 0 || read(STDIN_FILENO, &c, 1) != 1)
		return 0;
	return c;
}
