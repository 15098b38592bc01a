"""The schema's cases on PostgreSQL, through psql: what must be refused is refused by the law that is named, what must pass
passes, and every statement of the store can be prepared.

    cases.py SCHEMA_FOLDER PSQL SOCKET_FOLDER
"""

import pathlib
import re
import subprocess
import sys

SCHEMA, PSQL, SOCKET = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]


def psql(text, database="store"):
    """Runs a script; answers its exit code, what it wrote and what it complained of."""
    command = [PSQL, "-h", SOCKET, "-U", "lockstep", "-d", database, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
               "-v", "VERBOSITY=verbose", "-f", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def must(text, database="store"):
    """The same where nothing may go wrong."""
    code, out, err = psql(text, database)
    if code:
        sys.exit(f"{err}\nin\n{text[:2000]}")
    return out


def blocks(name):
    """The cases of a file: name, and the lines after it."""
    for block in (SCHEMA / "cases" / name).read_text().split("\n## ")[1:]:
        title, _, body = block.partition("\n")
        yield title, body


def keys():
    """The names of foreign keys by the words that the cases use for them: `child(columns, sorted)`."""
    rows = must("""SELECT c.conname || '|' || c.conrelid::regclass || '(' ||
        (SELECT string_agg(a.attname, ',' ORDER BY a.attname COLLATE "C") FROM pg_attribute a
         WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)) || ')'
      FROM pg_constraint c WHERE c.contype = 'f'""")
    return {words: name for name, words in (row.split("|") for row in rows.split())}


def tables_of_triggers():
    """Where each trigger stands: PostgreSQL asks for it when one is dropped."""
    rows = must("SELECT tgname || '|' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal")
    return dict(row.split("|") for row in rows.split())


def translated(sql, tables):
    return re.sub(r"DROP TRIGGER (\w+);", lambda found: f"DROP TRIGGER {found[1]} ON {tables[found[1]]};", sql)


def refusal(sql):
    """Who refuses this transaction; `None` when it commits."""
    code, _, err = psql(f"BEGIN;\nSET CONSTRAINTS ALL DEFERRED;\n{sql}\n;COMMIT;\n")
    if code == 0:
        return None
    named = re.search(r"^CONSTRAINT NAME: +(\S+)", err, re.M)
    if named:
        return named[1]
    null = re.search(r'null value in column "(\w+)" of relation "(\w+)"', err)
    if null:
        return f"not_null {null[2]}.{null[1]}"
    typed = re.search(r"invalid input syntax for type bigint", err)
    return "strict" if typed else err


def allowed(laws, names):
    """What a case may be refused by: of several broken foreign keys PostgreSQL names one."""
    if laws.startswith("foreign key "):
        return {names[law] for law in laws.removeprefix("foreign key ").split(", ")}
    return {laws}


def renew():
    must("DROP DATABASE IF EXISTS store WITH (FORCE); ".replace("; ", ";\n") + "CREATE DATABASE store TEMPLATE seeded;", "postgres")


def fill():
    must("CREATE DATABASE seeded;", "postgres")
    for migration in sorted(SCHEMA.glob("0*.sql")):
        version = migration.name[:4]
        must(migration.read_text(), "seeded")
        must((SCHEMA / "postgres" / f"{version}_triggers.sql").read_text(), "seeded")
    must("INSERT INTO meta (one, incarnation, clock_high_ms) VALUES (1, 1, 0);", "seeded")
    must((SCHEMA / "cases" / "seed.sql").read_text(), "seeded")
    renew()


def run_cases():
    names, tables, wrong, count = keys(), tables_of_triggers(), [], 0
    for title, body in blocks("refused.txt"):
        law, _, sql = body.partition("\n")
        law = law.removeprefix("refused by ")
        found = refusal(translated(sql, tables))
        count += 1
        # There are no foreign keys to be left out here: any refusal is as good.
        right = found is not None if title.endswith("without foreign keys") else found in allowed(law, names)
        if not right:
            wrong.append(f"{title}: {found} instead of {law}")
        if found is None:
            renew()
    for title, body in blocks("accepted.txt"):
        found = refusal(body)
        count += 1
        if found is not None:
            wrong.append(f"{title}: refused by {found}")
        renew()
    return count, wrong


def numbered(sql):
    """`:name` as `$n`, and how many there are."""
    sql = re.sub(r"^\s*--.*$", "", sql, flags=re.M)
    names = []

    def number(found):
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return re.sub(r"(?<!:):([a-z_]+)", number, sql)


def prepare_all():
    wrong, files = [], sorted((SCHEMA.parent / "sql").glob("*.sql"))
    for at, file in enumerate(files):
        code, _, err = psql(f"PREPARE s{at} AS {numbered(file.read_text())};\n")
        if code:
            wrong.append(f"{file.name}: {err.strip()}")
    return len(files), wrong


def main():
    fill()
    cases, refused = run_cases()
    statements, unprepared = prepare_all()
    for line in refused + unprepared:
        print(line, file=sys.stderr)
    print(f"PostgreSQL: {cases} cases, {len(refused)} wrong; {statements} statements, {len(unprepared)} not prepared")
    sys.exit(1 if refused or unprepared else 0)


main()
