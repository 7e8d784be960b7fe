"""Write a small whole file of every kind into corpus/, from which fuzzing starts.

    python3 fuzz/seeds.py target/release/tightbound

The arrays are made here, the files of a run by the program.
"""

import gzip
import io
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib

CORPUS = pathlib.Path(__file__).parent / "corpus"


def write(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"whole-{name}").write_bytes(content)


def gz(content):
    return gzip.compress(content, mtime=0)


def npy(descr, shape, elements):
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + elements


def npz(arrays):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for i, (name, array) in enumerate(arrays.items()):
            # A fixed date, so that the file can be made again.
            info = zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED if i % 2 else zipfile.ZIP_STORED
            archive.writestr(info, array)
    return file.getvalue()


def element(kind, body):
    return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)


def matrix(name, dims, kind, body):
    parts = [
        element(6, struct.pack("<II", 6, 0)),
        element(5, struct.pack("<II", *dims)),
        element(1, name.encode()),
        element(kind, body),
    ]
    return element(14, b"".join(parts))


def mat(*elements):
    return b" " * 124 + struct.pack("<H", 0x0100) + b"IM" + b"".join(elements)


def packed(inner):
    body = zlib.compress(inner)
    return struct.pack("<II", 15, len(body)) + body


def arrays():
    images = b"\0\0\x08\x03" + struct.pack(">III", 2, 1, 2) + b"abcd"
    write("idx", "images", images)
    write("idx", "labels", b"\0\0\x08\x01" + struct.pack(">I", 3) + b"\0\1\2")
    write("idx", "images.gz", gz(images))

    text = b"0 1 0.25 0\n1 1 0 0\n"
    write("amat", "text", text)
    write("amat", "text.gz", gz(text))

    grey = npy("|u1", "(2, 2, 2)", bytes(range(8)))
    labels = npy("<i2", "(2,)", bytes([1, 0, 2, 0]))
    floats = npy(">f4", "(2, 4)", struct.pack(">8f", 0, 1, 0.5, 0.25, 0, 0, 1, 0.1))
    write("npy", "grey", grey)
    write("npy", "labels", labels)
    write("npy", "floats", floats)
    write("npz", "parts", npz({"train": grey, "test": floats, "train_labels": labels}))

    data = matrix("data", (4, 2), 2, bytes([0, 0, 1, 0, 1, 0, 0, 1]))
    target = matrix("target", (3, 2), 2, bytes([0, 0, 1, 1, 0, 0]))
    doubles = matrix("testdata", (4, 1), 9, struct.pack("<4d", 0, 0.5, 1, 0.1))
    write("mat", "plain", mat(data, target, doubles))
    write("mat", "packed", mat(packed(data), packed(target)))


def run(program):
    """Train the smallest model for two epochs on forty images of four pixels."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "images.npy").write_bytes(npy("|u1", "(40, 4)", bytes([0, 1, 1, 0] * 40)))
        settings = ["model.encoder=[]", "model.decoder=[]", "model.latents=1"]
        settings += ["train.epochs=2", "train.batch=4"]
        command = [program, "train", "--data", "images.npy", "--out", "run"]
        command += [word for setting in settings for word in ("--set", setting)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        for target, name in [
            ("model", "model.safetensors"),
            ("checkpoint", "checkpoint.safetensors"),
            ("description", "run.toml"),
            ("metrics", "metrics.jsonl"),
        ]:
            write(target, name, (folder / "run" / name).read_bytes())


def experiments():
    for file in sorted((CORPUS.parent.parent / "experiments").glob("*.toml")):
        write("experiment", file.name, file.read_bytes())


if __name__ == "__main__":
    arrays()
    run(str(pathlib.Path(sys.argv[1]).resolve()))
    experiments()
