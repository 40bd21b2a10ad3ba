/* SPDX-License-Identifier: Apache-2.0 */
/* notify.c - tests of the word to the service manager. */
#include "config.h"

#include "base/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit.h"

/* A socket that listens where $NOTIFY_SOCKET will say. */
static int listen_at(const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	memcpy(sa.sun_path, name, len);
	if (*name == '@')
		sa.sun_path[0] = '\0';
	assert_int_equal(
	    bind(fd, (const struct sockaddr *)&sa,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
	    0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void assert_notified(int fd)
{
	struct err err = { 0 };
	char text[64] = "";

	assert_int_equal(notify_send(NOTIFY_READY, &err), RC_OK);
	assert_int_equal(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 7);
	assert_string_equal(text, "READY=1");
	close(fd);
}

static void without_a_manager_nothing_happens(void **state)
{
	struct err err = { 0 };

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_send(NOTIFY_STOPPING, &err), RC_OK);
}

static void paths_and_abstract_names_are_reached(void **state)
{
	char dir[] = "/tmp/desfs-unit-notify-XXXXXX";
	char name[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/socket", dir);
	assert_notified(listen_at(name));
	unlink(name);
	rmdir(dir);
	snprintf(name, sizeof(name), "@desfs-unit-notify-%d", getpid());
	assert_notified(listen_at(name));
}

static void wrong_addresses_are_errors(void **state)
{
	char name[200] = "/";
	struct err err = { 0 };

	(void)state;
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(notify_send(NOTIFY_READY, &err), RC_USAGE);
	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	assert_int_equal(notify_send(NOTIFY_READY, &err), RC_NOENT);
	memset(name, '/', sizeof(name) - 1);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_send(NOTIFY_READY, &err), RC_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_manager_nothing_happens),
		cmocka_unit_test(paths_and_abstract_names_are_reached),
		cmocka_unit_test(wrong_addresses_are_errors),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
