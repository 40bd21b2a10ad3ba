/* SPDX-License-Identifier: Apache-2.0 */
/* fs-options.h - what mount.desfs is asked to do: arguments, -o and fstab. */
#ifndef DESFS_FS_FS_OPTIONS_H
#define DESFS_FS_FS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/err.h"
#include "conf/conf.h"

/* The values are those of the words in fs-options.c. */
enum fs_layout { LAYOUT_AUTO, LAYOUT_TREE, LAYOUT_DATE };
enum fs_push_mode { PUSH_ON, PUSH_OFF };
enum fs_xattr { XATTR_AUTO, XATTR_OFF, XATTR_PACKED, XATTR_ALL };

#define FS_ID_UNSET UINT32_MAX

struct fs_options {
	const char *archive;    /* as given */
	const char *mountpoint; /* likewise */

	bool foreground;
	bool debug_all;
	bool version;
	bool help;
	unsigned int verbose;

	bool allow_other;
	bool auto_unmount;
	bool noexec;
	unsigned int uid, gid; /* FS_ID_UNSET: those of the entries */
	unsigned int umask;
	uint64_t block_cache;     /* bytes; 0: the volume's default */
	uint64_t page_cache;      /* likewise */
	uint64_t readahead;       /* the kernel's, bytes; 0: ours */
	unsigned int max_threads; /* 0: by the number of processors */
	unsigned int n_bits;      /* of an older archive; 0: inferred */
	enum fs_layout layout;
	enum fs_xattr xattr;
	enum fs_push_mode push;
	unsigned int verify; /* enum volume_verify */
	const char *control; /* name of the control directory; "": none */
	const char *log;     /* file; NULL: syslog, or stderr with -f */
	struct conf conf;    /* of options; fs_options_settings adds files */

	char *list;        /* all -o joined, the strings point into it */
	char *debug_rooms; /* with commas between; NULL: none */
	const char *type;  /* ignored, as is what follows */
	bool ignored;
};

/* Fill o from the command line; release it in any case. */
enum rc fs_options_parse(struct fs_options *o, int argc, char **argv,
			 struct err *err) MUST_CHECK;
/* Read desfs.conf(5) for o->archive; before the working directory changes. */
enum rc fs_options_settings(struct fs_options *o, struct err *err) MUST_CHECK;
void fs_options_release(struct fs_options *o);

void fs_options_help(FILE *to);

#endif
