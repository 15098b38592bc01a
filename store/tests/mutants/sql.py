"""Mutants of the store's SQL: is each condition, each assignment and each trigger's guard missed by a test?

    python3 store/tests/mutants/sql.py            every mutant, two at a time; about an hour
    python3 store/tests/mutants/sql.py --list     only their names and texts
    python3 store/tests/mutants/sql.py claim_     those whose name begins so

Nothing is compiled for a mutant: the tests read its text from a file (LOCKSTEP_MUTANT, store/tests/mutants/mutant.rs and
store/src/schema/cases.rs). A mutant survives when the lib tests, the `it` tests and the conformance kit pass; the survivors that change nothing
observable stand with their reason in `excused.txt`. Exits 1 when another survives.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
STORE = HERE.parents[1]
TIMEOUT_S = 240
# What ends a condition that stands at the same depth.
ENDS = {"GROUP", "ORDER", "LIMIT", "RETURNING", "UNION", "WHERE", "JOIN", "LEFT", "ON", "HAVING", "BEGIN", "THEN", ";", "SET"}


def tokens(sql):
    """Words, strings, parameters and single characters, each with its place. Comments are skipped."""
    pattern = r"--[^\n]*|'(?:[^']|'')*'|\"[^\"]*\"|:?[A-Za-z_][A-Za-z_0-9.]*|\d+|<>|<=|>=|\|\||->>|\S"
    for match in re.finditer(pattern, sql):
        if not match[0].startswith("--"):
            yield match[0], match.start(), match.end()


class Text:
    """One statement as tokens with their depth: parentheses and CASE … END nest alike."""

    def __init__(self, sql):
        self.sql = sql
        self.tokens = []
        depth = 0
        for word, start, end in tokens(sql):
            upper = word.upper()
            if word == ")" or (upper == "END" and depth):
                depth -= 1
            self.tokens.append((upper, start, end, depth))
            if word == "(" or upper == "CASE":
                depth += 1

    def clause(self, first, stops):
        """The tokens from `first` to the end of the clause, as a range."""
        depth, at = self.tokens[first][3], first
        while at < len(self.tokens):
            word, _, _, here = self.tokens[at]
            if here < depth or (here == depth and word in stops):
                break
            at += 1
        return first, at

    def split(self, first, last, at_word):
        """The range cut at a word of its own depth. The AND of a BETWEEN is not a cut."""
        depth, parts, begin, between = self.tokens[first][3], [], first, False
        for at in range(first, last):
            word, _, _, here = self.tokens[at]
            if here != depth:
                continue
            if word == "BETWEEN":
                between = True
            elif word == "AND" and between:
                between = False
            elif word == at_word:
                parts.append((begin, at))
                begin = at + 1
        return parts + [(begin, last)]

    def with_range(self, first, last, text):
        """The whole statement with one range replaced."""
        start, end = self.tokens[first][1], self.tokens[last - 1][2]
        return self.sql[:start] + text + self.sql[end:], self.sql[start:end]

    def always(self, first, last):
        """True, and still naming the range's parameters: a statement that lacks one fails before it runs."""
        named = sorted({self.sql[start:end] for word, start, end, _ in self.tokens[first:last] if word.startswith(":")})
        return " ".join(["(1 = 1", *(f"OR {name} IS NULL" for name in named)]) + ")"

    def conditions(self, first, last):
        """Each conjunct made true; each alternative of a conjunct made false."""
        for begin, end in self.split(first, last, "AND"):
            if begin == end:
                continue
            yield ("true", *self.with_range(begin, end, self.always(begin, end)))
            inner = (begin + 1, end - 1) if self.is_wrapped(begin, end) else (begin, end)
            parts = self.split(*inner, "OR") if inner[0] < inner[1] else []
            for one in parts if len(parts) > 1 else []:
                yield ("false", *self.with_range(*one, "NOT " + self.always(*one)))
                for part in self.split(*one, "AND") if len(self.split(*one, "AND")) > 1 else []:
                    yield ("true", *self.with_range(*part, self.always(*part)))

    def is_wrapped(self, begin, end):
        first, last = self.tokens[begin], self.tokens[end - 1]
        return first[0] == "(" and last[0] == ")" and first[3] == last[3]

    def mutants(self):
        for at, (word, _, _, _) in enumerate(self.tokens):
            after = at + 1
            if word in ("WHERE", "HAVING") or (word == "ON" and self.tokens[after][0] not in ("CONFLICT", "SESSION")
                                               and not self.of_trigger(at)):
                yield from self.conditions(*self.clause(after, ENDS))
            elif word == "WHEN" and self.in_case(at):
                first, last = self.clause(after, {"THEN"})
                yield ("true", *self.with_range(first, last, self.always(first, last)))
                yield ("false", *self.with_range(first, last, "NOT " + self.always(first, last)))
            elif word == "WHEN":
                yield from self.conditions(*self.clause(after, {"BEGIN"}))
            elif word == "SET":
                yield from self.assignments(*self.clause(after, {"WHERE", "RETURNING", ";"}))
            elif word == "CONFLICT":
                first, last = self.clause(at - 1, {"RETURNING", ";"})
                yield ("gone", *self.with_range(first, last, ""))
            elif word == "LIMIT" and self.tokens[after][0].startswith(":"):
                yield ("gone", *self.with_range(at, after + 1, f"LIMIT {self.tokens[after][0].lower()} + 1000"))

    def of_trigger(self, at):
        """The ON of `CREATE TRIGGER … ON table`, which is no join."""
        return self.tokens[0][0] == "CREATE" and not any(word == "BEGIN" or word == "WHEN" for word, *_ in self.tokens[:at])

    def in_case(self, at):
        depth = self.tokens[at][3]
        return any(word == "CASE" and here == depth - 1 for word, _, _, here in self.tokens[:at])

    def assignments(self, first, last):
        for begin, end in self.split(first, last, ","):
            column = self.sql[self.tokens[begin][1]:self.tokens[begin][2]]
            kept = f"{column} = CASE WHEN {self.always(begin, end)} THEN {column} END"
            yield ("kept", *self.with_range(begin, end, kept))


def statements():
    for file in sorted((STORE / "sql").glob("*.sql")):
        yield file.stem, file.read_text()
    for file in sorted((STORE / "schema/sqlite").glob("*_triggers.sql")):
        for match in re.finditer(r"^CREATE TRIGGER (\w+).*?\bEND;\n", file.read_text(), re.S | re.M):
            yield "trigger " + match[1], match[0]


def all_mutants():
    """Name → (kind of file, text). A name says the statement, the place and what was done: it is stable while the text is."""
    found = {}
    for name, sql in statements():
        for how, text, was in Text(sql).mutants():
            was = " ".join(was.split())
            label, number = f"{name}: {was} -> {how}", 2
            while label in found and found[label][1] != text:
                label, number = f"{name}: {was} -> {how} #{number}", number + 1
            found[label] = (name, text)
    return found


def test_binaries():
    """The lib tests, the `it` tests and the conformance kit, built once."""
    told = subprocess.run(["cargo", "test", "-p", "lockstep-store", "--release", "--lib", "--test", "it", "--test", "conformance", "--no-run",
                           "--message-format=json"], cwd=STORE, stdout=subprocess.PIPE, check=True, text=True).stdout
    built = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    paths = {one["target"]["name"]: one["executable"] for one in built if one.get("executable")}
    return paths["lockstep_store"], paths["it"], paths["conformance"]


def passes(binary, arguments, mutant):
    env = dict(os.environ, LOCKSTEP_MUTANT=mutant, RUST_TEST_THREADS="1", RUST_BACKTRACE="0",
               INSTA_UPDATE="no", INSTA_WORKSPACE_ROOT=str(STORE.parent))
    try:
        run = subprocess.run([binary, *arguments], cwd=STORE, env=env, capture_output=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return False
    return run.returncode == 0


def survives(name, text, binaries):
    lib, it, kit = binaries
    with tempfile.TemporaryDirectory() as folder:
        mutant = Path(folder) / "mutant.sql"
        mutant.write_text(f"{name}\n{text}")
        if name.startswith("trigger") and not passes(lib, ["schema::cases"], str(mutant)):
            return False
        # The fastest first: most mutants fall there.
        writes, slow = ["writes::"], ["model::every", "soak::", "beside::", "migrate::"]
        facts = [word for test in ["model::", *writes, *slow] for word in ("--skip", test)]
        return (all(passes(it, tests, str(mutant)) for tests in (writes, facts, slow))
                and passes(kit, ["the_reference_store"], str(mutant)))


def excused():
    """Name → reason: blocks of a name and an indented reason."""
    reasons, name = {}, None
    for line in (HERE / "excused.txt").read_text().splitlines():
        if line.startswith("    "):
            reasons[name] = (reasons[name] + " " + line.strip()).strip()
        elif line and not line.startswith("#"):
            name = line
            reasons[name] = ""
    return reasons


def main():
    wanted = [word for word in sys.argv[1:] if not word.startswith("--")]
    mutants = {name: mutant for name, mutant in all_mutants().items()
               if not wanted or any(name.startswith(word) for word in wanted)}
    if "--list" in sys.argv:
        for name in mutants:
            print(name)
        print(len(mutants), "mutants")
        return 0
    binaries, reasons = test_binaries(), excused()
    assert all(reasons.values()), "each excused mutant has a reason"
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        names = list(mutants)
        alive = pool.map(lambda name: survives(*mutants[name], binaries), names)
        survivors = []
        for name, lives in zip(names, alive):
            if lives:
                survivors.append(name)
                print("excused " if name in reasons else "SURVIVES", name, flush=True)
    caught = len(names) - len(survivors)
    print(f"{caught} of {len(names)} caught ({100 * caught / len(names):.1f} %), "
          f"{sum(name in reasons for name in survivors)} excused")
    stale = [name for name in reasons if not wanted and name not in survivors]
    for name in stale:
        print("excused but caught, or no longer there:", name)
    return int(bool(stale) or any(name not in reasons for name in survivors))


if __name__ == "__main__":
    sys.exit(main())
