/* SPDX-License-Identifier: Apache-2.0 */
/* remember.h - records of the log and tombstones that were decoded once are not
 * decoded again.
 *
 * What is read from bytes depends on them alone, and a sequence has the same
 * few hundred records read ten thousand times.  The linker puts what is here in
 * the place of the functions that decode (--wrap); now and then
 * the same bytes are decoded nevertheless, and compared.
 */
#ifndef DESFS_TESTS_REMEMBER_H
#define DESFS_TESTS_REMEMBER_H

/* Begin anew, with nothing. */
void remember_clear(void);

#endif
