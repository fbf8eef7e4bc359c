#!/usr/bin/env python3
"""A driver for Python's sqlite3: vibesql-sqllogictest run --engine 'exec:python3 drivers/sqlite3_driver.py'

docs/engine-protocol.md describes the protocol. To test another engine, replace `connect`, `cell` and `execute`.
"""
import json, queue, sqlite3, sys, threading


def connect():
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def cell(value):
    """A value that JSON has no form for is an object."""
    if isinstance(value, bytes):
        return {"blob": value.hex()}
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return {"real": str(value)}
    return value


def execute(connection, sql):
    try:
        cursor = connection.execute(sql)
        columns = [{"name": column[0]} for column in cursor.description or []]
        rows = [[cell(value) for value in row] for row in cursor]
        return {"result": rows, "columns": columns, "affected": cursor.rowcount if cursor.rowcount >= 0 else None}
    except (sqlite3.Error, OverflowError) as error:
        # Only errors of SQLite have a code, since Python 3.11. Others are limits of Python's module.
        code = getattr(error, "sqlite_errorcode", None)
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_IOERR):
            raise  # SQLite has failed, which is not an error of the SQL.
        return {"err": str(error), "sqlstate": str(code)} if code else {"unsupported": str(error)}


def read():
    """Runs in a thread of its own, so that a statement can be cancelled."""
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if "sql" in message:
            requests.put(message)
        with lock:  # No other statement starts between the comparison and the interrupt.
            if message.get("cancel", 0) == running:
                connection.interrupt()
    requests.put(None)


requests, lock, running, connection = queue.SimpleQueue(), threading.Lock(), None, connect()
print(json.dumps({"hello": 2, "name": "python-sqlite3", "version": sqlite3.sqlite_version, "labels": ["sqlite"],
                  "capabilities": ["cancel"]}), flush=True)
threading.Thread(target=read, daemon=True).start()
while request := requests.get():
    with lock:
        running = request.get("id")
    print(json.dumps({"id": running, **execute(connection, request["sql"])}), flush=True)
