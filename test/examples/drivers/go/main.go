// pgx: one behaviour a run, told in lines of JSON. `driver BEHAVIOUR URL-PARAMETERS`
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

type told map[string]any

var ctx = context.Background()

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func connect() (*pgx.Conn, error) {
	return pgx.Connect(ctx, os.Getenv("DATABASE_URL")+"?"+os.Args[2])
}

func value[T any](conn *pgx.Conn, sql string, args ...any) T {
	var found T
	must(0, conn.QueryRow(ctx, sql, args...).Scan(&found))
	return found
}

func pidOf(conn *pgx.Conn) int { return value[int](conn, "SELECT pg_backend_pid()") }

func say(what any) { fmt.Println(string(must(json.Marshal(what)))) }

func codeOf(err error) string {
	var told *pgconn.PgError
	if errors.As(err, &told) {
		return told.Code
	}
	return fmt.Sprint(err)
}

var behaviours = map[string]func(conn *pgx.Conn) any{
	"tls": func(conn *pgx.Conn) any {
		return value[told](conn,
			"SELECT json_build_object('ssl', ssl, 'address', host(inet_server_addr())) FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
	},

	"cancel": func(conn *pgx.Conn) any {
		pid := pidOf(conn)
		cancelled := make(chan error)
		go func() {
			other := must(connect())
			for value[int](other, "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND query = 'SELECT pg_sleep(60)'", pid) == 0 {
			}
			other.Close(ctx)
			cancelled <- conn.PgConn().CancelRequest(ctx)
		}()
		_, err := conn.Exec(ctx, "SELECT pg_sleep(60)")
		must(0, <-cancelled)
		return told{"code": codeOf(err), "same": pidOf(conn) == pid}
	},

	"copy": func(conn *pgx.Conn) any {
		var lines, out bytes.Buffer
		for number := 1; number <= 10_000; number++ {
			fmt.Fprintf(&lines, "%d\tword \\t ü %d\n", number, number)
		}
		must(conn.Exec(ctx, "CREATE TABLE copied_go (id int, word text)"))
		must(conn.PgConn().CopyFrom(ctx, strings.NewReader(lines.String()), "COPY copied_go FROM STDIN"))
		must(conn.PgConn().CopyTo(ctx, &out, "COPY (SELECT * FROM copied_go ORDER BY id) TO STDOUT"))
		return told{"same": out.String() == lines.String()}
	},

	"listen": func(conn *pgx.Conn) any {
		must(conn.Exec(ctx, "LISTEN perch"))
		other := must(connect())
		defer other.Close(ctx)
		must(other.Exec(ctx, "NOTIFY perch, 'ü'"))
		heard := must(conn.WaitForNotification(ctx))
		return told{"payload": heard.Payload, "sender": int(heard.PID) == pidOf(other)}
	},

	"prepared": func(conn *pgx.Conn) any {
		must(conn.Prepare(ctx, "add", "SELECT $1::int + 1"))
		sums := []int{value[int](conn, "add", 1), value[int](conn, "add", 2), value[int](conn, "add", 3)}
		// pgx prepares the other queries, too.
		return told{"sums": sums, "runs": value[int](conn, "SELECT generic_plans + custom_plans FROM pg_prepared_statements WHERE name = 'add'")}
	},

	"large": func(conn *pgx.Conn) any {
		rows := must(conn.Query(ctx, "SELECT repeat('x', 1024) FROM generate_series(1, 51200)"))
		sum := 0
		for _, row := range must(pgx.CollectRows(rows, pgx.RowTo[string])) {
			sum += len(row)
		}
		return told{"bytes": sum}
	},

	"many": func(conn *pgx.Conn) any {
		opened := make(chan *pgx.Conn)
		for range 99 {
			go func() { opened <- must(connect()) }()
		}
		for range 99 {
			other := <-opened
			defer other.Close(ctx)
		}
		seen := value[int](conn, "SELECT count(*) FROM pg_stat_activity WHERE application_name = current_setting('application_name')")
		return told{"connections": seen}
	},

	"idle": func(conn *pgx.Conn) any {
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		before := pidOf(conn)
		say(told{"pid": before})
		<-asked
		return told{"same": pidOf(conn) == before}
	},

	"reconnect": func(conn *pgx.Conn) any {
		before := pidOf(conn)
		say(told{"pid": before})
		_, err := conn.Exec(ctx, "SELECT pg_sleep(60)")
		next, refused := connect()
		for ; refused != nil; next, refused = connect() {
			time.Sleep(20 * time.Millisecond)
		}
		defer next.Close(ctx)
		return told{"code": codeOf(err), "other": pidOf(next) != before, "replica": value[bool](next, "SELECT pg_is_in_recovery()")}
	},
}

func main() {
	if os.Args[1] == "refused" {
		if _, err := connect(); err != nil {
			say(told{"message": err.Error()})
		} else {
			say("connected")
		}
		return
	}
	conn := must(connect())
	say(behaviours[os.Args[1]](conn))
	must(0, conn.Close(ctx))
}
