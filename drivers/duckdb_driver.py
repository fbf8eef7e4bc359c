"""A driver for the package `duckdb` 2, see docs/engine-protocol.md: --engine 'exec:python3 drivers/duckdb_driver.py'

Like DuckDB's own runner, it also answers to `postgresql`, for which SQLite's corpus has conditions."""
import decimal, duckdb, json, math, os, queue, struct, sys, threading

KINDS = {"double": "real", "float": "single", "decimal": "real", "varchar": "text", "blob": "blob", "boolean": "boolean"}

def cell(value, kind):
    if isinstance(value, bytes):
        return {"blob": value.hex()}
    if isinstance(value, decimal.Decimal) or isinstance(value, int) and not -2**63 <= value < 2**63:
        return {"decimal": f"{decimal.Decimal(value):f}"}
    if isinstance(value, float) and not math.isfinite(value):
        return {"real": str(value)}
    if kind == "single" and value is not None:  # Python has no numbers of this precision.
        texts = [f"{value:.{digits}g}" for digits in range(6, 10)]
        return float(next(text for text in texts if struct.pack("f", float(text)) == struct.pack("f", value)))
    return {"other": text(value)} if kind == "other" and value is not None else value

def text(value):  # As DuckDB writes it, for values that it cannot convert itself.
    if isinstance(value, dict):
        return "{" + ", ".join(f"'{name}': {text(part)}" for name, part in value.items()) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(text, value)) + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(text, value)) + "]"
    return "NULL" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

def run(connection, statement):
    is_select = statement.type == duckdb.StatementType.SELECT
    found = connection.sql(statement) if is_select else connection.execute(statement)  # The first is not executed yet.
    names, kinds = zip(*((name, str(kind.id)) for name, kind, *_ in found.description))
    kinds = ["integer" if kind.endswith(("int", "integer")) else KINDS.get(kind, "other") for kind in kinds]
    if is_select and "other" in kinds:  # Only DuckDB knows how it writes dates, lists and the like.
        texts = [f"CAST(#{at} AS VARCHAR)" if kind == "other" else f"#{at}" for at, kind in enumerate(kinds, 1)]
        try:
            found = connection.execute(f"SELECT {', '.join(texts)} FROM ({statement.query.strip().rstrip(';')}\n)")
        except duckdb.ParserException:  # A part of a PIVOT has no text of its own.
            found = found.project(", ".join(texts))
    elif is_select:
        found = connection.execute(statement)
    rows = [[cell(value, kind) for value, kind in zip(row, kinds)] for row in found.fetchall()]
    executes = statement.type == duckdb.StatementType.EXECUTE or "returning" in statement.query.lower()
    if not is_select and names in (("Count",), ("Success",)) and not (rows and executes):  # It has no result of its own.
        return {"result": [], "columns": []} | ({"affected": rows[0][0]} if names == ("Count",) and rows else {})
    return {"result": rows, "columns": [{"name": name, "type": "real" if kind == "single" else kind} for name, kind in zip(names, kinds)]}

def open_database(path=":memory:", read_only=False, storage=None):
    if opened:
        opened["database"].close()  # With its connections.
    connections.clear()
    settings = {"threads": 1, "python_enable_replacements": "false", "autoload_known_extensions": "false",
                "autoinstall_known_extensions": "false", "allow_unsigned_extensions": "true"}
    settings |= {"storage_compatibility_version": storage} if storage else {}
    opened.update(database=duckdb.connect(path, read_only, settings), path=path, read_only=read_only)
    connections[None] = opened["database"].cursor()

def execute(request):
    try:
        if "connect" in request or request.get("reconnect"):
            name = request.get("connect")
            old = connections.get(name)
            connections[name] = opened["database"].cursor()
            if old:
                old.close()
        if request.get("restart"):
            open_database(opened["path"], opened["read_only"])
        if "load" in request:
            open_database(request["load"], request.get("read_only", False), request.get("storage"))
        connection = connections[request.get("connection")]
        return {"results": [run(connection, it) for it in connection.extract_statements(request.get("sql", ""))]}
    except (duckdb.FatalException, duckdb.InternalException):
        raise  # DuckDB has failed, which is not an error of the SQL.
    except duckdb.Error as error:
        # DuckDB itself names the kind of each error.
        return {"err": f"Invalid Error: {error}" if type(error) is duckdb.Error else str(error)}

def read():  # In a thread of its own, so that a statement can be cancelled.
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if "id" in message:
            requests.put(message)
        with lock:  # No other request starts between the comparison and the interrupt.
            if message.get("cancel", 0) == running.get("id"):
                connections[running.get("connection")].interrupt()
    requests.put(None)

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # DuckDB may write to standard output.
connections, opened = {}, {}
open_database()
requests, lock, running = queue.SimpleQueue(), threading.Lock(), {}
print(json.dumps({"hello": 2, "name": "duckdb", "version": duckdb.__version__, "labels": ["duckdb", "postgresql"],
                  "capabilities": ["several-statements", "cancel", "connections", "restart", "load"]}), file=answers, flush=True)
threading.Thread(target=read, daemon=True).start()
while request := requests.get():
    with lock:
        running = request
    print(json.dumps({"id": request.get("id"), **execute(request)}), file=answers, flush=True)
