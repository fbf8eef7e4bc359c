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
        return {"real": "inf" if value > 0 else "-inf"}
    return value


def execute(connection, sql):
    try:
        before = connection.total_changes
        cursor = connection.execute(sql)
        columns = [{"name": column[0]} for column in cursor.description or []]
        rows = [[cell(value) for value in row] for row in cursor]
        return {"result": rows, "columns": columns, "affected": connection.total_changes - before}
    except sqlite3.ProgrammingError as error:
        return {"unsupported": str(error)}
    except (sqlite3.Error, OverflowError) as error:
        return {"err": str(error)}


def send(message):
    print(json.dumps(message), flush=True)


def read(requests, connection):
    """Runs in a thread of its own, so that a statement can be cancelled."""
    for line in sys.stdin:
        message = json.loads(line)
        if "cancel" in message:
            connection.interrupt()
        else:
            requests.put(message)
    requests.put(None)


requests, connection = queue.SimpleQueue(), connect()
send({"hello": 2, "name": "python-sqlite3", "version": sqlite3.sqlite_version, "labels": ["sqlite"],
      "capabilities": ["cancel"]})
threading.Thread(target=read, args=(requests, connection), daemon=True).start()
while request := requests.get():
    send({**execute(connection, request["sql"]), "id": request.get("id")})
