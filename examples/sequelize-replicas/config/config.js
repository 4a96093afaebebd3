// `sequelize init` writes a config.json for MySQL. Here every environment has what the document gives to production: PostgreSQL, and the URL from
// the environment. `use_env_variable` in place of its `database: process.env.DATABASE_URL`, which Sequelize takes for the name of a database.
const postgres = { use_env_variable: "DATABASE_URL", dialect: "postgres" };

module.exports = { development: postgres, test: postgres, production: postgres };
