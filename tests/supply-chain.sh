#!/usr/bin/env bash
# Check what the dependencies may be, and that none of their build scripts asks a network for anything.
#
# By hand, for it needs cargo-deny and python3:  tests/supply-chain.sh
set -euo pipefail
cd "$(dirname "$0")/.."

cargo deny --locked check licenses bans sources
if ! cargo deny --locked check advisories; then
    echo "advisories: not checked, or not clean: see above" >&2
fi

python3 - <(cargo metadata --format-version 1 --locked --all-features) <<'PY'
import json, pathlib, re, sys

# Clients of a network, and the programs that are one.
NETWORK = re.compile(
    r"\b(ureq|reqwest|hyper|curl|wget|TcpStream|UdpSocket|std::net|powershell|download)\b"
    r'|Command::new\("git"\)|git clone'
)
# What other build scripts may be made of: none of these opens a connection.
HELPERS = {"autocfg", "cc", "cfg_aliases", "rustversion", "version_check"}
# Looked at by a human: why the words do no harm.
REVIEWED = {
    "kuva 0.6.0": "curl stands behind the feature `doom`, which deny.toml forbids",
    "wasm-bindgen-shared 0.2.130": "asks git for the commit of its own folder, without a network",
}

metadata = json.loads(pathlib.Path(sys.argv[1]).read_text())
features = {node["id"]: node["features"] for node in metadata["resolve"]["nodes"]}
scripts, bad = 0, []
for package in metadata["packages"]:
    name = package["name"] + " " + package["version"]
    for target in package["targets"]:
        if "custom-build" not in target["kind"]:
            continue
        scripts += 1
        build = {d["name"] for d in package["dependencies"] if d["kind"] == "build"}
        if build - HELPERS:
            bad.append(f"{name} builds with {sorted(build - HELPERS)}")
        main = pathlib.Path(target["src_path"])
        files = main.parent.glob("*.rs") if main.parent.name == "build" else [main]
        for file in files:
            code = "\n".join(line.split("//")[0] for line in file.read_text().splitlines())
            words = {found.group() for found in NETWORK.finditer(code)}
            if words and name in REVIEWED:
                print(f"{name}: {sorted(words)}: {REVIEWED[name]}")
            elif words:
                bad.append(f"{name}: {file} has {sorted(words)}")
    if package["name"] == "kuva" and "doom" in features[package["id"]]:
        bad.append("kuva downloads with its feature `doom`")
    if package["source"] is None and any("custom-build" in t["kind"] for t in package["targets"]):
        bad.append(f"{name}, which is ours, has a build script")
print(scripts, "build scripts of", len(metadata["packages"]), "packages")
sys.exit("\n".join(bad) if bad else 0)
PY
