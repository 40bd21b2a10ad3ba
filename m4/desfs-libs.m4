dnl SPDX-License-Identifier: Apache-2.0
dnl desfs-libs.m4 - the libraries, all required; cmocka for make check only.

AC_DEFUN([DESFS_LIBS], [
PKG_PROG_PKG_CONFIG([0.29])
PKG_CHECK_MODULES([FUSE], [fuse3 >= 3.12])
PKG_CHECK_MODULES([CODEC], [libzstd >= 1.4.8 liblz4 >= 1.9.3])
PKG_CHECK_MODULES([CRYPTO], [libcrypto >= 3.0])
PKG_CHECK_MODULES([ZLIB], [zlib >= 1.2.11])
PKG_CHECK_MODULES([JANSSON], [jansson >= 2.13])
PKG_CHECK_MODULES([CURL], [libcurl >= 7.87])
PKG_CHECK_MODULES([EXPAT], [expat >= 2.2.10])
PKG_CHECK_MODULES([SQLITE], [sqlite3 >= 3.34])
AC_CHECK_HEADER([uthash.h], [],
	[AC_MSG_ERROR([uthash.h not found (Debian: uthash-dev)])])
PKG_CHECK_MODULES([CMOCKA], [cmocka >= 1.1.5],
	[have_cmocka=yes], [have_cmocka=no])
PKG_CHECK_MODULES([MICROHTTPD], [libmicrohttpd >= 0.9.72],
	[have_microhttpd=yes], [have_microhttpd=no])
AM_CONDITIONAL([HAVE_MICROHTTPD], [test "x$have_microhttpd" = xyes])
AM_CONDITIONAL([HAVE_CMOCKA], [test "x$have_cmocka" = xyes])
])
