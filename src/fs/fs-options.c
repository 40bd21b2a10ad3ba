/* SPDX-License-Identifier: Apache-2.0 */
/* fs-options.c - what mount.desfs is asked to do: arguments, -o and fstab.
 *
 * mount(8) calls its helpers as "mount.desfs SOURCE DIR [-sfnv] [-o LIST]
 * [-t TYPE]", and its list holds whatever stands in fstab: the words that are
 * meant for others are passed over.
 */
#include "config.h"

#include "fs/fs-options.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/opt.h"
#include "conf/conf-opts.h"

#define FIELD(f) .offset = offsetof(struct fs_options, f)

#define CACHE_MAX (1LL << 50)

static const char *const layouts[] = { "auto", "tree", "date", NULL };
static const char *const xattrs[] = { "auto", "off", "packed", "all", NULL };
static const char *const pushes[] = { "on", "off", NULL };
static const char *const verifies[] = { "crc", "block", "file", NULL };

/* -o may come several times. */
static enum rc add_list(void *field, const char *arg, struct err *err)
{
	char **list = field;
	char *joined = *list ? xasprintf("%s,%s", *list, arg) : xstrdup(arg);

	(void)err;
	free(*list);
	*list = joined;
	return RC_OK;
}

/* Commas separate mount options, so rooms may also be joined by ':' or '+'. */
static enum rc add_rooms(void *field, const char *arg, struct err *err)
{
	enum rc rc = add_list(field, arg, err);
	char **list = field;

	for (char *p = *list; *p; p++) {
		if (*p == ':' || *p == '+')
			*p = ',';
	}
	return rc;
}

static const struct opt cli[] = {
	{ .name = "foreground",
	  .letter = 'f',
	  .kind = OPT_FLAG,
	  FIELD(foreground),
	  .help = "stay in the foreground, log to stderr" },
	{ .name = "options",
	  .letter = 'o',
	  .arg = "LIST",
	  .kind = OPT_CALLBACK,
	  FIELD(list),
	  .fn = add_list,
	  .help = "mount options, see below; may be repeated" },
	{ .name = "verbose",
	  .letter = 'v',
	  .kind = OPT_COUNT,
	  FIELD(verbose),
	  .help = "log more; may be repeated" },
	{ .name = "debug",
	  .letter = 'd',
	  .kind = OPT_FLAG,
	  FIELD(debug_all),
	  .help = "stay in the foreground and log everything" },
	{ .name = "version",
	  .letter = 'V',
	  .kind = OPT_FLAG,
	  FIELD(version),
	  .help = "print the versions of the program and its libraries" },
	{ .letter = 'n',
	  .kind = OPT_FLAG,
	  FIELD(ignored),
	  .help = "ignored, for mount(8)" },
	{ .letter = 'r',
	  .kind = OPT_FLAG,
	  FIELD(ignored),
	  .help = "ignored: every mount is read-only" },
	{ .letter = 's',
	  .kind = OPT_FLAG,
	  FIELD(ignored),
	  .help = "ignored, for mount(8)" },
	{ .letter = 't',
	  .arg = "TYPE",
	  .kind = OPT_STRING,
	  FIELD(type),
	  .help = "ignored, for mount(8)" },
	{ .letter = 'w',
	  .kind = OPT_FLAG,
	  FIELD(ignored),
	  .help = "ignored: every mount is read-only" },
};

static const struct opt mount_opts[] = {
	{ .name = "allow_other",
	  .kind = OPT_FLAG,
	  FIELD(allow_other),
	  .help = "let other users in, as far as modes allow" },
	{ .name = "auto_unmount",
	  .kind = OPT_FLAG,
	  FIELD(auto_unmount),
	  .help = "unmount even when the daemon was killed" },
	{ .name = "block_cache",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  .min = 1 << 20,
	  .max = CACHE_MAX,
	  FIELD(block_cache),
	  .help = "memory for decompressed blocks [128M]" },
	{ .name = "control",
	  .arg = "NAME",
	  .kind = OPT_STRING,
	  FIELD(control),
	  .help = "name of the control directory, empty: none [.des]" },
	{ .name = "debug",
	  .arg = "ROOM[:ROOM]...",
	  .kind = OPT_CALLBACK,
	  FIELD(debug_rooms),
	  .fn = add_rooms,
	  .help = "log debug messages of these rooms, or all" },
	{ .name = "gid",
	  .arg = "GID",
	  .kind = OPT_UINT,
	  .max = UINT32_MAX - 1,
	  FIELD(gid),
	  .help = "group of all files" },
	{ .name = "layout",
	  .arg = "tree|date",
	  .kind = OPT_CHOICE,
	  .choices = layouts,
	  FIELD(layout),
	  .help = "newest files by path, or all versions by day" },
	{ .name = "log",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  FIELD(log),
	  .help = "append messages to FILE [syslog; -f: stderr]" },
	{ .name = "max_threads",
	  .arg = "N",
	  .kind = OPT_UINT,
	  .min = 1,
	  .max = 64,
	  FIELD(max_threads),
	  .help = "serve with up to N threads [2 a processor, 8 to 16]" },
	{ .name = "n_bits",
	  .arg = "N",
	  .kind = OPT_UINT,
	  .min = 4,
	  .max = 16,
	  FIELD(n_bits),
	  .help = "of an older archive: bits of a slot [as its names say]" },
	{ .name = "page_cache",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  .min = 1 << 20,
	  .max = CACHE_MAX,
	  FIELD(page_cache),
	  .help = "memory for decoded index pages [32M]" },
	{ .name = "push",
	  .arg = "on|off",
	  .kind = OPT_CHOICE,
	  .choices = pushes,
	  FIELD(push),
	  .help = "send small files ahead of who reads them [on]" },
	{ .name = "readahead",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  .min = 4 << 10,
	  .max = 1 << 30,
	  FIELD(readahead),
	  .help = "how far the kernel reads ahead, if root mounts [256K]" },
	{ .name = "uid",
	  .arg = "UID",
	  .kind = OPT_UINT,
	  .max = UINT32_MAX - 1,
	  FIELD(uid),
	  .help = "owner of all files" },
	{ .name = "umask",
	  .arg = "MASK",
	  .kind = OPT_OCTAL,
	  .max = 0777,
	  FIELD(umask),
	  .help = "permissions to take from all files" },
	{ .name = "verify",
	  .arg = "crc|block|file",
	  .kind = OPT_CHOICE,
	  .choices = verifies,
	  FIELD(verify),
	  .help = "how much is checked of what is read [crc]" },
	{ .name = "xattr",
	  .arg = "off|packed|all",
	  .kind = OPT_CHOICE,
	  .choices = xattrs,
	  FIELD(xattr),
	  .help = "extended attributes [packed if there are any]" },
	CONF_MOUNT_OPTS(struct fs_options, conf)
};

/* Words of fstab and mount(8) that say nothing to us, or what is so anyway. */
static bool is_for_others(const char *key)
{
	static const char *const words[] = {
		"ro",
		"rw",
		"defaults",
		"auto",
		"noauto",
		"user",
		"users",
		"nouser",
		"owner",
		"group",
		"nofail",
		"_netdev",
		"exec",
		"suid",
		"nosuid",
		"dev",
		"nodev",
		"atime",
		"noatime",
		"diratime",
		"nodiratime",
		"relatime",
		"norelatime",
		"strictatime",
		"lazytime",
		"nolazytime",
		"nostrictatime",
		"async",
		"sync",
		"dirsync",
		"mand",
		"nomand",
		"iversion",
		"noiversion",
		"silent",
		"loud",
		"comment",
		"default_permissions",
	};

	if (!strncmp(key, "x-", 2) || !strncmp(key, "X-", 2))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!strcmp(key, words[i]))
			return true;
	}
	return false;
}

static enum rc other_option(void *arg, const char *key, const char *value,
			    struct err *err)
{
	struct fs_options *o = arg;

	(void)value;
	if (!strcmp(key, "noexec")) {
		o->noexec = true;
		return RC_OK;
	}
	if (!strcmp(key, "exec"))
		o->noexec = false;
	if (is_for_others(key))
		return RC_OK;
	if (!strcmp(key, "remount"))
		return err_set(err, RC_USAGE,
			       "remount is not possible: unmount, then mount "
			       "again");
	return err_set(err, RC_USAGE,
		       "unknown mount option %s, see mount.desfs --help", key);
}

static void set_defaults(struct fs_options *o)
{
	*o = (struct fs_options){
		.uid = FS_ID_UNSET,
		.gid = FS_ID_UNSET,
		.conf = CONF_INIT,
		.control = ".des",
	};
}

static bool is_file_name(const char *s)
{
	return strcmp(s, ".") && strcmp(s, "..") && !strchr(s, '/') &&
	       strlen(s) <= 255;
}

static enum rc parse_list(struct fs_options *o, struct err *err)
{
	enum rc rc;

	if (!o->list)
		return RC_OK;
	rc = opt_parse_list(mount_opts, ARRAY_LEN(mount_opts), o, o->list,
			    other_option, o, err);
	if (rc)
		return rc;
	if (!is_file_name(o->control))
		return err_set(err, RC_USAGE,
			       "option control: '%s' is not a file name",
			       o->control);
	return RC_OK;
}

enum rc fs_options_parse(struct fs_options *o, int argc, char **argv,
			 struct err *err)
{
	int first = 0;
	enum rc rc;

	set_defaults(o);
	rc = opt_parse(cli, ARRAY_LEN(cli), o, argc, argv, &first, err);
	if (rc)
		return rc;
	o->help = first == OPT_HELP;
	if (o->help || o->version)
		return RC_OK;
	rc = parse_list(o, err);
	if (rc)
		return rc;
	if (argc - first != 2)
		return err_set(err, RC_USAGE,
			       "want an archive and a mount point, see "
			       "mount.desfs --help");
	/* Made absolute, nothing would become the current directory. */
	if (!*argv[first] || !*argv[first + 1])
		return err_set(err, RC_USAGE, "an empty path");
	o->archive = argv[first];
	o->mountpoint = argv[first + 1];
	o->foreground |= o->debug_all;
	return RC_OK;
}

enum rc fs_options_settings(struct fs_options *o, struct err *err)
{
	return conf_fill(&o->conf, o->archive, err);
}

void fs_options_release(struct fs_options *o)
{
	conf_release(&o->conf);
	free(o->list);
	free(o->debug_rooms);
	o->list = NULL;
	o->debug_rooms = NULL;
}

void fs_options_help(FILE *to)
{
	opt_print_help(to, "mount.desfs", "ARCHIVE MOUNTPOINT [OPTION]...",
		       "Show the files of an archive, read-only.", cli,
		       ARRAY_LEN(cli));
	fprintf(to, "\nMount options (-o):\n");
	for (size_t i = 0; i < ARRAY_LEN(mount_opts); i++) {
		const struct opt *m = &mount_opts[i];
		int n = fprintf(to, "  %s%s%s", m->name, m->arg ? "=" : "",
				m->arg ? m->arg : "");

		fprintf(to, "%*s%s\n", n < 28 ? 28 - n : 1, "", m->help);
	}
}
