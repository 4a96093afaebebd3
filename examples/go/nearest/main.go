// In the primary region the leader, elsewhere the nearest member: the same configuration with port 5433.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
)

func main() {
	config, err := pgx.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		fmt.Fprintf(os.Stderr, "DATABASE_URL: %v\n", err)
		os.Exit(1)
	}
	primary, current := os.Getenv("PRIMARY_REGION"), os.Getenv("FLY_REGION")
	if primary != "" && current != "" && primary != current {
		config.Port = 5433
		for _, fallback := range config.Fallbacks {
			fallback.Port = 5433
		}
	}

	ctx := context.Background()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		fmt.Fprintf(os.Stderr, "Unable to connect to database: %v\n", err)
		os.Exit(1)
	}
	defer conn.Close(ctx)

	var where struct {
		Replica string `json:"replica"`
		Address string `json:"address"`
	}
	err = conn.QueryRow(ctx, "select pg_is_in_recovery()::text, host(inet_server_addr())").Scan(&where.Replica, &where.Address)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(where)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "QueryRow failed: %v\n", err)
		os.Exit(1)
	}
}
