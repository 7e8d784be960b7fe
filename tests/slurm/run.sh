#!/usr/bin/env bash
# Run a sweep through a real Slurm of one node, and compare with the same sweep on this machine.
#
#     apt-get install --no-install-recommends slurm-wlm munge
#     cargo build --release -p tightbound-cli
#     tests/slurm/run.sh
#
# needs root. It starts munged, slurmctld and slurmd with a configuration of their own in a temporary folder,
# on the loopback interface, runs 12 cells with three in each task of the job array, cancels one task while it
# runs, and ends what it started. results.json, results.csv and every model must be the same bytes.
# $TIGHTBOUND names another program than that of the repository.
set -euo pipefail

repository=$(cd "$(dirname "$0")/../.." && pwd)
program=${TIGHTBOUND:-$repository/target/release/tightbound}
work=$(mktemp -d)
# Slurm's daemons do not run as root's guests in a folder that only root may enter.
chmod 755 "$work"
pids=()

end() {
    status=$?
    for pid in "${pids[@]}"; do
        kill "$pid" 2>"$work/null" && tail --pid="$pid" -f /dev/null
    done
    if [ "$status" -ne 0 ]; then
        tail -n 20 "$work"/*.log >&2 || true
    fi
    rm -rf "$work"
    exit "$status"
}
trap end EXIT

for tool in munged slurmctld slurmd sbatch scontrol squeue scancel; do
    command -v "$tool" >/dev/null || {
        echo "$tool is not here: apt-get install slurm-wlm munge" >&2
        exit 2
    }
done
[ "$(id -u)" -eq 0 ] || {
    echo "slurmd must be root" >&2
    exit 2
}

host=$(hostname -s)
# Not the ports of a Slurm that is here already.
controller=46817 daemon=46818
mkdir "$work/state" "$work/spool"
head -c 1024 /dev/urandom >"$work/munge.key"
chmod 600 "$work/munge.key"
cat >"$work/slurm.conf" <<CONF
ClusterName=tightbound
SlurmctldHost=$host(127.0.0.1)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmctldPort=$controller
SlurmdPort=$daemon
AuthInfo=socket=$work/munge.socket
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
# No cgroups: a container rarely lets them be changed.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc)
PartitionName=all Nodes=$host Default=YES State=UP
CONF
export SLURM_CONF=$work/slurm.conf

begin() {
    "$@" >"$work/$1.log" 2>&1 &
    pids+=($!)
}
begin slurmctld -D -c
begin slurmd -D
begin munged --foreground --socket="$work/munge.socket" --key-file="$work/munge.key" \
    --pid-file="$work/munged.pid" --seed-file="$work/munged.seed"
for _ in $(seq 300); do
    [ "$(sinfo --noheader --format=%T 2>"$work/null")" = idle ] && break
    sleep 0.2
done
sinfo

cd "$work"
there="there, with spaces"
for folder in here "$there"; do
    "$program" sweep plan "$repository/tests/six-bounds.toml" --budget smoke --seeds 2 --epochs 32 \
        --out "$folder" >"$work/cells" 2>"$work/plan.log"
done
"$program" sweep run here >"$work/here.txt" 2>"$work/here.log"
"$program" sweep run "$there" --on slurm --per-task 3 >"$work/there.txt" 2>"$work/there.log" &
sweep=$!

# Kill one task, with all of its processes, as soon as a cell of it has done an epoch.
for _ in $(seq 1500); do
    [ -n "$(find "$there/cells" -name metrics.jsonl -size +0)" ] && break
    sleep 0.02
done
task=$(squeue --noheader --array --states=RUNNING --format=%i | head -n 1)
scancel --signal=KILL --full "$task"
echo "killed task $task"

status=0
wait "$sweep" || status=$?
cat "$work/there.log"
[ "$status" -eq 0 ] || exit 1
ls "$there/logs"
for words in "submitting 12 cells through sbatch" "once more through sbatch"; do
    grep --quiet "$words" "$work/there.log" || {
        echo "the sweep did not say: $words" >&2
        exit 1
    }
done
files=(results.json results.csv)
while read -r cell; do
    files+=("cells/$cell/model.safetensors")
done <"$work/cells"
for file in "${files[@]}"; do
    cmp "here/$file" "$there/$file"
done
cmp here.txt there.txt
if command -v shellcheck >/dev/null; then
    shellcheck "$there/sweep.sbatch"
fi
echo "12 cells through $(sbatch --version): ${#files[@]} files are the same bytes as on this machine alone"
