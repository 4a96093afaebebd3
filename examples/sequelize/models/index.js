"use strict";

const fs = require("node:fs");
const path = require("node:path");
const Sequelize = require("sequelize");

const db = {};

// Connect to the cluster
const sequelize = new Sequelize(process.env.DATABASE_URL);

// Confirms the connection to the database
db.connected = (async () => {
  try {
    await sequelize.authenticate();
    console.log("Connected to the database!");
  } catch (err) {
    console.error("Error connecting to the database:", err);
  }
})();

for (const file of fs.readdirSync(__dirname).filter((name) => name.endsWith(".js") && name !== "index.js")) {
  const model = require(path.join(__dirname, file))(sequelize, Sequelize.DataTypes);
  db[model.name] = model;
}

db.sequelize = sequelize;
db.Sequelize = Sequelize;

module.exports = db;
