# SPDX-License-Identifier: Apache-2.0
# man/local.mk - the manual pages, one line a page.

dist_man_MANS += man/des-shard.5
dist_man_MANS += man/desfs-archive.5
dist_man_MANS += man/desfs-pack.1
