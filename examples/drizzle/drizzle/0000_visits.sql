CREATE TABLE "visits" (
	"id" serial PRIMARY KEY NOT NULL,
	"region" text
);

