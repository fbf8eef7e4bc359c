#!/bin/sh
# Keeps a database server for a test: `server.sh postgres` or `server.sh mariadb`.
#
# The first line of the standard input is the password of the user `tester`, every other line a command, each of which
# is answered by a line: `start PORT`, `kill`, `pause`, `folder`. At the end of the input the server is killed and its
# files are removed. The input is a pipe from the process of the tests, so that it ends with this process in any case.
set -u
# Nothing ends this script but the end of its input. When the process of the tests ends, the system sends SIGHUP to a
# process group with a stopped server, and answers have no reader.
trap '' HUP INT TERM PIPE
kind=$1
read -r password || exit 0
export LC_ALL=C

folder=$(mktemp -d) && cd "$folder" && mkdir temporary || exit 1
# When MariaDB starts, it deletes the temporary tables of every server that uses the same directory.
export TMPDIR="$folder/temporary"
: >log
server=

# Servers refuse to run as root, or should not.
if [ "$(id -u)" -eq 0 ]; then
    chown nobody "$folder" log temporary
    as_user="setpriv --reuid=nobody --regid=$(id -g nobody) --clear-groups --"
else
    as_user=
fi

# Creates the files of an empty server. Nothing need be on the disk: it is gone with the test.
create() {
    case $kind in
    postgres)
        # The password is read from a file, since the arguments of a process can be read by everybody.
        (umask 077 && printf '%s\n' "$password" >password)
        [ -z "$as_user" ] || chown nobody password
        $as_user initdb --pgdata=data --username=tester --pwfile=password --auth=scram-sha-256 \
            --locale=C --encoding=UTF8 --no-sync --no-instructions
        ;;
    mariadb)
        (umask 077 && cat >start.sql) <<END
CREATE USER IF NOT EXISTS tester@'%' IDENTIFIED BY '$password';
GRANT ALL ON *.* TO tester@'%' WITH GRANT OPTION;
END
        [ -z "$as_user" ] || chown nobody start.sql
        $as_user mariadb-install-db --no-defaults --datadir="$folder/data" --skip-test-db \
            --skip-name-resolve --auth-root-authentication-method=normal
        ;;
    esac
}

# Starts the server in place of this (sub)shell.
serve() {
    case $kind in
    postgres)
        exec $as_user postgres -D data -p "$1" -c listen_addresses=127.0.0.1 \
            -c unix_socket_directories= -c fsync=off -c full_page_writes=off -c synchronous_commit=off \
            -c shared_buffers=32MB -c max_connections=100
        ;;
    mariadb)
        # InnoDB's own threads for files: the kernel's asynchronous ones are few on a machine.
        exec $as_user mariadbd --no-defaults --datadir="$folder/data" --port="$1" \
            --bind-address=127.0.0.1 --socket="$folder/socket" --init-file="$folder/start.sql" \
            --skip-name-resolve --skip-log-bin --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 \
            --innodb-buffer-pool-size=32M --innodb-log-file-size=8M --innodb-use-native-aio=0
        ;;
    esac
}

# A process that nobody has waited for remains as a zombie.
is_alive() {
    kill -0 "$1" && ! grep -q '^State:.Z' "/proc/$1/status"
}

# Starts the server, and answers once it accepts connections.
start() {
    if [ ! -e created ]; then
        # A first start may have failed at any point.
        rm -rf data
        create >>log 2>&1 || {
            echo failed
            return
        }
    fi
    : >log
    serve "$1" >>log 2>&1 </dev/null &
    server=$!
    tries=0
    until grep -q 'ready to accept connections\|ready for connections' log; do
        tries=$((tries + 1))
        if [ $tries -gt 1200 ] || ! is_alive $server; then
            end
            echo failed
            return
        fi
        sleep 0.05
    done
    : >created
    echo started
}

# Sends a signal to all processes of the server. PostgreSQL has a child for each connection.
signal() {
    # It starts no child any more.
    kill -STOP $server
    if [ -e "/proc/$server/task/$server/children" ]; then
        children=$(cat "/proc/$server/task/$server/children")
    else
        children=$(pgrep -P $server)
    fi
    for process in $children $server; do
        kill -"$1" "$process"
    done
}

# Kills the server, and returns when it is gone.
end() {
    [ -n "$server" ] || return 0
    signal KILL
    wait $server
    server=
    for process in $children; do
        tries=0
        while is_alive "$process" && [ $tries -lt 200 ]; do
            tries=$((tries + 1))
            sleep 0.01
        done
    done
}

while read -r command port; do
    case $command in
    start) start "$port" ;;
    kill)
        end
        echo killed
        ;;
    pause)
        signal STOP
        echo paused
        ;;
    folder) echo "$folder" ;;
    esac
done
end
cd / && rm -rf "$folder"
