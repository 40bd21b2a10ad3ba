/* SPDX-License-Identifier: Apache-2.0 */
/* regressions.c - sequences that have found something once.
 *
 * They are as the shrinker printed them.  What an operation makes of its
 * numbers may change, and then they are sequences like others.
 */
#include "config.h"

#include "regressions.h"

const struct regression regressions[] = {
	{ "a block with records only is copied by repack",
	  "910a2dec89025cc1 pack/1/0/0/0/0/0 recompress/0/0/8/0/0/0 "
	  "merge/0/0/0/0/0/0" },
	{ "a repack stays valid when what it replaced is folded as purged",
	  "bd64a5d9adefe000 clock/0/0/0/0/0/0 pack/0/0/0/0/0/0 "
	  "recompress/0/0/0/0/0/0 recompress/1/0/0/0/0/0 "
	  "recompress/0/0/0/0/0/0" },
	{ "nothing is purged that a record not listed yet makes count",
	  "aeaf52febe706064 pack/0/ee074e28/df89835f/0/0/0 "
	  "pack/1/29e23d0c/eefd7534/0/0/0 merge/0/0/0/0/0/0 "
	  "pack/0/0/0/0/0/0 merge/0/0/0/0/0/0" },
	{ "a clean-up leaves no versions of what it removes",
	  "c4ca37b7f8ad8aff pack/1/0/4ed8e733/0/0/0 "
	  "pack/0/5560df42/58eba842/0/0/0 pack/0/375a359d/5bda1f3/0/0/0 "
	  "pack/1/d4c4b0e7/b6f8f5f5/0/2/1 erase/0/d0e72ada/704533b4/0/0/0" },
	{ "shards of a pack that died beside a reap go",
	  "3280126b73eee4e6 erase/1/0/0/0/0/0 pack/1/0/0/0/0/0 "
	  "merge/1/0/0/0/0/0 erase/1/0/0/0/0/0 +reap/1/0/0/0/0/0 "
	  "pack/0/0/0/d840e2d9/2/c" },
	{ "what a lost recompress has made goes",
	  "88712be8a582fca pack/1/0/9db0a39d/0/0/0 pack/1/0/df8e84f2/0/0/0 "
	  "erase/0/78e1b800/0/0/0/0 +recompress/1/0/0/0/0/0 "
	  "reap/0/0/0/0/0/0 erase/1/0/0/0/0/0" },
	{ "a tombstone that fails leaves no versions of its documents",
	  "aac8c00000a81e44 pack/0/0/0/0/0/0 pack/0/dac7f1f7/0/0/0/0 "
	  "erase/1/0/791311b9/0/1/b erase/0/0/266621de/0/0/0" },
	{ "who knows a document is done knows the one in its place",
	  "2ac8b3c337332480 erase/1/f96ff365/393ec792/0/0/0 "
	  "pack/1/0/0/0/0/0 hold/0/0/0/0/0/0 clock/1/446e571c/0/0/0/0 "
	  "reap/1/0/0/0/0/0" },
	{ "an erasure in two documents has one receipt",
	  "cd265d32ef89f983 repack/1/0/0/0/0/0 "
	  "pack/1/61cf8912/ae886c33/0/0/0 erase/1/0/0/0/0/0 "
	  "erase/1/662d2878/23c2f140/854f73/0/0 pack/1/0/0/a690d03b/0/0 "
	  "pack/0/0/0/0/0/0 withdraw/0/d969f51d/0/0/0/0 hold/0/0/0/0/0/0 "
	  "reap/1/0/0/4748f89b/0/0" },
	{ "what was left of a document may be taken back",
	  "3706970b052f16b1 hold/0/0/0/0/0/0 erase/0/1f1302fb/0/0/0/0 "
	  "withdraw/0/0/0/0/0/0 reap/1/0/0/0/0/0 "
	  "withdraw/1/85800f9b/0/0/0/0" },
	{ "what is left of a document is not taken back after its repack",
	  "93cdde9109047080 reap/1/0/0/0/0/0 hold/1/0/6a80a3d7/0/0/0 "
	  "pack/1/0/0/0/0/0 erase/1/0/0/0/0/0 withdraw/1/829e6729/0/0/0/0 "
	  "merge/0/5a5a1b95/dce611ae/0/0/0 finish/1/0/0/0/0/0 "
	  "withdraw/1/0/0/0/0/0" },
	{ "a record removed in one zone alone has its checkpoint",
	  "95f3b003c607de1c pack/0/0/0/0/0/0 pack/0/0/0/0/0/0 "
	  "merge/1/0/40cc421e/0/0/0 merge/1/0/0/0/0/0 "
	  "clock/0/10593f7/0/0/0/0 finish/0/5982d1cd/0/e7e064ea/1/14 "
	  "split/0/0/0/0/0/0" },
	{ "what another is just deleting is kept out",
	  "a4d95f3c4f70c42a +erase/0/0/0/520c75ef/0/0 "
	  "pack/1/0/0/1c53a60c/0/0" },
	{ "lists have time to show records until they are read",
	  "34c0870e40cde030 erase/0/69e9b9e3/7a797016/0/0/0 "
	  "repack/0/0/0/0/0/0 pack/0/0/0/0/0/0 pack/0/0/0/ff4a9d77/0/0 "
	  "repack/0/0/0/0/0/0 +purge/1/0/0/25d138fb/0/0 "
	  "clock/0/5e8fbd05/0/e50d82fd/0/0" },
	{ "receipts of records of the same time are counted together",
	  "f44cbd9c053bdabe pack/1/66f1b265/e8248e3a/97bc3c05/0/0 "
	  "pack/0/0/0/0/0/0 hold/1/0/0/0/0/0 clock/0/c23b1256/0/0/0/0 "
	  "erase/1/0/0/0/0/0 aggregate/1/0/0/0/0/0 "
	  "withdraw/1/0/0/e6485f09/0/0 erase/0/0/0/0/0/0 "
	  "reap/0/0/0/0/0/0" },
	{ "what is in two documents is taken back once",
	  "de5f85f7c24490b6 pack/1/0/552cb9b8/0/0/0 pack/0/0/0/0/0/0 "
	  "erase/0/0/0/0/0/0 repack/1/0/0/0/0/0 pack/1/0/0/0/0/0 "
	  "erase/1/20e60a32/0/0/0/0 erase/0/d3a590f1/9d106cd0/0/0/0 "
	  "clock/1/bcc6f356/0/0/0/0 hold/1/0/0/0/0/0 +reap/1/0/0/0/0/0 "
	  "reap/0/0/0/0/0/0 withdraw/0/17eaed6c/0/0/0/0" },
};
const size_t n_regressions = sizeof(regressions) / sizeof(*regressions);
