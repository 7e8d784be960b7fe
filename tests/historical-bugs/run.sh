#!/usr/bin/env bash
# Put one well-known bug at a time into a copy of the sources, and see the tests find it.
#
# By hand, for every bug compiles the library anew:  tests/historical-bugs/run.sh [NAME...]
# In the gate, whether the patches still apply:      tests/historical-bugs/run.sh --check
#
# The head of a patch says what the bug does and which tests must see it.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/historical-bugs

if [[ ${1:-} == --check ]]; then
    for patch in "$here"/*.patch; do
        git apply --check "$patch"
    done
    exit
fi

patches=("$here"/*.patch)
if (($#)); then
    patches=("${@/#/$here/}")
    patches=("${patches[@]/%/.patch}")
fi

copy=$(mktemp -d)
log=$(mktemp)
trap 'git worktree remove --force "$copy"; rm -f "$log"' EXIT
git worktree add --quiet --detach "$copy"
# What is built stays for the next bug and the next time.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/historical-bugs
cd "$copy"

tests_of() { sed -n 's/^Tests: //p' "$@"; }

# Tests that fail anyway would find every bug.
tests_of "${patches[@]}" | sort -u | while read -ra tests; do
    if ! cargo test --quiet --locked --package tightbound "${tests[@]}" >"$log" 2>&1 </dev/null; then
        cat "$log"
        echo "these fail without any of the bugs: ${tests[*]}"
        exit 1
    fi
done

missed=0
for patch in "${patches[@]}"; do
    name=$(basename "$patch" .patch)
    read -ra tests < <(tests_of "$patch")
    git apply "$patch"
    # A bug that does not compile is found by the compiler: it shows nothing about the tests.
    cargo test --quiet --locked --package tightbound --tests --no-run
    if cargo test --quiet --locked --package tightbound "${tests[@]}" --no-fail-fast >"$log" 2>&1; then
        echo "MISSED  $name: ${tests[*]}"
        missed=1
    else
        names=$(sed -n 's/^    \([a-z][a-z0-9_:]*\)$/\1/p' "$log" | sort -u)
        echo "found   $name: by $(wc -w <<<"$names") tests of ${tests[*]}"
        sed 's/^/            /' <<<"$names"
    fi
    git checkout --quiet .
done
exit "$missed"
