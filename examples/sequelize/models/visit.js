"use strict";

module.exports = (sequelize, DataTypes) => sequelize.define("Visit", { region: DataTypes.STRING });
