# SPDX-License-Identifier: Apache-2.0
# man/local.mk - the manual pages, one line a page.

dist_man_MANS += man/des-shard.5
dist_man_MANS += man/desfs-archive.5
dist_man_MANS += man/desfs.conf.5
dist_man_MANS += man/desfs-zones.5
dist_man_MANS += man/desfs.1
dist_man_MANS += man/desfs-route.1
dist_man_MANS += man/desfs-ls.1
dist_man_MANS += man/desfs-bench.1
dist_man_MANS += man/desfs-cache.1
dist_man_MANS += man/desfs-cat.1
dist_man_MANS += man/desfs-stat.1
dist_man_MANS += man/desfs-extract.1
dist_man_MANS += man/desfs-verify.1
dist_man_MANS += man/desfs-publish.1
dist_man_MANS += man/desfs-rebuild.1
dist_man_MANS += man/desfs-repack.1
dist_man_MANS += man/desfs-check-conf.1
dist_man_MANS += man/desfs-mount.1
dist_man_MANS += man/desfs-umount.1
dist_man_MANS += man/desfs-top.1
dist_man_MANS += man/desfs-version.1
dist_man_MANS += man/desfs-help.1
dist_man_MANS += man/desfs-pack.1
dist_man_MANS += man/desfs-tuning.7
dist_man_MANS += man/mount.desfs.8
