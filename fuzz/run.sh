#!/usr/bin/env bash
# Attack every reader, or those that are named, for some seconds each, and print what was done.
#
#   fuzz/run.sh SECONDS_PER_TARGET [TARGET...]
#
# Needs cargo-fuzz and a nightly toolchain. What is found stays in fuzz/target/found; a file that
# breaks a reader is left in fuzz/artifacts/TARGET, and belongs into fuzz/regressions/TARGET.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:?usage: fuzz/run.sh SECONDS_PER_TARGET [TARGET...]}
shift
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(cargo +nightly fuzz list --fuzz-dir .)
# Without a sanitizer: the readers are safe Rust, and memory is counted by the allocator.
cargo +nightly fuzz build --fuzz-dir . --sanitizer none >&2
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
mkdir -p target/logs

broken=0
printf '%-12s %12s %14s %13s %8s\n' target executions 'executions/s' 'peak RSS, MB' found
for target in "${targets[@]}"; do
    log=target/logs/$target.log
    mkdir -p "target/found/$target" "artifacts/$target" "corpus/$target" "regressions/$target"
    result=
    "target/$host/release/$target" -max_total_time="$seconds" -rss_limit_mb=2048 -max_len=4096 \
        -timeout=10 -print_final_stats=1 -artifact_prefix="artifacts/$target/" \
        "target/found/$target" "corpus/$target" "regressions/$target" > "$log" 2>&1 || result=BROKEN
    stat() { sed -n "s/^stat::$1: *//p" "$log"; }
    printf '%-12s %12s %14s %13s %8s %s\n' "$target" "$(stat number_of_executed_units)" \
        "$(stat average_exec_per_sec)" "$(stat peak_rss_mb)" \
        "$(find "target/found/$target" -type f | wc -l)" "$result"
    [ -z "$result" ] || broken=1
done
exit $broken
