// A driver for any JDBC engine, in one file that needs no build:
//   vibesql-sqllogictest run --engine 'exec:java -cp h2.jar drivers/JdbcDriver.java jdbc:h2:mem:'
//
// The arguments are the address and, if the engine answers to others in conditions, its labels. docs/engine-protocol.md
// describes the protocol.

import java.io.*;
import java.math.*;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.util.*;
import java.util.concurrent.*;

public class JdbcDriver {
    static final PrintStream OUT = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    /** The running statement, for the thread that cancels. */
    static volatile Statement running;

    public static void main(String[] arguments) throws Exception {
        try (Connection connection = DriverManager.getConnection(arguments[0])) {
            DatabaseMetaData engine = connection.getMetaData();
            List<String> labels = List.of(arguments).subList(1, arguments.length);
            StringJoiner words = new StringJoiner(",", "[", "]");
            labels.forEach(label -> words.add(text(label)));
            send("{\"hello\":2,\"name\":" + text(engine.getDatabaseProductName().toLowerCase(Locale.ROOT))
                + ",\"version\":" + text(engine.getDatabaseProductVersion())
                + (labels.isEmpty() ? "" : ",\"labels\":" + words) + ",\"capabilities\":[\"cancel\"]}");
            BlockingQueue<String> requests = new LinkedBlockingQueue<>();
            Thread reader = new Thread(() -> read(requests));
            reader.setDaemon(true);
            reader.start();
            for (String request; !(request = requests.take()).isEmpty();) {
                send("{" + execute(connection, sql(request)) + id(request) + "}");
            }
        }
    }

    /** Reads in a thread of its own, so that a statement can be cancelled. The empty request is the end. */
    static void read(BlockingQueue<String> requests) {
        try (var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line; (line = in.readLine()) != null;) {
                if (line.startsWith("{\"cancel\"")) cancel(running);
                else requests.add(line);
            }
        } catch (IOException error) {
            System.err.println(error);
        }
        requests.add("");
    }

    static void cancel(Statement statement) {
        try {
            if (statement != null) statement.cancel();
        } catch (SQLException error) {
            // It has just ended.
            System.err.println(error);
        }
    }

    static String execute(Connection connection, String sql) {
        try (Statement statement = connection.createStatement()) {
            running = statement;
            boolean hasRows = statement.execute(sql);
            StringJoiner rows = new StringJoiner(","), columns = new StringJoiner(",");
            if (hasRows) {
                ResultSet found = statement.getResultSet();
                ResultSetMetaData shape = found.getMetaData();
                for (int column = 1; column <= shape.getColumnCount(); column++) {
                    columns.add("{\"name\":" + text(shape.getColumnLabel(column)) + "}");
                }
                while (found.next()) {
                    StringJoiner row = new StringJoiner(",", "[", "]");
                    for (int column = 1; column <= shape.getColumnCount(); column++) row.add(cell(found.getObject(column)));
                    rows.add(row.toString());
                }
            }
            String affected = hasRows ? "" : ",\"affected\":" + Math.max(0, statement.getUpdateCount());
            return "\"result\":[" + rows + "],\"columns\":[" + columns + "]" + affected;
        } catch (SQLException error) {
            String state = error.getSQLState();
            // Class 08 is a lost connection, which is not a fact about the SQL: without an answer, nothing passes.
            if (state != null && state.startsWith("08")) throw new IllegalStateException(error);
            return "\"err\":" + text(String.valueOf(error.getMessage())) + (state == null ? "" : ",\"sqlstate\":" + text(state));
        } finally {
            running = null;
        }
    }

    static String cell(Object value) {
        if (value == null || value instanceof Boolean || value instanceof Integer || value instanceof Long
            || value instanceof Short || value instanceof Byte) return String.valueOf(value);
        if (value instanceof Double || value instanceof Float) {
            double number = ((Number) value).doubleValue();
            if (Double.isFinite(number)) return String.valueOf(number);
            return "{\"real\":" + (Double.isNaN(number) ? "\"nan\"" : number > 0 ? "\"inf\"" : "\"-inf\"") + "}";
        }
        if (value instanceof BigDecimal number) return "{\"decimal\":" + text(number.toPlainString()) + "}";
        if (value instanceof BigInteger) return "{\"decimal\":" + text(value.toString()) + "}";
        if (value instanceof String) return text((String) value);
        if (value instanceof byte[] bytes) return "{\"blob\":" + text(HexFormat.of().formatHex(bytes)) + "}";
        return "{\"other\":" + text(value.toString()) + "}";
    }

    static void send(String message) {
        OUT.println(message);
        OUT.flush();
    }

    /** A JSON string. */
    static String text(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') json.append('\\').append(c);
            else if (c < ' ') json.append(String.format("\\u%04x", (int) c));
            else json.append(c);
        }
        return json.append('"').toString();
    }

    /** The number of a request, for its answer. Requests are written by the program: {"id":1,"sql":"…"}. */
    static String id(String request) {
        return request.startsWith("{\"id\":") ? "," + request.substring(1, request.indexOf(",\"sql\":")) : "";
    }

    static String sql(String request) {
        StringBuilder sql = new StringBuilder();
        for (int at = request.indexOf("\"sql\":\"") + 7; request.charAt(at) != '"'; at++) {
            char c = request.charAt(at);
            if (c != '\\') {
                sql.append(c);
                continue;
            }
            c = request.charAt(++at);
            switch (c) {
                case 'n' -> sql.append('\n');
                case 't' -> sql.append('\t');
                case 'r' -> sql.append('\r');
                case 'b' -> sql.append('\b');
                case 'f' -> sql.append('\f');
                case 'u' -> {
                    sql.append((char) Integer.parseInt(request.substring(at + 1, at + 5), 16));
                    at += 4;
                }
                default -> sql.append(c);
            }
        }
        return sql.toString();
    }
}
