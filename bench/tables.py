"""Write results as Markdown and JSON."""

import datetime
import json
from pathlib import Path


def table(header, rows):
    """A Markdown table whose first column is text."""
    lines = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def number(value):
    """Three digits or more."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def times(value):
    return "–" if value is None else f"{value:.2f}×"


def percent(value):
    return "–" if value is None else f"{100 * value:.0f} %"


def describe(results):
    """Date, machine, versions and options as a Markdown list."""
    machine, options = results["machine"], results["options"]
    versions = "; ".join(f"{name}: " + ", ".join(f"{k} {v}" for k, v in of.items()) for name, of in results["versions"].items())
    return "\n".join(
        [
            f"- {results['date']}, {machine['processor']}, {machine['cores']} cores, {machine['system']}, "
            f"load before {machine['load_before']:.2f}",
            f"- {versions}",
            "- " + ", ".join(f"{key} {value}" for key, value in options.items()),
        ]
    )


def write(folder, name, title, results, body):
    """Writes NAME.json and NAME.md into `folder`, and prints the latter."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = f"# {title}\n\n{describe(results)}\n\n{body}\n"
    (folder / f"{name}.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    (folder / f"{name}.md").write_text(text)
    print(text)
    print(f"written to {folder / name}.md and .json")


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
