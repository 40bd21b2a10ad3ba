/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - mount.desfs, the daemon that serves an archive. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/notify.h"
#include "base/stop.h"
#include "base/version.h"
#include "fs/fs-daemon.h"
#include "fs/fs-start.h"
#include "store/store.h"
#include "volume/volume.h"

struct daemon {
	const struct fs_options *o;
	int parent; /* who waits for our word; -1 in the foreground */
	bool is_serving;
};

static void print_version(void)
{
	char built[32];
	const struct version_row rows[] = {
		{ "libfuse", built, fuse_pkgversion() },
	};

	snprintf(built, sizeof(built), "%d.%d", FUSE_MAJOR_VERSION,
		 FUSE_MINOR_VERSION);

	version_print(stdout, "mount.desfs", rows, ARRAY_LEN(rows));
	printf("remote archives: %s\n", store_libraries());
	printf("codecs, index cache: %s\n", volume_libraries());
}

/* The daemon leaves the directory the user stands in. */
static char *absolute(const char *path)
{
	char *real = realpath(path, NULL);
	char cwd[PATH_MAX];

	if (real)
		return real;
	if (*path == '/' || !getcwd(cwd, sizeof(cwd)))
		return xstrdup(path);
	return xasprintf("%s/%s", cwd, path);
}

/* So do the paths in these URLs; in all others there are none of ours. */
static char *absolute_archive(const char *archive)
{
	static const char *const schemes[] = { "file://", "zone://" };

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		size_t n = strlen(schemes[i]);
		CLEANUP_FREE char *path = NULL;

		if (strncmp(archive, schemes[i], n))
			continue;
		path = absolute(archive + n);
		return xasprintf("%s%s", schemes[i], path);
	}
	return conf_is_url(archive) ? xstrdup(archive) : absolute(archive);
}

static enum rc open_log(const struct fs_options *o, struct err *err)
{
	enum rc rc = RC_OK;

	log_open("mount.desfs",
		 o->debug_all ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	for (unsigned int i = 0; i < o->verbose; i++)
		log_more();
	if (o->debug_rooms)
		rc = log_set_debug(o->debug_rooms, err);
	if (!rc && o->log)
		rc = log_to_file(o->log, err);
	return rc;
}

/* Where messages go once the terminal is left. */
static enum rc leave_terminal(const struct daemon *d, struct err *err)
{
	if (d->o->foreground)
		return RC_OK;
	if (!d->o->log)
		log_to_syslog();
	return daemon_detach(err);
}

static void tell_manager(const char *state)
{
	struct err err;

	if (notify_send(state, &err))
		log_rc(&err, "service manager");
}

static void on_serving(void *arg)
{
	struct daemon *d = arg;

	log_info("%s is mounted at %s", d->o->archive, d->o->mountpoint);
	d->is_serving = true;
	tell_manager(NOTIFY_READY);
	daemon_report_serving(d->parent);
	d->parent = -1;
}

static enum rc serve(struct fs *fs, struct daemon *d, struct err *err)
{
	enum rc rc = fs_start(fs, d->o, err);

	if (!rc)
		rc = fs_mount(fs, err);
	if (!rc)
		rc = leave_terminal(d, err);
	if (!rc)
		rc = fs_serve(fs, on_serving, d, err);
	if (!rc && !d->is_serving)
		rc = err_set(err, RC_STOPPED, "stopped before it served");
	tell_manager(NOTIFY_STOPPING);
	fs_release(fs);
	if (!rc)
		log_info("%s is unmounted from %s", d->o->archive,
			 d->o->mountpoint);
	return rc;
}

static enum rc run(const struct fs_options *o, struct err *err)
{
	struct daemon d = { .o = o, .parent = -1 };
	static struct fs fs;
	enum rc rc;

	rc = fs_mountpoint_check(o->mountpoint, err);
	if (!rc && !o->foreground)
		rc = daemon_start(&d.parent, err);
	if (rc)
		return rc;
	rc = open_log(o, err);
	if (!rc)
		rc = stop_init(o->foreground ? STOP_ON_HUP : 0, err);
	if (!rc)
		rc = serve(&fs, &d, err);
	if (rc && d.is_serving)
		log_rc(err, "%s", o->mountpoint);
	if (rc && d.parent >= 0)
		daemon_report_failed(d.parent, err);
	log_close();
	/* In the background nobody reads what main would print. */
	if (rc && !o->foreground)
		_exit(rc_to_status(rc));
	return rc;
}

int main(int argc, char **argv)
{
	CLEANUP_FREE char *archive = NULL;
	CLEANUP_FREE char *mountpoint = NULL;
	struct fs_options o;
	struct err err;
	enum rc rc;

	signal(SIGPIPE, SIG_IGN);
	/* Shells start what they do not wait for with SIGINT ignored. */
	signal(SIGINT, SIG_DFL);
	rc = fs_options_parse(&o, argc, argv, &err);
	if (!rc && o.help) {
		fs_options_help(stdout);
	} else if (!rc && o.version) {
		print_version();
	} else if (!rc) {
		o.archive = archive = absolute_archive(o.archive);
		o.mountpoint = mountpoint = absolute(o.mountpoint);
		rc = fs_options_settings(&o, &err);
		if (!rc)
			rc = run(&o, &err);
	}
	if (rc)
		daemon_print_error(&err);
	fs_options_release(&o);
	return rc_to_status(rc);
}
