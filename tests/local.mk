# SPDX-License-Identifier: Apache-2.0
# tests/local.mk - the tests; one line a test.  tests/README.md tells how.

unit_programs =
fuzz_programs =
shell_tests =
source_lints =

# tests/unit/NAME.c becomes the program tests/unit/NAME.
unit_programs += tests/unit/aggregate
unit_programs += tests/unit/arena
unit_programs += tests/unit/rd
unit_programs += tests/unit/shard-build
unit_programs += tests/unit/codec
unit_programs += tests/unit/frame
unit_programs += tests/unit/legacy-index
unit_programs += tests/unit/legacy-meta
unit_programs += tests/unit/legacy-name
unit_programs += tests/unit/legacy-path
unit_programs += tests/unit/legacy-segments
unit_programs += tests/unit/legacy-store
unit_programs += tests/unit/golden-shards
unit_programs += tests/unit/hex
unit_programs += tests/unit/stamped
unit_programs += tests/unit/sha256
unit_programs += tests/unit/hmac
unit_programs += tests/unit/siphash
unit_programs += tests/unit/cond
unit_programs += tests/unit/crc32c
unit_programs += tests/unit/percent
unit_programs += tests/unit/compressible
unit_programs += tests/unit/same
unit_programs += tests/unit/profile
unit_programs += tests/unit/json
unit_programs += tests/unit/json-elements
unit_programs += tests/unit/json-check
unit_programs += tests/unit/json-members
unit_programs += tests/unit/key
unit_programs += tests/unit/io
unit_programs += tests/unit/human
unit_programs += tests/unit/latency
unit_programs += tests/unit/json-text
unit_programs += tests/unit/log
unit_programs += tests/unit/metric
unit_programs += tests/unit/opt
unit_programs += tests/unit/progress
unit_programs += tests/unit/queue
unit_programs += tests/unit/workers
unit_programs += tests/unit/stop
unit_programs += tests/unit/notify
unit_programs += tests/unit/filter
unit_programs += tests/unit/route
unit_programs += tests/unit/route-datavision
unit_programs += tests/unit/timestamp
unit_programs += tests/unit/block-cache
unit_programs += tests/unit/block-pool
unit_programs += tests/unit/catalog
unit_programs += tests/unit/disk-cache
unit_programs += tests/unit/store-local
unit_programs += tests/unit/store-range
unit_programs += tests/unit/store-s3
unit_programs += tests/unit/store-s3-run
unit_programs += tests/unit/store-s3-purge
unit_programs += tests/unit/store-http
unit_programs += tests/unit/list-pace
unit_programs += tests/unit/log-index
unit_programs += tests/unit/http-date
unit_programs += tests/unit/breaker
unit_programs += tests/unit/token-bucket
unit_programs += tests/unit/throttle
unit_programs += tests/unit/zone-health
unit_programs += tests/unit/store-zone
unit_programs += tests/unit/descriptor
unit_programs += tests/unit/oplog
unit_programs += tests/unit/oplog-checkpoint
unit_programs += tests/unit/oplog-read
unit_programs += tests/unit/oplog-record
unit_programs += tests/unit/oplog-state
unit_programs += tests/unit/volume-tree
unit_programs += tests/unit/volume-date
unit_programs += tests/unit/volume-hide
unit_programs += tests/unit/get-days
unit_programs += tests/unit/volume-version
unit_programs += tests/unit/volume-old
unit_programs += tests/unit/volume-read
unit_programs += tests/unit/ledger
unit_programs += tests/unit/walk
unit_programs += tests/unit/volume-ahead
unit_programs += tests/unit/readahead
unit_programs += tests/unit/fetch
unit_programs += tests/unit/volume-changes
unit_programs += tests/unit/volume-contents
unit_programs += tests/unit/volume-catalog
unit_programs += tests/unit/flips
unit_programs += tests/unit/nodeid
unit_programs += tests/unit/fs-acl
unit_programs += tests/unit/fs-options
unit_programs += tests/unit/fs-stats
unit_programs += tests/unit/push-stream
unit_programs += tests/unit/http
unit_programs += tests/unit/url
unit_programs += tests/unit/retry
unit_programs += tests/unit/ahead
unit_programs += tests/unit/block-list
unit_programs += tests/unit/content
unit_programs += tests/unit/linked
unit_programs += tests/unit/unused
unit_programs += tests/unit/sorter
unit_programs += tests/unit/state
unit_programs += tests/unit/name-stack
unit_programs += tests/unit/stats-text
unit_programs += tests/unit/above
unit_programs += tests/unit/feed
unit_programs += tests/unit/convert-check
unit_programs += tests/unit/links
unit_programs += tests/unit/plan
unit_programs += tests/unit/des2-rules
unit_programs += tests/unit/des2-shard
unit_programs += tests/unit/remove-file
unit_programs += tests/unit/tree
unit_programs += tests/unit/fresh
unit_programs += tests/unit/worker
unit_programs += tests/unit/uid-set
unit_programs += tests/unit/beneath
unit_programs += tests/unit/erasure-state
unit_programs += tests/unit/finish
unit_programs += tests/unit/purge-rule
unit_programs += tests/unit/plan-repack
unit_programs += tests/unit/engine-blocks
unit_programs += tests/unit/purge
unit_programs += tests/unit/verify-log
unit_programs += tests/unit/verify-choose
unit_programs += tests/unit/verify-data
unit_programs += tests/unit/verify-found
unit_programs += tests/unit/verify-keys
unit_programs += tests/unit/holds
unit_programs += tests/unit/receipt
unit_programs += tests/unit/suppression
unit_programs += tests/unit/tombstone
unit_programs += tests/unit/tombstone-set
unit_programs += tests/unit/conf
unit_programs += tests/unit/conf-zone
unit_programs += tests/unit/secret
unit_programs += tests/unit/erasure-key
unit_programs += tests/unit/erased
unit_programs += tests/unit/import-path
unit_programs += tests/unit/manifest
unit_programs += tests/unit/manifest-results
unit_programs += tests/unit/tombstone-name
unit_programs += tests/unit/sigv4
unit_programs += tests/unit/s3-xml
unit_programs += tests/unit/content-md5

# tests/fuzz/fuzz-NAME.c; its inputs are in tests/fuzz/corpus/NAME/.
fuzz_programs += tests/fuzz/fuzz-rd
fuzz_programs += tests/fuzz/fuzz-descriptor
fuzz_programs += tests/fuzz/fuzz-oplog
fuzz_programs += tests/fuzz/fuzz-oplog-checkpoint
fuzz_programs += tests/fuzz/fuzz-header
fuzz_programs += tests/fuzz/fuzz-footer
fuzz_programs += tests/fuzz/fuzz-page
fuzz_programs += tests/fuzz/fuzz-node
fuzz_programs += tests/fuzz/fuzz-block
fuzz_programs += tests/fuzz/fuzz-record
fuzz_programs += tests/fuzz/fuzz-url
fuzz_programs += tests/fuzz/fuzz-conf
fuzz_programs += tests/fuzz/fuzz-zone
fuzz_programs += tests/fuzz/fuzz-checkpoint
fuzz_programs += tests/fuzz/fuzz-log-index
fuzz_programs += tests/fuzz/fuzz-s3-xml
fuzz_programs += tests/fuzz/fuzz-hold
fuzz_programs += tests/fuzz/fuzz-receipt
fuzz_programs += tests/fuzz/fuzz-suppression
fuzz_programs += tests/fuzz/fuzz-tombstone-name
fuzz_programs += tests/fuzz/fuzz-tombstone
fuzz_programs += tests/fuzz/fuzz-des2
fuzz_programs += tests/fuzz/fuzz-datavision
fuzz_programs += tests/fuzz/fuzz-frame
fuzz_programs += tests/fuzz/fuzz-legacy-meta
fuzz_programs += tests/fuzz/fuzz-legacy-name
fuzz_programs += tests/fuzz/fuzz-legacy-path
fuzz_programs += tests/fuzz/fuzz-timestamp
fuzz_programs += tests/fuzz/fuzz-manifest

# What looks at sources alone finds the same in every build: ./run-tests calls
# for these in one, and elsewhere for make check lints_to_run= .
lints_to_run = $(source_lints)
# Their threads are those of other tests: with TSan, which takes longest,
# ./run-tests makes check threads_as_elsewhere= .
threads_as_elsewhere =
threads_as_elsewhere += tests/cli/6340-pack-faults.t
threads_as_elsewhere += tests/cli/2300-faults.t
threads_as_elsewhere += tests/cli/8510-import.t
threads_as_elsewhere += tests/cli/1000-route.t
threads_as_elsewhere += tests/cli/1010-route-random.t
threads_as_elsewhere += tests/lint/0002-symbols.t
threads_as_elsewhere += tests/lint/0003-man-options.t
threads_as_elsewhere += tests/lint/0009-man-examples.t
# Where it counts what a disk does: these ./run-tests calls for once more, on one.
disk_tests = tests/fs/4000-oddities.t tests/cli/6110-walk.t tests/cli/6200-kill.t
disk_tests += tests/cli/6410-checkpoint.t tests/cli/7120-repack-kill.t
disk_tests += tests/cli/8610-format-2-crash.t
source_lints += tests/lint/0000-layers.t
source_lints += tests/lint/0001-headers.t
source_lints += tests/lint/0004-mandoc.t
source_lints += tests/lint/0005-shellcheck.t
source_lints += tests/lint/0006-style.t
source_lints += tests/lint/0007-dist.t
shell_tests += tests/lint/0008-hexdump.t
shell_tests += tests/lint/0010-conf-keys.t
shell_tests += tests/cli/0001-version.t
shell_tests += tests/cli/0010-late-libraries.t
shell_tests += tests/cli/0100-dispatch.t
shell_tests += tests/cli/0200-completion.t
shell_tests += tests/cli/0300-check-conf.t
shell_tests += tests/cli/0310-check-bucket.t
shell_tests += tests/cli/0400-bench.t
shell_tests += tests/cli/1020-time-random.t
shell_tests += tests/cli/2000-desread.t
shell_tests += tests/cli/2400-zones.t
shell_tests += tests/cli/2410-zone-lag.t
shell_tests += tests/cli/2420-zone-write.t
shell_tests += tests/cli/2430-verify-mirrors.t
shell_tests += tests/cli/2200-fake-server.t
shell_tests += tests/cli/2310-secrets.t
shell_tests += tests/cli/2500-web-server.t
shell_tests += tests/cli/3000-ls.t
shell_tests += tests/cli/3100-extract.t
shell_tests += tests/cli/3400-index-cache.t
shell_tests += tests/cli/6000-pack-first.t
shell_tests += tests/cli/6010-pack-choice.t
shell_tests += tests/cli/6020-pack-later.t
shell_tests += tests/cli/6021-mirror-unseen.t
shell_tests += tests/cli/3110-extract-oddities.t
shell_tests += tests/cli/6030-pack-noise.t
shell_tests += tests/cli/6040-pack-equal.t
shell_tests += tests/cli/6050-link-names.t
shell_tests += tests/cli/6100-deterministic.t
shell_tests += tests/cli/6110-walk.t
shell_tests += tests/cli/6115-walk-many.t
shell_tests += tests/cli/6120-options.t
shell_tests += tests/cli/6200-kill.t
shell_tests += tests/cli/6210-wrong-shard.t
shell_tests += tests/cli/6220-lost-log.t
shell_tests += tests/cli/6400-stop.t
shell_tests += tests/cli/6410-stop-remote.t
shell_tests += tests/cli/6420-watch.t
shell_tests += tests/cli/6425-watch-faults.t
shell_tests += tests/cli/6430-promtool.t
shell_tests += tests/cli/6300-changing-files.t
shell_tests += tests/cli/6400-workers.t
shell_tests += tests/cli/6310-remove-source.t
shell_tests += tests/cli/6320-slow-write.t
shell_tests += tests/cli/6330-changing-tree.t
shell_tests += tests/cli/6410-checkpoint.t
shell_tests += tests/cli/6411-checkpoint-overtaken.t
shell_tests += tests/cli/6412-lost-shard.t
shell_tests += tests/cli/6350-own-archive.t
shell_tests += tests/cli/6360-remove-together.t
shell_tests += tests/cli/6370-remove-lock.t
shell_tests += tests/cli/6420-kill-workers.t
shell_tests += tests/cli/6430-clean-workers.t
shell_tests += tests/cli/7100-repack.t
shell_tests += tests/cli/7110-repack-corrupt.t
shell_tests += tests/cli/7120-repack-kill.t
shell_tests += tests/cli/7130-repack-remote.t
shell_tests += tests/cli/7310-verify-report.t
shell_tests += tests/cli/7320-verify-flips.t
shell_tests += tests/cli/7200-tombstone.t
shell_tests += tests/cli/7400-reap.t
shell_tests += tests/cli/7410-reap-zones.t
shell_tests += tests/cli/7420-reap-faults.t
shell_tests += tests/cli/7430-reap-requests.t
shell_tests += tests/cli/7000-log-kinds.t
shell_tests += tests/cli/7010-log-on-the-web.t
shell_tests += tests/cli/7330-verify-names.t
shell_tests += tests/cli/7340-verify-deleted.t
shell_tests += tests/cli/7350-verify-promtool.t
shell_tests += tests/cli/7210-pack-erased.t
shell_tests += tests/cli/7220-tombstone-again.t
shell_tests += tests/cli/7900-erase-crash.t
shell_tests += tests/cli/7910-erase-together.t
shell_tests += tests/cli/7920-erase-copies.t
shell_tests += tests/cli/7930-erase-zones.t
shell_tests += tests/cli/7230-tombstone-stores.t
shell_tests += tests/cli/7240-erased-list.t
shell_tests += tests/cli/8000-verify.t
shell_tests += tests/cli/8100-salvage.t
shell_tests += tests/cli/8200-rebuild.t
shell_tests += tests/cli/8300-verify-remote.t
shell_tests += tests/cli/8400-bench.t
shell_tests += tests/cli/8710-legacy-fixtures.t
shell_tests += tests/cli/8720-legacy-malformed.t
shell_tests += tests/cli/8730-legacy-requests.t
shell_tests += tests/cli/8740-legacy-neighbours.t
shell_tests += tests/cli/8500-export.t
shell_tests += tests/cli/8500-convert.t
shell_tests += tests/cli/8510-convert-killed.t
shell_tests += tests/cli/8520-convert-legacy.t
shell_tests += tests/cli/8530-convert-remote.t
shell_tests += tests/cli/8540-convert-disk.t
shell_tests += tests/cli/8600-get.t
shell_tests += tests/cli/8610-get-remote.t
shell_tests += tests/cli/8700-legacy-tools.t
shell_tests += tests/cli/8620-manifest.t
shell_tests += tests/cli/8630-feed.t
shell_tests += tests/cli/8600-format-2.t
shell_tests += tests/cli/8610-format-2-crash.t
shell_tests += tests/cli/8630-get-legacy.t
shell_tests += tests/cli/8640-get-odd-uids.t
shell_tests += tests/cli/8520-export-remote.t
shell_tests += tests/cli/8300-publish.t
shell_tests += tests/s3/2200-s3-write.t
shell_tests += tests/s3/2220-zone-write.t
shell_tests += tests/s3/7900-erase-crash.t
shell_tests += tests/s3/6370-memory.t
shell_tests += tests/s3/8600-format-2.t
shell_tests += tests/cli/6050-pack-memory.t
shell_tests += tests/s3/6330-workers.t
shell_tests += tests/fs/4000-oddities.t
shell_tests += tests/fs/4010-large-xattrs.t
shell_tests += tests/fs/4020-parts.t
shell_tests += tests/fs/4100-second-pack.t
shell_tests += tests/fs/4200-messages.t
shell_tests += tests/fs/4210-stats-names.t
shell_tests += tests/fs/4300-cost.t
shell_tests += tests/fs/4310-many-shards.t
shell_tests += tests/fs/4310-ahead.t
shell_tests += tests/fs/4320-readahead.t
shell_tests += tests/fs/4400-permissions.t
shell_tests += tests/fs/4500-refuse.t
shell_tests += tests/fs/4510-mount-helper.t
shell_tests += tests/fs/4600-tools.t
shell_tests += tests/fs/4610-top.t
shell_tests += tests/fs/4700-push.t
shell_tests += tests/fs/4710-push-refresh.t
shell_tests += tests/fs/5000-requests.t
shell_tests += tests/fs/5010-ranges.t
shell_tests += tests/fs/5100-stop.t
shell_tests += tests/fs/5200-stale.t
shell_tests += tests/fs/5210-refresh-faults.t
shell_tests += tests/fs/5300-remote-faults.t
shell_tests += tests/fs/5310-single-flight.t
shell_tests += tests/cli/7300-tools-repack.t
shell_tests += tests/fs/7000-deleted.t
shell_tests += tests/fs/7010-repack-readers.t
shell_tests += tests/fs/7020-deleted-caches.t
shell_tests += tests/fs/7030-delete-rounds.t
shell_tests += tests/fs/8710-legacy-mount.t
shell_tests += tests/fs/8720-legacy-refresh.t

# What several tests share.  Fuzz targets have no main: the linker takes the one
# of replay.c, or libFuzzer's.
check_LIBRARIES += libtest.a
libtest_a_SOURCES = tests/unit/unit.h tests/fuzz/fuzz.h
libtest_a_SOURCES += tests/unit/archive.c tests/unit/archive.h
libtest_a_SOURCES += tests/unit/replaced.h
libtest_a_SOURCES += tests/unit/changed-text.h tests/unit/golden.h
libtest_a_SOURCES += tests/unit/raw-server.c tests/unit/raw-server.h
libtest_a_SOURCES += tests/lib/golden-bad.c tests/lib/golden-shard.c
libtest_a_SOURCES += tests/lib/golden-shard.h
libtest_a_SOURCES += tests/fuzz/same.h tests/fuzz/seal.h tests/fuzz/legacy.h
if FUZZING
EXTRA_DIST += tests/fuzz/replay.c
else
libtest_a_SOURCES += tests/fuzz/replay.c
endif

# For all programs without an LDADD of their own, that is, for tests.
LDADD = libtest.a $(DESFS_LIBS) $(FUSE_LIBS) $(CMOCKA_LIBS) $(FUZZ_LIBS)

# Its server speaks TLS.
tests_unit_http_LDADD = $(LDADD) -lssl -lcrypto
tests_unit_catalog_LDADD = $(LDADD) $(SQLITE_LIBS)
tests_unit_volume_catalog_LDADD = $(LDADD) $(SQLITE_LIBS)

if FUZZING
check_PROGRAMS += $(fuzz_programs)
else
check_PROGRAMS += $(model_programs)
TESTS += $(model_programs)
if HAVE_CMOCKA
check_PROGRAMS += $(unit_programs) $(fuzz_programs)
TESTS += $(unit_programs) $(fuzz_programs)
else
check-local:
	@echo 'make check needs cmocka (libcmocka-dev); configure again' >&2
	@exit 1
endif
TESTS += $(lints_to_run) $(shell_tests) $(threads_as_elsewhere)
endif

# Makes tails fail.
tests_unit_volume_changes_LDFLAGS = -Wl,--wrap=store_read_tail_checked
# Hides names from lists, and changes the log while it is read.
tests_unit_oplog_read_LDFLAGS = -Wl,--wrap=store_list,--wrap=store_read_all
# Deletes what the test says.
tests_unit_volume_hide_LDFLAGS = -Wl,--wrap=oplog_deleted
tests_unit_volume_version_LDFLAGS = -Wl,--wrap=oplog_deleted
# Takes local archives for remote ones.
tests_unit_volume_catalog_LDFLAGS = -Wl,--wrap=store_is_remote,--wrap=store_read
# Their servers are made up.
tests_unit_store_s3_SOURCES = tests/unit/store-s3.c
tests_unit_store_s3_SOURCES += tests/unit/http-double.c tests/unit/http-double.h
tests_unit_store_s3_run_SOURCES = tests/unit/store-s3-run.c
tests_unit_store_s3_run_SOURCES += tests/unit/http-double.c
tests_unit_store_s3_purge_SOURCES = tests/unit/store-s3-purge.c
tests_unit_store_s3_purge_SOURCES += tests/unit/http-double.c
tests_unit_store_http_SOURCES = tests/unit/store-http.c
tests_unit_store_http_SOURCES += tests/unit/http-double.c

# Random sequences of all that is done to an archive, against a model.
model_programs = tests/model/model-test
tests_model_model_test_SOURCES = tests/model/model-test.c
tests_model_model_test_SOURCES += tests/model/store-memory.c
tests_model_model_test_SOURCES += tests/model/store-memory.h
tests_model_model_test_SOURCES += tests/model/model.c tests/model/model.h
tests_model_model_test_SOURCES += tests/model/shard-maker.c
tests_model_model_test_SOURCES += tests/model/shard-maker.h
tests_model_model_test_SOURCES += tests/model/world.c tests/model/world.h
tests_model_model_test_SOURCES += tests/model/check.c tests/model/check.h
tests_model_model_test_SOURCES += tests/model/damage.c tests/model/damage.h
tests_model_model_test_SOURCES += tests/model/doubles.c tests/model/doubles.h
tests_model_model_test_SOURCES += tests/model/end.c tests/model/end.h
tests_model_model_test_SOURCES += tests/model/ops.c tests/model/ops.h
tests_model_model_test_SOURCES += tests/model/op-erase.c tests/model/op-erase.h
tests_model_model_test_SOURCES += tests/model/op-hold.c tests/model/op-hold.h
tests_model_model_test_SOURCES += tests/model/op-log.c tests/model/op-log.h
tests_model_model_test_SOURCES += tests/model/op-pack.c tests/model/op-pack.h
tests_model_model_test_SOURCES += tests/model/op-repack.c
tests_model_model_test_SOURCES += tests/model/op-repack.h
tests_model_model_test_SOURCES += tests/model/regressions.c
tests_model_model_test_SOURCES += tests/model/regressions.h
tests_model_model_test_SOURCES += tests/model/rules.c tests/model/rules.h
tests_model_model_test_SOURCES += tests/model/sequence.c tests/model/sequence.h
tests_model_model_test_SOURCES += tests/model/remember.c tests/model/remember.h
tests_model_model_test_SOURCES += tests/model/copy-record.c
tests_model_model_test_SOURCES += tests/model/copy-record.h
# What is decoded twice is remembered.
tests_model_model_test_LDFLAGS = -Wl,--wrap=oplog_record_decode
tests_model_model_test_LDFLAGS += -Wl,--wrap=oplog_record_decode_kept
tests_model_model_test_LDFLAGS += -Wl,--wrap=oplog_checkpoint_decode
tests_model_model_test_LDFLAGS += -Wl,--wrap=tombstone_decode
tests_model_model_test_LDFLAGS += -Wl,--wrap=sha256_of
tests_model_model_test_LDADD = $(DESFS_LIBS)

# Routes in bulk, for tests/lib/route-random.py.
check_PROGRAMS += tests/lib/route-lines
tests_lib_route_lines_SOURCES = tests/lib/route-lines.c
tests_lib_route_lines_LDADD = $(DESFS_LIBS)

# Times in bulk, for tests/lib/time-random.py.
check_PROGRAMS += tests/lib/time-lines
tests_lib_time_lines_SOURCES = tests/lib/time-lines.c
tests_lib_time_lines_LDADD = $(DESFS_LIBS)

# Writes the first inputs of the fuzz targets; run by hand, compiled by all.
check_PROGRAMS += tests/fuzz/make-seeds
tests_fuzz_make_seeds_SOURCES = tests/fuzz/make-seeds.c
tests_fuzz_make_seeds_LDADD = $(DESFS_LIBS)

# Writes the shards of tests/golden; run by hand, compiled by all.
check_PROGRAMS += tests/lib/make-golden-shards
tests_lib_make_golden_shards_SOURCES = tests/lib/make-golden-shards.c
tests_lib_make_golden_shards_LDADD = libtest.a $(DESFS_LIBS)

# The reader of the benchmarks; run by tests/bench/run, compiled by all.
check_PROGRAMS += tests/bench/bench-read
tests_bench_bench_read_SOURCES = tests/bench/bench-read.c
tests_bench_bench_read_LDADD =
check_PROGRAMS += tests/bench/bench-lookup
tests_bench_bench_lookup_SOURCES = tests/bench/bench-lookup.c
tests_bench_bench_lookup_LDADD = $(DESFS_LIBS)

# Makes archives for the benchmarks; run by tests/bench/run, compiled by all.
check_PROGRAMS += tests/bench/gen-archive
tests_bench_gen_archive_SOURCES = tests/bench/gen-archive.c
tests_bench_gen_archive_LDADD = $(DESFS_LIBS)

# The server that misbehaves; see tests/lib/s3.sh.
if HAVE_MICROHTTPD
check_PROGRAMS += tests/lib/fake-s3
endif
tests_lib_fake_s3_SOURCES = tests/lib/fake-s3.c tests/lib/fake-s3.h
tests_lib_fake_s3_SOURCES += tests/lib/fake-request.c tests/lib/fake-reply.c
tests_lib_fake_s3_SOURCES += tests/lib/fake-send.c tests/lib/fake-auth.c
tests_lib_fake_s3_SOURCES += tests/lib/fake-bucket.c tests/lib/fake-bucket.h
tests_lib_fake_s3_SOURCES += tests/lib/fake-object.c tests/lib/fake-list.c
tests_lib_fake_s3_SOURCES += tests/lib/fake-upload.c tests/lib/fake-web.c
tests_lib_fake_s3_SOURCES += tests/lib/fake-control.c
tests_lib_fake_s3_SOURCES += tests/lib/fake-rule.c tests/lib/fake-rule.h
tests_lib_fake_s3_LDADD = $(DESFS_LIBS) $(MICROHTTPD_LIBS) -lcrypto
# A delay for tests/bench/remote, compiled by all.
check_PROGRAMS += tests/bench/delay-proxy
tests_bench_delay_proxy_SOURCES = tests/bench/delay-proxy.c
tests_bench_delay_proxy_LDADD =

# What shell tests call.
check_PROGRAMS += tests/lib/look tests/lib/make-hostile tests/lib/store-do
tests_lib_look_SOURCES = tests/lib/look.c
tests_lib_make_hostile_SOURCES = tests/lib/make-hostile.c
tests_lib_store_do_SOURCES = tests/lib/store-do.c
tests_lib_store_do_LDADD = $(DESFS_LIBS)
EXTRA_DIST += tests/lib/history.py
EXTRA_DIST += tests/lib/des2-check.py
EXTRA_DIST += tests/lib/desread.py tests/lib/desshard.py tests/lib/log-writer.py
EXTRA_DIST += tests/lib/find-bytes.py tests/lib/find-anywhere.py
EXTRA_DIST += tests/lib/erase.sh tests/lib/erase-drill.py
EXTRA_DIST += tests/lib/repacked.py tests/lib/forge-log.py
EXTRA_DIST += tests/lib/pack-model.py tests/lib/push-refresh.py
EXTRA_DIST += tests/lib/make-tombstone.py tests/lib/held-file.py
EXTRA_DIST += tests/lib/get-legacy.py tests/lib/read-on.py tests/lib/delete-rounds.py
EXTRA_DIST += tests/lib/tree.sh tests/lib/kill.sh tests/lib/kill-at.sh tests/lib/kill-workers.sh tests/lib/make-oddities.py tests/lib/flip-shards.py
EXTRA_DIST += tests/lib/make-manifest.py
EXTRA_DIST += tests/lib/legacy-fixtures.py tests/lib/legacy-malformed.py
EXTRA_DIST += tests/lib/legacy-many.py
EXTRA_DIST += tests/lib/make-mixed.py tests/lib/route-random.py tests/lib/time-random.py
EXTRA_DIST += tests/lib/make-backups.py
EXTRA_DIST += tests/lib/fault.sh tests/lib/fault-shim.c
EXTRA_DIST += tests/lib/slow-write.c tests/lib/mutate.py
EXTRA_DIST += tests/lib/s3.sh tests/lib/ceph-rgw.sh
EXTRA_DIST += tests/lib/s3-archive.sh tests/lib/s3-gate.py
EXTRA_DIST += tests/s3

TEST_EXTENSIONS = .t
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
T_LOG_DRIVER = $(TAP_DRIVER)
# A test that hangs is ended; the longest takes a minute or two under sanitizers.
TEST_SECONDS = 400
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/lib/bounded.sh $(TEST_SECONDS)
T_LOG_COMPILER = $(LOG_COMPILER)
AM_TESTS_ENVIRONMENT = \
	SRCDIR='$(abs_top_srcdir)'; export SRCDIR; \
	BUILDDIR='$(abs_top_builddir)'; export BUILDDIR; \
	DESFS='$(abs_top_builddir)/desfs'; export DESFS; \
	DESFS_PACK='$(abs_top_builddir)/desfs-pack'; export DESFS_PACK; \
	MOUNT_DESFS='$(abs_top_builddir)/mount.desfs'; export MOUNT_DESFS; \
	CC='$(CC)'; export CC; \
	DESFS_CONF=; export DESFS_CONF; \
	LIB_CFLAGS='$(FUSE_CFLAGS)'; export LIB_CFLAGS;

EXTRA_DIST += $(source_lints) $(shell_tests) $(threads_as_elsewhere)
EXTRA_DIST += .shellcheckrc tests/README.md tests/SKIPS
EXTRA_DIST += tests/lib/tap.sh tests/lib/bounded.sh tests/golden
EXTRA_DIST += tests/fixtures
EXTRA_DIST += tests/fuzz/README.md tests/fuzz/run.sh tests/fuzz/corpus

# Run the fuzz targets, each FUZZ_SECONDS long.
fuzz-programs: $(fuzz_programs)
FUZZ_SECONDS = 10
.PHONY: fuzz fuzz-programs check-valgrind lint
if FUZZING
fuzz: $(fuzz_programs)
	@SRCDIR='$(abs_top_srcdir)' $(SHELL) $(srcdir)/tests/fuzz/run.sh \
		$(FUZZ_SECONDS) $(fuzz_programs:%=./%)
else
fuzz:
	@echo 'make fuzz needs configure CC=clang --enable-fuzzing' >&2; exit 1
endif

# The unit tests under valgrind.
check-valgrind: $(check_PROGRAMS)
	$(MAKE) check TESTS='$(unit_programs)' LOG_COMPILER='valgrind -q \
		--error-exitcode=99 --leak-check=full --errors-for-leak-kinds=all'

# The lints alone.
lint: all
	$(MAKE) check TESTS="$$(cd $(srcdir) && echo tests/lint/*.t)"
