# SPDX-License-Identifier: Apache-2.0
# src/local.mk - all sources, one block a room; one line a file.
#
# Everything but the three main files goes into libdesfs.a.  The linker takes
# from it only what a program needs, so mount.desfs has nothing of pack/ and of
# the writing half of store/ (tests/lint/0002-symbols.t).

noinst_LIBRARIES += libdesfs.a
libdesfs_a_SOURCES =

# base
libdesfs_a_SOURCES += src/base/compiler.h
libdesfs_a_SOURCES += src/base/cleanup.h
libdesfs_a_SOURCES += src/base/rc.def
libdesfs_a_SOURCES += src/base/err.c src/base/err.h
libdesfs_a_SOURCES += src/base/mem.c src/base/mem.h
libdesfs_a_SOURCES += src/base/metric.c src/base/metric.h
libdesfs_a_SOURCES += src/base/process.c src/base/process.h
libdesfs_a_SOURCES += src/base/mountinfo.c src/base/mountinfo.h
libdesfs_a_SOURCES += src/base/arena.c src/base/arena.h
libdesfs_a_SOURCES += src/base/buf.c src/base/buf.h
libdesfs_a_SOURCES += src/base/table.h
libdesfs_a_SOURCES += src/base/rd.h
libdesfs_a_SOURCES += src/base/wr.h
libdesfs_a_SOURCES += src/base/hex.c src/base/hex.h
libdesfs_a_SOURCES += src/base/sha256.c src/base/sha256.h
libdesfs_a_SOURCES += src/base/hmac.c src/base/hmac.h
libdesfs_a_SOURCES += src/base/siphash.c src/base/siphash.h
libdesfs_a_SOURCES += src/base/crc32c.c src/base/crc32c.h
libdesfs_a_SOURCES += src/base/percent.c src/base/percent.h
libdesfs_a_SOURCES += src/base/json.c src/base/json.h
libdesfs_a_SOURCES += src/base/json-elements.c src/base/json-elements.h
libdesfs_a_SOURCES += src/base/key.c src/base/key.h
libdesfs_a_SOURCES += src/base/io.c src/base/io.h
libdesfs_a_SOURCES += src/base/latency.c src/base/latency.h
libdesfs_a_SOURCES += src/base/version.c src/base/version.h
libdesfs_a_SOURCES += src/base/clock.c src/base/clock.h
libdesfs_a_SOURCES += src/base/cond.c src/base/cond.h
libdesfs_a_SOURCES += src/base/random.h
libdesfs_a_SOURCES += src/base/unique.c src/base/unique.h
libdesfs_a_SOURCES += src/base/utf8.c src/base/utf8.h
libdesfs_a_SOURCES += src/base/human.c src/base/human.h
libdesfs_a_SOURCES += src/base/json-text.c src/base/json-text.h
libdesfs_a_SOURCES += src/base/log.c src/base/log.h
libdesfs_a_SOURCES += src/base/log-repeat.c src/base/log-repeat.h
libdesfs_a_SOURCES += src/base/opt.c src/base/opt.h
libdesfs_a_SOURCES += src/base/progress.c src/base/progress.h
libdesfs_a_SOURCES += src/base/progress-format.c src/base/progress-format.h
libdesfs_a_SOURCES += src/base/queue.c src/base/queue.h
libdesfs_a_SOURCES += src/base/workers.c src/base/workers.h
libdesfs_a_SOURCES += src/base/stop.c src/base/stop.h
libdesfs_a_SOURCES += src/base/notify.c src/base/notify.h
libdesfs_a_SOURCES += src/base/timestamp.c src/base/timestamp.h
libdesfs_a_SOURCES += src/base/token-bucket.c src/base/token-bucket.h

# codec
libdesfs_a_SOURCES += src/codec/codec.c src/codec/codec.h
libdesfs_a_SOURCES += src/codec/codec-backend.h
libdesfs_a_SOURCES += src/codec/codec-none.c
libdesfs_a_SOURCES += src/codec/codec-zstd.c
libdesfs_a_SOURCES += src/codec/codec-lz4.c

# conf
libdesfs_a_SOURCES += src/conf/conf.c src/conf/conf.h
libdesfs_a_SOURCES += src/conf/conf-file.c src/conf/conf-file.h
libdesfs_a_SOURCES += src/conf/conf-opts.h
libdesfs_a_SOURCES += src/conf/conf-set.c src/conf/conf-set.h
libdesfs_a_SOURCES += src/conf/conf-strings.c src/conf/conf-strings.h
libdesfs_a_SOURCES += src/conf/conf-zone.c src/conf/conf-zone.h
libdesfs_a_SOURCES += src/conf/conf-zone-check.c src/conf/conf-zone-check.h
libdesfs_a_SOURCES += src/conf/erasure-key.c src/conf/erasure-key.h
libdesfs_a_SOURCES += src/conf/secret.c src/conf/secret.h
libdesfs_a_SOURCES += src/conf/store-settings.h

# net
libdesfs_a_SOURCES += src/net/curl-library.c src/net/curl-library.h
libdesfs_a_SOURCES += src/net/http.c src/net/http.h
libdesfs_a_SOURCES += src/net/http-answer.c
libdesfs_a_SOURCES += src/net/http-date.c src/net/http-date.h
libdesfs_a_SOURCES += src/net/http-loop.c src/net/http-loop-backend.h
libdesfs_a_SOURCES += src/net/http-sockets.c
libdesfs_a_SOURCES += src/net/http-transfer.c
libdesfs_a_SOURCES += src/net/net-libraries.c src/net/net-libraries.h
libdesfs_a_SOURCES += src/net/retry.c src/net/retry.h
libdesfs_a_SOURCES += src/net/s3-xml.h
libdesfs_a_SOURCES += src/net/content-md5.c src/net/content-md5.h
libdesfs_a_SOURCES += src/net/http.h
libdesfs_a_SOURCES += src/net/retry.h
libdesfs_a_SOURCES += src/net/s3-xml.c src/net/s3-xml.h
libdesfs_a_SOURCES += src/net/s3-xml-backend.h
libdesfs_a_SOURCES += src/net/s3-xml-list.c
libdesfs_a_SOURCES += src/net/sigv4.h
libdesfs_a_SOURCES += src/net/url.c src/net/url.h
libdesfs_a_SOURCES += src/net/sigv4.c src/net/sigv4.h
libdesfs_a_SOURCES += src/net/url.h

# shard
libdesfs_a_SOURCES += src/shard/route.c src/shard/route.h
libdesfs_a_SOURCES += src/shard/route-digits.h
libdesfs_a_SOURCES += src/shard/shard-format.h
libdesfs_a_SOURCES += src/shard/shard-entry.c src/shard/shard-entry.h
libdesfs_a_SOURCES += src/shard/shard-columns.c src/shard/shard-columns.h
libdesfs_a_SOURCES += src/shard/shard-footer.c src/shard/shard-footer.h
libdesfs_a_SOURCES += src/shard/shard-filter.c src/shard/shard-filter.h
libdesfs_a_SOURCES += src/shard/shard-block.c src/shard/shard-block.h
libdesfs_a_SOURCES += src/shard/shard-record.c src/shard/shard-record.h
libdesfs_a_SOURCES += src/shard/shard-leaf.c src/shard/shard-leaf-backend.h
libdesfs_a_SOURCES += src/shard/shard-page.c src/shard/shard-page.h
libdesfs_a_SOURCES += src/shard/shard-page-build.c src/shard/shard-page-build.h
libdesfs_a_SOURCES += src/shard/shard-build.c src/shard/shard-build.h

# erase
libdesfs_a_SOURCES += src/erase/aggregate.c src/erase/aggregate.h
libdesfs_a_SOURCES += src/erase/document.c src/erase/document.h
libdesfs_a_SOURCES += src/erase/erasure-state.c src/erase/erasure-state.h
libdesfs_a_SOURCES += src/erase/erasure-words.c src/erase/erasure-words.h
libdesfs_a_SOURCES += src/erase/receipt.c src/erase/receipt.h
libdesfs_a_SOURCES += src/erase/receipt-read.c
libdesfs_a_SOURCES += src/erase/suppression.c src/erase/suppression.h
libdesfs_a_SOURCES += src/erase/tombstone-set.c src/erase/tombstone-set.h
libdesfs_a_SOURCES += src/erase/tombstone.c src/erase/tombstone.h

# store
libdesfs_a_SOURCES += src/store/store-backend.h
libdesfs_a_SOURCES += src/store/store.c src/store/store.h
libdesfs_a_SOURCES += src/store/store-local.c src/store/store-local-backend.h
libdesfs_a_SOURCES += src/store/store-local-list.c src/store/store-local-list.h
libdesfs_a_SOURCES += src/store/fd-cache.c src/store/fd-cache.h
libdesfs_a_SOURCES += src/store/breaker.c src/store/breaker.h
libdesfs_a_SOURCES += src/store/store-zone.c src/store/store-zone-backend.h
libdesfs_a_SOURCES += src/store/store-zone-call.c
libdesfs_a_SOURCES += src/store/store-zone-list.c
libdesfs_a_SOURCES += src/store/store-zone-open.c
libdesfs_a_SOURCES += src/store/zone-health.c src/store/zone-health.h
libdesfs_a_SOURCES += src/store/store-write.c src/store/store-write.h
libdesfs_a_SOURCES += src/store/store-probe.c src/store/store-probe.h
libdesfs_a_SOURCES += src/store/store-local-write.c
libdesfs_a_SOURCES += src/store/store-local-write-run.c
libdesfs_a_SOURCES += src/store/store-local-write-leftover.c
libdesfs_a_SOURCES += src/store/store-local-write-backend.h
libdesfs_a_SOURCES += src/store/store-s3-write.c
libdesfs_a_SOURCES += src/store/store-s3-write-backend.h
libdesfs_a_SOURCES += src/store/store-s3-write-leftover.c
libdesfs_a_SOURCES += src/store/store-s3-write-list.c
libdesfs_a_SOURCES += src/store/store-s3-write-multipart.c
libdesfs_a_SOURCES += src/store/store-s3-write-object.c
libdesfs_a_SOURCES += src/store/store-s3-write-purge.c
libdesfs_a_SOURCES += src/store/store-s3-write-run.c
libdesfs_a_SOURCES += src/store/store-s3-write-try.c
libdesfs_a_SOURCES += src/store/store-s3-write-upload.c
libdesfs_a_SOURCES += src/store/store-remote.c src/store/store-remote-backend.h
libdesfs_a_SOURCES += src/store/store-range.c src/store/store-range.h
libdesfs_a_SOURCES += src/store/store-status.c src/store/store-status.h
libdesfs_a_SOURCES += src/store/store-trace.c src/store/store-trace.h
libdesfs_a_SOURCES += src/store/list-pace.c src/store/list-pace.h
libdesfs_a_SOURCES += src/store/log-index.c src/store/log-index.h
libdesfs_a_SOURCES += src/store/store-http.c
libdesfs_a_SOURCES += src/store/store-s3.c src/store/store-s3-backend.h
libdesfs_a_SOURCES += src/store/store-s3-judge.c
libdesfs_a_SOURCES += src/store/store-s3-call-backend.h
libdesfs_a_SOURCES += src/store/store-s3-list.c
libdesfs_a_SOURCES += src/store/store-s3-place.c
libdesfs_a_SOURCES += src/store/store-s3-send.c

# cache
libdesfs_a_SOURCES += src/cache/block-cache.c src/cache/block-cache.h
libdesfs_a_SOURCES += src/cache/block-pool.c src/cache/block-pool.h

libdesfs_a_SOURCES += src/cache/disk-cache.c src/cache/disk-cache.h
libdesfs_a_SOURCES += src/cache/disk-cache-backend.h
libdesfs_a_SOURCES += src/cache/disk-dir.c
libdesfs_a_SOURCES += src/cache/disk-usage.c src/cache/disk-usage.h

# catalog
libdesfs_a_SOURCES += src/catalog/catalog.c src/catalog/catalog.h
libdesfs_a_SOURCES += src/catalog/catalog-backend.h
libdesfs_a_SOURCES += src/catalog/catalog-check.c
libdesfs_a_SOURCES += src/catalog/catalog-evict.c
libdesfs_a_SOURCES += src/catalog/catalog-place.c
libdesfs_a_SOURCES += src/catalog/catalog-query.c
libdesfs_a_SOURCES += src/catalog/catalog-schema.c
libdesfs_a_SOURCES += src/catalog/sqlite-library.c src/catalog/sqlite-library.h

# volume
libdesfs_a_SOURCES += src/volume/volume.c src/volume/volume.h
libdesfs_a_SOURCES += src/volume/volume-state.h
libdesfs_a_SOURCES += src/volume/volume-entry.c
libdesfs_a_SOURCES += src/volume/volume-tree.c
libdesfs_a_SOURCES += src/volume/volume-list.c src/volume/volume-list.h
libdesfs_a_SOURCES += src/volume/volume-changes.c
libdesfs_a_SOURCES += src/volume/volume-hide.c src/volume/volume-hide.h
libdesfs_a_SOURCES += src/volume/volume-date.c
libdesfs_a_SOURCES += src/volume/volume-merge.c src/volume/volume-merge.h
libdesfs_a_SOURCES += src/volume/volume-read.c
libdesfs_a_SOURCES += src/volume/volume-fetch.c
libdesfs_a_SOURCES += src/volume/volume-memory.c src/volume/volume-memory.h
libdesfs_a_SOURCES += src/volume/volume-near.c src/volume/volume-near.h
libdesfs_a_SOURCES += src/volume/volume-scan.c
libdesfs_a_SOURCES += src/volume/volume-warm.c
libdesfs_a_SOURCES += src/volume/volume-changes.c
libdesfs_a_SOURCES += src/volume/view.c src/volume/view.h
libdesfs_a_SOURCES += src/volume/shard-set.c src/volume/shard-set.h
libdesfs_a_SOURCES += src/volume/shard-file.c src/volume/shard-file.h
libdesfs_a_SOURCES += src/volume/shard-load.c
libdesfs_a_SOURCES += src/volume/shard-load-block.c
libdesfs_a_SOURCES += src/volume/shard-upper.c src/volume/shard-upper.h
libdesfs_a_SOURCES += src/volume/shard-fetch.c src/volume/shard-fetch.h
libdesfs_a_SOURCES += src/volume/shard-kept.c src/volume/shard-kept.h
libdesfs_a_SOURCES += src/volume/volume-ahead.c src/volume/volume-ahead.h
libdesfs_a_SOURCES += src/volume/walk.c src/volume/walk.h
libdesfs_a_SOURCES += src/volume/ledger.c src/volume/ledger.h
libdesfs_a_SOURCES += src/volume/readahead.c src/volume/readahead.h
libdesfs_a_SOURCES += src/volume/fetch.c src/volume/fetch.h
libdesfs_a_SOURCES += src/volume/fetch-ahead.c src/volume/fetch-backend.h
libdesfs_a_SOURCES += src/volume/fetch-segment.c src/volume/fetch-segment.h
libdesfs_a_SOURCES += src/volume/shard-cursor.c src/volume/shard-cursor.h
libdesfs_a_SOURCES += src/volume/descriptor.c src/volume/descriptor.h
libdesfs_a_SOURCES += src/volume/oplog.c src/volume/oplog.h
libdesfs_a_SOURCES += src/volume/oplog-backend.h
libdesfs_a_SOURCES += src/volume/oplog-json-backend.h
libdesfs_a_SOURCES += src/volume/oplog-kept.c
libdesfs_a_SOURCES += src/volume/oplog-kinds.c
libdesfs_a_SOURCES += src/volume/oplog-record.c src/volume/oplog-record.h
libdesfs_a_SOURCES += src/volume/oplog-shard.c
libdesfs_a_SOURCES += src/volume/oplog-state.c src/volume/oplog-state.h
libdesfs_a_SOURCES += src/volume/oplog-words.c src/volume/oplog-words.h
libdesfs_a_SOURCES += src/volume/oplog-write.c
libdesfs_a_SOURCES += src/volume/record-digest.c src/volume/record-digest.h

# pack
libdesfs_a_SOURCES += src/pack/filter.c src/pack/filter.h
libdesfs_a_SOURCES += src/pack/gather.c src/pack/gather.h
libdesfs_a_SOURCES += src/pack/wild.c src/pack/wild.h
libdesfs_a_SOURCES += src/pack/ahead.c src/pack/ahead.h
libdesfs_a_SOURCES += src/pack/archive-list.c src/pack/archive-list.h
libdesfs_a_SOURCES += src/pack/raw-ahead.c src/pack/raw-ahead.h
libdesfs_a_SOURCES += src/pack/raw-shard.c src/pack/raw-shard.h
libdesfs_a_SOURCES += src/pack/index-walk.c src/pack/index-walk.h
libdesfs_a_SOURCES += src/pack/uid-set.c src/pack/uid-set.h
libdesfs_a_SOURCES += src/pack/beneath.c src/pack/beneath.h
libdesfs_a_SOURCES += src/pack/restore.c src/pack/restore.h
libdesfs_a_SOURCES += src/pack/restore-backend.h
libdesfs_a_SOURCES += src/pack/restore-attributes.c
libdesfs_a_SOURCES += src/pack/restore-content.c
libdesfs_a_SOURCES += src/pack/restore-link.c
libdesfs_a_SOURCES += src/pack/rebuild.c src/pack/rebuild.h
libdesfs_a_SOURCES += src/pack/salvage.c src/pack/salvage.h
libdesfs_a_SOURCES += src/pack/salvage-scan.c src/pack/salvage-scan.h
libdesfs_a_SOURCES += src/pack/salvage-source.c src/pack/salvage-source.h
libdesfs_a_SOURCES += src/pack/verify.c src/pack/verify.h
libdesfs_a_SOURCES += src/pack/verify-report.c src/pack/verify-report.h
libdesfs_a_SOURCES += src/pack/verify-shard.c src/pack/verify-shard.h
libdesfs_a_SOURCES += src/pack/verify-index.c src/pack/verify-index.h
libdesfs_a_SOURCES += src/pack/verify-data.c src/pack/verify-data.h
libdesfs_a_SOURCES += src/pack/verify-twice.c src/pack/verify-twice.h
libdesfs_a_SOURCES += src/pack/item.c src/pack/item.h
libdesfs_a_SOURCES += src/pack/spool.c src/pack/spool.h
libdesfs_a_SOURCES += src/pack/name-stack.c src/pack/name-stack.h
libdesfs_a_SOURCES += src/pack/sorter.c src/pack/sorter.h
libdesfs_a_SOURCES += src/pack/slot-items.c src/pack/slot-items.h
libdesfs_a_SOURCES += src/pack/sorter-read.c src/pack/sorter-record.h
libdesfs_a_SOURCES += src/pack/links.c src/pack/links.h
libdesfs_a_SOURCES += src/pack/list-file.c src/pack/list-file.h
libdesfs_a_SOURCES += src/pack/keep.c src/pack/keep.h
libdesfs_a_SOURCES += src/pack/dirs.c src/pack/dirs.h
libdesfs_a_SOURCES += src/pack/report.c src/pack/report.h
libdesfs_a_SOURCES += src/pack/source.c src/pack/source.h
libdesfs_a_SOURCES += src/pack/state.c src/pack/state.h
libdesfs_a_SOURCES += src/pack/state-text.c src/pack/state-text.h
libdesfs_a_SOURCES += src/pack/stats-file.c src/pack/stats-file.h
libdesfs_a_SOURCES += src/pack/stats-text.c src/pack/stats-text.h
libdesfs_a_SOURCES += src/pack/summary.c src/pack/summary.h
libdesfs_a_SOURCES += src/pack/throttle.c src/pack/throttle.h
libdesfs_a_SOURCES += src/pack/watch.c src/pack/watch.h
libdesfs_a_SOURCES += src/pack/tree.c src/pack/tree.h
libdesfs_a_SOURCES += src/pack/fresh.c src/pack/fresh.h
libdesfs_a_SOURCES += src/pack/attr.c src/pack/attr.h
libdesfs_a_SOURCES += src/pack/walk.c src/pack/walk.h
libdesfs_a_SOURCES += src/pack/walk-down.c src/pack/walk-down.h
libdesfs_a_SOURCES += src/pack/walk-list.c
libdesfs_a_SOURCES += src/pack/walk-step.c src/pack/walk-step.h
libdesfs_a_SOURCES += src/pack/walk-team.c src/pack/walk-team.h
libdesfs_a_SOURCES += src/pack/plan.c src/pack/plan.h
libdesfs_a_SOURCES += src/pack/compare.c src/pack/compare.h
libdesfs_a_SOURCES += src/pack/compare-file.c src/pack/compare-file.h
libdesfs_a_SOURCES += src/pack/mirror.c src/pack/mirror.h
libdesfs_a_SOURCES += src/pack/old-dir.c src/pack/old-dir.h
libdesfs_a_SOURCES += src/pack/compressible.c src/pack/compressible.h
libdesfs_a_SOURCES += src/pack/profile.c src/pack/profile.h
libdesfs_a_SOURCES += src/pack/same.c src/pack/same.h
libdesfs_a_SOURCES += src/shard/unused.c src/shard/unused.h
libdesfs_a_SOURCES += src/pack/linked.c src/pack/linked.h
libdesfs_a_SOURCES += src/pack/block-list.c src/pack/block-list.h
libdesfs_a_SOURCES += src/pack/content.c src/pack/content.h
libdesfs_a_SOURCES += src/pack/lane.c src/pack/lane.h
libdesfs_a_SOURCES += src/pack/lane-backend.h src/pack/lane-data.c
libdesfs_a_SOURCES += src/pack/lane-shard.c
libdesfs_a_SOURCES += src/pack/lane-block.c src/pack/lane-block.h
libdesfs_a_SOURCES += src/pack/lane-pool.c src/pack/lane-pool.h
libdesfs_a_SOURCES += src/pack/shard-out.c src/pack/shard-out.h
libdesfs_a_SOURCES += src/pack/build.c src/pack/build.h
libdesfs_a_SOURCES += src/pack/build-file.c src/pack/build-file.h
libdesfs_a_SOURCES += src/pack/worker.c src/pack/worker.h
libdesfs_a_SOURCES += src/pack/checkpoint.c src/pack/checkpoint.h
libdesfs_a_SOURCES += src/pack/checkpoint-file.c
libdesfs_a_SOURCES += src/pack/resume.c src/pack/resume.h
libdesfs_a_SOURCES += src/pack/past.c src/pack/past.h
libdesfs_a_SOURCES += src/pack/commit.c src/pack/commit.h
libdesfs_a_SOURCES += src/pack/publisher.c src/pack/publisher.h
libdesfs_a_SOURCES += src/pack/publish.c src/pack/publish.h
libdesfs_a_SOURCES += src/pack/clean.c src/pack/clean.h
libdesfs_a_SOURCES += src/pack/own.c src/pack/own.h
libdesfs_a_SOURCES += src/pack/remove-file.c src/pack/remove-file.h
libdesfs_a_SOURCES += src/pack/remove-proof.c src/pack/remove-proof.h
libdesfs_a_SOURCES += src/pack/remove-source.c src/pack/remove-source.h
libdesfs_a_SOURCES += src/pack/pack.c src/pack/pack.h

# repack
libdesfs_a_SOURCES += src/repack/holds.c src/repack/holds.h
libdesfs_a_SOURCES += src/repack/old-set.c src/repack/old-set.h
libdesfs_a_SOURCES += src/repack/purge-rule.c src/repack/purge-rule.h
libdesfs_a_SOURCES += src/repack/live-set.c src/repack/live-set.h
libdesfs_a_SOURCES += src/repack/key-copy.h
libdesfs_a_SOURCES += src/repack/engine-stream.c src/repack/engine-stream.h
libdesfs_a_SOURCES += src/repack/engine-blocks.c src/repack/engine-blocks.h
libdesfs_a_SOURCES += src/repack/engine-backend.h
libdesfs_a_SOURCES += src/repack/engine-mark.c
libdesfs_a_SOURCES += src/repack/engine-piece.c src/repack/engine-piece.h
libdesfs_a_SOURCES += src/repack/engine-copy.c
libdesfs_a_SOURCES += src/repack/engine-emit.c
libdesfs_a_SOURCES += src/repack/engine-out.c
libdesfs_a_SOURCES += src/repack/engine-check.c
libdesfs_a_SOURCES += src/repack/engine.c src/repack/engine.h
libdesfs_a_SOURCES += src/repack/salt.c src/repack/salt.h
libdesfs_a_SOURCES += src/repack/shard-seek.c src/repack/shard-seek.h
libdesfs_a_SOURCES += src/repack/survey.c src/repack/survey.h

# fs
libdesfs_a_SOURCES += src/fs/fs.h
libdesfs_a_SOURCES += src/fs/nodeid.c src/fs/nodeid.h
libdesfs_a_SOURCES += src/fs/fs-acl.c src/fs/fs-acl.h
libdesfs_a_SOURCES += src/fs/fs-control.c
libdesfs_a_SOURCES += src/fs/fs-daemon.c src/fs/fs-daemon.h
libdesfs_a_SOURCES += src/fs/fs-days.c
libdesfs_a_SOURCES += src/fs/fs-dir.c
libdesfs_a_SOURCES += src/fs/fs-file.c
libdesfs_a_SOURCES += src/fs/fs-info.c
libdesfs_a_SOURCES += src/fs/fs-meta.c
libdesfs_a_SOURCES += src/fs/fs-mount.c
libdesfs_a_SOURCES += src/fs/fs-ops.c
libdesfs_a_SOURCES += src/fs/fs-options.c src/fs/fs-options.h
libdesfs_a_SOURCES += src/fs/fs-push.c src/fs/fs-push.h
libdesfs_a_SOURCES += src/fs/fs-readahead.c
libdesfs_a_SOURCES += src/fs/fs-refresh.c
libdesfs_a_SOURCES += src/fs/fs-serve.c
libdesfs_a_SOURCES += src/fs/fs-start.c src/fs/fs-start.h
libdesfs_a_SOURCES += src/fs/fs-stale.c
libdesfs_a_SOURCES += src/fs/fs-stats.c src/fs/fs-stats.h
libdesfs_a_SOURCES += src/fs/fs-stats-daemon.c
libdesfs_a_SOURCES += src/fs/fs-stats-latency.c
libdesfs_a_SOURCES += src/fs/fs-stats-push.c
libdesfs_a_SOURCES += src/fs/fs-stats-zones.c
libdesfs_a_SOURCES += src/fs/fs-xattr.c
libdesfs_a_SOURCES += src/fs/push-stream.c src/fs/push-stream.h
libdesfs_a_SOURCES += src/fs/push-table.c src/fs/push-table.h

# cmd

# The programs
DESFS_LIBS = libdesfs.a $(CODEC_LIBS) $(NETTLE_LIBS) $(ZLIB_LIBS) \
	$(JANSSON_LIBS) $(EXPAT_LIBS)

bin_PROGRAMS += desfs desfs-pack
desfs_SOURCES = src/cmd/main.c
desfs_SOURCES += src/cmd/bench.h
desfs_SOURCES += src/cmd/bench-decode.c
desfs_SOURCES += src/cmd/bench-parts.c
desfs_SOURCES += src/cmd/bench-report.c
desfs_SOURCES += src/cmd/bench-run.c
desfs_SOURCES += src/cmd/bench-sample.c
desfs_SOURCES += src/cmd/cmd-bench.c
desfs_SOURCES += src/cmd/cmd-cache.c
desfs_SOURCES += src/cmd/cmd-cat.c
desfs_SOURCES += src/cmd/cmd-check-conf.c
desfs_SOURCES += src/cmd/cmd-extract.c
desfs_SOURCES += src/cmd/cmd-help.c
desfs_SOURCES += src/cmd/cmd-ls.c
desfs_SOURCES += src/cmd/cmd-mount.c
desfs_SOURCES += src/cmd/cmd-publish.c
desfs_SOURCES += src/cmd/cmd-rebuild.c
desfs_SOURCES += src/cmd/cmd-route.c
desfs_SOURCES += src/cmd/cmd-stat.c
desfs_SOURCES += src/cmd/cmd-top.c
desfs_SOURCES += src/cmd/cmd-umount.c
desfs_SOURCES += src/cmd/cmd-verify.c
desfs_SOURCES += src/cmd/cmd-version.c
desfs_SOURCES += src/cmd/cmd.c src/cmd/cmd.h
desfs_SOURCES += src/cmd/daemon.c src/cmd/daemon.h
desfs_SOURCES += src/cmd/entry-text.c src/cmd/entry-text.h
desfs_SOURCES += src/cmd/open-archive.c src/cmd/open-archive.h
desfs_SOURCES += src/cmd/json-row.c src/cmd/json-row.h
desfs_SOURCES += src/cmd/tell.c src/cmd/tell.h
desfs_SOURCES += src/cmd/todo.c src/cmd/todo.h
desfs_SOURCES += src/cmd/top-advice.c src/cmd/top-advice.h
desfs_SOURCES += src/cmd/top-ask.c src/cmd/top-ask.h
desfs_SOURCES += src/cmd/top-json.c src/cmd/top-json.h
desfs_SOURCES += src/cmd/text-line.c src/cmd/text-line.h
desfs_SOURCES += src/cmd/top-look.c src/cmd/top-look.h
desfs_SOURCES += src/cmd/top-terminal.c src/cmd/top-terminal.h
desfs_SOURCES += src/cmd/top-view.c src/cmd/top-view.h
desfs_LDADD = $(DESFS_LIBS)
desfs_pack_SOURCES = src/pack/pack-main.c
desfs_pack_SOURCES += src/pack/pack-options.c src/pack/pack-options.h
desfs_pack_LDADD = $(DESFS_LIBS)

mount_PROGRAMS = mount.desfs
mount_desfs_SOURCES = src/fs/main.c
mount_desfs_LDADD = $(DESFS_LIBS) $(FUSE_LIBS)
