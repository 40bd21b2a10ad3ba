/* SPDX-License-Identifier: Apache-2.0 */
/* unit.h - cmocka with the headers it needs but does not include.
 *
 * Never call skip(): cmocka 1.1.5 prints it as a failure.  One group a
 * program: it prints a plan for each group.
 */
#ifndef DESFS_TESTS_UNIT_H
#define DESFS_TESTS_UNIT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
/* after the above */
#include <cmocka.h>

#endif
