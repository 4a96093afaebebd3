// pgx itself, for what database/sql has no words for: here COPY.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
)

func main() {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		fmt.Fprintf(os.Stderr, "Unable to connect to database: %v\n", err)
		os.Exit(1)
	}
	defer conn.Close(ctx)

	words := [][]any{{"Hello", "pgx"}, {"world!", "pgx"}}
	copied, err := conn.CopyFrom(ctx, pgx.Identifier{"greetings"}, []string{"word", "driver"}, pgx.CopyFromRows(words))
	if err != nil {
		fmt.Fprintf(os.Stderr, "CopyFrom failed: %v\n", err)
		os.Exit(1)
	}
	fmt.Printf("%d words copied\n", copied)
}
