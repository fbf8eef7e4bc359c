/* A driver for an engine with a C API, here SQLite's:
 *   cc -O2 -o sqlite3_driver drivers/sqlite3_driver.c -lsqlite3
 *   vibesql-sqllogictest run --engine exec:./sqlite3_driver
 *
 * To test another engine, replace `main` and `execute`. docs/engine-protocol.md describes the protocol. */
#define _POSIX_C_SOURCE 200809L
#include <ctype.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where messages are written. */
static FILE *out;

/* Writes a JSON string. Bytes that are not UTF-8 make the message invalid, and the driver is reported as broken. */
static void write_text(const char *text) {
    putc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < ' ') fprintf(out, "\\u%04x", *text);
        else putc(*text, out);
    }
    putc('"', out);
}

static void write_cell(sqlite3_stmt *statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
        fprintf(out, "null");
        break;
    case SQLITE_INTEGER:
        fprintf(out, "%lld", sqlite3_column_int64(statement, column));
        break;
    case SQLITE_FLOAT: {
        double number = sqlite3_column_double(statement, column);
        if (isfinite(number)) fprintf(out, "%.17g%s", number, fabs(number) < 1e16 && number == (double)(long long)number ? ".0" : "");
        else fprintf(out, "{\"real\":\"%s\"}", number > 0 ? "inf" : "-inf");
        break;
    }
    case SQLITE_TEXT:
        write_text((const char *)sqlite3_column_text(statement, column));
        break;
    default: {
        const unsigned char *bytes = sqlite3_column_blob(statement, column);
        fprintf(out, "{\"blob\":\"");
        for (int at = 0; at < sqlite3_column_bytes(statement, column); at++) fprintf(out, "%02x", bytes[at]);
        fprintf(out, "\"}");
    }
    }
}

static void write_error(sqlite3 *database) {
    fprintf(out, "\"err\":");
    write_text(sqlite3_errmsg(database));
    fprintf(out, ",\"sqlstate\":\"%d\"", sqlite3_extended_errcode(database));
}

/* Executes one statement and writes the fields of the answer. Rows are written before it is known whether there is an
 * error after them, so they are collected first. */
static void execute(sqlite3 *database, const char *sql) {
    sqlite3_stmt *statement = NULL;
    const char *rest;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, &rest) != SQLITE_OK) {
        write_error(database);
        return;
    }
    while (isspace((unsigned char)*rest) || *rest == ';') rest++;
    if (*rest) {
        fprintf(out, "\"unsupported\":\"this driver executes one statement at a time\"");
        sqlite3_finalize(statement);
        return;
    }
    int columns = statement ? sqlite3_column_count(statement) : 0, code = SQLITE_DONE;
    sqlite3_int64 before = sqlite3_total_changes64(database);
    char *rows = NULL;
    size_t size = 0;
    out = open_memstream(&rows, &size);
    for (int row = 0; statement && (code = sqlite3_step(statement)) == SQLITE_ROW; row++) {
        fprintf(out, row ? ",[" : "[");
        for (int column = 0; column < columns; column++) {
            if (column) putc(',', out);
            write_cell(statement, column);
        }
        putc(']', out);
    }
    fclose(out);
    out = stdout;
    if (code == SQLITE_DONE) {
        fprintf(out, "\"result\":[%s],\"columns\":[", rows);
        for (int column = 0; column < columns; column++) {
            fprintf(out, column ? ",{\"name\":" : "{\"name\":");
            write_text(sqlite3_column_name(statement, column));
            putc('}', out);
        }
        fprintf(out, "],\"affected\":%lld", sqlite3_total_changes64(database) - before);
    } else {
        write_error(database);
    }
    free(rows);
    sqlite3_finalize(statement);
}

/* Reads four hexadecimal digits. */
static unsigned unit(const char *digits) {
    unsigned value = 0;
    sscanf(digits, "%4x", &value);
    return value;
}

/* Turns the JSON string that starts at `json` into text, in place. The program escapes only quotes, backslashes and
 * control characters; all else is UTF-8 as it stands. */
static const char *read_text(char *json) {
    char *out = json, *in = json;
    for (; *in && *in != '"'; in++) {
        if (*in != '\\') {
            *out++ = *in;
            continue;
        }
        in++;
        const char *escapes = "n\nt\tr\rb\bf\f", *escape = strchr(escapes, *in);
        if (*in == 'u') {
            *out++ = (char)unit(in + 1);
            in += 4;
        } else {
            *out++ = escape ? escape[1] : *in;
        }
    }
    *out = 0;
    return json;
}

int main(void) {
    out = stdout;
    sqlite3 *database;
    if (sqlite3_open(":memory:", &database) != SQLITE_OK) return 1;
    fprintf(out, "{\"hello\":2,\"name\":\"c-sqlite3\",\"version\":\"%s\",\"labels\":[\"sqlite\"]}\n", sqlite3_libversion());
    fflush(out);
    char *line = NULL;
    size_t size = 0;
    /* Requests are written by the program: {"id":1,"sql":"…"}. */
    while (getline(&line, &size, stdin) > 0) {
        char *id = strstr(line, "\"id\":"), *sql = strstr(line, "\"sql\":\"");
        if (!sql) continue;
        fprintf(out, "{");
        if (id && id < sql) fprintf(out, "\"id\":%ld,", strtol(id + 5, NULL, 10));
        execute(database, read_text(sql + 7));
        fprintf(out, "}\n");
        fflush(out);
    }
    sqlite3_close(database);
    return 0;
}
