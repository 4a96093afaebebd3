"use strict";

const fs = require("node:fs");
const path = require("node:path");
const Sequelize = require("sequelize");

const env = process.env.NODE_ENV || "development";
const config = require("../config/config.js")[env];
const db = {};

let sequelize;
if (config.use_env_variable) {
  const primary = process.env.PRIMARY_REGION;
  const current = process.env.FLY_REGION;
  const db_url = process.env.DATABASE_URL;

  if (!primary || !current || primary === current) {
    sequelize = new Sequelize(process.env.DATABASE_URL);

    // Check the output to confirm that your primary database is connected
    console.log("DB connected in Region: ", current);
  } else {
    const u = new URL(db_url);
    u.port = "5433";

    // Check the output to confirm that your read replica database is connected
    console.log(`Read Rep DB connected in ${current}`);

    sequelize = new Sequelize(u.toString());
  }
}

for (const file of fs.readdirSync(__dirname).filter((name) => name.endsWith(".js") && name !== "index.js")) {
  const model = require(path.join(__dirname, file))(sequelize, Sequelize.DataTypes);
  db[model.name] = model;
}

db.sequelize = sequelize;
db.Sequelize = Sequelize;

module.exports = db;
