"""A driver for the package `duckdb` 2, see docs/engine-protocol.md: --engine 'exec:python3 drivers/duckdb_driver.py'

Like DuckDB's own runner, it also answers to `postgresql`, for which SQLite's corpus has conditions."""
import decimal, duckdb, json, math, queue, sys, threading

KINDS = {"double": "real", "float": "real", "decimal": "real", "varchar": "text", "blob": "blob", "boolean": "boolean"}

def cell(value, kind):
    if isinstance(value, bytes):
        return {"blob": value.hex()}
    if isinstance(value, decimal.Decimal) or isinstance(value, int) and not -2**63 <= value < 2**63:
        return {"decimal": f"{decimal.Decimal(value):f}"}
    if isinstance(value, float) and not math.isfinite(value):
        return {"real": str(value)}
    return {"other": str(value)} if kind == "other" and value is not None else value

def run(connection, statement):
    is_select = statement.type == duckdb.StatementType.SELECT
    found = connection.sql(statement) if is_select else connection.execute(statement)
    names, kinds = zip(*((name, str(kind.id)) for name, kind, *_ in found.description))
    kinds = ["integer" if kind.endswith(("int", "integer")) else KINDS.get(kind, "other") for kind in kinds]
    if is_select and "other" in kinds:  # Only DuckDB knows how it writes dates, lists and the like.
        texts = [f"CAST(#{at} AS VARCHAR)" if kind == "other" else f"#{at}" for at, kind in enumerate(kinds, 1)]
        found = found.project(", ".join(texts))
    rows = [[cell(value, kind) for value, kind in zip(row, kinds)] for row in found.fetchall()]
    if not is_select and (found.rowcount >= 0 or not rows and names[0] in ("Count", "Success")):  # It has no result.
        return {"result": [], "columns": [], "affected": max(found.rowcount, 0)}
    return {"result": rows, "columns": [{"name": name, "type": kind} for name, kind in zip(names, kinds)]}

def execute(request):
    try:
        if "connect" in request:
            connections[request["connect"]] = connections[None].cursor()
        connection = connections[request.get("connection")]
        return {"results": [run(connection, it) for it in connection.extract_statements(request.get("sql", ""))]}
    except (duckdb.FatalException, duckdb.InternalException):
        raise  # DuckDB has failed, which is not an error of the SQL.
    except duckdb.Error as error:
        return {"err": str(error)}

def read():  # In a thread of its own, so that a statement can be cancelled.
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if "sql" in message or "connect" in message:
            requests.put(message)
        with lock:  # No other request starts between the comparison and the interrupt.
            if message.get("cancel", 0) == running.get("id"):
                connections[running.get("connection")].interrupt()
    requests.put(None)

connections = {None: duckdb.connect(config={"threads": 1, "python_enable_replacements": "false"})}
requests, lock, running = queue.SimpleQueue(), threading.Lock(), {}
print(json.dumps({"hello": 2, "name": "duckdb", "version": duckdb.__version__, "labels": ["duckdb", "postgresql"],
                  "capabilities": ["several-statements", "cancel", "connections"]}), flush=True)
threading.Thread(target=read, daemon=True).start()
while request := requests.get():
    with lock:
        running = request
    print(json.dumps({"id": request.get("id"), **execute(request)}), flush=True)
