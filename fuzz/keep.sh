#!/usr/bin/env bash
# Add to every corpus the smallest of the found files that together reach everything that was reached.
#
#   fuzz/keep.sh [MOST_PER_TARGET]        after fuzz/run.sh; 40 where no number is given
set -euo pipefail
cd "$(dirname "$0")"
most=${1:-40}
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
for found in target/found/*; do
    target=$(basename "$found")
    chosen=$(mktemp -d)
    # Places alone count, not how often they are passed: a tenth of the files.
    "target/$host/release/$target" -set_cover_merge=1 -use_counters=0 -max_len=4096 \
        "$chosen" "corpus/$target" "$found" > "target/logs/$target.merge.log" 2>&1
    find "$chosen" -type f -printf '%s %f\n' | sort -n | head -n "$most" | while read -r _ file; do
        # Whole files are in the corpus under names of their own.
        cmp -s "$chosen/$file" <(cat "corpus/$target/$file" 2> /dev/null) ||
            cp "$chosen/$file" "corpus/$target/"
    done
    rm -r "$chosen"
    echo "$target: $(find "corpus/$target" -type f | wc -l) files"
done
du -sb corpus
