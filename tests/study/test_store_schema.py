"""Versions of the store's tables: from nothing, from older ones, and never from newer or foreign ones."""

import contextlib
import sqlite3

import pytest

from steepest.core.errors import StoreError
from steepest.study import store_schema
from steepest.study.store import Store, Training

KNOWN = 3  # the version this steepest writes


def begin(store):
    return store.begin("k", command="compare", name="digits", settings={}, data={}, environment={})


def written(tmp_path):
    with Store.open(tmp_path) as store:
        run = begin(store).id
        store.add(run, [Training(0, "a", 0, {}, "finished", 1, {}, {"accuracy": 0.5})])
    return tmp_path / "runs.sqlite"


def ask(path, statement):
    with sqlite3.connect(path) as connection:
        answer = connection.execute(statement).fetchall()
    connection.close()
    return answer


@pytest.fixture
def next_version(monkeypatch):
    more = [*store_schema.MIGRATIONS, ("ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT 'none'",)]
    monkeypatch.setattr(store_schema, "MIGRATIONS", more)


def test_an_empty_file_becomes_a_store(tmp_path):
    path = tmp_path / "runs.sqlite"
    path.touch()
    with Store.open(tmp_path) as store:
        assert store.runs() == []
    assert ask(path, "PRAGMA user_version") == [(KNOWN,)]
    assert ask(path, "PRAGMA application_id") == [(store_schema.APPLICATION,)]
    assert ask(path, "PRAGMA journal_mode") == [("wal",)]
    assert ask(path, "SELECT name FROM pragma_table_list WHERE strict ORDER BY name") == [("runs",), ("trainings",)]


def test_opening_again_changes_nothing(tmp_path):
    path = written(tmp_path)
    before = path.read_bytes()
    Store.open(tmp_path).close()
    assert path.read_bytes() == before


@pytest.mark.usefixtures("next_version")
def test_a_new_store_goes_through_all_migrations(tmp_path):
    path = written(tmp_path)
    assert ask(path, "PRAGMA user_version") == [(KNOWN + 1,)]
    assert ask(path, "SELECT note FROM runs") == [("none",)]


def test_an_older_store_is_brought_up_to_date_with_its_rows(tmp_path, request):
    path = written(tmp_path)
    request.getfixturevalue("next_version")
    with Store.open(tmp_path) as store:
        assert store.get(1).trainings == 1
    assert ask(path, "PRAGMA user_version") == [(KNOWN + 1,)]
    assert ask(path, "SELECT note FROM runs") == [("none",)]


def test_a_migration_that_fails_leaves_the_old_store(tmp_path, monkeypatch):
    path = written(tmp_path)
    broken = ("ALTER TABLE runs ADD COLUMN note TEXT", "DROP TABLE trainings", "NO STATEMENT")
    with monkeypatch.context() as patch:
        patch.setattr(store_schema, "MIGRATIONS", [*store_schema.MIGRATIONS, broken])
        with pytest.raises(sqlite3.OperationalError, match="syntax error"):
            Store.open(tmp_path)
    assert ask(path, "PRAGMA user_version") == [(KNOWN,)]
    with Store.open(tmp_path) as store:
        assert len(store.trainings(1)) == 1
    assert "note" not in [row[1] for row in ask(path, "PRAGMA table_info(runs)")]


@pytest.mark.parametrize("create", [True, False])
def test_a_newer_store_is_refused_untouched(tmp_path, create):
    path = written(tmp_path)
    ask(path, f"PRAGMA user_version = {KNOWN + 2}")
    before = path.read_bytes()
    message = (
        r"^.*runs\.sqlite: was written by a newer steepest \(schema 5, this one knows 3\); "
        r"upgrade steepest or use another STEEPEST_HOME$"
    )
    with pytest.raises(StoreError, match=message):
        Store.open(tmp_path, create=create)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_untouched(tmp_path):
    path = tmp_path / "runs.sqlite"
    ask(path, "CREATE TABLE recipes (cake TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"runs\.sqlite: is a database of another program; move it away or set"):
        Store.open(tmp_path)
    assert path.read_bytes() == before


def test_an_old_sqlite_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(StoreError, match=r"needs 3\.37 or newer; use a newer Python"):
        Store.open(tmp_path)


def test_a_file_system_without_shared_memory_goes_without_a_log(tmp_path):
    address = f"{(tmp_path / 'runs.sqlite').as_uri()}?vfs=unix-dotfile"  # like a network drive: it has no shared memory
    connection = sqlite3.connect(address, uri=True, isolation_level=None)
    assert store_schema.use_wal(connection) == "delete"
    connection.execute("CREATE TABLE t (x UNIQUE)")
    with store_schema.writing(connection):
        connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(sqlite3.IntegrityError), store_schema.writing(connection):
        connection.executemany("INSERT INTO t VALUES (?)", [(2,), (1,)])
    assert connection.execute("SELECT x FROM t").fetchall() == [(1,)]
    connection.close()


@pytest.mark.parametrize("moment", range(4))
def test_tables_that_another_process_makes_while_one_looks_are_not_foreign(tmp_path, moment):
    path = tmp_path / "runs.sqlite"
    path.touch()
    ours, other = (sqlite3.connect(path, isolation_level=None, timeout=0) for _ in range(2))
    seen = []

    def meanwhile(statement):
        seen.append(statement)
        if len(seen) == moment + 1:
            with contextlib.suppress(sqlite3.OperationalError):  # busy: whoever looks is not disturbed
                store_schema._migrate(other, path)

    ours.set_trace_callback(meanwhile)
    assert store_schema._version(ours, path) in (0, len(store_schema.MIGRATIONS))
    ours.close()
    other.close()
