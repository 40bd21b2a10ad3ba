dnl SPDX-License-Identifier: Apache-2.0
dnl desfs-libs.m4 - the libraries, all required but libipsec-mb, which is for
dnl x86-64 alone; cmocka for make check only.

AC_DEFUN([DESFS_LIBS], [
PKG_PROG_PKG_CONFIG([0.29])
PKG_CHECK_MODULES([FUSE], [fuse3 >= 3.12])
PKG_CHECK_MODULES([CODEC], [libzstd >= 1.4.8 liblz4 >= 1.9.3])
PKG_CHECK_MODULES([NETTLE], [nettle >= 3.7])
DESFS_IPSEC_MB
PKG_CHECK_MODULES([ZLIB], [zlib >= 1.2.11])
PKG_CHECK_MODULES([JANSSON], [jansson >= 2.14])
PKG_CHECK_MODULES([CURL], [libcurl >= 7.87])
DESFS_SONAME([LIBCURL], [libcurl], [$CURL_LIBS], [curl_easy_init])
AC_SEARCH_LIBS([dlopen], [dl])
PKG_CHECK_MODULES([EXPAT], [expat >= 2.2.10])
PKG_CHECK_MODULES([SQLITE], [sqlite3 >= 3.34])
DESFS_SONAME([LIBSQLITE], [libsqlite3], [$SQLITE_LIBS], [sqlite3_open])
PKG_CHECK_MODULES([ARCHIVE], [libarchive >= 3.6])
DESFS_SONAME([LIBARCHIVE], [libarchive], [$ARCHIVE_LIBS], [archive_version_number])
AC_CHECK_HEADER([uthash.h], [],
	[AC_MSG_ERROR([uthash.h not found (Debian: uthash-dev)])])
PKG_CHECK_MODULES([CMOCKA], [cmocka >= 1.1.5],
	[have_cmocka=yes], [have_cmocka=no])
PKG_CHECK_MODULES([MICROHTTPD], [libmicrohttpd >= 0.9.72],
	[have_microhttpd=yes], [have_microhttpd=no])
AM_CONDITIONAL([HAVE_MICROHTTPD], [test "x$have_microhttpd" = xyes])
AM_CONDITIONAL([HAVE_CMOCKA], [test "x$have_cmocka" = xyes])
])

dnl DESFS_SONAME(NAME, LIBRARY, LIBS, FUNCTION)
dnl NAME_SONAME: the name by which a program linked with LIBS has the library
dnl loaded.  Ours load it themselves, when it is needed.
AC_DEFUN([DESFS_SONAME], [
AC_CHECK_TOOL([READELF], [readelf], [false])
AC_CACHE_CHECK([for the name of $2], [desfs_cv_soname_$2], [
desfs_save_LIBS=$LIBS
LIBS="$3 $LIBS"
AC_LINK_IFELSE([AC_LANG_PROGRAM([[char $4(void);]], [[return $4();]])],
	[desfs_cv_soname_$2=`$READELF -d conftest$ac_exeext |
		sed -n '/NEEDED/s/.*\($2.*so@<:@.0-9@:>@*\).*/\1/p'`])
LIBS=$desfs_save_LIBS
])
AS_IF([test -z "$desfs_cv_soname_$2"],
	[AC_MSG_ERROR([cannot link with $2, or no readelf to see how])])
AC_DEFINE_UNQUOTED([$1_SONAME], ["$desfs_cv_soname_$2"],
	[Define to the name by which dlopen finds $2.])
])

dnl DESFS_IPSEC_MB
dnl HAVE_IPSEC_MB, IPSEC_MB_LIBS: libipsec-mb of 1.3, which tests itself, or of
dnl later; it has no file for pkg-config.
AC_DEFUN([DESFS_IPSEC_MB], [
AC_ARG_WITH([ipsec-mb],
	[AS_HELP_STRING([--without-ipsec-mb],
		[hash one after the other where libipsec-mb could hash side by
		side])],
	[], [with_ipsec_mb=check])
IPSEC_MB_LIBS=
AS_IF([test "x$with_ipsec_mb" != xno], [
	AC_CHECK_DECL([IMB_FEATURE_SELF_TEST_PASS],
		[AC_CHECK_LIB([IPSec_MB], [init_mb_mgr_auto],
			[IPSEC_MB_LIBS=-lIPSec_MB])],
		[], [[#include <intel-ipsec-mb.h>]])
	AS_IF([test "x$with_ipsec_mb$IPSEC_MB_LIBS" = xyes],
		[AC_MSG_ERROR([libipsec-mb 1.3 not found (Debian: libipsec-mb-dev)])])
])
AS_IF([test -n "$IPSEC_MB_LIBS"],
	[AC_DEFINE([HAVE_IPSEC_MB], [1], [Define to 1 to hash by libipsec-mb.])])
AC_SUBST([IPSEC_MB_LIBS])
])
