#!/usr/bin/env bash
# Change the estimators, the files of a run and the readers of data in one small way at a time, and
# count the changes that no test of theirs sees.
#
# By hand, for it needs cargo-mutants and an hour or two; every 20th change alone:  tests/mutants.sh 0/20
# Results lie in target/mutants/{estimators,run,data,sweep}/mutants.out: caught.txt, missed.txt, timeout.txt,
# unviable.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

# Three seconds to build a change, for tests that take less than ten.
export CARGO_PROFILE_{DEV,TEST}_DEBUG=0
optimised='--config=profile.dev.package."*".opt-level=2'

# mutants MODULE FILE…: change these files, and run the unit tests of the module.
mutants() {
    local module=$1 files=()
    shift
    for name; do
        files+=(--file "crates/tightbound/src/$module/$name.rs")
    done
    mkdir -p "target/mutants/$module"
    # A loop that does not end is a change that was seen.
    local status=0
    cargo mutants --package tightbound "${files[@]}" --sharding round-robin --shard "$shard" \
        --timeout 60 --output "target/mutants/$module" --cargo-arg=--lib --cargo-arg="$optimised" \
        -- -- "$module::" || status=$?
    # 2 and 3: changes were missed, or ended by the timeout.
    ((status == 0 || status == 2 || status == 3)) || exit "$status"
}

shard=${1:-0/1}
mutants estimators '*'
mutants run atomic checkpoint description files folder log metrics model sealed verify
mutants data amat bytes chardata grey idx mat npy own
mutants sweep experiment
