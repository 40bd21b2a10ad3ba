dnl SPDX-License-Identifier: Apache-2.0
dnl desfs-sanitize.m4 - builds that look for bugs: sanitizers, fuzzing, coverage.

dnl DESFS_SANITIZE: sets SANITIZE_CFLAGS (compiling and linking), FUZZ_LIBS and
dnl the conditional FUZZING.
AC_DEFUN([DESFS_SANITIZE], [
AC_ARG_ENABLE([sanitize],
	[AS_HELP_STRING([--enable-sanitize=LIST],
		[build with -fsanitize=LIST, e.g. address,undefined])],
	[], [enable_sanitize=no])
AC_ARG_ENABLE([fuzzing],
	[AS_HELP_STRING([--enable-fuzzing],
		[build the fuzz targets with libFuzzer (clang)])],
	[], [enable_fuzzing=no])
AC_ARG_ENABLE([coverage],
	[AS_HELP_STRING([--enable-coverage], [count executed lines for make coverage])],
	[], [enable_coverage=no])

AS_CASE([$enable_sanitize],
	[no], [],
	[yes], [AC_MSG_ERROR([--enable-sanitize wants a list, e.g. address,undefined])],
	[SANITIZE_CFLAGS="-fsanitize=$enable_sanitize -fno-omit-frame-pointer"
	 AS_CASE([",$enable_sanitize,"], [*,undefined,*],
		[SANITIZE_CFLAGS="$SANITIZE_CFLAGS -fno-sanitize-recover=undefined"])])

AS_IF([test "x$enable_fuzzing" = xyes], [
	AS_IF([test "x$enable_sanitize" != xno],
		[AC_MSG_ERROR([--enable-fuzzing chooses the sanitizers itself])])
	SANITIZE_CFLAGS="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
	FUZZ_LIBS="-fsanitize=fuzzer"
])

AS_IF([test "x$enable_coverage" = xyes],
	[SANITIZE_CFLAGS="$SANITIZE_CFLAGS --coverage -fprofile-update=atomic"])

AS_IF([test "x$SANITIZE_CFLAGS" != x], [
	AC_MSG_CHECKING([whether $CC takes $SANITIZE_CFLAGS])
	desfs_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS $SANITIZE_CFLAGS"
	AC_LINK_IFELSE([AC_LANG_PROGRAM],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		 AC_MSG_ERROR([$CC does not take $SANITIZE_CFLAGS; fuzzing needs clang])])
	CFLAGS=$desfs_save_CFLAGS
])
AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
AC_SUBST([SANITIZE_CFLAGS])
AC_SUBST([FUZZ_LIBS])
])
