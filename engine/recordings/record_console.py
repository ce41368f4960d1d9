#!/usr/bin/env python3
"""Records what `terraform console` answers to each expression of expressions.txt, into console.jsonl.

Needs `terraform` in the PATH; the tests need only the recording. An expression is one line, or all lines between two lines `---`, or the
JSON string after `--- `. `terraform_data.later` is a resource that no state has yet. Each record has the expression and either its type and
its value as JSON, or its type and that it is unknown or sensitive, or the title of the error.
"""

import base64
import concurrent.futures
import decimal
import json
import os
import pathlib
import re
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent


def expressions():
    """One-line expressions, and those of several lines."""
    several, wanted = None, []
    for line in (HERE / "expressions.txt").read_text().split("\n"):
        if line.startswith("--- "):
            wanted.append(json.loads(line.removeprefix("--- ")))
        elif line == "---":
            if several:
                wanted.append("\n".join(several) + "\n")
            several = []
        elif line.startswith("//") and several == []:
            several = None
        elif several is not None:
            several.append(line)
        elif line and not line.startswith("//"):
            wanted.append(line)
    return wanted


def answer(expression, environment):
    """What the console says, asked in a directory that has the files and holds a longer expression as a local value."""
    with tempfile.TemporaryDirectory() as directory:
        for file in (HERE / "files").iterdir():
            (pathlib.Path(directory) / file.name).write_bytes(file.read_bytes())
        asked, configuration = expression, 'resource "terraform_data" "later" {}\n' if "terraform_data" in expression else ""
        # On the console's line a comment would hide what is put around the expression.
        if not expression.isprintable() or "#" in expression or "//" in expression:
            configuration += f"locals {{\n  it = {expression}\n}}\n"
            asked = "local.it"
        if configuration:
            (pathlib.Path(directory) / "main.tf").write_bytes(configuration.encode())
        type_text = console(f"type({asked})", directory, environment)
        # In base64 nothing is left that the console would escape.
        encoded = console(f"base64encode(jsonencode({asked}))", directory, environment)
    for said in (type_text, encoded):
        if said.startswith("Error: "):
            return {"error": said.removeprefix("Error: ")}
    for instead, words in (("unknown", "(known after apply)"), ("sensitive", "(sensitive value)")):
        if encoded == words:
            return {"type": plain(type_text), instead: True}
    value = json.loads(base64.b64decode(encoded.strip('"')), parse_float=exact, parse_int=exact)
    return {"type": plain(type_text), "value": value}


def exact(number):
    """A number as JSON, as text where a reader of JSON would round it."""
    value = decimal.Decimal(number)
    return int(value) if value == int(value) and abs(value) < 2**64 else float(number) if str(float(number)) == number else format(value, "f")


def plain(type_text):
    """A type on one line, without the spaces and commas of the console's layout."""
    return re.sub(r",(?=[)\]}])", "", re.sub(r"\s*([][(){},:])\s*", r"\1", type_text))


def console(line, directory, environment):
    """What it prints on one line, or the title of its error."""
    run = subprocess.run(
        ["terraform", "console", "-no-color"],
        input=line + "\n", capture_output=True, text=True, cwd=directory, env=environment, timeout=60,
    )
    if run.returncode == 0:
        return run.stdout.strip()
    title = re.search(r"^Error: .*$", run.stderr, re.MULTILINE)
    return title.group(0) if title else f"Error: {run.stderr.strip()}"


def main():
    with tempfile.NamedTemporaryFile() as nothing:
        environment = os.environ | {"TF_CLI_CONFIG_FILE": nothing.name, "CHECKPOINT_DISABLE": "1"}
        wanted = expressions()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = pool.map(lambda one: answer(one, environment), wanted)
        records = [{"expression": one} | said for one, said in zip(wanted, answers)]
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (HERE / "console.jsonl").write_text(text)
    print(f"{len(records)} expressions, {sum('error' in record for record in records)} of them errors")


if __name__ == "__main__":
    main()
