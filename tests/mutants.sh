#!/usr/bin/env bash
# Change the estimators, the files of a run and the readers of data in one small way at a time, and
# count the changes that no test of theirs sees.
#
# By hand, for it needs cargo-mutants and two hours; every 20th change alone:  tests/mutants.sh 0/20
# Results lie in target/mutants.out: caught.txt, missed.txt, timeout.txt, unviable.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

files=(--file 'crates/tightbound/src/estimators/*.rs')
for name in atomic checkpoint files folder metrics sealed; do
    files+=(--file "crates/tightbound/src/run/$name.rs")
done
for name in amat bytes chardata grey idx mat npy; do
    files+=(--file "crates/tightbound/src/data/$name.rs")
done

# Optimised a little, the tests take a quarter of the time, and their building no longer.
export CARGO_PROFILE_{DEV,TEST}_OPT_LEVEL=1 CARGO_PROFILE_{DEV,TEST}_DEBUG=0

# A loop that does not end is a change that was seen.
cargo mutants --package tightbound "${files[@]}" --sharding round-robin --shard "${1:-0/1}" \
    --timeout 60 --output target --cargo-arg=--lib \
    -- -- estimators:: run:: data::
